"""Derivatives in steps: what is said of each function, and whether it is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import mpmath
import pytest
import sympy
from sympy import Expr, cos, exp, sin

import symbackprop as sb
from symbackprop.document.account import Account
from symbackprop.document.activations import function, functions
from symbackprop.document.chapter import Equations
from symbackprop.elementary import derive, steps
from symbackprop.elementary.corners import chord, corners, pieces, solve_conditions
from symbackprop.scalars import (
    TABLE,
    Row,
    absolute,
    less,
    less_equal,
    logistic,
    maximum,
    softplus,
    symbol,
    tanh,
    where,
)
from symbackprop.witnesses.limits import hold, value

X, R = sympy.symbols("x r")

CASES = [
    (row.name, place)
    for row in TABLE.values()
    if row.definition is not None and row.name != "power"
    for place in range(1, row.arity + 1)
]

# Rows that a user might add.
OWN: dict[str, Callable[[Expr], Expr]] = {
    "softsign": lambda x: x / (1 + absolute(x)),
    "mish": lambda x: x * tanh(softplus(x)),
    "damped": lambda x: sin(x) * exp(-x),
    "steep": lambda x: 1 / (1 + exp(-2 * x)),
    "bell": lambda x: exp(-(x**2)),
    "hyperbola": lambda x: sympy.sqrt(1 + x**2),
    "celu": lambda x: maximum(0, x) + TABLE["minimum"].call(0, exp(x) - 1),
    "silu": lambda x: x / (1 + exp(-x)),
    "centred": lambda x: 2 * logistic(2 * x) - 1,
    "cubed": lambda x: tanh(x) ** 3,
    "tower": lambda x: (1 + x**2) ** x,
    "squared_relu": lambda x: where(less_equal(x, 0), 0, x**2),
}


def add(monkeypatch: pytest.MonkeyPatch, name: str, **more: object) -> Row:
    row = Row(name, symbol(name, 1), OWN[name], **more)
    monkeypatch.setitem(TABLE, name, row)
    return row


def rights(name: str, place: int = 1) -> list[str]:
    return [str(line.right) for line in steps(name, place).lines]


# --- every line ----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "place"), CASES)
def test_every_line_holds(name: str, place: int) -> None:
    found = steps(name, place)
    assert found.lines[0].rules == ("definition",)
    assert not any("derivative(" in str(line.right) for line in found.lines[-1:])
    assert len(found.lines) < 8


@pytest.mark.parametrize("name", OWN)
def test_every_line_of_an_added_row_holds(name: str, monkeypatch) -> None:
    add(monkeypatch, name)
    found = steps(name)
    assert "derivative(" not in str(found.slope)
    assert "slope_" not in str(found.slope)


BUGS: dict[str, Callable[[Expr], Expr]] = {
    "flipped sign": lambda e: -e,
    "lost factor": lambda e: e / 2,
    "lost term": lambda e: e + sympy.Rational(1, 10**9),
    "wrong argument": lambda e: e.xreplace({X: X + sympy.Rational(1, 1000)}),
}


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("name", ["logistic", "tanh", "softplus", "swish", "gelu"])
def test_a_planted_mistake_is_refused_in_each_line(name: str, bug: str) -> None:
    found = derive(TABLE[name])
    for line in found.lines:
        if "derivative(" in str(line.right) and bug == "wrong argument":
            continue
        wrong = BUGS[bug](line.right)
        with pytest.raises(sb.CheckError, match=f"{name}: the line"):
            hold(name, found.arguments, found.argument, line.left, wrong)


def test_a_mistake_in_one_case_is_refused() -> None:
    found = derive(TABLE["elu"])
    line = replace(found.lines[-1], right=where(less(0, X), 1, R * exp(-X)))
    with pytest.raises(sb.CheckError, match="does not hold"):
        hold("elu", found.arguments, found.argument, line.left, line.right)


def test_a_wrong_slope_of_another_function_is_refused(monkeypatch) -> None:
    from symbackprop.elementary import rules

    monkeypatch.setitem(OWN, "mish", lambda x: x * tanh(softplus(x)) + 1)
    add(monkeypatch, "mish")
    right = rules.slope
    wrong = (X,), 1 - tanh(X)
    monkeypatch.setattr(
        rules, "slope", lambda name, k=1: wrong if name == "tanh" else right(name, k)
    )
    with pytest.raises(sb.CheckError, match="mish: the line"):
        steps("mish")


def test_a_function_without_values_cannot_be_checked(monkeypatch) -> None:
    monkeypatch.setitem(OWN, "nowhere", lambda x: sympy.log(-1 - x**2))
    add(monkeypatch, "nowhere")
    with pytest.raises(sb.CheckError, match="a value at only"):
        steps("nowhere")


# --- which lines ---------------------------------------------------------------------


def test_logistic_is_told_as_in_a_textbook() -> None:
    assert rights("logistic") == [
        "1/(1 + exp(-x))",
        "-derivative(1 + exp(-x), x)/(1 + exp(-x))**2",
        "exp(-x)/(1 + exp(-x))**2",
        "(exp(-x)/(1 + exp(-x)))/(1 + exp(-x))",
        "(1 - logistic(x))*logistic(x)",
    ]
    assert [line.rules for line in steps("logistic").lines] == [
        ("definition",),
        ("quotient rule",),
        ("chain rule",),
        ("rearranged",),
        ("through its own value",),
    ]


def test_others_end_in_their_shortest_form(monkeypatch) -> None:
    assert rights("tanh")[-1] == "1 - tanh(x)**2"
    assert rights("softplus")[-2:] == ["1/(1 + exp(-x))", "logistic(x)"]
    assert rights("swish")[-1] == "(x*(1 - logistic(x)) + 1)*logistic(x)"
    assert rights("relu")[-1] == "where(less_equal(x, 0), 0, 1)"
    assert rights("prelu", 2)[-1] == "where(less(0, x), 0, x)"
    assert rights("elu")[-1] == "where(less(0, x), 1, r*exp(x))"
    add(monkeypatch, "softsign")
    assert rights("softsign")[-1] == "(abs(x) + 1)**(-2)"
    add(monkeypatch, "damped")
    assert steps("damped").slope == (cos(X) - sin(X)) * exp(-X)


def test_hard_functions_are_tangents_with_limits() -> None:
    found = chord("hard_logistic")
    assert found is not None
    assert (found.curve, found.line) == ("logistic", X / 4 + sympy.Rational(1, 2))
    found = chord("hard_tanh")
    assert found is not None
    assert (found.curve, found.line) == ("tanh", X)
    others = [n for n, r in TABLE.items() if r.arity == 1 and not n.startswith("hard")]
    assert [chord(name) for name in others] == [None] * len(others)


# --- corners -------------------------------------------------------------------------


def test_conditions_are_solved() -> None:
    half = sympy.Rational(1, 2)
    choice = where(less_equal(half - X / 4, 0), 0, where(less(0, X * R), 1, 2))
    assert solve_conditions(choice, X) == where(
        less_equal(2, X), 0, where(less(0, X * R), 1, 2)
    )


def test_pieces_of_functions_within_functions() -> None:
    inside = maximum(X, 1) * TABLE["relu"].call(X + 2)
    found = pieces(inside, X)
    assert found is not None
    assert [piece.body for piece in found] == [0, X + 2, X * (X + 2)]
    assert corners(inside, X) == (-2, 1)
    assert pieces(absolute(X**2 - 1), X) is None


# --- what a row says of itself -------------------------------------------------------


RANGES = [n for n, p in CASES if p == 1 and n not in ("sign", "maximum", "minimum")]


def _interval(text: str) -> tuple[bool, float, float, bool]:
    found = re.fullmatch(r"([\[(])(.+), (.+)([\])])", text)
    assert found is not None, text

    def number(end: str) -> float:
        end = end.replace(r"\infty", "inf").replace(r"\ldots", "").replace("-r", "-0.5")
        return float(end)

    return found[1] == "[", number(found[2]), number(found[3]), found[4] == "]"


@pytest.mark.parametrize("name", RANGES)
def test_range_is_what_is_reached(name: str) -> None:
    row = TABLE[name]
    arguments = steps(name).arguments
    assert row.definition is not None
    definition = row.definition(*arguments)
    others = dict.fromkeys(arguments[1:], 0.5)
    inside = [k / 8 for k in range(-80, 81)]
    if name == "log1p":
        inside = [k / 8 for k in range(-7, 81)]
    met = [value(definition, {X: x, **others}) for x in inside]
    far = [value(definition, {X: s * 10**9, **others}) for s in (-1, 1)]
    far = [v for v in far if v == v]
    includes_low, low, high, includes_high = _interval(row.range)
    small = mpmath.mpf(10) ** -2
    for end, includes, extreme in (
        (low, includes_low, min([*met, *far])),
        (high, includes_high, max([*met, *far])),
    ):
        if end in (float("inf"), float("-inf")):
            assert abs(extreme) > 10 or name == "log1p"
            continue
        assert abs(extreme - end) < small
        if includes:
            assert min(abs(v - end) for v in met) < small
        else:
            assert all(v != end for v in met)


def at_kink(name: str, point: float, place: int = 1, **others: float) -> float:
    found = steps(name, place)
    values = {argument: others.get(str(argument), 0.0) for argument in found.arguments}
    return float(value(found.slope, {**values, found.argument: point}))


def test_slopes_at_kinks_obey_the_convention() -> None:
    told = {row.kinks for row in TABLE.values()} - {""}
    for name, row in TABLE.items():
        formula = re.fullmatch(rf"{name}'\(0\) = (\d)", row.kinks)
        if formula is not None:
            assert at_kink(name, 0.0) == float(formula[1])
        elif row.kinks == "the left slope at 0":
            left = float(value(steps(name).slope, {X: -1e-30, R: 0.25}))
            assert at_kink(name, 0.0, r=0.25) == pytest.approx(left, abs=1e-20)
            assert left != pytest.approx(at_kink(name, 1.0, r=0.25))
        elif row.kinks == "slope 0 at both corners":
            assert row.definition is not None
            ends = corners(row.definition(X), X)
            assert [at_kink(name, float(end)) for end in ends] == [0.0, 0.0]
        elif row.kinks == "the first argument takes a tie":
            assert at_kink(name, 1.0, 1, x=1.0, r=1.0) == 1.0
            assert at_kink(name, 1.0, 2, x=1.0, r=1.0) == 0.0
        told.discard(row.kinks)
    assert not told


# --- on the page ---------------------------------------------------------------------


def account(language: str = "en") -> Account:
    program = sb.Program(
        equations="z[i] = sum(W[i, j]*x[j], j)\nL = sum(tanh(z[i])**2, i)",
        axes={"i": 2, "j": 3},
        parameters={"W": "i j"},
        data={"x": "j"},
        objective="L",
        name="one",
    )
    return Account(sb.derive(program), language)


def told(name: str, language: str = "en") -> list[tuple[str, str]]:
    return [
        (row.left, re.sub(r"\\[bB]igg?[lr]", "", " ".join(row.addends)))
        for block in function(account(language), TABLE[name])
        if isinstance(block, Equations)
        for row in block.rows
    ]


def test_steps_are_aligned_on_their_equals_signs() -> None:
    assert told("logistic") == [
        (r"\sigma(x)", r"\frac{1}{1 + e^{-x}}"),
        (r"\sigma'(x)", r"-\frac{(1 + e^{-x})'}{(1 + e^{-x})^{2}}"),
        ("", r"\frac{e^{-x}}{(1 + e^{-x})^{2}}"),
        ("", r"\frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}}"),
        ("", r"\sigma(x)\, (1 - \sigma(x))"),
    ]
    assert told("logistic", "zh") == told("logistic")


def test_constants_of_the_density_stand_under_one_root() -> None:
    last = told("gelu")[-1][1]
    assert r"\frac{1}{\sqrt{2 \pi}}\, x\, \exp(-\frac{x^{2}}{2})" in last
    assert r"\operatorname{erfc}(-\frac{x}{\sqrt{2}})" in last


def test_a_tangent_is_said_before_what_it_makes() -> None:
    rows = told("hard_logistic")
    assert rows[0] == (r"\sigma(0) + \sigma'(0)\, x", r"\frac{x}{4} + \frac{1}{2}")
    assert "x \\le -2" in rows[2][1]


@pytest.mark.parametrize("name", ["softsign", "mish", "damped"])
def test_an_added_row_is_told(name: str, monkeypatch) -> None:
    add(monkeypatch, name, activation=True)
    rows = told(name)
    assert rows[0][0] == f"\\operatorname{{{name}}}(x)"
    assert len(rows) > 2


def test_the_section_tells_what_the_program_uses() -> None:
    section = functions(account())
    assert section.title == ("Functions and their derivatives",)
    rows = [b for b in section.blocks if isinstance(b, Equations)]
    assert [b.rows[0].left for b in rows] == [r"\tanh(x)"]
