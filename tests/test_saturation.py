"""Saturation: bounds of slopes, and what they make of an error on its way back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy
from sympy import Rational, oo

import symbackprop as sb
from symbackprop.document.account import Account
from symbackprop.document.chapter import Equations, Paragraph, Table
from symbackprop.document.saturation import saturation as section
from symbackprop.elementary.saturation import Stretch, hold, saturation
from symbackprop.passages import activations, chains, passages
from symbackprop.scalars import (
    ACTIVATIONS,
    TABLE,
    Row,
    absolute,
    maximum,
    minimum,
    symbol,
)

R = sympy.Symbol("r")


def point(at: object) -> tuple[Stretch, ...]:
    return (Stretch(sympy.sympify(at), sympy.sympify(at)),)


EXACT = {
    "logistic": (Rational(1, 4), point(0), (0, 0)),
    "tanh": (1, point(0), (0, 0)),
    "softplus": (1, point(oo), (0, 1)),
    "hard_logistic": (Rational(1, 4), (Stretch(-2, 2),), (0, 0)),
    "hard_tanh": (1, (Stretch(-1, 1),), (0, 0)),
    "relu": (1, (Stretch(0, oo),), (0, 1)),
    "leaky_relu": (1, (Stretch(0, oo),), (Rational(1, 100), 1)),
    "elu": (1, (Stretch(0, oo),), (0, 1)),
    "identity": (1, (Stretch(-oo, oo),), (1, 1)),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_bound(name: str) -> None:
    found = saturation(name)
    assert found.exact
    assert (found.bound, found.attained, found.limits) == EXACT[name]


@pytest.mark.parametrize(
    ("name", "bound", "at"),
    [("swish", 1.0998393201, 2.3993573), ("gelu", 1.1289041452, 2**0.5)],
)
def test_numerical_bound(name: str, bound: float, at: float) -> None:
    found = saturation(name)
    assert not found.exact
    assert float(found.bound) == pytest.approx(bound, abs=1e-9)
    assert float(found.attained[0].low) == pytest.approx(at, abs=1e-6)
    assert found.limits == (0, 1)


def test_every_activation_has_a_bound() -> None:
    assert all(saturation(name).bound >= Rational(1, 4) for name in EXACT)
    for name in ACTIVATIONS:
        saturation(name)


def test_what_is_learnt_stays_in_the_bound() -> None:
    assert saturation("prelu").bound == maximum(1, absolute(R))
    assert saturation("prelu").limits == (R, 1)
    assert saturation("elu", (R,)).bound == maximum(1, absolute(R))
    assert saturation("elu", (Rational(3),)).bound == 3


def test_where_the_slope_is_small() -> None:
    assert float(saturation("logistic").small_from) == pytest.approx(4.585, abs=1e-3)
    assert float(saturation("tanh").small_until) == pytest.approx(-2.993, abs=1e-3)
    assert saturation("relu").small_until == 0
    assert saturation("hard_logistic").small_from == 2
    assert saturation("leaky_relu").small_until is None


@pytest.mark.parametrize("name", [*EXACT, "swish", "gelu", "prelu"])
@pytest.mark.parametrize("factor", [Rational(999, 1000), Rational(1001, 1000), 2])
def test_a_wrong_bound_is_refused(name: str, factor: Rational) -> None:
    found = saturation(name)
    wrong = found.bound * factor
    if name == "prelu":
        wrong = maximum(factor, factor * absolute(R))
    with pytest.raises(sb.CheckError, match=f"{name}: its slope was bounded"):
        hold(replace(found, bound=wrong))


OWN = {
    "softsign": (lambda x: x / (1 + absolute(x)), 1, False),
    "steep": (lambda x: 1 / (1 + sympy.exp(-2 * x)), Rational(1, 2), True),
    "bell": (lambda x: sympy.exp(-(x**2)), 0.8577638849607068, False),
    "explosive": (lambda x: sympy.exp(x), oo, True),
    "root": (lambda x: sympy.sqrt(x), oo, False),
    "pole": (lambda x: sympy.log(1 + x), oo, False),
    "sine": (lambda x: sympy.sin(x), 1, False),
    "gate": (lambda x: x * minimum(maximum(x + 3, 0), 6) / 6, 1.5, False),
    "wave": (lambda x: sympy.sin(x) * sympy.exp(-x), oo, False),
}


@pytest.mark.parametrize("name", OWN)
def test_an_added_row_is_bounded(name: str, monkeypatch) -> None:
    definition, bound, exact = OWN[name]
    monkeypatch.setitem(TABLE, name, Row(name, symbol(name, 1), definition))
    found = saturation(name)
    assert found.exact == exact
    assert found.bound == bound or abs(found.bound - bound) < 1e-12


# --- networks ------------------------------------------------------------------------


def network(*names: str) -> Account:
    made = sb.Network(
        inputs=3,
        layers=[*(sb.Dense(4, name) for name in names), sb.Dense(2, "softmax")],
        loss="cross_entropy",
        name="deep",
    )
    return Account(sb.derive(made), "en")


def found_in(account: Account) -> list[tuple[str, str, str]]:
    found = passages(account.derivation, account.pre_activations)
    return [(p.before, p.weights, p.after) for p in found]


def test_layers_are_found_by_their_equations() -> None:
    account = network("logistic", "tanh")
    assert found_in(account) == [("z1", "W2", "z2"), ("z2", "W3", "z3")]
    found = passages(account.derivation, account.pre_activations)
    assert [len(chain) for chain in chains(found)] == [2]


def test_names_do_not_matter() -> None:
    program = sb.Program(
        equations="""
            p[i] = sum(A[i, j] * u[j], j)
            q[i] = logistic(p[i])
            s[k] = c[k] + sum(q[i] * B[k, i], i)
            L = sum(s[k]**2, k)
        """,
        axes={"i": 2, "j": 3, "k": 4},
        parameters={"A": "i j", "B": "k i", "c": "k"},
        data={"u": "j"},
        objective="L",
    )
    assert found_in(Account(sb.derive(program), "en")) == [("p", "B", "s")]


@pytest.mark.parametrize(
    "following",
    [
        "s[k] = sum(q[i] * B[k, i], i) + sum(q[m], m)",  # a is read twice
        "s[k] = sum(q[i] * B[k, i] * p[i], i)",  # so is z
        "s[k] = sum(q[i] * B[k, i], i) * q[0]",  # not W a
        "s[k] = sum(q[i] * B[i, k], i)",  # W transposed
    ],
)
def test_other_equations_are_no_such_layer(following: str) -> None:
    program = sb.Program(
        equations=f"""
            p[i] = sum(A[i, j] * u[j], j)
            q[i] = logistic(p[i])
            {following}
            L = sum(s[k]**2, k)
        """,
        axes={"i": 2, "j": 3, "k": 2, "m": 2},
        parameters={"A": "i j", "B": "k i"},
        data={"u": "j"},
        objective="L",
    )
    account = Account(sb.derive(program), "en")
    assert found_in(account) == []
    assert list(activations(account.derivation, account.pre_activations)) == ["q"]
    assert not any(isinstance(b, Equations) for b in section(account).blocks)


def text(account: Account) -> str:
    return " ".join(
        part if isinstance(part, str) else getattr(part, "latex", "")
        for block in section(account).blocks
        if isinstance(block, Paragraph)
        for part in block.text
    )


def products(account: Account) -> list[str]:
    return [
        row.latex
        for block in section(account).blocks
        if isinstance(block, Equations)
        for row in block.rows
    ]


def test_the_product_over_depth() -> None:
    account = network(*["logistic"] * 5)
    assert products(account)[-1] == (
        r"\lVert \boldsymbol{\delta}^{(1)} \rVert \le \bigl(\tfrac{1}{4}\bigr)^{5}\, "
        r"\lVert \mathbf{W}^{(2)} \rVert\, \lVert \mathbf{W}^{(3)} \rVert\, \cdots\, "
        r"\lVert \mathbf{W}^{(6)} \rVert\, \lVert \boldsymbol{\delta}^{(6)} \rVert"
    )
    assert "0.00098" in text(account)
    assert "vanishes" in text(account)


def test_relus_do_not_shrink() -> None:
    account = network("relu", "relu")
    assert "tfrac" not in " ".join(products(account))
    assert "without shrinking" in text(account)
    assert "vanishes" not in text(account)


def test_a_learnt_slope_is_bounded_over_its_units() -> None:
    shown = products(network("prelu", "relu"))[1]
    assert r"\max_{i_{1}} \max\bigl(1, " in shown
    assert r"r^{(1)}_{i_{1}}" in shown


def test_no_activation_no_section() -> None:
    assert section(network()).blocks == ()
    table = section(network("tanh")).blocks[1]
    assert isinstance(table, Table)
    assert len(table.rows) == 1


def test_bounds_hold_for_the_errors_of_a_network(rng) -> None:
    import numpy as np

    from symbackprop.witnesses.evaluate import evaluate

    account = network("logistic", "tanh", "swish")
    system = account.derivation.system
    shapes = {t.name: system.shape(t.name) for t in system.parameters}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    values |= {"x": rng.normal(size=(1, 3)), "y": np.array([[1.0, 0.0]])}
    known = evaluate(system, values)
    for p in passages(account.derivation, account.pre_activations):
        here, there = (np.linalg.norm(known[f"delta_{z}"]) for z in (p.before, p.after))
        bound = float(p.applied.saturation.bound)
        assert here <= bound * np.linalg.norm(values[p.weights], 2) * there
