"""The witnesses against one another, against JAX, and against planted bugs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from symbackprop import scalars
from symbackprop.equations import Axis, Equation, Guard, System, Tensor, Term
from symbackprop.errors import CheckError, ShapeError
from symbackprop.witnesses import blocks
from symbackprop.witnesses import evaluate as evaluating
from symbackprop.witnesses.draws import draw, draw_exact, integer_ranges, shrink
from symbackprop.witnesses.duals import Dual, DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.exact import EXACT
from symbackprop.witnesses.numbers import COMPLEX, PRECISE, REAL
from symbackprop.witnesses.slopes import (
    central_difference,
    complex_step,
    dual_slope,
    gradient_by_duals,
    value,
)


class Sketch:
    """A system drawn by hand: axes and tensors by name, then equations."""

    def __init__(self, **axes: int) -> None:
        self.axes = {n: Axis(n, size, k) for k, (n, size) in enumerate(axes.items())}
        self.tensors: dict[str, Tensor] = {}
        self.equations: list[Equation] = []

    def __getitem__(self, letter: str) -> Any:
        return self.axes[letter].index

    def tensor(
        self, name: str, axes: str = "", role: Any = "defined", **more: Any
    ) -> Any:
        made = Tensor(name, tuple(axes.split()), role, len(self.tensors), **more)
        self.tensors[name] = made
        return made.read

    def equation(self, name: str, *terms: Any, **more: Any) -> None:
        indices = tuple(self[letter] for letter in more.pop("at", "").split())
        made = tuple(t if isinstance(t, Term) else Term(t) for t in terms)
        self.equations.append(Equation(name, indices, made, **more))

    def system(self, objective: str) -> System:
        return System(
            "sketch", self.axes, self.tensors, tuple(self.equations), objective
        )


def dense() -> System:
    """z = W x + b, a = f(z), L = |a - y|^2 / 2."""
    s = Sketch(i=3, j=4)
    i, j = s["i"], s["j"]
    W, b = s.tensor("W", "i j", "parameter"), s.tensor("b", "i", "parameter")
    x = s.tensor("x", "j", "data", batched=True)
    y = s.tensor("y", "i", "data", batched=True)
    z, a = s.tensor("z", "i", batched=True), s.tensor("a", "i", batched=True)
    s.tensor("L", batched=True)
    s.equation("z", Term(W(i, j) * x(j), (j,)), Term(b(i)), at="i")
    s.equation("a", sympy.tanh(z(i)), at="i")
    s.equation("L", Term((a(i) - y(i)) ** 2 / 2, (i,)))
    return s.system("L")


def dense_values(rng: np.random.Generator, batch: int = 5) -> dict[str, Any]:
    shapes = {"W": (3, 4), "b": (3,), "x": (batch, 4), "y": (batch, 3)}
    return {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_dense_layer(rng: np.random.Generator) -> None:
    values = dense_values(rng)
    found = evaluate(dense(), values)
    a = np.tanh(values["x"] @ values["W"].T + values["b"])
    np.testing.assert_allclose(found["a"], a, rtol=1e-15)
    loss = ((a - values["y"]) ** 2).sum(1) / 2
    np.testing.assert_allclose(found["L"], loss, rtol=1e-14)


@pytest.mark.parametrize("numbers", [COMPLEX, PRECISE], ids=["complex", "precise"])
def test_number_systems_agree(rng: np.random.Generator, numbers: Any) -> None:
    values = dense_values(rng, 2)
    real, other = evaluate(dense(), values), evaluate(dense(), values, numbers)
    for name, array in real.items():
        plain = other[name].astype(complex).real
        np.testing.assert_allclose(plain, array, rtol=1e-14, atol=1e-16)


# Subscripts, recurrences, scatter, reductions


def convolution() -> System:
    """Strided, zero padded: s_p = sum_k K_k x_{2p+k-1}; L = sum_p s_p^2."""
    s = Sketch(p=4, k=3, n=7)
    p, k = s["p"], s["k"]
    K = s.tensor("K", "k", "parameter")
    x = s.tensor("x", "n", "data", batched=True, zero_outside=True)
    c = s.tensor("c", "p", batched=True)
    s.tensor("L", batched=True)
    s.equation("c", Term(K(k) * x(2 * p + k - 1), (k,)), at="p")
    s.equation("L", Term(c(p) ** 2, (p,)))
    return s.system("L")


def recurrence() -> System:
    """h_t = tanh(U h_{t-1} + E_{token_t}), L = sum_i h_{T-1,i}^2."""
    s = Sketch(t=5, i=2, j=2, v=6)
    t, i, j = s["t"], s["i"], s["j"]
    U, E = s.tensor("U", "i j", "parameter"), s.tensor("E", "v i", "parameter")
    token = s.tensor("token", "t", "data", batched=True, integer=True)
    z = s.tensor("z", "t i", batched=True)
    h = s.tensor("h", "t i", batched=True, zero_outside=True)
    s.tensor("L", batched=True)
    reads = E(token(t), i)
    s.equation("z", Term(U(i, j) * h(t - 1, j), (j,)), reads, at="t i")
    s.equation("h", sympy.tanh(z(t, i)), at="t i")
    s.equation("L", Term(h(4, i) ** 2, (i,)))
    return s.system("L")


def pooled() -> System:
    """a_i = max_k (W_{k,i} x_k), L = sum_i log(1 + exp(a_i)) + |w| where ... ."""
    s = Sketch(k=4, i=3)
    k, i = s["k"], s["i"]
    W = s.tensor("W", "k i", "parameter")
    x = s.tensor("x", "k", "data", batched=True)
    a, m = s.tensor("a", "i", batched=True), s.tensor("m", "i", batched=True)
    s.tensor("L", batched=True)
    s.equation("a", Term(W(k, i) * x(k), (k,)), at="i", reduction="max")
    s.equation("m", Term(W(k, i) * x(k), (k,)), at="i", reduction="argmax")
    picked = scalars.where(scalars.less(0, a(i)), sympy.sqrt(a(i)), -a(i))
    s.equation("L", Term(picked + scalars.softplus(a(i)) * W(m(i), i), (i,)))
    return s.system("L")


SYSTEMS = [dense, convolution, recurrence, pooled]


def test_strided_padded_convolution(rng: np.random.Generator) -> None:
    values = draw(convolution(), rng, 2)
    x = np.pad(values["x"], ((0, 0), (1, 1)))
    windows = np.stack([x[:, k : k + 7 : 2] for k in range(3)], -1)
    found = evaluate(convolution(), values)["c"]
    np.testing.assert_allclose(found, windows @ values["K"], rtol=1e-14)


def test_recurrence_with_embedding(rng: np.random.Generator) -> None:
    values = draw(recurrence(), rng, 3)
    found = evaluate(recurrence(), values)["h"]
    h = np.zeros((3, 2))
    for t in range(5):
        h = np.tanh(h @ values["U"].T + values["E"][values["token"][:, t]])
        np.testing.assert_allclose(found[:, t], h, rtol=1e-14)


def test_first_maximum_takes_a_tie() -> None:
    values = {"W": np.ones((4, 3)), "x": np.array([[1.0, 2.0, 2.0, 0.0]])}
    found = evaluate(pooled(), values)
    np.testing.assert_array_equal(found["a"], [[2.0, 2.0, 2.0]])
    np.testing.assert_array_equal(found["m"], [[1.0, 1.0, 1.0]])


def test_reversed_recurrence_and_mean_over_the_batch(rng: np.random.Generator) -> None:
    s = Sketch(t=4)
    t = s["t"]
    x = s.tensor("x", "t", "data", batched=True)
    d = s.tensor("d", "t", batched=True, zero_outside=True)
    s.tensor("g")
    s.equation("d", x(t) + d(t + 1) / 2, at="t")
    s.equation("g", Term(d(0), average=True))
    values = draw(s.system("g"), rng, 3)
    expected = values["x"] @ [1, 0.5, 0.25, 0.125]
    found = evaluate(s.system("g"), values)
    np.testing.assert_allclose(found["g"], expected.mean(), rtol=1e-14)
    assert found["g"].shape == ()


def test_recurrence_along_two_axes(rng: np.random.Generator) -> None:
    s = Sketch(t=4, i=3)
    t, i = s["t"], s["i"]
    x = s.tensor("x", "t i", "data")
    g = s.tensor("g", "t i", zero_outside=True)
    s.equation("g", x(t, i) + g(t - 1, i) / 2 + g(t, i - 1) / 3, at="t i")
    values = {"x": rng.normal(size=(4, 3))}
    expected = np.zeros((5, 4))
    for row in range(4):
        for column in range(3):
            above, left = expected[row, column + 1], expected[row + 1, column]
            here = values["x"][row, column] + above / 2 + left / 3
            expected[row + 1, column + 1] = here
    found = evaluate(s.system("g"), values)["g"]
    np.testing.assert_allclose(found, expected[1:, 1:], rtol=1e-14)


def test_scatter_to_rows_averages_over_the_batch(rng: np.random.Generator) -> None:
    """dE_{token_t,i} += de_{t,i}: rows that come repeatedly add up."""
    s = Sketch(v=3, t=5, i=2)
    t, i = s["t"], s["i"]
    token = s.tensor("token", "t", "data", batched=True, integer=True)
    de = s.tensor("de", "t i", "data", batched=True)
    s.tensor("dE", "v i")
    term = Term(de(t, i), (t,), target=(token(t), i), average=True)
    s.equation("dE", term, at="v i")
    values = {"token": rng.integers(0, 3, (4, 5)), "de": rng.normal(size=(4, 5, 2))}
    expected = np.zeros((3, 2))
    for n in range(4):
        for step in range(5):
            expected[values["token"][n, step]] += values["de"][n, step] / 4
    found = evaluate(s.system("dE"), values)["dE"]
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    values["token"][0, 0] = 3
    with pytest.raises(CheckError, match="at 3, outside an axis of size 3"):
        evaluate(s.system("dE"), values)


def scattered(guarded: bool = True) -> System:
    """dx_{2p+k-1} += dc_p K_k: the adjoint of a strided convolution, as a scatter."""
    s = Sketch(p=4, k=3, n=7)
    p, k = s["p"], s["k"]
    K = s.tensor("K", "k", "parameter")
    dc = s.tensor("dc", "p", "data", batched=True)
    s.tensor("dx", "n", batched=True)
    place = 2 * p + k - 1
    guards = (Guard(place, "n"),) if guarded else ()
    s.equation("dx", Term(K(k) * dc(p), (p, k), guards, target=(place,)), at="n")
    return s.system("dx")


@pytest.mark.parametrize("numbers", [REAL, EXACT], ids=["real", "exact"])
def test_scatter_is_the_transpose_of_the_gather(
    rng: np.random.Generator, numbers: Any
) -> None:
    given = draw_exact(scattered(), rng, 2)
    forward = draw_exact(convolution(), rng, 2)
    forward["K"] = given["K"]
    c = evaluate(convolution(), forward, numbers)["c"]
    dx = evaluate(scattered(), given, numbers)["dx"]
    left = (c * numbers.array(given["dc"])).sum()
    right = (dx * numbers.array(forward["x"])).sum()
    assert left == pytest.approx(right, rel=1e-14 if numbers is REAL else 0)


def test_unguarded_scatter_outside_its_axis_is_refused(
    rng: np.random.Generator,
) -> None:
    values = {"K": rng.normal(size=3), "dc": rng.normal(size=(2, 4))}
    with pytest.raises(CheckError, match="outside an axis of size 7"):
        evaluate(scattered(guarded=False), values)


def test_an_evaluator_that_ignores_guards_is_noticed(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = Sketch(n=5, k=3)
    n, k = s["n"], s["k"]
    K = s.tensor("K", "k", "parameter")
    d = s.tensor("d", "n", "data", zero_outside=True)
    s.tensor("dx", "n")
    term = Term(K(k) * d(n - k) + 1, (k,), (Guard(n - k, "n"),))
    s.equation("dx", term, at="n")
    values = draw(s.system("dx"), rng, 1)
    expected = [
        sum(values["K"][k] * values["d"][n - k] + 1 for k in range(3) if n >= k)
        for n in range(5)
    ]
    np.testing.assert_allclose(evaluate(s.system("dx"), values)["dx"], expected)
    monkeypatch.setattr(blocks.Block, "guards", lambda self, guards: None)
    wrong = evaluate(s.system("dx"), values)["dx"]
    assert not np.allclose(wrong, expected)


def test_an_unselected_branch_leaks_nothing() -> None:
    s = Sketch(i=3)
    i = s["i"]
    x = s.tensor("x", "i", "parameter")
    s.tensor("y", "i")
    chosen = scalars.where(scalars.less(0, x(i)), sympy.log(x(i)) + 1 / x(i), 0)
    s.equation("y", chosen, at="i")
    values = {"x": np.array([-1.0, 0.0, 1.0])}
    for numbers in (REAL, COMPLEX, PRECISE, EXACT):
        found = evaluate(s.system("y"), values, numbers)["y"]
        assert found[0] == found[1] == 0
        assert found[2] == found[2]
    dual = DualNumbers(REAL, 1).dual(values["x"], np.ones((3, 1)))
    found = evaluate(s.system("y"), {"x": dual}, DualNumbers(REAL, 1))["y"]
    np.testing.assert_array_equal(found.tangent[:, 0], [0, 0, 0])


@pytest.mark.parametrize("make", SYSTEMS, ids=lambda make: make.__name__)
def test_blocks_of_the_grid_change_nothing(
    make: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = draw(make(), rng, 5)
    whole = evaluate(make(), values)
    monkeypatch.setattr(evaluating, "LIMIT", 6)
    for name, array in evaluate(make(), values).items():
        np.testing.assert_allclose(array, whole[name], rtol=1e-14, atol=1e-15)


def test_contraction_equals_the_plain_sum(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = draw(dense(), rng, 5)
    fast = evaluate(dense(), values)
    monkeypatch.setattr(type(REAL), "contracts", False)
    for name, array in evaluate(dense(), values).items():
        np.testing.assert_allclose(array, fast[name], rtol=1e-14, atol=1e-15)


def test_errors_say_what_is_wrong(rng: np.random.Generator) -> None:
    values = dense_values(rng)
    with pytest.raises(ShapeError, match=r"`W` has the shape \(3, 4\)"):
        evaluate(dense(), {**values, "W": np.ones((4, 3))})
    del values["b"]
    with pytest.raises(CheckError, match="reads `b`"):
        evaluate(dense(), values)
    system = dense()
    bad = replace(system, equations=system.equations[:1])
    bad = replace(
        bad, tensors={**bad.tensors, "z": replace(bad.tensors["z"], batched=False)}
    )
    with pytest.raises(CheckError, match="must average"):
        evaluate(bad, dense_values(rng))


# Slopes


@pytest.mark.parametrize("make", SYSTEMS, ids=lambda make: make.__name__)
def test_slopes_agree(make: Any, rng: np.random.Generator) -> None:
    system = make()
    values = draw(system, rng, 3)
    direction = {
        p.name: rng.normal(size=values[p.name].shape) for p in system.parameters
    }
    exact = complex_step(system, values, direction)
    duals = dual_slope(system, values, direction)
    gradient = gradient_by_duals(system, values)
    inner = sum((gradient[n] * v).sum() for n, v in direction.items())
    assert duals == pytest.approx(exact, rel=1e-12)
    assert inner == pytest.approx(exact, rel=1e-12)
    assert central_difference(system, values, direction) == pytest.approx(
        exact, rel=1e-6, abs=1e-8
    )
    precise = dual_slope(system, values, direction, PRECISE)
    assert float(precise) == pytest.approx(exact, rel=1e-12)


def test_dense_gradient_is_jax_gradient(rng: np.random.Generator) -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)
    values = dense_values(rng)

    def loss(W: Any, b: Any) -> Any:
        a = jnp.tanh(values["x"] @ W.T + b)
        return ((a - values["y"]) ** 2).sum(1).mean() / 2

    expected = jax.grad(loss, (0, 1))(values["W"], values["b"])
    found = gradient_by_duals(dense(), values)
    np.testing.assert_allclose(found["W"], expected[0], rtol=1e-12)
    np.testing.assert_allclose(found["b"], expected[1], rtol=1e-12)


def test_recurrent_gradient_is_jax_gradient(rng: np.random.Generator) -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)
    values = draw(recurrence(), rng, 3)

    def loss(U: Any, E: Any) -> Any:
        h = jnp.zeros((3, 2))
        for t in range(5):
            h = jnp.tanh(h @ U.T + E[values["token"][:, t]])
        return (h**2).sum(1).mean()

    expected = jax.grad(loss, (0, 1))(values["U"], values["E"])
    found = gradient_by_duals(recurrence(), values)
    np.testing.assert_allclose(found["U"], expected[0], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(found["E"], expected[1], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", sorted(scalars.TABLE))
def test_every_function_has_one_slope(name: str, rng: np.random.Generator) -> None:
    row = scalars.TABLE[name]
    s = Sketch(i=6)
    i = s["i"]
    letters = [s.tensor(f"x{n}", "i", "parameter") for n in range(row.arity)]
    s.tensor("L")
    s.equation("L", Term(row.call(*[x(i) for x in letters]), (i,)))
    system = s.system("L")
    values = {f"x{n}": rng.uniform(0.2, 2, 6) for n in range(row.arity)}
    direction = {n: rng.normal(size=6) for n in values}
    slope = complex_step(system, values, direction)
    assert dual_slope(system, values, direction) == pytest.approx(slope, rel=1e-12)
    assert central_difference(system, values, direction) == pytest.approx(
        slope, rel=1e-7, abs=1e-9
    )
    precise = dual_slope(system, values, direction, PRECISE)
    assert float(precise) == pytest.approx(slope, rel=1e-12)


@pytest.mark.parametrize("make", SYSTEMS[:3], ids=lambda make: make.__name__)
def test_exact_slopes_of_stand_ins_are_exact(
    make: Any, rng: np.random.Generator
) -> None:
    """The difference quotient of a rational function tends to the dual slope."""
    system = shrink(make(), small=2)
    values = draw_exact(system, rng, 2)
    direction = draw_exact(system, rng, 2)
    direction = {p.name: direction[p.name] for p in system.parameters}
    slope = dual_slope(system, values, direction, EXACT)
    step = Fraction(1, 10**40)
    ahead = {**values, **{n: values[n] + step * v for n, v in direction.items()}}
    change = value(system, ahead, EXACT) - value(system, values, EXACT)
    assert isinstance(slope, Fraction)
    assert abs(change / step - slope) < abs(slope) / 10**20


@pytest.mark.parametrize(
    "name", ["exp", "tanh", "power", "leaky_relu", "abs", "maximum"]
)
def test_opaque_slopes_are_slopes_of_the_stand_ins(
    name: str, rng: np.random.Generator
) -> None:
    arity = scalars.TABLE[name].arity
    for k in range(arity):
        values = [EXACT.array([Fraction(3, 4 + n)]) for n in range(arity)]
        duals = DualNumbers(EXACT, 1)
        arguments = [duals.dual(v, [[int(n == k)]]) for n, v in enumerate(values)]
        found = duals.apply(name, *arguments)
        assert isinstance(found, Dual)
        expected = EXACT.apply(f"slope_{name}_{k + 1}", *values)
        assert found.tangent[0, 0] == expected[0]


# Draws


def test_shrink_keeps_the_axes_that_meet_together() -> None:
    small = shrink(dense())
    assert {n: a.size for n, a in small.axes.items()} == {"i": 2, "j": 3}
    small = shrink(recurrence())
    assert small.size("i") == small.size("j")
    evaluate(small, draw(small, np.random.default_rng(0), 2))


def test_shrink_lengthens_what_affine_subscripts_reach() -> None:
    s = Sketch(p=9, k=5, n=30)
    p, k = s["p"], s["k"]
    K, x = s.tensor("K", "k", "parameter"), s.tensor("x", "n", "data")
    s.tensor("c", "p")
    s.equation("c", Term(K(k) * x(2 * p + k), (k,)), at="p")
    small = shrink(s.system("c"))
    assert small.size("n") > 2 * (small.size("p") - 1) + small.size("k") - 1
    assert small.size("n") < 30


def test_shrink_keeps_reads_that_leave_an_axis_inside_somewhere() -> None:
    s = Sketch(t=20, k=3)
    t, k = s["t"], s["k"]
    K, x = (
        s.tensor("K", "k", "parameter"),
        s.tensor("x", "t", "data", zero_outside=True),
    )
    s.tensor("c", "t")
    s.equation("c", Term(K(k) * x(t - 4 * k), (k,)), at="t")
    small = shrink(s.system("c"))
    assert small.size("t") > 4 * (small.size("k") - 1) + 1
    assert small.size("t") < 20


def test_draw_finds_the_domain_of_a_logarithm(rng: np.random.Generator) -> None:
    s = Sketch(i=4)
    i = s["i"]
    x = s.tensor("x", "i", "parameter")
    s.tensor("L")
    s.equation("L", Term(sympy.log(x(i)) + sympy.log(1 - x(i)), (i,)))
    found = draw(s.system("L"), rng, 1)["x"]
    assert ((found > 0) & (found < 1)).all()


def test_draw_gives_up_with_advice(rng: np.random.Generator) -> None:
    s = Sketch(i=4)
    x = s.tensor("x", "i", "parameter")
    s.tensor("L")
    s.equation("L", Term(sympy.log(-1 - x(s["i"]) ** 2), (s["i"],)))
    with pytest.raises(CheckError, match="logarithm or root"):
        draw(s.system("L"), rng, 1)


def test_integers_stay_where_they_point() -> None:
    assert integer_ranges(recurrence()) == {"token": (0, 5)}
    s = Sketch(u=3, v=9)
    E = s.tensor("E", "v", "parameter")
    n = s.tensor("n", "", "data", integer=True)
    s.tensor("y", "u")
    s.equation("y", E(2 * n() + s["u"] - 1), at="u")
    assert integer_ranges(s.system("y")) == {"n": (1, 3)}
