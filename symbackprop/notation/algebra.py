"""Scalar expressions as the raising looks at them: addends, factors and choices."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow

from symbackprop.equations import Name, by_rank
from symbackprop.scalars import symbol

# What chooses or compares has no elementwise form, but for one comparison.
CHOICES = {"where", "less", "less_equal", "equal", "both", "either", "negation"}
RELATIONS = {"less": "<", "less_equal": "<=", "equal": "=="}
OPPOSITE = {"<": "<=", "<=": "<", "==": "!="}

holds = symbol("holds", 1)  # 1 where a condition holds, else 0

_REPEATED = 3  # up to this power a factor is written repeatedly


def without_choices(expression: Expr) -> Expr:
    """`where(c, a, 0)` => `a*[c]`, `where(c, a, b)` => `a*[c] + b*[not c]`.

    Only where both branches are polynomials, and so are finite where they are not
    taken.
    """
    if not expression.args or isinstance(expression, Indexed):
        return expression
    arguments = [without_choices(argument) for argument in expression.args]
    if expression.func.__name__ == "where":
        condition, first, second = arguments
        if all(_is_polynomial(branch) for branch in (first, second)):
            opposite = symbol("negation", 1)(condition)
            if condition.func.__name__ == "negation":
                opposite = condition.args[0]
            return first * holds(condition) + second * holds(opposite)
    if tuple(arguments) == expression.args:
        return expression
    return expression.func(*arguments)


def _is_polynomial(expression: Expr) -> bool:
    if expression.is_Rational or isinstance(expression, Indexed | Name):
        return True
    if isinstance(expression, Add | Mul):
        return all(_is_polynomial(argument) for argument in expression.args)
    power = isinstance(expression, Pow) and expression.exp.is_Integer
    return bool(power and expression.exp > 0 and _is_polynomial(expression.base))


def in_order(expression: Expr) -> list[Expr]:
    """Addends: whole numbers first, then those with a plus, by declaration."""

    def late(addend: Expr) -> tuple[bool, bool]:
        number = addend.as_coeff_Mul()[0]
        return bool(number < 0), bool(addend.is_Number and not addend.is_Integer)

    return sorted(sorted(Add.make_args(expression), key=by_rank), key=late)


def is_repeated(factor: Expr) -> bool:
    """Whether a power is written as a product: `a**2` => `a a`."""
    power = isinstance(factor, Pow) and factor.exp.is_Integer
    return bool(power and 1 < factor.exp <= _REPEATED)


def common(expression: Expr) -> tuple[Expr, Expr]:
    """The number that a product begins with, or that all addends have.

    `2*a - 2*y` => `2, a - y`; `-a*y/3` => `-1/3, a*y`; `a - 2*y` => `1, a - 2*y`
    """
    if not expression.is_Add:
        number, rest = expression.as_coeff_Mul()
        return (number, rest) if rest != 1 else (expression, sympy.S.One)
    sizes = {abs(addend.as_coeff_Mul()[0]) for addend in expression.args}
    if len(sizes) > 1 or any(addend.is_Number for addend in expression.args):
        return sympy.S.One, expression
    number = sizes.pop()
    return number, Add(*(addend / number for addend in expression.args))
