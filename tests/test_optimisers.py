"""Optimisers, schedules and clipping: each rule against its paper, written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreted import interpreter

import symbackprop as sb
from symbackprop.grammar.text import flaw_of_name
from symbackprop.loops import loop_of
from symbackprop.optimisers import Optimiser, Rule, Schedule
from symbackprop.source.update import OWN

PROGRAM = sb.Program(
    equations="L = sum((w[i]*x[i] - y)**2, i)",
    axes={"i": 2},
    parameters={"w": "i"},
    data={"x": "i", "y": ""},
    batched=("x", "y"),
    objective="L",
)
STEPS = 6


# --- the papers ----------------------------------------------------------------------
# One component at a time, in Python's floats, with the papers' own letters; nothing of
# the package is used.


def sgd(theta: float, slopes: list[float], rate: float = 0.1) -> float:
    for g in slopes:
        theta = theta - rate * g
    return theta


def heavy_ball(theta: float, slopes: list[float]) -> float:
    """Polyak: x_{t+1} = x_t - a g + b (x_t - x_{t-1})."""
    a, b, before = 0.1, 0.9, theta
    for g in slopes:
        theta, before = theta - a * g + b * (theta - before), theta
    return theta


def nesterov(theta: float, slopes: list[float]) -> float:
    """Sutskever et al. for the point theta + mu v, where the gradient is taken."""
    rate, mu, v = 0.1, 0.9, 0.0
    ahead = theta
    for g in slopes:
        theta = ahead - mu * v
        v = mu * v - rate * g
        theta = theta + v
        ahead = theta + mu * v
    return ahead


def adagrad(theta: float, slopes: list[float]) -> float:
    for t, g in enumerate(slopes):
        G = sum(s * s for s in slopes[: t + 1])
        theta -= 0.1 * g / (math.sqrt(G) + 1e-10)
    return theta


def rmsprop(theta: float, slopes: list[float]) -> float:
    square = 0.0
    for g in slopes:
        square = 0.9 * square + 0.1 * g * g
        theta -= 0.1 * g / (math.sqrt(square) + 1e-8)
    return theta


def adam(theta: float, slopes: list[float], decay: float = 0.0) -> float:
    """The moments as the weighted sums that section 3 of the paper says they are."""
    b1, b2 = 0.9, 0.999
    for t in range(1, len(slopes) + 1):
        m = (1 - b1) * sum(b1 ** (t - k) * slopes[k - 1] for k in range(1, t + 1))
        v = (1 - b2) * sum(b2 ** (t - k) * slopes[k - 1] ** 2 for k in range(1, t + 1))
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        theta -= 0.1 * (m_hat / (math.sqrt(v_hat) + 1e-8) + decay * theta)
    return theta


@dataclass(frozen=True)
class AdaMax(Optimiser):
    """A rule that the package does not know: Kingma and Ba, algorithm 2."""

    rate: float = 0.1
    beta1: float = 0.9
    k: float = 0.999  # a name that the emitted loop has a use for

    @property
    def rule(self) -> Rule:
        return Rule(
            "adamax",
            """m = beta1*m + (1 - beta1)*g
            m_new = maximum(k*m_new, abs(g))
            theta = theta - rate/(1 - beta1**t)*m/m_new""",
        )


Optimiser.registry.pop("adamax")


def adamax(theta: float, slopes: list[float]) -> float:
    m, u = 0.0, 0.0
    for t, g in enumerate(slopes, 1):
        m = 0.9 * m + 0.1 * g
        u = max(0.999 * u, abs(g))
        theta -= 0.1 / (1 - 0.9**t) * m / u
    return theta


PAPERS: dict[Optimiser, Callable[[float, list[float]], float]] = {
    sb.SGD(0.1): sgd,
    sb.SGD(0.1, 0.9): heavy_ball,
    sb.SGD(0.1, 0.9, nesterov=True): nesterov,
    sb.AdaGrad(0.1): adagrad,
    sb.RMSProp(0.1): rmsprop,
    sb.Adam(0.1): adam,
    sb.AdamW(0.1, decay=0.3): lambda theta, slopes: adam(theta, slopes, 0.3),
    AdaMax(): adamax,
}


# --- the judges ----------------------------------------------------------------------


def slopes(rng: np.random.Generator, dtype: str, size: int = 71) -> np.ndarray:
    """Of several sizes; a vector of odd length has a remainder in a vector loop."""
    drawn = rng.normal(size=(STEPS, size)) * 10.0 ** rng.uniform(-3, 1, (1, size))
    return drawn.astype(dtype)


def by_paper(paper: Any, theta: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    columns = drawn.astype(float).T.tolist()
    return np.array([paper(float(x), g) for x, g in zip(theta, columns, strict=True)])


def by_reference(
    optimiser: Optimiser, theta: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    theta = theta.copy()
    state = optimiser.start(theta)
    for count, gradient in enumerate(drawn, 1):
        optimiser.step(theta, gradient, state, count)
    return theta


def compiled(folder: Path, optimiser: Any, dtype: str) -> Any:
    """The emitted file as a module; its `backward` is never called."""
    path = folder / f"kernels_{dtype}.py"
    path.write_text("")
    derivation = SimpleNamespace(program=PROGRAM)
    kernels: Any = SimpleNamespace(
        derivation=derivation, dtype=dtype, path=path, backward=None
    )
    return loop_of(kernels, optimiser).module


def by_emitted(
    update: Any, optimiser: Optimiser, theta: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    theta = theta.copy()
    state = [np.zeros_like(theta) for _ in optimiser.rule.state]
    numbers = [v for name, v in optimiser.options.items() if name != "rate"]
    for step, gradient in enumerate(drawn, 1):
        before = gradient.copy()
        assert update(theta, gradient, *state, step, optimiser.rate, *numbers)
        assert (gradient == before).all()
    return theta


def agree(one: np.ndarray, two: np.ndarray, dtype: str) -> bool:
    tolerance = 200 * float(np.finfo(dtype).eps)
    return bool(np.allclose(one, two, rtol=tolerance, atol=tolerance))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimiser", PAPERS, ids=lambda o: o.rule.name)
def test_emitted_update_is_what_the_paper_says(tmp_path, rng, optimiser, dtype) -> None:
    theta, drawn = rng.normal(size=71).astype(dtype), slopes(rng, dtype)
    paper = by_paper(PAPERS[optimiser], theta, drawn)
    reference = by_reference(optimiser, theta, drawn)
    module = compiled(tmp_path, optimiser, dtype)
    emitted = by_emitted(module.update, optimiser, theta, drawn)
    assert reference.dtype == emitted.dtype == np.dtype(dtype)
    assert agree(reference, paper, dtype)
    assert agree(emitted, paper, dtype)
    assert agree(emitted, reference, dtype)
    assert not agree(paper, theta, dtype)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(1 - beta1)*g", "(1 + beta1)*g"),
        ("g**2", "abs(g)"),
        ("1 - beta2**t", "1 - beta2"),
        ("sqrt(v_hat) + epsilon", "sqrt(v_hat + epsilon)*1.0001"),
        ("theta - rate", "theta + rate"),
        ("m_hat/(", "m/("),
    ],
)
def test_a_wrong_rule_is_found(rng, right: str, wrong: str) -> None:
    class Planted(sb.Adam):
        @property
        def rule(self) -> Rule:
            text = "\n".join(super().rule.lines)
            assert text.count(right) == 1
            return Rule("planted", text.replace(right, wrong))

    Optimiser.registry.pop("planted")
    theta, drawn = rng.normal(size=71), slopes(rng, "float64")
    found = by_reference(Planted(0.1), theta, drawn)
    assert not agree(found, by_paper(adam, theta, drawn), "float64")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("real(beta2) * v[k]", "real(beta1) * v[k]"),
        ("v, step, rate, beta1, beta2,", "v, step, rate, beta2, beta1,"),
        ("t = float(step)", "t = 1.0"),
        ("m[k] = m_new", "m[k] = g"),
        ("range(theta.size)", "range(theta.size - theta.size % 16)"),
        ("math.sqrt(v_hat)", "math.sqrt(v_new)"),
    ],
)
def test_a_wrong_loop_is_not_returned(
    tmp_path, monkeypatch, right: str, wrong: str
) -> None:
    """A mistake of the printer, which the reference does not share."""
    from symbackprop import loops

    text = loops.emit_training

    def planted(*given: Any) -> str:
        made = text(*given)
        assert right in made
        return made.replace(right, wrong)

    monkeypatch.setattr(loops, "emit_training", planted)
    with interpreter(), pytest.raises(sb.CheckError, match="with the rule `adam`"):
        compiled(tmp_path, sb.Adam(0.1), "float64")
    assert not list(tmp_path.glob("training*.py"))


def test_update_says_what_is_not_finite(tmp_path) -> None:
    """Also where theta stays: a square that overflows ends Adam's steps silently."""
    module = compiled(tmp_path, sb.Adam(), "float32")
    for place in (0, 40, 70):
        for wrong in (np.nan, np.inf, -np.inf, 1e30):
            vectors = [np.zeros(71, "float32") for _ in range(4)]
            vectors[1][place] = wrong
            assert not module.update(*vectors, 1, 1e-3, 0.9, 0.999, 1e-8)
            assert module.finite(vectors[1]) == np.isfinite(wrong)
            assert np.isfinite(np.delete(vectors[0], place)).all()
            if np.isnan(wrong):
                assert np.isnan(vectors[0][place])
    with pytest.raises(ValueError, match="of one size"):
        module.update(*vectors[:3], np.zeros(3, "float32"), 1, 1e-3, 0.9, 0.999, 1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping(tmp_path, rng, dtype: str) -> None:
    module = compiled(tmp_path, sb.SGD(), dtype)
    g = rng.normal(size=71).astype(dtype)
    length = float(np.linalg.norm(g.astype(float)))
    for limit in (0.5, 2.0, length * 1.001):
        found = g.copy()
        assert module.clip_norm(found, limit) == pytest.approx(length, rel=1e-12)
        expected = g * min(1.0, limit / length)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert np.linalg.norm(found) <= limit * (1 + 1e-5)
    for limit in (0.5, 10.0):
        found = g.copy()
        module.clip_value(found, limit)
        np.testing.assert_array_equal(found, np.clip(g, -limit, limit))
    g[3] = np.nan
    module.clip_value(g, 0.1)
    assert np.isnan(g[3])
    assert np.isnan(module.clip_norm(g, 0.1))


# --- rules ---------------------------------------------------------------------------


def test_state_is_what_is_read_before_it_is_assigned() -> None:
    rule = Rule("r", "a = b + g; b = a*c; d = a; theta = theta - d*t")
    assert rule.state == ("b",)
    assert rule.options == ("c",)
    assert rule.evaluate({"b": 1.0, "g": 2.0, "c": 3.0, "theta": 0.0, "t": 2})[
        "theta"
    ] == -6.0  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theta = theta - rate*", "invalid syntax"),
        ("theta - rate*g", "write `name = expression`"),
        ("v = g", "assign each name once, and theta last"),
        ("v = g; v = v; theta = v", "assign each name once"),
        ("g = 1; theta = g", "`g` cannot be a name"),
        ("theta = exp(g)", "`exp` is no function here"),
        ("theta = theta.real", "`theta.real` cannot stand here"),
        ("theta = theta[0]", "cannot stand here"),
        ("theta = (lambda: g)()", "cannot stand here"),
        ("theta = '1'", "cannot stand here"),
        ("theta = g if g else 1", "cannot stand here"),
        ("import os; theta = g", "write `name = expression`"),
        ("θ = g; theta = θ", "cannot be a name"),
    ],
)
def test_rules_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(sb.DeclarationError, match=said):
        Rule("r", text)
    with pytest.raises(sb.DeclarationError, match="no identifier"):
        Rule("../r", "theta = g")


# --- schedules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (sb.ConstantRate(), lambda e: 1.0),
        (sb.StepRate(3, factor=0.5), lambda e: 0.5 ** (e // 3)),
        (sb.ExponentialRate(0.9), lambda e: 0.9**e),
        (
            sb.CosineRate(8, least=0.1),
            lambda e: 0.1 + 0.45 * (1 + math.cos(math.pi * min(e, 8) / 8)),
        ),
    ],
)
def test_schedules_against_their_formulas(schedule: Schedule, formula: Any) -> None:
    per_epoch, count = 7, 90
    found = schedule.factors(1, count, per_epoch)
    expected = [formula((step - 1) / per_epoch) for step in range(1, count + 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    warm = type(schedule)(**{**vars(schedule), "warmup": 2})
    found = warm.factors(1, count, per_epoch)
    rise = [step / 14 for step in range(1, 15)]
    np.testing.assert_allclose(found, [*rise, *expected[: count - 14]], rtol=1e-14)
    later = warm.factors(30, 20, per_epoch)
    assert later.tolist() == found[29:49].tolist()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: sb.StepRate(0), "`every` is 0"),
        (lambda: sb.ExponentialRate(-1), "`factor` is -1"),
        (lambda: sb.CosineRate(1, least=1), "`least` is 1; .* less than 1"),
        (lambda: sb.CosineRate(1, warmup=-1), "`warmup` is -1"),
        (lambda: sb.Clip(), "give a `norm`, a `value`, or both"),
        (lambda: sb.Clip(norm=0), "`norm` is 0"),
        (lambda: sb.AdamW(decay=-1), "`decay` is -1"),
        (lambda: sb.RMSProp(decay=1), "`decay` is 1"),
        (lambda: sb.AdaGrad(epsilon=0), "`epsilon` is 0"),
    ],
)
def test_options_that_are_refused(make: Any, said: str) -> None:
    with pytest.raises(sb.DeclarationError, match=said):
        make()


# --- the emitted file of any program -------------------------------------------------

WORDS = sorted(
    name
    for name in {*OWN, "m", "v", "beta1", "m_new", "x_rows", "samples_rows", "plain"}
    if flaw_of_name(name) is None and not name.startswith("__")
)
AXES = {"i": 2, "j": 3, "l": 4}


@st.composite
def declared(draw: st.DrawFn) -> dict[str, Any]:
    """Data of any rank, real or whole, batched or not, under awkward names."""
    names = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True))
    axes, whole, batched, terms = {}, [], [names[0]], []
    for name in names:
        letters = draw(st.sampled_from(["", "i", "i j", "j i l"]))
        read = f"{name}[{letters.replace(' ', ', ')}]" if letters else name
        if draw(st.booleans()):
            whole.append(name)
            read = f"E_[{read}]"
        if draw(st.booleans()) and name not in batched:
            batched.append(name)
        axes[name] = letters
        bound = ", ".join(["", *letters.split()])
        terms.append(f"sum({read}{bound})" if letters else read)
    return {
        "equations": f"L_ = w_*({' + '.join(terms)})",
        "axes": {**AXES, "e_": 5},
        "parameters": {"w_": "", "E_": "e_"},
        "data": axes,
        "integers": tuple(whole),
        "batched": tuple(batched),
        "objective": "L_",
    }


@settings(deadline=None, max_examples=60, database=None, derandomize=True)
@given(declared(), st.sampled_from(list(PAPERS)))
def test_any_data_are_gathered(tmp_path_factory, said: Any, optimiser: Any) -> None:
    program, rng = sb.Program(**said), np.random.default_rng(0)
    data = {
        t.name: np.asarray(
            rng.integers(5, size=((7,) if t.batched else ()) + program.shape(t.name))
        ).astype(np.int64 if t.integer else np.float64)
        for t in program.data
    }
    met: list[list[Any]] = []

    def backward(theta: Any, *arrays: Any) -> float:
        met.append([np.array(array) for array in arrays[:-2]])
        arrays[-2][:] = 0.0
        return float(len(met))

    path = tmp_path_factory.mktemp("gathered") / "kernels_float64.py"
    path.write_text("")
    kernels: Any = SimpleNamespace(
        derivation=SimpleNamespace(program=program),
        dtype="float64",
        path=path,
        backward=backward,
    )
    theta = np.ones(6)
    order = np.array([3, 0, 6, 1, 5, 2, 4])
    rows = [np.empty((3, *data[t.name].shape[1:]), data[t.name].dtype)
            for t in program.data if t.batched]  # fmt: skip
    numbers = [v for name, v in optimiser.options.items() if name != "rate"]
    with interpreter(), np.errstate(all="ignore"):
        found = loop_of(kernels, optimiser).epoch(
            theta, *data.values(), order, 3, 0, 3, 0, np.full(3, 0.1), math.inf,
            math.inf, *numbers, np.empty(6), *optimiser.start(theta), *rows,
            np.empty(0), 0.5,
        )  # fmt: skip
    assert found[1] == 3 or isinstance(optimiser, AdaMax)  # which divides by 0 here
    for number, arrays in enumerate(met):
        picked = order[3 * number : 3 * number + 3]
        for tensor, array in zip(program.data, arrays, strict=True):
            whole = data[tensor.name]
            expected = whole[picked] if tensor.batched else whole
            np.testing.assert_array_equal(array, expected)
    if found[1] == 3:
        assert found == (0.5 + 1 * 3 + 2 * 3 + 3 * 1, 3, 0)
