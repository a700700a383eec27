"""Statements of a proof: written in the claim's letters, and held against witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Expr, Mul, S

from symbackprop import scalars
from symbackprop.argument.lines import kronecker
from symbackprop.claims.claim import Claim
from symbackprop.claims.judging.grid import grid
from symbackprop.claims.judging.judge import Judge
from symbackprop.claims.judging.values import FIFTY, values
from symbackprop.claims.verdict import Reason
from symbackprop.equations import Equation, Name, System, Term, fresh
from symbackprop.errors import CheckError
from symbackprop.rewrites import reveal
from symbackprop.witnesses.draws import draw

NEAR = 1e-25  # relative; a line that is wrong is off by 1
SEED = 19480212
SCALES = (0.6, 1.7)  # of what is drawn


@dataclass(frozen=True)
class Statement:
    """`left = sum of terms`, where some conditions hold.

    Attributes:
        left: over tensors of the claim's system.
        terms: over them, and slopes of the proof's own.
        reason: why it holds.
        conditions: under which it holds.
        indices: letters beside those of the claim for all of whose values it holds.
    """

    left: Expr
    terms: tuple[Term, ...]
    reason: Reason
    conditions: tuple[Expr, ...] = ()
    indices: tuple[Name, ...] = ()


def side(claim: Claim, place: int) -> Expr:
    """The read of one side of a claim, at its free indices."""
    tensor = claim.system.tensors[claim.sides[place]]
    return tensor.read(*free(claim))


def free(claim: Claim) -> tuple[Name, ...]:
    """The free indices of a claim."""
    tensor = claim.system.tensors[claim.sides[0]]
    return tuple(claim.system.axes[axis].index for axis in tensor.axes)


# --- held against witnesses ----------------------------------------------------------


def check(
    claim: Claim,
    statements: Sequence[Statement],
    facts: tuple[str, ...] = (),
) -> None:
    """Evaluate every statement at random points.

    Args:
        claim: the claim, with all slopes and letters of the statements.

    Raises:
        CheckError: a statement that a witness refutes.
    """
    system, pairs = _with_statements(claim, statements)
    sides = tuple(name for pair in pairs for name in pair)
    wider = replace(claim, system=system, sides=sides)
    judge = Judge(wider, facts)
    for given, batch in _points(judge):
        small = judge.small
        found = values(wider, small, given, FIFTY, batch)
        for statement, (left, right) in zip(statements, pairs, strict=True):
            if not _agree(found[left], found[right]):
                raise CheckError(
                    f"the proof of `{claim.parsed.text}` fails at the line by "
                    f"`{statement.reason.key}`; please report it: no verdict is given."
                )


def _with_statements(
    claim: Claim, statements: Sequence[Statement]
) -> tuple[System, list[tuple[str, str]]]:
    """The claim's system with two tensors for the sides of each statement."""
    known = dict(claim.system.tensors)
    equations = list(claim.system.equations)
    pattern = claim.system.tensors[claim.sides[0]]
    pairs = []
    for statement in statements:
        names = []
        indices = (*free(claim), *statement.indices)
        axes = tuple(index.name for index in indices)
        for terms in ((Term(statement.left),), statement.terms):
            name = fresh("line", known)
            rank = 1 + max(t.rank for t in known.values())
            known[name] = replace(pattern, name=name, axes=axes, rank=rank)
            names.append(name)
            limited = tuple(_where(t, statement.conditions) for t in terms)
            equations.append(Equation(name, indices, limited or (Term(S.Zero),)))
        pairs.append((names[0], names[1]))
    return replace(claim.system, tensors=known, equations=tuple(equations)), pairs


def chosen(body: Expr) -> Expr:
    """`x[j]*delta(k, i)` => `where(k == i, x[j], 0)`"""
    factors = Mul.make_args(body)
    found = Mul(*(f for f in factors if f.func is not kronecker))
    for factor in factors:
        if factor.func is kronecker:
            found = scalars.where(scalars.equal(*factor.args), found, S.Zero)
    return found


def _where(term: Term, conditions: Sequence[Expr]) -> Term:
    body = chosen(reveal(term.body))
    for condition in conditions:
        body = scalars.where(condition, body, S.Zero)
    return replace(term, body=body)


def _points(judge: Judge) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Values of parameters and data, or of variables, and how many of them."""
    system = judge.small
    base = judge.draws.base(system)
    if judge.claim.form == "scalar":
        yield grid(base, far=False)
        return
    rng = np.random.default_rng(SEED)
    for scale in SCALES:
        yield judge.draws.with_facts(draw(base, rng, 1, scale)), 1


def _agree(left: Any, right: Any) -> bool:
    """Whether they agree wherever both have a value."""
    left, right = np.asarray(left), np.asarray(right)
    both = np.asarray(left == left, dtype=bool) & np.asarray(right == right, dtype=bool)
    with np.errstate(all="ignore"):
        off = np.abs(left - right) > NEAR * (1 + np.abs(left) + np.abs(right))
    return not bool((np.asarray(off, dtype=bool) & both).any())
