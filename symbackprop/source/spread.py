"""Costly functions of few neurons, taken out of their loops and over the whole batch.

A loop over ten neurons is too short for a processor that computes sixteen numbers at
once; over all samples of the batch it is long. So `p[k] = exp(z[k] - m)` becomes two
equations: `argument[k] = z[k] - m` in the loops that it stood in, and
`p[k] = exp(argument[k])` in one flat loop over the batch and all k.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import sympy
from sympy import Expr

from symbackprop import approximation
from symbackprop.equations import (
    Equation,
    Term,
    indices_of,
    reads,
    replaced,
    tensor_of,
)
from symbackprop.scalars import TABLE
from symbackprop.source.parts import Parts, Splitting, defined
from symbackprop.source.products import SAMPLE, letters_of

# A loop over that many neurons or more is long enough.
LONG = 32


def spread(parts: Parts) -> Parts:
    """Take costly functions of few neurons out of their equations."""
    return _Spreading(parts).parts(parts.items)


class _Spreading(Splitting):
    def split(self, equation: Equation) -> list[Equation]:
        indices = equation.indices
        sizes = [self.system.size(index) for index in indices]
        short = not sizes or sizes[-1] < LONG
        batched = self.tensors[equation.tensor].batched
        if not (short and batched and equation.reduction == "sum"):
            return [equation]
        found: list[Equation] = []
        terms: list[Term] = []
        for term in equation.terms:
            if term != Term(term.body):  # sums, scattering
                terms.append(term)
                continue
            alone = len(equation.terms) == 1
            body = term.body
            for call in _costly(body):
                whole = alone and call == body
                body = self._taken(call, body, equation, whole, found)
            terms.append(Term(body))
        return [*found, replace(equation, terms=tuple(terms))]

    def _taken(
        self,
        call: Expr,
        body: Expr,
        equation: Equation,
        whole: bool,
        found: list[Equation],
    ) -> Expr:
        """The body with a read in a call's place, whose equations are appended."""
        varying = [part for part in call.args if not part.is_number]
        if len(varying) != 1:
            return body
        (argument,) = varying
        batched = any(self.tensors[tensor_of(r)].batched for r in reads(argument))
        used = set(indices_of(argument))
        if not batched or not used <= set(equation.indices):
            return body
        indices = tuple(index for index in equation.indices if index in used)
        read = argument
        if letters_of(argument, self.current) != (SAMPLE, *indices):
            read = self.new("argument", equation, indices)
            found.append(defined(read, indices, argument, equation))
        function = call.func(*(read if a == argument else a for a in call.args))
        if whole and indices == equation.indices:
            self.flat.add(equation.tensor)
            return function
        value = self.new(call.func.__name__, equation, indices)
        found.append(defined(value, indices, function, equation))
        self.flat.add(tensor_of(value))
        return replaced(body, {call: value})


def _costly(body: Expr) -> Iterator[Expr]:
    """Calls of costly functions that hold no other, in a fixed order."""
    for part in dict.fromkeys(sympy.postorder_traversal(body)):
        if isinstance(part, sympy.Function) and is_costly(part.func.__name__):
            inner = (p for a in part.args for p in sympy.preorder_traversal(a))
            if not any(
                isinstance(p, sympy.Function) and is_costly(p.func.__name__)
                for p in inner
            ):
                yield part


@cache
def is_costly(name: str) -> bool:
    """Whether a function is computed by a polynomial, itself or what it is made of."""
    if name in approximation.NAMES:
        return True
    row = TABLE.get(name)
    build = None if row is None else row.stable or row.definition
    if row is None or build is None:
        return False
    body = build(*(sympy.Symbol(f"x{number}") for number in range(row.arity)))
    return any(
        part.func.__name__ != name and is_costly(part.func.__name__)
        for part in sympy.preorder_traversal(body)
        if isinstance(part, sympy.Function)
    )
