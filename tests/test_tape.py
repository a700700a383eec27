"""Reverse sweeps on a tape and on a recorded graph, against dual numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import programs

import symbackprop as sb
from symbackprop.kernels import replay as replaying
from symbackprop.kernels.replay import Replay
from symbackprop.witnesses import tape as taping
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.duals import DualNumbers
from symbackprop.witnesses.graph import CONSTANT, Step, record
from symbackprop.witnesses.numbers import PRECISE
from symbackprop.witnesses.slopes import gradient_by_duals
from symbackprop.witnesses.tape import TapeNumbers, gradient_by_tape

RECURRENT = sb.Program(
    equations="h[t, i] = tanh(sum(V[i, j]*h[t-1, j], j) + U[i]*x[t])\n"
    "s[t] = max(h[t, i], i)\nL = sum(s[t]**2, t) + abs(c)**1.5 + erfc(c)",
    axes={"t": 4, "i": 3, "j": 3},
    parameters={"V": "i j", "U": "i", "c": ""},
    data={"x": "t"},
    batched=("x",),
    zero_outside=("h",),
    objective="L",
)


def gap(found: Any, expected: Any) -> float:
    """The largest difference of two gradients, relative to the norm of the second."""
    difference = [
        np.abs(np.reshape(found[n], -1) - np.reshape(expected[n], -1)) for n in expected
    ]
    norm = np.linalg.norm(np.concatenate([np.ravel(v) for v in expected.values()]))
    return float(max(d.max(initial=0) for d in difference) / max(norm, 1e-300))


def replayed(program: Any, values: Any) -> dict[str, Any]:
    names = tuple(p.name for p in program.parameters)
    replay = Replay.of(record(program, values))
    return replay.gradient({}, names)[1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(programs(), st.integers(0, 3))
def test_sweeps_agree_with_dual_numbers(declared: dict[str, Any], seed: int) -> None:
    program = sb.Program(**declared)
    assume(program.parameters)
    values = draw(program, np.random.default_rng(seed), 2)
    expected = gradient_by_duals(program, values)
    assert gap(gradient_by_tape(program, values), expected) < 1e-12
    assert gap(replayed(program, values), expected) < 1e-12


def test_recurrence_with_choices(rng: np.random.Generator) -> None:
    values = draw(RECURRENT, rng, 3)
    expected = gradient_by_duals(RECURRENT, values)
    assert gap(gradient_by_tape(RECURRENT, values), expected) < 1e-14
    assert gap(replayed(RECURRENT, values), expected) < 1e-14


def test_tape_holds_many_digits(rng: np.random.Generator) -> None:
    values = draw(RECURRENT, rng, 1)
    precise = gradient_by_tape(RECURRENT, values, numbers=PRECISE)
    expected = gradient_by_duals(RECURRENT, values, numbers=PRECISE)
    for name, slopes in expected.items():
        assert max(abs(np.ravel(precise[name] - slopes))) < 1e-45


def test_what_was_not_chosen_does_not_matter() -> None:
    root = sb.Program(
        equations="L = where(w > 0, sqrt(w), 3*v)",
        axes={},
        parameters={"w": "", "v": ""},
        data={},
        objective="L",
    )
    values = {"w": 0.0, "v": 1.0}
    assert gradient_by_tape(root, values) == {"w": 0.0, "v": 3.0}
    assert replayed(root, values) == {"w": 0.0, "v": 3.0}


@pytest.mark.parametrize("name", sorted(taping.SLOPES))
def test_slope_on_the_tape_and_a_wrong_one(name: str, monkeypatch: Any) -> None:
    right = taping.SLOPES[name]

    def slope() -> float:
        tape = TapeNumbers()
        w = tape.variable([0.4])
        assert w.place is not None
        return float(tape.adjoints(tape.apply(name, w))[w.place][0])

    def wrong(numbers: Any, x: Any, y: Any) -> Any:
        return numbers.add(right(numbers, x, y), np.ones(1))

    dual = DualNumbers().dual([0.4], [[1.0]])
    expected = float(DualNumbers().apply(name, dual).tangent[0, 0])
    assert slope() == pytest.approx(expected, rel=1e-15)
    monkeypatch.setitem(taping.SLOPES, name, wrong)
    assert slope() == pytest.approx(expected + 1, rel=1e-15)


def test_sum_forgotten_on_the_tape_is_seen(monkeypatch: Any, rng: Any) -> None:
    """An operand that was broadcast gets the sum of its adjoints."""
    values = draw(RECURRENT, rng, 2)
    expected = gradient_by_duals(RECURRENT, values)

    def first(self: TapeNumbers, adjoint: Any, shape: tuple[int, ...]) -> Any:
        places = [
            slice(None) if n == m else slice(0, 1)
            for n, m in zip(adjoint.shape, shape, strict=True)
        ]
        return adjoint[tuple(places)]

    monkeypatch.setattr(TapeNumbers, "_narrowed", first)
    assert gap(gradient_by_tape(RECURRENT, values), expected) > 0.01


def test_graph_is_replayed_on_other_values(rng: np.random.Generator) -> None:
    old, new = draw(RECURRENT, rng, 2), draw(RECURRENT, rng, 2)
    new["V"], new["U"] = old["V"] + 1e-3, old["U"] - 1e-3  # no maximum moves
    new["x"], new["c"] = old["x"], 1.1 * old["c"]
    replay = Replay.of(record(RECURRENT, old))
    value, slopes = replay.gradient(new, ("V", "U", "c"))
    assert replay.flipped() == 0
    assert gap(slopes, gradient_by_duals(RECURRENT, new)) < 1e-13
    assert value == pytest.approx(record(RECURRENT, new).values[-1], rel=1e-13)


def test_choice_that_falls_otherwise_is_reported() -> None:
    """A static graph is wrong beyond the choices that it was recorded with."""
    kinked = sb.Program(
        equations="L = relu(w) + max(v[i], i)",
        axes={"i": 3},
        parameters={"w": "", "v": "i"},
        data={},
        objective="L",
    )
    replay = Replay.of(record(kinked, {"w": 1.0, "v": [1.0, 3.0, 2.0]}))
    moved = {"w": -1.0, "v": [1.0, 3.0, 4.0]}
    value, slopes = replay.gradient(moved, ("w", "v"))
    assert (value, slopes["w"].tolist(), slopes["v"].tolist()) == (2, [1], [0, 1, 0])
    assert replay.flipped() == 2
    replay.give({"w": 2.0, "v": [0.0, 3.0, 1.0]})
    replay.evaluate()
    assert replay.flipped() == 0


def test_wrong_step_in_a_graph_is_seen(rng: np.random.Generator) -> None:
    values = draw(RECURRENT, rng, 1)
    expected = gradient_by_duals(RECURRENT, values)
    graph = record(RECURRENT, values)
    place = next(k for k, s in enumerate(graph.steps) if s.operation == "tanh")
    graph.steps[place] = Step("exp", graph.steps[place].left)
    found = Replay.of(graph).gradient({}, tuple(expected))[1]
    assert gap(found, expected) > 1e-3


@pytest.mark.parametrize("operation", replaying.UNARY)
def test_every_function_of_a_replay(operation: str) -> None:
    program = sb.Program(
        equations=f"L = {operation}(w)",
        axes={},
        parameters={"w": ""},
        data={},
        objective="L",
    )
    found = replayed(program, {"w": 0.3})
    assert gap(found, gradient_by_duals(program, {"w": 0.3})) < 1e-15


def test_power_with_a_moving_exponent() -> None:
    program = sb.Program(
        equations="L = w**v",
        axes={},
        parameters={"w": "", "v": ""},
        data={},
        objective="L",
    )
    values = {"w": 1.7, "v": 2.3}
    expected = gradient_by_duals(program, values)
    assert gap(replayed(program, values), expected) < 1e-15
    assert gap(gradient_by_tape(program, values), expected) < 1e-15


def test_graph_shares_its_constants() -> None:
    graph = record(RECURRENT, draw(RECURRENT, np.random.default_rng(0), 1))
    constants = [
        v
        for v, s in zip(graph.values, graph.steps, strict=True)
        if s.operation == CONSTANT
    ]
    assert len(constants) == len(set(constants))
