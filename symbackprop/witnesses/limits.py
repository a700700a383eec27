"""Lines of a derivative, held against numerical derivatives of 60 digits.

A witness for functions of one argument: it knows a row's definition and how to take
the limit of difference quotients, and no rule of differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.errors import CheckError
from symbackprop.scalars import TABLE
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.numbers import Precise

DIGITS = 60
NUMBERS = Precise(DIGITS)
AGREE = 10.0**-30
POINTS = 12  # at which a line is held
ENOUGH = 3  # of them at which it must have a value


def value(expression: Expr, point: Mapping[Expr, Any]) -> Any:
    """An expression's value to 60 digits; derivatives in it are taken numerically.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> print(NUMBERS.context.nstr(value(sympy.exp(x), {x: 1}), 12))
    2.71828182846
    """
    made = dict(point)
    opened = _without_slopes(expression, made)
    leaves = {s: NUMBERS.array([v]) for s, v in made.items()}
    return calculate(opened, NUMBERS, leaves.__getitem__).reshape(-1)[0]


def numerical(expression: Expr, by: Expr, point: Mapping[Expr, Any]) -> Any:
    """The derivative of an expression as the limit of difference quotients."""
    context = NUMBERS.context
    here = context.mpf(point[by])
    return context.diff(lambda t: value(expression, {**point, by: t}), here)


def _without_slopes(expression: Expr, point: dict[Expr, Any]) -> Expr:
    """Put a fresh symbol in the place of each derivative, and its value in `point`."""
    name = expression.func.__name__
    if name == "derivative":
        inside, by = expression.args
        return _known(point, numerical(inside, by, point))
    if name.startswith("slope_"):
        stem, _, place = name.removeprefix("slope_").rpartition("_")
        inner = {sympy.Dummy(): value(a, point) for a in expression.args}
        by = list(inner)[int(place) - 1]
        return _known(point, numerical(_applied(stem, tuple(inner)), by, inner))
    if not expression.args:
        return expression
    arguments = [_without_slopes(a, point) for a in expression.args]
    return expression.func(*arguments)


def _applied(name: str, arguments: tuple[Expr, ...]) -> Expr:
    row = TABLE[name]
    build: Callable[..., Expr] = row.definition or row.call
    return build(*arguments)


def _known(point: dict[Expr, Any], number: Any) -> Expr:
    place = sympy.Dummy()
    point[place] = number
    return place


def hold(
    name: str, arguments: tuple[Expr, ...], by: Expr, left: Expr, right: Expr
) -> None:
    """Hold `left = right` at random points; what has no value at one is passed over.

    Args:
        name: the row's name.
        arguments: the symbols of its arguments.
        by: the argument that it is differentiated by.
        left: the function or its derivative, applied to its arguments.
        right: what it is said to be.

    Raises:
        CheckError: the sides differ by more than 30 digits allow.
    """
    rng = np.random.default_rng(20220801)
    definition = _applied(name, arguments)
    met = 0
    for k in range(POINTS):
        # On both sides of a kink at 0 or 1, near it and far; never on it.
        scale = (0.4, 1.7, 4.1)[k % 3]
        draws = scale * rng.normal(size=len(arguments))
        draws[0] = abs(draws[0]) * (1 - 2 * (k % 2))
        point = {a: float(v) for a, v in zip(arguments, draws, strict=True)}
        if left.func.__name__ == name:
            expected = value(definition, point)
        else:
            expected = numerical(definition, by, point)
        found = value(right, point)
        if expected != expected:
            continue
        met += 1
        if not abs(found - expected) <= AGREE * max(1, abs(expected)):
            raise CheckError(
                f"{name}: the line `{left} = {right}` does not hold at "
                f"{', '.join(f'{a} = {v:.6g}' for a, v in point.items())}: the left "
                f"side is {NUMBERS.context.nstr(expected, 12)}, the right "
                f"{NUMBERS.context.nstr(found, 12)}. Please report this function."
            )
    if met < ENOUGH:
        raise CheckError(
            f"{name}: its definition has a value at only {met} of {POINTS} points "
            "around 0, so that its derivative cannot be checked; shift or restrict it."
        )
