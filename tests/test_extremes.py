"""At arguments of +-1e3 and +-1e4 values and slopes are finite and right.

The truth is each program's definition by dual numbers, on so many digits that nothing
of it is lost: 60, but 15,000 where 1 - p cancels to exp(-1e4). Textbook formulas
written as text must do as well as layers.
"""

from __future__ import annotations

import numpy as np
import pytest
from interpreted import call

import symbackprop as sb
from symbackprop.losses import LOSSES
from symbackprop.scalars import ACTIVATIONS, TABLE
from symbackprop.source import plan_file
from symbackprop.witnesses.numbers import Precise
from symbackprop.witnesses.slopes import gradient_by_duals, value

DIGITS, CANCELLING = Precise(60), Precise(15_000)
POINTS = np.array([-1e4, -1e3, -30.0, 0.5, 30.0, 1e3, 1e4])
TOLERANCE = {"float64": 1e-13, "float32": 1e-5}


def hold(
    program: sb.Program,
    values: dict[str, np.ndarray],
    dtype: str,
    digits: Precise = DIGITS,
) -> None:
    rounded = {
        n: v if v.dtype.kind == "i" else v.astype(dtype).astype("float64")
        for n, v in values.items()
    }
    truth = float(value(program, rounded, digits))
    slopes = gradient_by_duals(program, rounded, numbers=digits)
    derivation = sb.derive(program)
    batch = next((len(values[t.name]) for t in program.data if t.batched), 1)
    found, _, gradient = call(program, plan_file(derivation, dtype), rounded, batch)
    expected = np.concatenate([np.ravel(slopes[t.name]) for t in program.parameters])
    tolerance = TOLERANCE[dtype]
    assert abs(found - truth) <= tolerance * max(1.0, abs(truth))
    for ours, theirs in zip(gradient, expected, strict=True):
        assert abs(ours - float(theirs)) <= tolerance * max(1.0, abs(float(theirs)))


def scalar(text: str) -> tuple[sb.Program, dict[str, np.ndarray]]:
    """A function of `w[i]` at all points, weighted so that slopes do not mix."""
    program = sb.Program(
        f"a[i] = {text}\nL = sum(a[i] * y[i], i)",
        axes={"i": len(POINTS)},
        parameters={"w": "i"},
        data={"y": "i"},
        objective="L",
        name="scalar",
    )
    return program, {"w": POINTS, "y": np.linspace(-1.0, 1.5, len(POINTS))}


ELEMENTWISE = [
    f"{name}(w[i]{', 0.25' * len(TABLE[name].learnable)})" for name in ACTIVATIONS
]
WRITTEN_OUT = [
    "1 / (1 + exp(-w[i]))",
    "exp(w[i]) / (1 + exp(w[i]))",
    "1 - 1 / (1 + exp(w[i]))",
    "(exp(w[i]) - exp(-w[i])) / (exp(w[i]) + exp(-w[i]))",
    "2 / (1 + exp(-2*w[i])) - 1",
    "log(1 + exp(w[i]))",
    "-log(1 / (1 + exp(-w[i])))",
    "log(1 + exp(-y[i]*w[i]))",
    "w[i] / (1 + exp(-w[i]))",
    "maximum(0, w[i]) + 0.1*minimum(0, w[i])",
    "where(w[i] > 0, w[i], 0.5*(exp(w[i]) - 1))",
    "sqrt(1 + w[i]**2)",
    "w[i] * tanh(softplus(w[i]))",
    "log(exp(w[i]) + exp(-w[i]))",
    "log1p(exp(w[i]))",
    "log(exp(w[i]) + exp(y[i]) + 3)",
    "exp(w[i]) / (exp(w[i]) + exp(y[i]))",
]

SUMS = [
    "L = log(1 + sum(exp(w[k]), k))",
    "q[k] = exp(w[k]) / (1 + sum(exp(w[c]), c))\nL = q[0] - log(q[1])",
    "L = sum(k*exp(w[k]), k) / sum(exp(w[k]), k)",
    "n = sum(w[k]*exp(-w[k]), k)\nd = sum(exp(-w[k]), k)\nL = n / d",
    "p[k] = exp(w[k]) / sum(exp(w[c]), c)\nL = log(p[0] / p[1])",
    "p[k] = logistic(w[k])\nL = sum(log(p[k] / (1 - p[k])), k)",
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", SUMS)
def test_sums_of_exponentials(text: str, dtype: str) -> None:
    program = sb.Program(
        text,
        axes={"k": 3, "c": 3},
        parameters={"w": "k"},
        data={},
        objective="L",
        name="sums",
    )
    cancels = "1 - p" in text
    for scale in (1.0, 1e3, 1e4):
        w = scale * np.array([1.0, -0.5, 0.25])
        hold(program, {"w": w}, dtype, CANCELLING if cancels else DIGITS)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", [*ELEMENTWISE, *WRITTEN_OUT])
def test_scalar_functions(text: str, dtype: str) -> None:
    hold(*scalar(text), dtype)


HEADS = {
    "softmax": "p[k] = exp(w[k]) / sum(exp(w[c]), c)",
    "named exponentials": "e[k] = exp(w[k])\ns = sum(e[k], k)\np[k] = e[k] / s",
    "logistic": "p[k] = logistic(w[k])",
    "logistic written out": "p[k] = 1 / (1 + exp(-w[k]))",
    "exponential by name": "e[k] = exp(-w[k])\np[k] = 1 / (1 + e[k])",
}
TAILS = {
    "cross entropy": "L = -sum(y[k]*log(p[k]), k)",
    "a label": "L = -log(p[label])",
    "squared error": "L = sum((p[k] - y[k])**2, k) / 2",
    "entropy": "L = -sum(p[k]*log(p[k]), k)",
    "binary cross entropy": "L = -sum(y[k]*log(p[k]) + (1 - y[k])*log(1 - p[k]), k)",
}
# A probability that rounds to 1 has no logarithm of its complement but by its logits;
# a softmax's complement is a sum over other classes, which no rewrite looks for.
PAIRS = [
    (head, tail)
    for head in HEADS
    for tail in TAILS
    if not (
        tail == "binary cross entropy" and head in ("softmax", "named exponentials")
    )
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("head", "tail"), PAIRS)
@pytest.mark.parametrize("scale", [1e3, 1e4])
def test_probabilities_and_their_losses(
    head: str, tail: str, scale: float, dtype: str
) -> None:
    label = tail == "a label"
    program = sb.Program(
        f"{HEADS[head]}\n{TAILS[tail]}",
        axes={"k": 4, "c": 4},
        parameters={"w": "k"},
        data={"label": ""} if label else {"y": "k"},
        integers=("label",) if label else (),
        objective="L",
        name="head",
    )
    values = {
        "w": scale * np.array([1.0, -1.0, 0.5, 0.0]),
        "y": np.array([0.0, 0.75, 0.0, 0.25]),
        "label": np.array(1),
    }
    given = {n: values[n] for n in program.tensors if n in values}
    cancels = tail == "binary cross entropy"
    hold(program, given, dtype, CANCELLING if cancels else DIGITS)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_log_sum_exp(dtype: str) -> None:
    program = sb.Program(
        "L = log(sum(exp(w[k]), k)) - w[1]",
        axes={"k": 3},
        parameters={"w": "k"},
        data={},
        objective="L",
        name="logsumexp",
    )
    for scale in (1e3, 1e4):
        hold(program, {"w": scale * np.array([1.0, -1.0, 0.999])}, dtype)


NETWORKS = [
    (activation, loss)
    for activation in (*ACTIVATIONS, "softmax", "maxout")
    for loss in sorted(LOSSES)
    if loss != "binary_cross_entropy" or activation in ("identity", "tanh", "maxout")
]


MASKED = (
    "p[t, u] = where(u <= t, exp(s[t, u]), 0) / sum(where(v <= t, exp(s[t, v]), 0), v)",
    "e[t, u] = where(t < u, 0, exp(s[t, u]))\nm[t] = sum(e[t, u], u)\n"
    "p[t, u] = e[t, u] / m[t]",
    "p[t, u] = log(sum(where(v <= t, exp(s[t, v] + s[v, t]), 0), v)) * s[t, u]",
)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", MASKED)
def test_masked_exponentials(text: str, dtype: str) -> None:
    program = sb.Program(
        f"{text}\nL = sum(p[t, u] * y[t, u], t, u)",
        axes={"t": 4, "u": 4, "v": 4},
        parameters={"s": "t u"},
        data={"y": "t u"},
        objective="L",
        name="masked",
    )
    scores = np.resize(POINTS, (4, 4))
    weights = np.linspace(-1.0, 1.5, 16).reshape(4, 4)
    hold(program, {"s": scores, "y": weights}, dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_mixture_of_gaussians(dtype: str) -> None:
    program = sb.Program(
        "p[n] = sum(c[k] * exp(-(x[n] - m[k])**2 / 2), k)\nL = -sum(log(p[n]), n)",
        axes={"n": 3, "k": 2},
        parameters={"m": "k", "c": "k"},
        data={"x": "n"},
        objective="L",
        name="mixture",
    )
    values = {
        "m": np.array([100.0, -3.0]),
        "c": np.array([0.25, 0.75]),
        "x": np.array([-50.0, 0.5, 120.0]),
    }
    hold(program, values, dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("activation", "loss"), NETWORKS)
def test_networks(activation: str, loss: str, dtype: str) -> None:
    """Saturated hidden units under every loss, with finite values and slopes.

    Of four samples, a share of 1/4 is exact: large slopes cancel without a rest.
    """
    hidden = sb.Maxout(3, 2) if activation == "maxout" else sb.Dense(3, activation)
    last = {"squared_error": "identity", "binary_cross_entropy": "logistic"}
    network = sb.Network(2, [hidden, sb.Dense(3, last.get(loss, "softmax"))], loss)
    program = network.program
    rng = np.random.default_rng(1)
    values = {
        t.name: rng.choice([-1.0, 0.5, 1.0], size=program.shape(t.name))
        for t in program.parameters
    }
    values["x"] = np.array([[1e3, -1e4], [1e4, 1e3], [-1e3, -1e3], [30.0, 0.5]])
    labels = np.array([0, 2, 1, 1])
    values["y"] = labels if LOSSES[loss].takes_labels else np.eye(3)[labels]
    cancels = loss == "binary_cross_entropy"
    hold(program, values, dtype, CANCELLING if cancels else DIGITS)
