"""The judge of matrix equations: plain NumPy against the witness of the index form.

Axes get random sizes, all different but where one indexes another, so that no wrong
transpose and no mistaken axis can hide behind sizes that happen to be equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product as combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr

from symbackprop.equations import (
    Equation,
    System,
    affine,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.notation.forms import MatrixEquation
from symbackprop.notation.values import MisfitError, Point
from symbackprop.witnesses.evaluate import evaluate

Array = NDArray[Any]

SAMPLES = 3  # of a batch; different from nothing else, since no form shows the batch
DRAWS = 2
TOLERANCE = 1e-10


def check(equation: MatrixEquation, system: System, seed: int = 0) -> bool:
    """Hold a matrix equation against the index equations that it stands for.

    Returns:
        Whether there was anything to judge: finite values at random arguments.

    Raises:
        CheckError: both sides differ, or the form joins shapes that do not fit.
    """
    name = f"the matrix form of `{equation.tensor}` in {system.name}"
    rng = np.random.default_rng(seed)
    judged = 0
    for draw in range(2 * DRAWS):
        if judged == DRAWS:
            break
        small = resized(system, equation.equations, rng)
        given = _values(small, rng, positive=draw % 2 == 1)
        values = evaluate(small, given, batch=SAMPLES)
        if not np.isfinite(values[equation.tensor]).all():
            continue
        judged += 1
        try:
            with np.errstate(all="ignore"):
                error = _disagreement(equation, small, values)
                error /= float(np.abs(values[equation.tensor]).max()) or 1.0
                if not error <= TOLERANCE:
                    error = _disagreement(equation, small, values)
                    error /= _largest_addend(equation.equations[-1], small, values)
        except MisfitError as misfit:
            raise CheckError(f"{name} does not fit together: {misfit}.") from None
        if not error <= TOLERANCE:
            raise CheckError(
                f"{name} disagrees with its equation in indices by {error:.1e} "
                f"relative to its size, where {TOLERANCE:.0e} is allowed."
            )
    return judged > 0


# --- random sizes and values ----------------------------------------------------------


def roots(system: System, equations: Iterable[Equation]) -> dict[str, str]:
    """For each axis the first one that it is tied to, since one indexes the other.

    An index ties to an axis of its own size that it stands on, with an offset too.
    """
    parent = {name: name for name in system.axes}

    def root(axis: str) -> str:
        while parent[axis] != axis:
            axis = parent[axis]
        return axis

    def tie(index: str, axis: str) -> None:
        if system.size(index) == system.size(axis):
            pair = sorted((root(index), root(axis)), key=lambda a: system.axes[a].rank)
            parent[pair[1]] = pair[0]

    for equation in equations:
        own = system.tensors[equation.tensor].axes
        for index, axis in zip(equation.indices, own, strict=True):
            tie(index.name, axis)
        guards = [(g.subscript, g.axis) for t in equation.terms for g in t.guards]
        for subscript, axis in (*guards, *uses(equation, system)):
            found = affine(subscript)
            if found is not None and list(found[0].values()) == [1]:
                tie(next(iter(found[0])).name, axis)
    return {axis: root(axis) for axis in system.axes}


def uses(equation: Equation, system: System) -> Iterator[tuple[Expr, str]]:
    """Each subscript in an equation's reads, and the axis that it stands on."""
    for read in equation.reads():
        axes = system.tensors[tensor_of(read)].axes
        yield from zip(subscripts_of(read), axes, strict=True)


def resized(
    system: System, equations: tuple[Equation, ...], rng: np.random.Generator
) -> System:
    """These equations alone, over axes of random and different sizes, at least 2."""
    root = roots(system, equations)
    least = 2
    for equation in equations:
        for subscript, _ in uses(equation, system):
            found = affine(subscript)
            least = max(least, abs(found[1]) + 1 if found else 2)
    names = sorted(_axes(system, equations), key=lambda a: system.axes[a].rank)
    classes = list(dict.fromkeys(root[name] for name in names))
    sizes = dict(zip(classes, least + rng.permutation(len(classes)), strict=True))
    axes = {
        name: replace(system.axes[name], size=int(sizes[root[name]])) for name in names
    }
    used = {tensor_of(read) for e in equations for read in e.reads()}
    used |= {equation.tensor for equation in equations}
    tensors = {n: t for n, t in system.tensors.items() if n in used}
    # Constants too are drawn, lest one that is 0 or 1 hides where it stands.
    constants = {
        name: replace(constant, value=Fraction(int(rng.integers(8, 99)), 41))
        for name, constant in system.constants.items()
    }
    objective = equations[-1].tensor
    return System(system.name, axes, tensors, equations, objective, constants)


def _axes(system: System, equations: tuple[Equation, ...]) -> set[str]:
    found: set[str] = set()
    for equation in equations:
        for name in {equation.tensor, *(tensor_of(read) for read in equation.reads())}:
            found.update(system.tensors[name].axes)
        found.update(index.name for index in equation.indices)
        for term in equation.terms:
            found.update(index.name for index in term.bound)
            found.update(guard.axis for guard in term.guards)
    return found


def _values(
    system: System, rng: np.random.Generator, positive: bool
) -> dict[str, Array]:
    """Random arrays for what no equation defines; integers fit every axis."""
    defined = {equation.tensor for equation in system.equations}
    values: dict[str, Array] = {}
    for tensor in system.tensors.values():
        if tensor.name in defined:
            continue
        shape = system.shape(tensor.name)
        shape = (SAMPLES, *shape) if tensor.batched else shape
        if tensor.integer:
            values[tensor.name] = rng.integers(0, 2, shape)
        elif positive:
            values[tensor.name] = rng.uniform(0.2, 0.9, shape)
        else:
            values[tensor.name] = rng.normal(size=shape)
    return values


# --- one comparison -------------------------------------------------------------------


def _disagreement(
    equation: MatrixEquation, system: System, values: Mapping[str, Array]
) -> float:
    """The greatest difference of any entry; NaN if the form has no number there."""
    tensor = system.tensors[equation.tensor]
    labels = [s for s in equation.left.subscripts if s is not None]
    ranges = [range(system.size(str(label))) for label in labels]
    samples = range(SAMPLES) if tensor.batched else [None]
    differences = []
    for places in combinations(*ranges):
        here = dict(zip(labels, places, strict=True))
        for sample in samples:
            point = Point(system, values, here, SAMPLES, sample)
            left, right = point.value(equation.left), point.value(equation.right)
            if left.shape != right.shape:
                raise MisfitError(f"{left.shape} on the left, {right.shape} right")
            differences.append(np.abs(left - right).max())
    return float(np.max(differences))


def _largest_addend(
    equation: Equation, system: System, values: Mapping[str, Array]
) -> float:
    """The greatest entry of any addend: what errors are measured by if they cancel."""
    given = {name: array for name, array in values.items() if name != equation.tensor}
    if equation.reduction != "sum" or equation.tensor in map(
        tensor_of, equation.reads()
    ):
        return 1.0
    largest = []
    for term in equation.terms:
        for addend in Add.make_args(term.body):
            alone = replace(equation, terms=(replace(term, body=addend),))
            small = replace(system.plain(), equations=(alone,))
            found = evaluate(small, given, batch=SAMPLES)[equation.tensor]
            largest.append(float(np.abs(found).max()))
    return max(largest, default=1.0) or 1.0
