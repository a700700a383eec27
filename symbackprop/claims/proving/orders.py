"""Inequalities in indices: every part of the difference has the sign that is claimed.

a3[i] > 0:    a3[i] - 0 = exp(z3[i])/a3_sum, and a3_sum is a sum of exponentials
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, S

from symbackprop.claims.proving.bench import Bench
from symbackprop.claims.proving.cases import cases
from symbackprop.claims.proving.definitions import opened
from symbackprop.claims.proving.quotients import POSITIVE, Sign, Signs
from symbackprop.claims.proving.signs import is_positive
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.proving.sums import Terms
from symbackprop.claims.proving.values import factors_of
from symbackprop.claims.verdict import Reason
from symbackprop.equations import Equation, Term, reads, tensor_of
from symbackprop.rewrites import reveal

MOST_SUMS = 4  # that are written out
LESS = {"<": "is positive", "<=": "is not negative"}
MIRRORED = {">": "<", ">=": "<="}


def prove_orders(bench: Bench) -> list[Statement] | None:
    """A statement for each relation of a claim; None where one is not shown.

    Raises:
        TooHardError: expressions beyond the arithmetic.
    """
    found = []
    for place, relation in enumerate(bench.claim.parsed.relations):
        sense = -1 if relation in MIRRORED else 1
        order = MIRRORED.get(relation, relation)
        ends = [bench.start(place + k) for k in (0, 1)]
        less, more = ends if sense > 0 else reversed(ends)
        minus = [replace(t, body=-t.body) for t in less]
        difference = _shown(bench, (*more, *minus), strict=order == "<")
        if difference is None:
            return None
        left = sense * (side(bench.claim, place + 1) - side(bench.claim, place))
        reason = Reason(LESS[order])
        found.append(Statement(left, difference, reason, bench.conditions))
    return found


def _shown(bench: Bench, terms: Terms, strict: bool) -> Terms | None:
    """A form of a sum that shows it to be positive, with as few sums as that takes."""
    terms = tuple(replace(t, body=reveal(t.body)) for t in terms)
    for _ in range(MOST_SUMS):
        terms = bench.values.opened(terms)
        if _is_positive(bench, terms, strict):
            return terms
        sums = [
            equation
            for equation in bench.claim.base.equations
            if any(factors_of(term, equation.tensor) for term in terms)
        ]
        if not sums:
            return None
        terms = bench.values.unfolded(sums[-1], terms)
    return None


def _is_positive(bench: Bench, terms: Terms, strict: bool) -> bool:
    """Whether a sum is positive, or at least not negative, part by part."""
    groups: dict[Term, list[Expr]] = {}
    for term in terms:
        groups.setdefault(replace(term, body=S.Zero), []).append(term.body)
    above = False
    for like, bodies in groups.items():
        total = opened(Add(*bodies))
        known = signs(bench, total)
        parted = [(case, case.expressions[0]) for case in cases((total,), known)]
        if not all(is_positive(body, case, strict=False) for case, body in parted):
            return False
        above = above or (
            not like.guards
            and all(is_positive(body, case, strict=True) for case, body in parted)
        )
    return above or not strict


def signs(bench: Bench, expression: Expr) -> Signs:
    """The signs of constants, and of sums, all of whose summands have one."""
    found: dict[Expr, Sign] = {
        constant.symbol: Sign(1 if constant.value > 0 else -1)
        for constant in bench.claim.system.constants.values()
        if constant.value
    }
    for read in dict.fromkeys(reads(expression)):
        equation = bench.equations.get(tensor_of(read))
        if equation is not None and _sums_up(bench, equation):
            found[read] = POSITIVE
    return found


def _sums_up(bench: Bench, equation: Equation) -> bool:
    """Whether a tensor is a sum of what is positive."""
    terms = bench.values.opened(bench.sums.normal(equation.terms))
    summed = equation.reduction == "sum" and all(t.bound for t in equation.terms)
    return bool(terms) and summed and _is_positive(bench, terms, strict=True)
