"""`prove(claim) -> lines`: a proof that a person can follow, each line checked."""

from __future__ import annotations

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.quotients import TooHardError
from symbackprop.claims.proving.scalar import prove_scalar
from symbackprop.claims.proving.statements import check
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
    if claim.form != "scalar":
        return None
    try:
        statements = prove_scalar(claim)
    except TooHardError:
        return None
    if statements is None:
        return None
    check(claim, statements, {}, {}, facts)
    return lines(claim, statements)
