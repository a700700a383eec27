"""The order in which products of three factors and more are multiplied.

`sum(W[i, j]*V[j, k]*x[k], j, k)` is a matrix times a vector, twice, or the product of
two matrices times a vector, or all at once: the cheapest is chosen, and what comes
first gets an equation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

import sympy
from sympy import Expr

from symbackprop.equations import Equation, Name, Term, tensor_of
from symbackprop.source.parts import Parts, Splitting
from symbackprop.source.products import SAMPLE, letters_of, match

Letters = frozenset[Name]

# Costs in multiplications of a loop: one of a matrix product, and a number that is
# written and read again. The batch counts as some samples; longer terms stay whole, as
# do those of which less than half the cost would be saved.
MATRIX, STORED, SAMPLES, MOST, WORTH = 0.1, 2.0, 32, 6, 0.5


def ordered(parts: Parts) -> Parts:
    """Multiply two factors first where that costs less than all at once."""
    return _Ordering(parts).parts(parts.items)


@dataclass(frozen=True)
class _Factors:
    """The factors of a term.

    Attributes:
        coefficient: what has no letters.
        reads: the others, whole tensors.
        letters: the letters of each, as they lie in memory.
    """

    coefficient: Expr
    reads: tuple[Expr, ...]
    letters: tuple[tuple[Name, ...], ...]


class _Ordering(Splitting):
    def split(self, equation: Equation) -> list[Equation]:
        found: list[Equation] = []
        terms = []
        for term in equation.terms:
            left = term
            while (pair := self._first(left, equation)) is not None:
                first, left = self._multiplied(pair, left, equation)
                found.append(first)
            terms.append(left)
        return [*found, replace(equation, terms=tuple(terms))]

    def _first(self, term: Term, equation: Equation) -> tuple[int, int] | None:
        """The two factors that are best multiplied before the others."""
        factors = self._factors(term, equation)
        if factors is None or not 3 <= len(factors.reads) <= MOST:
            return None
        free = self._free(equation)
        everything = frozenset().union(*factors.letters, free)
        whole = self._size(everything) * (len(factors.reads) - 1)
        pairs = combinations(range(len(factors.reads)), 2)
        best = min(pairs, key=lambda pair: self._cost(pair, factors, term, equation))
        cost = self._cost(best, factors, term, equation)
        return best if cost < WORTH * whole else None

    def _factors(self, term: Term, equation: Equation) -> _Factors | None:
        if equation.reduction != "sum" or term.guards:
            return None
        if term.target not in (None, equation.indices):
            return None
        if not (term.bound or term.average):
            return None
        system = self.current
        coefficient, reads, letters = [], [], []
        for factor in sympy.Mul.make_args(term.body):
            found = letters_of(factor, system)
            if found is not None and found:
                reads.append(factor)
                letters.append(found)
            elif found is not None or not any(map(_varies, factor.free_symbols)):
                coefficient.append(factor)
            else:
                return None  # a function of tensors
        return _Factors(sympy.Mul(*coefficient), tuple(reads), tuple(letters))

    def _free(self, equation: Equation) -> Letters:
        batched = self.tensors[equation.tensor].batched
        return frozenset((*equation.indices, *([SAMPLE] if batched else [])))

    def _cost(
        self, pair: tuple[int, int], factors: _Factors, term: Term, equation: Equation
    ) -> float:
        """The cost of multiplying these two first and the others after."""
        step = self._step(pair, factors, term, equation)
        sides = [factors.letters[n] for n in pair]
        result = (*([SAMPLE] if step.batched else []), *step.indices)
        summed = {*step.bound, *([SAMPLE] if step.average else [])}
        a, b = sides
        matrix = match(a, b, result, summed) or match(b, a, result, summed)
        cost = self._size(frozenset((*a, *b))) * (MATRIX if matrix else 1)
        rest = [frozenset(s) for n, s in enumerate(factors.letters) if n not in pair]
        left = self._cheapest((*rest, frozenset(result)), self._free(equation))
        return cost + STORED * self._size(frozenset(result)) + left

    def _cheapest(self, letters: tuple[Letters, ...], free: Letters) -> float:
        """The least cost of multiplying factors two by two, in whatever order."""
        if len(letters) == 1:
            return 0.0
        costs = []
        for a, b in combinations(range(len(letters)), 2):
            rest = tuple(s for n, s in enumerate(letters) if n not in (a, b))
            both = letters[a] | letters[b]
            needed = frozenset().union(free, *rest)
            matrix = both - needed and letters[a] != letters[b]
            cost = self._size(both) * (MATRIX if matrix else 1)
            if rest:
                cost += STORED * self._size(both & needed)
                cost += self._cheapest((*rest, both & needed), free)
            costs.append(cost)
        return min(costs)

    def _size(self, letters: Letters) -> float:
        sizes = (SAMPLES if s == SAMPLE else self.system.size(s) for s in letters)
        return float(math.prod(sizes))

    def _multiplied(
        self, pair: tuple[int, int], term: Term, equation: Equation
    ) -> tuple[Equation, Term]:
        """The equation of the product of two factors, and the term that is left."""
        factors = self._factors(term, equation)
        assert factors is not None
        step = self._step(pair, factors, term, equation)
        body = Term(
            sympy.Mul(*(factors.reads[n] for n in pair)),
            step.bound,
            average=step.average,
        )
        read = self.new("product", equation, step.indices, step.batched)
        first = Equation(tensor_of(read), step.indices, (body,), line=equation.line)
        rest = [n for n in range(len(factors.reads)) if n not in pair]
        others = (factors.reads[n] for n in rest)
        left = replace(
            term,
            body=sympy.Mul(factors.coefficient, *others, read),
            bound=tuple(s for s in term.bound if s not in step.bound),
            average=term.average and not step.average,
        )
        return first, left

    def _step(
        self, pair: tuple[int, int], factors: _Factors, term: Term, equation: Equation
    ) -> _Step:
        """What the product of two factors runs over."""
        both = frozenset().union(*(factors.letters[n] for n in pair))
        others = [s for n, s in enumerate(factors.letters) if n not in pair]
        needed = frozenset().union(self._free(equation), *others)
        letters = (*equation.indices, *term.bound)
        return _Step(
            tuple(s for s in letters if s in both & needed),
            tuple(s for s in term.bound if s in both - needed),
            SAMPLE in both - needed,
            SAMPLE in both & needed,
        )


def _varies(symbol: Expr) -> bool:
    """Whether a symbol is a tensor or an index."""
    return isinstance(symbol, Name) and symbol.kind != "constant"


@dataclass(frozen=True)
class _Step:
    """The product of two factors: its indices, and what it is summed over."""

    indices: tuple[Name, ...]
    bound: tuple[Name, ...]
    average: bool
    batched: bool
