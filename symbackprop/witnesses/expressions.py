"""The value of a SymPy expression in any number system."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.errors import CheckError
from symbackprop.scalars import TABLE

if TYPE_CHECKING:
    from symbackprop.witnesses.numbers import Numbers

Value = Any  # an array of the number system: ndarray or Dual, never without dimensions
Leaf = Callable[[Expr], Value]


def calculate(expression: Expr, numbers: Numbers, leaf: Leaf, ndim: int = 1) -> Value:
    """The value of an expression, entry by entry.

    `where` selects: what the branch that was not taken holds never matters.

    Args:
        expression: arithmetic, `where`, conditions and functions of the table.
        numbers: the number system.
        leaf: gives the value of a symbol or of a read.
        ndim: the number of dimensions of every leaf's value, at least 1.

    >>> import numpy as np, sympy
    >>> from symbackprop.witnesses.numbers import REAL
    >>> x = sympy.Symbol("x")
    >>> calculate(x**2 + 1, REAL, lambda symbol: np.array([1.0, 2.0]))
    array([2., 5.])
    """
    memory: dict[Expr, Value] = {}

    def constant(number: Fraction | int) -> Value:
        return numbers.constant(Fraction(number), ndim)

    def walk(part: Expr) -> Value:
        if part not in memory:
            memory[part] = step(part)
        return memory[part]

    def step(part: Expr) -> Value:
        if part.is_Rational:
            return constant(Fraction(int(part.p), int(part.q)))
        if part.is_Float:
            return constant(Fraction(str(part)))
        if part is sympy.pi:
            return numbers.pi(ndim)
        if part is sympy.E:
            return numbers.apply("exp", constant(1))
        if part.is_Add:
            return reduce(numbers.add, [walk(a) for a in part.args])
        if part.is_Mul:
            return reduce(numbers.multiply, [walk(a) for a in part.args])
        name = part.func.__name__
        if part.is_Pow or name == "power":
            base, exponent = part.args
            if exponent.is_Integer:
                return numbers.whole_power(walk(base), int(exponent))
            if base is sympy.E:
                return numbers.apply("exp", walk(exponent))
            return numbers.apply("power", walk(base), walk(exponent))
        if name == "where":
            chosen = condition(part.args[0])
            return numbers.where(chosen, walk(part.args[1]), walk(part.args[2]))
        if name in TABLE or name.startswith("slope_"):
            return numbers.apply(name, *[walk(a) for a in part.args])
        if part.is_Symbol or part.is_Indexed:
            return leaf(part)
        raise CheckError(
            f"the witness cannot evaluate `{part}`: `{name}` is neither arithmetic "
            "nor a row of symbackprop/scalars.py; add a row for it."
        )

    def condition(part: Expr) -> Any:
        if part in (sympy.true, sympy.false):
            return np.full((1,) * ndim, bool(part))
        name, arguments = part.func.__name__, part.args
        if name == "negation":
            return ~condition(arguments[0])
        if name == "both":
            return condition(arguments[0]) & condition(arguments[1])
        if name == "either":
            return condition(arguments[0]) | condition(arguments[1])
        compare = {"less": np.less, "less_equal": np.less_equal, "equal": np.equal}
        if name not in compare:
            raise CheckError(f"the witness expected a condition and got `{part}`.")
        return numbers.compare(compare[name], *[walk(a) for a in arguments])

    with np.errstate(all="ignore"):
        return walk(expression)


@cache
def definition(name: str) -> tuple[tuple[Expr, ...], Expr] | None:
    """Arguments and right-hand side of a row's definition; None where it has none."""
    row = TABLE.get(name)
    if row is None or row.definition is None:
        return None
    arguments = tuple(sympy.Dummy(f"x{k}") for k in range(row.arity))
    return arguments, row.definition(*arguments)


def from_definition(name: str, numbers: Numbers, arguments: tuple[Value, ...]) -> Value:
    """`logistic(v)` => the value of `1 / (1 + exp(-v))`."""
    found = definition(name)
    if found is None:
        raise CheckError(
            f"`{name}` has neither a definition in symbackprop/scalars.py nor a value "
            f"in {type(numbers).__name__}; give its row a definition."
        )
    symbols, right = found
    binding = dict(zip(symbols, arguments, strict=True))
    return calculate(right, numbers, binding.__getitem__, numbers.ndim(arguments[0]))
