"""How many operations a method takes, counted by numbers that count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbackprop.contrast.point import Point
from symbackprop.witnesses.counting import Counting
from symbackprop.witnesses.duals import DualNumbers
from symbackprop.witnesses.slopes import objective
from symbackprop.witnesses.tape import gradient_by_tape

ARITHMETIC = ("additions", "multiplications", "divisions", "functions")
COUNTED = 500_000  # numbers at most, each an object of Python


def _total(numbers: Counting) -> int:
    return sum(numbers.tally[kind] for kind in ARITHMETIC)


def _grown(point: Point, count: Any) -> int | None:
    """A count at the whole batch, from those at one sample and at two.

    Each further sample adds the same; None where even two are too many to count.
    """
    if 2 * point.scale > COUNTED:
        return None
    if point.batch <= 2:
        return int(count(point))
    one, two = (int(count(point.first(samples))) for samples in (1, 2))
    return one + (point.batch - 1) * (two - one)


def of_value(point: Point) -> int | None:
    """Operations of one evaluation of the objective."""

    def count(at: Point) -> int:
        numbers = Counting()
        objective(at.system, _counted(at, numbers), numbers)
        return _total(numbers)

    return _grown(point, count)


def of_tape(point: Point) -> int | None:
    """Operations of one evaluation and one sweep back."""

    def count(at: Point) -> int:
        numbers = Counting()
        gradient_by_tape(at.system, _counted(at, numbers), numbers=numbers)
        return _total(numbers)

    return _grown(point, count)


def of_duals(point: Point, directions: int) -> int | None:
    """Operations of one evaluation with so many tangents."""

    def count(at: Point) -> int:
        return one(at, 1) + (directions - 1) * (one(at, 2) - one(at, 1))

    def one(at: Point, width: int) -> int:
        numbers = Counting()
        duals = DualNumbers(numbers, width)
        given = dict(_counted(at, numbers))
        for name, shape in at.shapes.items():
            tangent = np.ones((*shape, width))
            given[name] = duals.dual(at.values[name], tangent)
        objective(at.system, given, duals)
        return _total(numbers)

    return _grown(point, count)


def _counted(point: Point, numbers: Counting) -> Mapping[str, Any]:
    """Integers stay; all else becomes numbers that count."""
    return {
        name: value if point.system.tensors[name].integer else numbers.array(value)
        for name, value in point.values.items()
    }
