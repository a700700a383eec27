"""Descent: a training on its way, epoch by epoch, in compiled code."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from symbackprop.checkpoints import State
from symbackprop.errors import DivergenceError
from symbackprop.interrupts import interrupted_afterwards
from symbackprop.loops import Loop
from symbackprop.optimisers import Clip, Optimiser, Schedule
from symbackprop.samples import Samples

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Array = NDArray[Any]
Arrays = dict[str, Array]

PATIENCE = 0.1  # seconds in compiled code, which nothing can interrupt
KEEPING = 5.0  # seconds after which a state is kept again


@dataclass(frozen=True)
class Moment:
    """How far an epoch has come: `minibatch` of `minibatches`, at a mean `loss`."""

    epoch: int
    minibatch: int
    minibatches: int
    loss: float


@dataclass
class Descent:
    """Parameters on their way down, in a state that changes in place.

    Attributes:
        write: writes the state down; None where nobody asked for it.
        whole: whether the state is that after a step, not amid one.
        pace: seconds that a minibatch takes, once it is known.
        numbers: the limits of clipping, and the rule's options but the rate.
    """

    kernels: Kernels
    loop: Loop
    optimiser: Optimiser
    schedule: Schedule
    clip: Clip | None
    samples: Samples
    batch_size: int
    seed: int
    state: State
    write: Callable[[], None] | None = None
    whole: bool = True
    pace: float = math.inf
    gradient: Array = field(init=False)
    workspace: Array = field(init=False)
    rows: Arrays = field(init=False)
    numbers: tuple[float, ...] = field(init=False)
    kept_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.batch_size = min(self.batch_size, self.samples.length)
        self.gradient = np.empty_like(self.state.theta)
        self.workspace = self.kernels.workspace(self.batch_size)
        self.rows = self.samples.rows(self.batch_size)
        limits = self.clip.limits if self.clip else (math.inf, math.inf)
        options = self.optimiser.options
        others = (value for name, value in options.items() if name != "rate")
        self.numbers = (*limits, *others)
        self.kept_at = time.perf_counter()
        with interrupted_afterwards():
            self._run(self._order(0), np.empty(0), 0)  # compiles; moves nothing

    @property
    def steps(self) -> int:
        """Minibatches of an epoch."""
        return math.ceil(self.samples.length / self.batch_size)

    def epoch(self, during: Callable[[Moment], None] | None = None) -> None:
        """Visit the samples that this epoch has not met yet."""
        began = time.perf_counter()
        state, steps = self.state, self.steps
        number = len(state.epochs) + 1
        order = self._order(number)
        before = (number - 1) * steps
        factors = self.schedule.factors(before + 1, steps, steps)
        rates = self.optimiser.rate * factors
        while state.minibatch < steps:
            count = max(1, int(min(PATIENCE / self.pace, steps - state.minibatch)))
            with self.changing():
                called = time.perf_counter()
                total, reached, found = self._run(order, rates, state.minibatch + count)
                ended = time.perf_counter()
                state.total, state.minibatch = total, reached
                state.seconds += ended - began
                began = ended
                if found:  # its state is never kept
                    self._diverged(number, found)
            self.pace = max((ended - called) / count, 1e-9)
            if state.minibatch < steps:
                if time.perf_counter() - self.kept_at > KEEPING:
                    self.keep()
                if during:
                    met = state.minibatch * self.batch_size
                    during(Moment(number, state.minibatch, steps, state.total / met))

    def evaluate(self, held: Samples) -> tuple[float, float | None]:
        """Value and accuracy of held-out samples, in the memory of a minibatch."""
        return held.evaluate(
            self.kernels, self.state.theta, self.workspace, self.batch_size
        )

    def keep(self) -> None:
        """Write the state down, where that is wanted."""
        if self.write is not None:
            self.write()
            self.kept_at = time.perf_counter()

    @contextmanager
    def kept_when_interrupted(self) -> Iterator[None]:
        """Ctrl-C loses no step, unless a second one came amid it."""
        try:
            yield
        except KeyboardInterrupt:
            if self.whole:
                self.keep()
            raise

    @contextmanager
    def changing(self) -> Iterator[None]:
        """The state is not whole in between; Ctrl-C waits where it is to be kept."""
        with interrupted_afterwards() if self.write else nullcontext():
            self.whole = False
            yield
            self.whole = True

    def _order(self, number: int) -> Array:
        """The samples of an epoch in the order in which they are met."""
        small = self.samples.length < 2**31
        order = np.arange(self.samples.length, dtype=np.int32 if small else np.int64)
        np.random.default_rng((self.seed, number)).shuffle(order)
        return order

    def _run(self, order: Array, rates: Array, last: int) -> tuple[float, int, int]:
        """The next minibatches up to `last`, by the emitted loop."""
        state = self.state
        return self.loop.epoch(
            state.theta,
            *self.samples.arrays.values(),
            order,
            self.batch_size,
            state.minibatch,
            last,
            len(state.epochs) * self.steps,
            rates,
            *self.numbers,
            self.gradient,
            *state.carried,
            *self.rows.values(),
            self.workspace,
            state.total,
        )

    def _diverged(self, number: int, found: int) -> NoReturn:
        """Name what is not finite, with the minibatch that is still in its rows."""
        first = self.state.minibatch * self.batch_size
        count = min(self.batch_size, self.samples.length - first)
        arrays = dict(self.samples.arrays)
        arrays |= {name: rows[:count] for name, rows in self.rows.items()}
        with np.errstate(all="ignore"):
            name = self._lost(arrays, found)
        raise DivergenceError(
            f"epoch {number}, minibatch {self.state.minibatch + 1}: `{name}` is the "
            "first tensor that is not finite. Lower the optimiser's rate, or scale the "
            "data."
        )

    def _lost(self, arrays: Arrays, found: int) -> str:
        """The first tensor that is not finite, in computing order."""
        derivation, unpack = self.kernels.derivation, self.kernels.unpack
        theta = self.state.theta
        if found == 1:
            for equation in derivation.forward:
                name = equation.tensor
                if name in derivation.live:
                    made = self.kernels.predict(theta, *arrays.values(), tensor=name)
                    if not np.isfinite(made).all():
                        return str(name)
            for name, slope in unpack(self.gradient).items():
                if not np.isfinite(slope).all():
                    return str(derivation.slopes[name])
            return "gradient"  # finite, but its norm is not
        for name, values in unpack(theta).items():
            if not np.isfinite(values).all():
                return str(name)
        carried = zip(self.optimiser.rule.state, self.state.carried, strict=True)
        for name, vector in carried:
            if not np.isfinite(vector).all():
                return f"{name}` of `{self.optimiser.rule.name}"
        return str(derivation.program.objective)
