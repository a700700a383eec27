"""Clipping: a gradient that is too long is shortened before the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symbackprop.errors import DeclarationError
from symbackprop.optimisers.options import check_between


@dataclass(frozen=True)
class Clip:
    """Limits of the gradient: of its length, of each component, or first of the latter.

    Args:
        norm: `g = g*norm/|g|` where `|g| > norm`, over all parameters together.
        value: `g = min(max(g, -value), value)` for each component; before `norm`,
            where both are given.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural
    networks, ICML 2013, algorithm 1.

    >>> Clip(norm=1.0)
    Clip(norm=1.0, value=None)
    """

    norm: float | None = None
    value: float | None = None

    def __post_init__(self) -> None:
        if self.norm is None and self.value is None:
            raise DeclarationError("Clip: give a `norm`, a `value`, or both.")
        for name in ("norm", "value"):
            if getattr(self, name) is not None:
                check_between(self, name, 0, math.inf, open=True)

    @property
    def limits(self) -> tuple[float, float]:
        """The greatest value and norm, infinite where there is no limit."""
        value, norm = self.value, self.norm
        return (
            math.inf if value is None else float(value),
            math.inf if norm is None else float(norm),
        )
