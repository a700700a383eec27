"""Studies of what activations do to slopes and to training, on small settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np
import pytest

from symbackprop.contrast import studies
from symbackprop.contrast.apparatus.activations import (
    curve,
    curve_of,
    one_argument,
    saturates,
    steepest,
)
from symbackprop.contrast.apparatus.chain import INITIALISATIONS, Chain, spectral
from symbackprop.contrast.studies import (
    bias_shift,
    dead_units,
    hard_functions,
    saturation,
    saturation_in_training,
)
from symbackprop.contrast.studies import vanishing_gradients as vanishing
from symbackprop.errors import InputError
from symbackprop.figures import FORMATS, encoded
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program
from symbackprop.scalars import ACTIVATIONS
from symbackprop.witnesses.bumps import adjoint

MINE = (
    *("bias-shift", "dead-units", "hard-functions", "saturation"),
    *("saturation-in-training", "vanishing-gradients"),
)


def stands(data: Mapping[str, Any], paragraph: str, figure: Any, *quoted: str) -> None:
    """What every study owes: JSON, a paragraph of its own numbers, a figure."""
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [number for number in quoted if number not in paragraph] == []
    heads = {"png": b"\x89PNG", "svg": b"<?xml"}
    for format in FORMATS:
        assert encoded(figure, format).startswith(heads[format])


# --- the activations -----------------------------------------------------------------


@pytest.mark.parametrize("name", one_argument())
def test_slope_is_that_of_the_witness(name: str) -> None:
    x = np.linspace(-5, 5, 41) + 0.013  # no kink among them
    program = Program(
        equations=f"a = {name}(x)",
        axes={},
        parameters={},
        data={"x": ""},
        batched=("x",),
        objective="a",
    )
    told = adjoint(program, {"x": x}, "x", len(x))
    np.testing.assert_allclose(curve(name, x)[1], told, rtol=1e-12, atol=1e-14)


def test_far_values_are_finite() -> None:
    for name in one_argument():
        height, slope = curve(name, np.array([-1e9, -800.0, 800.0, 1e9]))
        assert np.isfinite(height).all(), name
        assert np.isfinite(slope).all(), name


def test_steepest_slopes_are_those_of_textbooks() -> None:
    # gelu is steepest at s = sqrt(2), with Phi(s) + s phi(s).
    gelu = (1 + erf(1)) / 2 + exp(-1) / sqrt(pi)
    known = {"logistic": 0.25, "tanh": 1, "relu": 1, "gelu": gelu}
    for name, slope in known.items():
        assert steepest(name) == pytest.approx(slope, rel=1e-12)


def test_one_argument_leaves_out_what_must_learn_another() -> None:
    assert set(ACTIVATIONS) - set(one_argument()) == {"prelu"}
    sides = {saturates(name) for name in one_argument()}
    assert sides == {"both sides", "one side", "no side"}


# --- vanishing -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def vanished() -> dict[str, Any]:
    names = ("logistic", "tanh", "relu", "identity")
    return vanishing.measure(names, depth=8, width=24, seeds=2)


def test_vanishing_stands(vanished: dict[str, Any]) -> None:
    straight = vanishing.row_of(vanished, "logistic", "orthogonal")
    stands(
        vanished,
        vanishing.paragraph(vanished),
        vanishing.draw(vanished),
        f"{straight['decay']:.3f} per layer",
        "16 of 16 kinds",
    )


def test_every_norm_obeys_the_bound(vanished: dict[str, Any]) -> None:
    assert all(row["bound_kept"] for row in vanished["chains"])
    for row in vanished["chains"]:
        assert 0 < row["decay"] <= row["bound"] * (1 + 1e-9)


def test_small_weights_make_a_logistic_vanish_faster(vanished: dict[str, Any]) -> None:
    small = vanishing.row_of(vanished, "logistic", "small")
    assert small["bound"] < 0.25
    assert small["decay"] < small["bound"]
    assert vanishing.row_of(vanished, "logistic", "orthogonal")["decay"] < 0.25


def test_mean_field_foretells_saturating_chains(vanished: dict[str, Any]) -> None:
    for row in vanished["chains"]:
        if row["ends"] == "both sides":
            assert row["decay"] == pytest.approx(row["expected"], rel=0.1)


@pytest.mark.parametrize(("slope", "found"), [(0.25, 0), (0.2, 7)])
def test_a_bound_that_is_too_low_is_caught(slope: float, found: int) -> None:
    chain = Chain.of(Dense(24, "logistic"), 8, 24)
    rng = np.random.default_rng(0)
    weights = chain.weights(INITIALISATIONS["orthogonal"], rng)
    x, error = rng.normal(size=(2, 4, 24))
    deltas = chain.sweep(weights, x, error).delta
    norms = [np.linalg.norm(delta, axis=1) for delta in deltas]
    sizes = [spectral(matrix) for matrix in weights]
    assert len(vanishing.beyond(norms, sizes, slope)) == found


def test_error_terms_follow_the_recursion() -> None:
    chain = Chain.of(Dense(5, "tanh"), 3, 5)
    rng = np.random.default_rng(1)
    weights = chain.weights(INITIALISATIONS["Glorot"], rng)
    x, error = rng.normal(size=(2, 4, 5))
    sweep = chain.sweep(weights, x, error)
    delta = error
    for layer in (2, 1, 0):
        delta = delta * (1 - np.tanh(sweep.z[layer]) ** 2)
        np.testing.assert_allclose(sweep.delta[layer], delta, rtol=1e-12)
        delta = delta @ weights[layer]


# --- saturation ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def mapped() -> dict[str, Any]:
    names = ("tanh", "hard_tanh", "relu")
    return saturation.measure(names, [0.5, 2.0, 8.0], depth=5, width=32, seeds=2)


def test_saturation_stands(mapped: dict[str, Any]) -> None:
    worst, name, scale = saturation.farthest(mapped)
    stands(
        mapped,
        saturation.paragraph(mapped),
        saturation.draw(mapped),
        f"within a factor {worst:.2f}",
        f"({name} at {scale:.3g}",
    )


def test_saturated_slopes_grow_with_the_weights(mapped: dict[str, Any]) -> None:
    tanh, hard, relu = mapped["maps"]
    for row in (tanh, hard):
        shares = np.mean(row["share"], axis=1)
        assert (np.diff(shares) > 0).all()
        assert (np.diff(row["left"]) < 0).all()
    # A relu is flat for half of all numbers, at any scale.
    assert np.mean(relu["share"]) == pytest.approx(0.5, abs=0.1)
    assert np.ptp(relu["share"], axis=0).max() < 1e-12


def test_what_shares_allow_is_not_passed(mapped: dict[str, Any]) -> None:
    for row in mapped["maps"]:
        for told, most in zip(row["expected"], row["shares_allow"], strict=True):
            assert told <= most * (1 + 1e-12)
    # A hard function's slope is 0 or the steepest: the share says all.
    hard = mapped["maps"][1]
    assert hard["expected"] == pytest.approx(hard["shares_allow"], rel=0.01)
    assert saturation.farthest(mapped)[0] < 2


def test_a_slope_left_out_is_noticed(mapped: dict[str, Any]) -> None:
    planted = {**mapped, "maps": [dict(row) for row in mapped["maps"]]}
    planted["maps"][0]["left"] = [3 * left for left in mapped["maps"][0]["left"]]
    assert saturation.farthest(planted)[0] > 2


# --- saturation in training ----------------------------------------------------------


@pytest.fixture(scope="module")
def by_epoch() -> dict[str, Any]:
    return saturation_in_training.measure(
        {"tanh": 0.1}, (1.0, 8.0), hidden=2, units=24, samples=90, epochs=5, networks=2
    )


def test_saturation_in_training_stands(by_epoch: dict[str, Any]) -> None:
    gentle, harsh = by_epoch["runs"]
    stands(
        by_epoch,
        saturation_in_training.paragraph(by_epoch),
        saturation_in_training.draw(by_epoch),
        f"{np.mean(harsh['share'][0]):.0%} of the slopes of tanh",
        f"{gentle['loss'][0]:.2g} to {gentle['loss'][-1]:.2g}",
    )
    for run in by_epoch["runs"]:
        assert np.shape(run["share"]) == (by_epoch["epochs"] + 1, 2)
        assert len(run["loss"]) == by_epoch["epochs"] + 1


def test_shares_at_the_start_are_those_of_the_mean_field(
    by_epoch: dict[str, Any],
) -> None:
    gentle, harsh = by_epoch["runs"]
    for run in (gentle, harsh):
        assert run["share"][0] == pytest.approx(run["expected"], abs=0.12)
    assert np.mean(harsh["share"][0]) > 0.3
    assert np.mean(gentle["share"][0]) < 0.02
    # Of two normal numbers z = sqrt(q) g, one is beyond 2.993, where tanh' is 1%.
    x = np.array([[3.0, 4.0]])
    deviation = 8 * sqrt(2 / (2 + 24)) * 5
    (found,) = saturation_in_training.expected("tanh", 8.0, x, 24, 1)
    assert found == pytest.approx(1 - erf(2.993 / deviation / sqrt(2)), abs=0.01)


# --- dead units ----------------------------------------------------------------------

GENTLE, HARSH = dead_units.Setting(0, 0.03), dead_units.Setting(-2, 0.3)


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    return dead_units.measure(
        ("relu", "leaky_relu"),
        (GENTLE, HARSH),
        hidden=1,
        units=24,
        samples=90,
        epochs=6,
        seeds=2,
    )


def test_dead_units_stands(counted: dict[str, Any]) -> None:
    relu = counted["runs"][0]
    silent = sum(run["silent_at_end"] for run in counted["runs"][:2])
    stands(
        counted,
        dead_units.paragraph(counted),
        dead_units.draw(counted),
        f"{np.mean(relu['active'][0]):.1%} of the units",
        f"Of the {silent} silent units of relu",
    )


def test_half_of_the_units_are_active_at_first(counted: dict[str, Any]) -> None:
    for run in counted["runs"]:
        share = np.mean(run["active"][0])
        if run["bias"] == 0:
            assert share == pytest.approx(0.5, abs=0.08)
        else:
            assert share < 0.2
        assert len(run["silent"]) == len(run["active"]) == counted["epochs"] + 1


def test_no_gradient_reaches_a_dead_relu(counted: dict[str, Any]) -> None:
    for run in counted["runs"]:
        if run["bias"] < 0:
            assert run["silent_at_end"] > 0
            dead = run["activation"] == "relu"
            assert run["unmoved"] == (run["silent_at_end"] if dead else 0)


# --- bias shift ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def shifted() -> dict[str, Any]:
    return bias_shift.measure(
        ("logistic", bias_shift.CENTRED),
        (0.3, 3.0),
        depth=4,
        width=24,
        hidden=1,
        units=8,
        epochs=40,
        networks=2,
        tunings=1,
    )


def test_bias_shift_stands(shifted: dict[str, Any]) -> None:
    plain, centred = shifted["kinds"]
    stands(
        shifted,
        bias_shift.paragraph(shifted),
        bias_shift.draw(shifted),
        f"{plain['one_sample']:.0%} (logistic)",
        f"{centred['batch']:.0%} (logistic - 1/2)",
        f"rate {plain['rate']:g}",
    )


def test_positive_inputs_tie_the_signs(shifted: dict[str, Any]) -> None:
    plain, centred = shifted["kinds"]
    assert plain["one_sample"] == 1
    assert plain["batch"] > 0.8
    for share in (centred["one_sample"], centred["batch"]):
        assert share == pytest.approx(shifted["random_signs"], abs=0.03)


def test_means_are_those_of_the_mean_field(shifted: dict[str, Any]) -> None:
    for row, mean in zip(shifted["kinds"], (0.5, 0.0), strict=True):
        assert row["mean_field"] == pytest.approx([mean] * 4, abs=1e-12)
        assert row["mean"] == pytest.approx(row["mean_field"], abs=0.05)
    plain, centred = (row["stretch"] for row in shifted["kinds"])
    assert plain > 2 * centred


def test_tanh_is_a_logistic_moved_and_stretched(shifted: dict[str, Any]) -> None:
    assert shifted["tanh_twin"] < 1e-15
    x = np.linspace(-3, 3, 7)
    other = bias_shift.TWIN.replace("2*z", "z")
    told, planted = (curve_of(text, x)[0] for text in (bias_shift.TWIN, other))
    np.testing.assert_allclose(told, np.tanh(x), atol=1e-15)
    assert np.abs(planted - np.tanh(x)).max() > 0.1


def test_the_best_rate_is_chosen_by_the_trials(shifted: dict[str, Any]) -> None:
    for row in shifted["kinds"]:
        least = min(loss for loss in row["tuning"] if loss is not None)
        assert row["rate"] == shifted["rates"][row["tuning"].index(least)]
        assert len(row["loss"]) == shifted["epochs"]
        assert row["loss"][-1] < row["loss"][0]


# --- hard functions ------------------------------------------------------------------


@pytest.mark.parametrize("pair", hard_functions.PAIRS, ids=lambda pair: pair.hard)
def test_distances_are_those_of_the_formulas(pair: hard_functions.Pair) -> None:
    found = hard_functions.apart(pair.hard, pair.smooth)
    assert found["distance"] == pytest.approx(pair.distance, rel=1e-12)
    corners = {"logistic": [-2, 2], "tanh": [-1, 1], "softplus": [0]}
    assert found["at"] == pytest.approx(corners[pair.smooth], abs=1e-9)


def test_hard_logistic_is_the_taylor_expansion_clipped() -> None:
    row = hard_functions.apart("hard_logistic", "logistic")
    assert hard_functions.is_tangent(row)
    assert row["value_at_zero"] == [0.5, 0.5]
    assert row["slope_at_zero"] == [0.25, 0.25]
    assert hard_functions.is_tangent(hard_functions.apart("hard_tanh", "tanh"))
    # Neither a wrong slope nor a wrong value passes for a tangent.
    assert not hard_functions.is_tangent(hard_functions.apart("hard_tanh", "logistic"))
    assert not hard_functions.is_tangent(hard_functions.apart("relu", "softplus"))
    x = np.linspace(-4, 4, 33)
    clipped = np.clip(0.25 * x + 0.5, 0, 1)
    np.testing.assert_allclose(curve("hard_logistic", x)[0], clipped, atol=1e-15)


def test_hard_functions_stands() -> None:
    data = hard_functions.measure(
        hard_functions.PAIRS[1:2],
        (0.3, 1.0),
        units=8,
        epochs=30,
        networks=2,
        tunings=1,
    )
    (row,) = data["pairs"]
    stands(
        data,
        hard_functions.paragraph(data),
        hard_functions.draw(data),
        f"{row['distance']:.4f} away from tanh",
        f"an accuracy of {row['trained']['hard_tanh']['accuracy']:.1%}",
    )
    for name in ("hard_tanh", "tanh"):
        trained = row["trained"][name]
        assert 0.3 < trained["accuracy"] <= 1
        assert trained["loss"][-1] < trained["loss"][0]


# --- all of them ---------------------------------------------------------------------


@pytest.mark.parametrize("name", MINE)
def test_study_takes_no_file(name: str) -> None:
    network = Network(4, [Dense(3, "tanh")], "squared_error")
    with pytest.raises(InputError, match=f"study {name}: it declares its own"):
        studies.study(name, network.program)


@pytest.mark.parametrize("name", MINE)
def test_study_is_listed(name: str) -> None:
    assert name in studies.names()
    assert studies.about(name).endswith(".")
