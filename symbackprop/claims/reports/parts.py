"""The parts of a claim's syntax tree: names, letters, addends, factors, choices."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from symbackprop.grammar.text import REDUCTIONS

_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    **{ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
}


def adjoint_of(name: str) -> str:
    """The tensor whose error term a name is; "" where it is none.

    >>> [adjoint_of(name) for name in ("delta2", "delta", "delta_h", "x")]
    ['z2', 'z', 'h', '']
    """
    found = re.fullmatch(r"delta(?:(\d*)|_(.+))", name)
    if found is None:
        return ""
    return found[2] or f"z{found[1]}"


def letters_of(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that count: in subscripts, and those that a reduction runs over."""
    for node in nodes:
        if isinstance(node, ast.Subscript):
            yield from names_in(node.slice)
        if isinstance(node, ast.Call):
            for letter in (reduction_of(node) or ((), ()))[1]:
                yield from names_in(letter)


def marked_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that are whole arrays by the signs that they stand beside."""
    found: list[ast.AST] = []
    for node in nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Mod):
            found += [node.left, node.right]
        elif isinstance(node, ast.Attribute):
            found.append(node.value)
        elif isinstance(node, ast.Call) and names_in(node.func) == {"diag"}:
            found += node.args
    if found:  # then what is differentiated by is one too
        found += [
            node.args[1]
            for node in nodes
            if isinstance(node, ast.Call)
            and names_in(node.func) == {"D"}
            and len(node.args) == 2
        ]
    for node in found:
        yield from _bare(node)


def _bare(node: ast.AST) -> Iterator[str]:
    """Names that are no function's, and have no subscripts."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Call):
        for argument in node.args[names_in(node.func) == {"D"} :]:
            yield from _bare(argument)
    elif not isinstance(node, ast.Subscript):
        for inner in ast.iter_child_nodes(node):
            yield from _bare(inner)


def names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def reduction_of(node: ast.expr) -> tuple[ast.expr, Sequence[ast.expr]] | None:
    """`sum(x[i], i)` => its summand and its letters."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    if node.func.id not in REDUCTIONS or len(node.args) < 2:
        return None
    return node.args[0], node.args[1:]


def is_open(node: ast.expr) -> bool:
    """Whether it ends in a sum, which would swallow what follows."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
        return is_open(node.right)
    return reduction_of(node) is not None


def factors_of(node: ast.expr, kind: type[ast.operator]) -> Iterator[ast.expr]:
    """`a*(b*c)` => `a`, `b`, `c`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        yield from factors_of(node.left, kind)
        yield from factors_of(node.right, kind)
    else:
        yield node


def addends_of(node: ast.expr, minus: bool = False) -> Iterator[tuple[bool, ast.expr]]:
    """`a - b + c` => `+ a`, `- b`, `+ c`; what a minus takes away stays together."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from addends_of(node.left)
        if isinstance(node.op, ast.Sub):
            yield True, node.right
        else:
            yield from addends_of(node.right)
    else:
        yield minus, node


def sign_of(node: ast.expr) -> tuple[bool, ast.expr]:
    """Whether a minus stands in front, and what follows it: `-w*x` => `w*x`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return True, node.operand
    products = (ast.Mult, ast.Div, ast.MatMult, ast.Mod)
    if isinstance(node, ast.BinOp) and isinstance(node.op, products):
        minus, first = sign_of(node.left)
        if minus:
            return True, ast.BinOp(first, node.op, node.right)
    return False, node


def choice_of(node: ast.expr) -> tuple[ast.expr, ast.expr, ast.expr] | None:
    """`where(c, a, b)` => its parts."""
    if isinstance(node, ast.Call) and names_in(node.func) == {"where"}:
        condition, value, rest = node.args
        return condition, value, rest
    return None


def is_number(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and node.value == number


def rest_of(condition: ast.expr) -> ast.expr | None:
    """Where a comparison does not hold: `x > 0` => `x <= 0`."""
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1:
        opposite = _OPPOSITES[type(condition.ops[0])]()
        return ast.Compare(condition.left, [opposite], condition.comparators)
    return None
