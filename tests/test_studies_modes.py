"""Studies of both modes by shape, and of both kinds of graph, on small settings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symbackprop.contrast import studies
from symbackprop.contrast.apparatus import jacobians, setups
from symbackprop.contrast.apparatus.choices import (
    AGREE,
    Static,
    choices,
    dynamic,
    flips,
    inputs,
    judge,
)
from symbackprop.contrast.point import Point
from symbackprop.contrast.studies import forward_or_reverse as modes
from symbackprop.contrast.studies import static_or_dynamic as graphs
from symbackprop.contrast.study import Study
from symbackprop.contrast.tally import ARITHMETIC
from symbackprop.errors import CheckError, InputError
from symbackprop.figures import FORMATS, encoded
from symbackprop.kernels.replay import OPERATIONS, Replay
from symbackprop.program import Program
from symbackprop.witnesses import duals, tape
from symbackprop.witnesses.choices import Best, changed
from symbackprop.witnesses.counting import Counting


def stands(study: Study, *quoted: str) -> None:
    """What every study owes: JSON, a paragraph of its own numbers, a figure."""
    assert json.loads(json.dumps(study.data, allow_nan=False)) == study.data
    assert [number for number in quoted if number not in study.paragraph] == []
    heads = {"png": b"\x89PNG", "svg": b"<?xml"}
    for format in FORMATS:
        assert encoded(study.draw(), format).startswith(heads[format])


def study_of(module: Any, data: dict[str, Any]) -> Study:
    told = module.paragraph(data)
    return Study(module.NAME, module.TITLE, told, data, lambda: module.picture(data))


# --- forward and reverse mode --------------------------------------------------------


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    return modes.measure(
        inputs=(1, 4, 8, 12, 15),
        around=16,
        hidden=12,
        timed=12,
        grown=(1, 4, 16, 32),
        held=4,
        repeats=1,
    )


def test_modes_stand(shapes: dict[str, Any]) -> None:
    crossing = shapes["crossings"]["operations"]
    stands(study_of(modes, shapes), f"operations cross at {crossing:.2f}")
    assert "forward-or-reverse" in studies.names()


def test_modes_take_no_file() -> None:
    with pytest.raises(InputError, match="takes no file"):
        modes.run(jacobians.declared(2, 2, 2), 0, lambda doing: None)


def test_each_mode_grows_with_its_own_number(shapes: dict[str, Any]) -> None:
    found = shapes["exponents"]
    assert found["forward in inputs"] == pytest.approx(1, abs=0.1)
    assert found["reverse in outputs"] == pytest.approx(1, abs=0.1)
    assert found["forward in outputs"] == pytest.approx(0, abs=0.1)
    assert found["reverse in inputs"] == pytest.approx(0, abs=0.1)


def test_modes_cross_where_theory_says(shapes: dict[str, Any]) -> None:
    for row in shapes["shapes"]:
        assert row["evaluation"] == 2 * 12 * 16  # whatever the shape
        rate = row["sweep"] / row["pass"]
        assert 1 < rate < 1.2
    assert shapes["crossings"]["operations"] == pytest.approx(1, rel=0.1)


def test_curves_that_do_not_cross_have_no_crossing() -> None:
    assert modes.crossing([0.5, 2.0], [(1.0, 2.0), (1.0, 3.0)]) is None


def test_jacobian_is_the_closed_form() -> None:
    program = jacobians.declared(3, 4, 5)
    values = jacobians.drawn(program, 2)
    h = np.tanh(values["A"] @ values["x"])
    y = np.tanh(values["B"] @ h)
    expected = (1 - y**2)[:, None] * (values["B"] * (1 - h**2)) @ values["A"]
    found = {
        "closed form": expected,
        "forward": jacobians.by_forward(program, values),
        "reverse": jacobians.by_reverse(program, values),
    }
    assert 0 <= jacobians.agree(found) < 1e-14


def test_every_pass_and_every_sweep_costs_the_same() -> None:
    inputs, outputs, hidden = 3, 2, 4
    program = jacobians.declared(inputs, outputs, hidden)
    values = jacobians.drawn(program, 0)
    each = jacobians.counted(inputs, outputs, hidden)

    def whole(run: Any, seeds: Any) -> int:
        numbers = Counting()
        given = {
            n: v if n == "component" else numbers.array(v) for n, v in values.items()
        }
        for one in seeds:
            run(program, given, one, numbers)
        return sum(numbers.tally[kind] for kind in ARITHMETIC)

    passes = whole(jacobians.forward_pass, np.eye(inputs))
    assert passes == inputs * each["pass"]
    sweeps = whole(jacobians.reverse_sweep, range(outputs))
    assert sweeps == outputs * each["sweep"]


def test_nothing_is_done_for_the_tangent_of_a_datum() -> None:
    numbers = Counting()
    made = duals.DualNumbers(numbers, 1)
    datum, moving = made.array([2.0]), made.dual([3.0], [[1.0]])
    product = made.multiply(datum, moving)
    assert dict(numbers.tally) == {"multiplications": 2}
    assert [t.value for t in product.tangent.reshape(-1)] == [2.0]
    assert made.multiply(datum, datum).still
    assert not made.multiply(moving, datum).still


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (tape.SLOPES, lambda n, x, y: n.add(x, x)),
        (duals.RULES, lambda n, x, y: n.add(x, x)),
    ],
)
def test_a_wrong_slope_is_seen(
    table: Any, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table, "tanh", wrong)
    program: Program = jacobians.declared(2, 3, 4)
    values = jacobians.drawn(program, 0)
    with pytest.raises(CheckError, match=r"dy\[\d\]/dx\[\d\].*wrong local slope"):
        jacobians.agree(
            {
                "forward": jacobians.by_forward(program, values),
                "reverse": jacobians.by_reverse(program, values),
            }
        )


def test_what_is_no_number_is_seen() -> None:
    with pytest.raises(CheckError, match=r"dy\[0\]/dx\[1\]"):
        jacobians.agree({"a": np.ones((1, 2)), "b": np.array([[1.0, np.nan]])})


# --- static and dynamic graphs -------------------------------------------------------


@pytest.fixture(scope="module")
def costs() -> dict[str, Any]:
    return graphs.measure(
        widths=(2, 4), shown=2, gradients=12, distances=(0.001, 2.0), draws=4
    )


def test_graphs_stand(costs: dict[str, Any]) -> None:
    stands(study_of(graphs, costs), "24 inputs were replayed", "relu, 0% to 100%")
    assert "static-or-dynamic" in studies.names()


def test_graphs_take_no_file() -> None:
    with pytest.raises(InputError, match="takes no file"):
        graphs.run(graphs.smooth(2), 0, lambda doing: None)


def test_a_run_begins_with_its_set_up(costs: dict[str, Any]) -> None:
    for each in costs["run"]["series"].values():
        assert each["counts"][0] == 1
        assert each["counts"][-1] <= 12
        assert each["setup"] < each["seconds"][0]


def test_nodes_grow_with_the_network(costs: dict[str, Any]) -> None:
    small, large = costs["sizes"]
    assert small["parameters"] < large["parameters"]
    assert small["nodes"] < large["nodes"]


def test_a_run_is_ahead_from_where_it_stays_ahead() -> None:
    slow, quick = np.array([1.0, 2, 3, 4]), np.array([1.5, 1.6, 3.5, 3.6])
    assert setups._first_ahead(quick, slow) == 4
    assert setups._first_ahead(slow, slow + 1) == 1
    assert setups._first_ahead(slow, slow) is None


def one_layer(units: int = 9) -> Point:
    program = Program(
        equations="z[i] = sum(W[i, j]*x[j], j)\nL = sum(relu(z[i])**2, i)",
        axes={"i": units, "j": 3},
        parameters={"W": "i j"},
        data={"x": "j"},
        objective="L",
        name="one_layer",
    )
    return graphs.point_of(program, 1)


def test_guards_that_fail_are_the_units_that_change(rng: np.random.Generator) -> None:
    point = one_layer()
    static, then = Static.of(point), choices(point, {})
    weights = point.values["W"]
    was = weights @ point.values["x"] > 0
    counts = set()
    for given in inputs(point, 1.0, 20, rng):
        found = judge(static, then, given)
        now = weights @ given["x"] > 0
        assert found.flips == found.changed == np.sum(was != now)
        counts.add(found.flips)
        z = np.maximum(weights @ given["x"], 0)
        slopes = 2 * np.outer(z, given["x"]).reshape(-1)
        np.testing.assert_allclose(found.slopes, slopes, rtol=1e-12, atol=1e-14)
        if found.flips:
            assert found.error > 1e-6
        else:
            assert found.error <= AGREE
    assert len(counts) > 2


@pytest.mark.parametrize("name", graphs.choosing())
def test_guards_never_miss_that_a_choice_changed(name: str) -> None:
    point = graphs.point_of(graphs.choosing()[name], 3)
    rows = flips(point, (0.001, 0.1, 2.0), draws=8, seed=0)
    assert rows[0]["flipped"] < rows[-1]["flipped"]
    for row in rows:
        assert row["guards"] > 0
        for failed, really, error in zip(
            row["flips"], row["changed"], row["errors"], strict=True
        ):
            assert bool(failed) == bool(really)
            assert failed or error <= AGREE
    assert max(rows[-1]["errors"]) > 0.01


def test_behind_a_changed_choice_the_replay_sees_other_ones() -> None:
    point = graphs.point_of(graphs.choosing()["relu"], 0)
    row = flips(point, (1.0,), draws=12, seed=0)[0]
    assert row["flips"] != row["changed"]


def test_rivals_of_an_extreme_entry_are_counted() -> None:
    then = Best(np.array([[1.0, 5.0, 2.0]]), np.array([1]), largest=True)

    def now(*values: float) -> Best:
        return Best(np.array([values]), np.array([0]), largest=True)

    assert then.changed(now(1.0, 5.0, 5.0)) == 0  # the first of equals is taken
    assert then.changed(now(5.0, 5.0, 1.0)) == 1
    assert then.changed(now(6.0, 5.0, 7.0)) == 2
    least = replace(then, largest=False)
    assert least.changed(now(4.0, 5.0, 6.0)) == 1


def test_the_program_chooses_freely_and_the_replay_does_not() -> None:
    point = one_layer()
    then = choices(point, {})
    turned = {"x": -point.values["x"]}
    assert changed(then, choices(point, turned)) == 9
    assert changed(then, choices(point, turned, then)) == 9
    assert changed(then, choices(point, {}, then)) == 0


def test_a_lost_guard_is_seen() -> None:
    point = one_layer()
    static, then = Static.of(point), choices(point, {})
    how, left, right, held = (part[:-1] for part in static.replay.guards)
    static = replace(
        static, replay=replace(static.replay, guards=(how, left, right, held))
    )
    with pytest.raises(CheckError, match=r"8 guards .* 9 choices"):
        judge(static, then, {"x": -point.values["x"]})


def test_a_wrong_step_is_seen() -> None:
    point = graphs.point_of(graphs.smooth(2), 0)
    static = Static.of(point)
    code = static.replay.code.copy()
    code[code == OPERATIONS.index("tanh")] = OPERATIONS.index("sin")
    wrong: Replay = replace(static.replay, code=code)
    with pytest.raises(CheckError, match="no choice of `tanh_2` changed"):
        judge(replace(static, replay=wrong), choices(point, {}), {})


def test_jax_follows_what_a_recorded_graph_does_not() -> None:
    pytest.importorskip("jax")
    start = setups.jitted(one_layer())
    assert start is not None
    call, point = start(), one_layer()
    turned = {"x": -point.values["x"]}
    np.testing.assert_allclose(call(turned), dynamic(point, turned), rtol=1e-12)
    assert np.any(Static.of(point).gradient(turned) != call(turned))
