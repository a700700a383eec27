"""How a network's file says that it is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from symbackprop.errors import DeclarationError, short
from symbackprop.optimisers import Adam, Clip, ConstantRate, Optimiser, Schedule


@dataclass(frozen=True)
class Training:
    """What `train` is called with.

    Attributes:
        optimiser: how theta moves.
        epochs: how many times the data are gone through.
        batch_size: samples in a minibatch.
        seed: of the split, the first parameters and the order of the samples.
        schedule: by which factor the optimiser's rate changes.
        clip: the gradient's limits; None for none.

    >>> Training(epochs=3).optimiser
    Adam(rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    optimiser: Optimiser = field(default_factory=Adam)
    epochs: int = 10
    batch_size: int = 32
    seed: int = 0
    schedule: Schedule = field(default_factory=ConstantRate)
    clip: Clip | None = None

    def __post_init__(self) -> None:
        for name, kind, as_in in (
            ("optimiser", Optimiser, "SGD(0.1) or Adam(1e-3)"),
            ("schedule", Schedule, "CosineRate(10)"),
            ("clip", Clip | None, "Clip(norm=1.0)"),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise DeclarationError(f"{name} is {short(value)}; give {as_in}, say.")
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if not is_whole(value, least, 2**63 - 1):
                raise DeclarationError(
                    f"{name} is {short(value)}; give a whole number of at least "
                    f"{least}, below 2**63."
                )


def is_whole(value: Any, least: int, most: int) -> bool:
    """Whether it is an int, no bool, from `least` to `most`."""
    return type(value) is int and least <= value <= most


def is_real(value: Any) -> bool:
    """Whether it is a finite number, no bool."""
    real = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return real and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
