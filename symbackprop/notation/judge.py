"""The judge of matrix equations: plain NumPy against the witness of the index form.

Axes get random sizes, all different but where one indexes another, so that no wrong
transpose and no mistaken axis can hide behind sizes that happen to be equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product as combinations
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Indexed

from symbackprop.equations import (
    Equation,
    Guard,
    Name,
    System,
    affine,
    is_index,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.notation.forms import (
    Apply,
    BatchMean,
    Diag,
    Extremum,
    Form,
    Guarded,
    Hadamard,
    Indicator,
    MatrixEquation,
    Norm,
    Ones,
    Over,
    Power,
    Product,
    Read,
    Scalar,
    Scaled,
    Softmax,
    Sum,
    Trace,
    Transpose,
    Unit,
)
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.numbers import REAL

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
        except _MisfitError as misfit:
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
    objective = equations[-1].tensor
    return System(system.name, axes, tensors, equations, objective, system.constants)


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


# --- the value of a form --------------------------------------------------------------


class _MisfitError(Exception):
    """Shapes that cannot be joined."""


def _disagreement(
    equation: MatrixEquation, system: System, values: Mapping[str, Array]
) -> float:
    tensor = system.tensors[equation.tensor]
    labels = [s for s in equation.left.subscripts if s is not None]
    ranges = [range(system.size(str(label))) for label in labels]
    samples = range(SAMPLES) if tensor.batched else [None]
    worst = 0.0
    scale = float(np.abs(values[tensor.name]).max()) or 1.0
    for places in combinations(*ranges):
        for sample in samples:
            point = _Point(
                system, values, dict(zip(labels, places, strict=True)), sample
            )
            left, right = point.value(equation.left), point.value(equation.right)
            if left.shape != right.shape:
                raise _MisfitError(f"{left.shape} on the left, {right.shape} right")
            worst = max(worst, float(np.abs(left - right).max()) / scale)
    return worst


@dataclass(frozen=True)
class _Point:
    """Where a form is evaluated: the values of labels, and a sample of the batch.

    Values are arrays of two dimensions; since every axis is longer than 1, (1, 1) is
    a scalar and nothing else.
    """

    system: System
    values: Mapping[str, Array]
    labels: Mapping[Expr, int]
    sample: int | None

    def value(self, form: Form) -> Array:
        return np.asarray(_RULES[type(form)](self, form))

    def at(self, labels: Iterable[Name]) -> Iterator[_Point]:
        """The same at every combination of further labels."""
        names = list(labels)
        for places in combinations(*(range(self.system.size(n)) for n in names)):
            here = dict(zip(names, places, strict=True))
            yield replace(self, labels={**self.labels, **here})

    def array(self, name: str) -> Array:
        if not self.system.tensors[name].batched:
            return self.values[name]
        if self.sample is None:
            raise _MisfitError(f"`{name}` varies over the batch outside of a mean")
        return np.asarray(self.values[name][self.sample])

    def whole(self, subscript: Expr) -> int:
        """The value of a label."""
        if is_index(subscript):
            return self.labels[subscript]
        if isinstance(subscript, Indexed | Name):
            return int(self.scalar(subscript))
        found = affine(subscript)
        assert found is not None, subscript
        return sum(f * self.labels[i] for i, f in found[0].items()) + found[1]

    def entries(
        self, symbol: Name, subscripts: Iterable[Expr | None]
    ) -> tuple[Array, int]:
        """A tensor at its labels, and the number of its whole axes."""
        array = self.array(symbol.name)
        places: list[Any] = []
        inside = True
        for subscript, size in zip(subscripts, array.shape, strict=True):
            if subscript is None:
                places.append(slice(None))
                continue
            place = self.whole(subscript)
            inside = inside and 0 <= place < size
            places.append(min(max(place, 0), size - 1))
        found = np.asarray(array[tuple(places)])
        return (found if inside else np.zeros_like(found)), found.ndim

    def scalar(self, read: Expr) -> float:
        symbol = read.base.label if isinstance(read, Indexed) else read
        return float(self.entries(symbol, subscripts_of(read))[0])

    def leaf(self, part: Expr) -> Array:
        if is_index(part):
            return np.array([float(self.labels[part])])
        if isinstance(part, Name) and part.kind == "constant":
            return np.array([float(self.system.constants[part.name].value)])
        return np.array([self.scalar(part)])

    def holds(self, guard: Guard) -> bool:
        return 0 <= self.whole(guard.subscript) < self.system.size(guard.axis)


def _read(point: _Point, form: Read) -> Array:
    array, ndim = point.entries(form.symbol, form.subscripts)
    return array if ndim == 2 else array.reshape(-1, 1)


def _scalar(point: _Point, form: Scalar) -> Array:
    return np.asarray(calculate(form.value, REAL, point.leaf)).reshape(1, 1)


def _ones(point: _Point, form: Ones) -> Array:
    return np.ones((point.system.size(form.axis), 1))


def _unit(point: _Point, form: Unit) -> Array:
    column = np.zeros((point.system.size(form.axis), 1))
    column[point.whole(form.label)] = 1
    return column


def _transpose(point: _Point, form: Transpose) -> Array:
    return point.value(form.of).T


def _diag(point: _Point, form: Diag) -> Array:
    inside = point.value(form.of)
    if inside.shape[1] == 1:
        return np.diag(inside[:, 0])
    return np.diag(inside).reshape(-1, 1)


def _product(point: _Point, form: Product) -> Array:
    result = point.value(form.factors[0])
    for factor in form.factors[1:]:
        other = point.value(factor)
        if result.shape[1] != other.shape[0]:
            raise _MisfitError(f"a product of {result.shape} and {other.shape}")
        result = result @ other
    return result


def _same_shape(arrays: list[Array], what: str) -> list[Array]:
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise _MisfitError(f"{what} of {' and '.join(map(str, sorted(shapes)))}")
    return arrays


def _hadamard(point: _Point, form: Hadamard) -> Array:
    arrays = [point.value(factor) for factor in form.factors]
    return np.asarray(np.prod(_same_shape(arrays, "an elementwise product"), axis=0))


def _scaled(point: _Point, form: Scaled) -> Array:
    result = point.value(form.of)
    for scalar in form.scalars:
        number = point.value(scalar)
        if number.shape != (1, 1):
            raise _MisfitError(f"a scalar of the shape {number.shape}")
        result = number[0, 0] * result
    return result


def _sum(point: _Point, form: Sum) -> Array:
    arrays = [point.value(term) for term in form.terms]
    return np.asarray(np.sum(_same_shape(arrays, "a sum"), axis=0))


def _apply(point: _Point, form: Apply) -> Array:
    arrays = [point.value(argument) for argument in form.arguments]
    _same_shape([a for a in arrays if a.shape != (1, 1)], form.function)
    symbols = [sympy.Dummy() for _ in arrays]
    leaf = dict(zip(symbols, arrays, strict=True)).__getitem__
    if form.function in _OF_SYMPY:
        expression = _OF_SYMPY[form.function](*symbols)
        return np.asarray(calculate(expression, REAL, leaf, 2))
    return np.asarray(REAL.apply(form.function, *arrays))


# Functions that SymPy has itself.
_OF_SYMPY: dict[str, Any] = {"exp": sympy.exp, "log": sympy.log}


def _power(point: _Point, form: Power) -> Array:
    base = sympy.Dummy()
    values = {base: point.value(form.base)}
    return np.asarray(calculate(base**form.exponent, REAL, values.__getitem__, 2))


def _indicator(point: _Point, form: Indicator) -> Array:
    left, right = point.value(form.left), point.value(form.right)
    _same_shape([a for a in (left, right) if a.shape != (1, 1)], form.relation)
    compare = {"<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal}
    return np.asarray(compare[form.relation](left, right), dtype=float)


def _norm(point: _Point, form: Norm) -> Array:
    inside = point.value(form.of)
    if form.matrix == (inside.shape[1] == 1):
        raise _MisfitError(f"the norm of something of the shape {inside.shape}")
    return np.asarray(np.sum(inside * inside)).reshape(1, 1)


def _trace(point: _Point, form: Trace) -> Array:
    inside = point.value(form.of)
    if inside.shape[0] != inside.shape[1]:
        raise _MisfitError(f"the trace of something of the shape {inside.shape}")
    return np.asarray(np.trace(inside)).reshape(1, 1)


def _softmax(point: _Point, form: Softmax) -> Array:
    powers = np.exp(point.value(form.of))
    axis = 0 if powers.shape[1] == 1 else 1
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _extremum(point: _Point, form: Extremum) -> Array:
    op: Any = getattr(np, form.reduction)
    if form.labels:
        stack = [here.value(form.of) for here in point.at(form.labels)]
        return np.asarray(op(_same_shape(stack, form.reduction), axis=0), dtype=float)
    inside = point.value(form.of)
    if form.rows:
        return np.asarray(op(inside, axis=1), dtype=float).reshape(-1, 1)
    return np.asarray(op(inside), dtype=float).reshape(1, 1)


def _over(point: _Point, form: Over) -> Array:
    stack = [here.value(form.of) for here in point.at(form.labels)]
    return np.asarray(np.sum(stack, axis=0))


def _guarded(point: _Point, form: Guarded) -> Array:
    inside = point.value(form.of)
    allowed = all(point.holds(guard) for guard in form.guards)
    return inside if allowed else np.zeros_like(inside)


def _batch_mean(point: _Point, form: BatchMean) -> Array:
    if point.sample is not None:
        raise _MisfitError("a mean over the batch of one sample")
    samples = [replace(point, sample=n) for n in range(SAMPLES)]
    return np.asarray(np.mean([here.value(form.of) for here in samples], axis=0))


_RULES: dict[type[Form], Any] = {
    Read: _read,
    Scalar: _scalar,
    Ones: _ones,
    Unit: _unit,
    Transpose: _transpose,
    Diag: _diag,
    Product: _product,
    Hadamard: _hadamard,
    Scaled: _scaled,
    Sum: _sum,
    Apply: _apply,
    Power: _power,
    Indicator: _indicator,
    Norm: _norm,
    Trace: _trace,
    Softmax: _softmax,
    Extremum: _extremum,
    Over: _over,
    Guarded: _guarded,
    BatchMean: _batch_mean,
}
