"""Which way each choice by value falls: comparisons, and places of extremes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import Array, Comparison, Formula, Real

Made = TypeVar("Made", "Compared", "Best")


@dataclass(frozen=True)
class Compared:
    """How comparisons fell."""

    held: Array

    def changed(self, now: Compared) -> int:
        return int(np.sum(self.held != now.held))


@dataclass(frozen=True)
class Best:
    """The entries of which an extreme one was taken, and its place."""

    values: Array
    first: Array
    largest: bool

    def changed(self, now: Best) -> int:
        """How many rivals now beat the place that was taken then.

        One that stands before it wins a tie, too.
        """
        sign = 1 if self.largest else -1
        rivals = sign * now.values
        taken = np.take_along_axis(rivals, self.first[..., None], -1)
        places, first = np.arange(rivals.shape[-1]), self.first[..., None]
        before = (places < first) & (rivals >= taken)
        return int(np.sum(before | ((places > first) & (rivals > taken))))


class Choosing(Real):
    """Double precision that remembers each choice by value, on whole arrays.

    It shares nothing with the recorder of graphs, and so counts independently of it.

    Args:
        then: the choices of an earlier evaluation; this one goes the same way, as a
            replay does, and remembers what it would have chosen.
    """

    def __init__(self, then: Sequence[Any] | None = None) -> None:
        self.then = then
        self.made: list[Any] = []

    def own(self, name: str) -> Formula | None:
        return None if name in ("abs", "sign") else super().own(name)

    def compare(self, how: Comparison, a: Value, b: Value) -> Array:
        return self._taken(Compared(super().compare(how, a, b))).held

    def best(self, value: Value, largest: bool) -> Array:
        first = super().best(value, largest)
        return self._taken(Best(np.array(value), first, largest)).first

    def _taken(self, made: Made) -> Made:
        self.made.append(made)
        found: Made = made if self.then is None else self.then[len(self.made) - 1]
        return found


def changed(then: Sequence[Any], now: Sequence[Any]) -> int:
    """How many fell otherwise."""
    return sum(old.changed(new) for old, new in zip(then, now, strict=True))
