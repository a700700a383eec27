"""Claims about functions of numbers, proved by definitions, cases and cancellation.

tanh(x) = 2*logistic(2*x) - 1
=> both sides are (exp(2*x) - 1)/(exp(2*x) + 1)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import sympy
from sympy import Expr, I, S

from symbackprop.calculus import hide
from symbackprop.claims.claim import Claim, Slope
from symbackprop.claims.proving.cases import Case, cases
from symbackprop.claims.proving.definitions import called, opened
from symbackprop.claims.proving.domains import domain
from symbackprop.claims.proving.quotients import Quotients, TooHardError, one_fraction
from symbackprop.claims.proving.signs import is_positive
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.verdict import Reason
from symbackprop.equations import Term, defined_by, reads, tensor_of
from symbackprop.rewrites import reveal
from symbackprop.scalars import equal, less, less_equal, where

SIGNS = {"<": "is positive", "<=": "is not negative"}
MIRRORED = {">": "<", ">=": "<="}
UNDEFINED = (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo)


def prove_scalar(claim: Claim) -> tuple[Statement, ...] | None:
    """The statements of a proof; None where none is found.

    Raises:
        TooHardError: expressions beyond the arithmetic.
    """
    return _ScalarProof(claim).found()


class _ScalarProof:
    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.equations = defined_by(claim.system)
        self.relations = claim.parsed.relations

    def found(self) -> tuple[Statement, ...] | None:
        """Differentiate, write out, tell cases apart, until both sides are equal."""
        given = [self.tensor(name, slopes=True) for name in self.claim.sides]
        if self.settled(given):
            same = (Term(given[1]),)
            return (Statement(side(self.claim, 0), same, Reason("as it stands")),)
        derived = [reveal(self.tensor(name)) for name in self.claim.sides]
        definitions = [opened(s) for s in derived]
        lines = self.changed(given, derived, Reason("by differentiation"))
        if not self.settled(derived):
            names = Reason("by definition", {"names": ", ".join(called(derived))})
            lines += self.changed(derived, definitions, names)
            if not self.settled(definitions):
                further = self.by_cases(definitions)
                return None if further is None else (*lines, *further)
        return tuple(lines)

    def settled(self, sides: Sequence[Expr]) -> bool:
        """Whether all sides are literally equal, as they should be."""
        return set(self.relations) == {"="} and len(set(sides)) == 1

    def changed(
        self,
        before: Sequence[Expr],
        after: Sequence[Expr],
        reason: Reason,
        conditions: tuple[Expr, ...] = (),
    ) -> list[Statement]:
        """A line for each side that a step changes."""
        return [
            Statement(side(self.claim, place), (Term(new),), reason, conditions)
            for place, (old, new) in enumerate(zip(before, after, strict=True))
            if old != new
        ]

    # --- cases -----------------------------------------------------------------------

    def by_cases(self, sides: Sequence[Expr]) -> list[Statement] | None:
        """Lines for each case of the conditions in the sides; None where one fails."""
        marks = [*self.assumed, *self.ties]
        parted = cases([*sides, *marks])
        lines: list[Statement] = []
        exercised = False
        for case in parted:
            own = case.expressions[: len(sides)]
            if S.Zero in case.expressions[len(sides) :]:
                continue  # outside of what is claimed
            undefined = [e.has(*UNDEFINED) for e in own]
            if all(undefined):
                continue
            conditions = case.conditions
            if len(parted) > 1:
                lines += self.changed(sides, own, Reason("by case"), conditions)
            further = None if any(undefined) else self.in_case(own, case)
            if further is None:
                return None
            lines += further
            exercised = True
        return lines if exercised else None

    def in_case(self, sides: Sequence[Expr], case: Case) -> list[Statement] | None:
        """Lines that compare the sides in one case; None where that fails."""
        if self.settled(sides):
            return []
        if len({domain(s, case.known) for s in sides}) > 1:
            return None
        forms = dict(enumerate(sides))
        lines: list[Statement] = []
        for place, relation in enumerate(self.relations):
            left, right = sides[place], sides[place + 1]
            if relation == "=":
                quotients = Quotients((left - right, left), case.known)
                if not quotients.vanishes(left - right):
                    return None
                common = quotients.written(quotients.value(left))
                if common.has(I):
                    lines.append(self.difference(place, 1, S.Zero, "by Euler", case))
                else:
                    forms |= {place: common, place + 1: common}
                continue
            sense = -1 if relation in MIRRORED else 1
            order = MIRRORED.get(relation, relation)
            difference = sense * (right - left)
            if not is_positive(difference, case, order == "<"):
                return None
            shown = one_fraction(difference, case.known)
            lines.append(self.difference(place, sense, shown, SIGNS[order], case))
        after = [forms[place] for place in range(len(sides))]
        fraction = Reason("as one fraction")
        return [*self.changed(sides, after, fraction, case.conditions), *lines]

    def difference(
        self, place: int, sense: int, shown: Expr, reason: str, case: Case
    ) -> Statement:
        """`right - left = shown`, or for a sense of -1 `left - right = shown`."""
        left = sense * (side(self.claim, place + 1) - side(self.claim, place))
        return Statement(left, (Term(shown),), Reason(reason), case.conditions)

    @cached_property
    def assumed(self) -> list[Expr]:
        """What is 0 where the claim's condition does not hold."""
        name = self.claim.condition
        return [opened(reveal(self.tensor(name)))] if name else []

    @cached_property
    def ties(self) -> list[Expr]:
        """What is 0 at a corner of what is differentiated: slopes there are chosen."""
        found: dict[Expr, None] = {}
        for slope in self.claim.slopes.values():
            source = opened(reveal(self.tensor(slope.of)))
            for part in sympy.preorder_traversal(source):
                if isinstance(part, less | less_equal | equal):
                    found.setdefault(where(equal(*part.args), S.Zero, S.One))
        return [*found]

    # --- what tensors are ------------------------------------------------------------

    def tensor(self, name: str, stop: str = "", slopes: bool = False) -> Expr:
        """A tensor as an expression in the variables, and in the tensor `stop`.

        Args:
            slopes: whether given slopes stay as they are.
        """
        slope = self.claim.slopes.get(name)
        if slope is not None and not slopes:
            return self.slope(slope)
        if name == stop or name not in self.equations:
            return self.claim.system.tensors[name].symbol
        equation = self.equations[name]
        if equation.reduction != "sum" or any(t.bound for t in equation.terms):
            raise TooHardError
        body = sum((term.body for term in equation.terms), S.Zero)
        return body.xreplace(
            {r: self.tensor(tensor_of(r), stop, slopes) for r in reads(body)}
        )

    def slope(self, slope: Slope) -> Expr:
        """`D(of, by)`, opaque; what `by` is computed from does not show in it."""
        by = self.claim.system.tensors[slope.by].symbol
        source = hide(self.tensor(slope.of, slope.by))
        return source.diff(by).xreplace({by: self.tensor(slope.by)})
