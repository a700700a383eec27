"""Studies of both modes by shape, and of both kinds of graph, on small settings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from symbackprop.contrast import jacobians, studies
from symbackprop.contrast.studies import modes
from symbackprop.contrast.study import Study
from symbackprop.contrast.tally import ARITHMETIC
from symbackprop.errors import CheckError, InputError
from symbackprop.figures import FORMATS, encoded
from symbackprop.program import Program
from symbackprop.witnesses import duals, tape
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
    assert "modes" in studies.names()


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
