"""The studies of cost: growth with the parameters, and swell of expressions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import symbackprop as sb
from symbackprop.contrast import outputs
from symbackprop.contrast.studies import expression_swell
from symbackprop.contrast.studies import parameter_cost as growth
from symbackprop.contrast.study import Study
from symbackprop.errors import InputError
from symbackprop.plain import json_text

SLOPE_BY_SLOPE = ("central difference", "complex step", "dual numbers, scalar")
ALL_AT_ONCE = ("tape, dynamic graph", "static graph, compiled")


def silent(doing: str) -> None:
    assert doing


@pytest.fixture(scope="module")
def costs() -> dict[str, Any]:
    methods = [m for m in growth.METHODS if "recursion" not in m.name]  # no compiler
    programs = [growth.network(width) for width in (2, 4, 8)]
    return growth.measured(programs, methods, 0, 0.05, silent)


@pytest.fixture(scope="module")
def sizes() -> dict[str, Any]:
    return expression_swell.measured((1, 2, 4, 6), (1, 2), ((4, 4, 2),), 0, silent)


@pytest.mark.parametrize("method", SLOPE_BY_SLOPE)
def test_cost_by_slopes_grows_with_the_parameters(costs: Any, method: str) -> None:
    assert costs["methods"][method]["exponent"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("method", ALL_AT_ONCE)
def test_reverse_mode_stays_at_a_small_multiple(costs: Any, method: str) -> None:
    found = costs["methods"][method]
    evaluation = costs["operations_of_one_evaluation"]
    multiples = [n / e for n, e in zip(found["operations"], evaluation, strict=True)]
    assert max(multiples) <= growth.BOUND
    assert found["exponent"] == pytest.approx(0, abs=0.1)


def test_exponent_finds_another_power() -> None:
    assert growth.exponent([2, 4, 8], [4, 16, 64]) == pytest.approx(2)


def test_your_program_grows_along_its_axes() -> None:
    line = sb.Program(
        equations="L = sum(w[i]*x[i], i)**2",
        axes={"i": 2},
        parameters={"w": "i"},
        data={"x": "i"},
        objective="L",
    )
    wider = growth.widened(line, (1, 3))
    assert [program.size("i") for program in wider] == [2, 6]
    with pytest.raises(InputError, match=r"none of the axes .* can be lengthened"):
        growth.widened(line, (1, 10**15))


def test_a_filter_may_keep_its_length() -> None:
    slid = sb.Program(
        equations="z[t] = sum(w[k]*x[t + k], k)\nL = sum(z[t]**2, t)",
        axes={"s": 5, "t": 4, "k": 2},
        parameters={"w": "k"},
        data={"x": "s"},
        objective="L",
    )
    wider = growth.widened(slid, (1, 3))
    assert [program.size("s") for program in wider] == [5, 15]
    sizes = [(program.size("t"), program.size("k")) for program in wider]
    assert sizes[1] in ((12, 2), (4, 6))
    assert growth.exponent(sizes[0], [7, 7]) == pytest.approx(0)


def test_swell_by_depth_is_that_of_theory(sizes: Any) -> None:
    deep, layers = sizes["by_depth"], sizes["depths"]
    growth_a_layer = (deep[-1]["tree"] / deep[-2]["tree"]) ** (
        1 / (layers[-1] - layers[-2])
    )
    assert growth_a_layer == pytest.approx(expression_swell.theory([4, 6]), rel=0.1)


def test_recursion_grows_by_layers(sizes: Any) -> None:
    taken = [each["recursion"] for each in sizes["by_depth"]]
    by_layer = [
        (b - a) / (n - m)
        for a, b, m, n in zip(
            taken, taken[1:], sizes["depths"], sizes["depths"][1:], strict=False
        )
    ]
    assert max(by_layer) == min(by_layer)


@pytest.mark.parametrize(
    ("study", "data"), [(growth, "costs"), (expression_swell, "sizes")]
)
def test_study_is_written(study: Any, data: str, request: Any) -> None:
    found = request.getfixturevalue(data)
    draw: Callable[[], Any] = lambda: study.drawn(found)  # noqa: E731
    made = Study("s", "t", study.paragraph(found), found, draw)
    assert json.loads(json_text(outputs.record(made)))["data"] == json.loads(
        json.dumps(found)
    )
    for suffix in (".png", ".svg", ".md"):
        assert outputs.FORMATS[suffix](made)


def test_paragraph_tells_what_was_counted(sizes: Any, costs: Any) -> None:
    told = expression_swell.paragraph(sizes)
    assert "9,598" in told
    assert "169" in told
    yours = {"name": "mine", "tree": 5, "recursion": 4, "value": 3}
    assert "*mine*" in expression_swell.paragraph({**sizes, "yours": yours})
    exponent = costs["methods"]["complex step"]["exponent"]
    assert f"complex step (exponent {exponent:.2f}" in growth.paragraph(costs)
