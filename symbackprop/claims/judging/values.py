"""The values of a claim's sides at a point, in any number system, by a witness.

Every slope comes from dual numbers over the forward equations; nothing that the
derivation found is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symbackprop.claims.claim import Claim
from symbackprop.equations import System, defined_by, tensor_of
from symbackprop.flow import closure
from symbackprop.witnesses.bumps import jacobian
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import Array, Numbers, Precise

FIFTY = Precise(50)
SEED = 20221129  # of all draws


def values(
    claim: Claim,
    system: System,
    given: Mapping[str, Any],
    numbers: Numbers,
    batch: int = 1,
) -> dict[str, Array]:
    """All tensors of a claim.

    Args:
        system: the claim's, perhaps with smaller axes.
        given: parameters and data, or the variables of a scalar claim.
        batch: how many values each variable has.
    """
    wanted = [*claim.sides, *claim.derived, *claim.derived.values()]
    wanted += [claim.condition] if claim.condition else []
    if claim.form == "scalar":
        wanted += [slope.of for slope in claim.slopes.values()]
    needed = needs(system, wanted)
    slopes = {
        name: jacobian(
            part(system, (slope.of, slope.by)),
            given,
            slope.of,
            slope.by,
            batch,
            numbers,
        )
        for name, slope in claim.slopes.items()
        if name in needed
    }
    whole = part(system, wanted)
    read = {name: value for name, value in given.items() if name in needed}
    return evaluate(whole, {**read, **slopes}, numbers, batch)


def needs(system: System, wanted: Iterable[str]) -> set[str]:
    """The tensors that some tensors are computed from, and they themselves."""
    reads = {
        name: [tensor_of(read) for read in equation.reads()]
        for name, equation in defined_by(system).items()
    }
    return closure(list(wanted), reads)


def part(system: System, wanted: Iterable[str]) -> System:
    """The equations that some tensors need."""
    needed = needs(system, wanted)
    kept = tuple(e for e in system.equations if e.tensor in needed)
    return replace(system, equations=kept)


def finite(value: Array) -> Array:
    """Where a value is a number, and no infinity."""
    with np.errstate(invalid="ignore"):  # some objects have no order
        return np.asarray((value == value) & (np.abs(value) < np.inf), dtype=bool)
