"""Exact fractions, in which a random rational function stands in for each function.

Index algebra does not depend on what the functions are. With stand-ins everything
is rational, so that a derivation is held against its equations without rounding.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from symbackprop.scalars import TABLE
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import Formula, Numbers, Objects

PIECEWISE_RATIONAL = ("sign", "abs", "maximum", "minimum")  # exact as they are


class Exact(Objects):
    """Fractions. `slope_<name>_<k>` is the slope of a stand-in by its argument k.

    >>> from fractions import Fraction
    >>> x = EXACT.array([Fraction(1, 2)])
    >>> bool(EXACT.apply("tanh", x) == EXACT.apply("tanh", x))
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def convert(self, number: Any) -> Any:
        return self.nan if number != number else Fraction(number)

    def pi(self, ndim: int) -> Value:
        return self.constant(
            Fraction(self._random("pi").randint(10**6, 10**7), 999_983), ndim
        )

    def own(self, name: str) -> Formula | None:
        found = self.formula(name)
        return None if found is None else partial(found, self)

    def formula(self, name: str) -> Callable[..., Value] | None:
        if name.startswith("slope_"):
            base, _, place = name.removeprefix("slope_").rpartition("_")
            by = int(place) - 1
            if base in PIECEWISE_RATIONAL:
                return partial(_piece_slope, base, by)
            return partial(_slope, self._random(base), by)
        if name in TABLE and name not in PIECEWISE_RATIONAL:
            return partial(_stand_in, self._random(name))
        return None

    def _random(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}:{name}")


def _quotient(
    state: random.Random, numbers: Numbers, arguments: tuple[Value, ...]
) -> tuple[Value, Value, list[Value]]:
    """Numerator, denominator and slopes of the numerator: random, the same each call.

    (a + b x + c x^2) / (d + x^2), and (a + b.x + x.C.x) / (d + x.x) of several.
    """
    rng = random.Random()
    rng.setstate(state.getstate())
    ndim = numbers.ndim(arguments[0])

    def number(low: int, high: int, signed: bool = True) -> Value:
        size = rng.randint(low, high) * (rng.choice((-1, 1)) if signed else 1)
        return numbers.constant(Fraction(size), ndim)

    top, bottom = number(1, 5), number(1, 5, signed=False)
    slopes = [number(1, 5) for _ in arguments]
    for slope, x in zip(list(slopes), arguments, strict=True):
        top = numbers.add(top, numbers.multiply(slope, x))
    for k, x in enumerate(arguments):
        bottom = numbers.add(bottom, numbers.multiply(x, x))
        for m, y in enumerate(arguments[: k + 1]):
            c = number(1, 5)
            cx, cy = numbers.multiply(c, x), numbers.multiply(c, y)
            top = numbers.add(top, numbers.multiply(cx, y))
            slopes[k] = numbers.add(slopes[k], cy)
            slopes[m] = numbers.add(slopes[m], cx)
    return top, bottom, slopes


def _stand_in(state: random.Random, numbers: Numbers, *arguments: Value) -> Value:
    top, bottom, _ = _quotient(state, numbers, arguments)
    return numbers.divide(top, bottom)


def _slope(state: random.Random, by: int, numbers: Numbers, *arguments: Value) -> Value:
    """(N' D - N D') / D^2 with D' = 2 x."""
    top, bottom, slopes = _quotient(state, numbers, arguments)
    x = arguments[by]
    two_x_top = numbers.multiply(numbers.add(x, x), top)
    minus = numbers.constant(Fraction(-1), numbers.ndim(x))
    upper = numbers.add(
        numbers.multiply(slopes[by], bottom), numbers.multiply(minus, two_x_top)
    )
    return numbers.divide(upper, numbers.multiply(bottom, bottom))


def _piece_slope(name: str, by: int, numbers: Numbers, *arguments: Value) -> Value:
    """Slopes of abs, sign, maximum, minimum; the first argument takes a tie."""
    one = numbers.constant(Fraction(1), numbers.ndim(arguments[0]))
    zero = numbers.constant(Fraction(0), numbers.ndim(arguments[0]))
    if name == "abs":
        return numbers.apply("sign", arguments[0])
    if name == "sign":
        return numbers.multiply(zero, arguments[0])
    first, second = (numbers.real(a) for a in arguments)
    chosen = first >= second if name == "maximum" else first <= second
    taken = (one, zero) if by == 0 else (zero, one)
    return numbers.where(chosen.astype(bool), *taken)


EXACT = Exact()
