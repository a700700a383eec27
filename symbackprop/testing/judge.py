"""The slope of a function along any direction, with all that is known of its error."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from symbackprop.errors import InputError, short
from symbackprop.testing.entries import Array, Entries
from symbackprop.witnesses.differences import (
    FORMULAS,
    Estimate,
    complex_step,
    one_sided,
    reach,
    richardson,
    roundoff,
)

CENTRAL = FORMULAS["central difference"]
KNOWN = 0.01  # of a slope: a factor, a sign or a missing term is more


@dataclass(frozen=True)
class Slope:
    """What was found along one direction.

    Attributes:
        low: the least slope: that of the left or the right side.
        high: the greatest; where f has no corner, the same.
        error: how far both may be off.
        unknown: why there is no slope to be found; "" where there is one.
        bend: right slope minus left slope, 0 where f has no corner.
    """

    low: float
    high: float
    error: float
    unknown: str = ""
    bend: float = 0.0

    @property
    def corner(self) -> bool:
        """Whether the slopes of both sides differ beyond their errors."""
        return self.bend != 0

    def nearest(self, claimed: float) -> float:
        """The slope that is nearest to a claimed one."""
        return min(max(claimed, self.low), self.high)


class Judge:
    """Slopes of one function at one x.

    Every estimate carries its own error: the spread of an extrapolation, and what
    the rounding in f makes of it. That rounding is measured, and taken to be eps |f| at
    least.

    Attributes:
        f: the function of a flat vector.
        x: the vector.
        eps: the machine epsilon that f computes with.
        least_noise: by how much a value of f is off at least.
        analytic: whether f takes complex numbers, and its slopes by them are right.
    """

    def __init__(
        self, function: Callable[[Any], Any], entries: Entries, x: Any
    ) -> None:
        self.function, self.entries = function, entries
        self.x = entries.flat(x, "x")
        if not np.isfinite(self.x).all():
            raise InputError("x has entries that are not finite; give finite numbers.")
        self.eps = max(
            float(np.finfo(dtype).eps) for dtype in self.entries.dtypes.values()
        )
        self.evaluations = 0
        self.memory: dict[bytes, float] = {}
        value = self._value_here()
        rng = np.random.default_rng(0)
        along = rng.normal(size=len(self.x))
        self.least_noise = self.eps * abs(value)
        self.analytic = False
        self.analytic = self._takes_complex(along / np.abs(along).max())

    # Values

    def f(self, vector: Array) -> float:
        """f; NaN where it has no value. Values are remembered."""
        key = blake2b(np.ascontiguousarray(vector).data).digest()  # x may be long
        if key not in self.memory:
            self.evaluations += 1
            try:
                # Away from x a function may leave its domain: that is no one's error.
                with np.errstate(all="ignore"):
                    found = np.asarray(self.function(self.entries.x(vector)))
                self.memory[key] = float(found.reshape(-1)[0])
            except (ArithmeticError, ValueError):
                self.memory[key] = math.nan
        return self.memory[key]

    def _value_here(self) -> float:
        """f at x, where its errors are the caller's to see."""
        found = [np.asarray(self.function(self.entries.x(self.x))) for _ in range(2)]
        if found[0].size != 1 or found[0].dtype.kind not in "iuf":
            raise InputError(
                f"f: expected one real number, {short(found[0].tolist())} of the shape "
                f"{found[0].shape} came. Take the sum, the mean, or one entry of it."
            )
        first, second = (float(value.reshape(-1)[0]) for value in found)
        if not math.isfinite(first):
            raise InputError(
                f"f is {first} at x; give an x at which it is a finite number."
            )
        if first != second:
            raise InputError(
                f"f gave {first!r} and then {second!r} at the same x; fix the seed of "
                "its random numbers inside f."
            )
        if found[0].dtype.kind == "f":
            self.eps = max(self.eps, float(np.finfo(found[0].dtype).eps))
        return first

    # Slopes

    def along(self, direction: Array) -> Slope:
        """The slope along v, or those of both sides of a corner."""
        self.memory.clear()
        noise = self._noise(direction)
        arguments = (noise, self.eps)
        right = one_sided(self.f, self.x, direction, *arguments)
        turned = one_sided(self.f, self.x, -direction, *arguments)
        left = (-turned[0], turned[1])
        middle = richardson(self.f, self.x, direction, *arguments)
        if not all(math.isfinite(error) for _, error in (left, right, middle)):
            return Slope(math.nan, math.nan, math.inf, "f is not finite on both sides")
        bend = right[0] - left[0]
        hidden = self._hidden(direction, noise)
        known = _known(left, hidden) and _known(right, hidden)
        if known and abs(bend) > left[1] + right[1]:
            low, high = sorted((left[0] + 0.0, right[0] + 0.0))  # -0.0 reads badly
            return Slope(low, high, max(left[1], right[1]), bend=bend)
        if not _known(middle, hidden):
            why = "f jumps there, or bends close by, or its slope is infinite"
            return Slope(math.nan, math.nan, math.inf, why)
        smooth = Slope(middle[0] + 0.0, middle[0] + 0.0, middle[1])
        return self._sharper(smooth, direction, noise) if self.analytic else smooth

    def _noise(self, direction: Array) -> float:
        """By how much values of f may be off, as it is moved along v either way."""
        measured = (roundoff(self.f, self.x, s * direction, self.eps) for s in (1, -1))
        return max(self.least_noise, *measured)

    def _hidden(self, direction: Array, noise: float) -> float:
        """A slope that is as good as 0.

        That is what rounding makes of the plain central difference at its best step,
        or sqrt(eps) of the slopes of f around x.
        """
        seen = [value for value in self.memory.values() if math.isfinite(value)]
        unit = reach(self.x, direction)
        step = CENTRAL.best_step(noise=self.eps) * unit
        around = (max(seen) - min(seen)) / unit
        return max(CENTRAL.rounding(step, noise), math.sqrt(self.eps) * around)

    def _sharper(self, slope: Slope, direction: Array, noise: float) -> Slope:
        """The slope by complex step, where differences confirm it.

        Nothing cancels in it. It is asked for no more than f holds: the noise of f, at
        arguments that change by 1.
        """
        exact = self._complex(direction)
        allowed = slope.error + math.sqrt(self.eps) * abs(slope.low)
        if exact is None or not abs(exact - slope.low) <= allowed:
            return slope
        error = min(slope.error, noise / min(1.0, reach(self.x, direction)))
        return replace(slope, low=exact, high=exact, error=error)

    def _takes_complex(self, direction: Array) -> bool:
        if any(dtype != np.float64 for dtype in self.entries.dtypes.values()):
            return False
        exact, slope = self._complex(direction), self.along(direction)
        if exact is None or slope.unknown or slope.corner:
            return False
        allowed = slope.error + math.sqrt(self.eps) * abs(slope.low)
        return abs(exact - slope.low) <= allowed

    def _complex(self, direction: Array) -> float | None:
        def value(vector: Array) -> Any:
            return np.asarray(self.function(self.entries.x(vector))).reshape(-1)[0]

        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                # A cast that drops the imaginary part would pass for a slope of 0.
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                found = complex_step(value, self.x, direction)
        except Exception:  # f need not take complex numbers, and may fail in any way
            return None
        return found if math.isfinite(found) else None


def _known(estimate: Estimate, hidden: float) -> bool:
    """Whether a slope is known to a hundredth, or is as good as 0."""
    value, error = estimate
    return error <= max(KNOWN * abs(value), hidden)
