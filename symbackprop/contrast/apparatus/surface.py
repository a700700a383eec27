"""A loss over its parameters: where training ends, and what lies around and between.

Source: Li, Xu, Taylor, Studer and Goldstein, Visualizing the Loss Landscape of Neural
Nets (NeurIPS 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.contrast.apparatus.symmetries import exchanges
from symbackprop.errors import InputError

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

CUT = 101  # points between two ends
NEAR = 1e-3  # of the length of the parameters: ends so close are one

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Loss:
    """The value of compiled kernels at fixed data.

    Attributes:
        kernels: in float64.
        data: by name.
    """

    kernels: Kernels
    data: Mapping[str, Array]

    def __call__(self, theta: Array) -> float:
        return self.kernels.value(theta, **self.data)

    def slope(self, theta: Array) -> tuple[float, Array]:
        return self.kernels.value_and_grad(theta, **self.data)


def trained(loss: Loss, starts: int, iterations: int, seed: int) -> list[Array]:
    """Where conjugate gradients end from several starts, the lowest first."""
    from scipy.optimize import minimize

    rng = np.random.default_rng((seed, 1))
    found: list[tuple[float, int, Array]] = []
    for _ in range(starts):
        start = loss.kernels.initial(int(rng.integers(2**31)))
        start = start + 0.3 * rng.normal(size=start.shape)  # biases too
        with np.errstate(all="ignore"):
            end = minimize(
                loss.slope,
                start,
                jac=True,
                method="CG",
                options={"maxiter": iterations, "gtol": 1e-8},
            )
        if np.isfinite(end.fun):
            found.append((float(end.fun), len(found), np.asarray(end.x)))
    if not found:
        raise InputError(
            f"the loss of `{loss.kernels.derivation.program.name}` was "
            "not finite after training from any start."
        )
    return [theta for _, _, theta in sorted(found, key=lambda each: each[:2])]


def furthest(loss: Loss, first: Array, others: Sequence[Array]) -> Array | None:
    """The other end whose way from the first has the highest middle above its ends.

    None where all trainings ended in the same point.
    """
    apart = NEAR * (1 + np.linalg.norm(first))
    others = [other for other in others if np.linalg.norm(other - first) > apart]
    ranked = [(excess(loss, first, other), k) for k, other in enumerate(others)]
    return others[max(ranked)[1]] if ranked else None


def excess(loss: Callable[[Array], float], one: Array, other: Array) -> float:
    """`L((p + q)/2) - (L(p) + L(q))/2`: above 0 only where L is not convex.

    >>> excess(lambda p: float(p[0] ** 2), np.array([0.0]), np.array([2.0]))
    -1.0
    """
    return float(loss((one + other) / 2) - (loss(one) + loss(other)) / 2)


def exchanged(kernels: Kernels, theta: Array) -> tuple[Array | None, list[str]]:
    """The same units in another order, and the parameters that follow it."""
    groups = exchanges(kernels.derivation.program)
    if not groups:
        return None, []
    group = groups[0]
    order = np.roll(np.arange(group.size), 1)
    parts = {name: np.array(view) for name, view in kernels.unpack(theta).items()}
    turned = kernels.pack(group.permuted(parts, order))
    return np.asarray(turned), sorted({name for name, _ in group.places})


def filtered(kernels: Kernels, theta: Array, rng: np.random.Generator) -> Array:
    """A random direction, each filter of it as long as that of the parameters.

    A filter is what leads into one unit: a row of a weight matrix; a vector is one.

    Source: Li et al., Visualizing the Loss Landscape of Neural Nets (NeurIPS 2018).
    """
    direction = rng.normal(size=theta.shape)
    lengths = kernels.unpack(theta)
    for name, part in kernels.unpack(direction).items():
        rows = part.reshape(part.shape[0] if part.ndim > 1 else 1, -1)
        own = lengths[name].reshape(rows.shape)
        scale = np.linalg.norm(own, axis=1) / np.linalg.norm(rows, axis=1)
        part *= scale.reshape((-1,) + (1,) * (part.ndim - 1)) if part.ndim else scale[0]
    return direction


def plane(
    loss: Loss, points: Sequence[Array], rng: np.random.Generator, grid: int
) -> dict[str, Any]:
    """The loss in the plane through up to three points; distances as they are."""
    origin = points[0]
    span: list[Array] = []
    drawn = (rng.normal(size=origin.shape) for _ in range(2))
    for vector in (*(p - origin for p in points[1:]), *drawn):
        rest = vector - sum((vector @ e) * e for e in span)
        if len(span) < 2 and np.linalg.norm(rest) > 1e-9 * np.linalg.norm(vector):
            span.append(rest / np.linalg.norm(rest))
    places = [[float((p - origin) @ e) for e in span] for p in points]
    low, high = np.min(places, axis=0), np.max(places, axis=0)
    margin = 0.35 * max(high - low) or np.linalg.norm(origin)
    first, second = (
        np.linspace(low[k] - margin, high[k] + margin, grid) for k in range(len(span))
    )
    values = [[loss(origin + a * span[0] + b * span[1]) for a in first] for b in second]
    return {
        "first": first.tolist(),
        "second": second.tolist(),
        "loss": values,
        "places": places,
    }


def cut(loss: Loss, one: Array, other: Array) -> dict[str, Any]:
    """The loss on the way from one point to another, its middle and its chord."""
    steps = np.linspace(0, 1, CUT)
    return {
        "steps": steps.tolist(),
        "loss": [loss(one + t * (other - one)) for t in steps],
        "middle": loss((one + other) / 2),
        "mean_of_ends": (loss(one) + loss(other)) / 2,
        "excess": excess(loss, one, other),
    }
