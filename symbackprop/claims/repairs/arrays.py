"""Arrays of the interpreter: letters, then rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from sympy import Expr

from symbackprop.witnesses.numbers import COMPLEX, Array

Reduce = Callable[..., Array]  # along axes, which stay with size 1

MOST_ENTRIES = 200_000  # of one array
MATRIX = 2  # dimensions behind those of letters


class NoValueError(Exception):
    """The tree does not type here."""


def take(value: Array, places: tuple[Array, ...], zero_outside: bool) -> Array:
    if len(places) != np.ndim(value):
        raise NoValueError
    if not places:
        return np.reshape(value, (1, 1))
    known: Array = np.ones((1, 1), dtype=bool)
    inside = []
    for place, size in zip(places, np.shape(value), strict=True):
        within = (place >= 0) & (place < size)
        if not within.all():
            if not (zero_outside or place.size == size):  # a step is read as 0
                raise NoValueError
            known = known & within
            place = np.clip(place, 0, size - 1)
        inside.append(place)
    taken = value[tuple(inside)]
    return taken if known.all() else np.where(known, taken, 0.0)


def met(*parts: Array) -> list[Array]:
    """Parts of one shape of rows and columns, or numbers.

    Raises:
        NoValueError: shapes that do not meet, or meet in too many entries.
    """
    shapes = {part.shape[-MATRIX:] for part in parts} - {(1, 1)}
    if len(shapes) > 1:
        raise NoValueError
    together(*(part.shape for part in parts))
    return list(parts)


def together(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays have together.

    Raises:
        NoValueError: it has too many entries to be looked at quickly.
    """
    shape = np.broadcast_shapes(*shapes)
    if prod(shape) > MOST_ENTRIES:
        raise NoValueError
    return shape


def power(base: Array, exponent: Array) -> Array:
    """Whole powers by multiplication, so that a step off the reals survives."""
    if exponent.size == 1 and exponent.imag.item() == exponent.real.item() % 1 == 0:
        return np.asarray(base**exponent)
    return np.asarray(COMPLEX.apply("power", *np.broadcast_arrays(base, exponent)))


def number(number: Expr) -> Array:
    return np.full((1, 1), complex(float(number)))


def diagonal(of: Array) -> Array:
    *_, rows, columns = of.shape
    if rows > 1 and columns > 1:
        if rows != columns:
            raise NoValueError
        return np.diagonal(of, axis1=-2, axis2=-1)[..., None]
    flat = of.reshape(*of.shape[:-MATRIX], -1)
    return np.asarray(flat[..., None] * np.eye(flat.shape[-1]))


def extremum(largest: bool) -> Reduce:
    """The first extreme entry by real parts, with its own imaginary part."""

    def reduce(a: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        moved = np.moveaxis(a, axis, range(-len(axis), 0))
        flat = moved.reshape(*moved.shape[: -len(axis)], -1)
        best = COMPLEX.best(flat, largest)[..., None]
        taken = np.take_along_axis(flat, best, -1)[..., 0]
        return np.expand_dims(taken, axis) if keepdims else taken

    return reduce
