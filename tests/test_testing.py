"""assert_gradient and assert_methods_agree: no false alarm, and planted bugs named."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import GradientError, InputError, SymbackpropError
from symbackprop.testing import agreement, assert_gradient, assert_methods_agree
from symbackprop.witnesses.differences import Estimate

ROOT = Path(__file__).parent.parent
DRAWN = np.random.default_rng(7)
W = DRAWN.normal(size=(3, 4))
SQUARE = DRAWN.normal(size=(4, 4))
X, Y = DRAWN.normal(size=(32, 4)), DRAWN.normal(size=(32, 3))
V = DRAWN.normal(size=5)


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer(p: Any) -> Any:
    """Mean squared error of a tanh layer."""
    return ((np.tanh(X @ p["W"].T + p["b"]) - Y) ** 2).sum() / (2 * len(X))


def layer_gradient(p: Any) -> dict[str, Any]:
    a = np.tanh(X @ p["W"].T + p["b"])
    delta = (a - Y) * (1 - a**2) / len(X)
    return {"W": delta.T @ X, "b": delta.sum(0)}


LAYER = {"W": W, "b": np.array([0.1, -0.2, 0.3])}
ONE_HOT = np.eye(4)[DRAWN.integers(0, 4, 3)]


def crossed(z: Any) -> Any:
    shifted = z - z.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return -(ONE_HOT * logs).sum()


SOUND: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "square": (lambda x: (x**2).sum(), lambda x: 2 * x, V),
    "cube of a matrix": (lambda x: (x**3).sum(), lambda x: 3 * x**2, W),
    "sine": (lambda x: np.sin(x).sum(), np.cos, V),
    "far sine": (lambda x: np.sin(x).sum(), np.cos, V + 1e4),
    "fast sine": (
        lambda x: np.sin(1e3 * x).sum(),
        lambda x: 1e3 * np.cos(1e3 * x),
        V,
    ),
    "exponential": (lambda x: np.exp(x).sum(), np.exp, 5 * V),
    "logarithm": (lambda x: np.log(x).sum(), lambda x: 1 / x, np.abs(V)),
    "logarithm of small and large": (
        lambda x: np.log(x).sum(),
        lambda x: 1 / x,
        np.array([1e-8, 1e-3, 1.0, 1e8]),
    ),
    "root of small": (
        lambda x: np.sqrt(x).sum(),
        lambda x: 0.5 / np.sqrt(x),
        np.array([1e-8, 2.0]),
    ),
    "reciprocal": (lambda x: (1 / x).sum(), lambda x: -1 / x**2, V),
    "logistic": (
        lambda x: logistic(x).sum(),
        lambda x: logistic(x) * (1 - logistic(x)),
        6 * V,
    ),
    "saturated": (
        lambda x: np.tanh(x).sum(),
        lambda x: 1 - np.tanh(x) ** 2,
        np.array([-30.0, 0.0, 15.0, 30.0]),
    ),
    "norm": (
        lambda x: np.linalg.norm(x),
        lambda x: x / np.linalg.norm(x),
        V,
    ),
    "quadratic form": (
        lambda x: x @ SQUARE @ x,
        lambda x: (SQUARE + SQUARE.T) @ x,
        V[:4],
    ),
    "determinant": (
        lambda x: np.linalg.det(x),
        lambda x: np.linalg.det(x) * np.linalg.inv(x).T,
        SQUARE,
    ),
    "log determinant": (
        lambda x: np.log(abs(np.linalg.det(x))),
        lambda x: np.linalg.inv(x).T,
        SQUARE,
    ),
    "cross-entropy": (crossed, lambda z: softmax(z) - ONE_HOT, W),
    "layer": (layer, layer_gradient, LAYER),
    "values of 1e8": (
        lambda x: (x**2).sum() * 1e-8,
        lambda x: 2e-8 * x,
        1e8 * V,
    ),
    "values of 1e-8": (lambda x: (x**2).sum(), lambda x: 2 * x, 1e-8 * V),
    "value large, slope small": (
        lambda x: 1e8 + np.sin(x).sum(),
        np.cos,
        V,
    ),
    "value 1e8, slope 1e-8": (
        lambda x: 1e8 + 1e-8 * np.sin(x).sum(),
        lambda x: 1e-8 * np.cos(x),
        V,
    ),
    "slope 0 by cancellation": (
        lambda x: np.log(softmax(x[None] + np.arange(3.0)[:, None]).T).sum(),
        lambda x: np.array(0.0),
        np.array(0.3),
    ),
    "constant": (lambda x: 3.5, np.zeros_like, V),
    "number": (lambda x: x * np.exp(-x), lambda x: (1 - x) * np.exp(-x), 0.7),
    "no axes": (lambda x: np.sin(x), np.cos, np.array(0.7)),
    "whole numbers": (
        lambda x: (x**2).sum() / 3,
        lambda x: 2 * x / 3,
        [[1, 2], [3, 4]],
    ),
    "Rosenbrock": (
        lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        lambda x: np.array(
            [
                -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]),
                200 * (x[1] - x[0] ** 2),
            ]
        ),
        np.array([-1.2, 1.0]),
    ),
    "corner near by": (
        lambda x: np.maximum(x, 1e-5).sum(),
        lambda x: (x > 1e-5) * 1.0,
        np.array([0.0, 2e-5, 1e-3]),
    ),
    "no complex numbers": (
        lambda x: float(np.real(np.sin(x).sum())),
        np.cos,
        V,
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_true_gradient_passes(name: str) -> None:
    f, gradient, x = SOUND[name]
    verdict = assert_gradient(f, gradient, x)
    assert verdict.judged == verdict.size
    assert abs(verdict.claimed - verdict.slope) <= verdict.tolerance
    assert verdict.corners == ()


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("factor", [-1.0, 2.0])
def test_false_gradient_fails(name: str, factor: float) -> None:
    f, gradient, x = SOUND[name]
    given = gradient(x if isinstance(x, dict | float) else np.asarray(x))
    wrong = (
        {k: factor * v for k, v in given.items()}
        if isinstance(given, dict)
        else factor * given
    )
    if name in ("constant", "slope 0 by cancellation"):
        wrong = given + 1.0
    if name == "value 1e8, slope 1e-8":  # what rounding hides is told, not judged
        told = assert_gradient(lambda x: float(f(x)), wrong, x).notes
        assert any("hides slopes" in note for note in told)
        return
    with pytest.raises(GradientError):
        assert_gradient(f, wrong, x)


def complaint(f: Any, gradient: Any, x: Any, **more: Any) -> str:
    with pytest.raises(GradientError) as caught:
        assert_gradient(f, gradient, x, **more)
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, SymbackpropError)
    return str(caught.value)


def rolled(x: Any) -> Any:
    return np.roll(np.cos(x), 1)


def one_wrong(x: Any) -> Any:
    found = np.cos(x)
    found[1, 2] += 0.125
    return found


def no_bias(p: Any) -> Any:
    found = layer_gradient(p)
    return {**found, "b": 0 * found["b"]}


def wide(x: Any) -> Any:
    """A layer whose last column is the bias."""
    return np.tanh(x[:, :4] @ X[0] + x[:, 4]).sum()


def wide_gradient(x: Any) -> Any:
    slope = 1 - np.tanh(x[:, :4] @ X[0] + x[:, 4]) ** 2
    return np.column_stack([np.outer(slope, X[0]), 0 * slope])


TENSOR = DRAWN.normal(size=(2, 3, 4))
PLANTED: dict[str, tuple[Any, Any, Any, str]] = {
    "sign": (lambda x: np.sin(x).sum(), lambda x: -np.cos(x), W, "the sign"),
    "twice": (lambda x: (x**2).sum() / 2, lambda x: 2 * x, W, "a factor 2"),
    "half": (lambda x: (x**2).sum(), lambda x: x, W, "a factor 1/2"),
    "transpose": (
        lambda x: (SQUARE * np.sin(x)).sum(),
        lambda x: (SQUARE * np.cos(x)).T,
        SQUARE.T,
        "a transpose",
    ),
    "transpose, laid out as it is": (
        lambda x: np.sin(x).sum(),
        lambda x: np.cos(x).T.reshape(3, 4),
        W,
        "a transpose",
    ),
    "transpose and twice": (
        lambda x: np.sin(x).sum(),
        lambda x: 2 * np.cos(x).T.reshape(3, 4),
        W,
        "a transpose.*and a factor 2",
    ),
    "permuted": (
        lambda x: np.sin(x).sum(),
        lambda x: np.cos(x).transpose(1, 2, 0).reshape(2, 3, 4),
        TENSOR,
        "axes permuted",
    ),
    "shift": (lambda x: np.sin(x).sum(), rolled, V, "a shift by one index"),
    "backwards": (
        lambda x: np.sin(x).sum(),
        lambda x: np.cos(x)[::-1],
        V,
        "runs backwards",
    ),
    "one entry": (
        lambda x: np.sin(x).sum(),
        one_wrong,
        W,
        r"wrong at x\[1, 2\].*\n.*one wrong entry; the other 11",
    ),
    "1/N of x": (
        lambda x: np.sin(x).mean(),
        np.cos,
        W,
        "a missing 1/N with N = 12, the number of entries of x",
    ),
    "1/N too many": (
        lambda x: np.sin(x).sum(),
        lambda x: np.cos(x) / 5,
        V,
        "a 1/N too many with N = 5, the length of axis 0 of x",
    ),
    "1/N of data": (
        layer,
        lambda p: {k: 32 * v for k, v in layer_gradient(p).items()},
        LAYER,
        "a missing 1/N with N = 32, if your data",
    ),
    "odd factor": (
        lambda x: np.sin(x).sum(),
        lambda x: 0.3 * np.cos(x),
        V,
        "a constant factor 0.3",
    ),
    "no bias": (layer, no_bias, LAYER, "missing term: the gradient of b is 0"),
    "no bias column": (
        wide,
        wide_gradient,
        DRAWN.normal(size=(3, 5)),
        r"missing term: the gradient is 0 at x\[:, 4\]",
    ),
    "one row": (
        lambda x: np.sin(x).sum(),
        lambda x: np.cos(x) * np.array([[1.0], [1.3], [1.0]]) + 0 * x,
        W,
        r"all wrong entries stand in x\[1, :\]",
    ),
    "no penalty": (
        lambda x: np.sin(x).sum() + 0.05 * (x**2).sum(),
        np.cos,
        W,
        "0.1 times x is missing",
    ),
    "constant": (
        lambda x: np.sin(x).sum() + 0.25 * x.sum(),
        np.cos,
        W,
        "the same number 0.25 is missing",
    ),
    "another's": (
        lambda p: np.sin(p["u"]).sum() + np.exp(p["v"]).sum(),
        lambda p: {"u": np.exp(p["v"]), "v": np.exp(p["v"])},
        {"u": V, "v": V / 2},
        "wrong at u.*\n.*the gradient of `v`",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bug_is_named(name: str) -> None:
    f, gradient, x, said = PLANTED[name]
    text = complaint(f, gradient, x)
    assert re.search(f"Likely cause.*{said}" if "wrong at" not in said else said, text)


def test_message_names_the_entry_both_values_and_the_tolerance() -> None:
    text = complaint(lambda x: np.sin(x).sum(), one_wrong, W)
    truth = np.cos(W[1, 2])
    assert f"x[1, 2]: expected {truth:.9g}, got {truth + 0.125:.9g}" in text
    assert "tolerance" in text
    assert "1 of 12" in text


def test_lengths_that_are_told_are_named() -> None:
    twice = {k: 32 * v for k, v in layer_gradient(LAYER).items()}
    text = complaint(layer, twice, LAYER, lengths={"batch": 32})
    assert "a missing 1/N with N = 32, the length of `batch`" in text


def test_names_of_entries_stand_in_the_message() -> None:
    names = ["slope", "offset"]
    text = complaint(lambda x: x[0] + x[1] ** 2, np.ones(2), np.ones(2), names=names)
    assert "wrong at offset (x[1])" in text


def test_unknown_mistake_gets_no_cause(rng: np.random.Generator) -> None:
    noise = rng.normal(size=W.shape)
    text = complaint(lambda x: np.sin(x).sum(), lambda x: np.cos(x) + noise, W)
    assert "Likely cause" not in text


def test_gradient_that_is_not_finite() -> None:
    text = complaint(lambda x: x.sum(), np.array([1.0, np.nan]), np.ones(2))
    assert "nan at x[1]" in text


# Corners

CORNERS: dict[str, tuple[Any, Any, list[Any], list[Any]]] = {
    "relu": (lambda x: np.maximum(x, 0).sum(), [0.0, 1.0], [0, 0.5, 1], [-0.1, 1.1]),
    "abs": (lambda x: np.abs(x).sum(), [0.0, -2.0], [-1, 0, 0.3, 1], [-1.2, 1.2]),
    "minus abs": (lambda x: -np.abs(x).sum(), [0.0, 2.0], [-1, 0, 1], [-1.2, 1.2]),
    "hinge": (lambda x: np.maximum(1 - 2 * x, 0)[0], [0.5, 1.0], [-2, -1, 0], [-3, 1]),
}


@pytest.mark.parametrize("name", CORNERS)
def test_subdifferential_passes_at_a_corner(name: str) -> None:
    f, at, inside, outside = CORNERS[name]
    x = np.array(at)
    rest = {"relu": 1.0, "abs": -1.0, "minus abs": -1.0, "hinge": 0.0}[name]
    for value in inside:
        verdict = assert_gradient(f, np.array([value, rest]), x)
        assert verdict.judged == 2
        assert "corner at x along x[0]" in verdict.corners[0]
        assert "passes" in str(verdict)
    for value in outside:
        text = complaint(f, np.array([value, rest]), x)
        assert "wrong at x[0]: expected a value from" in text
    with pytest.raises(GradientError, match=r"wrong at x\[1\]"):
        assert_gradient(f, np.array([inside[1], rest + 0.5]), x)


def test_tie_of_a_maximum() -> None:
    x = np.array([2.0, 2.0, 1.0])
    for share in (0.0, 0.5, 1.0):
        verdict = assert_gradient(np.max, np.array([share, 1 - share, 0.0]), x)
        assert len(verdict.corners) == 2
    # Each entry lies between its two slopes; both together do not.
    text = complaint(np.max, np.array([1.0, 1.0, 0.0]), x)
    assert "outside the subdifferential" in text


def test_relus_that_are_0_together() -> None:
    x = np.zeros((2, 3))
    verdict = assert_gradient(lambda x: np.maximum(x, 0).sum(), np.eye(2, 3), x)
    assert verdict.judged == 6


def test_composite_at_a_corner_is_reported_and_not_judged() -> None:
    def f(x: Any) -> Any:
        return np.maximum(x[0], 0) - np.maximum(x[1], 0) + x[2] ** 2

    x = np.array([0.0, 0.0, 1.0])
    for claimed in ([0, 0, 2], [1, 1, 2], [0.5, -3, 2]):
        verdict = assert_gradient(f, np.array(claimed, float), x)
        assert verdict.judged == 1
        assert any("not judged" in note for note in verdict.notes)
    with pytest.raises(GradientError, match=r"wrong at x\[2\]"):
        assert_gradient(f, np.array([0.0, 0, 1]), x)


def test_jump_and_infinite_slope_are_not_judged() -> None:
    jumps = assert_gradient(
        lambda x: np.heaviside(x, 1).sum(), lambda x: 0 * x, np.array([0.0, 1.0])
    )
    assert jumps.judged == 1
    assert "x[0] was not judged: f jumps" in str(jumps)
    edge = assert_gradient(
        lambda x: np.sqrt(x).sum(), np.array([7.0, 0.5]), np.array([0.0, 1.0])
    )
    assert "x[0] was not judged: f is not finite" in str(edge)


# Kinds of input


def test_float32_gets_the_tolerance_of_its_precision() -> None:
    x = W.astype(np.float32)
    seen = []

    def f(x: Any) -> Any:
        seen.append(x.dtype)
        return (np.tanh(x) ** 2).sum()

    def gradient(x: Any) -> Any:
        return 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)

    verdict = assert_gradient(f, gradient, x)
    assert set(seen) == {np.dtype(np.float32)}
    assert 1e-7 < verdict.tolerance < 1e-2
    text = complaint(f, lambda x: 1.02 * gradient(x), x)
    assert "a constant factor 1.02" in text
    # The same where only the result is of that precision.
    single = assert_gradient(lambda x: np.float32(f(x)), gradient, W)
    assert single.tolerance > 1e-7


def test_complex_step_sharpens_where_it_can() -> None:
    def stiff(x: Any) -> Any:
        return np.exp(-((1e5 * (x - 1)) ** 2)).sum()

    def gradient(x: Any) -> Any:
        return -2e10 * (x - 1) * np.exp(-((1e5 * (x - 1)) ** 2))

    x = np.array([1 + 3e-6])
    sharp = assert_gradient(stiff, gradient, x, rtol=1e-15)
    blunt = assert_gradient(lambda x: float(np.real(stiff(x))), gradient, x, rtol=1e-15)
    assert sharp.tolerance < blunt.tolerance / 100


@pytest.mark.filterwarnings("error")
def test_function_that_drops_imaginary_parts_is_judged_by_differences() -> None:
    def f(x: Any) -> Any:
        buffer = np.zeros(len(x))
        buffer[:] = np.sin(x)
        return buffer.sum()

    assert assert_gradient(f, np.cos, V).judged == 5
    complaint(f, lambda x: 0 * x, V)


def test_many_entries_are_sampled() -> None:
    x = DRAWN.normal(size=(40, 50))
    verdict = assert_gradient(lambda x: np.sin(x).sum(), np.cos, x)
    assert verdict.judged == 64
    assert verdict.directions == 8
    assert "2000 entries: 64 of them" in str(verdict)

    def wrong(x: Any) -> Any:
        found = np.cos(x)
        found[17, 23] *= 1.5
        return found

    text = complaint(lambda x: np.sin(x).sum(), wrong, x)
    assert "wrong at x[17, 23]" in text
    assert "one wrong entry" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"f": 3}, r"f is 3; give a function"),
        ({"f": lambda x: x}, r"one real number.*shape \(5,\).*Take the sum"),
        ({"f": lambda x: 1j * x.sum()}, r"one real number"),
        ({"f": lambda x: np.nan * x.sum()}, r"f is nan at x; give an x"),
        ({"f": lambda x: np.random.default_rng().normal()}, r"fix the seed"),
        ({"x": np.array([])}, r"no entries"),
        ({"x": "abc"}, r"give real numbers"),
        ({"x": np.array([1j])}, r"give real numbers"),
        ({"x": {1: V}}, r"dictionary of arrays by name"),
        ({"x": np.full(5, np.inf)}, r"not finite; give finite"),
        ({"gradient": np.ones(4)}, r"expected the shape \(5,\).*one slope for each"),
        ({"gradient": np.ones((4, 3)), "x": W}, r"looks like a transpose"),
        ({"gradient": None}, r"give real numbers"),
        ({"gradient": {"w": V}, "x": {"W": V}}, r"lacks; expected W"),
        ({"gradient": {}, "x": {"W": V}}, r"W missing; give an array"),
        ({"gradient": V, "x": {"W": V}}, r"with the keys W"),
        ({"rtol": 0}, r"between 0 and 1"),
        ({"names": ["a"]}, r"1 came for 5 entries"),
    ],
)
def test_bad_input_says_what_to_do(change: dict[str, Any], said: str) -> None:
    given = {"f": lambda x: x.sum(), "gradient": np.ones(5), "x": V} | change
    if isinstance(given["x"], dict):
        given["f"] = lambda x: sum(a.sum() for a in x.values())
    with pytest.raises(InputError, match=rf"(?s){said}"):
        assert_gradient(**given)


def test_error_of_the_function_at_x_is_the_callers_to_see() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        assert_gradient(f, V, V)


# Methods on a program


def network() -> sb.Network:
    layers = [sb.Dense(2, "tanh"), sb.Dense(2, "softmax")]
    return sb.Network(inputs=3, layers=layers, loss="cross_entropy")


@pytest.fixture(scope="module")
def agreed() -> agreement.Agreement:
    return assert_methods_agree(network())


def test_methods_agree_on_a_network(agreed: agreement.Agreement) -> None:
    assert agreed.judged == agreed.size == 14
    assert len(agreed.methods) == 4
    assert agreed.apart <= agreed.tolerance < 1e-9
    assert agreed.corners == ()


@pytest.fixture(scope="module")
def prepared() -> Any:
    """The network derived, its operations counted, and its kernel's slopes: once."""
    derivation = sb.derive(network())
    counted, methods = agreement.costs(derivation), dict(agreement.METHODS)
    compiles, known = methods["the compiled kernel"], dict[str, Any]()

    def compiled(subject: agreement.Subject) -> Any:
        if "kernel" not in known:
            known["kernel"] = compiles(subject)
        return known["kernel"]

    methods["the compiled kernel"] = compiled
    return derivation, counted, methods


def spoilt(method: agreement.Method, spoil: Any) -> agreement.Method:
    def made(subject: agreement.Subject) -> Callable[[Any], Estimate]:
        slope = method(subject)
        size = subject.entries.size
        entries = [slope(row)[0] for row in np.eye(size)]
        wrong = spoil(subject.entries.arrays(np.array(entries)), subject)
        flat = subject.entries.flat(wrong, "gradient")
        return lambda along: (float(flat @ along), slope(along)[1])

    return made


def turned(gradient: Any, subject: Any) -> Any:
    return {**gradient, "W2": gradient["W2"].T}


def forgotten(gradient: Any, subject: Any) -> Any:
    return {**gradient, "b1": 0 * gradient["b1"]}


SPOILT: dict[str, tuple[Any, str]] = {
    "sign": (lambda g, s: {k: -v for k, v in g.items()}, "the sign"),
    "twice": (lambda g, s: {k: 2 * v for k, v in g.items()}, "a factor 2"),
    "mean": (
        lambda g, s: {k: 5 * v for k, v in g.items()},
        "a missing 1/N with N = 5, the length of the batch",
    ),
    "transpose": (turned, r"W2\[.*\n.*a transpose"),
    "bias": (forgotten, r"b1\[.*\n.*a missing term"),
}


@pytest.mark.parametrize("name", agreement.METHODS)
@pytest.mark.parametrize("bug", SPOILT)
def test_method_that_is_alone_is_named(
    name: str, bug: str, prepared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation, counted, sound = prepared
    spoil, said = SPOILT[bug]
    methods = {**sound, name: spoilt(sound[name], spoil)}
    monkeypatch.setattr(agreement, "METHODS", methods)
    monkeypatch.setattr(agreement, "derive", lambda source: derivation)
    monkeypatch.setattr(agreement, "costs", lambda derivation: counted)
    with pytest.raises(GradientError, match=f"one method is alone, {name}") as caught:
        assert_methods_agree(network(), batch=5)
    assert re.search(said, str(caught.value))


def test_program_whose_slope_is_0_agrees() -> None:
    program = sb.Program(
        equations="m = mean(w[i], i)\nL = sum((w[i] - m) * x[i], i)",
        axes={"i": 1},
        parameters={"w": "i"},
        data={"x": "i"},
        objective="L",
    )
    assert assert_methods_agree(program).apart == 0


def test_two_against_two_is_told(
    prepared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = agreement.METHODS["complex step"]
    twice = spoilt(sound, SPOILT["twice"][0])
    methods = {"a": sound, "b": twice, "c": sound, "d": twice}
    monkeypatch.setattr(agreement, "METHODS", methods)
    with pytest.raises(GradientError, match=r"none is alone. a and c: .*; b and d: "):
        assert_methods_agree(network())


BENT = {
    "relu": ("L = sum(relu(w[i]), i) + v**2", 4),
    # Smooth, yet by the conventions at the corners of its parts its slope is 0.
    "composite": ("L = sum(relu(w[i]) - relu(-w[i]), i) + v**2", 4),
}


@pytest.mark.parametrize("name", BENT)
def test_program_at_a_corner_is_reported(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, size = BENT[name]
    program = sb.Program(
        equations=text,
        axes={"i": 3},
        parameters={"w": "i", "v": ""},
        data={},
        objective="L",
    )
    at = {"w": np.array([0.0, 0.0, 0.5]), "v": np.array(0.7)}
    monkeypatch.setattr(agreement, "draw", lambda *arguments: at)
    methods = dict(agreement.METHODS)
    del methods["the compiled kernel"]
    monkeypatch.setattr(agreement, "METHODS", methods)
    agreed = assert_methods_agree(program)
    assert (agreed.judged, agreed.size) == (2, size)
    assert "corner at the drawn values along w[0]" in agreed.corners[0]
    # Away from the corners a bug is still seen.
    wrong = spoilt(methods["dual numbers"], SPOILT["twice"][0])
    monkeypatch.setattr(agreement, "METHODS", {**methods, "dual numbers": wrong})
    with pytest.raises(GradientError, match=r"(?s)alone, dual numbers.*corner at"):
        assert_methods_agree(program)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": 3}, "give a Program or a Network"),
        ({"seed": -1}, "seed is -1"),
        ({"batch": 0}, "batch is 0"),
        ({"batch": True}, "batch is True"),
    ],
)
def test_bad_input_of_methods(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        assert_methods_agree(**{"source": network(), **given})


# The plugin

FIXTURES = """
import numpy as np

def test_right(assert_gradient):
    assert_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones(3))

def test_wrong(assert_gradient):
    assert_gradient(lambda x: (x**2).sum(), lambda x: x, np.ones(3))

def test_methods(assert_methods_agree):
    assert assert_methods_agree.__name__ == "assert_methods_agree"
"""


def test_plugin_gives_fixtures_without_import(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(FIXTURES)
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plugin = entry["entry-points"]["pytest11"]["symbackprop"]
    command = [sys.executable, "-m", "pytest", "-p", plugin, "-q", str(tmp_path)]
    # Whether this package is installed or not, the plugin is loaded once.
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=alone
    )
    assert "1 failed, 2 passed" in found.stdout
    assert "Likely cause: a factor 1/2" in found.stdout


def test_plugin_costs_nothing_at_start() -> None:
    code = (
        "import sys, pytest, symbackprop.testing.plugin\n"
        "print([m for m in ('numpy', 'sympy', 'numba') if m in sys.modules])"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert found.strip() == "[]"


def test_names_are_told_where_they_are_loaded() -> None:
    import symbackprop.testing as testing

    for name in testing.__all__:
        home = importlib.import_module(f"symbackprop.{testing._HOME[name]}")
        assert getattr(testing, name) is getattr(home, name)
        assert name in dir(testing)
    with pytest.raises(AttributeError, match="typo"):
        testing.typo  # noqa: B018
