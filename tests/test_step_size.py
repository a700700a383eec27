"""The study of step sizes: theory and measurement, and a truth that is held."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.contrast.studies import about, names, step_size, study
from symbackprop.errors import CheckError
from symbackprop.figures import encoded
from symbackprop.witnesses.differences import EPS, FORMULAS, slope
from symbackprop.witnesses.numbers import Precise


@pytest.fixture(scope="module")
def found() -> Any:
    return study("step-size", seed=0)


def test_study_is_found_by_its_name(found: Any) -> None:
    assert "step-size" in names()
    assert "rounding" in about("step-size")
    assert found.name == "step-size"


def test_truncation_has_the_exponent_of_the_formula(found: Any) -> None:
    powers = {m["name"]: m["truncation_exponent"] for m in found.data["methods"]}
    wanted = {f.name: f.order for f in step_size.STUDIED} | {"complex step": 2}
    assert set(powers) == set(wanted)
    for name, power in wanted.items():
        assert powers[name] == pytest.approx(power, rel=0.1)


def test_rounding_rises_as_one_over_the_step(found: Any) -> None:
    for method in found.data["methods"][:-1]:
        assert method["rounding_exponent"] == pytest.approx(-1, rel=0.1)


def test_best_step_and_its_error_are_as_predicted(found: Any) -> None:
    for method in found.data["methods"][:-1]:
        for what in ("step", "error"):
            ratio = method["measured"][what] / method["predicted"][what]
            assert 0.2 < ratio < 5, method["name"]


def test_theory_runs_along_what_was_measured(found: Any) -> None:
    for method in found.data["methods"][:-1]:
        pairs = zip(
            found.data["steps"], method["errors"], method["theory"], strict=True
        )
        ratios = [e / t for h, e, t in pairs if 1e-13 < h < 1e-2]
        assert min(ratios) > 0.1
        assert max(ratios) < 10


def test_complex_step_is_flat_at_the_bottom(found: Any) -> None:
    exact = found.data["methods"][-1]
    below = [
        e for h, e in zip(found.data["steps"], exact["errors"], strict=True) if h < 1e-8
    ]
    assert len(below) > 20
    assert max(below) < 8 * EPS


def test_extrapolation_knows_its_error(found: Any) -> None:
    own = found.data["extrapolation"]
    assert own["error"] <= own["estimate"] < 1e-9
    assert own["evaluations"] < 100


def test_extrapolated_formula_is_the_tableau_of_central_differences() -> None:
    context = Precise(40).context
    x, v = np.array([context.mpf(1)]), np.array([context.mpf(1)])
    h = context.mpf("0.01")

    def f(x: Any) -> Any:
        return context.exp(context.sin(x[0]))

    central = FORMULAS["central difference"]
    row = [slope(f, x, v, central, h * 2**k) for k in range(4)]
    for k in range(1, 4):
        row = [fine + (fine - coarse) / (4**k - 1) for fine, coarse in pairwise(row)]
    assert abs(row[0] - slope(f, x, v, step_size.EXTRAPOLATED, h)) < 1e-35


def test_data_are_json_and_the_paragraph_quotes_them(found: Any) -> None:
    assert json.loads(json.dumps(found.data, allow_nan=False)) == found.data
    for method in found.data["methods"][:-1]:
        for figures in (method["measured"], method["predicted"]):
            assert f"{figures['step']:.0e}" in found.paragraph
            assert f"{figures['error']:.0e}" in found.paragraph


def test_figure_says_what_it_shows(found: Any) -> None:
    figure = found.draw()
    (axes,) = figure.axes
    assert "step" in axes.get_xlabel()
    assert "error" in axes.get_ylabel()
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {m["name"] for m in found.data["methods"]} < set(told)
    assert any("theory" in text for text in told)
    assert encoded(figure, "png").startswith(b"\x89PNG")


def test_wrong_truth_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    line = step_size.line_of(step_size.example(), 0)
    right = step_size.dual_slope

    def planted(*arguments: Any) -> Any:
        return right(*arguments) * (1 + numbers.context.mpf(10) ** -40)

    numbers = Precise(step_size.DIGITS)
    assert step_size.truth(line, numbers) != 0
    monkeypatch.setattr(step_size, "dual_slope", planted)
    with pytest.raises(CheckError, match="by dual numbers and"):
        step_size.truth(line, numbers)


def test_parabola_has_no_truncation_beyond_the_first_order() -> None:
    program = sb.Program(
        equations="L = sum((w[i]*x[i] - 1)**2, i)",
        axes={"i": 3},
        parameters={"w": "i"},
        data={"x": "i"},
        objective="L",
        name="parabola",
    )
    made = study("step-size", program)
    forward, central, *_ = made.data["methods"]
    assert forward["truncation_exponent"] == pytest.approx(1, rel=0.01)
    assert central["truncation_exponent"] is None
    assert central["predicted"] is None
    assert "its truncation is 0 here" in made.paragraph
    json.dumps(made.data, allow_nan=False)
    assert len(made.draw().axes) == 1
