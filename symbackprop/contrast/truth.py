"""The truth: each slope to 50 digits, and how near to it double precision can come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import (
    PRECISE,
    Array,
    Formula,
    Precise,
    Real,
)
from symbackprop.witnesses.tape import gradient_by_tape

# The quotient (V(x + h v) - V(x - h v)) / 2h with h = 1e-35 has 70 digits before h^2
# shows, and keeps 75 of 110 in the subtraction.
DEFINITION, STEP_DIGITS = Precise(110), 35
STEP_OF_SERIES = 11  # digits, for slopes of higher order
CONFIRMED = 1e-40  # of the norm: as well as 50 digits allow
DIRECTIONS = 2
SAMPLED = 64  # coordinates by the definition alone, where nothing else is confirmed
TRIALS = 12  # of stochastic arithmetic
NOISES = 8  # points at which the value's own rounding is measured


@dataclass(frozen=True)
class Truth:
    """The slope by each known coordinate.

    Attributes:
        slopes: 50 digits each.
        known: the coordinates that they belong to, ascending.
        norm: of the slopes.
        confirmed: what the definition differs by, relative to the norm; 0 where the
            slopes are from it.
        how: in words, how the slopes were found.
        rounding: how far double precision scatters around them: the largest standard
            deviation of a coordinate.
        noise: the largest rounding error of the objective's own value near the point.
    """

    slopes: Array
    known: Whole
    norm: float
    confirmed: float
    how: str
    rounding: float
    noise: float

    def errors(self, found: Floats, coordinates: Whole) -> Floats:
        """`found - truth`, without rounding; NaN where the truth is not known."""
        errors = np.full(len(found), np.nan)
        places = np.searchsorted(self.known, coordinates)
        inside = places < len(self.known)
        inside[inside] = self.known[places[inside]] == coordinates[inside]
        exact = PRECISE.array(found[inside]) - self.slopes[places[inside]]
        errors[inside] = exact.astype(float)
        return errors


def truth(point: Point, rng: np.random.Generator) -> Truth:
    """The slopes by one sweep back with 50 digits, where the definition confirms them.

    The definition of the slope, `lim (V(x + h v) - V(x - h v)) / 2h`, is taken with
    110 digits along random directions, which leave no wrong coordinate unseen. Where it
    refutes the sweep, the definition gives a sample of the slopes itself.
    """
    every = np.arange(point.size)
    swept = point.flat(gradient_by_tape(point.system, point.values, numbers=PRECISE))
    norm = _norm(swept)
    directions = rng.choice([-1.0, 1.0], (DIRECTIONS, point.size))
    gaps = []
    for direction in directions:
        expected = definition(point, direction)
        along = sum(swept * PRECISE.array(direction))
        gap = abs(DEFINITION.context.mpf(along) - expected)
        gaps.append(float(gap) / max(norm, 1e-300))
    confirmed = float(np.max(gaps))  # not a number if any is not
    how = "one sweep back with 50 digits, confirmed by the definition with 110"
    known, slopes = every, swept
    if not confirmed <= CONFIRMED:
        known = np.sort(rng.permutation(point.size)[:SAMPLED])
        slopes = np.array([definition(point, row) for row in _units(point, known)])
        norm = _norm(slopes)
        confirmed = 0.0
        how = (
            f"the definition with 110 digits, at {len(known)} coordinates, which "
            "refutes the sweep back over the tape"
        )
    return Truth(
        *(slopes, known, norm, confirmed, how),
        rounding(point, rng),
        noise(point, rng),
    )


def definition(point: Point, direction: Floats) -> Any:
    """`(V(x + h v) - V(x - h v)) / 2h` with 110 digits, h = 1e-35."""
    context = DEFINITION.context
    x, v = DEFINITION.array(point.vector), DEFINITION.array(direction)
    h = context.mpf(10) ** -STEP_DIGITS
    right, left = (point.value(x + k * h * v, DEFINITION) for k in (1, -1))
    return (right - left) / (2 * h)


@lru_cache(maxsize=64)  # of several formulas at one coordinate
def taylor(point: Point, coordinate: int, order: int) -> list[float]:
    """`|f^(m)| / m!` for m = 0, ..., order, along one coordinate, to some digits.

    f^(m) is the difference of order m over h^m, h = 1e-11: of 110 digits the seventh
    leaves 33, and h itself is off by far less than a theory needs to know.
    """
    context = DEFINITION.context
    x, h = DEFINITION.array(point.vector), context.mpf(10) ** -STEP_OF_SERIES
    values = []
    for k in range(order + 1):
        moved = x.copy()
        moved[coordinate] += k * h
        values.append(point.value(moved, DEFINITION))
    differences = (np.diff(np.array(values), m)[0] for m in range(order + 1))
    return [
        float(abs(difference) / h**m / context.factorial(m))
        for m, difference in enumerate(differences)
    ]


def _units(point: Point, coordinates: Whole) -> Floats:
    found: Floats = (coordinates[:, None] == np.arange(point.size)).astype(float)
    return found


def _norm(slopes: Array) -> float:
    """Beyond the range of double precision, too."""
    return float(PRECISE.context.sqrt(sum(s * s for s in slopes)))


class Scattered(Real):
    """Double precision whose every result is off by up to half a unit more.

    Source: Parker, Monte Carlo arithmetic (1997).
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def off(self, a: Value) -> Value:
        eps = np.finfo(np.float64).eps
        return a * (1 + eps * self.rng.uniform(-0.5, 0.5, np.shape(a)))

    def add(self, a: Value, b: Value) -> Value:
        return self.off(a + b)

    def multiply(self, a: Value, b: Value) -> Value:
        return self.off(a * b)

    def divide(self, a: Value, b: Value) -> Value:
        return self.off(a / b)

    def own(self, name: str) -> Formula | None:
        function = super().own(name)
        if function is None or name in ("abs", "sign"):
            return function
        return lambda *arguments: self.off(function(*arguments))

    def sum(self, a: Value, axes: tuple[int, ...]) -> Value:
        return super().sum(self.off(a), axes)

    def contract(self, operands: Any, kept: list[int]) -> Value:
        moved = [(self.off(a), labels) for a, labels in operands]
        return self.off(super().contract(moved, kept))


def rounding(point: Point, rng: np.random.Generator) -> float:
    """The largest standard deviation of a slope in stochastic arithmetic."""
    trials = [
        point.flat(gradient_by_tape(point.system, point.values, numbers=Scattered(rng)))
        for _ in range(TRIALS)
    ]
    with np.errstate(invalid="ignore"):
        scatter = np.std(trials, axis=0)  # what is not a number tells nothing
    return float(scatter[np.isfinite(scatter)].max(initial=0.0))


def noise(point: Point, rng: np.random.Generator) -> float:
    """The largest error of the value in double precision, at points nearby."""
    worst = 0.0
    for _ in range(NOISES):
        moved = point.vector * (1 + 1e-4 * rng.uniform(-1, 1, point.size))
        gap = PRECISE.context.mpf(point.value(moved)) - point.value(moved, PRECISE)
        worst = max(worst, abs(float(gap)))
    return worst
