"""The table of scalar functions: one row each, and no derivative anywhere.

A row gives a function's definition in simpler functions, the form in which it is
computed without overflow or cancellation, and what it does at its kinks. Its slope is
derived from the definition. To add an elementwise activation, add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy
from sympy import Expr, Function, Rational

Builder = Callable[..., Expr]


class ScalarFunction(Function):
    """A function of the table, opaque to SymPy: never expanded nor evaluated.

    Its derivative is the opaque `slope_<name>_<k>`, k counted from 1, which
    `rewrites.slope` later replaces by the formula derived from the definition.
    """

    @classmethod
    def eval(cls, *arguments: Expr) -> Expr | None:
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        name = self.func.__name__
        if name in PIECEWISE:
            definition = TABLE[name].definition
            assert definition is not None
            places = [sympy.Dummy() for _ in self.args]
            derived = definition(*places).diff(places[argindex - 1])
            return derived.xreplace(dict(zip(places, self.args, strict=True)))
        return symbol(f"slope_{name}_{argindex}", len(self.args))(*self.args)


class where(ScalarFunction):  # noqa: N801 - a function's name, as the grammar has it
    """`where(condition, a, b)`: a choice, whose slope is the choice of the slopes."""

    nargs = 3

    @classmethod
    def eval(cls, condition: Expr, a: Expr, b: Expr) -> Expr | None:
        return a if a == b else None

    def _eval_derivative(self, variable: Expr) -> Expr:
        condition, a, b = self.args
        return where(condition, a.diff(variable), b.diff(variable))


@cache
def symbol(name: str, arity: int) -> type[ScalarFunction]:
    """The SymPy function class called `name`: one class for each name."""
    return type(name, (ScalarFunction,), {"nargs": arity, "__module__": __name__})


# A condition is an expression that is true or false.
less = symbol("less", 2)
less_equal = symbol("less_equal", 2)
equal = symbol("equal", 2)
both = symbol("both", 2)
either = symbol("either", 2)
negation = symbol("negation", 1)

PIECEWISE = ("abs", "sign", "maximum", "minimum")  # rational, but for their kinks
CONDITIONS = (less, less_equal, equal, both, either, negation)

exp, log, sqrt, sin, cos = sympy.exp, sympy.log, sympy.sqrt, sympy.sin, sympy.cos
tanh, erf = sympy.tanh, sympy.erf
erfc = symbol("erfc", 1)  # SymPy's own turns erfc(-x) into 2 - erfc(x), which cancels
log1p = symbol("log1p", 1)
expm1 = symbol("expm1", 1)
absolute = symbol("abs", 1)
sign = symbol("sign", 1)
maximum = symbol("maximum", 2)
minimum = symbol("minimum", 2)
logistic = symbol("logistic", 1)
softplus = symbol("softplus", 1)
power = symbol("power", 2)


@dataclass(frozen=True)
class Row:
    """One scalar function.

    Attributes:
        name: its name in the grammar.
        call: builds the SymPy expression; also the function's constructor.
        definition: what it is, in functions above it in the table. None for an
            elementary function, whose slope SymPy knows.
        stable: an equal form that is computed; None: `primitive` or the definition.
        primitive: whether NumPy and mpmath have the function under this name.
        arity: the number of arguments.
        defaults: values for arguments that may be left out, from the last.
        kinks: the convention where the slope jumps, for the document; "" for none.
        activation: whether a layer may name it as its activation.
        learnable: initial values of the arguments that a layer learns for each
            neuron, after the first argument.
        range: the interval of its values in LaTeX, for the document.
    """

    name: str
    call: Builder
    definition: Builder | None = None
    stable: Builder | None = None
    primitive: bool = False
    arity: int = 1
    defaults: tuple[Rational, ...] = ()
    kinks: str = ""
    activation: bool = False
    learnable: tuple[float, ...] = ()
    range: str = r"(-\infty, \infty)"


def _tangent_at_zero(row: str) -> Builder:
    """The first-order Taylor expansion at 0 of a row's definition."""

    def build(x: Expr) -> Expr:
        t = sympy.Dummy("t")
        definition = TABLE[row].definition
        assert definition is not None
        value = definition(t)
        return value.subs(t, 0) + value.diff(t).subs(t, 0) * x

    return build


def _clipped(row: str, low: int, high: int) -> Builder:
    """The tangent at 0 cut off at `low` and `high`, flat from its corners on."""
    line = _tangent_at_zero(row)

    def build(x: Expr) -> Expr:
        z = line(x)
        return where(less_equal(z, low), low, where(less_equal(high, z), high, z))

    return build


def _rows() -> list[Row]:
    def named(name: str, definition: Builder, **more: Any) -> Row:
        return Row(name, symbol(name, more.get("arity", 1)), definition, **more)

    def elementary(name: str, call: Builder, **more: Any) -> Row:
        return Row(name, call, primitive=True, **more)

    one_hundredth = Rational(1, 100)
    return [
        elementary("exp", exp, range=r"(0, \infty)"),
        elementary("log", log),
        elementary("sqrt", sqrt, range=r"[0, \infty)"),
        elementary("sin", sin, range="[-1, 1]"),
        elementary("cos", cos, range="[-1, 1]"),
        elementary("erf", erf, range="(-1, 1)"),
        named("erfc", lambda x: 1 - erf(x), primitive=True, range="(0, 2)"),
        named("log1p", lambda x: log(1 + x), primitive=True),
        named("expm1", lambda x: exp(x) - 1, primitive=True, range=r"(-1, \infty)"),
        named(
            "sign",
            lambda x: where(less(x, 0), -1, where(less(0, x), 1, 0)),
            primitive=True,
            kinks="sign'(0) = 0",
            range=r"\{-1, 0, 1\}",
        ),
        named(
            "abs",
            lambda x: where(less(x, 0), -x, where(less(0, x), x, 0)),
            primitive=True,
            kinks="abs'(0) = 0",
            range=r"[0, \infty)",
        ),
        named(
            "maximum",
            lambda a, b: where(less_equal(b, a), a, b),
            primitive=True,
            arity=2,
            kinks="the first argument takes a tie",
        ),
        named(
            "minimum",
            lambda a, b: where(less_equal(a, b), a, b),
            primitive=True,
            arity=2,
            kinks="the first argument takes a tie",
        ),
        named("identity", lambda x: x, activation=True),
        Row(
            "tanh",
            tanh,
            lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
            primitive=True,
            activation=True,
            range="(-1, 1)",
        ),
        named(
            "logistic",
            lambda x: 1 / (1 + exp(-x)),
            stable=lambda x: where(
                less(x, 0),
                exp(-absolute(x)) / (1 + exp(-absolute(x))),
                1 / (1 + exp(-absolute(x))),
            ),
            activation=True,
            range="(0, 1)",
        ),
        named(
            "softplus",
            lambda x: log(1 + exp(x)),
            stable=lambda x: maximum(x, 0) + log1p(exp(-absolute(x))),
            activation=True,
            range=r"(0, \infty)",
        ),
        named(
            "hard_logistic",
            _clipped("logistic", 0, 1),
            activation=True,
            kinks="slope 0 at both corners",
            range="[0, 1]",
        ),
        named(
            "hard_tanh",
            _clipped("tanh", -1, 1),
            activation=True,
            kinks="slope 0 at both corners",
            range="[-1, 1]",
        ),
        named(
            "relu",
            lambda x: where(less_equal(x, 0), 0, x),
            activation=True,
            kinks="relu'(0) = 0",
            range=r"[0, \infty)",
        ),
        named(
            "leaky_relu",
            lambda x, r: where(less(0, x), x, r * x),
            arity=2,
            defaults=(one_hundredth,),
            activation=True,
            kinks="the left slope at 0",
        ),
        named(
            "prelu",
            lambda x, r: where(less(0, x), x, r * x),
            arity=2,
            activation=True,
            learnable=(0.25,),
            kinks="the left slope at 0",
        ),
        named(
            "elu",
            lambda x, r: where(less(0, x), x, r * (exp(x) - 1)),
            stable=lambda x, r: where(less(0, x), x, r * expm1(x)),
            arity=2,
            defaults=(Rational(1),),
            activation=True,
            kinks="the left slope at 0",
            range=r"(-r, \infty)",
        ),
        named(
            "swish",
            lambda x: x * logistic(x),
            activation=True,
            range=r"[-0.278\ldots, \infty)",
        ),
        named(
            "gelu",
            lambda x: x * erfc(-x / sqrt(2)) / 2,
            activation=True,
            range=r"[-0.169\ldots, \infty)",
        ),
        Row("power", power, lambda x, e: x**e, primitive=True, arity=2),
    ]


TABLE: dict[str, Row] = {row.name: row for row in _rows()}

ACTIVATIONS: tuple[str, ...] = tuple(r.name for r in TABLE.values() if r.activation)


def row_of(function: Expr) -> Row | None:
    """The row of an applied function; None for arithmetic, choice and conditions."""
    return TABLE.get(function.func.__name__)
