"""Polynomials of least greatest error, by Remez' exchange on many digits.

A coefficient that a kernel holds is a number of its precision. So the coefficients are
rounded one by one, the lowest power first, and those left are fitted again to what
the rounding changed.

Source: E. Remez, Comptes rendus 198 (1934) 2063; N. Brisebarre, J.-M. Muller and
A. Tisserand, ACM Transactions on Mathematical Software 32 (2006) 236.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
from sympy import Expr, Symbol

X = Symbol("x")

DIGITS = 50
DENSITY = 24  # points on the grid for each coefficient
EXCHANGES = 30
LEVEL = 1.001  # a fit is good whose greatest error is so near to its levelled one

Grid = list[tuple[Any, Any, Any]]  # argument, value and weight


@dataclass(frozen=True)
class Fit:
    """`c[0] + c[1] x + c[2] x**2 + ...`, and how far it may be off.

    Attributes:
        coefficients: numbers of the precision, the lowest power first.
        bound: the greatest weighted error on the interval, in exact arithmetic.
    """

    coefficients: tuple[float, ...]
    bound: float


def fit(
    function: Expr, weight: Expr, interval: tuple[Expr, Expr], degree: int, bits: int
) -> Fit:
    """The polynomial p that makes max |weight * (function - p)| least.

    Args:
        function: an expression in `X`, which may have a removable gap.
        weight: an expression in `X` without zeros but at such gaps.
        interval: its two ends.
        degree: of the polynomial.
        bits: of a coefficient; 24 for float32, 53 for float64.

    >>> from sympy import Integer, exp
    >>> fit(exp(X), exp(-X), (Integer(-1), Integer(1)), 3, 24).bound < 0.008
    True
    """
    with mpmath.workdps(DIGITS):
        low, high = (mpmath.mpf(end.evalf(DIGITS)) for end in interval)
        grid = _grid(function, weight, low, high, DENSITY * (degree + 2))
        fixed: list[Any] = []
        free: list[Any] | None = None
        while len(fixed) <= degree:
            free = _exchange(grid, fixed, degree, free)
            fixed.append(_rounded(free[0], bits))
            free = free[1:]
        bound = max(abs(w * (g - _value(fixed, x))) for x, g, w in grid)
        return Fit(tuple(float(c) for c in fixed), float(bound))


def _grid(function: Expr, weight: Expr, low: Any, high: Any, count: int) -> Grid:
    """Values at Chebyshev's points, which crowd where errors of a fit are steep."""
    found = []
    for k in range(count):
        angle = mpmath.pi * (2 * k + 1) / (2 * count)
        x = (low + high) / 2 - (high - low) / 2 * mpmath.cos(angle)
        found.append((x, _evaluated(function, x), _evaluated(weight, x)))
    return found


def _evaluated(expression: Expr, x: Any) -> Any:
    return mpmath.mpf(expression.evalf(DIGITS, subs={X: x}))


def _value(coefficients: Sequence[Any], x: Any) -> Any:
    return mpmath.polyval(coefficients[::-1], x)


def _rounded(number: Any, bits: int) -> Any:
    with mpmath.workprec(bits):
        return +number


def _exchange(
    grid: Grid, fixed: Sequence[Any], degree: int, best: list[Any] | None
) -> list[Any]:
    """The free coefficients, those after the fixed ones, of the best polynomial.

    `x**m p(x)` fits what the m fixed coefficients leave. On each set of points, one
    more than p has coefficients, p is solved for so that its errors are equal and
    alternate; then the points move to where the errors are greatest.
    """
    order = len(fixed)
    rest = [(x, g - _value(fixed, x) if fixed else g, w) for x, g, w in grid]
    reduced = [(x, g / x**order, w * abs(x) ** order) for x, g, w in rest]
    free = degree + 1 - order
    places = [(2 * k + 1) * len(grid) // (2 * free + 2) for k in range(free + 1)]
    least = mpmath.inf
    if best is not None:
        least = max(abs(w * (g - _value(best, x))) for x, g, w in reduced)
    for _ in range(EXCHANGES):
        p, level = _alternating([reduced[k] for k in places], free)
        errors = [w * (g - _value(p, x)) for x, g, w in reduced]
        greatest = max(map(abs, errors))
        if greatest < least:
            best, least = p, greatest
        peaks = _peaks(errors)
        if greatest <= LEVEL * abs(level) or len(peaks) < free + 1:
            break
        while len(peaks) > free + 1:  # of the outer ones the lower is left out
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        places = peaks
    assert best is not None
    return best


def _alternating(points: Grid, free: int) -> tuple[list[Any], Any]:
    """Solve `w_k p(x_k) + (-1)**k level = w_k g_k` for p and the level."""
    rows = [
        [*(w * x**power for power in range(free)), (-1) ** k]
        for k, (x, _, w) in enumerate(points)
    ]
    solved = mpmath.lu_solve(mpmath.matrix(rows), [w * g for _, g, w in points])
    *p, level = list(solved)
    return p, level


def _peaks(errors: Sequence[Any]) -> list[int]:
    """Where the error is greatest between two of its changes of sign."""
    peaks: list[int] = []
    for k, error in enumerate(errors):
        if peaks and (error > 0) == (errors[peaks[-1]] > 0):
            if abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = k
        else:
            peaks.append(k)
    return peaks
