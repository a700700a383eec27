"""Add a layer from outside the package: state its forward equations, nothing else.

    python examples/new_layer.py

The highway layer (Srivastava, Greff and Schmidhuber, Highway Networks, 2015) lets a
gate t choose, neuron by neuron, between a new value h and its input x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

import symbackprop as sb
from symbackprop.layers import Forward


@dataclass(frozen=True)
class Highway(sb.Layer):
    """`a = t*tanh(W x + b) + (1 - t)*x` with the gate `t = logistic(T x + c)`."""

    gate: float = -1.0

    def forward(self, shape: tuple[int, ...]) -> Forward:
        (n,) = shape
        return Forward(
            equations="""
                t[i] = logistic(sum(T[i, j]*x[j], j) + c[i])
                h[i] = tanh(sum(W[i, j]*x[j], j) + b[i])
                a[i] = t[i]*h[i] + (1 - t[i])*x[i]
            """,
            inputs=("j",),
            axes={"j": n, "i": n},
            parameters={"T": "i j", "c": "i", "W": "i j", "b": "i"},
            weights=("T", "W"),
            initial={"c": self.gate},
        )

    @classmethod
    def example(cls) -> tuple[Self, tuple[int, ...]]:
        return cls(), (3,)


def main() -> None:
    network = sb.Network(
        inputs=4,
        layers=[Highway(), Highway(), sb.Dense(3, "softmax")],
        loss="cross_entropy",
        name="highway",
    )
    derivation = sb.derive(network)  # checks itself
    kernels = sb.compile(derivation, dtype="float64")  # and so does this

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4)), np.eye(3)[rng.integers(0, 3, 5)]
    theta = kernels.initial(0)
    _, gradient = kernels.value_and_grad(theta, x, y)

    print("parameter  derived gradient      difference quotient")
    step = 1e-5
    for name, slopes in kernels.unpack(gradient).items():
        ahead, behind = theta.copy(), theta.copy()
        kernels.unpack(ahead)[name].flat[0] += step
        kernels.unpack(behind)[name].flat[0] -= step
        difference = kernels.value(ahead, x, y) - kernels.value(behind, x, y)
        first = f"{name}[{', '.join('0' * slopes.ndim)}]"
        print(f"{first:<9}  {slopes.flat[0]:+.14f}     {difference / (2 * step):+.10f}")
    print(f"\nEmitted: {kernels.path}")


if __name__ == "__main__":
    main()
