"""`prove(claim) -> lines`: a proof that a person can follow, each line checked."""

from __future__ import annotations

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.index import prove_index
from symbackprop.claims.proving.quotients import TooHardError
from symbackprop.claims.proving.scalar import prove_scalar
from symbackprop.claims.proving.statements import Statement, check
from symbackprop.claims.proving.writing import lines
from symbackprop.claims.verdict import Line
from symbackprop.proof import Derivation


def prove(
    claim: Claim, derivation: Derivation | None = None, facts: tuple[str, ...] = ()
) -> tuple[Line, ...] | None:
    """The lines of a proof; None where none is found, and where a claim is false.

    Args:
        claim: the claim, read over its program.
        derivation: of the program, whose numbers of equations the lines name.
        facts: data whose entries add up to 1 along their last axis.

    Raises:
        CheckError: a line that a witness refutes.
    """
    try:
        found = _found(claim, facts)
    except TooHardError:
        return None
    if found is None:
        return None
    check(*found, facts)
    return lines(*found, {} if derivation is None else _numbers(derivation))


def _numbers(derivation: Derivation) -> dict[str, int]:
    """The numbers of equations that stand in a derivation as they were declared."""
    declared = {e.tensor: e for e in derivation.program.equations}
    return {
        e.tensor: derivation.number(e.tensor)
        for e in derivation.forward
        if e.tensor in declared and e.tensor not in derivation.rewritten
    }


def _found(
    claim: Claim, facts: tuple[str, ...]
) -> tuple[Claim, tuple[Statement, ...]] | None:
    if claim.form != "scalar":
        return prove_index(claim, facts)
    statements = prove_scalar(claim)
    return None if statements is None else (claim, statements)
