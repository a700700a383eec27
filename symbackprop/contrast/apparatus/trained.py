"""Small networks that studies train: compiled for a while, on data that are drawn."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.errors import DivergenceError
from symbackprop.kernels import Kernels, compile
from symbackprop.layers import Layer
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.optimisers import SGD
from symbackprop.training import History, train
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


@dataclass(frozen=True)
class Tuned:
    """Trainings at the best of some rates; None where one did not stay finite.

    Attributes:
        rate: the one with the least median loss in the trial runs.
        trials: that loss for each rate, after the last epoch.
        loss: the median loss by epoch at the best rate, from other starts.
        accuracy: the median accuracy on held-out data after the last epoch.
    """

    rate: float
    trials: list[float | None]
    loss: list[float] | None
    accuracy: float | None


def tuned(
    kernels: Kernels,
    rates: Sequence[float],
    data: tuple[Array, Array],
    held: tuple[Array, Array],
    epochs: int,
    trials: int,
    networks: int,
    seed: int,
) -> Tuned:
    """Choose the rate of plain gradient descent by trial runs, then train with it.

    Args:
        kernels: whose own first parameters are the starts.
        rates: to choose from.
        data: x and y of the training.
        held: x and y that are held out.
        epochs: of each run.
        trials: runs that choose.
        networks: runs that are shown, from other starts.
        seed: of the first start.
    """

    def histories(rate: float, numbers: range) -> list[History]:
        starts = [kernels.initial(seed + number) for number in numbers]
        runs = [_descended(kernels, t, data, held, rate, epochs) for t in starts]
        finite = [run for run in runs if run is not None]
        return finite if len(finite) == len(runs) else []

    def median(values: list[Any]) -> Any:
        return np.median(values, axis=0).tolist() if values else None

    last = [
        median([run.loss[-1] for run in histories(rate, range(trials))])
        for rate in rates
    ]
    best = rates[int(np.argmin([np.inf if end is None else end for end in last]))]
    shown = histories(best, range(trials, trials + networks))
    return Tuned(
        rate=best,
        trials=last,
        loss=median([run.loss for run in shown]),
        accuracy=median([run.accuracy[-1] for run in shown]),
    )


def _descended(
    kernels: Kernels,
    theta: Array,
    data: tuple[Array, Array],
    held: tuple[Array, Array],
    rate: float,
    epochs: int,
) -> History | None:
    """One training; None where it does not stay finite."""
    try:
        return train(
            kernels,
            *data,
            epochs=epochs,
            batch_size=BATCH,
            optimiser=SGD(rate),
            theta=theta,
            validation=held,
        )
    except DivergenceError:
        return None


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
