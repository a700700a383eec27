"""Training: minibatch gradient descent on compiled kernels, in a compiled loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.checkpoints import State, fingerprint
from symbackprop.descent import Descent, Moment
from symbackprop.errors import DivergenceError, InputError, nearest, short
from symbackprop.loops import loop_of
from symbackprop.network import path_of
from symbackprop.optimisers import (
    SGD,
    Adam,
    Clip,
    ConstantRate,
    Optimiser,
    Schedule,
)
from symbackprop.samples import Samples, all_finite

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

__all__ = ["SGD", "Adam", "Epoch", "History", "Moment", "Optimiser", "train"]

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
    """A finished training: the parameters, and its epochs in their order.

    Attributes:
        theta: the parameters after the last epoch.
        epochs: what each came to.
        best_theta: the parameters after the epoch `best`; None where nothing is held
            out.
    """

    theta: Array
    epochs: tuple[Epoch, ...] = field(default=())
    best_theta: Array | None = None

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the least validation loss; None without such losses."""
        held = [e for e in self.epochs if e.validation_loss is not None]
        return min(held, key=lambda e: e.validation_loss or 0.0, default=None)

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
    schedule: Schedule | None = None,
    clip: Clip | None = None,
    during: Callable[[Moment], None] | None = None,
    **named: Any,
) -> History:
    """Minimise the kernels' value over minibatches of the data, in compiled code.

    An epoch visits every sample once, in an order drawn from the seed and the epoch's
    number alone; its last minibatch may be smaller. The loop is emitted beside the
    kernels, as `training_<dtype>_<rule>.py`, and comes back to Python about ten times
    a second; when it does changes no bit.

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
        checkpoint: a file that is rewritten after each epoch, within an epoch every few
            seconds, and at Ctrl-C. Where it is there already, training goes on from it
            and ends in the same bits.
        progress: called with each `Epoch` when it is over.
        schedule: how the optimiser's rate changes; None for not at all.
        clip: limits of the gradient; None for none.
        during: called with a `Moment` about ten times a second within an epoch.
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
    for name, call in (("progress", progress), ("during", during)):
        if call is not None and not callable(call):
            raise InputError(f"{name} is {short(call)}; give a function or None.")
    _whole("epochs", epochs, 1)
    _whole("batch_size", batch_size, 1)
    _whole("seed", seed, 0)
    chosen = _chosen("optimiser", optimiser, Adam(), "SGD(0.1) or Adam(1e-3)")
    rates = _chosen("schedule", schedule, ConstantRate(), "CosineRate(10)")
    if not isinstance(clip, Clip | None):
        raise InputError(f"clip is {short(clip)}; give Clip(norm=1.0), say, or None.")
    start = _start(kernels, theta, seed)
    samples = Samples(kernels, data, named)
    held = None
    if validation is not None:
        held = _held_out(kernels, validation, samples.arrays)
    loop = loop_of(kernels, chosen)
    steps = math.ceil(samples.length / batch_size)
    state, file, mark = None, None, {}
    if checkpoint is not None:
        file = path_of("checkpoint", checkpoint)
        options = {
            "batch_size": batch_size,
            "optimiser": chosen,
            "seed": seed,
            "schedule": rates,
            "clip": clip,
        }
        held_arrays = held.arrays if held else {}
        mark = fingerprint(
            kernels, loop.text, samples.arrays, held_arrays, options, start
        )
        state = State.read(file, mark, start, len(chosen.rule.state), steps)
    if state is None:
        state = State(start, chosen.start(start))
        if file:
            state.write(file, mark)  # a file that cannot be written is found here
    descent = Descent(
        kernels, loop, chosen, rates, clip, samples, batch_size, seed, state
    )
    if file:
        descent.write = partial(state.write, file, mark)
    with descent.kept_when_interrupted():
        while len(state.epochs) < epochs:
            descent.epoch(during)
            _finish(descent, held)
            if progress:
                progress(Epoch(*state.epochs[-1]))
    return History(state.theta, tuple(Epoch(*row) for row in state.epochs), state.best)


def _finish(descent: Descent, held: Samples | None) -> None:
    """End an epoch: what is held out is evaluated, and the state is kept."""
    state = descent.state
    number = len(state.epochs) + 1
    validation_loss = accuracy = None
    began = time.perf_counter()
    if held:
        validation_loss, accuracy = descent.evaluate(held)
        if not math.isfinite(validation_loss):
            raise DivergenceError(
                f"epoch {number}: the loss of the validation data is "
                f"{validation_loss}. Look for samples that are unlike the training "
                "data, or lower the optimiser's rate."
            )
    with descent.changing():
        if validation_loss is not None and validation_loss < state.least:
            state.least = validation_loss
            if state.best is None:
                state.best = np.empty_like(state.theta)
            state.best[:] = state.theta
        loss = state.total / descent.samples.length
        seconds = state.seconds + time.perf_counter() - began
        row = (number, loss, validation_loss, accuracy, seconds)
        state.epochs.append(row)
        state.minibatch, state.total, state.seconds = 0, 0.0, 0.0
    descent.keep()


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
    if not all_finite(start):
        raise InputError("theta: there are entries that are not finite.")
    return start


def _chosen(name: str, given: Any, usual: Any, as_in: str) -> Any:
    """What was given, of the kind of the usual one."""
    kind = Optimiser if name == "optimiser" else Schedule
    if given is not None and not isinstance(given, kind):
        raise InputError(f"{name} is {short(given)}; give {as_in}, say.")
    return usual if given is None else given


def _whole(name: str, value: Any, least: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= value < 2**63:
        raise InputError(
            f"{name} is {short(value)}; give a whole number of at least {least}, below "
            "2**63."
        )
