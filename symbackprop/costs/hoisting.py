"""Equations as they are printed: what a sum does not run over stands before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Rational

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Tensor,
    Term,
    fresh,
    indices_of,
    reads,
    tensor_of,
)
from symbackprop.scalars import where


@dataclass(frozen=True)
class Written:
    """A system whose sums stand alone, as they are printed.

    Attributes:
        system: its equations.
        origin: the tensor of the equation that a split-off sum belongs to.
    """

    system: System
    origin: Mapping[str, str]


def written(system: System) -> Written:
    """Put in front of a sum what it does not run over, and give constants their values.

    `R = sum(lam*W[i]**2/2, i)` => `R = lam/2 * R_part`, `R_part = sum(W[i]**2, i)`
    """
    tensors = dict(system.tensors)
    origin: dict[str, str] = {}
    equations: list[Equation] = []

    def split(
        equation: Equation, body: Expr, bound: tuple[Name, ...], term: Term
    ) -> Expr:
        """A new equation for a sum, or for a mean; what stands for it is returned."""
        mean = term.average and not bound
        indices = tuple(i for i in equation.indices if i in body.free_symbols)
        name = fresh(f"{equation.tensor}_part", tensors)
        batched = any(tensors[tensor_of(r)].batched for r in reads(body)) and not mean
        axes = tuple(index.name for index in indices)
        rank = 1 + max(tensor.rank for tensor in tensors.values())
        tensors[name] = Tensor(name, axes, "defined", rank, batched=batched)
        origin[name] = equation.tensor
        part = replace(term, body=body, bound=bound, average=mean)
        equations.append(Equation(name, indices, (part,)))
        return tensors[name].read(*indices)

    values = {c.symbol: Rational(c.value) for c in system.constants.values()}
    for equation in system.equations:
        terms = []
        for declared in equation.terms:
            # With its value, a constant is one number with the others of a product.
            term = replace(declared, body=declared.body.xreplace(values))
            outer, middle, inner = _parted(term, equation, tensors)
            if term.bound and (outer != 1 or middle != 1):
                inner = split(equation, inner, term.bound, replace(term, average=False))
                term = replace(term, bound=(), body=outer * middle * inner)
            if term.average and not term.bound and outer != 1:
                kept = replace(term, guards=())
                mean = split(equation, middle * inner, (), kept)
                term = replace(term, average=False, body=outer * mean)
            terms.append(term)
        equations.append(replace(equation, terms=tuple(terms)))
    made = replace(system, tensors=tensors, equations=tuple(equations))
    return Written(made, origin)


def _parted(
    term: Term, equation: Equation, tensors: Mapping[str, Tensor]
) -> tuple[Expr, Expr, Expr]:
    """Factors before the mean over the batch, before the sum, and inside it."""
    parts: list[list[Expr]] = [[], [], []]
    plain = equation.reduction == "sum" and term.target is None and not term.guards
    for factor in sympy.Mul.make_args(term.body):
        bound = set(term.bound) & set(indices_of(factor))
        varies = any(tensors[tensor_of(r)].batched for r in reads(factor))
        inside = bound or not plain or (varies and not term.bound) or factor.has(where)
        parts[2 if inside else 1 if varies and term.average else 0].append(factor)
    outer, middle, inner = (sympy.Mul(*factors) for factors in parts)
    if inner == 1 or outer in (1, -1):
        return sympy.S.One, middle, outer * inner
    return outer, middle, inner
