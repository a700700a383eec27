"""Saved values: what is computed by its definition, and definitions by their name.

a3[i] = exp(z3[i])/a3_sum:    y[k]*exp(z3[i])/a3_sum  <=>  y[k]*a3[i]
a3_sum = sum(exp(z3[k]), k):  sum(exp(z3[m]), m)      <=>  a3_sum
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sympy import Add, Expr, Function, Indexed, Mul, Pow

from symbackprop.claims.proving.sums import Sums, Terms
from symbackprop.equations import (
    Equation,
    Name,
    Term,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)


@dataclass
class Values:
    """Puts definitions in the place of values, and values in the place of definitions.

    Attributes:
        sums: normal forms over the claim's system.
        equations: what computes the values, in computing order.
    """

    sums: Sums
    equations: tuple[Equation, ...]

    # --- a value by its definition ---------------------------------------------------

    def opened(self, terms: Terms) -> Terms:
        """What is computed without a sum as a function of what is not."""
        for equation in reversed(self.equations):
            terms = tuple(replace(t, body=self.within(equation, t.body)) for t in terms)
        return self.sums.normal(terms)

    def unfolded(self, equation: Equation, terms: Terms) -> Terms:
        """One tensor by its equation, wherever that can stand in its place."""
        name = equation.tensor
        found: list[Term] = []
        for term in terms:
            term = replace(term, body=self.within(equation, term.body))
            factors = factors_of(term, name)
            if not factors or equation.reduction != "sum":
                found.append(term)
                continue
            first, inner = factors[0], equation.terms
            found += self.sums.joined(term, first, equation.indices, inner)
        normal = self.sums.normal(found)
        again = any(factors_of(t, name) for t in normal) and normal != terms
        return self.unfolded(equation, normal) if again else normal

    def within(self, equation: Equation, body: Expr) -> Expr:
        """A tensor that needs no sum, replaced also inside of functions."""
        summed = any(t.bound or t.guards for t in equation.terms)
        if equation.reduction != "sum" or summed:
            return body
        whole = Add(*(t.body for t in equation.terms))
        places = {}
        for read in reads(body):
            if tensor_of(read) == equation.tensor and not self.sums.leaves(read):
                at = dict(zip(equation.indices, subscripts_of(read), strict=True))
                places[read] = whole.xreplace(at)
        return body.xreplace(places)

    # --- a definition by its name ----------------------------------------------------

    def folded(self, terms: Terms, kept: Collection[str] = ()) -> Terms:
        """Definitions in some terms by the names of what they define.

        Args:
            kept: what is not to be named.
        """
        for equation in self.equations:
            if equation.tensor in kept or equation.reduction != "sum":
                continue
            if len(equation.terms) != 1 or equation.terms[0].guards:
                continue
            after = tuple(self._folded(equation, term) for term in terms)
            if after != terms:
                terms = self.sums.normal(after)
        return terms

    def _folded(self, equation: Equation, term: Term) -> Term:
        (whole,) = equation.terms
        if len(whole.bound) == 1:
            return self._summed(equation, whole, term)
        if whole.bound:
            return term
        for at in _placed(whole.body, equation.indices, term.body):
            body = whole.body.xreplace(at)
            saved = self._saved(equation, at)
            if isinstance(body, Function):
                term = replace(term, body=term.body.xreplace({body: saved}))
            elif isinstance(body, Mul) and _divides(body, term.body):
                term = replace(term, body=term.body / body * saved)
        return term

    def _summed(self, equation: Equation, whole: Term, term: Term) -> Term:
        """`sum over k, m of a[m]*exp(z[k])` => `sum over m of a[m]*s`"""
        letters = (*equation.indices, *whole.bound)
        for at in _placed(whole.body, letters, term.body):
            index = at[whole.bound[0]]
            if index not in term.bound or any(
                g.subscript.has(index) for g in term.guards
            ):
                continue
            rest = term.body / whole.body.xreplace(at)
            saved = self._saved(equation, at)
            if rest.has(index) or saved.has(index):
                continue
            bound = tuple(b for b in term.bound if b != index)
            return replace(term, body=rest * saved, bound=bound)
        return term

    def _saved(self, equation: Equation, at: dict[Expr, Expr]) -> Expr:
        tensor = self.sums.system.tensors[equation.tensor]
        return tensor.read(*(at[index] for index in equation.indices))


def _placed(
    pattern: Expr, letters: Iterable[Name], body: Expr
) -> Iterator[dict[Expr, Expr]]:
    """What the letters of a pattern are where its fullest read stands in a body."""
    wanted = set(letters)
    found = [r for r in reads(pattern) if wanted <= set(subscripts_of(r))]
    if not found:
        return
    first = found[0]
    for read in dict.fromkeys(reads(body)):
        if tensor_of(read) != tensor_of(first):
            continue
        at: dict[Expr, Expr] = {}
        for own, there in zip(subscripts_of(first), subscripts_of(read), strict=True):
            if at.setdefault(own, there) != there or not (
                is_index(own) or own == there
            ):
                break
        else:
            yield {own: there for own, there in at.items() if is_index(own)}


def in_common(bodies: Sequence[Expr]) -> list[Expr]:
    """The factors that all addends of a sum share."""
    first, *others = [Mul.make_args(body) for body in bodies]
    return [f for f in first if not f.is_number and all(f in o for o in others)]


def factored(bodies: Sequence[Expr]) -> list[Expr]:
    """The factors of a sum: those that its addends share, and what is left."""
    if len(bodies) == 1:
        return list(Mul.make_args(bodies[0]))
    shared = in_common(bodies)
    return [*shared, Add(*(body / Mul(*shared) for body in bodies))]


def _divides(part: Expr, body: Expr) -> bool:
    """Whether every factor of a product stands in a body, to its power at least."""
    powers = dict(map(_power, Mul.make_args(body)))
    for factor in Mul.make_args(part):
        base, power = _power(factor)
        there = powers.get(base, 0)
        if not factor.is_number and (there * power <= 0 or abs(there) < abs(power)):
            return False
    return True


def _power(factor: Expr) -> tuple[Expr, int]:
    """`x**-2` => `x, -2`; what has no whole exponent is its own base."""
    if isinstance(factor, Pow) and factor.exp.is_Integer:
        return factor.base, int(factor.exp)
    return factor, 1


def factors_of(term: Term, name: str) -> list[Expr]:
    """The reads of a tensor that are factors of a term."""
    return [
        factor
        for factor in Mul.make_args(term.body)
        if isinstance(factor, Indexed | Name) and tensor_of(factor) == name
    ]
