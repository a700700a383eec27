"""How far the slope of an activation can carry an error, and where it dies out.

The error of a layer is `delta = f'(z) * (W^T delta_next)`, so that its length is at
most `sup |f'|` times the norm of W times the length of the next error. The bound and
the limits of the slope are derived from the function's definition, exactly where the
slope is a rational function of an exponential, and held against dual numbers of 50
digits.

Source: Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen, 1991; Glorot and
Bengio, Understanding the difficulty of training deep feedforward networks, 2010.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Mul, Rational

from symbackprop.elementary.corners import SmoothPiece, pieces
from symbackprop.elementary.derivatives import steps, written_out
from symbackprop.errors import CheckError
from symbackprop.exponentials import in_exponentials
from symbackprop.scalars import TABLE, absolute, maximum
from symbackprop.witnesses.duals import DualNumbers
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.limits import value
from symbackprop.witnesses.numbers import PRECISE, REAL

SMALL = Rational(1, 100)  # a slope below it is called saturated
DIGITS = 6  # of what is found numerically
FAR = sympy.Integer(10) ** 8  # where a slope has come to its limit
REACH = 40  # how far from 0 an extremum is looked for
LOOK = 8  # peaks that are nearly the highest
UNBOUNDED = 1000  # a slope that is said to be unbounded must exceed this
POLE = 1e6  # a slope beyond it is unbounded
CLOSE = 1e-6  # how nearly a bound must be reached


@dataclass(frozen=True)
class Stretch:
    """Where a bound is attained: from `low` to `high`; one point where they are equal.

    At an infinite point the bound is approached, and not attained.
    """

    low: Expr
    high: Expr


@dataclass(frozen=True)
class Saturation:
    """The slope of one activation, over all arguments.

    Attributes:
        name: the activation's row.
        others: its arguments after the first: numbers, or symbols of what is learnt.
        bound: the least upper bound of the slope's magnitude.
        exact: whether it was derived exactly, or to six digits.
        attained: where the slope's magnitude is the bound; () where a learnt argument
            decides.
        limits: of the slope at -oo and +oo; None where it has none.
        small_until: the slope is below 1/100 everywhere left of it; None: nowhere.
        small_from: likewise right of it.
    """

    name: str
    others: tuple[Expr, ...]
    bound: Expr
    exact: bool
    attained: tuple[Stretch, ...]
    limits: tuple[Expr | None, Expr | None]
    small_until: Expr | None
    small_from: Expr | None

    @property
    def keeps(self) -> bool:
        """Whether the slope has the magnitude 1 on a whole half line."""
        half = any(
            s.low != s.high and sympy.oo in (s.high, -s.low) for s in self.attained
        )
        return half and self.bound == 1


def saturation(name: str, others: tuple[Expr, ...] = ()) -> Saturation:
    """Bound the slope of an activation by its first argument.

    >>> found = saturation("logistic")
    >>> found.bound, found.attained, found.limits
    (1/4, (Stretch(low=0, high=0),), (0, 0))

    Raises:
        CheckError: the bound does not hold, or is not reached.
    """
    row = TABLE[name]
    symbols = steps(name).arguments[1:]
    # What is learnt stays a letter: the bound is the same for each neuron.
    given = tuple(
        other if other.is_number else symbol
        for symbol, other in zip(
            symbols, others or row.defaults or symbols, strict=True
        )
    )
    return _saturation(name, given)


@cache
def _saturation(name: str, others: tuple[Expr, ...]) -> Saturation:
    found = bounded(name, others)
    hold(found)
    return found


def bounded(name: str, others: tuple[Expr, ...]) -> Saturation:
    """The bound, unchecked."""
    derived = steps(name)
    x, symbols = derived.argument, derived.arguments[1:]
    slope = derived.slope.xreplace(dict(zip(symbols, others, strict=True)))
    everywhere = SmoothPiece(-sympy.oo, sympy.oo, slope)
    parts = pieces(slope, x) or (everywhere,)
    peaks = [_peak(part, x) for part in parts]
    limits = (_limit(parts[0], x, -sympy.oo), _limit(parts[-1], x, sympy.oo))
    numbers = [peak for peak in peaks if peak.bound.is_extended_real]
    best = max((p.bound for p in numbers), key=sympy.N, default=sympy.S.Zero)
    learnt = list(dict.fromkeys(p.bound for p in peaks if p not in numbers))
    highest = [p for p in numbers if p.bound == best]
    bound = best
    for other in learnt:
        bound = maximum(bound, other) if bound else other
    return Saturation(
        name,
        others,
        bound,
        all(peak.exact for peak in highest),
        () if learnt else _merged(s for p in highest for s in p.attained),
        limits,
        None if learnt else _small(slope, x, parts, -1, limits[0]),
        None if learnt else _small(slope, x, parts, 1, limits[1]),
    )


def _merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Stretches that touch are one."""
    found: list[Stretch] = []
    for stretch in stretches:
        if found and found[-1].high == stretch.low and stretch.low.is_finite:
            found[-1] = Stretch(found[-1].low, stretch.high)
        else:
            found.append(stretch)
    return tuple(found)


# --- one smooth piece ----------------------------------------------------------------


@dataclass(frozen=True)
class _Peak:
    """The greatest magnitude of a slope on one piece, and where it is."""

    bound: Expr
    exact: bool
    attained: tuple[Stretch, ...]


def _peak(part: SmoothPiece, x: Expr) -> _Peak:
    slope = part.body
    factors = Mul.make_args(slope)
    letters = [f for f in factors if f.free_symbols - {x}]
    if letters:
        # A learnt factor: the bound of the rest times its magnitude.
        rest = _peak(
            replace(part, body=Mul(*(f for f in factors if f not in letters))), x
        )
        scale = absolute(Mul(*letters)) if not Mul(*letters).has(x) else sympy.oo
        return replace(rest, bound=rest.bound * scale, attained=())
    if not slope.has(x):
        return _Peak(abs(slope), True, (Stretch(part.low, part.high),))
    return _exact_peak(part, x) or _numerical_peak(part, x)


def _exact_peak(part: SmoothPiece, x: Expr) -> _Peak | None:
    """By the zeros of the derivative of R(u), u = exp(t), and by its limits."""
    form = _rational(part.body, x)
    if form is None:
        return None
    rational, u, rate, shift = form
    ends = [
        sympy.exp(rate * end + shift) if end.is_finite else max(end, sympy.S.Zero)
        for end in (part.low, part.high)
    ]
    numerator = sympy.fraction(sympy.together(rational.diff(u)))[0]
    roots = sympy.Poly(numerator, u).real_roots() if numerator.has(u) else []
    inside = [r for r in dict.fromkeys(roots) if ends[0] < r < ends[1]]
    if any(root.has(sympy.CRootOf) for root in inside):
        return None
    candidates = [(sympy.simplify(rational.subs(u, r)), r) for r in inside]
    candidates += [(sympy.limit(rational, u, end), end) for end in ends]
    best = max((abs(peak) for peak, _ in candidates), key=sympy.N)
    places = []
    for peak, at in candidates:
        if sympy.simplify(abs(peak) - best) == 0:
            where = (
                sympy.expand((sympy.log(at) - shift) / rate) if at.is_positive else at
            )
            where = -sympy.oo if at == 0 else where
            places.append(sympy.simplify(where) if where.is_finite else where)
    return _Peak(best, True, tuple(Stretch(p, p) for p in sorted(places)))


def _rational(slope: Expr, x: Expr) -> tuple[Expr, Expr, Expr, Expr] | None:
    """`(R(u), u, rate, shift)`, where the slope is R of u = exp(rate*x + shift)."""
    names = {row.name for row in TABLE.values() if row.definition and not row.kinks}
    for _ in range(len(TABLE)):  # a definition stands on rows above its own
        slope = written_out(slope, names)
    form = in_exponentials(slope)
    if form is None:
        return None
    rational, u, t = form
    rate, shift = t.diff(x), t.subs(x, 0)
    return None if rate.has(x) or not rate > 0 else (rational, u, rate, shift)


def _numerical_peak(part: SmoothPiece, x: Expr) -> _Peak:
    """By a dense grid, then by narrowing around its best point; to six digits."""
    low, high = max(part.low, -REACH), min(part.high, REACH)
    grid = np.linspace(float(low), float(high), 16001)
    heights = np.abs(_values(part.body, x, grid))
    heights = np.nan_to_num(heights, nan=-1.0, posinf=POLE)
    best = np.max(heights)
    around = np.pad(heights, 1, constant_values=-1.0)
    tops = (heights >= around[:-2]) & (heights >= around[2:]) & (heights >= best - 1e-3)
    step = float(grid[1] - grid[0])
    middles = sorted((float(top) for top in grid[tops]), key=abs)[:LOOK]
    found = [
        _narrowed(part.body, x, max(at - step, grid[0]), min(at + step, grid[-1]))
        for at in middles
    ]
    peak = max(height for _, height in found)
    slack = PRECISE.context.mpf(10) ** -12
    for end in (part.low, part.high):
        limit = None if end.is_finite else _limit(part, x, end)
        if limit is not None and abs(limit) >= peak - slack:
            return _Peak(abs(limit), False, (Stretch(end, end),))
    places = sorted(_rounded(at) for at, height in found if height > peak - slack)
    bound = _rounded(peak, 16) if peak < POLE else sympy.oo
    return _Peak(bound, False, tuple(Stretch(at, at) for at in places))


def _narrowed(slope: Expr, x: Expr, left: float, right: float) -> tuple[Any, Any]:
    """The place and height of the one peak between two points."""

    def height(at: Any) -> Any:
        found = abs(value(slope, {x: at}))
        return found if found == found else -1  # outside the domain

    a, b = PRECISE.context.mpf(left), PRECISE.context.mpf(right)
    for _ in range(90):
        p, q = a + (b - a) / 3, b - (b - a) / 3
        if height(p) < height(q):
            a = p
        else:
            b = q
    # At a corner the slope is that of one side.
    return max(((at, height(at)) for at in (a, (a + b) / 2, b)), key=lambda p: p[1])


def _rounded(number: Any, digits: int = DIGITS + 1) -> Expr:
    whole = sympy.Integer(round(float(number)))
    if abs(float(number) - whole) < CLOSE**2:
        return whole
    return sympy.Float(PRECISE.context.nstr(number, digits), digits)


def _values(expression: Expr, x: Expr, grid: Any) -> Any:
    found = calculate(expression, REAL, lambda leaf: grid)
    return np.broadcast_to(found, grid.shape)


def _limit(part: SmoothPiece, x: Expr, end: Expr) -> Expr | None:
    """The slope's limit: exactly by R(u), else by its values far out."""
    slope = part.body
    if not slope.has(x):
        return slope
    letters = [f for f in Mul.make_args(slope) if f.free_symbols - {x}]
    if letters:
        rest = replace(part, body=slope / Mul(*letters))
        found = _limit(rest, x, end)
        return None if found is None or Mul(*letters).has(x) else found * Mul(*letters)
    form = _rational(slope, x)
    if form is not None:
        there: Expr = sympy.limit(form[0], form[1], max(end, sympy.S.Zero))
        return there
    direction = 1 if end > 0 else -1
    near, far = (value(slope, {x: int(direction * d)}) for d in (FAR, FAR**2))
    if not abs(far) < 10**6:
        return sympy.oo * (1 if far > 0 else -1) if far == far else None
    if abs(far - near) > CLOSE:
        return None
    found = Fraction(float(far)).limit_denominator(1000)
    exact = Rational(found.numerator, found.denominator)
    return exact if abs(float(found) - far) <= CLOSE else _rounded(far)


def _small(
    slope: Expr,
    x: Expr,
    parts: tuple[SmoothPiece, ...],
    side: int,
    limit: Expr | None,
) -> Expr | None:
    """Beyond which argument on one side the slope's magnitude stays below 1/100."""
    if limit is None or not abs(limit) < SMALL:
        return None
    grid = np.arange(-10 * REACH, 10 * REACH, 0.05) * -side
    loud = np.flatnonzero(np.abs(_values(slope, x, grid)) >= float(SMALL))
    if not len(loud):
        return None
    inner, outer = float(grid[loud[0]]), float(grid[max(loud[0] - 1, 0)])
    for corner in (part.low for part in parts[1:]):
        before = value(slope, {x: float(corner) + side * 1e-9})
        if abs(float(corner) - inner) < 0.1 and abs(before) < SMALL:
            return corner
    for _ in range(60):
        middle = (inner + outer) / 2
        loudly = abs(value(slope, {x: middle})) >= float(SMALL)
        inner, outer = (middle, outer) if loudly else (inner, middle)
    return _rounded(PRECISE.context.mpf(inner), 4)


# --- the judge -----------------------------------------------------------------------


def hold(found: Saturation) -> None:
    """Hold a bound against dual numbers of the definition, on a dense grid.

    Raises:
        CheckError: the slope exceeds the bound, or does not come near it.
    """
    letters = sorted({s for o in found.others for s in o.free_symbols}, key=str)
    for draw in (Rational(1, 4), Rational(-7, 4)) if letters else (sympy.S.Zero,):
        values = dict.fromkeys(letters, draw)
        others = [other.xreplace(values) for other in found.others]
        bound = sympy.N(_number(found.bound, values), 40)
        highest = max(_magnitudes(found, others))
        if bound == sympy.oo:
            reached, exceeded = highest > UNBOUNDED, False
        else:
            limit = PRECISE.context.mpf(str(bound))
            slack = 1e-30 if found.exact else 1e-12
            exceeded, reached = highest > limit + slack, highest >= limit - CLOSE
        if exceeded or not reached:
            shown = PRECISE.context.nstr(highest, 12)
            raise CheckError(
                f"{found.name}: its slope was bounded by {found.bound}, and the "
                f"greatest that was met is {shown}. Please report this function."
            )


def _number(bound: Expr, values: dict[Expr, Expr]) -> Expr:
    """A bound's value: `maximum(1, abs(r))` at r = 2 => 2."""
    arguments = [_number(a, values) for a in bound.args]
    name = bound.func.__name__
    if name in ("maximum", "abs"):
        return sympy.Max(*arguments) if name == "maximum" else abs(arguments[0])
    return bound.func(*arguments) if arguments else values.get(bound, bound)


def _magnitudes(found: Saturation, others: list[Expr]) -> Iterator[Any]:
    """The slope's magnitudes on a grid, where the bound is attained, and far out."""
    points: list[Any] = [Fraction(k, 16) for k in range(-640, 641)]
    for stretch in found.attained:
        for end in (stretch.low, stretch.high):
            if end.is_finite:
                near = PRECISE.context.mpf(str(sympy.N(end, 50)))
                tiny = PRECISE.context.mpf(10) ** -14
                points += [near, near - tiny, near + tiny]
    points += [sign * 10**power for power in (3, 6) for sign in (-1, 1)]
    numbers = DualNumbers(PRECISE)
    at = PRECISE.array(np.array(points, dtype=object))
    ones = PRECISE.array(np.ones((len(points), 1), dtype=int))
    arguments = [numbers.dual(at, ones)]
    for other in others:
        constant = np.array([Fraction(int(other.p), int(other.q))], dtype=object)
        arguments.append(numbers.array(constant))
    tangent = numbers.apply(found.name, *arguments).tangent
    for slope in np.broadcast_to(tangent, (len(points), 1)).reshape(-1):
        if slope == slope:
            yield abs(slope)
