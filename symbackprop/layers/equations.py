"""A layer given by its equations as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from symbackprop.equations import fresh
from symbackprop.errors import DeclarationError, short
from symbackprop.layers.layer import Forward, Layer

_DICTS = ("axes", "parameters", "constants", "initial")
_TUPLES = ("weights", "zero_outside")
_READ = re.compile(r"(?<![\w.])x\s*\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Equations(Layer):
    """A layer in the grammar of the equations: input `x`, output the last left side.

    Letters are the layer's own; where `x` is first read by plain letters of the right
    sizes, these are the axes of `x`.

    Args:
        text: the equations, one a line.
        axes: the size of each index letter.
        parameters: the axes of each parameter, as in `{"W": "i j"}`.
        constants: named numbers.
        weights: the parameters that a penalty counts.
        initial: how a parameter is first filled: "glorot", "he", "zeros" or a number.
        zero_outside: tensors that read 0 outside their axes.

    >>> layer = Equations("y[i] = x[i]*logistic(beta[i]*x[i])", {"i": 3}, {"beta": "i"})
    >>> layer.forward((3,)).output
    'y'
    """

    text: str
    axes: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    weights: tuple[str, ...] = ()
    initial: Mapping[str, str | float] = field(default_factory=dict)
    zero_outside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise DeclarationError(
                f"Equations: `text` is {short(self.text)}; give a string."
            )
        dicts = {name: getattr(self, name) for name in _DICTS}
        tuples = {name: getattr(self, name) for name in _TUPLES}
        for name, value in (dicts | tuples).items():
            kind: Any = Mapping if name in dicts else list | tuple
            if not (isinstance(value, kind) and all(isinstance(n, str) for n in value)):
                raise DeclarationError(
                    f"Equations: `{name}` is {short(value)}; give "
                    f"{'a dict from names' if name in dicts else 'a tuple of names'}."
                )

    def forward(self, shape: tuple[int, ...]) -> Forward:
        inputs = self._inputs(shape)
        axes = {**dict(zip(inputs, shape, strict=True)), **self.axes}
        rest = {name: getattr(self, name) for name in (*_DICTS[1:], *_TUPLES)}
        made = Forward(self.text, inputs, axes, **rest)
        if not made.defined:
            raise DeclarationError(
                "the text has no equation; write at least one, as in `y[i] = 2*x[i]`."
            )
        return made

    def _inputs(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """The letters of the axes of `x`; new ones where no plain read shows them."""
        for inside in _READ.findall(self.text):
            letters = tuple(part.strip() for part in inside.split(","))
            sizes = tuple(self.axes.get(letter) for letter in letters)
            whole = all(isinstance(size, int) for size in sizes)
            if whole and len(set(letters)) == len(letters) and sizes == shape:
                return letters
        found: list[str] = []
        for _ in shape:
            taken = (*self.axes, *self.parameters, *self.constants, *found)
            found.append(fresh("x_axis", taken))
        return tuple(found)

    @classmethod
    def example(cls) -> tuple[Self, tuple[int, ...]]:
        text = "y[i] = x[i]*logistic(beta[i]*x[i])"
        return cls(text, {"i": 3}, {"beta": "i"}, initial={"beta": 1.0}), (3,)
