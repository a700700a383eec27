"""Numeric differentiation: the objective is evaluated beside the point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from symbackprop.contrast import tally
from symbackprop.contrast.method import Method, Prepared
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.witnesses import differences
from symbackprop.witnesses.differences import FORMULAS, Formula
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import COMPLEX, Array, Comparison, Real
from symbackprop.witnesses.numbers import Formula as Function

# An error may be so many times what theory estimates of it: the estimates look at one
# derivative and at typical rounding only.
MARGIN = 4.0


class Branching(Real):
    """Double precision that remembers how each choice by value fell."""

    def __init__(self) -> None:
        self.fell: list[bytes] = []

    def own(self, name: str) -> Function | None:
        return None if name in ("abs", "sign") else super().own(name)

    def compare(self, how: Comparison, a: Value, b: Value) -> Array:
        found = super().compare(how, a, b)
        self.fell.append(found.tobytes())
        return found

    def best(self, value: Value, largest: bool) -> Array:
        found = super().best(value, largest)
        self.fell.append(found.tobytes())
        return found


def crosses(point: Point, moved: Floats) -> bool:
    """Whether some choice falls otherwise: a kink lies between the two points."""

    def choices(vector: Floats) -> list[bytes]:
        numbers = Branching()
        point.value(vector, numbers)
        return numbers.fell

    return choices(point.vector) != choices(moved)


class Counter:
    """The objective as a function of the parameters; it counts its calls."""

    def __init__(self, point: Point) -> None:
        self.point, self.calls = point, 0

    def __call__(self, vector: Array) -> Any:
        self.calls += 1
        return self.point.value(vector)


def _unit(point: Point, coordinate: int) -> Floats:
    found = np.zeros(point.size)
    found[coordinate] = 1.0
    return found


def _prepared(
    point: Point,
    coordinates: Whole,
    slopes: Callable[[Counter, Whole], Floats],
    extra: int,
    allowed: Callable[[Floats, Whole, float], Floats] | None,
    note: str = "",
) -> Prepared:
    """A method that calls the objective; `extra` operations make one slope of it.

    How often it is called is found on one coordinate.
    """
    once = Counter(point)
    slopes(once, coordinates[:1])
    calls = once.calls * len(coordinates)

    def operations() -> int | None:
        each = tally.of_value(point)
        return None if each is None else calls * each + extra * len(coordinates)

    return Prepared(
        lambda: slopes(Counter(point), coordinates),
        evaluations=calls,
        operations=operations,
        allowed=allowed,
        note=note,
    )


def difference(formula: Formula, point: Point, coordinates: Whole) -> Prepared:
    """A difference formula with its best step."""
    step = formula.best_step()

    def slopes(f: Counter, wanted: Whole) -> Floats:
        return differences.gradient(f, point.vector, formula, step, wanted)

    def allowed(found: Floats, wanted: Whole, noise: float) -> Floats:
        """Truncation, as seen by doubling the step, and rounding of the values."""
        wide = differences.gradient(
            Counter(point), point.vector, formula, 2 * step, wanted
        )
        truncation = np.abs(wide - found) / (2**formula.order - 1)
        x = np.maximum(1.0, np.abs(point.vector[wanted]))
        rounding = formula.rounding(step, noise) / x
        displaced = 2.0**-52 / step * np.abs(found)
        bound = MARGIN * (truncation + rounding + displaced)
        reach = max(abs(offset) for offset in formula.offsets) * step * x
        for k, coordinate in enumerate(wanted):
            unit = reach[k] * _unit(point, coordinate)
            if crosses(point, point.vector + unit) or crosses(
                point, point.vector - unit
            ):
                bound[k] = np.inf
        return np.asarray(bound)

    return _prepared(
        point,
        coordinates,
        slopes,
        2 * formula.evaluations,
        allowed,
        f"step {step:.1e}",
    )


def richardson(point: Point, coordinates: Whole) -> Prepared:
    """Central differences extrapolated to the step 0, which tell their own error."""

    def slope(f: Counter, coordinate: int, noise: float = 0.0) -> tuple[float, float]:
        return differences.richardson(
            f, point.vector, _unit(point, coordinate), noise=noise
        )

    def slopes(f: Counter, wanted: Whole) -> Floats:
        return np.array([slope(f, k)[0] for k in wanted])

    def allowed(found: Floats, wanted: Whole, noise: float) -> Floats:
        bound = []
        for k in wanted:
            reach = differences.reach(point.vector, _unit(point, k))
            unit = reach / differences.RATIO * _unit(point, k)
            kinked = crosses(point, point.vector + unit) or crosses(
                point, point.vector - unit
            )
            bound.append(
                np.inf if kinked else MARGIN * slope(Counter(point), k, noise)[1]
            )
        return np.array(bound)

    return _prepared(
        *(point, coordinates, slopes, 40, allowed),
        "tells its own error",
    )


def complex_step(point: Point, coordinates: Whole) -> Prepared:
    """`Im V(x + i h e) / h`; a complex operation counts as one."""

    def slopes(f: Counter, wanted: Whole) -> Floats:
        def along(vector: Array) -> Any:
            f.calls += 1
            return point.value(vector, COMPLEX)

        return np.array(
            [
                differences.complex_step(along, point.vector, _unit(point, k))
                for k in wanted
            ]
        )

    return _prepared(point, coordinates, slopes, 1, None, "complex arithmetic")


METHODS = (
    *(
        Method(name, "numeric", partial(difference, formula), coordinatewise=True)
        for name, formula in FORMULAS.items()
    ),
    Method("Richardson extrapolation", "numeric", richardson, coordinatewise=True),
    Method("complex step", "numeric", complex_step, coordinatewise=True),
)
