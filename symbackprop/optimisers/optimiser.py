"""Optimisers: one frozen dataclass each, which declares its rule as equations."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import DeclarationError, short
from symbackprop.optimisers.options import check_between
from symbackprop.optimisers.rule import Rule

Array = NDArray[Any]


class Optimiser(ABC):
    """How theta moves at each step; a subclass is found by its name in lower case.

    A subclass is a frozen dataclass whose fields are the options of its rule. Nothing
    else is written: the compiled loop and the NumPy reference follow from the rule.
    """

    registry: ClassVar[dict[str, type[Optimiser]]] = {}
    rate: float

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.registry[cls.__name__.lower()] = cls

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """The equations of one component."""

    @property
    def equations(self) -> tuple[str, ...]:
        """The rule as text, an equation each.

        >>> print(*SGD(0.1, momentum=0.9).equations, sep="\\n")
        v = momentum*v + g
        theta = theta - rate*v
        """
        return self.rule.lines

    @property
    def options(self) -> dict[str, float]:
        """The numbers of the rule, by name."""
        return {name: float(getattr(self, name)) for name in self.rule.options}

    def start(self, theta: Array) -> tuple[Array, ...]:
        """The state before the first step: vectors like theta."""
        return tuple(np.zeros_like(theta) for _ in self.rule.state)

    def step(
        self, theta: Array, gradient: Array, state: tuple[Array, ...], count: int
    ) -> None:
        """One step by NumPy, the reference of the compiled one.

        Theta and the state change in place; `count` is 1 at the first step.
        """
        rule = self.rule
        vectors = dict(zip(rule.state, state, strict=True), theta=theta)
        found = rule.evaluate({**self.options, **vectors, "g": gradient, "t": count})
        for name, vector in vectors.items():
            vector[:] = found[name]


@dataclass(frozen=True)
class SGD(Optimiser):
    """`theta = theta - rate*g`, with a momentum that remembers earlier slopes.

    Source: Robbins and Monro, A stochastic approximation method, 1951; momentum:
    Polyak, Some methods of speeding up the convergence of iteration methods, 1964;
    `nesterov`: Sutskever, Martens, Dahl and Hinton, On the importance of
    initialization and momentum in deep learning, ICML 2013, in the form that takes
    the gradient at theta itself.

    >>> SGD(0.1, momentum=0.9, nesterov=True).equations
    ('v = momentum*v + g', 'theta = theta - rate*(g + momentum*v)')
    """

    rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        check_between(self, "rate", 0, math.inf, open=True)
        check_between(self, "momentum", 0, 1, open=False)
        if not isinstance(self.nesterov, bool):
            raise DeclarationError(
                f"SGD: `nesterov` is {short(self.nesterov)}; give True or False."
            )
        if self.nesterov and not self.momentum:
            raise DeclarationError("SGD: `nesterov` needs a `momentum` above 0.")

    @property
    def rule(self) -> Rule:
        if self.nesterov:
            return _NESTEROV
        return _MOMENTUM if self.momentum else _SGD


_SGD = Rule("sgd", "theta = theta - rate*g")
_MOMENTUM = Rule(
    "momentum",
    """v = momentum*v + g
    theta = theta - rate*v""",
)
_NESTEROV = Rule(
    "nesterov",
    """v = momentum*v + g
    theta = theta - rate*(g + momentum*v)""",
)


@dataclass(frozen=True)
class AdaGrad(Optimiser):
    """Each component at a rate of its own, by the squares of all its slopes.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning
    and stochastic optimization, JMLR 12, 2011, the diagonal form.

    >>> AdaGrad(0.1).equations
    ('s = s + g**2', 'theta = theta - rate*g/(sqrt(s) + epsilon)')
    """

    rate: float = 1e-2
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        check_between(self, "rate", 0, math.inf, open=True)
        check_between(self, "epsilon", 0, math.inf, open=True)

    @property
    def rule(self) -> Rule:
        return _ADAGRAD


_ADAGRAD = Rule(
    "adagrad",
    """s = s + g**2
    theta = theta - rate*g/(sqrt(s) + epsilon)""",
)


@dataclass(frozen=True)
class RMSProp(Optimiser):
    """Each component at a rate of its own, by a running mean of its slopes' squares.

    Source: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5,
    2012.

    >>> RMSProp(1e-3).equations
    ('s = decay*s + (1 - decay)*g**2', 'theta = theta - rate*g/(sqrt(s) + epsilon)')
    """

    rate: float = 1e-3
    decay: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_between(self, "rate", 0, math.inf, open=True)
        check_between(self, "decay", 0, 1, open=False)
        check_between(self, "epsilon", 0, math.inf, open=True)

    @property
    def rule(self) -> Rule:
        return _RMSPROP


_RMSPROP = Rule(
    "rmsprop",
    """s = decay*s + (1 - decay)*g**2
    theta = theta - rate*g/(sqrt(s) + epsilon)""",
)

_MOMENTS = """m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    """


@dataclass(frozen=True)
class Adam(Optimiser):
    """`theta = theta - rate*m_hat/(sqrt(v_hat) + epsilon)`.

    m and v are running means of the slope and of its square; their hats are freed of
    the bias towards the zeros they start from.

    Source: Kingma and Ba, Adam, ICLR 2015, algorithm 1.

    >>> print(*Adam(1e-3).equations, sep="\\n")
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    theta = theta - rate*m_hat/(sqrt(v_hat) + epsilon)
    """

    rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_between(self, "rate", 0, math.inf, open=True)
        check_between(self, "beta1", 0, 1, open=False)
        check_between(self, "beta2", 0, 1, open=False)
        check_between(self, "epsilon", 0, math.inf, open=True)

    @property
    def rule(self) -> Rule:
        return _ADAM


_ADAM = Rule("adam", f"{_MOMENTS}theta = theta - rate*m_hat/(sqrt(v_hat) + epsilon)")


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam that also shrinks every component by `rate*decay` of itself.

    The decay stands outside the running means. It is multiplied by the rate, so that
    a schedule moves both; the paper's own decay is `rate*decay`.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019,
    algorithm 2.

    >>> AdamW(1e-3).equations[-2:]
    ('u = m_hat/(sqrt(v_hat) + epsilon)', 'theta = theta - rate*(u + decay*theta)')
    """

    decay: float = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(self, "decay", 0, math.inf, open=False)

    @property
    def rule(self) -> Rule:
        return _ADAMW


_ADAMW = Rule(
    "adamw",
    f"""{_MOMENTS}u = m_hat/(sqrt(v_hat) + epsilon)
    theta = theta - rate*(u + decay*theta)""",
)
