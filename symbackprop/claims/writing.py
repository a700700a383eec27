"""The tree of a side as the text of a claim: `o`, `'` and `.T`, and few brackets.

f_ % (W.T @ d)    =>    f' o (W.T @ d)
"""

from __future__ import annotations

import ast
from itertools import pairwise

# How tightly an operator binds; a matrix product more than `o`, `*` and `/`.
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _MATRIX, _SIGN, _POWER, _ATOM = range(10)

_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", _SUM),
    ast.Sub: (" - ", _SUM),
    ast.Mult: ("*", _PRODUCT),
    ast.Div: ("/", _PRODUCT),
    ast.Mod: (" o ", _PRODUCT),
    ast.MatMult: (" @ ", _MATRIX),
}
_RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

Written = tuple[str, int]


def written(node: ast.expr) -> str:
    """The text of a tree.

    >>> from symbackprop.claims.reading.text import parse
    >>> written(parse("d = f'(z) o (W.T @ (a - y)) * 2").sides[1])
    "f'(z) o (W.T @ (a - y))*2"
    """
    return _write(node)[0]


def _write(node: ast.expr) -> Written:
    match node:
        case ast.Name(id=name):
            stem = name.rstrip("_")
            return stem + "'" * (len(name) - len(stem)), _ATOM
        case ast.Constant(value=value):
            return repr(value), _ATOM
        case ast.Subscript(value=of, slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            return f"{_within(of, _ATOM)}[{_listed(parts)}]", _ATOM
        case ast.Call(func=function, args=arguments):
            return f"{_within(function, _ATOM)}({_listed(arguments)})", _ATOM
        case ast.Attribute(value=of, attr=name):
            return f"{_within(of, _ATOM)}.{name}", _ATOM
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            text, level = _write(inner)
            return (f"-{text}", min(level, _SIGN)) if level > _SUM else _minus(text)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return f"not {_within(inner, _NOT)}", _NOT
        case ast.UnaryOp(operand=inner):
            return _write(inner)
        case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
            signed = isinstance(exponent, ast.UnaryOp)
            power = written(exponent) if signed else _within(exponent, _POWER)
            return f"{_within(base, _ATOM)}**{power}", _POWER
        case ast.BinOp():
            return _binary(node)
        case ast.Compare(left=left, ops=ops, comparators=others):
            links = [
                f" {_RELATIONS[type(op)]} {_within(other, _SUM)}"
                for op, other in zip(ops, others, strict=True)
            ]
            return _within(left, _SUM) + "".join(links), _COMPARE
        case ast.BoolOp(op=op, values=values):
            whole = chained(node)
            if whole is not None:
                return _write(whole)
            word, level = (" and ", _AND) if isinstance(op, ast.And) else (" or ", _OR)
            return word.join(_within(value, level + 1) for value in values), level
    return ast.unparse(node), _OR


def chained(node: ast.BoolOp) -> ast.Compare | None:
    """`0 < p and p < 1` as it was read from `0 < p < 1`, with one `p`; else None."""
    links = [value for value in node.values if isinstance(value, ast.Compare)]
    pairs = pairwise(links)
    if len(links) < len(node.values) or isinstance(node.op, ast.Or):
        return None
    if any(before.comparators[-1] is not after.left for before, after in pairs):
        return None
    ops = [op for link in links for op in link.ops]
    return ast.Compare(links[0].left, ops, [c for k in links for c in k.comparators])


def _binary(node: ast.BinOp) -> Written:
    """Brackets on the right of `-` and `/`, and around a matrix product in another."""
    sign, level = _OPERATORS[type(node.op)]
    after = level + isinstance(node.op, ast.Sub | ast.Div)
    left, right = _within(node.left, level), _within(node.right, after)
    if level == _PRODUCT:
        left, right = (
            f"({text})" if _is_matrix_product(part) else text
            for part, text in ((node.left, left), (node.right, right))
        )
    right = f"({right})" if right.startswith("-") else right
    return f"{left}{sign}{right}", level


def _minus(text: str) -> Written:
    return f"-({text})", _SIGN


def _is_matrix_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def _within(node: ast.expr, least: int) -> str:
    text, level = _write(node)
    return text if level >= least else f"({text})"


def _listed(parts: list[ast.expr]) -> str:
    return ", ".join(written(part) for part in parts)
