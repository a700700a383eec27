"""Numeric differentiation: the objective is evaluated beside the point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from symbackprop.contrast import tally
from symbackprop.contrast.method import Method, Prepared
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.contrast.truth import taylor
from symbackprop.witnesses import differences
from symbackprop.witnesses.choices import Choosing, changed
from symbackprop.witnesses.differences import FORMULAS, Formula
from symbackprop.witnesses.numbers import COMPLEX, Array

# An error may be so many times what theory estimates of it, which is typical rounding
# and the first terms of a series.
MARGIN = 4.0
# Of the worst coordinates, so many have their truncation worked out: with 110 digits,
# which takes seconds where an evaluation computes many numbers.
MOST_JUDGED, LEAST_JUDGED, NUMBERS = 24, 4, 400_000
EPSILON = differences.EPS
# The slopes of all formulas come from one series.
HIGHEST = max(formula.order for formula in FORMULAS.values()) + 3
# Formulas than which an extrapolation must not be worse: its table holds such entries.
PLAIN = tuple(formula for formula in FORMULAS.values() if formula.order > 1)


def kinked(point: Point, coordinate: int, reach: float) -> bool:
    """Whether some choice falls otherwise so far away: a kink lies between."""

    def choices(vector: Floats) -> list[Any]:
        numbers = Choosing()
        point.value(vector, numbers)
        return numbers.made

    here, away = choices(point.vector), reach * _unit(point, coordinate)
    return any(changed(here, choices(point.vector + side * away)) for side in (1, -1))


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


def truncation(formula: Formula, step: float, point: Point, coordinate: int) -> float:
    """`sum of |moment_m| h^(m-1) |f^(m)| / m!`, the first three terms of the rest.

    Slopes of higher order come from the definition with many digits: the formula that
    is judged has no say in them.
    """
    x = abs(point.vector[coordinate])
    terms = range(formula.order + 1, formula.order + 4)
    series = taylor(point, coordinate, max(HIGHEST, terms[-1]))
    h = step * max(1.0, x)
    return float(sum(abs(formula.moment(m)) * h ** (m - 1) * series[m] for m in terms))


def _worked_out(
    point: Point,
    bounds: Floats,
    off: Floats,
    wanted: Whole,
    theory: Callable[[int], float],
    reach: Floats,
) -> Floats:
    """Bounds, each raised by a dear theory only where its error asks for it.

    The worst come first. Infinite: a kink lies within reach, where no theory holds; or
    it was not worked out, after one that is beyond its theory or many that are not.
    """
    found = bounds.copy()
    order = np.argsort(np.where(np.isnan(off), np.inf, off - bounds))[::-1]
    beyond = [int(k) for k in order if not off[k] <= bounds[k]]
    affordable = NUMBERS // (point.scale * point.batch)
    judged = max(LEAST_JUDGED, min(MOST_JUDGED, affordable))
    for place, k in enumerate(beyond):
        if place == judged:
            found[beyond[place:]] = np.inf
            break
        found[k] += theory(k)
        if off[k] <= found[k]:
            continue
        if kinked(point, int(wanted[k]), float(reach[k])):
            found[k] = np.inf
        else:
            found[beyond[place + 1 :]] = np.inf
            break
    return found


def _prepared(
    point: Point,
    coordinates: Whole,
    slopes: Callable[[Counter, Whole], Floats],
    extra: int,
    allowed: Callable[[Floats, Floats, Whole, float], Floats] | None,
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

    def allowed(found: Floats, off: Floats, wanted: Whole, noise: float) -> Floats:
        """Rounding of the values and of the points, then truncation."""
        sizes = np.maximum(1.0, np.abs(point.vector[wanted]))
        rounding = formula.rounding(step, noise) / sizes
        displaced = EPSILON / step * np.abs(found)
        reach = max(abs(offset) for offset in formula.offsets) * step
        return _worked_out(
            point,
            MARGIN * (rounding + displaced),
            off,
            wanted,
            lambda k: MARGIN * truncation(formula, step, point, int(wanted[k])),
            reach * sizes,
        )

    return _prepared(
        point,
        coordinates,
        slopes,
        2 * formula.evaluations,
        allowed,
        f"step {step:.1e}",
    )


def richardson(point: Point, coordinates: Whole) -> Prepared:
    """Central differences extrapolated to the step 0, which tell their own error.

    How exact the objective's values are is measured at each coordinate: beyond it the
    table would extrapolate rounding.
    """

    def slope(
        f: Counter, coordinate: int, noise: float | None = None
    ) -> tuple[float, float]:
        return differences.richardson(
            f, point.vector, _unit(point, coordinate), noise=noise
        )

    def slopes(f: Counter, wanted: Whole) -> Floats:
        return np.array([slope(f, k)[0] for k in wanted])

    def allowed(found: Floats, off: Floats, wanted: Whole, noise: float) -> Floats:
        """What it tells itself, but no more than a plain formula may be off."""
        sizes = np.maximum(1.0, np.abs(point.vector[wanted]))

        def told(k: int) -> float:
            coordinate = int(wanted[k])
            theories = [slope(Counter(point), coordinate, noise)[1]]
            for formula in PLAIN:
                step = formula.best_step()
                if not kinked(point, coordinate, formula.offsets[-1] * step * sizes[k]):
                    rounding = formula.rounding(step, noise) / float(sizes[k])
                    rest = truncation(formula, step, point, coordinate)
                    theories.append(rounding + rest)
            return MARGIN * min(theories)

        least = EPSILON ** (1 / 3) * differences.RATIO**2  # three steps lie within it
        return _worked_out(
            point, np.zeros(len(wanted)), off, wanted, told, least * sizes
        )

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
