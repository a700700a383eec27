"""Laws: every way to a gradient leads to the same one.

Over random programs, and over every layer, activation and loss there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interpreted import arrays, call
from jax_peer import value_and_gradient
from programs import programs

import symbackprop as sb
from symbackprop.layers import Layer
from symbackprop.losses import LOSSES
from symbackprop.program import Program
from symbackprop.scalars import ACTIVATIONS
from symbackprop.source import plan_file
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.slopes import central_difference, complex_step, dual_slope

BATCH = 3


def distance(ours: Any, theirs: Any) -> float:
    """The norm of the difference, over that of the expected where it exceeds 1."""
    difference = np.linalg.norm(np.ravel(ours) - np.ravel(theirs))
    return float(difference / max(1.0, np.linalg.norm(np.ravel(theirs))))


def flat(program: Program, arrays: dict[str, Any]) -> Any:
    """Arrays of the parameters as one vector, laid out like `theta`."""
    return np.concatenate(
        [np.zeros(0), *(np.ravel(arrays[t.name]) for t in program.parameters)]
    )


def every_way(program: Program, rng: np.random.Generator) -> None:
    """Derived and emitted = JAX = complex step = dual numbers = central difference.

    Emitted plainly and with all that makes it fast, for short batches and long ones.
    """
    derivation = sb.derive(program)
    values = draw(program, rng, BATCH)
    double = plan_file(derivation, "float64")
    value, forward, gradient = call(program, double, values, BATCH)
    assert value == forward

    parameters = {t.name: values[t.name] for t in program.parameters}
    data = {t.name: values[t.name] for t in program.data}
    expected, slopes = value_and_gradient(program, parameters, data)
    slope = flat(program, slopes)
    assert distance(value, expected) < 1e-11
    assert distance(gradient, slope) < 1e-11

    along = {name: rng.normal(size=np.shape(v)) for name, v in parameters.items()}
    scale = 1 + np.abs(gradient) @ np.abs(flat(program, along))
    ours = gradient @ flat(program, along)
    assert abs(ours - complex_step(program, values, along)) < 1e-12 * scale
    assert abs(ours - dual_slope(program, values, along)) < 1e-12 * scale
    assert abs(ours - central_difference(program, values, along)) < 1e-4 * scale

    plain = call(program, plan_file(derivation, "float64", plain=True), values, BATCH)
    assert distance(plain[0], value) < 1e-11
    assert distance(plain[2], gradient) < 1e-11
    if double.longest_few:
        times = double.longest_few // BATCH + 1
        longer = {
            t.name: np.concatenate([values[t.name]] * times)
            for t in program.data
            if t.batched
        }
        long = call(program, double, values | longer, BATCH * times)
        assert distance(long[0], value) < 1e-11
        assert distance(long[2], gradient) < 1e-11

    single = call(program, plan_file(derivation, "float32"), values, BATCH)
    assert single[2].dtype == np.float32
    assert distance(single[0], value) < 1e-4
    assert distance(single[2], gradient) < 1e-3


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(declaration=programs(), seed=st.integers(0, 2**32 - 1))
def test_random_programs(declaration: dict[str, Any], seed: int) -> None:
    every_way(sb.Program(**declaration), np.random.default_rng(seed))


def of_layer(kind: str) -> sb.Network:
    layer, shape = Layer.registry[kind].example()
    penalty = sb.Frobenius(0.1) if layer.forward(shape).weights else None
    return sb.Network(list(shape), [layer], "squared_error", penalty)


def of_loss(loss: str) -> sb.Network:
    last = "logistic" if loss == "binary_cross_entropy" else "softmax"
    return sb.Network(4, [sb.Dense(3, "tanh"), sb.Dense(3, last)], loss)


@pytest.mark.parametrize("kind", sorted(Layer.registry))
def test_every_layer(kind: str, rng: np.random.Generator) -> None:
    every_way(of_layer(kind).program, rng)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "softmax"])
def test_every_activation(activation: str, rng: np.random.Generator) -> None:
    layers = [sb.Dense(4, activation), sb.Dense(2)]
    every_way(sb.Network(3, layers, "squared_error").program, rng)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss(loss: str, rng: np.random.Generator) -> None:
    every_way(of_loss(loss).program, rng)


@pytest.mark.parametrize(
    "network",
    [
        *(pytest.param(of_layer(kind), id=kind) for kind in sorted(Layer.registry)),
        *(pytest.param(of_loss(loss), id=loss) for loss in sorted(LOSSES)),
    ],
)
def test_interpreted_is_compiled(network: sb.Network, rng, tmp_path) -> None:
    program = network.program
    derivation = sb.derive(program)
    kernels = sb.compile(derivation, dtype="float64", directory=tmp_path)
    values = draw(program, rng, BATCH)
    value, _, gradient = call(program, plan_file(derivation, "float64"), values, BATCH)
    theta, data = arrays(program, values, "float64")
    compiled, slope = kernels.value_and_grad(theta, *data)
    assert distance(compiled, value) < 1e-14
    assert distance(slope, gradient) < 1e-14
