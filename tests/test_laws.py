"""Laws over random programs: every way to a gradient leads to the same one."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax_peer import value_and_gradient
from programs import programs

import symbackprop as sb
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.slopes import central_difference, complex_step, dual_slope

LAWS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def norm_wise(ours, theirs):
    """The norm of the difference over that of the expected."""
    difference = np.linalg.norm(np.ravel(ours) - np.ravel(theirs))
    return difference / max(1.0, np.linalg.norm(np.ravel(theirs)))


@LAWS
@given(declaration=programs(), seed=st.integers(0, 2**32 - 1))
def test_derived_is_complex_step_is_difference_is_dual_is_jax(declaration, seed):
    program = sb.Program(**declaration)
    derivation = sb.derive(program)
    rng = np.random.default_rng(seed)
    values = draw(program, rng, 3)
    known = evaluate(derivation.system, values)
    gradient = {p.name: known[derivation.slopes[p.name]] for p in program.parameters}

    parameters = {t.name: values[t.name] for t in program.parameters}
    data = {t.name: values[t.name] for t in program.data}
    value, slopes = value_and_gradient(program, parameters, data)
    assert norm_wise(np.mean(known[program.objective]), value) < 1e-12
    for name, slope in slopes.items():
        assert norm_wise(gradient[name], slope) < 1e-11, name

    direction = {n: rng.normal(size=np.shape(v)) for n, v in parameters.items()}
    along = sum(np.sum(gradient[n] * direction[n]) for n in direction)
    scale = 1 + sum(np.sum(np.abs(gradient[n] * direction[n])) for n in direction)
    assert abs(complex_step(program, values, direction) - along) < 1e-12 * scale
    assert abs(dual_slope(program, values, direction) - along) < 1e-11 * scale
    assert abs(central_difference(program, values, direction) - along) < 1e-4 * scale
