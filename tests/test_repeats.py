"""Runs of equal layers, found in schedules."""

from __future__ import annotations

import numpy as np
import pytest
from interpreted import call

from symbackprop.derivation import differentiate
from symbackprop.program import Program
from symbackprop.repeats import repeats
from symbackprop.source import plan_file
from symbackprop.source.sweeps import arrange
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.slopes import complex_step


def deep(layers: int, width: int = 3, tied: bool = False) -> Program:
    lines, parameters, before = [], {}, "x"
    for n in range(1, layers + 1):
        w = "W" if tied and n > 1 else f"W{n}"
        if w not in parameters:
            parameters[w] = f"i{n} i{n - 1}"
        parameters[f"b{n}"] = f"i{n}"
        lines.append(
            f"z{n}[i{n}] = sum({w}[i{n}, i{n - 1}] * {before}[i{n - 1}], i{n - 1})"
            f" + b{n}[i{n}]"
        )
        lines.append(f"a{n}[i{n}] = tanh(z{n}[i{n}])")
        before = f"a{n}"
    lines.append(f"L = sum({before}[i{layers}]**2, i{layers})")
    return Program(
        "\n".join(lines),
        axes={f"i{n}": width for n in range(layers + 1)},
        parameters=parameters,
        data={"x": "i0"},
        batched=("x",),
        objective="L",
        name=f"deep{layers}",
    )


def test_equal_layers_are_one_run() -> None:
    derivation = differentiate(deep(9))
    (run,) = repeats(derivation.forward_items, derivation.system, starts=(2,))
    assert (run.start, run.length, run.count) == (2, 2, 8)
    assert run.renaming[0]["a1"] == "a1"
    assert run.renaming[7] == {
        "z2": "z9", "W2": "W9", "a1": "a8", "b2": "b9", "a2": "a9"
    }  # fmt: skip


def test_two_equal_layers_are_no_run() -> None:
    derivation = differentiate(deep(3))
    assert repeats(derivation.forward_items, derivation.system) == []


def test_layers_of_other_widths_are_no_run() -> None:
    narrow = differentiate(deep(3)).forward_items
    wide = differentiate(deep(3, width=4))
    assert repeats(wide.forward_items[2:4] + narrow[2:4], wide.system) == []


def test_the_adjoint_is_one_run_too() -> None:
    derivation = differentiate(deep(9))
    runs = [
        stretch.run
        for stretch in arrange(derivation.adjoint_items, derivation.system, {})
        if stretch.run is not None
    ]
    assert [run.count for run in runs] in ([7], [8])


@pytest.mark.parametrize("tied", [False, True])
def test_runs_compute_the_gradient(
    tied: bool, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = deep(6, tied=tied)
    file = plan_file(differentiate(program), "float64")
    assert "for layer in range(" in file.text
    values = draw(program, rng, 3)
    _, _, gradient = call(program, file, values)
    along = {t.name: rng.normal(size=program.shape(t.name)) for t in program.parameters}
    flat = np.concatenate([np.ravel(along[t.name]) for t in program.parameters])
    expected = complex_step(program, values, along)
    assert gradient @ flat == pytest.approx(expected, rel=1e-11)


def test_text_does_not_grow_with_depth() -> None:
    few = plan_file(differentiate(deep(6)), "float32").text
    derivation = differentiate(deep(60))
    many = plan_file(derivation, "float32").text
    table = 2 * (60 - 6)  # the docstring's rows
    assert many.count("\n") <= few.count("\n") + table + 4
