"""Slopes are derived and proved, stable forms equal what they replace."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Rational

from symbackprop.equations import replaced
from symbackprop.exponentials import near_one, stable
from symbackprop.rewrites import slope, through_saved
from symbackprop.scalars import (
    CONDITIONS,
    TABLE,
    erfc,
    exp,
    expm1,
    log,
    log1p,
    logistic,
    maximum,
    negation,
    softplus,
    tanh,
    where,
)
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.numbers import PRECISE

x, y, z = sympy.symbols("x y z")
ROWS = [(name, k) for name, row in TABLE.items() for k in range(1, row.arity + 1)]


def precisely(expression, values):
    """An expression at a point, to 50 digits."""
    arrays = {symbol: PRECISE.array([value]) for symbol, value in values.items()}
    return calculate(expression, PRECISE, lambda atom: arrays[atom])[0]


def points(row, rng):
    low = 0.1 if row.name in ("log", "log1p", "sqrt", "power") else -4.0
    return [rng.uniform(low, 4.0, size=row.arity) for _ in range(20)]


@pytest.mark.parametrize(("name", "k"), ROWS)
def test_slope_is_the_difference_quotient_of_the_definition(name, k, rng):
    row = TABLE[name]
    symbols, derived = slope(name, k)
    definition = (row.definition or row.call)(*symbols)
    for point in points(row, rng):
        values = {s: mpmath.mpf(float(v)) for s, v in zip(symbols, point, strict=True)}
        with mpmath.workdps(50):
            step = mpmath.mpf(10) ** -20
            above = precisely(
                definition, {**values, symbols[k - 1]: values[symbols[k - 1]] + step}
            )
            below = precisely(
                definition, {**values, symbols[k - 1]: values[symbols[k - 1]] - step}
            )
            quotient = (above - below) / (2 * step)
            assert abs(precisely(derived, values) - quotient) < 1e-25


@pytest.mark.parametrize("name", [n for n, r in TABLE.items() if r.stable])
def test_stable_form_equals_the_definition(name, rng):
    row = TABLE[name]
    symbols = sympy.symbols("x r q")[: row.arity]
    for point in points(row, rng):
        values = {s: mpmath.mpf(float(v)) for s, v in zip(symbols, point, strict=True)}
        with mpmath.workdps(50):
            difference = precisely(row.stable(*symbols), values) - precisely(
                row.definition(*symbols), values
            )
            assert abs(difference) < 1e-45


def test_slopes_through_the_own_value():
    (s,), formula = slope("logistic")
    assert formula == logistic(s) * (1 - logistic(s))
    assert slope("tanh")[1] == 1 - tanh(s) ** 2
    assert slope("softplus")[1] == logistic(s)
    assert slope("expm1")[1] == exp(s)


def test_hard_functions_are_the_tangents_at_zero():
    for soft, hard, line in (
        ("logistic", "hard_logistic", x / 4 + Rational(1, 2)),
        ("tanh", "hard_tanh", x),
    ):
        definition = TABLE[hard].definition(x)
        assert isinstance(definition, where)
        assert definition.args[2].args[2] == line
        soft_definition = TABLE[soft].definition(x)
        assert soft_definition.subs(x, 0) == line.subs(x, 0)
        assert soft_definition.diff(x).subs(x, 0) == line.diff(x)


def identically_zero(expression):
    """Exact: as a rational function of u = exp(x)."""
    opened = expression.replace(logistic, lambda t: 1 / (1 + exp(-t)))
    opened = opened.replace(tanh, lambda t: (exp(t) - exp(-t)) / (exp(t) + exp(-t)))
    u = sympy.Symbol("u", positive=True)
    opened = opened.replace(exp, lambda t: u ** sympy.cancel(t / x))
    return sympy.cancel(sympy.together(opened)) == 0


def test_identities_are_proved():
    assert identically_zero(tanh(x) - (2 * logistic(2 * x) - 1))
    assert identically_zero(TABLE["softplus"].definition(x).diff(x) - logistic(x))
    assert identically_zero(logistic(-x) - (1 - logistic(x)))
    assert identically_zero(
        logistic(x)
        .diff(x)
        .replace(
            lambda e: e.func.__name__ == "slope_logistic_1",
            lambda e: slope("logistic")[1].xreplace(
                {slope("logistic")[0][0]: e.args[0]}
            ),
        )
        - TABLE["logistic"].definition(x).diff(x)
    )
    assert not identically_zero(tanh(x) - (2 * logistic(x) - 1))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1 / (1 + exp(-x)), logistic(x)),
        (exp(x) / (1 + exp(x)), logistic(x)),
        (1 / (1 + exp(x)), logistic(-x)),
        ((exp(x) - exp(-x)) / (exp(x) + exp(-x)), tanh(x)),
        ((1 - exp(-2 * x)) / (1 + exp(-2 * x)), tanh(x)),
        (exp(x) / (1 + exp(x)) ** 2, (1 - logistic(x)) * logistic(x)),
        (y / (1 + exp(-x)), y * logistic(x)),
        (1 / (1 + exp(-x - z)), logistic(x + z)),
        (log(1 + exp(x)), softplus(x)),
        (log(1 / (1 + exp(-x))), -softplus(-x)),
        (log(1 - logistic(x)), -softplus(x)),
        (log(logistic(x)), -softplus(-x)),
        (exp(x) - 1, expm1(x)),
        (y * (exp(x) - 1), y * expm1(x)),
        (log((exp(x) + exp(-x)) / 2), softplus(2 * x) - x - log(2)),
        (log1p(exp(x)), softplus(x)),
        (log(exp(x) + exp(y)), x + softplus(y - x)),
        (exp(x) / (exp(x) + exp(y)), logistic(x - y)),
        (z / (exp(x) + exp(y)), z * exp(-x - softplus(y - x))),
        (exp(x) / 2, exp(x) / 2),
        (x + y, x + y),
    ],
)
def test_stable_forms(written, expected):
    assert stable(written) == expected


def test_log_near_one_comes_last():
    assert stable(log(1 + x)) == log(1 + x)
    assert near_one(log(1 + x)) == log1p(x)


@pytest.mark.parametrize("scale", [Rational(1, 3), 2, 5])
def test_stable_form_is_equal_at_random_points(scale, rng):
    written = (3 + exp(scale * x)) / (2 + 5 * exp(scale * x)) + log(
        4 + 6 * exp(-x * scale)
    )
    rewritten = stable(written)
    assert rewritten != written
    for value in rng.normal(size=5):
        with mpmath.workdps(50):
            at = {x: mpmath.mpf(float(value))}
            assert abs(precisely(written, at) - precisely(rewritten, at)) < 1e-45


def test_saved_values_add_no_pole():
    assert through_saved(-x / y**2, x / y, z) == -z / y
    assert through_saved(1 - tanh(x) ** 2, tanh(x), z) == 1 - z**2
    assert through_saved(3 * x**2, x**3, z) == 3 * x**2
    assert through_saved(1 / (2 * sympy.sqrt(x)), sympy.sqrt(x), z) == 1 / (2 * z)


def test_conditions_and_erfc_are_left_alone():
    for condition in CONDITIONS:
        arguments = (x, y)[: condition.nargs.args[0]]
        assert stable(condition(*arguments)) == condition(*arguments)
    assert erfc(-x).args == (-x,)


def test_replacement_visits_equal_parts_once() -> None:
    """A tower of 60 steps that each use the one below twice has 2**60 paths."""
    x, y = sympy.Symbol("x"), sympy.Symbol("y")
    tower = x
    for _ in range(60):
        tower = maximum(tower, negation(tower))
    found = replaced(tower, {x: y})
    assert found.func is maximum
    assert found.args[1].args[0] is found.args[0]
