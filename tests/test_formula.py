"""Formulas read back as the equations that they were written from."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import programs
from sympy import Rational

from symbackprop.equations import Equation, Guard, System, Term
from symbackprop.formula import expression, formula
from symbackprop.program import Program

NAMES: dict[str, Any] = {
    "axes": {"i": 3, "j": 4, "t": 3},
    "parameters": {"W": "i j", "b": "i", "s": "", "r": ""},
    "data": {"x": "j", "y": "i", "token": "t"},
    "constants": {"lam": 0.5},
    "integers": ("token",),
    "objective": "L",
    "name": "written",
}


def program(right: str, left: str = "z[i]") -> Program:
    return Program(equations=f"{left} = {right}\nL = s", **NAMES)


def unplaced(system: System) -> list[Equation]:
    return [replace(equation, line=0) for equation in system.equations]


@pytest.mark.parametrize(
    ("right", "written"),
    [
        ("b[i] + sum(x[j]*W[i,j], j)", "sum(W[i, j]*x[j], j) + b[i]"),
        ("-y[i] + b[i]", "b[i] - y[i]"),
        ("-(b[i] - y[i])", "y[i] - b[i]"),
        ("-b[i] - y[i]", "-b[i] - y[i]"),
        ("1 - b[i]**2", "1 - b[i]**2"),
        ("b[i] - 1", "b[i] - 1"),
        ("b[i]/s", "b[i]/s"),
        ("b[i]/(2*s)", "b[i]/(2*s)"),
        ("lam/(2*(s + r))", "lam/(2*s + 2*r)"),
        ("1/2/(s + r)", "1/(s + r)/2"),
        ("1/sqrt(s)", "1/sqrt(s)"),
        ("s**(2/3)", "s**(2/3)"),
        ("s**-2", "1/s**2"),
        ("s**r**2", "s**(r**2)"),
        ("(s**r)**lam", "(s**r)**lam"),
        ("(-1)**i", "(-1)**i"),
        ("(1/2)**s", "(1/2)**s"),
        ("s + 1e-5", "1e-5 + s"),
        ("0.0025*s", "s/400"),
        ("0.0007*s", "7e-4*s"),
        ("s/3 - 2/7", "s/3 - 2/7"),
        ("exp(1)*s", "exp(1)*s"),
        ("y[i]*lam*2*b[i]", "2*lam*b[i]*y[i]"),
        ("-sum(x[j], j)", "-sum(x[j], j)"),
        ("max(-x[j], j)", "max(-x[j], j)"),
        ("leaky_relu(s)", "leaky_relu(s, 1/100)"),
        ("where(s > r and not i == 0, s, -r)", "where(r < s and i != 0, s, -r)"),
        (
            "where(not (s < 1 or s >= 2) and (i <= 1 or s != r), 1, 0)",
            "where(not (s < 1 or 2 <= s) and (i <= 1 or s != r), 1, 0)",
        ),
        (
            "where(s < 1 and (s < 2 and s < 3), s, 0)",
            "where(s < 1 and (s < 2 and s < 3), s, 0)",
        ),
        ("sum(W[2 - i, j]*x[3 - j], j)", "sum(W[2 - i, j]*x[3 - j], j)"),
        ("lam*(s + r)/2", "lam*(s + r)/2"),
    ],
)
def test_declared_equation_is_written_and_read_back(right: str, written: str) -> None:
    declared = program(right)
    assert formula(declared.equations[0], declared) == f"z[i] = {written}"
    again = program(written)
    assert unplaced(again) == unplaced(declared)


def test_order_follows_declarations_and_never_letters() -> None:
    declared = Program(
        equations="z = sum(q*b[i] + a[i]*c, i)",
        axes={"i": 2},
        parameters={"q": "", "c": ""},
        data={"b": "i", "a": "i"},
        objective="z",
    )
    renamed = Program(
        equations="a = sum(b*q[y] + z[y]*x, y)",
        axes={"y": 2},
        parameters={"b": "", "x": ""},
        data={"q": "y", "z": "y"},
        objective="a",
    )
    assert formula(declared.equations[0], declared) == "z = sum(q*b[i] + c*a[i], i)"
    assert formula(renamed.equations[0], renamed) == "a = sum(b*q[y] + x*z[y], y)"


def test_derived_terms_have_forms_of_their_own() -> None:
    declared = program("s*b[i]")
    i, j, t = (declared.axes[letter].index for letter in "ijt")
    s, b = declared.tensors["s"].read(), declared.tensors["b"]
    token = declared.tensors["token"]
    guard = Guard(i - j, "i")
    equation = Equation(
        "z",
        (i,),
        (
            Term(-s * b.read(i - j), (j,), (guard,)),
            Term(2 * s, average=True),
            Term(s, guards=(Guard(i + 1, "i"),)),
            Term(b.read(t), (t,), target=(token.read(t),), average=True),
        ),
    )
    assert formula(equation, declared) == (
        "z[i] = -sum(b[i - j]*s, j if 0 <= i - j < 3) + batch_mean(2*s) "
        "+ where(0 <= i + 1 < 3, s, 0) ; z[token[t]] += batch_mean(b[t]) over t"
    )
    scattered = Equation("z", (i,), (Term(s, (t,), (guard,), (token.read(t),)),))
    assert formula(scattered, declared) == "z[token[t]] += s over t if 0 <= i - j < 3"
    assert formula(Equation("z", (i,), ()), declared) == "z[i] = 0"
    argmax = Equation("z", (i,), (Term(b.read(i) * s, (j,)),), "argmax")
    assert formula(argmax, declared) == "z[i] = argmax(b[i]*s, j)"
    assert expression(b.read(i) * s, declared) == "b[i]*s"


@given(programs())
@settings(max_examples=60, deadline=None)
def test_random_programs_read_back(declaration: dict[str, Any]) -> None:
    declared = Program(**declaration)
    written = "\n".join(formula(e, declared) for e in declared.equations)
    again = Program(**{**declaration, "equations": written})
    assert unplaced(again) == unplaced(declared)


def _wrap(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    operators = ("({}) + ({})", "({}) - ({})", "({}) * ({})", "({}) / (7 + ({})**2)")
    choices = (
        "where({} < {}, s, r)",
        "where(not {} != {}, 2, b[i])",
        "maximum({}, {})",
    )
    return (
        st.tuples(st.sampled_from(operators + choices), pair).map(
            lambda drawn: drawn[0].format(*drawn[1])
        )
        | st.tuples(
            st.sampled_from(("-({})", "sqrt({})", "({})**2", "({})**-3", "tanh({})")),
            inner,
        ).map(lambda drawn: drawn[0].format(drawn[1]))
        | st.tuples(st.sampled_from(("sum", "mean", "max", "min")), inner).map(
            lambda drawn: f"{drawn[0]}(({drawn[1]}) * x[j], j)"
        )
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(
        ("s", "r", "b[i]", "y[i]", "lam", "i", "2", "0.125", "1e-4", "1/3")
    ),
    _wrap,
    max_leaves=6,
)


@given(EXPRESSIONS)
@settings(max_examples=150, deadline=None)
def test_random_expressions_read_back(right: str) -> None:
    try:
        declared = program(f"7 + {right}" if "j)" not in right else right)
    except ValueError:  # a nested sum over j, a root of a negative number
        return
    written = "\n".join(formula(e, declared) for e in declared.equations)
    again = Program(equations=written, **NAMES)
    assert unplaced(again) == unplaced(declared)


@given(st.fractions(-(10**6), 10**6, max_denominator=10**6))
def test_numbers_are_exact(number: Fraction) -> None:
    declared = program(f"s + {number.numerator}/{number.denominator}")
    written = formula(declared.equations[0], declared)
    again = Program(equations=f"{written}\nL = s", **NAMES)
    assert unplaced(again) == unplaced(declared)
    body = again.equations[0].terms[0].body
    assert body.as_coeff_Add()[0] == Rational(number.numerator, number.denominator)
