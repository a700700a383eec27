"""Whether a contestant computes what we compute: who does not is not timed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from symbackprop.bench.ours import theta
from symbackprop.bench.problem import Outcome, Problem
from symbackprop.errors import SymbackpropError

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

# Of single precision through deep networks, of double precision.
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
# Trainings see the samples in orders of their own: of how far the loss falls.
FALL = 0.05


class DisagreementError(SymbackpropError):
    """A contestant that computes something else; the message says what."""


def gradients(found: Outcome, ours: Outcome, dtype: str) -> float:
    """The greatest relative error of the value and of each parameter's gradient.

    An array's error is its distance in the norm; a small array counts as a large one.

    Raises:
        DisagreementError: it is beyond the precision's tolerance.
    """
    assert ours.value is not None
    errors = {}
    if found.value is not None:
        errors["value"] = abs(found.value - ours.value) / max(1.0, abs(ours.value))
    if found.arrays:
        if len(found.arrays) != len(ours.arrays):
            raise DisagreementError(
                f"{len(found.arrays)} gradients, {len(ours.arrays)} expected"
            )
        for k, (one, other) in enumerate(zip(found.arrays, ours.arrays, strict=True)):
            name = f"the gradient of {'Wb'[k % 2]}{k // 2 + 1}"
            if one.shape != other.shape:
                raise DisagreementError(
                    f"{name}: shape {one.shape}, ours {other.shape}"
                )
            errors[name] = _distance(one, other)
    return _worst(errors, TOLERANCE[dtype])


def trainings(
    found: Outcome, ours: Outcome, problem: Problem, kernels: Kernels
) -> float:
    """How far apart two trainings end, as a share of the fall of the loss.

    Raises:
        DisagreementError: it is more than 5 %, or nothing was learnt.
    """

    def loss(arrays: Outcome) -> float:
        trained = Problem(
            problem.case,
            arrays.arrays[::2],
            arrays.arrays[1::2],
            problem.x,
            problem.y,
            problem.labels,
        )
        return kernels.value(theta(trained, kernels), problem.x, problem.y)

    before = loss(Outcome(None, problem.parameters))
    after = loss(ours)
    return _worst(
        {"the fall of the loss": abs(loss(found) - after) / (before - after)}, FALL
    )


def _distance(one: object, other: object) -> float:
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    size = float(np.linalg.norm(b))
    return float(np.linalg.norm(a - b)) / (size if size > 0 else 1.0)


def _worst(errors: dict[str, float], tolerance: float) -> float:
    for what, error in errors.items():
        if not error <= tolerance:  # NaN too
            raise DisagreementError(f"{what} differs from ours by {error:.1e}")
    return max(errors.values(), default=math.nan)
