"""JAX: `jit(value_and_grad(...))` of the forward equations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symbackprop.contrast.method import Prepared
from symbackprop.contrast.peers.arrays import Foreign, Held
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.slopes import objective

FUNCTIONS = {
    **{
        name: getattr(jnp, name)
        for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "log1p", "expm1")
    },
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "power": jnp.power,
}


class JaxNumbers(Foreign):
    """The forward equations in arrays that JAX traces."""

    contracts = True

    def __init__(self) -> None:
        super().__init__(jnp, jnp.asarray, FUNCTIONS)

    def whole(self, a: Value) -> Any:
        return np.rint(np.asarray(a.array)).astype(np.int64)

    def put(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        a.array = a.array.at[places].add(b.array)

    def scatter(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        self.put(a, places, b)

    def sum(self, a: Value, axes: tuple[int, ...]) -> Value:
        return Held(jnp.sum(a.array, axis=axes, keepdims=True)) if axes else a


def prepare(point: Point, coordinates: Whole) -> Prepared:
    """Trace and compile for the CPU, in double precision."""
    system, numbers = point.system, JaxNumbers()
    moving = {n: v for n, v in point.values.items() if not system.tensors[n].integer}
    fixed = {n: v for n, v in point.values.items() if system.tensors[n].integer}

    def value(parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        given = {n: Held(v) for n, v in (parameters | data).items()}
        found = objective(system, {**fixed, **given}, numbers).array
        return found.reshape(())

    with jax.enable_x64(True):
        device = jax.devices("cpu")[0]
        arrays = jax.device_put(
            {n: np.asarray(v, float) for n, v in moving.items()}, device
        )
        parameters = {n: arrays[n] for n in point.shapes}
        data = {n: v for n, v in arrays.items() if n not in point.shapes}
        compiled = jax.jit(jax.value_and_grad(value)).lower(parameters, data).compile()

    def slopes() -> Floats:
        _, found = compiled(parameters, data)
        return np.asarray(point.flat(found)[coordinates])

    return Prepared(slopes, evaluations=1, note=f"version {jax.__version__}, jitted")
