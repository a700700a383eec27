"""One random point in float64: the value of every tensor, and slopes once asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbackprop.claims.judging.values import part
from symbackprop.equations import System
from symbackprop.witnesses.bumps import jacobian
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import Array

SCALE = 0.9  # of the numbers that are drawn
SAMPLES = 60  # values of each variable of a scalar claim
SPREAD = 1.6  # of those values


@dataclass(frozen=True)
class Point:
    """Values of a system's tensors.

    Attributes:
        system: the forward equations, with small axes; none for a scalar claim.
        values: an array for each tensor; of a variable, many numbers.
    """

    system: System
    values: Mapping[str, Array]
    _slopes: dict[tuple[str, str], Array] = field(default_factory=dict)

    def slope(self, of: str, by: str) -> Array:
        """Every entry of one tensor by every entry of another.

        Shapes:
            That of `of`, then that of `by`.
        """
        if (of, by) not in self._slopes:
            given = {t.name for t in (*self.system.parameters, *self.system.data)}
            self._slopes[of, by] = np.asarray(
                jacobian(
                    part(self.system, (of, by)),
                    {name: self.values[name] for name in given},
                    of,
                    by,
                    1,
                ),
                dtype=float,
            )
        return self._slopes[of, by]


def random_point(
    system: System, rng: np.random.Generator, shares: Collection[str] = ()
) -> Point:
    """A point of a program.

    Args:
        shares: tensors of positive numbers that add up to 1 along their last axis.
    """
    given: dict[str, Any] = dict(draw(system, rng, 1, SCALE))
    for name in shares:
        positive = np.abs(given[name]) + 0.2
        given[name] = positive / positive.sum(axis=-1, keepdims=True)
    return Point(system, evaluate(system, given, batch=1))


def random_numbers(system: System, rng: np.random.Generator) -> Point:
    """Numbers for each variable of a scalar claim."""
    return Point(
        system, {t.name: SPREAD * rng.normal(size=SAMPLES) for t in system.data}
    )
