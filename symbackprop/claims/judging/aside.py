"""What the sides of a claim do a small step aside of a point.

At a corner or a tie a slope is but a convention, and at 0 `1/x` has no value: there no
claim is refuted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symbackprop.claims.claim import Claim
from symbackprop.claims.judging.values import FIFTY, SEED, finite, values
from symbackprop.equations import System
from symbackprop.witnesses.numbers import Array

STEP = Fraction(1, 10**25)  # small against what sides do, large against 50 digits
JUMP = 1e-12


def steady(here: Array, beside: Sequence[Array]) -> Array:
    """Where no side jumps.

    Args:
        here: the sides, stacked.
        beside: the same a step away, and as far the other way.

    Shapes:
        As one side.
    """
    calm = np.ones(here.shape[1:], dtype=bool)
    for there in beside:
        jump = np.abs(there - here) > JUMP * (1 + np.abs(here))
        calm &= ~np.asarray(jump, dtype=bool).any(axis=0)
    return calm


def isolated(beside: Sequence[Array]) -> Array:
    """Where all sides have values aside, on one way at least; see `steady`."""
    return np.asarray(np.any([finite(side).all(axis=0) for side in beside], axis=0))


def sides_beside(
    claim: Claim, given: Mapping[str, Any], system: System, batch: int = 1
) -> list[Array]:
    """The sides a step away, and as far the other way, stacked.

    Args:
        given: parameters and data, or the variables of a scalar claim.
        system: the claim's, perhaps with smaller axes.
        batch: how many values each variable has.
    """
    found = (values(claim, system, at, FIFTY, batch) for at in asides(claim, given))
    return [np.stack([np.asarray(f[name]) for name in claim.sides]) for f in found]


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
