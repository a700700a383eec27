"""Functions by their definitions, down to exp, log, powers, sin, cos and erf."""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Expr, Indexed

from symbackprop.rewrites import reveal
from symbackprop.scalars import TABLE


def opened(expression: Expr) -> Expr:
    """Functions by their definitions, down to exp, log, powers, sin, cos and erf.

    >>> import sympy
    >>> from symbackprop.scalars import logistic
    >>> opened(logistic(sympy.Symbol("x")))
    1/(1 + exp(-x))
    """
    return _opened(reveal(expression))


def _opened(expression: Expr) -> Expr:
    if not expression.args or isinstance(expression, Indexed):
        return expression
    arguments = [_opened(argument) for argument in expression.args]
    row = TABLE.get(expression.func.__name__)
    if row is None or row.definition is None or row.name == "power":
        return expression.func(*arguments)
    return _opened(row.definition(*arguments))


def called(expressions: Iterable[Expr]) -> list[str]:
    """The functions in some expressions that have a definition, slopes with a prime.

    >>> import sympy
    >>> from symbackprop.scalars import logistic
    >>> called([logistic(sympy.Symbol("x")) + sympy.exp(1)])
    ['logistic']
    """
    found: dict[str, None] = {}
    for expression in expressions:
        for part in sympy.preorder_traversal(expression):
            name, prime = part.func.__name__, ""
            if name.startswith("slope_"):
                name, prime = name.removeprefix("slope_").rpartition("_")[0], "'"
            row = TABLE.get(name)
            if row is not None and row.definition is not None and name != "power":
                found.setdefault(name + prime)
    return [*found]
