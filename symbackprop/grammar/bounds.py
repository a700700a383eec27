"""Bounds on what a text may ask of SymPy: depth, parts, and lengths of numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import sympy
from sympy import Add, Expr, Mul, Pow, Rational

DEPTH_LIMIT = 60
NODES_LIMIT = 5_000
SELF_NESTING_LIMIT = 3  # SymPy's own doubts grow exponentially with `tanh(tanh(...))`
EXPONENT_LIMIT = 64
BITS_LIMIT = 2_048
FLOAT_BITS = 1_000  # powers of two that a float64 holds, with room to spare

PRODUCT = 1
_CHAINS: tuple[tuple[type[ast.operator], ...], ...] = (
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
)


def chain_of(node: ast.AST) -> int:
    """0 for a sum or difference, `PRODUCT` for a product or quotient, else -1."""
    if isinstance(node, ast.BinOp):
        for number, operators in enumerate(_CHAINS):
            if isinstance(node.op, operators):
                return number
    return -1


def first_excess(tree: ast.expr) -> ast.AST | None:
    """The first node beyond the limits of depth and number, or None.

    A chain `a + b - c` or `a * b / c` is one level deep.
    """
    agenda: list[tuple[ast.AST, int, int]] = [(tree, 1, -1)]
    count = 0
    while agenda:
        node, depth, chain = agenda.pop()
        own = chain_of(node)
        depth += own < 0 or own != chain
        count += isinstance(node, ast.expr)
        if depth > DEPTH_LIMIT or count > NODES_LIMIT:
            return node
        agenda.extend((n, depth, own) for n in ast.iter_child_nodes(node))
    return None


def flaw_of_power(base: Expr, exponent: Expr) -> str | None:
    """What is wrong with `base ** exponent`, or None; nothing is computed."""
    if exponent.is_Rational:
        if max(abs(exponent.p), exponent.q) > EXPONENT_LIMIT:
            return (
                f"the numerator and denominator of an exponent are at most "
                f"{EXPONENT_LIMIT}, this one is {str(exponent)[:40]}."
            )
        bits = sum(_bits(factor) for factor in Mul.make_args(base))
        if bits * abs(exponent) > BITS_LIMIT:
            return f"this number is longer than {BITS_LIMIT} bits."
        if base == 0 and exponent < 0:
            return "this divides by zero."
        return None
    return flaw_of_exponent(exponent)


def flaw_of_product(factors: Iterable[Expr]) -> str | None:
    """What is wrong with a product before its numbers are multiplied, or None."""
    if sum(_bits(factor) for factor in factors) > BITS_LIMIT:
        return f"the numbers in this product have more than {BITS_LIMIT} bits."
    return None


def flaw_of_exponent(exponent: Expr) -> str | None:
    """`exp(1000000 * log(7))` would become a number of as many digits."""
    for part in Add.make_args(exponent):
        logarithms = {p for p in part.atoms(sympy.log) if not p.free_symbols}
        if not logarithms:
            continue
        rest = part.xreplace(dict.fromkeys(logarithms, sympy.S.One))
        if any(abs(number) > EXPONENT_LIMIT for number in rest.atoms(Rational)):
            return (
                f"an exponent holds a logarithm times more than {EXPONENT_LIMIT}; "
                "write the power itself."
            )
    return None


def flaw_of_numbers(expressions: Iterable[Expr]) -> str | None:
    """Numbers are real, finite, and fit a float64 after simplification."""
    parts = (p for e in expressions for p in sympy.preorder_traversal(e))
    return next((flaw for part in parts if (flaw := _flaw(part))), None)


def _flaw(part: Expr) -> str | None:
    if part in (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        return "divides by zero, or takes the logarithm of zero"
    if part is sympy.I:
        return "takes a root or a logarithm of a negative number"
    if part.is_Rational:
        if _bits(part) > BITS_LIMIT:
            return f"holds a number of more than {BITS_LIMIT} bits"
        if abs(part.p.bit_length() - part.q.bit_length()) > FLOAT_BITS:
            return "holds a number that a float64 cannot hold"
    if isinstance(part, Pow) and part.exp.is_Rational:
        if max(abs(part.exp.p), part.exp.q) > EXPONENT_LIMIT:
            return f"multiplies out to an exponent above {EXPONENT_LIMIT}"
        if part.base.is_Rational and part.base < 0 and part.exp.q != 1:
            return "takes a root of a negative number"
    return None


def _bits(number: Expr) -> int:
    """Length of a rational number, or of a root of one; 0 for anything else."""
    if isinstance(number, Pow) and number.exp.is_Rational:
        return _bits(number.base)
    if not number.is_Rational:
        return 0
    return int(number.p).bit_length() + int(number.q).bit_length() - 1
