"""What the sides of one claim are, and how they are changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, S

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.chains import Chains
from symbackprop.claims.proving.quotients import TooHardError
from symbackprop.claims.proving.statements import side
from symbackprop.claims.proving.sums import Sums, Terms
from symbackprop.claims.proving.values import Values, factors_of
from symbackprop.equations import (
    Term,
    defined_by,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.scalars import where


@dataclass
class Bench:
    """What is needed to change the sides of one claim."""

    claim: Claim
    facts: tuple[str, ...]

    def __post_init__(self) -> None:
        self.sums = Sums(self.claim)
        self.chains = Chains(self.sums)
        declared = defined_by(self.claim.base)
        own = [e for e in self.claim.system.equations if e.tensor not in declared]
        self.values = Values(self.sums, self.claim.base.equations)
        self.helpers = {e.tensor: e for e in own}
        for equation in own:
            # A sum that the program has, too, is the program's.
            terms = self.values.folded(self.sums.normal(equation.terms))
            if not any(t.bound or t.guards for t in terms):
                self.helpers[equation.tensor] = replace(equation, terms=terms)
        self.equations = {**declared, **self.helpers}

    def start(self, place: int) -> Terms:
        """A side with what the claim names in it written out."""
        terms = self.sums.normal((Term(side(self.claim, place)),))
        for equation in reversed(self.helpers.values()):
            terms = self.values.unfolded(equation, terms)
        for name, slope in self.claim.slopes.items():
            if slope.by in self.helpers:  # the slope of one function by its argument
                terms = self.without_slope(name, terms)
                terms = self.values.unfolded(self.helpers[slope.by], terms)
        terms = self.values.folded(terms)
        if not self.claim.condition:
            return terms
        holds = self._holds.body
        return self.sums.normal(replace(t, body=t.body * holds) for t in terms)

    @property
    def _holds(self) -> Term:
        """What is 1 where the claim's condition holds, else 0."""
        (holds,) = defined_by(self.claim.system)[self.claim.condition].terms
        return holds

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """The condition behind `if`."""
        return (self._holds.body.args[0],) if self.claim.condition else ()

    @property
    def held(self) -> dict[Expr, Expr]:
        """Under its condition, what marks that is 1."""
        return {where(c, S.One, S.Zero): S.One for c in self.conditions}

    def without_slope(self, name: str, terms: Terms, plain: bool = True) -> Terms:
        """Terms without a slope, by the chain rule.

        Args:
            plain: whether it stays where it is read at another step of a recurrence.
        """
        found: list[Term] = []
        for term in terms:
            factors = factors_of(term, name)
            if any(tensor_of(r) == name and r not in factors for r in reads(term.body)):
                raise TooHardError
            factors = [r for r in factors if self.is_plain(r) or not plain]
            if not factors:
                found.append(term)
                continue
            inner = self.chains.expanded(factors[0])
            found += self.sums.joined(term, factors[0], (), inner, guarded=False)
        return self.sums.normal(found)

    def is_plain(self, read: Expr) -> bool:
        """Whether a slope is read at letters: in a recurrence, not at another step."""
        slope = self.chains.slopes[tensor_of(read)]
        if not self.chains.returns(slope.by):
            return True
        return all(is_index(s) for s in subscripts_of(read))

    def known(self, terms: Terms) -> Terms:
        """Terms by what is known of the data."""
        return self.sums.normal(self.sums.known(t, self.facts) for t in terms)
