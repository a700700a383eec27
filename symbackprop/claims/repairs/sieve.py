"""Candidates held against random points in float64, before any of them is judged."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from symbackprop.claims.repairs.arrays import NoValueError
from symbackprop.claims.repairs.interpreter import Interpreter
from symbackprop.witnesses.numbers import Array

NEAR = 1e-8  # relative to the sides: equal but for rounding
KNOWN = 3  # samples at which a claim about numbers must have values

Sides = tuple[ast.expr, ...]


@dataclass(frozen=True)
class Candidate:
    """A claim that may hold.

    Attributes:
        cost: how far it leads away from the claim as it came.
        sides: its trees.
        relations: what stands between them.
    """

    cost: float
    sides: Sides
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Sieve:
    """Holds candidates against points.

    Attributes:
        interpreters: one for each point.
        claimed: the sides of the claim as it came.
        condition: under which they are claimed to stand so.
        sizes: what the size of `I` may be.
    """

    interpreters: tuple[Interpreter, ...]
    claimed: Sides
    condition: ast.expr | None
    sizes: tuple[int, ...]
    _known: dict[tuple[int, int, int], Array | None] = field(default_factory=dict)

    def passes(self, candidate: Candidate) -> bool:
        """Whether the sides stand as claimed at every point."""
        return all(
            any(self._stands(candidate, place, size) for size in self._sizes(candidate))
            for place in range(len(self.interpreters))
        )

    def types(self, side: ast.expr) -> bool:
        """Whether a side has a value at all."""
        return any(self._value(side, 0, size) is not None for size in self.sizes)

    def apart(self, side: ast.expr, other: ast.expr) -> float:
        """How far a side's values are from those of another."""
        values = [self._value(tree, 0, self.sizes[0]) for tree in (side, other)]
        if any(value is None for value in values):
            return inf
        with np.errstate(all="ignore"):
            found = np.nanmean(np.abs(values[0] - values[1]))  # type: ignore[operator]
        return float(found)

    def _sizes(self, candidate: Candidate) -> tuple[int, ...]:
        names = (n for side in candidate.sides for n in ast.walk(side))
        free = any(isinstance(n, ast.Name) and n.id == "I" for n in names)
        return self.sizes if free else self.sizes[:1]

    def _value(self, side: ast.expr, place: int, size: int) -> Array | None:
        """A side at one point; those of the claim itself are computed once."""
        key = (id(side), place, size)
        if key in self._known:
            return self._known[key]
        try:
            found = replace(self.interpreters[place], identity=size).side(side)
        except NoValueError:
            found = None
        if any(side is own for own in self.claimed):
            self._known[key] = found
        return found

    def _stands(self, candidate: Candidate, place: int, size: int) -> bool:
        sides = [self._value(side, place, size) for side in candidate.sides]
        shapes = {s.shape[-2:] for s in sides if s is not None} - {(1, 1)}
        if any(side is None for side in sides) or len(shapes) > 1:
            return False
        try:
            values = np.broadcast_arrays(*sides)  # type: ignore[arg-type]
            known = self._where(values, place)
        except (RuntimeError, ValueError, NoValueError):
            return False
        finite = [np.isfinite(value) & known for value in values]
        count = np.count_nonzero(finite[0])
        if any((other != finite[0]).any() for other in finite[1:]):
            return False
        if count < (KNOWN if values[0].ndim and self._samples else 1):
            return False
        whole = [value[finite[0]] for value in values]
        if candidate.sides[0] is not self.claimed[0] and not np.any(whole):
            return False  # that nothing depends on nothing is no news
        pairs = zip(whole, candidate.relations, whole[1:], strict=False)
        return all(_related(a, relation, b) for a, relation, b in pairs)

    @property
    def _samples(self) -> bool:
        return not self.interpreters[0].bench.base.equations

    def _where(self, values: tuple[Array, ...] | list[Array], place: int) -> Array:
        if self.condition is None:
            return np.ones_like(values[0], dtype=bool)
        holds = self.interpreters[place].holds(self.condition)
        return np.broadcast_to(holds, values[0].shape)


def _related(left: Array, relation: str, right: Array) -> bool:
    if relation == "=":
        size = np.maximum(np.abs(left) + np.abs(right), 1)
        return bool((np.abs(left - right) <= NEAR * size).all())
    how = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    return bool(how[relation](left, right).all())
