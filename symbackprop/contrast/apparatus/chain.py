"""A chain: dense layers of one width, one after another, and their error terms.

    delta^(l) = f'(z^(l)) o (W^(l+1))^T delta^(l+1)

The error terms come from the derivation's own adjoint equations, evaluated as they
stand; nothing is compiled, so that many depths and activations cost little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symbackprop.contrast.apparatus.activations import STABLE
from symbackprop.derivation import derive
from symbackprop.equations import System
from symbackprop.layers import Layer
from symbackprop.network import Network
from symbackprop.program import Program
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import Array

Draw = Callable[[np.random.Generator, int], Array]


def _small(rng: np.random.Generator, width: int) -> Array:
    return 0.01 * rng.normal(size=(width, width))


def _glorot(rng: np.random.Generator, width: int) -> Array:
    limit = np.sqrt(6 / (width + width))
    return rng.uniform(-limit, limit, size=(width, width))


def _he(rng: np.random.Generator, width: int) -> Array:
    return np.asarray(np.sqrt(2 / width) * rng.normal(size=(width, width)))


def _orthogonal(rng: np.random.Generator, width: int) -> Array:
    turned, upper = np.linalg.qr(rng.normal(size=(width, width)))
    return np.asarray(turned * np.sign(np.diag(upper)))


# How square weights are first drawn, and the variance of one times the width.
# Sources: Glorot and Bengio, AISTATS 2010; He et al., ICCV 2015; Saxe et al., ICLR
# 2014 for orthogonal ones, whose spectral norm is exactly 1.
INITIALISATIONS: Mapping[str, Draw] = {
    "small": _small,
    "Glorot": _glorot,
    "He": _he,
    "orthogonal": _orthogonal,
}


@dataclass(frozen=True)
class Sweep:
    """One forward and one backward sweep; lists run over the layers from the first.

    Shapes:
        z, a, delta: (samples, width) each.
    """

    z: Sequence[Array]
    a: Sequence[Array]
    delta: Sequence[Array]


@dataclass(frozen=True)
class Chain:
    """Equal layers `a = f(W a + b)` of one width under a squared error, derived."""

    depth: int
    width: int
    forward: Program
    system: System

    @classmethod
    def of(cls, layer: Layer, depth: int, width: int) -> Chain:
        """Derive one.

        Args:
            layer: has `W`, `b`, `z` and, but for the identity, `a`.
            depth: how many of it.
            width: its inputs and its units.
        """
        program = Network(width, [layer] * depth, "squared_error", name="chain").program
        return cls(depth, width, program, derive(program).system)

    def weights(self, draw: Draw, rng: np.random.Generator) -> list[Array]:
        """A matrix for each layer."""
        return [draw(rng, self.width) for _ in range(self.depth)]

    def sweep(self, weights: Sequence[Array], x: Array, error: Array) -> Sweep:
        """All activations and error terms of a batch; biases are zero.

        Args:
            weights: a matrix for each layer.
            x: the samples.
            error: `a^(L) - y`, which is sent back; y is chosen so. It is rounded
                as a^(L) is, and should not be tiny beside it.

        Shapes:
            weights: (width, width) each. x, error: (samples, width).
        """
        values = {"x": x, "y": error}
        for number, matrix in enumerate(weights, 1):
            values[f"W{number}"] = matrix
            values[f"b{number}"] = np.zeros(self.width)
        ahead = evaluate(self.forward, values, STABLE)
        values["y"] = ahead[str(self.forward.output)] - error
        found = evaluate(self.system, values, STABLE)
        numbers = range(1, self.depth + 1)
        return Sweep(
            z=[found[f"z{number}"] for number in numbers],
            # The identity has no equation of its own.
            a=[found.get(f"a{number}", found[f"z{number}"]) for number in numbers],
            delta=[found[f"delta_z{number}"] for number in numbers],
        )


def spectral(matrix: Array) -> float:
    """`||W||_2`, the greatest singular value."""
    return float(np.linalg.norm(matrix, 2))
