"""The compiled kernel, at its real sizes, held against the forward witness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.equations import Equation
from symbackprop.errors import CheckError, DeclarationError
from symbackprop.kernels.arrays import Array
from symbackprop.kernels.kernels import Kernels
from symbackprop.kernels.limits import BATCH, beyond
from symbackprop.proof import Check
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.slopes import complex_step, value

DIRECTIONS = 3
TOLERANCE = {"float64": 1e-11, "float32": 1e-3}
# In single precision a draw may lie beside a kink, or overflow: another one decides.
ATTEMPTS = {"float64": 1, "float32": 3}


def check(kernels: Kernels, watched: Callable[[], Kernels]) -> tuple[Check, ...]:
    """Value and slope along random directions, against complex step.

    Args:
        kernels: what is checked.
        watched: makes the same kernels, but with every tensor left in memory.

    Raises:
        CheckError: they disagree; the first wrong equation is named.
        DeclarationError: a tensor outgrows the precision at ordinary values.
    """
    rng = np.random.default_rng(0)
    attempts = ATTEMPTS[kernels.dtype]
    for attempt in range(attempts):
        values = _rounded(draw(kernels.derivation.program, rng, BATCH), kernels)
        worst = _disagreements(kernels, values, rng)
        if max(worst) <= TOLERANCE[kernels.dtype]:
            names = (
                ("compiled value against the evaluator", 1),
                ("compiled gradient against complex step", DIRECTIONS),
                ("compiled value and gradient of batches of other lengths", 2),
            )
            return tuple(
                Check(name, cases, error)
                for (name, cases), error in zip(names, worst, strict=True)
                if name != names[2][0] or kernels.derivation.program.batched
            )
        if attempt == attempts - 1:
            _refuse_overflow(kernels, values)
            raise CheckError(_complaint(watched(), kernels.path, values, worst))
    raise AssertionError


def _rounded(values: dict[str, Array], kernels: Kernels) -> dict[str, Array]:
    """Values that the kernels' precision holds exactly."""
    return {
        name: array
        if array.dtype.kind in "iu"
        else np.asarray(array).astype(kernels.dtype).astype(np.float64)
        for name, array in values.items()
    }


def _disagreements(
    kernels: Kernels, values: dict[str, Array], rng: np.random.Generator
) -> tuple[float, float, float]:
    """Relative errors of the value, of the worst slope, and of other batches."""
    program = kernels.derivation.program
    theta = kernels.pack({t.name: values[t.name] for t in program.parameters})
    data = [values[t.name] for t in program.data]
    found, gradient = kernels.value_and_grad(theta, *data)
    forward = kernels.value(theta, *data)
    expected = value(program, values)
    scale = max(1.0, abs(expected))
    errors = [_error(found, expected, scale), _error(forward, found, scale)]
    slopes = kernels.unpack(gradient.astype(np.float64))
    worst = 0.0
    for _ in range(DIRECTIONS):
        along = {
            t.name: rng.normal(size=program.shape(t.name)) for t in program.parameters
        }
        parts = [slopes[name] * along[name] for name in along]
        slope = sum(float(part.sum()) for part in parts)
        size = sum(float(np.abs(part).sum()) for part in parts)
        expected = complex_step(program, values, along)
        worst = max(worst, _error(slope, expected, max(size, abs(expected), 1e-30)))
    others = _other_batches(kernels, values, found, gradient)
    return max(errors), worst, others


def _other_batches(
    kernels: Kernels, values: dict[str, Array], found: float, gradient: Array
) -> float:
    """How far shorter and longer batches are from the samples' value and gradient.

    Short and long batches may take other ways through a kernel. Value and gradient of a
    batch are the means over its samples, and those of the samples met several times.
    """
    program = kernels.derivation.program
    if not program.batched:
        return 0.0
    theta = kernels.pack({t.name: values[t.name] for t in program.parameters})
    tiled = _tiled(kernels, values)
    long = [tiled[t.name] for t in program.data]
    alone = [
        [
            values[t.name][n : n + 1] if t.batched else values[t.name]
            for t in program.data
        ]
        for n in range(BATCH)
    ]
    least = max(1e-30, float(np.abs(gradient).max(initial=0.0)))
    errors = []
    for batches in (alone, [long]):
        both = [kernels.value_and_grad(theta, *data) for data in batches]
        slopes = np.mean([slope.astype(np.float64) for _, slope in both], axis=0)
        away = float(np.abs(slopes - gradient).max(initial=0.0))
        errors.append(_error(away, 0.0, least))
        scale = max(1.0, abs(found))
        errors.append(_error(float(np.mean([v for v, _ in both])), found, scale))
        forward = [kernels.value(theta, *data) for data in batches]
        errors.append(_error(float(np.mean(forward)), found, scale))
    return max(errors)


def _tiled(kernels: Kernels, values: dict[str, Array]) -> dict[str, Array]:
    """The samples again and again, until the batch takes the way of long ones."""
    times = kernels.source.longest_few // BATCH + 1
    batched = {t.name for t in kernels.derivation.program.data if t.batched}
    return {
        name: np.concatenate([array] * times) if name in batched else array
        for name, array in values.items()
    }


def _error(found: float, expected: float, scale: float) -> float:
    error = abs(found - expected) / scale
    return error if np.isfinite(error) else np.inf


def _complaint(
    kernels: Kernels,
    path: Path,
    values: dict[str, Array],
    worst: tuple[float, float, float],
) -> str:
    derivation = kernels.derivation
    place = _first_wrong(kernels, values)
    where = (
        "no single equation could be named"
        if place is None
        else f"equation ({derivation.number(place.tensor)}), which computes "
        f"`{place.tensor}`, is the first that is wrong"
    )
    return (
        f"{path}: the compiled kernel of `{derivation.program.name}` does not "
        f"agree with its equations (value {worst[0]:.1e}, slope {worst[1]:.1e}, other "
        f"batches {worst[2]:.1e}; "
        f"allowed {TOLERANCE[kernels.dtype]:.0e}): {where}. The file was deleted. This "
        "is an error of symbackprop, or of the compiler: please report the program."
    )


def _refuse_overflow(kernels: Kernels, values: dict[str, Array]) -> None:
    """Where exact arithmetic leaves the precision's range, no kernel is to blame."""
    derivation, dtype = kernels.derivation, kernels.dtype
    inputs = _inputs(kernels, values)
    exact = evaluate(derivation.system, inputs)
    for equation in (*derivation.forward, *derivation.adjoint):
        if beyond(exact[equation.tensor], dtype):
            largest = float(np.abs(np.asarray(exact[equation.tensor])).max())
            raise DeclarationError(
                f"equation ({derivation.number(equation.tensor)}), which computes "
                f"`{equation.tensor}`, reaches {largest:.1e} at ordinary random values "
                f"of parameters and data, which {dtype} cannot hold. Compile with "
                'dtype="float64", or rescale.'
            )


def _inputs(kernels: Kernels, values: dict[str, Array]) -> dict[str, Array]:
    program = kernels.derivation.program
    return {t.name: values[t.name] for t in (*program.parameters, *program.data)}


def _first_wrong(kernels: Kernels, values: dict[str, Array]) -> Equation | None:
    """The first equation whose tensor differs from the evaluator's."""
    wrong = []
    for inputs in (_inputs(kernels, values), _tiled(kernels, _inputs(kernels, values))):
        expected = evaluate(kernels.derivation.system, inputs)
        for equation, found in _computed(kernels, inputs):
            wanted = np.asarray(expected[equation.tensor], np.float64)
            wanted = np.broadcast_to(wanted, found.shape)
            scale = max(1e-30, float(np.abs(wanted).max(initial=0.0)))
            error = float(np.abs(found - wanted).max(initial=0.0)) / scale
            if not error <= 10 * TOLERANCE[kernels.dtype]:
                wrong.append(equation)
                break
    return min(wrong, key=lambda e: kernels.derivation.number(e.tensor), default=None)


def _computed(
    kernels: Kernels, inputs: dict[str, Array]
) -> list[tuple[Equation, Array]]:
    """What the compiled functions compute for each equation, in their order.

    The tensors that `backward` leaves out are taken from `forward`.
    """
    derivation, layout = kernels.derivation, kernels.source.layout
    program = derivation.program
    theta = kernels.pack({t.name: inputs[t.name] for t in program.parameters})
    data = kernels.arrays.data([inputs[t.name] for t in program.data], {})
    gradient = np.zeros(kernels.size, kernels.dtype)
    batch = next((len(inputs[t.name]) for t in program.data if t.batched), 1)
    forward, backward = kernels.workspace(batch), kernels.workspace(batch)
    kernels.forward(theta, *data, forward)
    kernels.backward(theta, *data, gradient, backward)

    def later(tensor: str) -> Array:
        place = kernels.source.backward.places[tensor]
        if place.buffer == "gradient":
            part = gradient[place.offset : place.offset + place.size]
            return part.reshape(place.shape).astype(np.float64)
        return place.of(backward, layout.fixed, batch).astype(np.float64)

    found: list[tuple[Equation, Any]] = []
    for equation in derivation.forward:
        seen = layout.places[equation.tensor].of(forward, layout.fixed, batch)
        found.append((equation, seen.astype(np.float64)))
        if equation.tensor in derivation.live:
            found.append((equation, later(equation.tensor)))
    for equation in derivation.adjoint:
        batched = derivation.system.tensors[equation.tensor].batched
        # Adjoints of batched tensors are computed with the mean's factor 1/batch.
        found.append((equation, later(equation.tensor) * (batch if batched else 1)))
    return found


def checked(kernels: Kernels, watched: Callable[[], Kernels]) -> Kernels:
    """The kernels with what their check measured."""
    return replace(kernels, checks=check(kernels, watched))
