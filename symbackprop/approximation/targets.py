"""What the vector functions approximate: where, how weighted, by which degree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, Rational, erf, erfc, exp, log, sqrt

from symbackprop.approximation.remez import Fit, X, fit

BITS = {"float32": 24, "float64": 53}
KEPT = {"float32": 16, "float64": 42}  # of log 2: times an exponent it is exact


@dataclass(frozen=True)
class Target:
    """One function that a polynomial stands for.

    Attributes:
        function: in `X`.
        weight: what an error of the polynomial means for the function's result,
            relative to it.
        interval: for each precision.
        degree: for each precision.
    """

    function: Expr
    weight: Expr
    interval: Mapping[str, tuple[Expr, Expr]]
    degree: Mapping[str, int]

    def fit(self, dtype: str) -> Fit:
        degree, interval = self.degree[dtype], self.interval[dtype]
        return fit(self.function, self.weight, interval, degree, BITS[dtype])


def _both(low: Expr, high: Expr) -> dict[str, tuple[Expr, Expr]]:
    return dict.fromkeys(BITS, (low, high))


def _degrees(float32: int, float64: int) -> dict[str, int]:
    return {"float32": float32, "float64": float64}


ROOT = sqrt(X)  # of a square, where an odd function's quotient is even

# Rounding to a whole number leaves half of one, and a little more.
REDUCED = log(2) / 2 * (1 + Rational(1, 2**12))

# The greatest (m - 1)/(m + 1) for m between sqrt(1/2) and sqrt(2).
QUOTIENT = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2 * (1 + Rational(1, 2**12))

# Below it erf is x + x*p(x*x), and erfc is 1 - erf.
MIDDLE = Rational(3, 4)

# Above it, and up to where it is 0,
# erfc(x) = exp(-x*x) p((x - CENTRE)/(x + CENTRE)) / x.
CENTRE = Integer(2)
ERFC_END = {"float32": Integer(11), "float64": Integer(28)}
_SIZE = CENTRE * (1 + X) / (1 - X)

TARGETS: Mapping[str, Target] = {
    # exp(x) - 1 = x + x*x*p(x)
    "exp": Target(
        (exp(X) - 1 - X) / X**2,
        X**2 / (exp(X) - 1),
        _both(-REDUCED, REDUCED),
        _degrees(5, 10),
    ),
    # log(1 + f) = 2 atanh(s) = 2 s + s*z*p(z) with s = f/(2 + f) and z = s*s
    "log": Target(
        (2 * sympy.atanh(ROOT) / ROOT - 2) / X,
        X * ROOT / sympy.atanh(ROOT) / 2,
        _both(Integer(0), QUOTIENT),
        _degrees(2, 6),
    ),
    # erf(x) = x + x*p(x*x)
    "erf": Target(
        erf(ROOT) / ROOT - 1,
        ROOT / erf(ROOT),
        _both(Integer(0), MIDDLE**2),
        _degrees(5, 10),
    ),
    "erfc": Target(
        exp(_SIZE**2) * erfc(_SIZE) * _SIZE,
        1 / (exp(_SIZE**2) * erfc(_SIZE) * _SIZE),
        {
            dtype: tuple((e - CENTRE) / (e + CENTRE) for e in (MIDDLE, end))
            for dtype, end in ERFC_END.items()
        },
        _degrees(9, 22),
    ),
}


def fits() -> Iterator[tuple[str, str, Fit]]:
    """Every polynomial, fitted anew: half a minute in all."""
    for dtype, bits in BITS.items():
        yield "log_2", dtype, split(log(2), KEPT[dtype], bits)
        for name, target in TARGETS.items():
            yield name, dtype, target.fit(dtype)


def split(number: Expr, kept: int, bits: int) -> Fit:
    """`high + low`: a number in two, whose high part has only `kept` bits.

    A whole number of `bits - kept` bits times the high part is exact.

    >>> split(sympy.log(2), 16, 24).coefficients
    (0.693145751953125, 1.428606765330187e-06)
    """
    high = _rounded_to(number, kept)
    low = _rounded_to(number - high, bits)
    bound = abs((number - high - low) / number).evalf(20)
    return Fit((float(high), float(low)), float(bound))


def _rounded_to(number: Expr, bits: int) -> Expr:
    exponent = sympy.floor(sympy.log(abs(number), 2)) + 1 - bits
    return sympy.floor(number / 2**exponent + Rational(1, 2)) * 2**exponent
