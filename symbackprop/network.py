"""A network: layers one after another, a loss and a penalty, put together as a program.

    Network(inputs, layers, loss) --forward equations, renamed and joined--> Program

Names get their layer's number (`W` of layer 2 becomes `W2`); a layer's input letters
are the letters of the output before it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

from symbackprop.equations import SIZE_LIMIT, fresh
from symbackprop.errors import (
    DeclarationError,
    InputError,
    SymbackpropError,
    nearest,
    short,
)
from symbackprop.layers import Forward, Layer, indexed, summed
from symbackprop.losses import LOSSES, TARGETS, Loss, Target
from symbackprop.program import Program
from symbackprop.scalars import TABLE
from symbackprop.settings import Training, is_real, is_whole

_NAME = re.compile(r"(?<![\w.])[A-Za-z]\w*")
_LETTERS = "ijklmnopq"
_WORDS = ("sum", "mean", "max", "min", "where", "and", "or", "not")

Dtype = Literal["float32", "float64"]
DTYPES: tuple[Dtype, ...] = ("float32", "float64")
Scale = Literal["none", "standard", "max"]
SCALES: tuple[Scale, ...] = ("none", "standard", "max")


@dataclass(frozen=True)
class Frobenius:
    """`lam/2 * (sum of the squares of all weight matrices)`, added to the loss.

    >>> Frobenius(1e-4).lam
    0.0001
    """

    lam: float

    def __post_init__(self) -> None:
        if not is_real(self.lam) or self.lam < 0:
            raise DeclarationError(
                f"Frobenius: `lam` is {short(self.lam)}; give a finite number of at "
                "least 0."
            )


@dataclass(frozen=True)
class DataFile:
    """Where a network's data are, and how they are made ready.

    Attributes:
        file: .npz with arrays `x` and `y`, or .csv with the target in the last column.
        target: what is made of `y`; None for the loss's usual kind.
        validation: the fraction of the samples that is held out.
        scale: "standard" (mean 0, variance 1 for each input), "max" (greatest absolute
            value 1 over all inputs), or "none"; found on the training part alone.
    """

    file: Path
    target: Target | None = None
    validation: float = 0.0
    scale: Scale = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", path_of("file", self.file))
        _one_of("target", self.target, (None, *TARGETS))
        _one_of("scale", self.scale, SCALES)
        if not is_real(self.validation) or not 0 <= self.validation < 1:
            raise DeclarationError(
                f"validation is {short(self.validation)}; give the fraction of the "
                "samples to hold out, at least 0 and less than 1."
            )


@dataclass(frozen=True)
class Network:
    """Layers in a row, from the data `x` to an output that a loss holds against `y`.

    Args:
        inputs: the shape of a sample of `x`: a size, or one for each axis.
        layers: the layers in their order.
        loss: the name of a row of `losses.LOSSES`.
        penalty: what is added to the mean loss; None for nothing.
        name: the network's name, and that of its folder of generated files.
        data: the data that its file names; None where there is none.
        training: how its file says to train it; None where it does not.
        dtype: the precision its file asks for.

    Raises:
        DeclarationError: a layer that does not fit what comes before it, or names
            that clash. Layers are counted from 1.

    >>> from symbackprop.layers.dense import Dense
    >>> network = Network(4, [Dense(3, "tanh"), Dense(2)], "squared_error")
    >>> print(network.program.text)
    z1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    a1[i1] = tanh(z1[i1])
    z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    L = sum((z2[i2] - y[i2])**2, i2) / 2
    """

    inputs: int | Sequence[int]
    layers: Sequence[Layer]
    loss: str
    penalty: Frobenius | None = None
    name: str = "network"
    data: DataFile | None = None
    training: Training | None = None
    dtype: Dtype = "float32"

    def __post_init__(self) -> None:
        shape = self.inputs
        sizes = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        if not sizes or not all(is_whole(size, 1, SIZE_LIMIT) for size in sizes):
            raise DeclarationError(
                f"inputs is {short(shape)}; give the size of a sample, or a list with "
                "the size of each of its axes, as whole numbers from 1 to 2**31."
            )
        if len(sizes) > len(_LETTERS):
            raise DeclarationError(
                f"inputs has {len(sizes)} axes; at most {len(_LETTERS)} are possible."
            )
        if isinstance(self.layers, str) or not isinstance(self.layers, Sequence):
            raise DeclarationError(
                f"layers is {short(self.layers)}; give a list of layers."
            )
        for number, layer in enumerate(self.layers, 1):
            if not isinstance(layer, Layer):
                raise DeclarationError(
                    f"layers[{number}] is {short(layer)}; give a layer, as in "
                    "Dense(32)."
                )
        if not self.layers:
            raise DeclarationError("layers is empty; give at least one layer.")
        _one_of("loss", self.loss, tuple(LOSSES))
        _one_of("dtype", self.dtype, DTYPES)
        for part, kind, as_in in (
            ("penalty", Frobenius, "Frobenius(1e-4)"),
            ("data", DataFile, 'DataFile(Path("digits.npz"))'),
            ("training", Training, "Training(epochs=10)"),
        ):
            value = getattr(self, part)
            if value is not None and not isinstance(value, kind):
                raise DeclarationError(
                    f"{part} is {short(value)}; give {as_in}, say, or None."
                )
        object.__setattr__(self, "inputs", sizes)
        object.__setattr__(self, "layers", tuple(self.layers))
        row = LOSSES[self.loss]
        if self.data and self.data.target not in (None, *row.targets):
            raise DeclarationError(
                f"data.target is {self.data.target!r}, but loss `{self.loss}` takes "
                f"{' or '.join(row.targets)}."
            )
        _ = self.program

    @cached_property
    def program(self) -> Program:
        """The whole network as one program of equations."""
        assert isinstance(self.inputs, tuple)
        joined = _Joined(self.inputs)
        for number, layer in enumerate(self.layers, 1):
            try:
                joined.add(number, layer)
            except SymbackpropError as error:
                kind = type(layer).__name__
                place = f"layers[{number}] ({kind}, input of shape {joined.shape})"
                raise type(error)(f"{place}: {error}") from error
        return joined.program(LOSSES[self.loss], self.penalty, self.name)

    @property
    def outputs(self) -> tuple[int, ...]:
        """The shape of the output of a sample."""
        output = self.program.output
        assert output is not None
        return self.program.shape(output)


class _Joined:
    """The layers up to now under their names in the whole."""

    def __init__(self, inputs: tuple[int, ...]) -> None:
        letters = tuple(f"{letter}0" for letter in _LETTERS[: len(inputs)])
        self.lines: list[str] = []
        self.axes = dict(zip(letters, inputs, strict=True))
        self.parameters: dict[str, str] = {}
        self.constants: dict[str, float] = {}
        self.weights: list[str] = []
        self.initial: dict[str, str | float] = {}
        self.zero_outside: list[str] = []
        self.inputs, self.output, self.outputs = letters, "x", letters
        self.taken = {"x", "y", "L", "R", "lam", *letters, *TABLE, *_WORDS}
        self.sound: set[str] = set()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.axes[letter] for letter in self.outputs)

    def add(self, number: int, layer: Layer) -> None:
        """Join a layer's equations, renamed.

        `z[i] = sum(W[i, j]*x[j], j)` => `z2[i2] = sum(W2[i2, i1]*a1[i1], i1)`
        """
        part = layer.forward(self.shape)
        seen = short(part, longest=10**9)
        if seen not in self.sound:
            _validate(part)
            self.sound.add(seen)
        names = {"x": self.output, **dict(zip(part.inputs, self.outputs, strict=True))}
        for name in (*part.axes, *part.parameters, *part.constants, *part.defined):
            if name not in names:
                names[name] = self._numbered(name, number)
        if part.equations:
            text = dedent(part.equations).strip()
            self.lines.append(_renamed(text, names))
        for letter, size in part.axes.items():
            self.axes.setdefault(names[letter], size)
        for name, letters in part.parameters.items():
            self.parameters[names[name]] = _renamed(letters, names)
        self.constants.update({names[n]: v for n, v in part.constants.items()})
        self.initial.update({names[n]: v for n, v in part.initial.items()})
        self.weights.extend(names[name] for name in part.weights)
        self.zero_outside.extend(names[name] for name in part.zero_outside)
        self.output = names[part.output]
        self.outputs = tuple(names[letter] for letter in part.outputs)

    def _numbered(self, name: str, number: int) -> str:
        """`W` of layer 2 => `W2`; a name that ends in a digit, `W1` => `W1_2`."""
        plain, apart = f"{name}{number}", f"{name}_{number}"
        for candidate in (apart,) if name[-1].isdigit() else (plain, apart):
            if candidate not in self.taken:
                self.taken.add(candidate)
                return candidate
        raise DeclarationError(
            f"`{name}` would be called `{apart}` in the network, but that name is "
            "taken; rename it in the layer."
        )

    def program(self, loss: Loss, penalty: Frobenius | None, name: str) -> Program:
        lines = [*self.lines, loss.written(self.output, self.outputs)]
        constants, objective = dict(self.constants), "L"
        if penalty:
            if not self.weights:
                raise DeclarationError(
                    "penalty: no layer has a weight matrix; leave the penalty out, or "
                    "name an equations layer's `weights`."
                )
            squares = " + ".join(self._square(weight) for weight in self.weights)
            lines.append(f"R = L + lam/2*({squares})")
            constants["lam"], objective = penalty.lam, "R"
        return Program(
            equations="\n".join(lines),
            axes=self.axes,
            parameters=self.parameters,
            data={
                "x": " ".join(self.inputs),
                "y": "" if loss.takes_labels else " ".join(self.outputs),
            },
            constants=constants,
            integers=("y",) if loss.takes_labels else (),
            batched=("x", "y"),
            zero_outside=tuple(dict.fromkeys(self.zero_outside)),
            objective=objective,
            name=name,
            initial=self.initial,
            weights=tuple(self.weights),
            output=self.output,
        )

    def _square(self, weight: str) -> str:
        """`sum(W1[i1, i0]**2, i1, i0)`, by a new letter where one is repeated."""
        letters: list[str] = []
        for letter in self.parameters[weight].split():
            if letter in letters:
                size = self.axes[letter]
                letter = fresh(letter, self.taken)
                self.taken.add(letter)
                self.axes[letter] = size
            letters.append(letter)
        return summed(f"{indexed(weight, letters)}**2", letters)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Rename identifiers all at once: `z[i]` => `z2[i2]`."""
    return _NAME.sub(lambda found: names.get(found[0], found[0]), text)


def _validate(part: Forward) -> None:
    """Make a program of one layer alone, so that an error names the layer's own text.

    Alone, a layer cannot read what belongs to another.
    """
    for name in part.weights:
        if name not in part.parameters:
            raise DeclarationError(
                f"weights: `{name}` is not a parameter of this layer."
                f"{nearest(name, part.parameters)}"
            )
    if len(set(part.inputs)) < len(part.inputs) or "x" in part.defined:
        raise DeclarationError("the layer's input `x` may not be defined again.")
    names = (*part.axes, *part.parameters, *part.constants, *part.defined)
    total = fresh("total", names)
    output = indexed(part.output, part.outputs)
    Program(
        equations=f"{part.equations}\n{total} = {summed(output, part.outputs)}",
        axes=part.axes,
        parameters=part.parameters,
        data={"x": " ".join(part.inputs)},
        constants=part.constants,
        batched=("x",),
        zero_outside=part.zero_outside,
        objective=total,
        name="layer",
        initial=part.initial,
        weights=part.weights,
    )


def _one_of(place: str, value: Any, known: Sequence[Any]) -> None:
    if not (value is None or isinstance(value, str)) or value not in known:
        names = [choice for choice in known if choice is not None]
        raise DeclarationError(
            f"{place} is {short(value)}; give one of {', '.join(names)}."
            f"{nearest(short(value), names)}"
        )


def path_of(what: str, value: Any) -> Path:
    """A path that the system can look up, be there a file or not.

    Raises:
        InputError: it is no text, or none that can name a file.
    """
    if not isinstance(value, str | Path) or value == "":
        raise InputError(
            f"{what}: {short(value)} is not a path; give a string or a pathlib.Path."
        )
    try:
        os.stat(value)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # whoever opens it says so
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise InputError(
            f"{what}: {short(str(value))} cannot name a file ({told}); give another "
            "path."
        ) from error
    return Path(value)
