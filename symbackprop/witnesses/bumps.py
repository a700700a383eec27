"""The adjoint of any tensor: what the objective does when the tensor is bumped.

    T = f(...)   =>   T = f(...) + bump,   delta_T = d objective / d bump at bump = 0

Forward equations alone are read, with dual numbers; nothing is derived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symbackprop.equations import Equation, System, Term, fresh
from symbackprop.witnesses.duals import Dual, DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import REAL, Array, Numbers


def adjoint(
    system: System,
    values: Mapping[str, Any],
    tensor: str,
    batch: int,
    numbers: Numbers = REAL,
) -> Array:
    """The slope of the objective by every entry of a tensor, given or computed.

    It is that of each sample's own objective where the tensor is batched, else that of
    the mean over the batch.

    Shapes:
        The tensor's own, with the batch in front if it is batched.
    """
    found = jacobian(system, values, system.objective, tensor, batch, numbers)
    if system.tensors[tensor].batched:
        return found
    return found.mean(axis=0) if system.tensors[system.objective].batched else found


def jacobian(
    system: System,
    values: Mapping[str, Any],
    of: str,
    by: str,
    batch: int,
    numbers: Numbers = REAL,
) -> Array:
    """The slope of every entry of a tensor by every entry of another, sample by sample.

    Shapes:
        That of `of`, then that of `by`; the batch in front if one of them is batched.
    """
    shape, outer = system.shape(by), system.shape(of)
    size = int(np.prod(shape, dtype=int))
    batched = system.tensors[by].batched
    whole = (batch, *shape) if batched else shape
    lead = (batch,) if batched or system.tensors[of].batched else ()
    seeds = np.broadcast_to(np.eye(size).reshape(*shape, size), (*whole, size))
    duals = DualNumbers(numbers, size)
    if by in values:
        moved = {**values, by: duals.dual(values[by], seeds)}
    else:
        system, bump = _bumped(system, by)
        moved = {**values, bump: duals.dual(np.zeros(whole), seeds)}
    found = evaluate(system, moved, duals, batch)[of]
    slopes = numbers.zeros((*found.shape, size))
    if isinstance(found, Dual):
        slopes = np.broadcast_to(np.asarray(found.tangent), slopes.shape)
    if lead and not system.tensors[of].batched:
        slopes = slopes[None]
    return np.broadcast_to(slopes, (*lead, *outer, size)).reshape(
        (*lead, *outer, *shape)
    )


def _bumped(system: System, tensor: str) -> tuple[System, str]:
    """The system with `T` split: `T_plain` as it was, and `T = T_plain + bump`."""
    old = system.tensors[tensor]
    names = [fresh(stem, system.tensors) for stem in ("bump", f"{tensor}_plain")]
    rank = 1 + max(t.rank for t in system.tensors.values())
    bump, plain = (
        replace(old, name=name, rank=rank + place, zero_outside=False)
        for place, name in enumerate(names)
    )
    equations: list[Equation] = []
    for equation in system.equations:
        if equation.tensor != tensor:
            equations.append(equation)
            continue
        terms = tuple(Term(part.read(*equation.indices)) for part in (plain, bump))
        equations.append(replace(equation, tensor=plain.name))
        equations.append(Equation(tensor, equation.indices, terms))
    tensors = {
        **system.tensors,
        bump.name: replace(bump, role="data"),
        plain.name: plain,
    }
    return replace(system, tensors=tensors, equations=tuple(equations)), bump.name
