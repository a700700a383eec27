"""What a function of numbers equals, and its slope, as trees.

logistic(x)        =>   1/(1 + exp(-x))
D(tanh(x), x)      =>   1 - tanh(x)**2
softplus'(w*x)     =>   logistic(w*x)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from sympy import Expr, Symbol

from symbackprop.calculus import hide
from symbackprop.claims.reading.bench import SCALAR
from symbackprop.claims.repairs.indices import tree_of
from symbackprop.equations import System
from symbackprop.errors import DeclarationError
from symbackprop.formula import expression
from symbackprop.grammar.expressions import Reader
from symbackprop.grammar.tree import Tree
from symbackprop.rewrites import reveal, slope
from symbackprop.scalars import TABLE

PLACE = "argument"  # stands for an argument until that is put there


def value_of(name: str, arguments: Sequence[ast.expr]) -> Iterator[ast.expr]:
    """A function of the table by its definition, or with a prime by its slope."""
    stem = name.rstrip("_")
    row = TABLE.get(stem)
    if row is None or not len(arguments) <= row.arity:
        return
    places = [Symbol(f"{PLACE}{n}") for n in range(len(arguments))]
    missing = row.arity - len(arguments)
    values = [*places, *row.defaults[len(row.defaults) - missing :]]
    if name == stem:
        if row.definition is not None:
            yield put(row.definition(*values[: row.arity]), SCALAR, arguments)
        return
    symbols, derived = slope(stem)
    here = dict(zip(symbols, values, strict=False))
    yield put(derived.xreplace(here), SCALAR, arguments)


def slope_of(
    node: ast.expr, by: str, tree: Tree, system: System, primed: bool
) -> Iterator[ast.expr]:
    """The slope of an expression of numbers by one of them.

    Args:
        primed: whether slopes of functions may be written as `f'`, too.
    """
    try:
        whole = Reader(tree, system).expression(node, ())
    except DeclarationError:
        return
    derived = hide(whole).diff(system.tensors[by].symbol)
    for found in (reveal(derived), derived) if primed else (reveal(derived),):
        yield put(found, system, ())


def put(body: Expr, system: System, arguments: Sequence[ast.expr]) -> ast.expr:
    """An expression as a tree, with its arguments in their places."""
    tree = tree_of(expression(body, system))
    places = {f"{PLACE}{n}": argument for n, argument in enumerate(arguments)}

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return places.get(node.id, node)

    put: ast.expr = Put().visit(tree)
    return put
