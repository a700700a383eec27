"""Conditions: comparisons, joined by `and`, `or` and `not`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NoReturn

from sympy import Expr

from symbackprop import scalars

COMPARISONS: dict[type[ast.cmpop], Callable[[Expr, Expr], Expr]] = {
    ast.Lt: lambda a, b: scalars.less(a, b),
    ast.LtE: lambda a, b: scalars.less_equal(a, b),
    ast.Gt: lambda a, b: scalars.less(b, a),
    ast.GtE: lambda a, b: scalars.less_equal(b, a),
    ast.Eq: lambda a, b: scalars.equal(a, b),
    ast.NotEq: lambda a, b: scalars.negation(scalars.equal(a, b)),
}


def condition(
    node: ast.expr,
    expression: Callable[[ast.expr], Expr],
    refuse: Callable[[ast.AST, str], NoReturn],
) -> Expr:
    """A true-or-false expression.

    Args:
        expression: reads a number-valued part.
        refuse: raises an error that shows a part.
    """
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if type(op) in COMPARISONS:
                return COMPARISONS[type(op)](expression(left), expression(right))
        case ast.BoolOp(op=op, values=[first, *others]):
            join = scalars.both if isinstance(op, ast.And) else scalars.either
            joined = condition(first, expression, refuse)
            for other in others:
                joined = join(joined, condition(other, expression, refuse))
            return joined
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return scalars.negation(condition(operand, expression, refuse))
    return refuse(
        node,
        "the first argument of `where` is a condition: two expressions compared by "
        "`<`, `<=`, `>`, `>=`, `==` or `!=`, joined by `and`, `or`, `not`.",
    )
