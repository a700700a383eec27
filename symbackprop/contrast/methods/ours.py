"""The delta recursion: the derivation of this package, emitted and compiled."""

from __future__ import annotations

import tempfile
from functools import partial
from typing import cast

import numpy as np
from sympy import preorder_traversal

from symbackprop.contrast.method import Method, Prepared
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.costs import costs
from symbackprop.derivation import derive
from symbackprop.program import Program


def recursion(point: Point, coordinates: Whole, dtype: str) -> Prepared:
    """`value_and_grad` of the compiled kernels."""
    from symbackprop.kernels import compile as compile_from  # loads Numba

    derivation = derive(cast(Program, point.system))
    with tempfile.TemporaryDirectory() as folder:
        kernels = compile_from(derivation, dtype=dtype, directory=folder)
    given = {name: point.values[name] for name in point.values}
    theta = kernels.pack({name: given[name] for name in point.shapes})
    data = [
        np.array(given[t.name], np.int64 if t.integer else dtype, order="C")
        for t in derivation.program.data
    ]
    gradient, workspace = np.empty_like(theta), kernels.workspace(point.batch)

    def slopes() -> Floats:
        kernels.backward(theta, *data, gradient, workspace)
        return np.asarray(gradient[coordinates], dtype=float)

    def operations() -> int:
        counted = costs(derivation, point.batch)
        both = counted.forward + counted.backward
        return both.total - both.choices

    equations = (*derivation.forward, *derivation.adjoint)
    return Prepared(
        slopes,
        evaluations=1,
        operations=operations,
        nodes=sum(
            sum(1 for _ in preorder_traversal(term.body))
            for equation in equations
            for term in equation.terms
        ),
        nbytes=workspace.nbytes + gradient.nbytes,
        epsilon=float(np.finfo(dtype).eps),
        note=f"{len(equations)} equations in index notation, whatever the sizes",
    )


METHODS = tuple(
    Method(f"delta recursion, {dtype}", "symbolic", partial(recursion, dtype=dtype))
    for dtype in ("float64", "float32")
)
