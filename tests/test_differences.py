"""Difference formulas: exact on polynomials, of the order told, with honest errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from symbackprop.errors import InputError
from symbackprop.witnesses.differences import (
    EPS,
    FORMULAS,
    Formula,
    coefficients,
    complex_step,
    gradient,
    noise,
    one_sided,
    richardson,
    slope,
)

ORDERS = {"forward difference": 1, "central difference": 2, "five-point stencil": 4}
EACH = pytest.mark.parametrize("formula", FORMULAS.values(), ids=lambda f: f.name)


def wrong_monomials(formula: Formula) -> list[int]:
    """The powers up to p whose slope the formula does not give exactly."""
    x, v = np.array([Fraction(3, 7)]), np.array([Fraction(1)])
    step = Fraction(1, 5)
    found = []
    for n in range(formula.order + 1):
        wanted = n * Fraction(3, 7) ** (n - 1) if n else 0

        def monomial(x: Any, n: int = n) -> Any:
            return x[0] ** n

        if slope(monomial, x, v, formula, step) != wanted:
            found.append(n)
    return found


def measured_order(formula: Formula) -> float:
    """The exponent of the error of sin'(1), in 60 digits."""
    context = mpmath.MPContext()
    context.dps = 60
    x, v = np.array([context.mpf(1)]), np.array([context.mpf(1)])
    errors = [
        abs(slope(lambda x: context.sin(x[0]), x, v, formula, h) - context.cos(1))
        for h in (context.mpf(10) ** -5, context.mpf(10) ** -6)
    ]
    return float(context.log(errors[0] / errors[1], 10))


@EACH
def test_orders_are_those_of_the_textbooks(formula: Formula) -> None:
    assert formula.order == ORDERS[formula.name]
    assert formula.evaluations == len(formula.offsets)


@EACH
def test_polynomials_up_to_the_order_are_exact(formula: Formula) -> None:
    assert wrong_monomials(formula) == []


@EACH
def test_wrong_coefficient_is_found(formula: Formula) -> None:
    first, *others = formula.coefficients
    planted = replace(formula, coefficients=(first + Fraction(1, 100), *others))
    honest = formula.order
    assert [n for n in wrong_monomials(planted) if n <= honest]


@EACH
def test_error_sinks_with_the_order_told(formula: Formula) -> None:
    assert measured_order(formula) == pytest.approx(formula.order, rel=0.01)


@EACH
def test_leading_term_of_the_error_is_the_constant(formula: Formula) -> None:
    p = formula.order
    x, v, h = np.array([Fraction(0)]), np.array([Fraction(1)]), Fraction(1, 9)
    # The derivative p+1 of x^(p+1) is (p+1)!, and no higher one is there.
    error = slope(lambda x: x[0] ** (p + 1), x, v, formula, h)
    assert error == formula.constant * math.factorial(p + 1) * h**p


@EACH
def test_best_step_is_the_least_of_the_theory(formula: Formula) -> None:
    best = formula.best_step(derivative=3.0, noise=1e-14)
    least = formula.theory(best, 3.0, 1e-14)
    assert least < formula.theory(1.1 * best, 3.0, 1e-14)
    assert least < formula.theory(best / 1.1, 3.0, 1e-14)
    assert best == pytest.approx(1e-14 ** (1 / (1 + formula.order)), rel=5)


def test_one_sided_offsets_of_any_number() -> None:
    made = Formula("three points ahead", (0, 1, 2), coefficients((0, 1, 2)))
    assert made.coefficients == (Fraction(-3, 2), Fraction(2), Fraction(-1, 2))
    assert made.order == 2
    assert wrong_monomials(made) == []


@EACH
def test_gradient_counts_and_is_near(
    formula: Formula, rng: np.random.Generator
) -> None:
    calls = []

    def f(x: Any) -> float:
        calls.append(1)
        return float(np.exp(x[0]) * np.sin(x[1]) + x[2] ** 3)

    x = np.array([0.3, 1.1, 2e3])
    truth = np.array([np.exp(0.3) * np.sin(1.1), np.exp(0.3) * np.cos(1.1), 3 * 2e3**2])
    found = gradient(f, x, formula)
    assert len(calls) == 3 * formula.evaluations
    scale = np.array([8e9, 8e9, 8e9 / 2e3])  # |f| over the step's unit
    allowed = 30 * formula.theory(formula.best_step(), 6 * 2e3) * scale
    assert (np.abs(found - truth) < allowed).all()
    some = gradient(f, x, formula, step=1e-3, coordinates=[2, 0])
    assert some.shape == (2,)
    assert some[0] == pytest.approx(truth[2], rel=2e-3)
    with pytest.raises(InputError, match=r"flat vector.*reshape"):
        gradient(f, np.ones((2, 2)), formula)


FUNCTIONS: list[tuple[Callable[[Any], Any], Callable[[Any], Any], float]] = [
    (mpmath.sin, mpmath.cos, 0.0),
    (mpmath.sin, mpmath.cos, 1e4),
    (mpmath.exp, mpmath.exp, 3.0),
    (mpmath.exp, mpmath.exp, -40.0),
    (mpmath.tanh, lambda x: mpmath.sech(x) ** 2, 0.5),
    (mpmath.tanh, lambda x: mpmath.sech(x) ** 2, 9.0),
    (mpmath.log, lambda x: 1 / x, 1e-8),
    (mpmath.log, lambda x: 1 / x, 1e8),
    (mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)), 2.0),
    (lambda x: 1 / x, lambda x: -1 / x**2, -1e-3),
    (lambda x: x**3 - x, lambda x: 3 * x**2 - 1, 0.7),
    (lambda x: 1e8 + x, lambda x: mpmath.mpf(1), 0.7),
    (lambda x: mpmath.sin(300 * x), lambda x: 300 * mpmath.cos(300 * x), 0.1),
    # Steps above 1e-4 do not see the bump at all.
    (
        lambda x: x * mpmath.exp(-((1e4 * x) ** 2)),
        lambda x: mpmath.exp(-((1e4 * x) ** 2)) * (1 - 2 * (1e4 * x) ** 2),
        0.0,
    ),
    # A corner close to x.
    (lambda x: abs(x - 1e-5), lambda x: mpmath.sign(x - 1e-5), 0.0),
]


@pytest.mark.parametrize("case", range(len(FUNCTIONS)))
@pytest.mark.parametrize("estimate", [richardson, one_sided])
def test_estimated_error_bounds_the_true_one(case: int, estimate: Any) -> None:
    f, derivative, at = FUNCTIONS[case]

    def real(x: Any) -> float:
        found = f(mpmath.mpf(x[0]))
        return float(found) if isinstance(found, mpmath.mpf) else math.nan

    value, error = estimate(real, np.array([at]), np.ones(1))
    truth = float(derivative(mpmath.mpf(at)))
    assert abs(value - truth) <= error
    assert error <= 3e-6 * max(abs(truth), 1.0)


@pytest.mark.parametrize("at", [1.0, 0.03])
def test_extrapolation_is_far_better_than_its_formula(at: float) -> None:
    x, v = np.array([at]), np.ones(1)
    central = FORMULAS["central difference"]
    plain = slope(lambda x: np.sin(x[0]), x, v, central, central.best_step())
    value, error = richardson(lambda x: np.sin(x[0]), x, v)
    assert abs(value - np.cos(at)) <= error < 1e-12
    assert error < abs(plain - np.cos(at)) / 10


def test_sides_of_a_corner_differ() -> None:
    x, v = np.zeros(1), np.ones(1)

    def bent(x: Any) -> float:
        return float(np.exp(x[0]) - 1 if x[0] > 0 else 3 * np.sin(x[0]))

    right, left = one_sided(bent, x, v), one_sided(bent, x, -v)
    assert abs(right[0] - 1) <= right[1] < 1e-10
    assert abs(left[0] + 3) <= left[1] < 1e-10


def test_no_value_around_x_gives_no_slope() -> None:
    value, error = richardson(lambda x: math.nan, np.zeros(1), np.ones(1))
    assert math.isnan(value)
    assert error == math.inf


def test_noise_is_what_was_put_in(rng: np.random.Generator) -> None:
    found = [
        noise(lambda x: np.sin(x[0]) + 1e-9 * rng.normal(), np.ones(1), np.ones(1))
        for _ in range(50)
    ]
    assert np.mean(found) == pytest.approx(1e-9, rel=0.2)
    clean = noise(lambda x: np.sin(x[0]), np.ones(1), np.ones(1))
    assert EPS / 100 < clean < 2 * EPS


def test_noise_widens_the_error(rng: np.random.Generator) -> None:
    def rough(x: Any) -> float:
        return float(np.sin(x[0]) + 1e-9 * rng.uniform(-1, 1))

    for _ in range(20):
        value, error = richardson(rough, np.ones(1), np.ones(1))
        assert abs(value - np.cos(1)) <= error < 1e-5


def test_complex_step_loses_nothing() -> None:
    found = complex_step(lambda x: np.exp(x[0]) * x[1], np.array([1.0, 2.0]), [1, 3])
    assert found == pytest.approx(5 * np.e, rel=4 * EPS)
    wrong = complex_step(lambda x: abs(x[0]), np.array([1.0]), [1])
    assert wrong == 0  # not analytic: the caller holds it against differences
