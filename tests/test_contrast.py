"""All methods on one program: a planted bug is found, and nothing else is accused."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from programs import programs

import symbackprop as sb
from symbackprop import kernels
from symbackprop.contrast import tally
from symbackprop.contrast.contrasting import Point
from symbackprop.contrast.method import Method
from symbackprop.contrast.methods import automatic, methods, numeric, symbolic
from symbackprop.contrast.peers import peers
from symbackprop.contrast.report import HEADS, Report
from symbackprop.errors import CheckError, InputError
from symbackprop.kernels import replay
from symbackprop.plain import json_text
from symbackprop.witnesses import differences, duals, tape
from symbackprop.witnesses.differences import FORMULAS
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.graph import record

Patch = pytest.MonkeyPatch
JAX = next(method for method in peers() if method.name == "JAX")
BY_NAME = {method.name: method for method in (*methods(), JAX)}
NUMERIC = tuple(m for m in methods() if m.family == "numeric")
PLAIN = tuple(m for m in methods() if not m.name.startswith("delta"))  # no compiling
RECURSION = ("delta recursion, float64", "delta recursion, float32")
EXPRESSIONS = ("expression, expanded", "expression, parts shared")
DUALS = ("dual numbers, scalar", "dual numbers, vector")
GRAPH = "static graph, compiled"


def program(equations: str, **given: Any) -> sb.Program:
    """A declaration, of which a test says only what it needs."""
    empty: dict[str, Any] = {"axes": {}, "parameters": {}, "data": {}, "name": "small"}
    return sb.Program(equations=equations, objective="L", **(empty | given))


def layer(units: int, inputs: int, right: str = "tanh(z[i])", **given: Any) -> Any:
    """A dense layer; `right` is what it makes of `z`, in equations up to `a[i]`."""
    return program(
        f"z[i] = sum(W[i, j]*x[j], j) + b[i]\na[i] = {right}\n"
        "L = sum((a[i] - y[i])**2, i) / 2",
        axes={"i": units, "j": inputs},
        parameters={"W": "i j", "b": "i"},
        data={"x": "j", "y": "i"},
        batched=("x", "y"),
        **given,
    )


NEURON = layer(1, 2)


# Planted bugs


@pytest.fixture(scope="module", name="compiled")
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The neuron's kernels, which all planted bugs but those in them share."""
    folder = tmp_path_factory.mktemp("neuron")
    return {
        dtype: kernels.compile(NEURON, dtype=dtype, directory=folder)
        for dtype in ("float64", "float32")
    }


def weigh(patch: Patch, name: str, **changed: Any) -> None:
    """Change a formula of the table where it stands; it is frozen, but not sealed."""
    formula = FORMULAS[name]
    for field, value in changed.items():
        patch.setitem(formula.__dict__, field, value)


def off(patch: Patch, place: Any, name: str, factor: float) -> None:
    """Let a function answer a little too much."""
    right = getattr(place, name)
    patch.setattr(place, name, lambda *a, **k: right(*a, **k) * factor)


def tangent(patch: Patch, holds: Callable[[int], bool]) -> None:
    """A chain rule that is off where so many tangents travel together."""
    right = duals.DualNumbers._scale

    def wrong(self: Any, slope: Any, a: Any) -> Any:
        return right(self, slope, a) * (1 + 1e-10 * holds(self.directions))

    patch.setattr(duals.DualNumbers, "_scale", wrong)


def tampered(patch: Patch, dtype: str, found: dict[str, Any], factor: float) -> None:
    """A kernel whose first slope is off, after its own check is over."""

    def compile_from(derivation: Any, dtype: str, directory: Any) -> Any:
        made = found[dtype]
        if dtype != wanted:
            return made

        def backward(*arguments: Any) -> Any:
            value = made.backward(*arguments)
            arguments[-2][0] *= factor
            return value

        return types.SimpleNamespace(
            pack=made.pack, workspace=made.workspace, backward=backward
        )

    wanted = dtype
    patch.setattr(kernels, "compile", compile_from)


def loops(patch: Patch, forward: Any = None, backward: Any = None) -> None:
    """Other loops of the replay than those that were compiled."""
    right = replay._compiled()
    own = (forward or right[0], backward or right[1], right[2])
    patch.setattr(replay, "_compiled", lambda: own)


def tape_slope(patch: Patch) -> None:
    right = tape.SLOPES["tanh"]
    patch.setitem(
        tape.SLOPES,  # type: ignore[arg-type]
        "tanh",
        lambda n, x, y: n.multiply(
            n.constant(Fraction(1 + 10**10, 10**10), n.ndim(x)), right(n, x, y)
        ),
    )


def dual_rule(patch: Patch) -> None:
    right = duals.RULES["tanh"]
    wrong = lambda n, x, v: right(n, x, v) * (1 + 1e-10)  # noqa: E731
    patch.setitem(duals.RULES, "tanh", wrong)  # type: ignore[arg-type]


def swept(patch: Patch) -> None:
    _, right, _ = replay._compiled()

    def backward(code: Any, left: Any, *rest: Any) -> None:
        right(code, left, *rest)
        rest[2][code == replay.OPERATIONS.index("input")] *= 1 + 1e-10

    loops(patch, backward=backward)


def replayed(patch: Patch) -> None:
    wrong = types.SimpleNamespace(**vars(math))
    wrong.tanh = lambda a: math.tanh(a) * (1 + 1e-10)
    patch.setattr(replay, "math", wrong)
    loops(patch, forward=replay._forward)


def jax_function(patch: Patch) -> None:
    from symbackprop.contrast.peers import xla

    right = xla.FUNCTIONS["tanh"]
    patch.setitem(
        xla.FUNCTIONS,  # type: ignore[arg-type]
        "tanh",
        lambda a: right(a) * (1 + 1e-10),
    )


def written(patch: Patch, expanded: bool) -> None:
    """Steps of an expression, the last of which is another operation."""
    right = symbolic.straight

    def wrong(outputs: Any, *rest: Any, expand: bool = False) -> Any:
        graph, found = right(outputs, *rest, expand=expand)
        if expand == expanded and len(outputs) > 1:
            for place in found:
                if graph.steps[place].operation == "multiply":
                    graph.steps[place] = graph.steps[place]._replace(operation="add")
        return graph, found

    patch.setattr(symbolic, "straight", wrong)


def sympy_slope(patch: Patch) -> None:
    right = sympy.tanh.fdiff
    patch.setattr(sympy.tanh, "fdiff", lambda self, k=1: right(self, k) * 2)


def extrapolated(patch: Patch) -> None:
    """Richardson removes powers of h, where those of h^2 stand."""
    right = differences._limit
    patch.setattr(
        differences, "_limit", lambda q, reach, power, eps: right(q, reach, 1, eps)
    )


HALF = Fraction(1, 2)
# A name, what is planted, and who is to be blamed: one, or all that share the code.
PLANTED: tuple[tuple[str, Callable[[Patch], None], tuple[str, ...]], ...] = (
    (
        "forward: coefficients without the sum 0",
        lambda p: weigh(
            p,
            "forward difference",
            coefficients=(Fraction(-1), Fraction(1_000_001, 1_000_000)),
        ),
        ("forward difference",),
    ),
    (
        "forward: all too large",
        lambda p: weigh(
            p,
            "forward difference",
            coefficients=(-Fraction(1001, 1000), Fraction(1001, 1000)),
        ),
        ("forward difference",),
    ),
    (
        "central: coefficients without the sum 0",
        lambda p: weigh(
            p,
            "central difference",
            coefficients=(-HALF, HALF + Fraction(1, 10**7)),
        ),
        ("central difference",),
    ),
    (
        "central: one point too far",
        lambda p: weigh(p, "central difference", offsets=(-1, 2)),
        ("central difference",),
    ),
    (
        "five points: 2/3 became 3/4",
        lambda p: weigh(
            p,
            "five-point stencil",
            coefficients=tuple(
                Fraction(k) for k in ("1/12", "-3/4", "3/4", "-1/12")
            ),
        ),
        ("five-point stencil",),
    ),
    (
        "Richardson: another factor",
        extrapolated,
        ("Richardson extrapolation",),
    ),
    (
        "complex step: another step",
        lambda p: off(p, differences, "complex_step", 1 + 1e-10),
        ("complex step",),
    ),
    (
        "an operation of the expanded expression",
        lambda p: written(p, expanded=True),
        ("expression, expanded",),
    ),
    (
        "an operation of the shared expression",
        lambda p: written(p, expanded=False),
        ("expression, parts shared",),
    ),
    (
        "the derivative of expressions, which both forms write out",
        lambda p: off(p, symbolic, "derivative", 2),
        EXPRESSIONS,
    ),
    ("the rule of dual numbers, whatever their width", dual_rule, DUALS),
    (
        "one tangent",
        lambda p: tangent(p, lambda width: width == 1),
        ("dual numbers, scalar",),
    ),
    (
        "many tangents",
        lambda p: tangent(p, lambda width: width > 1),
        ("dual numbers, vector",),
    ),
    ("a slope on the tape, from which the truth comes", tape_slope, ("tape, dynamic graph",)),
    ("the replay's sweep back", swept, (GRAPH,)),
    ("a step of the replay, which runs expressions too", replayed, (*EXPRESSIONS, GRAPH)),
    ("a function of JAX", jax_function, ("JAX",)),
)


@pytest.mark.parametrize(("plant", "guilty"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_a_planted_bug_is_alone(
    plant: Callable[[Patch], None],
    guilty: tuple[str, ...],
    monkeypatch: Patch,
    compiled: dict[str, Any],
) -> None:
    monkeypatch.setattr(kernels, "compile", lambda *_, dtype, **__: compiled[dtype])
    plant(monkeypatch)
    report = sb.contrast(NEURON, batch=2, chosen=BY_NAME.values())
    assert tuple(row.method for row in report.failed) == guilty, report.verdict
