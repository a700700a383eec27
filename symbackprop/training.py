"""Training: minibatch gradient descent on compiled kernels, and its checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.checkpoints import Checkpoint, fingerprint
from symbackprop.errors import DivergenceError, InputError, nearest, short
from symbackprop.network import path_of
from symbackprop.optimisers import SGD, Adam, Optimiser
from symbackprop.samples import Samples

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

__all__ = ["SGD", "Adam", "Epoch", "History", "Optimiser", "train"]

Array = NDArray[Any]
Arrays = dict[str, Array]


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; None where nothing is held out or counted.

    Attributes:
        number: the epoch, counted from 1.
        loss: the mean training objective over its minibatches, as they were met.
        validation_loss: the objective on the held-out data after the epoch.
        accuracy: the fraction of held-out samples that are classified rightly.
        seconds: how long the epoch took.
    """

    number: int
    loss: float
    validation_loss: float | None
    accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class History:
    """A finished training: the parameters, and its epochs in their order."""

    theta: Array
    epochs: tuple[Epoch, ...] = field(default=())

    @property
    def loss(self) -> list[float]:
        return [epoch.loss for epoch in self.epochs]

    @property
    def validation_loss(self) -> list[float | None]:
        return [epoch.validation_loss for epoch in self.epochs]

    @property
    def accuracy(self) -> list[float | None]:
        return [epoch.accuracy for epoch in self.epochs]

    @property
    def seconds(self) -> float:
        return sum(epoch.seconds for epoch in self.epochs)


def train(
    kernels: Kernels,
    *data: Any,
    epochs: int,
    batch_size: int,
    optimiser: Optimiser | None = None,
    seed: int = 0,
    theta: Any = None,
    validation: Sequence[Array] | Mapping[str, Array] | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[Epoch], None] | None = None,
    **named: Any,
) -> History:
    """Minimise the kernels' value over minibatches of the data.

    An epoch visits every sample once, in an order drawn from the seed and the epoch's
    number alone; its last minibatch may be smaller.

    Args:
        kernels: compiled kernels of a program with batched data.
        *data: the program's data in declared order, batched ones with the samples
            along the first axis.
        epochs: how many times to go through the data.
        batch_size: samples in a minibatch.
        optimiser: None for `Adam()`.
        seed: of the order of the samples, and of the first parameters.
        theta: the first parameters, left unchanged; None for `kernels.initial(seed)`.
        validation: held-out data, by name or in declared order.
        checkpoint: a file that is rewritten after each epoch. Where it is there
            already, training goes on from it and ends in the same bits.
        progress: called with each `Epoch` when it is over.
        **named: or by name, as in `x=X, y=Y`.

    Raises:
        InputError: arguments that do not fit, or a checkpoint of another training.
        DivergenceError: a loss, gradient or parameter is no longer finite.
    """
    if not hasattr(kernels, "backward"):
        raise InputError(
            f"train: expected compiled kernels, got {short(kernels)}. "
            "`symbackprop.compile` makes them from a program or a network."
        )
    if progress is not None and not callable(progress):
        raise InputError(f"progress is {short(progress)}; give a function or None.")
    _whole("epochs", epochs, 1)
    _whole("batch_size", batch_size, 1)
    _whole("seed", seed, 0)
    chosen = Adam() if optimiser is None else optimiser
    if not isinstance(chosen, Optimiser):
        raise InputError(
            f"optimiser is {short(chosen)}; give SGD(0.1) or Adam(1e-3), say."
        )
    start = _start(kernels, theta, seed)
    samples = Samples(kernels, data, named)
    held = None
    if validation is not None:
        held = _held_out(kernels, validation, samples.arrays)
    mark = fingerprint(
        kernels,
        samples.arrays,
        held.arrays if held else {},
        options={"batch_size": batch_size, "optimiser": chosen, "seed": seed},
        start=start,
    )
    file = path_of("checkpoint", checkpoint) if checkpoint is not None else None
    state = first = Checkpoint(start, chosen.start(start))
    if file:
        found = Checkpoint.read(file, mark, first)
        if found is None:
            first.write(file, mark)  # a file that cannot be written is found here
        else:
            state = found
    done = [Epoch(*row) for row in state.epochs]
    count = len(done) * math.ceil(samples.length / batch_size)
    descent = _Descent(kernels, chosen, state.theta, state.optimiser, count)
    for number in range(len(done) + 1, epochs + 1):
        began = time.perf_counter()
        loss = descent.epoch(samples, number, batch_size, seed)
        validation_loss = held.value(kernels, state.theta) if held else None
        accuracy = held.accuracy(kernels, state.theta) if held else None
        if validation_loss is not None and not math.isfinite(validation_loss):
            raise DivergenceError(
                f"epoch {number}: the loss of the validation data is "
                f"{validation_loss}. Look for samples that are unlike the training "
                "data, or lower the optimiser's rate."
            )
        seconds = time.perf_counter() - began
        done.append(Epoch(number, loss, validation_loss, accuracy, seconds))
        if file:
            rows = [
                (e.number, e.loss, e.validation_loss, e.accuracy, e.seconds)
                for e in done
            ]
            Checkpoint(state.theta, state.optimiser, tuple(rows)).write(file, mark)
        if progress:
            progress(done[-1])
    return History(state.theta, tuple(done))


@dataclass
class _Descent:
    """Parameters on their way down; theta and the state change in place."""

    kernels: Kernels
    optimiser: Optimiser
    theta: Array
    state: tuple[Array, ...]
    count: int

    def epoch(self, samples: Samples, number: int, batch_size: int, seed: int) -> float:
        """Visit every sample once; the mean of the objective as it was met."""
        order = np.random.default_rng((seed, number)).permutation(samples.length)
        gradient = np.empty_like(self.theta)
        workspaces: dict[int, Array] = {}
        total = 0.0
        for first in range(0, samples.length, batch_size):
            rows = order[first : first + batch_size]
            arrays = samples.take(rows)
            if len(rows) not in workspaces:
                workspaces[len(rows)] = self.kernels.workspace(len(rows))
            value = float(
                self.kernels.backward(
                    self.theta, *arrays.values(), gradient, workspaces[len(rows)]
                )
            )
            if not (math.isfinite(value) and np.isfinite(gradient).all()):
                self._diverged(number, arrays, value, gradient)
            total += value * len(rows)
            self.count += 1
            with np.errstate(all="ignore"):  # what overflows is found just below
                self.optimiser.step(self.theta, gradient, self.state, self.count)
            if not np.isfinite(self.theta).all():
                self._diverged(number, arrays, value, gradient)
        return total / samples.length

    def _diverged(
        self, number: int, arrays: Arrays, value: float, gradient: Array
    ) -> None:
        with np.errstate(all="ignore"):
            name = self._first_not_finite(arrays, gradient)
        raise DivergenceError(
            f"epoch {number}: `{name}` is the first tensor that is not finite (the "
            f"objective is {value:g}). Lower the optimiser's rate, or scale the data."
        )

    def _first_not_finite(self, arrays: Arrays, gradient: Array) -> str:
        """The first such tensor in computing order: forward, slopes, parameters."""
        derivation, unpack = self.kernels.derivation, self.kernels.unpack
        if np.isfinite(self.theta).all():
            for equation in derivation.forward:
                name = equation.tensor
                if name in derivation.live:
                    found = self.kernels.predict(
                        self.theta, *arrays.values(), tensor=name
                    )
                    if not np.isfinite(found).all():
                        return str(name)
        for name, slope in unpack(gradient).items():
            if not np.isfinite(slope).all():
                return str(derivation.slopes[name])
        for name, values in unpack(self.theta).items():
            if not np.isfinite(values).all():
                return str(name)
        return str(derivation.program.objective)


def _held_out(
    kernels: Kernels, given: Sequence[Array] | Mapping[str, Array], data: Arrays
) -> Samples:
    """The held-out samples; what a whole batch shares is as in training."""
    declared = kernels.derivation.program.data
    batched = [tensor.name for tensor in declared if tensor.batched]
    if not isinstance(given, Mapping):
        if not isinstance(given, tuple | list) or len(given) != len(batched):
            raise InputError(
                f"validation: give the held-out ({', '.join(batched)}), "
                "or a dict of them by name."
            )
        given = dict(zip(batched, given, strict=True))
    for name in given:
        if name not in {tensor.name for tensor in declared}:
            raise InputError(
                f"validation: {short(name)} is no data; expected "
                f"{', '.join(batched)}.{nearest(name, batched)}"
            )
    shared = {
        tensor.name: data[tensor.name] for tensor in declared if not tensor.batched
    }
    try:
        return Samples(kernels, (), {**shared, **given})
    except InputError as error:
        raise InputError(f"validation: {error}") from error


def _start(kernels: Kernels, theta: Any, seed: int) -> Array:
    """A copy of the first parameters, in the kernels' type."""
    given = kernels.initial(seed) if theta is None else theta
    start = np.array(kernels.arrays.theta(given, kernels.size), copy=True)
    if not np.isfinite(start).all():
        raise InputError("theta: there are entries that are not finite.")
    return start


def _whole(name: str, value: Any, least: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= value < 2**63:
        raise InputError(
            f"{name} is {short(value)}; give a whole number of at least {least}, below "
            "2**63."
        )
