"""Symbolic differentiation: an expression for every slope, written out or shared."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np
import sympy
from sympy import Expr

from symbackprop.contrast.method import Method, Prepared, recordable
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.contrast.swell import (
    Expanded,
    derivative,
    nodes,
    operations,
    shared_nodes,
    straight,
)
from symbackprop.witnesses.graph import Graph, record

WRITTEN = 1_000_000  # nodes of trees that are written out at most
NAMED = 3_000  # distinct parts among which SymPy seeks common ones, some seconds
EXPANDED = 100_000  # numbers of a graph that becomes one expression


def expanded(point: Point, coordinates: Whole) -> Prepared:
    """SymPy's derivative of the whole objective by each coordinate, written out."""
    whole, slopes, spent = _slopes(point, coordinates)
    size = nodes(*slopes)
    if size > WRITTEN:
        note = "too large to be written out: counted on its shared parts"
        return Prepared(
            None, 1, lambda: operations(*slopes), size, shared=spent, note=note
        )
    steps = straight(slopes, whole.symbols, point.values, expand=True)
    note = "without the value"
    return _ready(steps, operations(*slopes), size, None, spent, note)


def shared(point: Point, coordinates: Whole) -> Prepared:
    """The same, with each common part computed once, and the value with it."""
    whole, slopes, spent = _slopes(point, coordinates)
    every = [whole.value, *slopes]
    if shared_nodes(*every) <= NAMED:
        named, rest = sympy.cse(every)
        parts = [*(part for _, part in named), *rest]
        steps = straight(rest[1:], whole.symbols, point.values, named)
        counted, size = operations(*parts), len(named) + nodes(*parts)
        note = "with the value; parts as sympy.cse finds them"
    else:
        graph, outputs = straight(every, whole.symbols, point.values)
        steps = graph, outputs[1:]
        counted, size = graph.operations, len(graph)
        note = "with the value; equal parts are one"
    alone, _ = straight([whole.value], whole.symbols, point.values)
    return _ready(steps, counted, size, alone, spent, note)


def _slopes(point: Point, coordinates: Whole) -> tuple[Expanded, list[Expr], float]:
    whole, spent = _expanded(point)
    symbols = [s for name in point.shapes for s in whole.symbols[name]]
    return whole, [derivative(whole.value, symbols[k]) for k in coordinates], spent


def _ready(
    steps: tuple[Graph, list[int]],
    counted: int,
    size: int,
    fixed: Graph | None,
    spent: float,
    note: str,
) -> Prepared:
    """Expressions as compiled code that is replayed; `fixed` comes once for all."""
    from symbackprop.kernels.replay import Replay  # loads Numba

    graph, outputs = steps
    ready = Replay.of(graph)

    def gradient() -> Floats:
        ready.evaluate()
        return np.asarray(ready.value[outputs])

    return Prepared(
        gradient,
        evaluations=1,
        operations=lambda: counted,
        nodes=size,
        fixed=len(fixed) if fixed else 0,
        fixed_operations=lambda: fixed.operations if fixed else 0,
        nbytes=ready.nbytes,
        shared=spent,
        note=note,
    )


@lru_cache(maxsize=2)
def _expanded(point: Point) -> tuple[Expanded, float]:
    """The objective as one expression, and the seconds that it took."""
    recordable(point, EXPANDED)
    start = time.perf_counter()
    made = Expanded.of(record(point.system, point.values))
    return made, time.perf_counter() - start


METHODS = (
    Method("expression, expanded", "symbolic", expanded, coordinatewise=True),
    Method("expression, parts shared", "symbolic", shared, coordinatewise=True),
)
