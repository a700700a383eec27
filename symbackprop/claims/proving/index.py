"""Claims in indices, proved by eliminating slopes until both sides are the same sum.

    D(L, W1[i, j]) = delta1[i]*x[j]
    => D(L, W1[i, j]) = sum over k of D(L, z1[k])*x[j]*[k = i] = D(L, z1[i])*x[j]

The slope by the tensor that is computed first goes first, by the chain rule through the
equations that read it; where none is left, what is computed last goes by its equation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import sympy
from sympy import Add, Expr, S

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.cases import cases
from symbackprop.claims.proving.chains import Chains
from symbackprop.claims.proving.quotients import Quotients, TooHardError, opened
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.proving.sums import Sums, Terms
from symbackprop.claims.proving.values import Values, factors_of
from symbackprop.claims.verdict import Reason
from symbackprop.equations import (
    Term,
    defined_by,
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
    bench = _Bench(claim, facts)
    statements: list[Statement] = []
    for place in range(len(claim.sides) - 1):
        search = _Search(bench, (place, place + 1))
        if not search.succeeds():
            return None
        statements += [line for line in search.lines if line not in statements]
    wider = replace(claim, system=bench.sums.system, slopes=bench.chains.slopes)
    return wider, tuple(statements)


@dataclass
class _Bench:
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
        return self.values.folded(terms)

    def without_slope(self, name: str, terms: Terms) -> Terms:
        """Terms without a slope, by the chain rule."""
        plain = any(self._is_plain(r) for t in terms for r in factors_of(t, name))
        found: list[Term] = []
        for term in terms:
            factors = factors_of(term, name)
            if any(tensor_of(r) == name and r not in factors for r in reads(term.body)):
                raise TooHardError
            factors = [r for r in factors if self._is_plain(r) or not plain]
            if not factors:
                found.append(term)
                continue
            inner = self.chains.expanded(factors[0])
            found += self.sums.joined(term, factors[0], (), inner, guarded=False)
        return self.sums.normal(found)

    def _is_plain(self, read: Expr) -> bool:
        """Whether a slope is read at letters: in a recurrence, not at another step."""
        slope = self.chains.slopes[tensor_of(read)]
        if not self.chains.returns(slope.by):
            return True
        return all(is_index(s) for s in subscripts_of(read))

    def known(self, terms: Terms) -> Terms:
        """Terms by what is known of the data."""
        return self.sums.normal(self.sums.known(t, self.facts) for t in terms)


@dataclass
class _Search:
    """Changes two sides until they are the same, and notes how."""

    bench: _Bench
    places: tuple[int, int]
    lines: list[Statement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sides = [self.bench.start(place) for place in self.places]
        self.times: dict[str, int] = {}
        self.opened: set[str] = set()  # values that have gone by their equations

    def succeeds(self) -> bool:
        """Whether both sides become the same."""
        self._use_facts()
        for _ in range(MOST_STEPS):
            minus = [replace(t, body=-t.body) for t in self.sides[1]]
            difference = self.bench.sums.normal([*self.sides[0], *minus])
            if not difference:
                if not self.lines:
                    self._note(0, self.sides[0], Reason("as it stands"))
                return True
            if self._agree_as_functions(difference):
                return True
            if not self._step(difference):
                return False
        return False

    def _note(self, number: int, terms: Terms, reason: Reason) -> None:
        left = side(self.bench.claim, self.places[number])
        self.lines.append(Statement(left, terms, reason))
        self.sides[number] = terms

    # --- steps -----------------------------------------------------------------------

    def _step(self, difference: Terms) -> bool:
        """Eliminate one slope or one value; False where none is left."""
        names = {tensor_of(r) for term in difference for r in reads(term.body)}
        bench, chains = self.bench, self.bench.chains
        slopes = [
            name
            for name in names
            if name in chains.slopes and self.times.get(name, 0) < MOST_TIMES
        ]
        if slopes:
            first = min(slopes, key=self._order_of_slope)
            through = chains.through(chains.slopes[first])
            reason = Reason("by the chain rule", {"names": ", ".join(through)})
            changed = [bench.without_slope(first, terms) for terms in self.sides]
        else:
            values = [n for n in names if n in bench.equations and n not in self.opened]
            if not values:
                return False
            first = max(values, key=lambda n: chains.place[n])
            self.opened.add(first)
            reason = Reason("by equation", {"names": first})
            equation = bench.equations[first]
            changed = [bench.values.unfolded(equation, terms) for terms in self.sides]
        self.times[first] = self.times.get(first, 0) + 1
        for number, terms in enumerate(changed):
            folded = bench.values.folded(terms, self.opened)
            if folded != self.sides[number]:
                self._note(number, folded, reason)
        self._use_facts()
        return True

    def _order_of_slope(self, name: str) -> tuple[int, int]:
        chains = self.bench.chains
        rank = self.bench.sums.system.tensors[name].rank
        return chains.place.get(chains.slopes[name].by, 0), rank

    def _use_facts(self) -> None:
        for number, terms in enumerate(self.sides):
            known = self.bench.known(terms)
            if known != terms:
                names = ", ".join(self.bench.facts)
                self._note(
                    number, known, Reason("entries add up to 1", {"names": names})
                )

    # --- what is equal though it does not look so ------------------------------------

    def _agree_as_functions(self, difference: Terms) -> bool:
        """Whether the sides agree by what their functions are."""
        bench = self.bench
        if not self._may_vanish(difference):
            return False
        if not _vanishes(bench.values.opened(difference)):
            return False
        forms = []
        for terms in self.sides:
            written = bench.sums.normal(replace(t, body=reveal(t.body)) for t in terms)
            forms.append(bench.values.folded(written))
        for number, form in enumerate(forms):
            if form != self.sides[number]:
                self._note(number, form, Reason("by definition of slopes"))
        if forms[0] != forms[1]:
            left, right = (side(bench.claim, place) for place in self.places)
            self.lines.append(Statement(left - right, (), Reason("by cancellation")))
        return True

    def _may_vanish(self, difference: Terms) -> bool:
        """Whether every slope stands in two addends at least."""
        counted: dict[tuple[object, Expr], int] = {}
        for term in difference:
            for read in dict.fromkeys(reads(term.body)):
                if tensor_of(read) in self.bench.chains.slopes:
                    key = (term.bound, term.guards), read
                    counted[key] = counted.get(key, 0) + 1
        return all(count > 1 for count in counted.values())


def _vanishes(terms: Terms) -> bool:
    """Whether the summands over the same indices add up to 0 as functions."""
    groups: dict[Term, list[Expr]] = {}
    for term in terms:
        groups.setdefault(replace(term, body=S.Zero), []).append(term.body)
    try:
        return all(_is_zero(Add(*bodies)) for bodies in groups.values())
    except TooHardError:
        return False


def _is_zero(total: Expr) -> bool:
    for case in cases((opened(total),)):
        (body,) = case.expressions
        if body.has(sympy.zoo, sympy.nan):
            return False
        if not Quotients((body,), case.known).vanishes(body):
            return False
    return True
