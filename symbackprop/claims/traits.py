"""What an equation of a claim asks of its judge: choices by value, long fractions."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, preorder_traversal

from symbackprop.equations import Equation, reads, tensor_of
from symbackprop.scalars import TABLE


def chooses(equation: Equation) -> bool:
    """Whether an equation takes a maximum, or a function that has a corner."""
    if equation.reduction != "sum":
        return True
    for term in equation.terms:
        for node in preorder_traversal(term.body):
            row = TABLE.get(node.func.__name__)
            if row is not None and row.kinks:
                return True
            compares = node.func.__name__ in ("less", "less_equal", "equal")
            if compares and any(True for _ in reads(node)):
                return True
    return False


def length(body: Expr, longest: Mapping[str, float]) -> float:
    """The length of a value, in numbers as they were drawn.

    The stand-in of a function has squares of its argument above and below.
    """
    if body.is_Indexed or body.is_Symbol:
        return longest.get(tensor_of(body), 1.0)
    inside = sum(length(argument, longest) for argument in body.args)
    row = TABLE.get(body.func.__name__)
    return min(inside * (4 if row else 1), 1e9)
