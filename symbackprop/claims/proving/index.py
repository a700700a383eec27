"""Claims in indices, proved by eliminating slopes until both sides are the same sum.

    D(L, W1[i, j]) = delta1[i]*x[j]
    => D(L, W1[i, j]) = sum over k of D(L, z1[k])*x[j]*[k = i] = D(L, z1[i])*x[j]

The slope by the tensor that is computed first goes first, by the chain rule through the
equations that read it; where none is left, what is computed last goes by its equation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sympy
from sympy import Add, Expr, Indexed, Mul, S

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.cases import cases
from symbackprop.claims.proving.chains import Chains
from symbackprop.claims.proving.quotients import (
    Quotients,
    TooHardError,
    opened,
)
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.proving.sums import Sums, Terms
from symbackprop.claims.verdict import Reason
from symbackprop.equations import (
    Equation,
    Name,
    Term,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.rewrites import reveal

MOST_STEPS = 16
MOST_TIMES = 2  # that the slope by one tensor is eliminated


def prove_index(
    claim: Claim, facts: tuple[str, ...]
) -> tuple[Claim, tuple[Statement, ...]] | None:
    """The claim with all slopes and letters of a proof, and the proof's statements.

    None where no proof is found.

    Raises:
        TooHardError: sums or products beyond what is looked at.
    """
    if set(claim.parsed.relations) != {"="}:
        return None
    search = _Search(claim, facts)
    statements: list[Statement] = []
    for place in range(len(claim.sides) - 1):
        found = search.compared(place, place + 1)
        if found is None:
            return None
        statements += found
    wider = replace(claim, system=search.sums.system, slopes=search.chains.slopes)
    return wider, tuple(statements)


class _Search:
    def __init__(self, claim: Claim, facts: tuple[str, ...]) -> None:
        self.claim = claim
        self.sums = Sums(claim, facts)
        self.chains = Chains(self.sums)
        self.equations = self.chains.equations
        declared = {e.tensor for e in claim.base.equations}
        self.helpers = [e for e in claim.system.equations if e.tensor not in declared]

    def compared(self, left: int, right: int) -> list[Statement] | None:
        """Statements by which two sides of the claim become the same."""
        places = (left, right)
        sides = [self.start(place) for place in places]
        lines: list[Statement] = []
        times: dict[str, int] = {}
        for _ in range(MOST_STEPS):
            difference = self.sums.normal([*sides[0], *_minus(sides[1])])
            if not difference:
                return lines or [self.line(left, sides[0], Reason("as it stands"))]
            if (last := self.vanishing(difference, places, sides)) is not None:
                return lines + last
            step = self.next_step(difference, times)
            if step is None:
                return None
            name, how = step
            times[name] = times.get(name, 0) + 1
            for number, place in enumerate(places):
                after = self.eliminated(name, sides[number])
                if after != sides[number]:
                    lines.append(self.line(place, after, how))
                sides[number] = after
        return None

    def line(self, place: int, terms: Terms, reason: Reason) -> Statement:
        return Statement(side(self.claim, place), terms, reason)

    def start(self, place: int) -> Terms:
        """A side with what the claim names in it written out."""
        terms = self.sums.normal((Term(side(self.claim, place)),))
        for equation in reversed(self.helpers):
            terms = self.unfolded(equation, terms)
        return terms

    # --- what to eliminate next ------------------------------------------------------

    def next_step(
        self, difference: Terms, times: Mapping[str, int]
    ) -> tuple[str, Reason] | None:
        """The tensor to eliminate, and how that is called."""
        names = {tensor_of(r) for term in difference for r in reads(term.body)}
        slopes = [
            name
            for name in names
            if name in self.chains.slopes and times.get(name, 0) < MOST_TIMES
        ]
        if slopes:
            place = self.chains.place
            first = min(
                slopes,
                key=lambda n: (
                    place.get(self.chains.slopes[n].by, 0),
                    self.sums.system.tensors[n].rank,
                ),
            )
            through = [
                e.tensor
                for e in self.chains.users.get(self.chains.slopes[first].by, ())
                if e.tensor in self.chains.needs[self.chains.slopes[first].of]
            ]
            return first, Reason("by the chain rule", {"names": ", ".join(through)})
        computed = [n for n in names if n in self.equations and not times.get(n)]
        if not computed:
            return None
        last = max(computed, key=lambda n: self.chains.place[n])
        return last, Reason("by equation", {"names": last})

    def eliminated(self, name: str, terms: Terms) -> Terms:
        """Terms without a slope, by the chain rule, or without a tensor."""
        if name not in self.chains.slopes:
            return self.unfolded(self.equations[name], terms)
        plain = any(self._is_plain(r) for t in terms for r in _factors(t, name))
        found: list[Term] = []
        for term in terms:
            factors = _factors(term, name)
            if any(tensor_of(r) == name and r not in factors for r in reads(term.body)):
                raise TooHardError
            factors = [r for r in factors if self._is_plain(r) or not plain]
            if not factors:
                found.append(term)
                continue
            first = factors[0]
            inner = self.chains.expanded(first)
            found += self.sums.joined(term, first, (), inner, guarded=False)
        return self.sums.normal(found)

    def _is_plain(self, read: Expr) -> bool:
        """Whether a slope is read at letters: in a recurrence, not at another step."""
        slope = self.chains.slopes[tensor_of(read)]
        if not self.chains.returns(slope.by):
            return True
        return all(is_index(s) for s in subscripts_of(read))

    def unfolded(self, equation: Equation, terms: Terms) -> Terms:
        """A computed tensor by its equation, wherever that can be put in its place."""
        name = equation.tensor
        found: list[Term] = []
        for term in terms:
            body = self._within(equation, term.body)
            term = replace(term, body=body)
            factors = _factors(term, name)
            if not factors or equation.reduction != "sum":
                found.append(term)
                continue
            found += self.sums.joined(
                term, factors[0], equation.indices, equation.terms
            )
        normal = self.sums.normal(found)
        again = any(_factors(t, name) for t in normal) and normal != terms
        return self.unfolded(equation, normal) if again else normal

    def _within(self, equation: Equation, body: Expr) -> Expr:
        """A tensor that needs no sum, replaced also inside of functions."""
        if equation.reduction != "sum" or any(
            t.bound or t.guards for t in equation.terms
        ):
            return body
        whole = Add(*(t.body for t in equation.terms))
        places = {}
        for read in reads(body):
            if tensor_of(read) == equation.tensor and not self.sums.leaves(read):
                at = dict(zip(equation.indices, subscripts_of(read), strict=True))
                places[read] = whole.xreplace(at)
        return body.xreplace(places)

    # --- what is equal though it does not look so ------------------------------------

    def vanishing(
        self, difference: Terms, places: Sequence[int], sides: Sequence[Terms]
    ) -> list[Statement] | None:
        """Statements by which sides agree as functions; None where they do not."""
        if not self._may_vanish(difference):
            return None
        values = self.elementwise(difference)
        if not self._vanishes(values):
            return None
        lines = []
        forms = []
        for place, terms in zip(places, sides, strict=True):
            after = self.sums.normal(
                replace(t, body=reveal(t.body)) for t in self.elementwise(terms)
            )
            if after != terms:
                lines.append(self.line(place, after, Reason("by definition of values")))
            forms.append(after)
        if forms[0] != forms[1]:
            left, right = (side(self.claim, place) for place in places)
            lines.append(Statement(left - right, (), Reason("by cancellation")))
        return lines

    def _may_vanish(self, difference: Terms) -> bool:
        """Whether every slope stands in two addends at least."""
        counted: dict[tuple[object, Expr], int] = {}
        for term in difference:
            for read in dict.fromkeys(reads(term.body)):
                if tensor_of(read) in self.chains.slopes:
                    key = (term.bound, term.guards), read
                    counted[key] = counted.get(key, 0) + 1
        return all(count > 1 for count in counted.values())

    def elementwise(self, terms: Terms) -> Terms:
        """What is computed without a sum as a function of what is not."""
        for equation in reversed(self.claim.base.equations):
            terms = tuple(
                replace(t, body=self._within(equation, t.body)) for t in terms
            )
        return self.sums.normal(terms)

    def _vanishes(self, terms: Terms) -> bool:
        groups: dict[Term, list[Expr]] = {}
        for term in terms:
            groups.setdefault(replace(term, body=S.Zero), []).append(term.body)
        try:
            return all(self._is_zero(Add(*bodies)) for bodies in groups.values())
        except TooHardError:
            return False

    @staticmethod
    def _is_zero(total: Expr) -> bool:
        for case in cases((opened(total),)):
            (body,) = case.expressions
            if body.has(sympy.zoo, sympy.nan):
                return False
            quotients = Quotients((body,), case.known)
            if not quotients.vanishes(body):
                return False
        return True


def _minus(terms: Iterable[Term]) -> list[Term]:
    return [replace(term, body=-term.body) for term in terms]


def _factors(term: Term, name: str) -> list[Expr]:
    """The reads of a tensor that are factors of a term."""
    return [
        factor
        for factor in Mul.make_args(term.body)
        if isinstance(factor, Indexed | Name) and tensor_of(factor) == name
    ]
