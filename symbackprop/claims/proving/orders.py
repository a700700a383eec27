"""Inequalities in indices: every part of the difference has the sign that is claimed.

a3[i] > 0:    a3[i] - 0 = exp(z3[i])/a3_sum, and a3_sum is a sum of exponentials
a3[i] < 1:    1 - a3[i] = 1 - exp(z3[i])/a3_sum, and a3_sum is more than exp(z3[i])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from sympy import Add, Dummy, Expr, S

from symbackprop.claims.proving.bench import Bench
from symbackprop.claims.proving.cases import cases
from symbackprop.claims.proving.definitions import opened
from symbackprop.claims.proving.quotients import POSITIVE, Sign, Signs
from symbackprop.claims.proving.signs import is_positive
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.proving.sums import Terms
from symbackprop.claims.proving.values import factors_of
from symbackprop.claims.verdict import Reason
from symbackprop.equations import (
    Equation,
    Term,
    indices_of,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.rewrites import reveal

MOST_SUMS = 4  # that are written out
MOST_PARTS = 8  # of one sum that are tried
LESS = {"<": Reason("is positive"), "<=": Reason("is not negative")}
PARTED = {"<": "is positive by definition", "<=": "is not negative by definition"}
Part = tuple[Expr, Signs, str]
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
        terms, parted = difference
        reason = LESS[order]
        if parted:
            reason = Reason(PARTED[order], {"names": ", ".join(parted)})
        found.append(Statement(left, terms, reason, bench.conditions))
    return found


def _shown(bench: Bench, terms: Terms, strict: bool) -> tuple[Terms, list[str]] | None:
    """A form of a sum that shows it to be positive, with as few sums as that takes.

    And the tensors whose definition shows it.
    """
    terms = tuple(replace(t, body=reveal(t.body)) for t in terms)
    for _ in range(MOST_SUMS):
        terms = bench.values.opened(terms)
        parted = _positive(bench, terms, strict)
        if parted is not None:
            return terms, parted
        sums = [
            equation
            for equation in bench.claim.base.equations
            if any(factors_of(term, equation.tensor) for term in terms)
        ]
        if not sums:
            return None
        terms = bench.values.unfolded(sums[-1], terms)
    return None


def _positive(bench: Bench, terms: Terms, strict: bool) -> list[str] | None:
    """The tensors whose definition shows a sum to be positive, part by part.

    None where it is not seen to be positive, or at least not negative.
    """
    parted: dict[str, None] = {}
    groups: dict[Term, list[Expr]] = {}
    for term in terms:
        groups.setdefault(replace(term, body=S.Zero), []).append(term.body)
    above = False
    for like, bodies in groups.items():
        total = opened(Add(*bodies))
        shown = _sense(bench, total)
        if shown is None:
            return None
        sign, name = shown
        parted |= {name: None} if name else {}
        above = above or (sign.strict and not like.guards)
    return [*parted] if above or not strict else None


def _sense(bench: Bench, total: Expr) -> tuple[Sign, str] | None:
    """The sign of what is seen not to be negative, and whose definition shows it."""
    known = signs(bench, total)
    whole: Part = (total, {}, "")
    for form, rest, name in (whole, *_parted(bench, total, known)):
        told = cases((form,), {**known, **rest})
        for strict in (True, False):
            if all(is_positive(c.expressions[0], c, strict) for c in told):
                return Sign(1, strict), name
    return None


def _parted(bench: Bench, total: Expr, known: Signs) -> Iterator[Part]:
    """A sum of what is positive, or a maximum, as one of its parts and the rest.

    `a_sum` => `exp(z[i]) + rest`, and `a` => `z[k] + rest`, rest not negative
    """
    system = bench.claim.system
    for read in dict.fromkeys(reads(total)):
        equation = bench.equations.get(tensor_of(read))
        if equation is None or equation.reduction not in ("sum", "max", "min"):
            continue
        (term, *more), sums = equation.terms, equation.reduction == "sum"
        if more or term.guards or not term.bound or (sums and read not in known):
            continue
        own = dict(zip(equation.indices, subscripts_of(read), strict=True))
        places = [
            [i for i in indices_of(total) if system.size(i) <= system.size(bound)]
            for bound in term.bound
        ]
        strict = sums and any(system.size(bound) > 1 for bound in term.bound)
        for at in islice(product(*places), MOST_PARTS):
            here = own | dict(zip(term.bound, at, strict=True))
            rest = Dummy(positive=True)
            part = opened(reveal(term.body)).xreplace(here)
            form = part - rest if equation.reduction == "min" else part + rest
            yield total.xreplace({read: form}), {rest: Sign(1, strict)}, equation.tensor


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
    return bool(terms) and summed and _positive(bench, terms, True) is not None
