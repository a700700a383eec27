"""Claims in indices, proved by eliminating slopes until both sides are the same sum.

    D(L, W1[i, j]) = delta1[i]*x[j]
    => D(L, W1[i, j]) = sum over k of D(L, z1[k])*x[j]*[k = i] = D(L, z1[i])*x[j]

The slope by the tensor that is computed first goes first, by the chain rule through the
equations that read it; where none is left, what is computed last goes by its equation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import sympy
from sympy import Add, Expr, Mul, S

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.bench import Bench
from symbackprop.claims.proving.cases import cases
from symbackprop.claims.proving.definitions import called, opened
from symbackprop.claims.proving.maxima import with_maxima
from symbackprop.claims.proving.orders import prove_orders, signs
from symbackprop.claims.proving.quotients import Quotients, TooHardError
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.proving.sums import Terms
from symbackprop.claims.proving.values import factored, factors_of
from symbackprop.claims.verdict import Reason
from symbackprop.equations import (
    Term,
    indices_of,
    reads,
    tensor_of,
)
from symbackprop.rewrites import reveal
from symbackprop.scalars import where

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
    bench = Bench(with_maxima(claim), facts)
    equal = set(claim.parsed.relations) == {"="}
    found = _equalities(bench) if equal else prove_orders(bench)
    wider = replace(bench.claim, system=bench.sums.system, slopes=bench.chains.slopes)
    return None if found is None else (wider, tuple(found))


def _equalities(bench: Bench) -> list[Statement] | None:
    statements: list[Statement] = []
    for place in range(len(bench.claim.sides) - 1):
        search = _Search(bench, (place, place + 1))
        if not search.succeeds():
            return None
        statements += [line for line in search.lines if line not in statements]
    return statements


@dataclass
class _Search:
    """Changes two sides until they are the same, and notes how."""

    bench: Bench
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
                    self._note(1, self.sides[0], Reason("as it stands"))
                return True
            if self._agree_as_functions(difference):
                return True
            if not self._step(difference):
                return False
        return False

    def _note(self, number: int, terms: Terms, reason: Reason) -> None:
        left = side(self.bench.claim, self.places[number])
        conditions = self.bench.conditions
        held = self.bench.held
        shown = tuple(replace(t, body=t.body.xreplace(held)) for t in terms)
        self.lines.append(Statement(left, shown, reason, conditions))
        self.sides[number] = terms

    # --- steps -----------------------------------------------------------------------

    def _step(self, difference: Terms) -> bool:
        """Eliminate one slope or one value; False where none is left."""
        names = {tensor_of(r) for term in difference for r in reads(term.body)}
        bench, chains = self.bench, self.bench.chains
        slopes = {
            tensor_of(r): False
            for term in difference
            for r in reads(term.body)
            if self._can_go(tensor_of(r))
        }
        for term in difference:
            for name in slopes:
                slopes[name] |= any(map(bench.is_plain, factors_of(term, name)))
        if any(slopes.values()):  # in a recurrence, what is not at another step first
            slopes = {name: True for name, plain in slopes.items() if plain}
        if slopes:
            first = min(slopes, key=self._order_of_slope)
            through = chains.through(chains.slopes[first])
            reason = Reason("by the chain rule", {"names": ", ".join(through)})
            plain = slopes[first]
            changed = [bench.without_slope(first, side, plain) for side in self.sides]
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

    def _can_go(self, name: str) -> bool:
        """Whether a tensor is a slope that has not gone too often."""
        known = name in self.bench.chains.slopes
        return known and self.times.get(name, 0) < MOST_TIMES

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
        if not self._vanishes(bench.values.opened(difference)):
            return False
        forms = [self._written_out(terms) for terms in self.sides]
        if forms[0] == forms[1]:
            for number, form in enumerate(forms):
                if form != self.sides[number]:
                    self._note(number, form, Reason("by definition of slopes"))
            return True
        identities = self._identities()
        if all(self._holds(line) for line in identities):
            whole = [identities[0].left] == [t.body for t in self.sides[0]]
            if not whole:
                self.lines += identities
            reason = identities[0].reason if whole else Reason("by this")
            self._note(0, self.sides[1], reason)
            return True
        left, right = (side(bench.claim, place) for place in self.places)
        reason = Reason("by cancellation")
        self.lines.append(Statement(left - right, (), reason, bench.conditions))
        return True

    def _holds(self, identity: Statement) -> bool:
        """Whether an identity between functions holds by itself."""
        (right,) = identity.terms
        difference = self.bench.sums.normal((Term(identity.left - right.body),))
        return self._vanishes(self.bench.values.opened(difference))

    def _written_out(self, terms: Terms) -> Terms:
        """Terms with the slopes of functions written out, through saved values."""
        bodies = (replace(t, body=reveal(t.body)) for t in terms)
        return self.bench.values.folded(self.bench.sums.normal(bodies))

    def _identities(self) -> list[Statement]:
        """What must be equal beside the factors that the sides have in common."""
        bench = self.bench
        left, right = (
            [t for t in one if t not in other]
            for one, other in (self.sides, reversed(self.sides))
        )
        lines = []
        for like in dict.fromkeys(replace(t, body=S.One) for t in (*left, *right)):
            bodies = [
                [t.body for t in one if replace(t, body=S.One) == like]
                for one in (left, right)
            ]
            held = bench.held
            first, second = (e.xreplace(held) for e in _without_common(*bodies))
            letters = {*indices_of(first), *indices_of(second)} - self.bench.sums.free
            indices = tuple(sorted(letters, key=lambda i: (i.rank, i.name)))
            names = called((first, second))
            reason = (
                Reason("by definition", {"names": ", ".join(names)})
                if names
                else Reason("by cancellation")
            )
            lines.append(
                Statement(first, (Term(second),), reason, bench.conditions, indices)
            )
        return lines

    def _may_vanish(self, difference: Terms) -> bool:
        """Whether every slope stands in two addends, or beside a choice."""
        counted: dict[tuple[object, Expr], int] = {}
        for term in difference:
            if term.body.has(where):
                continue
            for read in dict.fromkeys(reads(term.body)):
                if tensor_of(read) in self.bench.chains.slopes:
                    key = (term.bound, term.guards), read
                    counted[key] = counted.get(key, 0) + 1
        return all(count > 1 for count in counted.values())

    def _vanishes(self, terms: Terms) -> bool:
        """Whether the summands over the same indices add up to 0 as functions."""
        groups: dict[Term, list[Expr]] = {}
        for term in terms:
            groups.setdefault(replace(term, body=S.Zero), []).append(term.body)
        try:
            return all(self._is_zero(Add(*bodies)) for bodies in groups.values())
        except TooHardError:
            return False

    def _is_zero(self, total: Expr) -> bool:
        total = opened(total)
        for case in cases((total,), signs(self.bench, total)):
            (body,) = case.expressions
            if body.has(sympy.zoo, sympy.nan):
                return False
            if not Quotients((body,), case.known).vanishes(body):
                return False
        return True


def _without_common(left: list[Expr], right: list[Expr]) -> tuple[Expr, Expr]:
    """Two sums without the factors that both have."""
    if not left or not right:
        return Add(*left), Add(*right)
    first, second = factored(left), factored(right)
    shared = [factor for factor in first if factor in second]
    return (
        Mul(*(f for f in first if f not in shared)),
        Mul(*(f for f in second if f not in shared)),
    )
