"""Schedules: by which factor the optimiser's rate is multiplied at each step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symbackprop.optimisers.options import check_between

Array = NDArray[Any]


@dataclass(frozen=True)
class Schedule(ABC):
    """A factor of the rate as training goes on; a subclass is found by its name.

    Time is counted in epochs, whole or not: step s of an epoch of n steps, both over
    all epochs, begins at e = (s - 1)/n.

    Attributes:
        warmup: epochs in which the rate first rises linearly, by `s/(warmup*n)`; the
            schedule begins after them.

    Source of the warm-up: Goyal et al., Accurate, large minibatch SGD, 2017, section
    2.2.
    """

    registry: ClassVar[dict[str, type[Schedule]]] = {}
    warmup: float = field(default=0.0, kw_only=True)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.registry[cls.__name__.removesuffix("Rate").lower()] = cls

    def __post_init__(self) -> None:
        check_between(self, "warmup", 0, math.inf, open=False)

    @abstractmethod
    def after(self, epoch: Array) -> Array:
        """The factor at times that are counted from the end of the warm-up."""

    def factors(self, first: int, count: int, per_epoch: int) -> Array:
        """The factors of steps first, ..., first + count - 1, counted from 1.

        >>> CosineRate(2, warmup=0.5).factors(1, 4, per_epoch=4).round(2)
        array([0.5 , 1.  , 1.  , 0.96])
        """
        steps = np.arange(first, first + count, dtype=np.float64)
        epoch = (steps - 1) / per_epoch
        if not self.warmup:
            return self.after(epoch)
        rise = np.minimum(steps / (self.warmup * per_epoch), 1.0)
        return rise * self.after(np.maximum(epoch - self.warmup, 0.0))


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """`1`: the rate stays, but for a warm-up.

    >>> ConstantRate().factors(1, 2, per_epoch=10)
    array([1., 1.])
    """

    def after(self, epoch: Array) -> Array:
        return np.ones_like(epoch)


@dataclass(frozen=True)
class StepRate(Schedule):
    """`factor**floor(e/every)`: lower by a factor every so many epochs.

    >>> StepRate(2, factor=0.5).factors(1, 5, per_epoch=1)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(self, "every", 0, math.inf, open=True)
        check_between(self, "factor", 0, math.inf, open=True)

    def after(self, epoch: Array) -> Array:
        return np.power(float(self.factor), np.floor(epoch / self.every))


@dataclass(frozen=True)
class ExponentialRate(Schedule):
    """`factor**e`: lower by a factor each epoch, a little at each step.

    >>> ExponentialRate(0.25).factors(1, 3, per_epoch=2)
    array([1.  , 0.5 , 0.25])
    """

    factor: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(self, "factor", 0, math.inf, open=True)

    def after(self, epoch: Array) -> Array:
        return np.power(float(self.factor), epoch)


@dataclass(frozen=True)
class CosineRate(Schedule):
    """`least + (1 - least)*(1 + cos(pi*e/epochs))/2`, and `least` from then on.

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, equation 5, without restarts.

    >>> CosineRate(4).factors(1, 6, per_epoch=1).round(3)
    array([1.   , 0.854, 0.5  , 0.146, 0.   , 0.   ])
    """

    epochs: float
    least: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(self, "epochs", 0, math.inf, open=True)
        check_between(self, "least", 0, 1, open=False)

    def after(self, epoch: Array) -> Array:
        share = np.minimum(epoch / self.epochs, 1.0)
        return self.least + (1 - self.least) * (1 + np.cos(np.pi * share)) / 2
