"""CasADi: `gradient` of the graph of single numbers, run by its virtual machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import casadi
import numpy as np

from symbackprop.contrast.method import Prepared, recordable
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.witnesses.graph import CONSTANT, UNARY, record

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": casadi.power,
    "erfc": lambda a: 1 - casadi.erf(a),
    **{
        name: getattr(casadi, name)
        for name in UNARY
        if name != "erfc"  # which it does not have
    },
}


def prepare(point: Point, coordinates: Whole) -> Prepared:
    """Build its expression graph, and its function of the parameters."""
    recordable(point, 300_000)
    graph = record(point.system, point.values)
    parameters = [k for name in point.shapes for k in graph.inputs[name]]
    symbols = dict(zip(parameters, casadi.SX.sym("w", point.size).nz, strict=True))

    def leaf(number: int) -> Any:
        if graph.steps[number].operation == CONSTANT or number not in symbols:
            return casadi.SX(graph.values[number])
        return symbols[number]

    made = graph.fold(leaf, lambda name, *operands: FUNCTIONS[name](*operands))
    inputs = casadi.vertcat(*(symbols[k] for k in parameters))
    slopes = casadi.densify(casadi.gradient(made[graph.output], inputs))
    function = casadi.Function("slopes", [inputs], [slopes])
    buffer, run = function.buffer()
    theta, found = np.ascontiguousarray(point.vector), np.zeros(point.size)
    kept = buffer, function, memoryview(theta.data), memoryview(found.data)
    buffer.set_arg(0, kept[2])
    buffer.set_res(0, kept[3])

    def gradient(kept: object = kept) -> Floats:  # the library holds no reference
        run()
        return np.asarray(found[coordinates])

    return Prepared(
        gradient,
        evaluations=1,
        operations=lambda: int(function.n_instructions()),
        nodes=int(function.n_nodes()),
        note=f"version {casadi.__version__}, its virtual machine; data are constants",
    )
