"""What nobody writes: `0*w`, `a - (-b)`, `2*w/2`, `sqrt(q)**2`, `sum(mean(x, t), t)`.

An edit may leave such a thing behind by chance, and be true; it is never offered,
unless the claim itself has as many of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symbackprop.claims.repairs.places import called
from symbackprop.claims.repairs.style import names_in
from symbackprop.claims.writing import written
from symbackprop.grammar.text import REDUCTIONS

_PRODUCTS = (ast.Mult, ast.Mod, ast.MatMult, ast.Div)
_INVERSE = {("sqrt", "power"), ("sqrt", "exp"), ("exp", "log"), ("log", "exp")}


def oddities(side: ast.expr) -> int:
    """How many a side has.

    >>> from symbackprop.claims.reading.text import parse
    >>> [oddities(parse(f"z = {text}").sides[1]) for text in ("2*w/2", "2*w", "0*w")]
    [1, 0, 1]
    """
    return sum(_here(node) for node in ast.walk(side)) + _numbers(side)


def _here(node: ast.AST) -> int:
    match node:
        case ast.BinOp(op=op, left=left, right=right):
            signed = _signed(right) or (_signed(left) and isinstance(op, _PRODUCTS[1:]))
            power = isinstance(op, ast.Pow)
            ones = isinstance(op, (*_PRODUCTS, ast.Pow)) and _is(right, 1)
            ones |= isinstance(op, _PRODUCTS[:-1]) and _is(left, 1)
            again = power and (called(left) in ("sqrt", "abs") or _is_power(left))
            same = isinstance(op, ast.Sub | ast.Div) and _same(left, right)
            zero = _is(left, 0) or _is(right, 0)
            return sum((signed and not power, ones, again, same, zero))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _signed(inner) + _is(inner, 0)
        case ast.Call(func=ast.Name(id="where"), args=[_, first, second]):
            return int(_same(first, second))
        case ast.Call(func=ast.Name(id=name), args=[first, *_]):
            within = "power" if _is_power(first) else called(first)
            inverse = (name, within) in _INVERSE
            twice = within == name and name not in ("D", *REDUCTIONS)
            return inverse + twice + (name == "identity") + _summed_twice(name, node)
    return 0


def _signed(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def _is(node: ast.expr, value: int) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _is_power(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)


def _same(first: ast.expr, second: ast.expr) -> bool:
    return written(first) == written(second)


def _summed_twice(name: str, node: ast.Call) -> int:
    """A reduction over a letter that does not stand open in its body."""
    if name not in REDUCTIONS:
        return 0
    body, *letters = node.args
    found = open_names(body)
    return sum(not isinstance(n, ast.Name) or n.id not in found for n in letters)


def open_names(node: ast.expr) -> set[str]:
    """The names in a tree but for letters that reductions bind."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[body, *bound]) if (
            name in REDUCTIONS
        ):
            return open_names(body) - {n for b in bound for n in names_in(b)}
        case ast.Name(id=name):
            return {name}
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            found |= open_names(child)
    return found


# --- numbers in products ------------------------------------------------------


def _numbers(side: ast.expr) -> int:
    """Products with two numbers that make one: `2*w/2`, `2*2*w`, but not `2*w/3`."""
    found = 0
    for product in _products(side):
        above, below = _factors(product, over=False)
        doubled = max(len(above), len(below)) > 1
        found += doubled or any(a % b == 0 for a in above for b in below)
    return found


def _products(node: ast.AST, inside: bool = False) -> Iterator[ast.expr]:
    """The largest products in a tree, a sum in brackets apart."""
    product = isinstance(node, ast.BinOp) and isinstance(node.op, _PRODUCTS)
    product |= isinstance(node, ast.UnaryOp)
    if product and not inside:
        yield node  # type: ignore[misc]
    for child in ast.iter_child_nodes(node):
        yield from _products(child, product)


def _factors(node: ast.expr, over: bool) -> tuple[list[float], list[float]]:
    """Numbers above and below the bar."""
    match node:
        case ast.Constant(value=int(value) | float(value)) if value not in (0, 1):
            return ([], [value]) if over else ([value], [])
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _factors(inner, over)
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, _PRODUCTS):
            turned = over != isinstance(op, ast.Div)
            one, other = _factors(left, over), _factors(right, turned)
            return one[0] + other[0], one[1] + other[1]
        case ast.Call(func=ast.Name(id="sum" | "mean"), args=[body, *_]):
            return _factors(body, over)
    return [], []
