"""Studies of single formulas and of small networks, at settings that take no time."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from symbackprop.contrast import studies
from symbackprop.contrast.composition import Composition, check, compose, sweep
from symbackprop.contrast.graph import layout, mathematics
from symbackprop.contrast.studies import elementary_graph
from symbackprop.contrast.study import Study
from symbackprop.contrast.sweep_tables import tables
from symbackprop.errors import CheckError, InputError
from symbackprop.figures import encoded
from symbackprop.program import Program


def quiet(doing: str) -> None:
    assert doing


def judged(study: Study) -> dict[str, Any]:
    """A study that can be shown: words, data as JSON takes them, a figure."""
    assert study.title
    assert study.paragraph.endswith(".")
    assert "\N{EM DASH}" not in study.paragraph
    assert encoded(study.draw(), "svg").startswith(b"<?xml")
    found: dict[str, Any] = json.loads(json.dumps(study.data, allow_nan=False))
    return found


# --- elementary functions ------------------------------------------------------------


def scalars(equations: str, parameters: str, data: str = "", **more: Any) -> Program:
    last = equations.strip().splitlines()[-1]
    return Program(
        equations=equations,
        axes={},
        parameters=dict.fromkeys(parameters.split(), ""),
        data=dict.fromkeys(data.split(), ""),
        objective=last.split("=")[0].strip(),
        **more,
    )


VARIED = {
    "neuron": scalars("z = x*w + b\nf = 1/(exp(-z) + 1)", "w b", "x"),
    "paths": scalars("f = x*w + sin(x*w)", "w", "x"),
    "quotients": scalars("f = 3*a/(b*c**2) - a**2/7 - c", "a b c"),
    "roots": scalars("f = sqrt(a**2 + 1)**3 * (a + 2)**a", "a"),
    "activations": scalars(
        "f = relu(a) + gelu(b)*swish(a) - elu(b)/softplus(a) + hard_tanh(a*b)", "a b"
    ),
    "choices": scalars(
        "h = where(a < b, a**2, tanh(b))\nf = maximum(h, a*b) + abs(a)", "a b"
    ),
    "constants": scalars("f = lam*a**2 + 0.5", "a", constants={"lam": 0.25}),
    "names": scalars("h1 = a*h2\nf = h1*exp(h1)", "a h2"),
    "unused": scalars("u = exp(a)\nf = 2*a", "a"),
    "a variable": scalars("f = a", "a"),
}


@pytest.mark.parametrize("name", VARIED)
def test_sweeps_agree_with_the_whole_formula(
    name: str, rng: np.random.Generator
) -> None:
    made = compose(VARIED[name])
    for step in made.steps:
        assert step.function.count_ops() <= 3  # one operation and what it is on
    for _ in range(3):
        drawn = rng.uniform(0.2, 1.5, len(made.leaves))
        point = dict(zip(made.leaves, map(Fraction, drawn.tolist()), strict=True))
        assert check(made, point, sweep(made, point)) < 1e-30


def neuron() -> tuple[Composition, dict[Any, Any]]:
    made = compose(VARIED["neuron"])
    numbers = {"x": Fraction(1), "w": Fraction(0), "b": Fraction(0)}
    return made, {leaf: numbers[leaf.name] for leaf in made.leaves}


def test_neuron_of_the_textbook() -> None:
    made, point = neuron()
    found = [f"{s.symbol} = {made.text(s.function)}" for s in made.steps]
    assert found == [
        *("h1 = w*x", "h2 = b + h1", "h3 = -h2"),
        *("h4 = exp(h3)", "h5 = 1 + h4", "h6 = 1/h5"),
    ]
    swept = sweep(made, point)
    h = [step.symbol for step in made.steps]
    assert [swept.values[s] for s in h] == [0, 0, 0, 1, 2, Fraction(1, 2)]
    w, b = made.variables
    quarter = Fraction(1, 4)
    assert [swept.forward[w][s] for s in h] == [1, 1, -1, -1, -1, quarter]
    assert [swept.forward[b][s] for s in h] == [0, 1, -1, -1, -1, quarter]
    back = [swept.reverse[s] for s in h]
    assert back == [quarter, quarter, -quarter, -quarter, -quarter, 1]
    assert (swept.reverse[w], swept.reverse[b]) == (quarter, quarter)
    assert check(made, point, swept) == 0


def test_paths_are_added() -> None:
    made = compose(VARIED["paths"])
    point = {leaf: Fraction(leaf.name == "x") * 2 for leaf in made.leaves}
    swept = sweep(made, point)
    h1 = made.steps[0].symbol
    assert sorted(swept.paths[h1].values()) == [1, 1]
    assert swept.reverse[h1] == 2
    assert swept.reverse[made.variables[0]] == 4


def test_wrong_local_derivative_is_reported() -> None:
    made, point = neuron()
    h5, h6 = made.steps[4:]
    wrong = MappingProxyType({h5.symbol: 1 / h5.symbol**2})  # the sign is lost
    planted = replace(made, steps=(*made.steps[:5], replace(h6, local=wrong)))
    with pytest.raises(CheckError, match=r"h6 = 1/h5: the local derivative by h5"):
        check(planted, point, sweep(planted, point))


def test_wrong_sweeps_are_reported() -> None:
    made, point = neuron()
    swept = sweep(made, point)
    w = made.variables[0]
    last = made.steps[-1].symbol
    lost = replace(swept, reverse={**swept.reverse, w: Fraction(1, 2)})
    with pytest.raises(CheckError, match="reverse sweep by w"):
        check(made, point, lost)
    tangents = {**swept.forward[w], last: Fraction(0)}
    lost = replace(swept, forward={**swept.forward, w: tangents})
    with pytest.raises(CheckError, match="forward sweep by w"):
        check(made, point, lost)


@pytest.mark.parametrize("name", VARIED)
def test_no_two_nodes_or_bends_share_a_place(name: str) -> None:
    placed = layout(compose(VARIED[name]))
    bends = [spot for through in placed.bends.values() for spot in through]
    spots = [*placed.spots.values(), *bends]
    assert len(spots) == len(set(spots))
    for (operand, reader), through in placed.bends.items():
        ends = (placed.spots[operand], *through, placed.spots[reader])
        columns = [column for column, _ in ends]
        assert columns == list(np.arange(columns[0], columns[-1] + 1))


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("-1/h5**2", "$-1/{h_{5}}^{2}$"),
        ("h12", "$h_{12}$"),
        ("exp(h3)", r"$\mathrm{exp}(h_{3})$"),
        ("hard_tanh(x)", r"$\mathrm{hard\_tanh}(x)$"),
        ("a*b", r"$a\,b$"),
        ("where(a < b, 0, very_long)", ""),
    ],
)
def test_formula_in_a_figure(text: str, drawn: str) -> None:
    assert mathematics(text) == drawn


def test_elementary_graph_shows_its_examples() -> None:
    found = judged(studies.study("elementary-graph"))
    first, second = found["formulas"]
    assert len(first["steps"]) == 6
    assert first["slopes"]["w"] == {"text": "1/4", "value": 0.25}
    assert first["worst_disagreement"] == 0
    assert second["steps"][0]["paths"] == {
        name: {"text": "1", "value": 1.0} for name in ("h2", "h3")
    }


def test_elementary_graph_of_a_program() -> None:
    study = studies.study("elementary-graph", VARIED["activations"], seed=1)
    (found,) = judged(study)["formulas"]
    assert set(found["slopes"]) == {"a", "b"}
    assert "`f = " in study.paragraph


def test_elementary_graph_says_what_it_takes() -> None:
    wide = Program(
        equations="f = sum(w[i]**2, i)",
        axes={"i": 2},
        parameters={"w": "i"},
        data={},
        objective="f",
    )
    with pytest.raises(InputError, match=r"axes i.*are all scalars"):
        studies.study("elementary-graph", wide)
    with pytest.raises(InputError, match="are all scalars"):
        compose(wide)
    long = scalars("f = " + " + ".join(f"exp({k}*a)" for k in range(2, 30)), "a")
    with pytest.raises(InputError, match=f"{elementary_graph.NODES} can be drawn"):
        studies.study("elementary-graph", long)


def test_formula_without_a_value_is_refused() -> None:
    made = compose(scalars("f = log(a)", "a"))
    with pytest.raises(InputError, match="no finite value at a = -1"):
        sweep(made, {made.variables[0]: Fraction(-1)})


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is missing")
def test_pdflatex_sets_the_tables(tmp_path: Path) -> None:
    parts = [studies.study("elementary-graph").latex]
    for name in ("quotients", "names"):
        made = compose(VARIED[name])
        point = dict.fromkeys(made.leaves, Fraction(1, 3))
        parts.append(tables(made, sweep(made, point)))
    body = "\n\\newpage\n".join(parts)
    (tmp_path / "tables.tex").write_text(
        "\\documentclass{article}\n\\usepackage{amsmath,booktabs}\n"
        "\\usepackage[margin=15mm]{geometry}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "tables.log").read_text(errors="replace")
    assert "Overfull" not in log
