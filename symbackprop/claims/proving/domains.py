"""Where an expression has a value."""

from __future__ import annotations

from sympy import Expr, Indexed, Pow, S

from symbackprop.claims.proving.quotients import Quotients, Signs
from symbackprop.scalars import log


def domain(expression: Expr, signs: Signs | None = None) -> frozenset[Expr]:
    """Parts that must not be 0, or must be positive, for an expression to have a value.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> domain((x**2 - 1) / (x - 1) + 1 / (x**2 + 1))
    frozenset({x - 1})
    """
    found: set[Expr] = set()

    def visit(e: Expr) -> None:
        if not e.args or isinstance(e, Indexed):
            return
        for argument in e.args:
            visit(argument)
        root = isinstance(e, Pow) and not e.exp.is_Integer
        if isinstance(e, log) or root:
            found.update(_unsure(e.args[0], signs, together=True))
        if isinstance(e, Pow) and e.exp.could_extract_minus_sign():
            found.update(_unsure(e.base, signs, together=False))

    visit(expression)
    return frozenset(found)


def _unsure(part: Expr, signs: Signs | None, together: bool) -> set[Expr]:
    """The factors of a part that may be 0; together, their product with its sign."""
    quotients = Quotients((part,), signs)
    value = quotients.value(part)
    whole = quotients.sign(value)
    if whole is not None and whole.strict and (whole.sense > 0 or not together):
        return set()
    number, powers = quotients.factors(value)
    product = S.One if number > 0 else -S.One
    found: set[Expr] = set()
    for factor, power in powers:
        sign = quotients.sign_of_factor(factor)
        if sign is not None and sign.strict:
            product *= sign.sense if power % 2 else 1
            continue
        written = quotients.polynomial(factor)
        product *= written**power
        found.add(-written if written.could_extract_minus_sign() else written)
    if together:
        return set() if product == 1 else {log(product, evaluate=False)}
    return found
