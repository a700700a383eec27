"""What the sides of a claim do a small step aside of a point.

At a corner or a tie a slope is but a convention, and at 0 `1/x` has no value: there no
claim is refuted.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symbackprop.claims.claim import Claim
from symbackprop.claims.judging.values import FIFTY, finite, values
from symbackprop.equations import System
from symbackprop.witnesses.numbers import Array

SEED = 20221129
STEP = Fraction(1, 10**25)  # small against what sides do, large against 50 digits
JUMP = 1e-12


def steady(
    claim: Claim, given: Mapping[str, Any], system: System, batch: int = 1
) -> Array:
    """Where no side jumps.

    Args:
        given: parameters and data, or the variables of a scalar claim.
        system: the claim's, perhaps with smaller axes.
        batch: how many values each variable has.

    Shapes:
        As the sides.
    """
    here = _sides(claim, given, system, batch)
    calm = np.ones(here.shape[1:], dtype=bool)
    for moved in asides(claim, given):
        there = _sides(claim, moved, system, batch)
        jump = np.abs(there - here) > JUMP * (1 + np.abs(here))
        calm &= ~np.asarray(jump, dtype=bool).any(axis=0)
    return calm


def isolated(
    claim: Claim, given: Mapping[str, Any], system: System, batch: int = 1
) -> Array:
    """Where all sides have values aside, on one way at least; see `steady`."""
    sides = [_sides(claim, moved, system, batch) for moved in asides(claim, given)]
    return np.asarray(np.any([finite(side).all(axis=0) for side in sides], axis=0))


def asides(claim: Claim, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The values a step away, and as far the other way."""
    rng = np.random.default_rng(SEED)
    step = {
        tensor.name: rng.integers(1, 99, np.shape(given[tensor.name])).astype(object)
        for tensor in (*claim.base.data, *claim.base.parameters)
        if not tensor.integer
    }
    return [
        {
            **given,
            **{n: np.asarray(given[n], object) + size * s for n, s in step.items()},
        }
        for size in (STEP, -STEP)
    ]


def _sides(claim: Claim, given: Mapping[str, Any], system: System, batch: int) -> Array:
    found = values(claim, system, given, FIFTY, batch)
    return np.stack([np.asarray(found[name]) for name in claim.sides])
