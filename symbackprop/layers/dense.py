"""The dense layer: every output reads every input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from symbackprop.layers.activation import Activation, activated
from symbackprop.layers.layer import Forward, Layer, indexed, spare, summed


@dataclass(frozen=True)
class Dense(Layer):
    """`a = f(W x + b)`, summed over all axes of the input.

    >>> print(Dense(2, "tanh").forward((3,)).equations)
    z[i] = sum(W[i, j]*x[j], j) + b[i]
    a[i] = tanh(z[i])
    """

    units: int
    activation: str = "identity"

    def __post_init__(self) -> None:
        self._positive("units")
        Activation(self.activation)

    def forward(self, shape: tuple[int, ...]) -> Forward:
        j = spare("j", len(shape))
        product = f"{indexed('W', ('i', *j))}*{indexed('x', j)}"
        linear = Forward(
            equations=f"z[i] = {summed(product, j)} + b[i]",
            inputs=j,
            axes={**dict(zip(j, shape, strict=True)), "i": self.units},
            parameters={"W": " ".join(("i", *j)), "b": "i"},
            weights=("W",),
        )
        return activated(linear, self.activation)

    @classmethod
    def example(cls) -> tuple[Self, tuple[int, ...]]:
        return cls(3, "tanh"), (4,)
