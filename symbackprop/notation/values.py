"""The value of a form in plain NumPy, which spreads nothing by itself."""

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
    Guard,
    Name,
    System,
    affine,
    is_index,
    subscripts_of,
)
from symbackprop.notation.forms import (
    Apply,
    BatchMean,
    Diag,
    Extremum,
    Form,
    Guarded,
    Hadamard,
    Indicator,
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
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.numbers import REAL

Array = NDArray[Any]


class MisfitError(Exception):
    """Shapes that cannot be joined."""


@dataclass(frozen=True)
class Point:
    """Where a form is evaluated: the values of labels, and a sample of the batch.

    Without a sample, what varies over the batch may stand in a mean alone.

    Values are arrays of two dimensions; since every axis is longer than 1, (1, 1) is
    a scalar and nothing else.
    """

    system: System
    values: Mapping[str, Array]
    labels: Mapping[Expr, int]
    samples: int
    sample: int | None

    def value(self, form: Form) -> Array:
        return np.asarray(_RULES[type(form)](self, form))

    def at(self, labels: Iterable[Name]) -> Iterator[Point]:
        """The same at every combination of further labels."""
        names = list(labels)
        for places in combinations(*(range(self.system.size(n)) for n in names)):
            here = dict(zip(names, places, strict=True))
            yield replace(self, labels={**self.labels, **here})

    def array(self, name: str) -> Array:
        if not self.system.tensors[name].batched:
            return self.values[name]
        if self.sample is None:
            raise MisfitError(f"`{name}` varies over the batch outside of a mean")
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


def _read(point: Point, form: Read) -> Array:
    array, ndim = point.entries(form.symbol, form.subscripts)
    return array if ndim == 2 else array.reshape(-1, 1)


def _scalar(point: Point, form: Scalar) -> Array:
    return np.asarray(calculate(form.value, REAL, point.leaf)).reshape(1, 1)


def _ones(point: Point, form: Ones) -> Array:
    return np.ones((point.system.size(form.axis), 1))


def _unit(point: Point, form: Unit) -> Array:
    column = np.zeros((point.system.size(form.axis), 1))
    column[point.whole(form.label)] = 1
    return column


def _transpose(point: Point, form: Transpose) -> Array:
    return point.value(form.of).T


def _diag(point: Point, form: Diag) -> Array:
    inside = point.value(form.of)
    if inside.shape[1] == 1:
        return np.diag(inside[:, 0])
    return np.diag(inside).reshape(-1, 1)


def _product(point: Point, form: Product) -> Array:
    result = point.value(form.factors[0])
    for factor in form.factors[1:]:
        other = point.value(factor)
        if result.shape[1] != other.shape[0]:
            raise MisfitError(f"a product of {result.shape} and {other.shape}")
        result = result @ other
    return result


def _same_shape(arrays: list[Array], what: str) -> list[Array]:
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise MisfitError(f"{what} of {' and '.join(map(str, sorted(shapes)))}")
    return arrays


def _hadamard(point: Point, form: Hadamard) -> Array:
    arrays = [point.value(factor) for factor in form.factors]
    return np.asarray(np.prod(_same_shape(arrays, "an elementwise product"), axis=0))


def _scaled(point: Point, form: Scaled) -> Array:
    result = point.value(form.of)
    for scalar in form.scalars:
        number = point.value(scalar)
        if number.shape != (1, 1):
            raise MisfitError(f"a scalar of the shape {number.shape}")
        result = number[0, 0] * result
    return result


def _sum(point: Point, form: Sum) -> Array:
    arrays = [point.value(term) for term in form.terms]
    return np.asarray(np.sum(_same_shape(arrays, "a sum"), axis=0))


def _apply(point: Point, form: Apply) -> Array:
    arrays = [point.value(argument) for argument in form.arguments]
    _same_shape([a for a in arrays if a.shape != (1, 1)], form.function)
    return np.asarray(REAL.apply(form.function, *arrays))


def _power(point: Point, form: Power) -> Array:
    base = sympy.Dummy()
    values = {base: point.value(form.base)}
    return np.asarray(calculate(base**form.exponent, REAL, values.__getitem__, 2))


def _indicator(point: Point, form: Indicator) -> Array:
    left, right = point.value(form.left), point.value(form.right)
    _same_shape([a for a in (left, right) if a.shape != (1, 1)], form.relation)
    compare = {"<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal}
    return np.asarray(compare[form.relation](left, right), dtype=float)


def _norm(point: Point, form: Norm) -> Array:
    inside = point.value(form.of)
    if form.matrix == (inside.shape[1] == 1):
        raise MisfitError(f"the norm of something of the shape {inside.shape}")
    return np.asarray(np.sum(inside * inside)).reshape(1, 1)


def _trace(point: Point, form: Trace) -> Array:
    inside = point.value(form.of)
    if inside.shape[0] != inside.shape[1]:
        raise MisfitError(f"the trace of something of the shape {inside.shape}")
    return np.asarray(np.trace(inside)).reshape(1, 1)


def _softmax(point: Point, form: Softmax) -> Array:
    powers = np.exp(point.value(form.of))
    axis = 0 if powers.shape[1] == 1 else 1
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _extremum(point: Point, form: Extremum) -> Array:
    op: Any = getattr(np, form.reduction)
    if form.labels:
        stack = [here.value(form.of) for here in point.at(form.labels)]
        return np.asarray(op(_same_shape(stack, form.reduction), axis=0), dtype=float)
    inside = point.value(form.of)
    if form.rows:
        return np.asarray(op(inside, axis=1), dtype=float).reshape(-1, 1)
    return np.asarray(op(inside), dtype=float).reshape(1, 1)


def _over(point: Point, form: Over) -> Array:
    stack = [here.value(form.of) for here in point.at(form.labels)]
    return np.asarray(np.sum(stack, axis=0))


def _guarded(point: Point, form: Guarded) -> Array:
    inside = point.value(form.of)
    allowed = all(point.holds(guard) for guard in form.guards)
    return inside if allowed else np.zeros_like(inside)


def _batch_mean(point: Point, form: BatchMean) -> Array:
    if point.sample is not None:
        raise MisfitError("a mean over the batch of one sample")
    samples = [replace(point, sample=n) for n in range(point.samples)]
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
