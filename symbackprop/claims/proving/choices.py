"""Choices between indices as sums of products with Kronecker's deltas."""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Add, Expr, Mul, Pow, S

from symbackprop.argument.lines import kronecker
from symbackprop.equations import affine, reads
from symbackprop.scalars import both, either, equal, negation, where


def indicated(expression: Expr, whole: Callable[[Expr], bool]) -> Expr:
    """Choices as sums: `where(k == i, a, b)` => `delta(k, i)*(a - b) + b`

    Args:
        whole: whether a read is a whole number, the place of something.
    """
    if isinstance(expression, where):
        condition, a, b = expression.args
        a, b = indicated(a, whole), indicated(b, whole)
        return _indicator(condition, whole) * (a - b) + b
    if isinstance(expression, Add | Mul):
        return expression.func(*(indicated(part, whole) for part in expression.args))
    if isinstance(expression, Pow) and expression.exp.is_Integer:
        return indicated(expression.base, whole) ** expression.exp
    return expression


def _indicator(condition: Expr, whole: Callable[[Expr], bool]) -> Expr:
    """1 where a condition holds, else 0."""
    parts = condition.args
    if isinstance(condition, negation):
        return 1 - _indicator(parts[0], whole)
    if isinstance(condition, (both, either)):
        first, second = (_indicator(part, whole) for part in parts)
        product = first * second
        return product if isinstance(condition, both) else first + second - product
    if isinstance(condition, equal) and all(_is_place(part, whole) for part in parts):
        return kronecker(*parts)
    return where(condition, S.One, S.Zero)


def _is_place(part: Expr, whole: Callable[[Expr], bool]) -> bool:
    """Whether it is made of indices and whole numbers alone."""
    outer = [r for r in reads(part) if part.has(r)]
    places = {r: sympy.S.One for r in outer if whole(r)}
    return affine(part.xreplace(places)) is not None
