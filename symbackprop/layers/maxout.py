"""The maxout layer: each output is the greatest of several linear pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from symbackprop.layers.layer import Forward, Layer, indexed, spare, summed


@dataclass(frozen=True)
class Maxout(Layer):
    """`a_i = max over k of (W_ik x + b_ik)`, summed over all axes of the input.

    Source: Goodfellow et al., Maxout Networks, ICML 2013, section 3.

    >>> print(Maxout(2, 5).forward((3,)).equations)
    z[i, k] = sum(W[i, k, j]*x[j], j) + b[i, k]
    a[i] = max(z[i, k], k)
    """

    units: int
    pieces: int

    def __post_init__(self) -> None:
        self._positive("units", "pieces")

    def forward(self, shape: tuple[int, ...]) -> Forward:
        j = spare("j", len(shape))
        product = f"{indexed('W', ('i', 'k', *j))}*{indexed('x', j)}"
        return Forward(
            equations=(
                f"z[i, k] = {summed(product, j)} + b[i, k]\na[i] = max(z[i, k], k)"
            ),
            inputs=j,
            axes={
                **dict(zip(j, shape, strict=True)),
                "i": self.units,
                "k": self.pieces,
            },
            parameters={"W": " ".join(("i", "k", *j)), "b": "i k"},
            weights=("W",),
        )

    @classmethod
    def example(cls) -> tuple[Self, tuple[int, ...]]:
        return cls(3, 2), (4,)
