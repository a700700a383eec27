"""Slopes of the table's functions, derived, and written through saved values."""

from __future__ import annotations

from functools import cache

import sympy
from sympy import Expr, Indexed, Mul, Pow

from symbackprop.equations import Name, by_rank
from symbackprop.exponentials import in_exponentials, near_one, stable
from symbackprop.scalars import (
    TABLE,
    ScalarFunction,
)


@cache
def slope(name: str, argument: int = 1) -> tuple[tuple[Expr, ...], Expr]:
    """The derivative of a row's function by its k-th argument, in stable form.

    Returns:
        The symbols that stand for the arguments, and the slope over them. Where the
        slope is a polynomial in the function's own value it is written as one.

    >>> slope("logistic")
    ((x,), (1 - logistic(x))*logistic(x))
    """
    row = TABLE[name]
    symbols = tuple(sympy.Symbol(s) for s in ("x", "r", "q")[: row.arity])
    if row.definition is None or name == "power":
        elementary = row.call if row.definition is None else row.definition
        derived = elementary(*symbols).diff(symbols[argument - 1])
        return symbols, sympy.powsimp(derived)
    from symbackprop.calculus import hide

    definition = row.definition(*symbols)
    derived = reveal(hide(definition).diff(symbols[argument - 1]))
    by_output = _in_output(derived, definition, row.call(*symbols))
    return symbols, near_one(stable(derived)) if by_output is None else by_output


def _in_output(derived: Expr, definition: Expr, output: Expr) -> Expr | None:
    """Search `f' = c0 + c1 f + c2 f^2`, all rational functions of u = exp(t).

    `1/(cosh(x))^2` => `1 - tanh(x)^2`. The equality is solved for exactly, so that
    what is found is proved.
    """
    both = in_exponentials(derived + sympy.Symbol("marker") * definition)
    if both is None:
        return None
    rational, u, _ = both
    marker = sympy.Symbol("marker")
    value, change = rational.diff(marker), rational.xreplace({marker: sympy.S.Zero})
    c = sympy.symbols("c:3")
    guess = c[0] + c[1] * value + c[2] * value**2 - change
    conditions = sympy.Poly(sympy.fraction(sympy.together(guess))[0], u).coeffs()
    found = sympy.linsolve(conditions, c)  # the conditions are linear in c
    if not found or any(not k.is_Rational for k in found.args[0]):
        return None
    k0, k1, k2 = found.args[0]
    written = k0 + k1 * output + k2 * output**2 if k0 else output * (k1 + k2 * output)
    return written if written.count_ops() < derived.count_ops() else None


def mirrored(expression: Expr) -> Expr:
    """Functions of `-x` by what they are of x, where that is linear in them.

    `logistic(-z)` => `1 - logistic(z)`, `tanh(-z)` => `-tanh(z)`
    """
    return expression.replace(
        lambda e: (
            e.func.__name__ in TABLE
            and len(e.args) == 1
            and e.args[0].could_extract_minus_sign()
        ),
        _of_opposite,
    )


def _of_opposite(function: Expr) -> Expr:
    """`f(-x)` as `c0 + c1 f(x)`, if it is; solved for exactly."""
    x = sympy.Symbol("x")
    found = _linear_in(function.func(-x), function.func(x))
    argument = -function.args[0]
    return function if found is None else found.xreplace({x: argument})


@cache
def _linear_in(value: Expr, other: Expr) -> Expr | None:
    both = in_exponentials(value + sympy.Symbol("marker") * other)
    if both is None:
        return None
    rational, u, _ = both
    marker = sympy.Symbol("marker")
    c = sympy.symbols("c:2")
    rest = rational.xreplace({marker: sympy.S.Zero})
    guess = c[0] + c[1] * rational.diff(marker) - rest
    conditions = sympy.Poly(sympy.fraction(sympy.together(guess))[0], u).coeffs()
    found = sympy.linsolve(conditions, c)
    if not found or any(not k.is_Rational for k in found.args[0]):
        return None
    c0, c1 = found.args[0]
    return c0 + c1 * other


def reveal(expression: Expr) -> Expr:
    """Turn opaque functions and slopes back into what they are.

    `slope_tanh_1(z)` => `1 - tanh(z)**2`, `power(y, 1/2)` => `sqrt(y)`
    """
    if not expression.args or isinstance(expression, Indexed):
        return expression
    arguments = [reveal(argument) for argument in expression.args]
    if isinstance(expression, ScalarFunction):
        name = expression.func.__name__
        if name.startswith("slope_"):
            stem, _, place = name.removeprefix("slope_").rpartition("_")
            symbols, formula = slope(stem, int(place))
            return _open_powers(
                formula.xreplace(dict(zip(symbols, arguments, strict=True)))
            )
        if name == "power":
            return Pow(*arguments)
        if name in TABLE:
            return TABLE[name].call(*arguments)
    return expression.func(*arguments)


def _open_powers(expression: Expr) -> Expr:
    return expression.replace(
        lambda e: isinstance(e, ScalarFunction) and e.func.__name__ == "power",
        lambda e: Pow(*e.args),
    )


def through_saved(slope: Expr, right: Expr, left: Expr) -> Expr:
    """Write a slope with the value that the equation `left = right` has saved.

    `(1 - tanh(z))*(1 + tanh(z))`, right `tanh(z)`, left `a` => `(1 - a)*(1 + a)`;
    `-e/s**2`, right `e/s`, left `p` => `-p/s`
    """
    if isinstance(right, Name | Indexed) or right.is_number:
        return slope
    slope = slope.xreplace({right: left, 1 / right: 1 / left})
    if not slope.has(left) and isinstance(right, Mul | Pow):
        quotient = slope / right
        if quotient.count_ops() + 1 <= slope.count_ops() and _no_new_pole(
            quotient, slope
        ):
            return quotient * left
    return slope


def _no_new_pole(new: Expr, old: Expr) -> bool:
    """Whether every denominator of one expression divides one of the other."""

    def poles(expression: Expr) -> list[tuple[Expr, Expr]]:
        powers = sorted(expression.atoms(Pow), key=by_rank)
        return [(p.base, p.exp) for p in powers if p.exp.could_extract_minus_sign()]

    return all(
        any(base == b and (exponent - e).is_nonnegative for b, e in poles(old))
        for base, exponent in poles(new)
    )
