"""Small networks that studies train: compiled for a while, on data that are drawn."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from symbackprop.errors import DivergenceError
from symbackprop.kernels import Kernels, compile
from symbackprop.layers import Layer
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.optimisers import SGD
from symbackprop.training import train
from symbackprop.witnesses.numbers import Array

ARMS = 3
BATCH = 32


def spirals(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points on three arms of a spiral, with noise, and the arm of each, one-hot.

    Shapes:
        (count, 2), of mean 0 and variance 1 for each input; (count, 3).
    """
    arm = np.arange(count) % ARMS
    along = rng.uniform(0.1, 1.0, count)
    angle = 2 * np.pi * (arm / ARMS + 0.75 * along) + 0.1 * rng.normal(size=count)
    x = along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (x - x.mean(axis=0)) / x.std(axis=0), np.eye(ARMS)[arm]


@contextmanager
def compiled(name: str, hidden: Sequence[Layer]) -> Iterator[Kernels]:
    """Kernels of hidden layers before a softmax, in a folder that does not last."""
    layers = [*hidden, Dense(ARMS, "softmax")]
    network = Network(2, layers, "cross_entropy", name=name)
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        yield compile(network, "float64", folder)


def started(kernels: Kernels, rng: np.random.Generator, bias: float = 0.0) -> Array:
    """He's weights, and one number for all biases of hidden layers.

    Source: He et al., Delving deep into rectifiers, ICCV 2015.
    """
    theta = np.zeros(kernels.size)
    biases = []
    for view in kernels.unpack(theta).values():
        if view.ndim > 1:
            fan_in = math.prod(view.shape[1:])
            view[...] = rng.normal(size=view.shape) * math.sqrt(2 / fan_in)
        else:
            biases.append(view)
    for view in biases[:-1]:
        view[...] = bias
    return theta


def after_each(
    kernels: Kernels, theta: Array, x: Array, y: Array, rate: float, epochs: int
) -> Iterator[tuple[float, Array]]:
    """Gradient descent: the loss and the parameters after each epoch.

    It ends early where the loss is no longer finite.
    """
    for epoch in range(epochs):
        try:
            history = train(
                kernels,
                x=x,
                y=y,
                epochs=1,
                batch_size=BATCH,
                optimiser=SGD(rate),
                seed=epoch,
                theta=theta,
            )
        except DivergenceError:
            return
        theta = history.theta
        yield history.loss[0], theta
