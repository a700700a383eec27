"""Numeric differentiation of any function of a vector.

A difference formula is a table of offsets; everything else about it is computed:

    f'(x) = (sum over k of c_k f(x + o_k h)) / h - C h^p f^(p+1)(x) - ...

Nothing here knows of equations: a function goes in, slopes come out. A caller who wants
to know the number of evaluations counts the calls of `f`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import InputError

Array = NDArray[Any]
Function = Callable[[Any], Any]  # of a vector
Estimate = tuple[float, float]  # a value, and how far it may be off

EPS = float(np.finfo(np.float64).eps)
RATIO = 4  # of one step to the next, in extrapolation
ROWS = 32  # steps at most: 4^-32 is far below every rounding
TABLE_POINTS = 9  # of a difference table
TABLE_ORDER = 4  # of its differences
# No power of two, or the last bits of a sum would go round in a circle with the steps.
TABLE_STEP = (1 + math.sqrt(5)) / 2
DEVIATIONS = 6  # a normal error is beyond them once in 5e8 times


def coefficients(offsets: Sequence[int]) -> tuple[Fraction, ...]:
    """`sum of c_k o_k^m = [m = 1]` for m = 0, 1, ..., solved exactly.

    Source: LeVeque, Finite difference methods (2007), section 1.5.

    >>> [str(c) for c in coefficients((-2, -1, 1, 2))]
    ['1/12', '-2/3', '2/3', '-1/12']
    """
    size = len(offsets)
    rows = [
        [Fraction(o) ** m for o in offsets] + [Fraction(m == 1)] for m in range(size)
    ]
    for k in range(size):  # Gauss and Jordan; distinct offsets leave no zero pivot
        pivot = next(r for r in range(k, size) if rows[r][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [entry / rows[k][k] for entry in rows[k]]
        for r in range(size):
            if r != k:
                factor = rows[r][k]
                rows[r] = [
                    a - factor * b for a, b in zip(rows[r], rows[k], strict=True)
                ]
    return tuple(row[-1] for row in rows)


@dataclass(frozen=True)
class Formula:
    """A difference formula, and the theory of its error.

    Attributes:
        name: as textbooks call it.
        offsets: where f is evaluated, in steps from x.
        coefficients: what its values are multiplied with, before the division by h.

    >>> central = FORMULAS["central difference"]
    >>> central.order, central.evaluations, f"{central.best_step():.0e}"
    (2, 2, '9e-06')
    """

    name: str
    offsets: tuple[int, ...]
    coefficients: tuple[Fraction, ...]

    def moment(self, power: int) -> Fraction:
        """`sum of c_k o_k^power`: what the formula makes of a power's derivative."""
        pairs = zip(self.coefficients, self.offsets, strict=True)
        return sum((c * Fraction(o) ** power for c, o in pairs), Fraction(0))

    @property
    def order(self) -> int:
        """p, the power of the step in the truncation error."""
        return next(p for p in range(1, 99) if self.moment(p + 1) != 0)

    @property
    def constant(self) -> Fraction:
        """C of the leading term of truncation, `C h^p f^(p+1)`."""
        return self.moment(self.order + 1) / math.factorial(self.order + 1)

    @property
    def evaluations(self) -> int:
        """How often f is evaluated for one slope."""
        return len(self.offsets)

    def truncation(self, step: float, derivative: float = 1.0) -> float:
        """`|C f^(p+1)| h^p`.

        Args:
            step: h.
            derivative: f^(p+1) at x.
        """
        return abs(float(self.constant) * derivative) * step**self.order

    def rounding(self, step: float, noise: float = EPS) -> float:
        """`noise * sum of |c_k| / h`.

        Args:
            step: h.
            noise: by how much a value of f may be off; eps |f| at best.
        """
        return noise * float(sum(abs(c) for c in self.coefficients)) / step

    def theory(self, step: float, derivative: float = 1.0, noise: float = EPS) -> float:
        """The error to expect: truncation and rounding."""
        return self.truncation(step, derivative) + self.rounding(step, noise)

    def best_step(self, derivative: float = 1.0, noise: float = EPS) -> float:
        """`h ~ noise^(1/(p+1))`, where truncation and rounding together are least.

        `theory` has the slope 0 there: p C h^p f^(p+1) = noise * sum of |c_k| / h.
        """
        ratio = self.rounding(1.0, noise) / self.truncation(1.0, derivative)
        return float((ratio / self.order) ** (1 / (self.order + 1)))


def _formula(name: str, *offsets: int) -> Formula:
    return Formula(name, offsets, coefficients(offsets))


FORMULAS = {
    formula.name: formula
    for formula in (
        _formula("forward difference", 0, 1),
        _formula("central difference", -1, 1),
        _formula("five-point stencil", -2, -1, 1, 2),  # the middle has coefficient 0
    )
}


def slope(f: Function, x: Any, direction: Any, formula: Formula, step: Any) -> Any:
    """`(sum over k of c_k f(x + o_k h v)) / h`, the slope of f at x along v.

    The numbers may be of any kind: floats, fractions, or those of mpmath.

    >>> x, v = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    >>> slope(lambda x: x[0] * x[1], x, v, FORMULAS["central difference"], 0.5)
    2.0
    """
    total: Any = 0
    for c, o in zip(formula.coefficients, formula.offsets, strict=True):
        total += c.numerator * f(x + o * step * direction) / c.denominator
    found = total / step
    return float(found) if isinstance(found, np.floating) else found


def gradient(
    f: Function,
    x: Any,
    formula: Formula,
    step: float | None = None,
    coordinates: Iterable[int] | None = None,
) -> Array:
    """The slope by each coordinate, with the step `h max(1, |x_i|)`.

    Args:
        f: a function of a vector.
        x: the vector.
        formula: of `FORMULAS`, or one of your own.
        step: h; None for the formula's best step at ordinary functions.
        coordinates: which slopes are wanted; None for all.

    Shapes:
        One slope for each wanted coordinate.

    >>> x = np.array([3.0, -2.0])
    >>> gradient(lambda x: x[0] ** 2 + x[1], x, FORMULAS["central difference"], 1e-3)
    array([6., 1.])
    """
    x = np.asarray(x, np.float64)
    if x.ndim != 1:
        raise InputError(
            f"x: expected a flat vector, an array of shape {x.shape} came. Pass "
            "x.reshape(-1), and a function of it."
        )
    h = formula.best_step() if step is None else step
    found = []
    for i in range(len(x)) if coordinates is None else coordinates:
        size = h * max(1.0, abs(x[i]))
        size = float((x[i] + size) - x[i]) or size  # what really separates the points
        found.append(slope(f, x, _unit(len(x), i), formula, size))
    return np.array(found)


def complex_step(f: Function, x: Any, direction: Any, step: float = 1e-30) -> float:
    """`Im f(x + i h v) / h`: nothing is subtracted, so h may be tiny.

    f must take complex vectors, and be the real function's analytic continuation: no
    `abs`, no comparison of complex numbers, no conjugate.

    Source: Squire and Trapp, Using complex variables to estimate derivatives of real
        functions, SIAM Review 40 (1998).

    >>> complex_step(lambda x: np.exp(x[0]), np.zeros(1), np.ones(1))
    1.0
    """
    moved = np.asarray(x) + 1j * step * np.asarray(direction)
    return float(np.imag(f(moved)) / step)


# Extrapolation


def richardson(
    f: Function,
    x: Any,
    direction: Any,
    noise: float | None = None,
    eps: float = EPS,
) -> Estimate:
    """The central difference extrapolated to h = 0, and a bound of its error.

    (f(x + h v) - f(x - h v)) / 2h has an expansion in h^2, whose terms are removed one
    after the other. Of all entries of the tableau the one is taken whose error is
    least: how much it differs from its neighbours, and what rounding does to it.

    Args:
        f: a function of a vector.
        x: the vector.
        direction: v.
        noise: by how much a value of f may be off; None to measure it. Never less
            than eps |f|.
        eps: the machine epsilon of the numbers that f computes with.

    Returns:
        The slope and its error; an infinite error where f is not finite around x.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in
        Engineering Software 4 (1982); Press et al., Numerical Recipes, section 5.7.

    >>> value, error = richardson(lambda x: np.sin(x[0]), np.zeros(1), np.ones(1))
    >>> abs(value - 1) <= error < 1e-13
    True
    """
    x, direction = np.asarray(x), np.asarray(direction)
    floor = roundoff(f, x, direction, eps) if noise is None else noise

    def quotient(h: float) -> Estimate:
        right, left = float(f(x + h * direction)), float(f(x - h * direction))
        off = max(floor, eps * (abs(right) + abs(left)) / 2)
        return (right - left) / (2 * h), off / h

    return _limit(quotient, reach(x, direction), 2, eps)


def one_sided(
    f: Function,
    x: Any,
    direction: Any,
    noise: float | None = None,
    eps: float = EPS,
) -> Estimate:
    """The slope on the side of x that v points to, and a bound of its error.

    (f(x + h v) - f(x)) / h has an expansion in h, extrapolated as in `richardson`.

    >>> x = np.zeros(1)
    >>> one_sided(lambda x: abs(x[0]), x, np.ones(1))[0]
    1.0
    """
    x, direction = np.asarray(x), np.asarray(direction)
    here = float(f(x))
    floor = roundoff(f, x, direction, eps) if noise is None else noise

    def quotient(h: float) -> Estimate:
        there = float(f(x + h * direction))
        off = max(floor, eps * (abs(there) + abs(here)) / 2)
        return (there - here) / h, 2 * off / h

    return _limit(quotient, reach(x, direction), 1, eps)


def reach(x: Array, direction: Array) -> float:
    """How far along v a function of ordinary scale is looked at: a power of two.

    The largest t with |t v_i| <= max(1, |x_i|) for every i, rounded down. With steps
    that are powers of two, x + h v is met exactly along a coordinate.
    """
    v = np.abs(np.asarray(direction, np.float64))
    moving = v > 0
    if not moving.any():
        return 1.0
    sizes = np.maximum(1.0, np.abs(np.asarray(x, np.float64)))
    return float(2.0 ** math.floor(math.log2(np.min(sizes[moving] / v[moving]))))


def _limit(
    quotient: Callable[[float], Estimate], reach: float, power: int, eps: float
) -> Estimate:
    """The limit of a quotient at h = 0 by Neville's tableau, and a bound of its error.

        T[j, k] = T[j, k-1] + (T[j, k-1] - T[j-1, k-1]) / (4^(power k) - 1)

    It goes down to the best step of the plain formula at least, so that a feature of
    f that the first steps jump over is seen; it ends where rounding alone makes each
    further row worse than the best entry.
    """
    least = reach * eps ** (1 / (1 + power))
    values: list[float] = []  # the last row, then what rounding does to each entry
    noises: list[float] = []
    entries: list[tuple[float, float]] = []  # (error, value)
    plain: list[Estimate] = []
    for row in range(1, ROWS + 1):
        h = reach / RATIO**row
        first, off = quotient(h)
        if not math.isfinite(first):
            values, noises, entries, plain = [], [], [], []
            continue
        plain.append((first, off))
        new, rounding = [first], [off]
        for k, (above, above_off) in enumerate(zip(values, noises, strict=True)):
            factor = float(RATIO) ** (power * (k + 1))
            new.append(new[k] + (new[k] - above) / (factor - 1))
            rounding.append((factor * rounding[k] + above_off) / (factor - 1))
            spread = max(abs(new[-1] - new[k]), abs(new[-1] - above))
            entries.append((spread + rounding[-1], new[-1]))
        values, noises = new, rounding
        if h <= least and entries and off >= _best(entries, plain)[1]:
            break
    return _best(entries, plain) if entries else (math.nan, math.inf)


def _best(entries: list[tuple[float, float]], plain: list[Estimate]) -> Estimate:
    """The entry of the least error, after the smallest steps were heard.

    They contradict what larger ones agreed on without seeing it all.
    """
    (before, before_off), (last, last_off) = plain[-2:]
    doubt = abs(last - before) + last_off + before_off
    error, value = min((max(e, abs(v - last) - doubt), v) for e, v in entries)
    return value, error


def noise(f: Function, x: Any, direction: Any, eps: float = EPS) -> float:
    """The standard deviation of the rounding in values of f near x.

    Differences of order 4 of values at x + k h v, k = 1, ..., 9: at h ~ sqrt(eps) the
    smooth part of f is gone from them, and independent errors of the deviation s are
    left with the deviation s sqrt(8! / 4!^2). Steps are relative to x, and all on
    one side of it.

    Source: Hamming, Introduction to applied numerical analysis (1971), section 6;
        More and Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011).

    >>> x = np.ones(1)
    >>> 1e-9 < noise(lambda x: (1e8 + x[0]) - 1e8, x, np.ones(1)) < 1e-7
    True
    """
    x = np.asarray(x, np.float64)
    scale = np.where(x == 0, 1.0, np.abs(x)) * TABLE_STEP * math.sqrt(eps)
    along = scale * np.asarray(direction)
    values = [float(f(x + k * along)) for k in range(1, TABLE_POINTS + 1)]
    if not all(map(math.isfinite, values)):
        return 0.0
    differences = np.diff(values, TABLE_ORDER)
    growth = math.comb(2 * TABLE_ORDER, TABLE_ORDER)
    return float(np.sqrt(np.mean(differences**2) / growth))


def roundoff(f: Function, x: Any, direction: Any, eps: float = EPS) -> float:
    """By how much a value of f near x may be off: six deviations of its noise."""
    return DEVIATIONS * noise(f, x, direction, eps)


def _unit(size: int, place: int) -> Array:
    found = np.zeros(size)
    found[place] = 1.0
    return found
