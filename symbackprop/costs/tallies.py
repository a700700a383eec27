"""How many operations one equation takes.

The conventions, which follow the equations as they are written:

- what a sum does not run over stands before it, as it is printed;
- a part of a right-hand side is computed once for each combination of the indices that
  it has (and of the sample, if it depends on it), and equal parts of a term once;
- a sum of n addends or terms takes n - 1 additions, and so does a sum over n values of
  its indices; a difference takes one addition, a minus sign and a factor 1 nothing;
- a product of n factors takes n - 1 multiplications, in their order; a whole power is
  computed by repeated squaring; divisors are multiplied with each other, and one
  division applies them;
- a call of a function of the table is one call, however it is defined, but `abs`,
  `sign`, `maximum`, `minimum` and `where` are one choice each, and so is each entry but
  one of a `max`, `min`, `argmax` or `argmin`;
- of two branches both are computed; guards are free, and what they leave out of a sum
  is counted as if it were there;
- what is scattered to a place that data name takes one addition for each entry;
- what is made of numbers and constants alone is free;
- a mean over N samples takes N - 1 additions and one division for each entry;
- within a recurrence everything is computed at each step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from math import prod
from typing import Literal

import numpy as np
import sympy
from sympy import Expr, Indexed

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Term,
    affine,
    indices_of,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.scalars import CONDITIONS, TABLE

CHOICES = ("abs", "sign", "maximum", "minimum")

Kind = Literal["literal", "reciprocal", "number"]


@dataclass(frozen=True)
class Cost:
    """Numbers of operations; subtractions count as additions."""

    additions: int = 0
    multiplications: int = 0
    divisions: int = 0
    choices: int = 0
    functions: int = 0

    def __add__(self, other: Cost) -> Cost:
        pairs = zip(self.counts(), other.counts(), strict=True)
        return Cost(*(a + b for a, b in pairs))

    def times(self, factor: int) -> Cost:
        return Cost(*(factor * each for each in self.counts()))

    def counts(self) -> tuple[int, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))

    @property
    def total(self) -> int:
        return sum(self.counts())


def cost(
    equation: Equation, system: System, steps: tuple[Name, ...] = (), batch: int = 1
) -> Cost:
    """The operations of one equation.

    Args:
        equation: what is counted.
        system: the sizes of its indices, and what its names mean.
        steps: its own indices along which a recurrence steps.
        batch: the number of samples.

    `z[i] = sum(W[i, j]*x[j], j) + b[i]`, i < 3, j < 4 => 12 products, 9 + 3 additions
    """
    tensor = system.tensors[equation.tensor]
    own = {*equation.indices} - {*steps}
    sizes: dict[Name, int] = dict.fromkeys(steps, 1)
    left = prod(system.size(index) for index in own) * (batch if tensor.batched else 1)
    total = Cost()
    filled = False
    for term in equation.terms:
        counted = _Counted(system, sizes, batch)
        total += counted.term(term, equation)
        if term.target is None and filled:
            total += Cost(additions=left)
        filled = True
    return total.times(prod(system.size(index) for index in steps))


@dataclass
class _Part:
    """One part of a body: of what kind it is, and on which indices it lives."""

    kind: Kind
    grid: frozenset[Name]
    value: Expr | None = None


class _Counted:
    """Counts the operations of one term, each distinct part once."""

    def __init__(self, system: System, sizes: Mapping[Name, int], batch: int) -> None:
        self.system = system
        self.sizes = sizes
        self.lengths = batch
        self.tally: Counter[str] = Counter()
        self.parts: dict[Expr, _Part] = {}
        self.sample = Name("", "index", -1)  # stands for the batch in a grid

    def size(self, grid: Iterable[Name]) -> int:
        """How many combinations of some indices there are."""
        return prod(
            self.lengths
            if index is self.sample
            else self.sizes.get(index, self.system.size(index))
            for index in grid
        )

    def note(self, what: str, grid: Iterable[Name]) -> None:
        self.tally[what] += self.size(grid)

    def term(self, term: Term, equation: Equation) -> Cost:
        """A term: its body, its sum or extremum, its mean over the batch."""
        body = self.part(term.body)
        if body.kind == "literal" and term.guards:
            body = _Part("number", body.grid)
        grid = body.grid
        if term.guards:
            self.settle(body)
            for guard in term.guards:
                grid |= self.indices(guard.subscript)
        bound = frozenset(term.bound)
        if equation.reduction != "sum":
            kept = grid - bound
            self.tally["choices"] += self.size(kept) * (self.size(bound) - 1)
        elif term.target is not None:
            self.scatter(term, equation, body)
        else:
            own = grid - bound
            # A sum of numbers is a number: it is known beforehand.
            added = self.size(own) * (body.kind != "literal")
            if self.size(bound) > 1:
                self.settle(body)
                self.tally["additions"] += added * (self.size(bound) - 1)
            if term.average and self.varies(term):
                own -= {self.sample}
                self.settle(body)
                added = self.size(own) * (body.kind != "literal")
                self.tally["additions"] += added * (self.lengths - 1)
                self.note("divisions", own)
            self.settle(body)
        return Cost(**self.tally)

    def scatter(self, term: Term, equation: Equation, body: _Part) -> None:
        """An addition for each entry that is scattered; a mean divides each."""
        self.settle(body)
        assert term.target is not None
        kept = {index for index in equation.indices if index in term.target}
        grid = kept | {*term.bound}
        batched = self.varies(term)
        several = batched or self.system.tensors[equation.tensor].batched
        samples = self.lengths if several else 1
        if term.average and batched:
            self.tally["divisions"] += self.size(grid) * samples
        self.tally["additions"] += self.allowed(term, grid) * samples

    def allowed(self, term: Term, grid: set[Name]) -> int:
        """How many combinations of the indices of a grid the guards let through."""
        moving = sorted(
            {i for g in term.guards for i in indices_of(g.subscript) if i in grid},
            key=lambda index: index.rank,
        )
        places = np.indices([self.size([index]) for index in moving])
        at = dict(zip(moving, places, strict=True))
        holds = np.ones(places.shape[1:], dtype=bool)
        for guard in term.guards:
            form = affine(guard.subscript)
            if form is not None and set(form[0]) <= set(moving):
                reached = form[1] + sum(k * at[index] for index, k in form[0].items())
                holds &= (reached >= 0) & (reached < self.system.size(guard.axis))
        return int(holds.sum()) * self.size(grid - {*moving})

    # --- parts ------------------------------------------------------------------------

    def batched(self, read: Expr) -> bool:
        return self.system.tensors[tensor_of(read)].batched

    def varies(self, term: Term) -> bool:
        """Whether a term depends on the sample: its body, its guards or its target."""
        parts = (term.body, *(g.subscript for g in term.guards), *(term.target or ()))
        return any(self.batched(read) for part in parts for read in reads(part))

    def indices(self, expression: Expr) -> frozenset[Name]:
        """The indices of an expression, and the sample where a read depends on it."""
        found = frozenset(indices_of(expression))
        if any(self.batched(read) for read in reads(expression)):
            found |= {self.sample}
        return found

    def settle(self, part: _Part) -> None:
        """A reciprocal that is more than a divisor takes its division."""
        if part.kind == "reciprocal":
            self.note("divisions", part.grid)
            part.kind = "number"

    def part(self, expression: Expr) -> _Part:
        if expression not in self.parts:
            self.parts[expression] = self._part(expression)
        return self.parts[expression]

    def _part(self, expression: Expr) -> _Part:
        if self._is_literal(expression):
            return _Part("literal", frozenset(), self._literal(expression))
        if isinstance(expression, Indexed | Name):
            grid = self.indices(expression)
            for subscript in subscripts_of(expression):
                grid |= self.indices(subscript)
            return _Part("number", grid)
        if expression.is_Add:
            return self._added([self.part(a) for a in expression.args])
        if expression.is_Mul:
            parts = [self.part(a) for a in expression.args]
            product = parts[0]
            for factor in parts[1:]:
                product = self._multiplied(product, factor)
            return product
        if expression.is_Pow and expression.args[1].is_Integer:
            return self._power(self.part(expression.args[0]), int(expression.args[1]))
        return self._called(expression)

    def _is_literal(self, expression: Expr) -> bool:
        return not any(True for _ in reads(expression)) and not indices_of(expression)

    def _literal(self, expression: Expr) -> Expr:
        values = {
            symbol: sympy.Rational(self.system.constants[symbol.name].value)
            for symbol in expression.free_symbols
            if not is_index(symbol)
        }
        return expression.xreplace(values)

    def _added(self, parts: list[_Part]) -> _Part:
        total = parts[0]
        for addend in parts[1:]:
            if total.kind == addend.kind == "literal":
                total = _Part("literal", frozenset())
                continue
            self.settle(total)
            self.settle(addend)
            total = _Part("number", total.grid | addend.grid)
            self.note("additions", total.grid)
        return total

    def _multiplied(self, a: _Part, b: _Part) -> _Part:
        grid = a.grid | b.grid
        if a.kind == b.kind == "literal":
            known = a.value is not None and b.value is not None
            value = sympy.Mul(a.value, b.value) if known else None
            return _Part("literal", grid, value)
        for literal, other in ((a, b), (b, a)):
            if literal.kind == "literal" and literal.value in (1, -1):
                return _Part(other.kind, grid)
        if a.kind == b.kind == "reciprocal":
            self.note("multiplications", grid)
            return _Part("reciprocal", grid)
        divides = "reciprocal" in (a.kind, b.kind)
        self.note("divisions" if divides else "multiplications", grid)
        return _Part("number", grid)

    def _power(self, base: _Part, exponent: int) -> _Part:
        n = abs(exponent)
        if base.kind == "reciprocal" and n > 1:
            self.settle(base)
        self.tally["multiplications"] += self.size(base.grid) * (
            n.bit_length() - 1 + n.bit_count() - 1
        )
        return _Part("number" if exponent > 0 else "reciprocal", base.grid)

    def _called(self, expression: Expr) -> _Part:
        """A function, a choice or a condition."""
        name = expression.func.__name__
        parts = [
            self.part(a) for a in expression.args if a not in (sympy.true, sympy.false)
        ]
        grid = frozenset[Name]().union(*(part.grid for part in parts))
        for part in parts:
            self.settle(part)
        if not isinstance(expression, CONDITIONS):
            choice = name == "where" or name in CHOICES
            assert choice or name in TABLE or expression.is_Pow, expression
            self.note("choices" if choice else "functions", grid)
        return _Part("number", grid)
