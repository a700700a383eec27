"""Our side: the kernels of a case, called in each way that they offer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from symbackprop.bench.problem import (
    EPOCHS,
    RATE,
    Array,
    Contestant,
    Outcome,
    Problem,
)
from symbackprop.optimisers import Adam
from symbackprop.training import train

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

OURS, BOUND, FORWARD = "symbackprop", "bound call", "forward alone"


def theta(problem: Problem, kernels: Kernels) -> Array:
    """The problem's parameters as the kernels take them."""
    declared = kernels.derivation.program.parameters
    names = [tensor.name for tensor in declared]
    return kernels.pack(dict(zip(names, problem.parameters, strict=True)))


def gradient(problem: Problem, kernels: Kernels) -> Iterator[tuple[str, Contestant]]:
    vector, batch = theta(problem, kernels), problem.case.batch
    x, y = problem.x, problem.y

    def arrays() -> tuple[Array, Array]:
        return np.full_like(vector, np.nan), kernels.workspace(batch)

    def outcome(value: float, slopes: Array) -> Outcome:
        return Outcome(value, tuple(kernels.unpack(slopes.copy()).values()))

    slopes, workspace = arrays()
    backward, forward = kernels.backward, kernels.forward

    def call() -> Any:
        return backward(vector, x, y, slopes, workspace)

    yield OURS, Contestant(call, lambda: outcome(call(), slopes))
    if batch == 1:
        others, room = arrays()
        bound = kernels.bind(vector, x, y, gradient=others, workspace=room)
        yield BOUND, Contestant(bound, lambda: outcome(bound(), others))
    scratch = kernels.workspace(batch)

    def value() -> Any:
        return forward(vector, x, y, scratch)

    yield FORWARD, Contestant(value, lambda: Outcome(value(), ()))


def epoch(problem: Problem, kernels: Kernels) -> Iterator[tuple[str, Contestant]]:
    start = theta(problem, kernels)

    def call() -> Array:
        return train(
            kernels,
            problem.x,
            problem.y,
            epochs=EPOCHS,
            batch_size=problem.case.batch,
            optimiser=Adam(RATE),
            theta=start,
        ).theta

    def outcome() -> Outcome:
        return Outcome(None, tuple(kernels.unpack(call()).values()))

    yield OURS, Contestant(call, outcome)
