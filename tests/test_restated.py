"""The digits network said three ways: layers, equations, other names throughout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreted import call

import symbackprop as sb
from symbackprop.source import emit, plan_file
from symbackprop.witnesses.draws import draw

DIGITS = Path(__file__).parent.parent / "examples" / "digits.toml"
RENAMED = {
    "W1": "zeta", "b1": "alpha", "W2": "aleph", "b2": "zz", "x": "pixels", "y": "digit",
    "z1": "q", "a1": "Y", "z2": "c0", "a2": "guess", "L": "A", "R": "objective",
    "i0": "w", "i1": "a", "i2": "m", "k2": "b", "lam": "decay",
}  # fmt: skip


def renamed(text: str, names: dict[str, str]) -> str:
    """Other names for whole identifiers, and inside those derived from them."""
    before, after = "delta_log_|delta_|log_|d|", "_max|_exp|_sum|"
    derived = rf"(?<![A-Za-z0-9])({before})(\w+?)({after})(?![A-Za-z0-9_])"

    def change(match: re.Match[str]) -> str:
        prefix, stem, suffix = match.groups()
        return prefix + names.get(stem, stem) + suffix

    return re.sub(derived, change, text)


def declaration(program: sb.Program, names: dict[str, str]) -> dict[str, Any]:
    """The program's own text and declaration, under other names."""

    def new(name: str) -> str:
        return names.get(name, name)

    def shapes(tensors: tuple[Any, ...]) -> dict[str, str]:
        return {new(t.name): " ".join(map(new, t.axes)) for t in tensors}

    return {
        "equations": renamed(program.text, names),
        "axes": {new(a.name): a.size for a in program.axes.values()},
        "parameters": shapes(program.parameters),
        "data": shapes(program.data),
        "constants": {new(c.name): float(c.value) for c in program.constants.values()},
        "batched": tuple(new(t.name) for t in program.data if t.batched),
        "objective": new(program.objective),
        "name": "digits",
    }


@pytest.fixture(scope="module")
def layers() -> sb.Program:
    return sb.load(DIGITS).program


@pytest.mark.parametrize("names", [{}, RENAMED], ids=["equations", "renamed"])
def test_the_same_derivation_and_bits(layers: sb.Program, names, rng) -> None:
    text = sb.Program(**declaration(layers, names))
    ours, theirs = sb.derive(layers), sb.derive(text)
    assert [e.tensor for e in theirs.forward + theirs.adjoint] == [
        renamed(e.tensor, names) for e in ours.forward + ours.adjoint
    ]
    values = draw(layers, rng, 3)
    moved = {names.get(n, n): v for n, v in values.items()}
    for dtype in ("float32", "float64"):
        first = call(layers, plan_file(ours, dtype), values)
        second = call(text, plan_file(theirs, dtype), moved)
        assert first[0] == second[0]
        np.testing.assert_array_equal(first[2], second[2])


def test_the_emitted_code_differs_in_names_only(layers: sb.Program) -> None:
    text = sb.Program(**declaration(layers, RENAMED))
    ours, theirs = emit(sb.derive(layers)), emit(sb.derive(text))

    def shape(source: str) -> list[str]:
        """Each statement with every identifier blotted out; comments are wrapped."""
        code = [re.sub(r"#.*", "", line).strip() for line in source.splitlines()]
        code = code[code.index("real = np.float32") :]
        return sorted(re.sub(r"[A-Za-z_]\w*", "_", line) for line in code if line)

    assert shape(ours) == shape(theirs)


def test_one_layer_of_equations_says_the_same(layers: sb.Program, rng) -> None:
    """`Equations` layers in place of `Dense`: equal but for the letters of indices."""
    dense = "z[i] = sum(W[i, j]*x[j], j) + b[i]\n"
    parameters = {"W": "i j", "b": "i"}

    def layer(text: str, axes: dict[str, int]) -> sb.Layer:
        return sb.Equations(dense + text, axes, parameters, weights=("W",))

    softmax = "a[i] = exp(z[i]) / sum(exp(z[k]), k)"
    network = sb.Network(
        64,
        [
            layer("a[i] = tanh(z[i])", {"i": 32, "j": 64}),
            layer(softmax, {"i": 10, "j": 32, "k": 10}),
        ],
        "cross_entropy",
        sb.Frobenius(1e-4),
        name="digits",
    )
    ours, theirs = sb.derive(layers), sb.derive(network)
    values = draw(layers, rng, 3)
    first = call(layers, plan_file(ours, "float64"), values)
    second = call(network.program, plan_file(theirs, "float64"), values)
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[2], second[2])
