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
    return lines(*found)


def _found(
    claim: Claim, facts: tuple[str, ...]
) -> tuple[Claim, tuple[Statement, ...]] | None:
    if claim.form != "scalar":
        return prove_index(claim, facts)
    statements = prove_scalar(claim)
    return None if statements is None else (claim, statements)
