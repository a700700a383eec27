"""A system while its forward equations are being rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr, Indexed, Mul, Pow

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Tensor,
    fresh,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.exponentials import stable
from symbackprop.scalars import exp, log, where

LOWEST = sympy.Integer(-(10**30))  # below every exponent, and within single precision


@dataclass(frozen=True)
class ShiftedSum:
    """A sum of exponentials `S = exp(m) S'`, and the tensors that compute it.

    Attributes:
        name: the sum, as declared.
        indices: its indices.
        bound: the indices that it is over.
        exponent: f, of which exp is summed.
        highest: m, the maximum of f.
        shifted: exp(f - m).
        total: S'.
        positive: whether S' can only be positive.
    """

    name: str
    indices: tuple[Name, ...]
    bound: tuple[Name, ...]
    exponent: Expr
    highest: Tensor
    shifted: Tensor
    total: Tensor
    positive: bool


@dataclass
class Workbench:
    """The system while it is being rewritten."""

    system: System
    equations: list[Equation]
    tensors: dict[str, Tensor]
    shifts: set[str] = field(default_factory=set)
    rewritten: dict[str, str] = field(default_factory=dict)
    sums: list[ShiftedSum] = field(default_factory=list)

    def definition(self, name: str) -> Equation | None:
        """The equation of a tensor defined elementwise, without sum or reduction."""
        equation = next((e for e in self.equations if e.tensor == name), None)
        if (
            equation is None
            or equation.reduction != "sum"
            or len(equation.terms) != 1
            or equation.terms[0].bound
            or self.tensors[name].zero_outside
        ):
            return None
        return equation

    def opened(self, read: Expr) -> Expr | None:
        """What a read stands for: its definition's right side at its subscripts."""
        equation = self.definition(tensor_of(read))
        if equation is None:
            return None
        places = dict(zip(equation.indices, subscripts_of(read), strict=True))
        return equation.terms[0].body.xreplace(places)

    def exponent(self, factor: Expr) -> Expr | None:
        """`f` where the factor is `exp(f)` or reads a tensor defined as `exp(f)`.

        A masked exponential has a masked exponent: `where(c, exp(f), 0)` =>
        `where(c, f, LOWEST)`.
        """
        if isinstance(factor, exp):
            return factor.args[0]
        if isinstance(factor, Indexed | Name):
            body = self.opened(factor)
            factor = factor if body is None else body
            if isinstance(factor, exp):
                return factor.args[0]
        if isinstance(factor, where):
            condition, chosen, other = factor.args
            if other == 0 and (inner := self.exponent(chosen)) is not None:
                return where(condition, inner, LOWEST)
            if chosen == 0 and (inner := self.exponent(other)) is not None:
                return where(condition, LOWEST, inner)
        return None

    def exponential_part(self, body: Expr) -> tuple[Expr, Expr]:
        """`c[k] * exp(f)` => `f` and `c[k]`; 0 and the body without an exponential."""
        exponent: Expr = sympy.S.Zero
        weight: list[Expr] = []
        for factor in Mul.make_args(body):
            inner = self.exponent(factor)
            if inner is None:
                weight.append(factor)
            else:
                exponent += inner
        return exponent, Mul(*weight)

    def stable_through(self, body: Expr) -> Expr:
        """The stable form, looking through names that are defined by exponentials."""
        best = stable(body)
        if not any(isinstance(p, log) or is_quotient(p) for p in parts(best)):
            return best
        through = {
            read: opened
            for read in dict.fromkeys(reads(best))
            if (opened := self.opened(read)) is not None and opened.has(exp)
        }
        if through:
            seen = stable(best.xreplace(through))
            if not seen.has(exp):
                return seen
        return best

    def rewrite_each(self, why: str, rule: Callable[[Equation, Expr], Expr]) -> None:
        for equation in list(self.equations):
            self.rewrite_one(equation, why, rule)

    def rewrite_one(
        self, equation: Equation, why: str, rule: Callable[[Equation, Expr], Expr]
    ) -> None:
        """Replace the bodies of one equation by what the rule makes of them."""
        terms = tuple(replace(t, body=rule(equation, t.body)) for t in equation.terms)
        if terms != equation.terms:
            place = next(
                n for n, e in enumerate(self.equations) if e.tensor == equation.tensor
            )
            self.equations[place] = replace(equation, terms=terms)
            self.rewritten[equation.tensor] = why

    def add(self, equation: Equation, after: str, why: str) -> Tensor:
        """Insert an equation after another one and declare its tensor."""
        taken = {*self.tensors, *self.system.axes, *self.system.constants}
        name = fresh(equation.tensor, taken)
        axes = tuple(index.name for index in equation.indices)
        batched = any(
            self.tensors[tensor_of(read)].batched for read in equation.reads()
        )
        rank = 1 + max(t.rank for t in self.tensors.values())
        self.tensors[name] = Tensor(name, axes, "defined", rank, batched=batched)
        place = next(n for n, e in enumerate(self.equations) if e.tensor == after)
        self.equations.insert(place + 1, replace(equation, tensor=name))
        self.rewritten[name] = why
        return self.tensors[name]


def parts(expression: Expr) -> Iterator[Expr]:
    yield expression
    if not isinstance(expression, Indexed):
        for argument in expression.args:
            yield from parts(argument)


def is_quotient(part: Expr) -> bool:
    return isinstance(part, Pow) and part.exp.is_negative is True
