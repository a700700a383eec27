"""The mean over the batch, taken where the backward pass begins instead of at its end.

Every adjoint of a batched tensor is computed with the factor 1/batch: each of them is
linear in those before it, so the factor enters where none is read, and a gradient's
mean over the batch becomes a plain sum, which a product of matrices gives as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from symbackprop.equations import (
    Equation,
    System,
    Term,
    reads,
    replaced,
    tensor_of,
)
from symbackprop.schedule import Item, Loop, flatten


def averaged(items: Sequence[Item], system: System, share: str) -> list[Item]:
    """The adjoint equations, batched ones times the variable `share`.

    `delta_a = a - y`, `dW = batch_mean(x*delta_a)`
    => `delta_a = share*(a - y)`, `dW = batch_sum(x*delta_a)`

    Args:
        items: adjoint equations in their order.
        system: what their names mean.
        share: the variable that holds 1/batch.
    """
    adjoints = {
        equation.tensor
        for equation in flatten(items)
        if system.tensors[equation.tensor].batched
    }
    factor = sympy.Symbol(share)

    def equation_of(equation: Equation) -> Equation:
        batched = equation.tensor in adjoints
        terms = tuple(
            _shared(term, adjoints, factor) if batched or term.average else term
            for term in equation.terms
        )
        return replace(equation, terms=terms)

    def item_of(item: Item) -> Item:
        if isinstance(item, Loop):
            return replace(item, items=tuple(item_of(part) for part in item.items))
        return equation_of(item)

    return [item_of(item) for item in items]


def _shared(term: Term, adjoints: set[str], factor: Expr) -> Term:
    """The part of a term that reads no adjoint times the factor, and the rest as is."""
    zero = {
        read: sympy.S.Zero for read in reads(term.body) if tensor_of(read) in adjoints
    }
    alone = replaced(term.body, zero) if zero else term.body
    if alone == 0:
        return term
    return replace(term, body=term.body - alone + factor * alone)
