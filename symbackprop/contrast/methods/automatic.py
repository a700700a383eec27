"""Automatic differentiation: dual numbers, a tape, and a recorded graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbackprop.contrast import tally
from symbackprop.contrast.method import Method, Prepared, recordable
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.witnesses.duals import Dual, DualNumbers
from symbackprop.witnesses.graph import BINARY, CONSTANT, INPUT, UNARY, Graph, record
from symbackprop.witnesses.numbers import REAL
from symbackprop.witnesses.slopes import value
from symbackprop.witnesses.tape import TapeNumbers, gradient_by_tape

ROOM = 4_000_000  # numbers that tangents may take in one evaluation


def _tangents(point: Point, coordinates: Whole) -> Floats:
    """The slopes by coordinates, whose tangents travel together."""
    width = len(coordinates)
    duals = DualNumbers(REAL, width)
    units = (np.arange(point.size)[:, None] == coordinates).astype(float)
    moved: dict[str, Any] = {}
    first = 0
    for name, shape in point.shapes.items():
        last = first + int(np.prod(shape, dtype=int))
        tangent = units[first:last].reshape((*shape, width))
        moved[name] = duals.dual(point.values[name], tangent)
        first = last
    found = value(point.system, {**point.values, **moved}, duals)
    assert isinstance(found, Dual)
    slopes: Floats = np.broadcast_to(found.tangent.reshape(-1), (width,)).copy()
    return slopes


def scalar_duals(point: Point, coordinates: Whole) -> Prepared:
    """One evaluation for each coordinate."""

    def slopes() -> Floats:
        return np.concatenate([_tangents(point, c) for c in coordinates[:, None]])

    def operations() -> int | None:
        each = tally.of_duals(point, 1)
        return None if each is None else each * len(coordinates)

    return Prepared(slopes, len(coordinates), operations)


def vector_duals(point: Point, coordinates: Whole) -> Prepared:
    """As many coordinates at once as there is room for their tangents."""
    width = max(1, min(len(coordinates), ROOM // max(1, point.scale * point.batch)))
    parts = [coordinates[k : k + width] for k in range(0, len(coordinates), width)]

    def operations() -> int | None:
        found = [
            tally.of_duals(point, len(part)) for part in parts[:: len(parts) - 1 or 1]
        ]
        if None in found:
            return None
        first, last = found[0] or 0, found[-1] or 0
        return first * (len(parts) - 1) + last  # only the last part may be narrower

    return Prepared(
        lambda: np.concatenate([_tangents(point, part) for part in parts]),
        evaluations=len(parts),
        operations=operations,
        fixed_operations=lambda: tally.of_duals(point, 0),
        note=f"{width} tangents at once",
    )


def tape(point: Point, coordinates: Whole) -> Prepared:
    """A tape, written anew at every evaluation and read backwards."""

    def slopes() -> Floats:
        found = gradient_by_tape(point.system, point.values)
        return np.asarray(point.flat(found)[coordinates], dtype=float)

    tape = TapeNumbers()
    given = {name: tape.variable(point.values[name]) for name in point.shapes}
    value(point.system, {**point.values, **given}, tape)
    return Prepared(
        slopes,
        evaluations=1,
        operations=lambda: tally.of_tape(point),
        nodes=len(tape.entries),
        note="nodes are operations on whole arrays",
    )


def replay(point: Point, coordinates: Whole) -> Prepared:
    """A graph of single numbers, recorded once and replayed by compiled code."""
    from symbackprop.kernels.replay import Replay  # loads Numba

    recordable(point)
    graph = record(point.system, point.values)
    ready = Replay.of(graph)
    names = tuple(point.shapes)
    parameters = {name: point.values[name] for name in names}

    def slopes() -> Floats:
        _, found = ready.gradient(parameters, names)
        return np.asarray(point.flat(found)[coordinates])

    return Prepared(
        slopes,
        evaluations=1,
        operations=lambda: graph.operations + swept_back(graph),
        nodes=len(graph),
        nbytes=ready.nbytes,
        note=f"{len(graph.guards)} choices are fixed" if graph.guards else "",
    )


# What each step adds to a sweep back through it, as `kernels/replay.py` does it: one
# addition for each operand, and the arithmetic of its local slope.
_BACK = {
    "add": 2,
    "multiply": 4,
    "divide": 4,
    "power": 5,
    "exp": 2,
    "log": 2,
    "sqrt": 3,
    "sin": 3,
    "cos": 3,
    "tanh": 5,
    "erf": 6,
    "erfc": 6,
    "log1p": 3,
    "expm1": 3,
}
_EXPONENT = 4  # more, where the exponent of a power moves too
assert set(_BACK) == {*BINARY, *UNARY}


def swept_back(graph: Graph) -> int:
    """Operations of the sweep back, through the steps that lead to the output."""
    reached = np.zeros(len(graph), dtype=bool)
    reached[graph.output] = True
    total = 0
    for number in range(graph.output, -1, -1):
        operation, left, right = graph.steps[number]
        if not reached[number] or operation in (INPUT, CONSTANT):
            continue
        total += _BACK[operation]
        if operation == "power" and graph.steps[right].operation != CONSTANT:
            total += _EXPONENT
        reached[left] = True
        if right >= 0:
            reached[right] = True
    return total


METHODS = (
    Method("dual numbers, scalar", "automatic", scalar_duals, coordinatewise=True),
    Method("dual numbers, vector", "automatic", vector_duals, coordinatewise=True),
    Method("tape, dynamic graph", "automatic", tape),
    Method("static graph, compiled", "automatic", replay),
)
