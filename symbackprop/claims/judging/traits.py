"""What a claim asks of its judge: more points, the program's own sizes, more time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod

from sympy import Expr, Rational, preorder_traversal

from symbackprop.claims.claim import Claim
from symbackprop.claims.judging.values import part
from symbackprop.claims.reading.text import ORDERS
from symbackprop.equations import (
    Equation,
    System,
    affine,
    is_index,
    reads,
    tensor_of,
)
from symbackprop.scalars import TABLE, equal
from symbackprop.schedule import Loop, flatten, schedule

MOST_PLACES = 5_000  # of the letters of one sum
MOST_SLOPES, MOST_ENTRIES = 2_000, 2_000  # judged to 50 digits on the program's axes
FEW = 4  # points at which a condition must hold
MOST_FIGURES = 25  # of a number in a claim that is judged to 50 digits


@dataclass(frozen=True)
class Traits:
    """The traits of one claim.

    Attributes:
        claim: the claim.
        small: its system with small axes.
    """

    claim: Claim
    small: System

    @property
    def orders(self) -> bool:
        """Whether the claim is an inequality."""
        return self.claim.parsed.relations[0] in ORDERS

    @cached_property
    def piecewise(self) -> bool:
        """Whether a choice by value enters the claim: then more points are drawn."""
        return any(map(_chooses, self._entering.equations))

    @cached_property
    def counts_places(self) -> bool:
        """Whether an index or a whole number counts as a number: then sizes matter."""
        whole = {t.name for t in self.claim.base.tensors.values() if t.integer}
        bodies = [term.body for equation in self.claim.own for term in equation.terms]
        return any(_counts_places(body, whole) for body in bodies)

    @cached_property
    def numbers(self) -> set[Fraction]:
        """The numbers that stand in the claim."""
        return set().union(*map(_numbers_of, self.claim.own))

    @property
    def is_fine(self) -> bool:
        """Whether a number of the claim has more figures than points may show."""
        longest = 10**MOST_FIGURES
        return any(max(abs(n.numerator), n.denominator) > longest for n in self.numbers)

    def is_rare(self, points: int) -> bool:
        """Whether its condition holds at too few points; an equation holds at few."""
        made = [e for e in self.claim.own if e.tensor == self.claim.condition]
        if not made or self.claim.form != "scalar":
            return False
        return points < (1 if made[0].terms[0].body.has(equal) else FEW)

    def places(self, system: System) -> int:
        """Of how many places the largest sum of the claim goes through each."""
        return max(_places(system, self.claim.own))

    @property
    def affordable(self) -> bool:
        """Whether the program's own axes are short enough to be gone through."""
        system = self.claim.system
        if self.places(system) > MOST_PLACES:
            return False
        entries = sum(prod(system.shape(name)) for name in system.tensors)
        slopes = sum(
            prod(system.shape(slope.of)) * prod(system.shape(slope.by))
            for slope in self.claim.slopes.values()
        )
        return slopes <= MOST_SLOPES and entries <= MOST_ENTRIES

    def work(self, system: System) -> int:
        """How many products a witness sums up for the slopes at one point."""
        directions = sum(
            prod(system.shape(slope.by)) for slope in self.claim.slopes.values()
        )
        return directions * sum(_places(system, self.claim.base.equations))

    @cached_property
    def _entering(self) -> System:
        """The equations that enter the claim, through slopes too, on small axes."""
        return part(self.small, {*self.claim.sides, *self.claim.ends})

    @cached_property
    def length(self) -> float:
        """About how long its fractions grow, in numbers as they are drawn."""
        longest: dict[str, float] = {}
        for item in schedule(self._entering):
            steps = item.length if isinstance(item, Loop) else 1
            for equation in flatten([item]) * steps:
                longest[equation.tensor] = sum(
                    _length(term.body, longest)
                    * prod(self.small.size(index) for index in term.bound)
                    for term in equation.terms
                )
        return max(longest.values(), default=1.0)


def _places(system: System, equations: Iterable[Equation]) -> Iterator[int]:
    """Through how many places each term of some equations goes."""
    for equation in equations:
        for term in equation.terms:
            letters = (*equation.indices, *term.bound)
            yield prod(system.size(index) for index in letters)


def _chooses(equation: Equation) -> bool:
    """Whether an equation takes a maximum, or a function that has a corner."""
    if equation.reduction != "sum":
        return True
    for term in equation.terms:
        for node in preorder_traversal(term.body):
            row = TABLE.get(node.func.__name__)
            if row is not None and row.kinks:
                return True
            compares = node.func.__name__ in ("less", "less_equal", "equal")
            if compares and any(True for _ in reads(node)):
                return True
    return False


def _counts_places(body: Expr, whole: Collection[str]) -> bool:
    """Whether an index or a whole number counts as a number: `label*label`, `i + 1`.

    Not where two places are compared, which means the same on short axes.

    Args:
        whole: the tensors of whole numbers.
    """
    if body.is_Indexed or body.is_Symbol:
        return is_index(body) or tensor_of(body) in whole
    if body.func.__name__ in ("less", "less_equal", "equal"):
        plain = all(
            (a.is_Indexed or a.is_Symbol) and _counts_places(a, whole)
            for a in body.args
        )
        if plain or all(affine(a) is not None for a in body.args):
            return False
    return any(_counts_places(argument, whole) for argument in body.args)


def _numbers_of(equation: Equation) -> set[Fraction]:
    """The numbers that stand in an equation."""
    return {
        Fraction(int(number.p), int(number.q))
        for term in equation.terms
        for number in term.body.atoms(Rational)
    }


def _length(body: Expr, longest: Mapping[str, float]) -> float:
    """The length of a value, in numbers as they were drawn.

    The stand-in of a function has squares of its argument above and below.
    """
    if body.is_Indexed or body.is_Symbol:
        return longest.get(tensor_of(body), 1.0)
    inside = sum(_length(argument, longest) for argument in body.args)
    row = TABLE.get(body.func.__name__)
    return min(inside * (4 if row else 1), 1e9)
