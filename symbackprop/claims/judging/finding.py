"""What the judges find of a claim, on facts about its targets if it needs them."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.claims.claim import Claim, UndecidedError
from symbackprop.claims.judging.judge import Judge, Point
from symbackprop.claims.judging.targets import targets
from symbackprop.errors import CheckError


@dataclass(frozen=True)
class Finding:
    """A claim that was judged.

    Attributes:
        judge: who judged it, on the facts that it relies on.
        exact: whether it holds on fractions, whatever the functions are.
        failing: a point where it fails; None where it holds.
    """

    judge: Judge
    exact: bool
    failing: Point | None


def find(claim: Claim) -> Finding:
    """Judge a claim as it stands, then with targets whose entries add up to 1.

    Raises:
        UndecidedError: the claim has no values, or is too large.
        CheckError: the judges contradict one another.
    """
    judge = Judge(claim)
    exact = judge.holds_exactly()
    point = judge.failing()
    if point is None and not exact and judge.traits.is_fine:
        raise UndecidedError("many figures")
    if point is not None and exact and not judge.traits.piecewise:
        raise CheckError(  # where choices are made, others may have been met
            f"the claim `{claim.parsed.text}` holds exactly on fractions but fails "
            "with 50 digits. Please report it: no verdict is given."
        )
    facts = tuple(tensor.name for tensor in targets(claim.base))
    if point is not None and facts:
        judge, exact = Judge(claim, facts), False
        point = judge.failing()
    return Finding(judge, exact, point)
