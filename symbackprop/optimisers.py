"""Optimisers: how a gradient moves the parameters, one frozen dataclass each."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import DeclarationError, short

Array = NDArray[Any]


class Optimiser(ABC):
    """A rule theta <- theta - step(gradient); a subclass is found by its name."""

    registry: ClassVar[dict[str, type[Optimiser]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.registry[cls.__name__.lower()] = cls

    def start(self, theta: Array) -> tuple[Array, ...]:
        """The state before the first step: vectors like theta."""
        return ()

    @abstractmethod
    def step(
        self, theta: Array, gradient: Array, state: tuple[Array, ...], count: int
    ) -> None:
        """Change theta and the state in place; `count` is 1 at the first step."""

    def _between(self, name: str, low: float, high: float, *, open: bool) -> None:
        """Refuse a field outside [low, high), or (low, high) where it is open."""
        value = getattr(self, name)
        real = isinstance(value, int | float) and not isinstance(value, bool)
        below = real and value < min(high, sys.float_info.max)
        if not (below and (low < value if open else low <= value)):
            least = "greater than" if open else "at least"
            most = "finite" if math.isinf(high) else f"less than {high:g}"
            raise DeclarationError(
                f"{type(self).__name__}: `{name}` is {short(value)}; "
                f"give a number {least} {low:g} and {most}."
            )


@dataclass(frozen=True)
class SGD(Optimiser):
    """`v = momentum*v + g; theta = theta - rate*v`.

    With `nesterov`, theta moves by `g + momentum*v` instead of `v`.

    >>> SGD(0.1, momentum=0.9).momentum
    0.9
    """

    rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        self._between("rate", 0, math.inf, open=True)
        self._between("momentum", 0, 1, open=False)
        if not isinstance(self.nesterov, bool):
            raise DeclarationError(
                f"SGD: `nesterov` is {short(self.nesterov)}; give True or False."
            )
        if self.nesterov and not self.momentum:
            raise DeclarationError("SGD: `nesterov` needs a `momentum` above 0.")

    def start(self, theta: Array) -> tuple[Array, ...]:
        return (np.zeros_like(theta),) if self.momentum else ()

    def step(
        self, theta: Array, gradient: Array, state: tuple[Array, ...], count: int
    ) -> None:
        if not state:
            theta -= self.rate * gradient
            return
        (velocity,) = state
        velocity *= self.momentum
        velocity += gradient
        ahead = gradient + self.momentum * velocity if self.nesterov else velocity
        theta -= self.rate * ahead


@dataclass(frozen=True)
class Adam(Optimiser):
    """`theta = theta - rate * m_hat / (sqrt(v_hat) + epsilon)`.

    m and v are running means of the gradient and of its square; their hats are freed
    of the bias towards the zeros they start from.

    Source: Kingma and Ba, Adam, ICLR 2015, algorithm 1.

    >>> Adam(1e-3).beta1
    0.9
    """

    rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self._between("rate", 0, math.inf, open=True)
        self._between("beta1", 0, 1, open=False)
        self._between("beta2", 0, 1, open=False)
        self._between("epsilon", 0, math.inf, open=True)

    def start(self, theta: Array) -> tuple[Array, ...]:
        return np.zeros_like(theta), np.zeros_like(theta)

    def step(
        self, theta: Array, gradient: Array, state: tuple[Array, ...], count: int
    ) -> None:
        m, v = state
        m += (1 - self.beta1) * (gradient - m)
        v += (1 - self.beta2) * (gradient * gradient - v)
        rate = self.rate / (1 - self.beta1**count)
        scale = math.sqrt(1 - self.beta2**count)
        theta -= rate * m / (np.sqrt(v) / scale + self.epsilon)


def option_names(optimiser: type[Optimiser]) -> tuple[str, ...]:
    """The fields of an optimiser in their order.

    >>> option_names(SGD)
    ('rate', 'momentum', 'nesterov')
    """
    return tuple(field.name for field in fields(optimiser))  # type: ignore[arg-type]
