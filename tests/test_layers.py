"""Laws over every layer, and the vocabulary of activations and losses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.layers import Forward, Layer
from symbackprop.losses import LOSSES
from symbackprop.scalars import ACTIVATIONS

LAYERS = sorted(Layer.registry)


@pytest.mark.parametrize("kind", LAYERS)
def test_every_example_is_a_network(kind: str) -> None:
    layer, shape = Layer.registry[kind].example()
    network = sb.Network(list(shape), [layer], "squared_error")
    assert network.outputs == layer.forward(shape).shape
    assert network.program.output.endswith("1")


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_stands_on_itself(kind: str) -> None:
    """Where shapes allow it, a layer follows itself without a clash of names."""
    layer, shape = Layer.registry[kind].example()
    if layer.forward(shape).shape == shape:
        program = sb.Network(list(shape), [layer, layer], "squared_error").program
        assert program.output.endswith("2")


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "softmax"])
@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_every_activation(activation: str, shape: tuple[int, ...]) -> None:
    network = sb.Network(list(shape), [sb.Activation(activation)], "squared_error")
    assert network.outputs == shape
    dense = sb.Network(list(shape), [sb.Dense(2, activation)], "squared_error")
    assert dense.outputs == (2,)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss: str) -> None:
    program = sb.Network(4, [sb.Dense(3, "softmax")], loss).program
    assert program.objective == "L"
    labels = LOSSES[loss].takes_labels
    assert program.tensors["y"].integer is labels
    assert program.shape("y") == (() if labels else (3,))


def test_learnable_slopes_are_parameters() -> None:
    program = sb.Network(4, [sb.Dense(3, "prelu")], "squared_error").program
    assert program.tensors["r1"].role == "parameter"
    assert program.shape("r1") == (3,)
    assert program.initial["r1"] == 0.25


def test_softmax_runs_over_the_last_axis() -> None:
    text = sb.Activation("softmax").forward((2, 3)).equations
    assert text == "a[i_1, i_2] = exp(x[i_1, i_2]) / sum(exp(x[i_1, k]), k)"


def test_dense_sums_over_every_axis_of_its_input() -> None:
    program = sb.Network([1, 8, 7], [sb.Dense(2)], "squared_error").program
    assert program.shape("W1") == (2, 1, 8, 7)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: sb.Dense(0), "`units` is 0; give a whole number of at least 1"),
        (lambda: sb.Dense(True), "`units` is True"),
        (lambda: sb.Dense(2.0), "`units` is 2.0"),
        (lambda: sb.Dense(2, "tahn"), "Did you mean `tanh`"),
        (lambda: sb.Dense(2, 3), "activation 3 is not known"),
        (lambda: sb.Activation("exp"), "'exp' is not known"),
        (lambda: sb.Maxout(2, -1), "`pieces` is -1"),
        (lambda: sb.Equations(3), "`text` is 3; give a string"),
        (lambda: sb.Equations("y = x", ["i"]), "`axes` is .* a dict from names"),
        (lambda: sb.Equations("y = x", weights="W"), "`weights` is 'W'.* a tuple"),
    ],
)
def test_fields_that_a_layer_refuses(make, said: str) -> None:
    with pytest.raises(sb.DeclarationError, match=said):
        make()


def test_a_layer_from_outside_is_found_by_its_name(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class OwnScale(Layer):
        factor: float = 2.0

        def forward(self, shape: tuple[int, ...]) -> Forward:
            return Forward(
                "y[i] = c*x[i]", ("i",), {"i": shape[0]}, constants={"c": self.factor}
            )

        @classmethod
        def example(cls) -> tuple[OwnScale, tuple[int, ...]]:
            return cls(), (3,)

    try:
        file = tmp_path / "own.toml"
        file.write_text(
            'name = "own"\ninputs = 3\nloss = "squared_error"\n'
            '[[layers]]\ntype = "own_scale"\nfactor = 3\n'
        )
        network = sb.load(file)
        assert network.layers == (OwnScale(3),)
        assert network.program.constants["c1"].value == 3
    finally:
        del Layer.registry["own_scale"]


def test_two_layers_of_one_name_are_refused() -> None:
    with pytest.raises(sb.DeclarationError, match="already has a layer of this name"):
        type("Dense", (Layer,), {})
    assert Layer.registry["dense"] is sb.Dense


def test_layers_are_reached_by_their_class_names() -> None:
    from symbackprop import layers

    assert layers.Maxout is Layer.registry["maxout"]
    with pytest.raises(AttributeError, match="has no attribute `Nothing`"):
        _ = layers.Nothing


def test_a_file_put_into_the_folder_is_enough(tmp_path: Path) -> None:
    """A copy of the package with one more file knows one more layer."""
    package = Path(sb.__file__).parent
    shutil.copytree(package, tmp_path / "symbackprop")
    (tmp_path / "symbackprop" / "layers" / "twice.py").write_text(
        "from dataclasses import dataclass\n"
        "from symbackprop.layers.layer import Forward, Layer\n"
        "@dataclass(frozen=True)\n"
        "class Twice(Layer):\n"
        "    def forward(self, shape):\n"
        "        return Forward('y[i] = 2*x[i]', ('i',), {'i': shape[0]})\n"
        "    @classmethod\n"
        "    def example(cls):\n"
        "        return cls(), (3,)\n"
    )
    code = (
        "import symbackprop as sb; from symbackprop.layers import Twice; "
        "print(sb.Network(3, [Twice()], 'squared_error').program.text)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.startswith("y1[i0] = 2*x[i0]\n"), run.stderr


def test_the_example_of_a_new_layer(tmp_path: Path) -> None:
    """It is derived, compiled and agrees with its difference quotients."""
    example = Path(__file__).parent.parent / "examples" / "new_layer.py"
    run = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(sb.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    head, *rows = run.stdout.split("\n\n")[0].splitlines()
    assert head.split() == [
        "parameter",
        "derived",
        "gradient",
        "difference",
        "quotient",
    ]
    pairs = [row.split()[-2:] for row in rows]
    assert len(pairs) == 10
    for derived, quotient in pairs:
        assert float(derived) == pytest.approx(float(quotient), abs=1e-8)
