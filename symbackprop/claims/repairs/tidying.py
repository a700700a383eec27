"""What an edit leaves behind is swept: `a + (-b)` => `a - b`, `--a` => `a`."""

from __future__ import annotations

import ast


def tidied(node: ast.expr) -> ast.expr:
    """The tree without signs, transposes and ones that nobody would write."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            inner = tidied(inner)
            positive = without_minus(inner)
            return ast.UnaryOp(node.op, inner) if positive is None else positive
        case ast.BinOp(op=op, left=left, right=right):
            return _binary(tidied(left), op, tidied(right))
        case ast.Attribute(value=inner):
            match tidied(inner):
                case ast.Attribute(value=twice):
                    return twice
                case once:
                    return ast.Attribute(once, "T")
        case ast.Call(func=function, args=arguments):
            return ast.Call(function, [tidied(a) for a in arguments], [])
    return node


def _binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    positive = without_minus(right)
    if positive is not None and isinstance(op, ast.Add | ast.Sub):
        turned = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
        return ast.BinOp(left, turned, positive)
    product = isinstance(op, ast.Mult | ast.Mod)
    if _is_one(right) and (product or isinstance(op, ast.Div | ast.Pow)):
        return left
    if _is_one(left) and product:
        return right
    return ast.BinOp(left, op, right)


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def without_minus(node: ast.expr) -> ast.expr | None:
    """`-a*b` => `a*b`; None where no minus leads."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return inner
        case ast.BinOp(
            op=ast.Mult() | ast.Div() | ast.Mod() | ast.MatMult(), left=left
        ):
            positive = without_minus(left)
            if positive is not None:
                return ast.BinOp(positive, node.op, node.right)
    return None
