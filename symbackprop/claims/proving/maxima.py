"""Maxima and minima, with the places where they are taken.

    a[i] = max(z[k, i], k)    =>    also a_argmax[i] = argmax(z[k, i], k)

The slope of a maximum is that of its body at this place, elsewhere 0.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.claims.claim import Claim
from symbackprop.equations import System
from symbackprop.flow import one_index_a_time, with_places


def with_maxima(claim: Claim) -> Claim:
    """The claim over the same program, in which the places of maxima have names."""
    own = claim.system.equations[len(claim.base.equations) :]
    declared = _placed(replace(claim.system, equations=claim.base.equations))
    whole = replace(declared, equations=(*declared.equations, *own))
    made = declared.tensors.keys() - claim.system.tensors.keys()
    tensors = {n: declared.tensors[n] for n in (*claim.base.tensors, *sorted(made))}
    base = replace(claim.base, tensors=tensors, equations=declared.equations)
    return replace(claim, system=_placed(whole), base=base)


def _placed(system: System) -> System:
    """Each maximum over one index at a time, and behind it where it is taken."""
    behind = zip(system.equations, (*system.equations[1:], None), strict=True)
    taken = {
        equation.tensor
        for equation, following in behind
        if equation.reduction in ("max", "min")
        and (following is None or following.reduction not in ("argmax", "argmin"))
    }
    if not taken:
        return system
    system, taken = one_index_a_time(system, taken)
    return with_places(system, taken)
