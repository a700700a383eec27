"""Proofs of local derivatives and of adjoint equations, by the chain rule.

    d A[i] / d X[k]  = sum over occurrences X[phi] of  slope * [phi = k]
    delta_X[k]       = sum over users A of  delta_A[i] * d A[i] / d X[k]

Each is written out with Kronecker's deltas, and these are then collapsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from symbackprop.argument.lines import (
    Line,
    Proof,
    averages,
    collapse,
    deltas,
    opened,
    partial,
    proof,
)
from symbackprop.calculus import (
    Occurrence,
    adjoint_indices,
    at_place,
    occurrences,
    rename_apart,
    with_twins,
)
from symbackprop.equations import (
    Equation,
    Guard,
    Name,
    System,
    Term,
    read,
    subscripts_of,
    tensor_of,
)
from symbackprop.flow import place_of
from symbackprop.proof import Derivation


@dataclass(frozen=True)
class Calculus:
    """The equations that proofs are about, and what their tensors' adjoints are called.

    Attributes:
        system: forward and adjoint tensors, with letters to spare.
        forward: the forward equations by their tensors.
        numbers: the number of each equation.
        adjoint: the adjoint of each tensor; the objective has none.
        slopes: final slopes by (equation, read), one for each term that has the read.
    """

    system: System
    forward: Mapping[str, Equation]
    numbers: Mapping[str, int]
    adjoint: Mapping[str, str]
    slopes: Mapping[tuple[str, Expr], Sequence[Expr]]

    @classmethod
    def of(cls, derivation: Derivation) -> Calculus:
        forward = {e.tensor: e for e in derivation.forward}
        by_number = {derivation.number(name): name for name in forward}
        slopes: dict[tuple[str, Expr], list[Expr]] = {}
        for adjoint in derivation.adjoint_of:
            for step in derivation.steps[adjoint]:
                key = by_number[step.equation], step.read
                slopes.setdefault(key, []).append(step.slope)
        return cls(
            with_twins(derivation.system, more=4),
            forward,
            derivation.numbers,
            {tensor: adjoint for adjoint, tensor in derivation.adjoint_of.items()},
            slopes,
        )

    # --- local derivatives -----------------------------------------------------------

    def jacobian(self, equation: Equation, tensor: str) -> Proof:
        """The partial derivatives of one forward equation by a tensor that it reads.

        `z[i] = sum(W[i, j]*x[j], j)`, by W
        => `d z[i'] / d W[i, j] = sum over j' of x[j'] [i' = i] [j' = j]
        = x[j] [i' = i]`
        """
        target = adjoint_indices(self.system.tensors[tensor], self.system)
        found = self._occurrences(equation, tensor)
        apart = self._apart(equation, target)
        left = partial(
            read(self._symbol(equation.tensor), *equation.indices).xreplace(apart),
            read(self._symbol(tensor), *target),
        )
        own = tuple(apart.get(index, index) for index in equation.indices)
        free = (*own, *target)
        raw = [self._with_deltas(o, s, target, apart) for o, s, _ in found]
        ready = [
            collapse(self._with_deltas(o, s, target, apart), self.system, t.bound)
            for (o, _, s), t in zip(found, raw, strict=True)
        ]
        collapsed = [collapse(term, self.system, term.bound) for term in raw]
        uses = (self.numbers[equation.tensor],)
        return proof(
            (
                Line(left, free, tuple(raw), "differentiate", uses),
                Line(left, free, tuple(collapsed), "delta collapse"),
                Line(left, free, tuple(ready), "write out slopes"),
            )
        )

    def _occurrences(
        self, equation: Equation, tensor: str
    ) -> list[tuple[Occurrence, Expr, Expr]]:
        """Each occurrence with its slope, functions named and written out."""
        found = []
        seen: Counter[Expr] = Counter()
        for occurrence in occurrences(equation, (tensor,)):
            slope = opened(occurrence.slope)
            # Two terms may read the same entry, each with a slope of its own.
            known = self.slopes.get((equation.tensor, occurrence.read), ())
            place = seen[occurrence.read]
            seen[occurrence.read] += 1
            if equation.reduction in ("max", "min"):
                where = place_of(equation.tensor, self.system)
                taken = where.read(*equation.indices)
                slope = at_place(slope, equation, taken)
            final = known[place] if place < len(known) else slope
            found.append((occurrence, slope, final))
        return found

    def _apart(self, equation: Equation, target: tuple[Name, ...]) -> dict[Expr, Expr]:
        bound = tuple(dict.fromkeys(b for t in equation.terms for b in t.bound))
        return rename_apart((*equation.indices, *bound), target, self.system)

    def _with_deltas(
        self,
        occurrence: Occurrence,
        slope: Expr,
        target: tuple[Name, ...],
        apart: Mapping[Expr, Expr],
    ) -> Term:
        phi = [s.xreplace(apart) for s in subscripts_of(occurrence.read)]
        bound = tuple(apart.get(b, b) for b in occurrence.term.bound)
        guards = tuple(
            Guard(g.subscript.xreplace(apart), g.axis) for g in occurrence.term.guards
        )
        return Term(slope.xreplace(apart) * deltas(phi, target), bound, guards)

    # --- adjoints --------------------------------------------------------------------

    def chain(self, tensor: str, opaque: tuple[Term, ...], derived: Equation) -> Proof:
        """The proof of an adjoint equation, through all forward equations that read it.

        `delta_a[i] = sum over k of delta_z[k] * d z[k] / d a[i]
        = sum over k, j of delta_z[k] W[k, j] [j = i]
        = sum over k of W[k, i] delta_z[k]`

        Args:
            opaque: the terms that were derived, before slopes were written out.
            derived: the adjoint equation.
        """
        target = derived.indices
        left = read(self._symbol(derived.tensor), *target)
        users = [
            equation
            for equation in self.forward.values()
            if equation.reduction not in ("argmax", "argmin")
            and (equation.tensor in self.adjoint or self._is_objective(equation))
            and any(tensor_of(r) == tensor for r in equation.reads())
        ]
        first: list[Term] = []
        second: list[Term] = []
        for equation in users:
            found = self._occurrences(equation, tensor)
            if not found:
                continue
            apart = self._apart(equation, target)
            own = tuple(apart.get(index, index) for index in equation.indices)
            cotangent = self._cotangent(equation, own)
            above = read(self._symbol(equation.tensor), *own)
            below = read(self._symbol(tensor), *target)
            first.append(self._averaged(cotangent * partial(above, below), own, tensor))
            for occurrence, slope, _ in found:
                term = self._with_deltas(occurrence, slope, target, apart)
                body = cotangent * term.body
                whole = self._averaged(body, (*own, *term.bound), tensor)
                second.append(replace(whole, guards=term.guards))
        uses = tuple(self.numbers[e.tensor] for e in users)
        shown = tuple(replace(t, body=opened(t.body)) for t in opaque)
        number = self.numbers[derived.tensor]
        return proof(
            (
                Line(left, target, tuple(first), "chain rule", uses),
                Line(left, target, tuple(second), "differentiate", uses),
                Line(left, target, shown, "delta collapse"),
                Line(left, target, derived.terms, "write out slopes", (), number),
            )
        )

    def _averaged(self, body: Expr, bound: tuple[Name, ...], tensor: str) -> Term:
        return Term(body, bound, average=averages(body, tensor, self.system))

    def _cotangent(self, equation: Equation, indices: tuple[Name, ...]) -> Expr:
        if self._is_objective(equation):
            return sympy.S.One
        return read(self._symbol(self.adjoint[equation.tensor]), *indices)

    def _is_objective(self, equation: Equation) -> bool:
        return equation.tensor == self.system.objective

    def _symbol(self, tensor: str) -> Name:
        return self.system.tensors[tensor].symbol
