"""JAX: `jit(value_and_grad(...))` of the forward equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symbackprop.contrast.method import Prepared
from symbackprop.contrast.peers.arrays import Foreign, Held
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.equations import System
from symbackprop.witnesses.evaluate import evaluate
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


def integers(system: System, values: Mapping[str, Any]) -> dict[str, Held]:
    """Whole numbers stay NumPy's: they choose what is read, which JAX cannot trace."""
    whole = {n: v for n, v in values.items() if system.tensors[n].integer}
    return {n: Held(np.asarray(v, dtype=float)) for n, v in whole.items()}


def jacobian(
    system: System, values: Mapping[str, Any], of: str, by: str, mode: str
) -> Callable[[], Floats]:
    """The slopes of one tensor by another, compiled; "forward" or "reverse" mode.

    Shapes:
        The axes of `of`, then those of `by`.
    """
    made = {"forward": jax.jacfwd, "reverse": jax.jacrev}[mode]
    asked = System(  # without the objective, which a Jacobian does not need
        system.name,
        system.axes,
        system.tensors,
        tuple(e for e in system.equations if e.tensor != system.objective),
        system.objective,
        system.constants,
    )
    plain = integers(system, values)
    data = {n: v for n, v in values.items() if n != by and n not in plain}

    def computed(variable: Any, others: dict[str, Any]) -> Any:
        held = {n: Held(v) for n, v in {**others, by: variable}.items()}
        return evaluate(asked, {**plain, **held}, JaxNumbers())[of].array

    with jax.enable_x64(True):
        given = jax.device_put(
            (np.asarray(values[by], float), data), jax.devices("cpu")[0]
        )
        compiled = jax.jit(made(computed)).lower(*given).compile()
    return lambda: np.asarray(compiled(*given))


def gradient(point: Point) -> Callable[[Mapping[str, Any]], Floats]:
    """Trace and compile for the CPU, in double precision.

    Returns:
        A call that takes other data by name and gives all slopes, as `Point.flat`;
        data that are not named keep the point's values.
    """
    system, numbers = point.system, JaxNumbers()
    moving = {n: v for n, v in point.values.items() if not system.tensors[n].integer}
    fixed = integers(system, point.values)

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

    def slopes(others: Mapping[str, Any]) -> Floats:
        given = data
        if others:
            with jax.enable_x64(True):  # else it would round them to float32
                changed = {n: np.asarray(v, float) for n, v in others.items()}
                given = data | jax.device_put(changed, device)
        _, found = compiled(parameters, given)
        return np.asarray(point.flat(found))

    return slopes


def prepare(point: Point, coordinates: Whole) -> Prepared:
    """As `gradient`, at the point itself."""
    found = gradient(point)

    def slopes() -> Floats:
        return np.asarray(found({})[coordinates])

    return Prepared(slopes, evaluations=1, note=f"version {jax.__version__}, jitted")
