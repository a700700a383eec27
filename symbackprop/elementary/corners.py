"""Functions with corners: their conditions solved, and their smooth pieces."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy
from sympy import Expr, Rational, Symbol

from symbackprop.exponentials import in_exponentials
from symbackprop.scalars import (
    CONDITIONS,
    PIECEWISE,
    TABLE,
    less,
    less_equal,
    where,
)


@dataclass(frozen=True)
class SmoothPiece:
    """`body` on the open interval from `low` to `high`."""

    low: Expr
    high: Expr
    body: Expr


def solve_conditions(expression: Expr, x: Expr) -> Expr:
    """Write linear conditions as conditions on x.

    `where(less_equal(x/4 + 1/2, 0), a, b)` => `where(less_equal(x, -2), a, b)`
    """
    if not isinstance(expression, where):
        return expression
    condition, a, b = expression.args
    return where(solved(condition, x), solve_conditions(a, x), solve_conditions(b, x))


def solved(condition: Expr, x: Expr) -> Expr:
    """`less(0, 2*x + 1)` => `less(-1/2, x)`; others stay as they are."""
    if not isinstance(condition, CONDITIONS):
        return condition
    if not isinstance(condition, less | less_equal):
        return condition.func(*(solved(part, x) for part in condition.args))
    low, high = condition.args
    difference = sympy.expand(high - low)
    factor = difference.coeff(x, 1)
    rest = sympy.expand(difference - factor * x)
    if rest.has(x) or not factor.is_Rational or factor == 0:
        return condition
    boundary = -rest / factor
    return condition.func(*((boundary, x) if factor > 0 else (x, boundary)))


def pieces(expression: Expr, x: Expr) -> tuple[SmoothPiece, ...] | None:
    """The smooth pieces of an expression from left to right; None where hidden.

    Corners are where a condition that is linear in x changes, at a rational number.

    >>> import sympy
    >>> from symbackprop.scalars import absolute
    >>> x = sympy.Symbol("x")
    >>> [piece.body for piece in pieces(x * absolute(x), x)]
    [-x**2, x**2]
    """
    opened = _open(expression)
    corners: set[Expr] = set()
    for part in sympy.preorder_traversal(opened):
        if isinstance(part, less | less_equal) or part.func.__name__ == "equal":
            low, high = part.args
            if not (low - high).has(x):
                return None
            ends = solved(less(low, high), x).args
            boundary = [end for end in ends if end != x]
            if x not in ends or not boundary[0].is_Rational:
                return None
            corners.add(boundary[0])
    ends = [-sympy.oo, *sorted(corners), sympy.oo]
    found = []
    for low, high in pairwise(ends):
        body = _chosen(opened, x, _between(low, high))
        found.append(SmoothPiece(low, high, body))
    return tuple(found)


def _open(expression: Expr) -> Expr:
    """`abs(x)` => `where(less(x, 0), -x, ...)`, and so on for all rows with corners."""
    if not expression.args:
        return expression
    arguments = [_open(argument) for argument in expression.args]
    name = expression.func.__name__
    row = TABLE.get(name)
    if row is not None and row.definition is not None:
        definition = row.definition(*arguments)
        if name in PIECEWISE:
            return definition
        if definition.has(where) or _has_corners(definition):
            return _open(definition)
    return expression.func(*arguments)


def _has_corners(expression: Expr) -> bool:
    names = {part.func.__name__ for part in sympy.preorder_traversal(expression)}
    return bool(names & {*PIECEWISE, "where"})


def _between(low: Expr, high: Expr) -> Rational:
    """A number between two ends, either of which may be infinite."""
    if low == -sympy.oo:
        return sympy.S.Zero if high == sympy.oo else high - 1
    return low + 1 if high == sympy.oo else (low + high) / 2


def _chosen(expression: Expr, x: Expr, at: Rational) -> Expr:
    """The expression with each choice made as it is made at a number."""
    if isinstance(expression, where):
        condition, a, b = expression.args
        return _chosen(a if _holds(condition, x, at) else b, x, at)
    if not expression.args:
        return expression
    return expression.func(*(_chosen(part, x, at) for part in expression.args))


def _holds(condition: Expr, x: Expr, at: Rational) -> bool:
    name, arguments = condition.func.__name__, condition.args
    if name == "negation":
        return not _holds(arguments[0], x, at)
    if name in ("both", "either"):
        found = [_holds(part, x, at) for part in arguments]
        return all(found) if name == "both" else any(found)
    difference = (arguments[1] - arguments[0]).xreplace({x: at})
    if name == "equal":
        return bool(difference == 0)
    return bool(difference > 0 if name == "less" else difference >= 0)


def corners(expression: Expr, x: Expr) -> tuple[Expr, ...]:
    """Where two of its pieces meet, in order."""
    found = pieces(expression, x) or ()
    return tuple(piece.high for piece in found[:-1])


# --- lines that stand for a curve ----------------------------------------------------


@dataclass(frozen=True)
class Chord:
    """A function of three straight pieces that imitates a curve.

    Attributes:
        curve: the name of the row whose tangent at 0 its middle piece is, and whose
            limits its outer pieces are.
        x: the argument.
        value: the curve's value at 0.
        slope: its slope at 0.
    """

    curve: str
    x: Symbol
    value: Expr
    slope: Expr

    @property
    def line(self) -> Expr:
        """The first-order Taylor expansion of the curve at 0."""
        return self.value + self.slope * self.x


def chord(name: str) -> Chord | None:
    """The curve that a row imitates by its tangent and its limits, if there is one.

    >>> chord("hard_tanh").curve, chord("relu")
    ('tanh', None)
    """
    row, x = TABLE[name], Symbol("x")
    if row.definition is None or row.arity != 1:
        return None
    parts = pieces(row.definition(x), x)
    if parts is None or len(parts) != 3:
        return None
    low, middle, high = (piece.body for piece in parts)
    if low.has(x) or high.has(x) or not middle.has(x):
        return None
    for other in TABLE.values():
        form = None
        if other.definition is not None and other.arity == 1:
            form = in_exponentials(other.definition(x))
        if form is None or other.definition is None:
            continue
        rational, u, t = form
        ends = [sympy.limit(rational, u, end) for end in (0, sympy.oo)]
        value = rational.subs(u, 1)
        tangent = rational.diff(u).subs(u, 1) * t.diff(x)
        if t.subs(x, 0) == 0 and [low, high] == ends and t.diff(x) > 0:
            found = Chord(other.name, x, value, tangent)
            if sympy.expand(found.line - middle) == 0:
                return found
    return None
