"""What the judges find of a claim, on facts about its targets if it needs them."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.claims.claim import Claim, UndecidedError
from symbackprop.claims.judging.judge import Judge, Point
from symbackprop.claims.judging.targets import targets
from symbackprop.claims.reading.bench import variables
from symbackprop.errors import CheckError


@dataclass(frozen=True)
class Finding:
    """A claim that was judged.

    Attributes:
        judge: who judged it, on the facts that it relies on.
        exact: whether it holds on fractions, whatever the functions are.
        failing: a point where it fails; None where it holds.
        leans: constants that it names and on whose numbers it leans: with others, it
            fails. Empty where it fails anyway.
        elsewhere: who judged it with other numbers, and where it fails; None if none.
    """

    judge: Judge
    exact: bool
    failing: Point | None
    leans: tuple[str, ...] = ()
    elsewhere: tuple[Judge, Point] | None = None


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
        point = judge.failing_closely()
        if point is None:
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
    if point is not None:
        return Finding(judge, exact, point)
    return _leaning(Finding(judge, exact, point))


def _leaning(found: Finding) -> Finding:
    """With the constants that a claim that holds leans on.

    `lam**2*w` is no slope of `lam/2*w**2`, though it is with a lam of 1. A constant
    that the program does not read and that is as large as an axis names its size, and
    `lam = 0.3` says what it is.
    """
    claim = found.judge.claim
    constants = claim.base.constants
    if any(isinstance(s, ast.Name) and s.id in constants for s in claim.parsed.sides):
        return found
    read = {
        str(s)
        for e in claim.base.equations
        for t in e.terms
        for s in t.body.free_symbols
    }
    sizes = {axis.size for axis in claim.base.axes.values()}
    named = [
        name
        for name in variables(claim.parsed)
        if name in constants and (name in read or constants[name].value not in sizes)
    ]
    elsewhere = _elsewhere(found.judge, named)
    if elsewhere is None:
        return found
    alone = [n for n in named if len(named) > 1 and _elsewhere(found.judge, [n])]
    return replace(found, leans=tuple(alone or named), elsewhere=elsewhere)


def _elsewhere(judge: Judge, names: Collection[str]) -> tuple[Judge, Point] | None:
    """Where a claim fails with other numbers for some constants, close to their own."""
    if not names:
        return None
    claim = judge.claim
    constants = dict(claim.system.constants)
    for place, name in enumerate(names):
        old = constants[name].value
        new = old * Fraction(7 + place, 8 + place) or Fraction(1, 3 + place)
        constants[name] = replace(constants[name], value=new)
    system, base = (replace(s, constants=constants) for s in (claim.system, claim.base))
    other = Judge(replace(claim, system=system, base=base), judge.facts)
    try:
        point = other.failing()
    except UndecidedError:
        return None
    return None if point is None else (other, point)
