"""All methods on one program: a planted bug is found, and nothing else is accused."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, settings
from hypothesis import given as hypothesis_given
from programs import programs

import symbackprop as sb
from symbackprop import kernels
from symbackprop.cli.command import execute
from symbackprop.contrast import contrasting, tally
from symbackprop.contrast.methods import automatic, methods, symbolic
from symbackprop.contrast.peers import peers
from symbackprop.contrast.point import Point
from symbackprop.contrast.report import HEADS, Report
from symbackprop.errors import CheckError, InputError
from symbackprop.kernels import replay
from symbackprop.plain import json_text
from symbackprop.witnesses import differences, duals, tape
from symbackprop.witnesses.differences import FORMULAS
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.graph import record
from symbackprop.witnesses.numbers import REAL

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

    def wrong(*given: Any, **more: Any) -> Any:
        found = right(*given, **more)
        if isinstance(found, tuple):  # a value, and its error
            return found[0] * factor, *found[1:]
        return found * factor

    patch.setattr(place, name, wrong)


def tangent(patch: Patch, holds: Callable[[int], bool]) -> None:
    """A chain rule that is off where so many tangents travel together."""
    right = duals.DualNumbers._scale

    def wrong(self: Any, slope: Any, a: Any) -> Any:
        factor = 1 + 1e-10 * (self.inner is REAL and holds(self.directions))
        return right(self, slope, a) * factor if factor > 1 else right(self, slope, a)

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
    right = replay.loops()
    own = (forward or right[0], backward or right[1], right[2])
    patch.setattr(replay, "loops", lambda: own)


def slightly(rule: Any) -> Any:
    """A rule for slopes, whatever its numbers, that says a little too much."""
    factor = Fraction(1 + 10**10, 10**10)
    return lambda n, x, y: n.multiply(n.constant(factor, n.ndim(x)), rule(n, x, y))


def rule(patch: Patch, table: Any) -> None:
    patch.setitem(table, "tanh", slightly(table["tanh"]))


def swept(patch: Patch) -> None:
    _, right, _ = replay.loops()

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
        xla.FUNCTIONS,
        "tanh",
        lambda a: right(a) * (1 + 1e-10),
    )


def written(patch: Patch, expanded: bool) -> None:
    """Where an expression says tanh, its steps say sine."""
    right = getattr(symbolic, "straight")  # noqa: B009

    def wrong(*parts: Any, **more: Any) -> Any:
        graph, found = right(*parts, **more)
        expand = more.get("expand", False)
        if expand == expanded:
            graph.steps = [
                step._replace(operation="sin") if step.operation == "tanh" else step
                for step in graph.steps
            ]
        return graph, found

    patch.setattr(symbolic, "straight", wrong)


def sympy_slope(patch: Patch) -> None:
    right = sympy.tanh.fdiff
    patch.setattr(sympy.tanh, "fdiff", lambda self, k=1: right(self, k) * 2)


def extrapolated(patch: Patch) -> None:
    """Richardson takes powers of h^3 away, where those of h^2 stand.

    With powers of h it would still converge, and tell its error truly.
    """
    right = differences._limit
    patch.setattr(
        differences, "_limit", lambda q, reach, power, eps: right(q, reach, 3, eps)
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
            coefficients=tuple(Fraction(k) for k in ("1/12", "-3/4", "3/4", "-1/12")),
        ),
        ("five-point stencil",),
    ),
    (
        "Richardson: 2h of the quotient became h",
        lambda p: off(p, differences, "richardson", 2),
        ("Richardson extrapolation",),
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
    (
        "the rule of dual numbers, whatever their width",
        lambda p: rule(p, duals.RULES),
        DUALS,
    ),
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
    (
        "a slope on the tape, from which the truth comes",
        lambda p: rule(p, tape.SLOPES),
        ("tape, dynamic graph",),
    ),
    ("the replay's sweep back", swept, (GRAPH,)),
    (
        "a step of the replay, which runs expressions too",
        replayed,
        (*EXPRESSIONS, GRAPH),
    ),
    ("a function of JAX", jax_function, ("JAX",)),
)


@pytest.mark.parametrize(
    ("plant", "guilty"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED]
)
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
    alone = f"{guilty[0]} is alone: " if len(guilty) == 1 else f"{len(guilty)} of 14 "
    assert report.verdict.startswith(alone), report.verdict


def test_a_kernel_that_is_off_is_alone(
    monkeypatch: Patch, compiled: dict[str, Any]
) -> None:
    """In each precision by what that precision notices."""
    for name, dtype, factor in zip(
        RECURSION, ("float64", "float32"), (1 + 1e-12, 1 + 1e-3), strict=True
    ):
        with monkeypatch.context() as patch:
            tampered(patch, dtype, compiled, factor)
            chosen = [BY_NAME[each] for each in (*RECURSION, "complex step")]
            report = sb.contrast(NEURON, batch=2, chosen=chosen)
        assert [row.method for row in report.failed] == [name], report.verdict
        assert report.verdict.startswith(f"{name} is alone: "), report.verdict


def test_who_shares_a_wrong_slope_of_sympy(monkeypatch: Patch) -> None:
    """Both expressions; the derivation has slopes of its own table."""
    sympy_slope(monkeypatch)
    names = (*EXPRESSIONS, RECURSION[0], "complex step", GRAPH)
    report = sb.contrast(NEURON, batch=2, chosen=[BY_NAME[name] for name in names])
    assert tuple(row.method for row in report.failed) == EXPRESSIONS


def test_a_method_that_refuses_its_work_fails(monkeypatch: Patch) -> None:
    """Kernels that their own check finds wrong are told of; the others still run."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise CheckError("the kernels are wrong.")

    monkeypatch.setattr(kernels, "compile", refuse)
    chosen = [BY_NAME[name] for name in (RECURSION[0], "complex step")]
    report = sb.contrast(NEURON, batch=2, chosen=chosen)
    told = "delta recursion, float64 refuses: the kernels are wrong."
    assert report.verdict == f"{RECURSION[0]} is alone: {told}"
    assert [row.method for row in report.failed] == [RECURSION[0]]
    assert [cells[-1] for cells in report.table()[1:]] == ["refused", "all"]
    assert "refused, the kernels are wrong" in str(report)
    assert told in report.study().paragraph
    json_text(report.data())
    assert report.study().draw()


def test_the_command_line_exits_with_1(
    monkeypatch: Patch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.toml"
    file.write_text(
        'name = "small"\ninputs = 2\nloss = "squared_error"\n\n[[layers]]\n'
        'type = "dense"\nunits = 1\nactivation = "tanh"\n'
    )
    monkeypatch.setattr(contrasting, "methods", lambda: PLAIN)
    command = ["contrast", str(file), "--no-peers", "--batch", "2"]
    assert execute(command) == 0
    assert "all 11 methods agree" in capsys.readouterr().out.replace("\n", " ")
    rule(monkeypatch, tape.SLOPES)
    assert execute(command) == 1
    assert "tape, dynamic graph is alone" in capsys.readouterr().out.replace("\n", " ")


def test_a_slope_that_is_not_a_number_accuses_its_method_alone(
    monkeypatch: Patch,
) -> None:
    """On the tape, where rounding is measured too."""
    monkeypatch.setitem(
        tape.SLOPES,
        "tanh",
        lambda n, x, y: n.apply("sqrt", n.constant(Fraction(-1), n.ndim(x))),
    )
    report = sb.contrast(NEURON, batch=2, chosen=PLAIN)
    assert [row.method for row in report.failed] == ["tape, dynamic graph"]
    assert "the definition with 110 digits" in report.truth
    assert report.study().paragraph  # has a word for what is not a number
    json.loads(json_text(report.data()))
    assert report.study().draw()


# No false alarms

CONVOLUTION = program(
    "v[i] = sum(K[c]*x[i + c - 1], c)\na[i] = softplus(v[i])\nL = sum(a[i]*y[i], i)",
    axes={"i": 4, "c": 3},
    parameters={"K": "c"},
    data={"x": "i", "y": "i"},
    batched=("x", "y"),
    zero_outside=("x",),
)
SMALL = {"w": "", "v": ""}
VARIED = {
    "dense": layer(2, 2),
    "maxout": program(
        "z[i, k] = sum(W[i, k, j]*x[j], j)\na[i] = max(z[i, k], k)\n"
        "L = sum(a[i]**2, i)",
        axes={"i": 2, "j": 2, "k": 2},
        parameters={"W": "i k j"},
        data={"x": "j"},
        batched=("x",),
    ),
    "softmax, cross-entropy": program(
        "z[i] = sum(W[i, j]*x[j], j)\np[i] = exp(z[i]) / sum(exp(z[k]), k)\n"
        "L = -log(p[label])",
        axes={"i": 3, "k": 3, "j": 2},
        parameters={"W": "i j"},
        data={"x": "j", "label": ""},
        integers=("label",),
        batched=("x", "label"),
    ),
    "recurrence": program(
        "z[t, i] = sum(U[i, j]*h[t - 1, j], j) + x[t, i]\nh[t, i] = tanh(z[t, i])\n"
        "L = mean(h[t, i]**2, t, i)",
        axes={"t": 3, "i": 2, "j": 2},
        parameters={"U": "i j"},
        data={"x": "t i"},
        batched=("x",),
        zero_outside=("h",),
    ),
    "convolution": CONVOLUTION,
    "embedding": program(
        "s[d] = mean(E[token[t], d], t)\nL = (sum(s[d]*w[d], d) - y)**2",
        axes={"t": 2, "d": 2, "v": 3},
        parameters={"E": "v d", "w": "d"},
        data={"token": "t", "y": ""},
        integers=("token",),
        batched=("token", "y"),
    ),
    "kinked": layer(2, 2, "relu(z[i]) + hard_tanh(2*z[i]) + abs(z[i] - 0.1)"),
    "times 1e6": layer(1, 2, "1000000*z[i]"),
    "times 1e-6": layer(1, 2, "tanh(z[i] / 1000000)"),
    "saturated": layer(1, 2, "logistic(20*z[i] + 20)"),
    "unused": program("L = sin(w) + 0*v", parameters=SMALL),
    "no slope at all": program("L = 0*w + v*0", parameters=SMALL),
    "scalars": program("L = exp(sin(v)*w) + log1p(v**2)", parameters=SMALL),
    "scalars beside a batch": program(
        "L = (w*x - v)**2", parameters=SMALL, data={"x": ""}, batched=("x",)
    ),
    "unbatched": program(
        "L = sum(erf(w[i]*x[i])*expm1(w[i]), i)",
        axes={"i": 3},
        parameters={"w": "i"},
        data={"x": "i"},
    ),
    "wild": program("L = sin(1000000*w)", parameters={"w": ""}),
    "a large constant": program("L = 1000000 + w**2", parameters={"w": ""}),
    "two scales": program("L = (1000000*w)**2 + v / 1000000", parameters=SMALL),
    "roots of squares": program("L = sqrt(w**2) + (v**2)**1.5", parameters=SMALL),
    "steps": program("L = where(w > 0, exp(8*w), v) + v**25", parameters=SMALL),
}


@pytest.mark.parametrize("name", VARIED)
def test_no_method_is_accused_wrongly(name: str) -> None:
    report = sb.contrast(VARIED[name], batch=2, chosen=PLAIN)
    assert not report.failed, report.verdict
    assert not report.skipped
    alone = sb.contrast(VARIED[name], seed=2, batch=1, chosen=NUMERIC[2:4])
    assert not alone.failed, alone.verdict


@settings(
    max_examples=3,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
@hypothesis_given(programs(blocks=2))
def test_none_is_accused_on_random_programs(declared: dict[str, Any]) -> None:
    made = sb.Program(**declared)
    if not made.parameters:
        return
    report = sb.contrast(made, batch=2, chosen=PLAIN)
    assert not report.failed, report.verdict


def test_the_table_tells_of_the_slope_nearest_to_its_theory() -> None:
    """So that an error beside what is allowed reads as the verdict does."""
    report = sb.contrast(VARIED["two scales"], chosen=NUMERIC)
    for row in report.rows:
        assert row.accuracy is not None
        assert row.accuracy.ulp <= row.accuracy.allowed < np.inf
        assert row.accuracy.excused == 0


# How small an error is noticed


def noticed(name: str, error: float) -> bool:
    """Whether a relative error in the largest slope makes a method fail."""
    method = BY_NAME[name]

    def prepare(point: Point, coordinates: Any) -> Any:
        prepared = method.prepare(point, coordinates)
        assert prepared.gradient is not None
        right = prepared.gradient

        def gradient() -> Any:
            found = right().copy()
            found[np.argmax(np.abs(found))] *= 1 + error
            return found

        return replace(prepared, gradient=gradient)

    changed = replace(method, prepare=prepare)
    return bool(sb.contrast(NEURON, batch=2, chosen=[changed]).failed)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("forward difference", 1e-5),
        ("central difference", 1e-8),
        ("five-point stencil", 1e-10),
        ("Richardson extrapolation", 1e-10),
        ("complex step", 1e-13),
        ("tape, dynamic graph", 1e-13),
        ("static graph, compiled", 1e-13),
    ],
)
def test_tolerances_are_tight(name: str, limit: float) -> None:
    assert noticed(name, limit)
    assert not noticed(name, 0.0)


# Counts


def test_evaluations_are_those_that_are_made(monkeypatch: Patch) -> None:
    declared = layer(2, 2)
    point = Point(declared, draw(declared, np.random.default_rng(0), 2))
    calls = [0]
    right = Point.value

    def counted(self: Point, *given: Any) -> Any:
        calls[0] += 1
        return right(self, *given)

    monkeypatch.setattr(Point, "value", counted)
    for method in NUMERIC:
        prepared = method.prepare(point, np.arange(point.size))
        assert prepared.gradient is not None
        calls[0] = 0
        prepared.gradient()
        # An extrapolation ends where it sees fit; it is counted at one slope.
        slack = 0.25 if method.name.startswith("Richardson") else 0.0
        assert abs(prepared.evaluations - calls[0]) <= slack * calls[0], method.name


def exponent(x: list[float], y: list[float]) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def test_costs_grow_as_theory_says() -> None:
    """One tangent for each parameter; a sweep back is a small multiple of the value."""
    sizes, multiples = [], []
    for units in (3, 6, 12):
        declared = layer(units, units)
        point = Point(declared, draw(declared, np.random.default_rng(0), 1))
        every = np.arange(point.size)
        value = tally.of_value(point)
        assert value is not None
        found = [
            BY_NAME[name].prepare(point, every).operations()
            for name in (DUALS[0], "tape, dynamic graph", GRAPH)
        ]
        assert None not in found
        sizes.append(float(point.size))
        multiples.append([float(count or 0) / value for count in found])
    scalar, dynamic, static = (list(column) for column in zip(*multiples, strict=True))
    assert abs(exponent(sizes, scalar) - 1) < 0.1
    assert max(dynamic) <= 5
    assert max(static) <= 5


class Counted(float):
    """A float that counts what is done to it."""

    done = 0

    def __neg__(self) -> Counted:
        return _did(-float(self))


def _did(value: float) -> Counted:
    Counted.done += 1
    return Counted(value)


for _name in ("add", "sub", "mul", "truediv", "pow"):
    for _way in ("", "r"):
        _plain = getattr(float, f"__{_way}{_name}__")
        setattr(
            Counted,
            f"__{_way}{_name}__",
            lambda a, b, plain=_plain: _did(plain(float(a), float(b))),
        )


def counts(plain: Callable[[float], float]) -> Callable[[float], Counted]:
    return lambda a: _did(plain(float(a)))


class Shelf(list[Counted]):
    """Numbers that count, even where plain ones are put."""

    def __setitem__(self, place: Any, value: Any) -> None:
        if isinstance(place, slice):
            value = [Counted(value)] * len(self)
            super().__setitem__(place, value)
        else:
            super().__setitem__(place, Counted(value))


@pytest.mark.parametrize("right", ["w**v", "exp(w)*log(2 + v)", "tanh(w)/(2 + v)"])
def test_the_replay_does_what_is_counted(right: str, monkeypatch: Patch) -> None:
    """Its two loops, run by Python on numbers that count."""
    functions = ("sqrt(1 + w**2)", "sin(w)", "cos(v)", "erf(w)", "log1p(w**2)")
    more = " + ".join((*functions, "expm1(v)"))
    declared = program(f"L = {right} + {more}", parameters=SMALL)
    graph = record(declared, {"w": np.float64(0.7), "v": np.float64(1.3)})
    ready = replay.Replay.of(graph)
    names = ("exp", "log", "sqrt", "sin", "cos", "tanh", "erf", "erfc", "log1p")
    counting = {name: counts(getattr(math, name)) for name in (*names, "expm1")}
    monkeypatch.setattr(replay, "math", types.SimpleNamespace(**counting))
    value = np.array([Counted(v) for v in ready.value], dtype=object)
    adjoint: Any = Shelf([Counted(0.0)] * len(value))
    Counted.done = 0
    replay._forward(ready.code, ready.left, ready.right, value)
    assert Counted.done == graph.operations
    Counted.done = 0
    replay._backward(
        *(ready.code, ready.left, ready.right, value, adjoint), graph.output
    )
    assert Counted.done == automatic.swept_back(graph)


def test_what_is_scaled_up_is_near_what_is_counted() -> None:
    declared = layer(6, 4)
    names = ("central difference", "complex step", *EXPRESSIONS, *DUALS)
    chosen = [BY_NAME[name] for name in names]
    full = sb.contrast(declared, batch=2, chosen=chosen, seconds=60)
    few = sb.contrast(declared, batch=2, chosen=chosen, seconds=1e-9)
    for whole, part in zip(full.rows, few.rows, strict=True):
        assert not whole.extrapolated
        assert part.extrapolated
        assert part.coordinates < full.parameters
        assert part.accuracy is not None
        assert part.accuracy.agrees
        slack = 0.3 if part.method.startswith("expression") else 0.03
        assert part.operations is not None
        assert part.operations == pytest.approx(whole.operations, rel=slack)
        if part.family == "numeric":
            assert part.evaluations == whole.evaluations


# The report


@pytest.fixture(scope="module", name="report")
def _report() -> Report:
    return sb.contrast(CONVOLUTION, batch=2, chosen=PLAIN)


def test_the_report_as_data(report: Report) -> None:
    data = json.loads(json_text(report.data()))
    assert [row["method"] for row in data["rows"]] == [m.name for m in PLAIN]
    assert data["failed"] == []
    assert data["verdict"] == report.verdict
    assert data["rows"][0]["accuracy"]["agrees"] is True
    assert data["parameters"] == 3


def test_the_report_as_text(report: Report) -> None:
    table = report.table()
    assert table[0] == HEADS
    assert {len(row) for row in table} == {len(HEADS)}
    assert all(row.method in str(report) for row in report.rows)
    assert report._repr_html_().count("<tr") == len(table)
    assert report._repr_markdown_().count("\n|") == len(table) + 1


def test_the_report_as_files(report: Report, tmp_path: Path) -> None:
    heads = {".png": b"\x89PNG", ".svg": b"<?xml", ".html": b"<!", ".md": b"##"}
    for suffix, head in heads.items():
        report.save(tmp_path / f"contrast{suffix}")
        written = (tmp_path / f"contrast{suffix}").read_bytes()
        assert written.startswith(head), written[:20]
    assert "<section" in report.section("1")
    with pytest.raises(InputError, match="written as"):
        report.save(tmp_path / "contrast.pdf")


# Hostile arguments

DATA = program(
    "z[i] = sum(W[i, j]*x[j], j) + E[token]\nL = sum(z[i]**2, i) + c",
    axes={"i": 1, "j": 2, "v": 3},
    parameters={"W": "i j", "E": "v"},
    data={"x": "j", "token": "", "c": ""},
    integers=("token",),
    batched=("x", "token"),
)
ONES = np.ones((4, 2))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        *(({"seed": s}, "seed is") for s in (-1, 1.5, "0", None, True, math.nan)),
        *(({"batch": b}, "batch is") for b in (0, -1, 1.5, "8", None, True)),
        *(
            ({"seconds": s}, "seconds is")
            for s in (0, -1, "5", None, True, math.nan, math.inf, 2**5000, 1j)
        ),
        *(({"data": d}, "data is") for d in ([1, 2], "x", 3)),
        *(({"data": d}, "data has") for d in ({"q": 1}, {"W": 1}, {3: 1, "q": 2})),
        *(
            ({"data": {"x": x}}, "has the shape")
            for x in (
                *(5.0, None, ONES[0], ONES[:, :1], ONES[:0], ONES * 1j, "ab"),
                *([[1, 2], [1]], [["a", "b"]], [[object()] * 2], [[2**80] * 2]),
            )
        ),
        *(
            ({"data": {"x": ONES * f}}, "give finite numbers")
            for f in (math.nan, math.inf, 1e300)
        ),
        ({"data": {"c": math.nan}}, "give finite numbers"),
        ({"data": {"token": [0.5]}}, "whole numbers"),
        ({"data": {"x": ONES, "token": [0, 1]}}, "samples differ in number"),
        *(({"chosen": c}, "give methods") for c in (3, "JAX", [None])),
    ],
)
def test_arguments_that_do_not_fit_are_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        sb.contrast(DATA, **{"chosen": NUMERIC[:1]} | given)
    assert "give" in str(raised.value).lower() or "it has" in str(raised.value)


@pytest.mark.parametrize("source", [3, "small.toml", None, object()])
def test_what_is_no_program_is_refused(source: Any) -> None:
    with pytest.raises(InputError, match="expected a Program or a Network"):
        sb.contrast(source)


def test_programs_without_slopes_are_refused() -> None:
    still = program("L = x**2", data={"x": ""})
    with pytest.raises(InputError, match="has no parameters"):
        sb.contrast(still)
    nowhere = program("L = log(-1 - w**2)", parameters={"w": ""})
    with pytest.raises(CheckError, match="was not a finite number"):
        sb.contrast(nowhere)
    some = program("L = log(x)*w", parameters={"w": ""}, data={"x": ""})
    with pytest.raises(CheckError, match="not a finite number at the data given"):
        sb.contrast(some, data={"x": -1.0})
    for token in ([9], [-1]):
        with pytest.raises(CheckError, match="outside an axis"):
            sb.contrast(DATA, data={"token": token}, chosen=NUMERIC[:1])


def test_data_that_fit_are_taken() -> None:
    given = {"x": ONES.tolist(), "token": np.arange(4.0) % 3, "c": 2}
    report = sb.contrast(DATA, data=given, batch=3, chosen=NUMERIC[-1:])
    assert report.batch == 3
    assert not report.failed
    assert sb.contrast(DATA, chosen=[]).verdict == "no method was judged"


@pytest.mark.parametrize("suffix", [".tex", ".foo", ""])
def test_a_report_of_no_known_kind_is_refused_at_once(
    suffix: str, tmp_path: Path, capsys: Any
) -> None:
    file = Path(__file__).parent.parent / "examples" / "digits.toml"
    assert execute(["contrast", str(file), "-o", str(tmp_path / f"x{suffix}")]) == 2
    assert "a report is written as .png, .svg, .json" in capsys.readouterr().err
