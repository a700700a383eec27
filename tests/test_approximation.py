"""The vector functions: their fits, their text, and its values, plain and compiled.

How far they are from the truth in what is really emitted, `test_accuracy` measures.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numba
import numpy as np
import pytest
from sympy import Integer, cos, exp

from symbackprop.approximation import NAMES, needs, text_of
from symbackprop.approximation.coefficients import COEFFICIENTS
from symbackprop.approximation.functions import TEXTS, ULPS
from symbackprop.approximation.remez import X, fit
from symbackprop.approximation.targets import BITS, KEPT, TARGETS, split

IDENTIFIERS = {name: f"{name}_" for name in TEXTS}
FASTMATH = [{"contract"}, False]  # with and without fused products and sums
TRUTHS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),  # SciPy's is 100 ulp off in the tail
}
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 1e-40, -1e-40]


def module(name: str, dtype: str, decorator: Any = lambda f: f) -> dict[str, Any]:
    """The function and what it needs, run as a file would be."""
    names = {"np": np, "real": np.dtype(dtype).type}
    for each in (*needs(name, dtype), name):
        text = text_of(each, dtype, IDENTIFIERS)
        exec(compile(text, each, "exec"), names)
        names[IDENTIFIERS[each]] = decorator(names[IDENTIFIERS[each]])
    return names


def inlined(fastmath: Any) -> Any:
    return numba.njit(error_model="numpy", fastmath=fastmath, forceinline=True)


def loop(name: str, dtype: str, fastmath: Any) -> Any:
    """A loop as kernels have it, whose own flags must not reach the function."""
    names = module(name, dtype, inlined(fastmath))
    text = f"def loop(x, y):\n    for i in range(x.size):\n        y[i] = {name}_(x[i])"
    exec(compile(text, name, "exec"), names)
    flags = {"contract", "nsz", "arcp"}
    return numba.njit(error_model="numpy", fastmath=flags)(names["loop"])


def arguments(dtype: str, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    spread = rng.normal(size=2000) * 4
    sizes = np.exp(rng.uniform(-80, 80, 2000)) * rng.choice([-1, 1], 2000)
    return np.concatenate([spread, sizes, SPECIAL]).astype(dtype)


# --- fits ----------------------------------------------------------------------------


def test_fit_levels_its_error() -> None:
    """x on cos: the best of degree 2 on [0, 1] has four equal extremes (Remez)."""
    found = fit(cos(X), Integer(1) + 0 * X, (Integer(0), Integer(1)), 2, 53)
    x = np.linspace(0, 1, 5001)
    error = np.cos(x) - np.polyval(found.coefficients[::-1], x)
    inner = error[1:-1]
    turns = inner[(np.diff(error)[:-1] * np.diff(error)[1:]) <= 0]
    extremes = np.array([error[0], *turns, error[-1]])
    assert np.allclose(np.abs(extremes), found.bound, rtol=0.01)
    assert (extremes[:-1] * extremes[1:] < 0).all()
    assert len(extremes) == 4


def test_fit_holds_a_coefficient_in_its_precision() -> None:
    found = fit(exp(X), exp(-X), (Integer(-1), Integer(1)), 6, 24)
    assert all(float(np.float32(c)) == c for c in found.coefficients)
    best = fit(exp(X), exp(-X), (Integer(-1), Integer(1)), 6, 53)
    assert best.bound <= found.bound < best.bound + 2.0**-22


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("exp", "float32"), ("log", "float32"), ("erf", "float32"), ("log", "float64")],
)
def test_stored_coefficients_are_those_of_the_fit(name: str, dtype: str) -> None:
    found = TARGETS[name].fit(dtype)
    assert found.coefficients == COEFFICIENTS[name, dtype].coefficients
    assert found.bound == pytest.approx(COEFFICIENTS[name, dtype].bound, rel=1e-3)


@pytest.mark.parametrize("dtype", BITS)
def test_log_2_is_split(dtype: str) -> None:
    from sympy import log

    found = split(log(2), KEPT[dtype], BITS[dtype])
    assert found.coefficients == COEFFICIENTS["log_2", dtype].coefficients


# --- text ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_text_is_short_and_has_no_branch(name: str, dtype: str) -> None:
    text = text_of(name, dtype, IDENTIFIERS)
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function)
    for node in ast.walk(function):
        assert not isinstance(node, ast.If | ast.For | ast.While | ast.BoolOp)
    assert max(map(len, text.splitlines())) <= 88
    assert "$" not in text


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_text_names_what_it_needs(name: str, dtype: str) -> None:
    texts = [text_of(n, dtype, IDENTIFIERS) for n in (*needs(name, dtype), name)]
    called = set(re.findall(r"\b(\w+)_\(", "".join(texts)))
    assert called == {name, *needs(name, dtype)}


def test_bounds_are_within_the_promise() -> None:
    assert all(u <= 4.0 for bounds in ULPS.values() for u in bounds.values())


# --- values --------------------------------------------------------------------------


@pytest.mark.parametrize("fastmath", FASTMATH, ids=str)
@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_compiled_and_plain_are_near_the_truth(
    name: str, dtype: str, fastmath: Any, rng: np.random.Generator
) -> None:
    x = arguments(dtype, rng)
    y = np.empty_like(x)
    loop(name, dtype, fastmath)(x, y)
    with np.errstate(all="ignore"):
        truth = TRUTHS[name](x.astype(np.float64)).astype(dtype)
        plain = [module(name, dtype)[f"{name}_"](value) for value in x[::40]]
        special_values = [module(name, dtype)[f"{name}_"](v) for v in x[-11:]]
    assert {type(value) for value in plain} == {np.dtype(dtype).type}
    # The truth in float64 may itself be off by an ulp or two.
    for found, true in ((y, truth), (np.array(plain), truth[::40])):
        np.testing.assert_array_max_ulp(found, true, maxulp=6, dtype=dtype)
    for found in (y[-11:], np.array(special_values)):
        signed = ~np.isnan(found)
        assert (np.isnan(found) == np.isnan(truth[-11:])).all()
        assert (np.signbit(found) == np.signbit(truth[-11:]))[signed].all()


def test_flags_of_the_caller_reach_what_states_none() -> None:
    """Why the emitter must state `fastmath`: a helper without it takes the caller's."""
    flags = []
    for stated in ({}, {"fastmath": {"contract"}}):
        square = numba.njit(forceinline=True, **stated)(lambda a: a * a)
        compiled = numba.njit(fastmath={"nsz"})(calling(square))
        compiled(1.0)
        (text,) = compiled.inspect_llvm().values()
        flags.append(set(re.findall(r"fmul ([a-z ]*)double", text)))
    assert flags == [{"nsz "}, {"contract "}]


def calling(function: Any) -> Any:
    return lambda x: function(x)
