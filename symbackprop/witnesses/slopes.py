"""Slopes of a program's value, from its forward equations alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symbackprop.equations import System
from symbackprop.witnesses.differences import FORMULAS, slope
from symbackprop.witnesses.duals import Dual, DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import COMPLEX, REAL, Array, Numbers

STEP = 1e-30  # of the complex step: nothing is subtracted, so it may be tiny
BLOCK = 64  # directions that dual numbers carry at once


def value(system: System, values: Mapping[str, Any], numbers: Numbers = REAL) -> Any:
    """The mean of the objective over the batch; the objective where unbatched.

    Returns:
        A float of REAL; else one number of the system, a `Dual` of arrays for duals.
    """
    found = objective(system, values, numbers)
    if isinstance(found, Dual):
        return found
    number = np.asarray(found).reshape(-1)[0]
    return float(number) if numbers is REAL else number


def objective(system: System, values: Mapping[str, Any], numbers: Numbers) -> Value:
    """The value as an array without dimensions."""
    found = evaluate(system, values, numbers)[system.objective]
    if not system.tensors[system.objective].batched:
        return found
    length = numbers.array(np.array([found.shape[0]]))
    total = numbers.sum(found, (0,))
    return numbers.reshape(numbers.divide(total, length), ())


def complex_step(
    system: System, values: Mapping[str, Any], direction: Mapping[str, Any]
) -> float:
    """`Im V(theta + i h v) / h`: the slope along `direction`, without cancellation.

    Source: Squire and Trapp, Using complex variables to estimate derivatives of real
        functions, SIAM Review 40 (1998).
    """
    moved = {
        name: np.asarray(values[name]) + 1j * STEP * np.asarray(along)
        for name, along in direction.items()
    }
    found = value(system, {**values, **moved}, COMPLEX)
    return float(found.imag) / STEP


def central_difference(
    system: System,
    values: Mapping[str, Any],
    direction: Mapping[str, Any],
    step: float | None = None,
    numbers: Numbers = REAL,
) -> float:
    """`(V(theta + h v) - V(theta - h v)) / 2h`; None: the step that suits most V."""

    def at(t: Array) -> Any:
        moved = {
            name: numbers.array(values[name]) + numbers.array(t[0] * np.asarray(along))
            for name, along in direction.items()
        }
        return value(system, {**values, **moved}, numbers)

    formula = FORMULAS["central difference"]
    size = formula.best_step() if step is None else step
    return float(slope(at, np.zeros(1), np.ones(1), formula, size))


def dual_slope(
    system: System,
    values: Mapping[str, Any],
    direction: Mapping[str, Any],
    numbers: Numbers = REAL,
) -> Any:
    """The slope along `direction` by dual numbers over `numbers`."""
    duals = DualNumbers(numbers, 1)
    moved = {
        name: duals.dual(values[name], np.asarray(along)[..., None])
        for name, along in direction.items()
    }
    slope = value(system, {**values, **moved}, duals).tangent.reshape(-1)[0]
    return float(slope) if numbers is REAL else slope


def gradient_by_duals(
    system: System,
    values: Mapping[str, Any],
    names: Iterable[str] | None = None,
    numbers: Numbers = REAL,
) -> dict[str, Array]:
    """The slope by every entry of `names` (None: the parameters), by dual numbers.

    Shapes:
        Each slope has the shape of its tensor.
    """
    if names is None:
        names = [parameter.name for parameter in system.parameters]
    wanted = list(names)
    shapes = {name: np.shape(values[name]) for name in wanted}
    sizes = [int(np.prod(shapes[name], dtype=int)) for name in wanted]
    flat = numbers.zeros((sum(sizes),))
    for start in range(0, len(flat), BLOCK):
        stop = min(start + BLOCK, len(flat))
        duals = DualNumbers(numbers, stop - start)
        moved: dict[str, Any] = {}
        first = 0
        for name, size in zip(wanted, sizes, strict=True):
            entries = np.arange(first, first + size)[:, None]
            unit = (entries == np.arange(start, stop)).astype(int)
            moved[name] = duals.dual(values[name], unit.reshape((*shapes[name], -1)))
            first += size
        tangent = value(system, {**values, **moved}, duals).tangent
        flat[start:stop] = np.broadcast_to(tangent, (stop - start,))
    found: dict[str, Array] = {}
    first = 0
    for name, size in zip(wanted, sizes, strict=True):
        found[name] = flat[first : first + size].reshape(shapes[name])
        first += size
    return found
