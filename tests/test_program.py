"""`Program`: its arguments, what it makes of them, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from programs import programs

from symbackprop.equations import Equation, System, Term
from symbackprop.errors import DeclarationError, GrammarError, ShapeError
from symbackprop.program import Program, check

DENSE: dict[str, Any] = {
    "equations": """
        z[i] = sum(W[i, j] * x[j], j) + b[i]
        R = lam * sum(W[i, j]**2, i, j)
        L = sum((tanh(z[i]) - y[i])**2, i) / 2 + R
    """,
    "axes": {"i": 3, "j": 4},
    "parameters": {"W": "i j", "b": "i"},
    "data": {"x": "j", "y": "i"},
    "constants": {"lam": 0.01},
    "batched": ("x", "y"),
    "objective": "L",
    "name": "dense",
}


def declare(**changes: Any) -> Program:
    return Program(**{**DENSE, **changes})


def test_what_is_declared() -> None:
    program = declare()
    assert repr(program) == "Program(name='dense', equations=3, parameters=2, data=2)"
    assert isinstance(program, System)
    assert [axis.rank for axis in program.axes.values()] == [0, 1]
    assert [t.name for t in program.tensors.values()] == ["W", "b", "x", "y", *"zRL"]
    assert [t.rank for t in program.tensors.values()] == list(range(7))
    assert program.shape("W") == (3, 4)
    assert program.constants["lam"].value == Fraction(1, 100)
    assert program.batched
    assert program.text == DENSE["equations"]
    assert program.initial == {"W": "glorot", "b": "zeros"}
    assert (program.split, program.weights, program.output) == ((), (), None)
    check(program)


def test_batched_tensors_are_those_that_read_batched_ones() -> None:
    batched = {n for n, t in declare().tensors.items() if t.batched}
    assert batched == {"x", "y", "z", "L"}
    loop = declare(
        equations="""
            g[i] = tanh(h[i - 1])
            h[i] = g[i] + y[i]
            k[i] = b[i]
            L = sum(g[i] * k[i], i)
        """,
        zero_outside=("h",),
    )
    assert {t.name for t in loop.with_role("defined") if t.batched} == {"g", "h", "L"}
    by_subscript = declare(
        equations="L = b[label]",
        data={"label": ""},
        integers=("label",),
        batched=("label",),
    )
    assert by_subscript.tensors["L"].batched


def test_constants_are_the_shortest_decimal() -> None:
    values = {"a": 0.1, "c": 3, "d": np.float32(0.1), "e": np.int64(2), "f": 1e-5}
    exact = declare(constants={"lam": Fraction(1, 3), **values}).constants
    assert [c.value for c in exact.values()] == [
        *(Fraction(1, 3), Fraction(1, 10), 3, Fraction(1, 10), 2, Fraction(1, 10**5))
    ]


def test_options() -> None:
    program = declare(
        initial={"b": 0.25, "W": "he"},
        weights=("W",),
        output="z",
        axes={"i": 3, "j": 4},
    )
    assert program.initial == {"W": "he", "b": 0.25}
    assert (program.weights, program.output) == (("W",), "z")
    assert declare(axes={"i": np.int64(3), "j": 4}).axes["i"].size == 3
    assert declare(parameters={"W": "i j", "b": "i", "Q": "i i"}).shape("Q") == (3, 3)
    assert declare(data={"x": "j", "y": "i", "unused": ""}).tensors["unused"].axes == ()


def test_pickled_and_copied_it_is_the_same() -> None:
    program = declare(
        equations="""
            h[i] = tanh(h[i - 1] + sum(W[i, j] * x[j], j) * b[n])
            L = relu(sum(h[i] * y[i], i)) / sum(exp(h[i]), i)
        """,
        data={"n": "", "x": "j", "y": "i"},
        integers=("n",),
        zero_outside=("h",),
        weights=("W",),
        output="h",
        initial={"b": 1.5},
        constants={"lam": 0.1},
    )
    again = pickle.loads(pickle.dumps(program))
    assert isinstance(again, Program)
    assert again == program
    assert copy.deepcopy(program) == program
    assert program != declare()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a/b"}, "name: `'a/b'` cannot name files"),
        ({"name": "../x"}, "cannot name files"),
        ({"name": ""}, "cannot name files"),
        ({"name": "a" * 65}, "cannot name files"),
        ({"name": "a\n"}, "cannot name files"),
        ({"name": None}, "cannot name files"),
        ({"equations": ["L = 1"]}, "equations: expected text, list came"),
        ({"axes": ["i"]}, "axes: expected a dictionary, list came"),
        ({"axes": {"i": 0, "j": 4}}, "size of `i` is a whole number from 1 to 2"),
        ({"axes": {"i": True, "j": 4}}, "`True` came"),
        ({"axes": {"i": 3.0, "j": 4}}, "`3.0` came"),
        ({"axes": {"i": 2**31 + 1, "j": 4}}, "size of `i`"),
        ({"axes": {"i": "3", "j": 4}}, "`'3'` came"),
        ({"axes": {"i": 3}}, "`W` has the axis `j`, which is not in axes"),
        ({"axes": {"2i": 3}}, "axes: `'2i'` cannot be a name: a name is an ASCII"),
        ({"axes": {3: 3}}, "a name is a string, not int"),
        ({"axes": {"sum": 3}}, "a function of the grammar"),
        ({"parameters": None}, "parameters: expected a dictionary"),
        ({"parameters": {"W": ("i", "j")}}, "a string of index letters"),
        ({"parameters": {"lambda": ""}}, "a keyword of Python"),
        ({"parameters": {"theta": ""}}, "reserved"),
        ({"parameters": {"delta_W": ""}}, "reserved"),
        ({"parameters": {"x": "j"}}, "`x` is both a parameter and data"),
        ({"parameters": {"i": ""}}, "`i` is both an axis and a tensor"),
        ({"constants": {"W": 1}}, "`W` is both a tensor and a constant"),
        ({"constants": {"i": 1}}, "`i` is both an axis and a constant"),
        ({"constants": {"lam": float("nan")}}, "`lam` is a finite number, `nan` came"),
        ({"constants": {"lam": float("inf")}}, "finite number"),
        ({"constants": {"lam": True}}, "finite number"),
        ({"constants": {"lam": "1"}}, "finite number"),
        ({"constants": {"lam": 1j}}, "finite number"),
        ({"constants": {"lam": 10**400}}, "finite number"),
        ({"constants": [1]}, "constants: expected a dictionary"),
        ({"batched": "x"}, r'Write batched=\("x",\)'),
        ({"batched": ("W",)}, "batched: there is no `W` among x, y"),
        ({"batched": ("z",)}, "batched: there is no `z`"),
        ({"batched": (1,)}, "`1` is not a name"),
        ({"batched": None}, "expected several names"),
        ({"integers": ("b",)}, "integers: there is no `b`"),
        ({"zero_outside": ("q",)}, "zero_outside: there is no `q`"),
        ({"zero_outside": "z"}, "expected several names"),
        ({"weights": ("x",)}, "weights: there is no `x` among W, b"),
        ({"output": "zz"}, "output: there is no `zz`.* Did you mean `z`"),
        ({"output": 3}, "`3` is not a name"),
        ({"objective": "loss"}, "objective: no equation defines `loss`"),
        ({"objective": "W"}, "objective: no equation defines `W`"),
        ({"objective": "z"}, r"`z\[i\]` is not a scalar. Define a scalar"),
        ({"objective": None}, "objective: `None` is not a name"),
        ({"equations": ""}, "no equation defines `L`"),
        ({"initial": {"x": 1}}, "initial: there is no `x`"),
        ({"initial": {"W": "gloro"}}, "`W` is filled by glorot, he, zeros"),
        ({"initial": {"W": float("inf")}}, "finite number"),
        ({"initial": {"W": True}}, "finite number"),
        ({"initial": {"W": [1]}}, "finite number"),
        ({"initial": 3}, "initial: expected a dictionary"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        declare(**changes)


def test_text_errors_keep_their_kind() -> None:
    with pytest.raises(GrammarError, match="line 1, column 5"):
        declare(equations="L = q")
    with pytest.raises(ShapeError, match="line 1, column 7"):
        declare(equations="L = b[3]")


def broken(program: Program, equation: Equation) -> System:
    return System(
        program.name,
        program.axes,
        program.tensors,
        (equation, *program.equations[1:]),
        program.objective,
        program.constants,
    )


def test_check_finds_what_is_not_well_formed() -> None:
    program = declare()
    first = program.equations[0]
    i, j = (program.axes[letter].index for letter in "ij")
    W, stranger = program.tensors["W"], replace(program.tensors["b"], name="stranger")

    def with_terms(*terms: Term, **changes: Any) -> System:
        return broken(program, replace(first, terms=terms, **changes))

    check(with_terms(*first.terms))
    for system, message in (
        (with_terms(Term(W.read(i, j))), "free index `j`"),
        (with_terms(Term(W.read(i), ())), "wrong rank"),
        (with_terms(Term(stranger.read(i))), "reads the unknown `stranger`"),
        (with_terms(reduction="max"), "has not one term"),
        (with_terms(Term(i, target=(i, i))), "a target of another rank"),
        (with_terms(indices=(j,)), "do not fit the shape of `z`"),
        (with_terms(tensor="W"), "does not define a tensor of role `defined`"),
        (with_terms(tensor="none"), "does not define"),
    ):
        with pytest.raises(DeclarationError, match=message):
            check(system)
    with pytest.raises(DeclarationError, match="objective `z` is not a scalar"):
        check(replace(broken(program, first), objective="z"))


@given(programs())
@settings(max_examples=40, deadline=None)
def test_random_programs_are_well_formed(declaration: dict[str, Any]) -> None:
    program = Program(**declaration)
    check(program)
    assert pickle.loads(pickle.dumps(program)) == program
