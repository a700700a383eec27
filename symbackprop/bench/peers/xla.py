"""JAX: one jitted function, called as it comes and with synchronous dispatch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symbackprop.bench.problem import (
    EPOCHS,
    RATE,
    Contestant,
    Outcome,
    Problem,
    UnavailableError,
)

jax.config.update("jax_enable_x64", True)  # float32 stays what it is


def loss(parameters: Any, x: Any, y: Any) -> Any:
    a = x
    for k in range(0, len(parameters), 2):
        z = a @ parameters[k].T + parameters[k + 1]
        a = jnp.tanh(z)
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(z), axis=-1))


def gradient(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    def contestant(device: Any) -> Contestant:
        given = (list(problem.parameters), problem.x, problem.y)
        parameters, x, y = jax.device_put(given, device)
        whole = jax.jit(jax.value_and_grad(loss))

        def call() -> Any:
            value, slopes = whole(parameters, x, y)
            value.block_until_ready()
            return value, slopes

        return Contestant(call, lambda: _outcome(*call()))

    yield "JAX", contestant(jax.devices("cpu")[0])
    yield "JAX inline", contestant(inline())


@cache
def inline() -> Any:
    """A CPU whose computations run in the calling thread.

    JAX hands them to another thread by default, which costs some 50 us; a flag turns
    that off for the whole process. A second client lets both be measured side by side.
    """
    try:
        from jaxlib import xla_client

        return xla_client.make_cpu_client(asynchronous=False).devices()[0]
    except (ImportError, AttributeError, TypeError) as error:
        raise UnavailableError(f"this jaxlib makes no such client: {error}") from error


def epoch(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    """An epoch is one call: a scan over its minibatches, then the smaller last one."""
    batch, samples = problem.case.batch, problem.case.samples
    whole = samples // batch * batch

    def step(state: Any, rows: Any, x: Any, y: Any) -> Any:
        parameters, means, squares, count = state
        slopes = jax.grad(loss)(parameters, x[rows], y[rows])
        count = count + 1
        fresh, scale = 1 - 0.9**count, jnp.sqrt(1 - 0.999**count)
        after: list[Any] = []
        for p, m, v, g in zip(parameters, means, squares, slopes, strict=True):
            m = m + 0.1 * (g - m)
            v = v + 0.001 * (g * g - v)
            after.append((p - RATE / fresh * m / (jnp.sqrt(v) / scale + 1e-8), m, v))
        return (*map(list, zip(*after, strict=True)), count)

    def run(state: Any, order: Any, x: Any, y: Any) -> Any:
        rows = order[:whole].reshape(-1, batch)
        state, _ = jax.lax.scan(lambda s, r: (step(s, r, x, y), None), state, rows)
        return step(state, order[whole:], x, y) if samples > whole else state

    compiled = jax.jit(run)

    def contestant(device: Any) -> Contestant:
        x, y = jax.device_put((problem.x, problem.y), device)

        def train() -> Any:
            rng = np.random.default_rng(0)
            zeros = [np.zeros_like(p) for p in problem.parameters]
            count = np.zeros((), problem.case.dtype)
            state = (list(problem.parameters), zeros, zeros, count)
            state = jax.device_put(state, device)
            for _ in range(EPOCHS):
                order = jax.device_put(rng.permutation(samples), device)
                state = compiled(state, order, x, y)
            return jax.block_until_ready(state[0])

        return Contestant(train, lambda: _outcome(None, train()))

    yield "JAX", contestant(jax.devices("cpu")[0])
    yield "JAX inline", contestant(inline())


def _outcome(value: Any, arrays: Any) -> Outcome:
    found = None if value is None else float(value)
    return Outcome(found, tuple(np.asarray(array) for array in arrays))
