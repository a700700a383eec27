"""The vector functions: their fits, their text, and its values, plain and compiled.

How far what a kernel computes is from the truth, `test_accuracy` measures.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numba
import numpy as np
import pytest
from sympy import Integer, Rational, S, cos, exp, log
from vector import FASTMATH, IDENTIFIERS, loop, plain

from symbackprop.approximation import NAMES, needs, text_of
from symbackprop.approximation.coefficients import COEFFICIENTS
from symbackprop.approximation.functions import TEXTS, ULPS
from symbackprop.approximation.remez import X, fit
from symbackprop.approximation.targets import BITS, KEPT, TARGETS, split

TRUTHS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
}
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 1e-40, -1e-40]

every_dtype = pytest.mark.parametrize("dtype", BITS)
every_name = pytest.mark.parametrize("name", sorted(NAMES))
every_text = pytest.mark.parametrize("name", sorted(TEXTS))

# --- fits ----------------------------------------------------------------------------


def test_fit_levels_its_error() -> None:
    """The best of degree 2 for cos on [0, 1] has four equal extremes (Chebyshev)."""
    found = fit(cos(X), S.One, (Integer(0), Integer(1)), 2, 53)
    x = np.linspace(0, 1, 5001)
    error = np.cos(x) - np.polyval(found.coefficients[::-1], x)
    turns = error[1:-1][np.diff(error)[:-1] * np.diff(error)[1:] <= 0]
    extremes = np.array([error[0], *turns, error[-1]])
    assert np.allclose(np.abs(extremes), found.bound, rtol=0.01)
    assert (extremes[:-1] * extremes[1:] < 0).all()
    assert len(extremes) == 4


def test_fit_holds_its_coefficients_in_their_precision() -> None:
    def of(bits: int) -> Any:
        return fit(exp(X), exp(-X), (Integer(-1), Integer(1)), 6, bits)

    assert all(float(np.float32(c)) == c for c in of(24).coefficients)
    assert of(53).bound <= of(24).bound < of(53).bound + 2.0**-22


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("exp", "float32"), ("log", "float32"), ("erf", "float32"), ("log", "float64")],
)
def test_stored_coefficients_are_those_of_the_fit(name: str, dtype: str) -> None:
    found = TARGETS[name].fit(dtype)
    assert found.coefficients == COEFFICIENTS[name, dtype].coefficients
    assert found.bound == pytest.approx(COEFFICIENTS[name, dtype].bound, rel=1e-3)


@every_dtype
@pytest.mark.parametrize("name", TARGETS)
def test_stored_bounds_hold(name: str, dtype: str) -> None:
    """Between the points of the fit too, and they are small beside a last place."""
    target, stored = TARGETS[name], COEFFICIENTS[name, dtype]
    low, high = (float(end) for end in target.interval[dtype])
    for x in np.linspace(low, high, 24)[1:-1]:
        true = target.function.evalf(40, subs={X: Rational(x)})
        weight = target.weight.evalf(40, subs={X: Rational(x)})
        p = sum(
            Rational(c) * Rational(x) ** k for k, c in enumerate(stored.coefficients)
        )
        assert abs(weight * (true - p)) <= 1.01 * stored.bound
    assert stored.bound < 2.0 ** -(BITS[dtype] + 1)


@every_dtype
def test_log_2_is_split(dtype: str) -> None:
    found = split(log(2), KEPT[dtype], BITS[dtype])
    assert found.coefficients == COEFFICIENTS["log_2", dtype].coefficients


# --- text ----------------------------------------------------------------------------


@every_dtype
@every_text
def test_text_is_narrow_and_has_no_branch(name: str, dtype: str) -> None:
    text = text_of(name, dtype, IDENTIFIERS)
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function)
    for node in ast.walk(function):
        assert not isinstance(node, ast.If | ast.For | ast.While | ast.BoolOp)
    assert max(map(len, text.splitlines())) <= 88
    assert "$" not in text


@every_dtype
@every_name
def test_text_names_what_it_needs(name: str, dtype: str) -> None:
    texts = [text_of(n, dtype, IDENTIFIERS) for n in (*needs(name, dtype), name)]
    called = set(re.findall(r"\b(\w+)_\(", "".join(texts)))
    assert called == {name, *needs(name, dtype)}


def test_bounds_are_within_the_promise() -> None:
    assert all(u <= 4.0 for bounds in ULPS.values() for u in bounds.values())


# --- values --------------------------------------------------------------------------


@every_dtype
@every_name
def test_plain_python_computes_what_is_compiled(
    name: str, dtype: str, rng: np.random.Generator
) -> None:
    x = np.concatenate([rng.normal(size=200) * 4, SPECIAL]).astype(dtype)
    function = plain(name, dtype)
    with np.errstate(all="ignore"):
        values = [function(value) for value in x]
    assert {type(value) for value in values} == {np.dtype(dtype).type}
    np.testing.assert_array_equal(np.array(values), loop(name, dtype, False)(x))


@pytest.mark.parametrize("fastmath", FASTMATH, ids=str)
@every_dtype
@every_name
def test_special_values_are_those_of_the_standard(
    name: str, dtype: str, fastmath: Any
) -> None:
    x = np.array(SPECIAL, dtype)
    y = loop(name, dtype, fastmath)(x)
    with np.errstate(all="ignore"):
        truth = TRUTHS[name](x.astype(np.float64)).astype(dtype)
    np.testing.assert_allclose(y, truth, rtol=1e-6)
    number = ~np.isnan(truth)
    assert (np.signbit(y) == np.signbit(truth))[number].all()


def test_flags_of_the_caller_reach_what_states_none() -> None:
    """Why the emitter must state `fastmath`: a helper without it takes the caller's."""

    def calling(function: Any) -> Any:
        return lambda x: function(x)

    flags = []
    for stated in ({}, {"fastmath": {"contract"}}):
        square = numba.njit(forceinline=True, **stated)(lambda a: a * a)
        compiled = numba.njit(fastmath={"nsz"})(calling(square))
        compiled(1.0)
        (text,) = compiled.inspect_llvm().values()
        flags.append(set(re.findall(r"fmul ([a-z ]*)double", text)))
    assert flags == [{"nsz "}, {"contract "}]


@every_dtype
@every_name
def test_loop_is_vectorised(name: str, dtype: str) -> None:
    """The steps of a loop are on vectors: LLVM found no branch and no call in it."""
    function = plain(
        name,
        dtype,
        decorate=numba.njit(
            error_model="numpy", fastmath={"contract"}, forceinline=True
        ),
    )

    @numba.njit(error_model="numpy", fastmath={"contract", "nsz", "arcp"})
    def fill(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    x = np.ones(8, dtype)
    fill(x, x.copy())
    (text,) = fill.inspect_llvm().values()
    letter = "float" if dtype == "float32" else "double"
    assert re.search(rf"fadd [a-z ]*<\d+ x {letter}>", text)
