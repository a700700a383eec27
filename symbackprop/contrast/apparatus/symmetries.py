"""Which hidden units of a program may change places without a change of its value.

Indices that meet in an equation run over the same things. Where no data and no
arithmetic of subscripts tell these things apart, they may be put in any other order, if
all parameters follow: the objective stays what it is.

Source: Hecht-Nielsen, On the algebraic structure of feedforward network weight spaces
(1990).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Indexed

from symbackprop.equations import Equation, Name, System, Term, is_index, tensor_of

Slot = tuple[Any, ...]  # ("axis", tensor, dimension) or ("index", equation, letter)


@dataclass(frozen=True)
class Exchange:
    """Units that may change places.

    Attributes:
        size: how many there are.
        places: the parameters and their dimensions that follow, in order.
    """

    size: int
    places: tuple[tuple[str, int], ...]

    def permuted(
        self, parameters: Mapping[str, NDArray[Any]], order: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        """The parameters with the units in another order."""
        found = dict(parameters)
        for name, dimension in self.places:
            found[name] = np.take(found[name], order, axis=dimension)
        return found


def exchanges(system: System) -> list[Exchange]:
    """All groups of units that may change places, in the order of the parameters.

    >>> from symbackprop.program import Program
    >>> program = Program(
    ...     equations="a[i] = tanh(sum(W[i, j]*x[j], j))\\nL = sum(v[i]*a[i], i)",
    ...     axes={"i": 3, "j": 2}, parameters={"W": "i j", "v": "i"},
    ...     data={"x": "j"}, objective="L",
    ... )
    >>> [group.places for group in exchanges(program)]
    [(('W', 0), ('v', 0))]
    """
    groups = _Groups()
    for equation in system.equations:
        _meet(equation, groups)
    for tensor in system.data:
        for dimension in range(len(tensor.axes)):
            groups.fix(("axis", tensor.name, dimension))
    found: dict[Slot, list[tuple[str, int]]] = {}
    for parameter in system.parameters:
        for dimension in range(len(parameter.axes)):
            slot: Slot = ("axis", parameter.name, dimension)
            if not groups.is_fixed(slot):
                root = groups.root(slot)
                found.setdefault(root, []).append((parameter.name, dimension))
    return [
        Exchange(system.shape(places[0][0])[places[0][1]], tuple(places))
        for places in found.values()
        if system.shape(places[0][0])[places[0][1]] > 1
    ]


class _Groups:
    """Sets of slots that are joined one by one; some are fixed."""

    def __init__(self) -> None:
        self._parent: dict[Slot, Slot] = {}
        self._fixed: set[Slot] = set()

    def root(self, slot: Slot) -> Slot:
        while slot in self._parent:
            slot = self._parent[slot]
        return slot

    def join(self, one: Slot, other: Slot) -> None:
        first, second = self.root(one), self.root(other)
        if first != second:
            self._parent[second] = first
            if second in self._fixed:
                self._fixed.add(first)

    def fix(self, slot: Slot) -> None:
        self._fixed.add(self.root(slot))

    def is_fixed(self, slot: Slot) -> bool:
        return self.root(slot) in self._fixed


def _meet(equation: Equation, groups: _Groups) -> None:
    """Join what the indices of an equation run over."""
    for dimension, index in enumerate(equation.indices):
        groups.join(
            ("axis", equation.tensor, dimension), ("index", equation.tensor, index.name)
        )
    for place, term in enumerate(equation.terms):

        def slot(index: Name, place: int = place, term: Term = term) -> Slot:
            own = (place,) if index in term.bound else ()
            return ("index", equation.tensor, *own, index.name)

        for part in (term.body, *(guard.subscript for guard in term.guards)):
            for tensor, dimension, subscript in _subscripts(part):
                axis: Slot = ("axis", tensor, dimension)
                if isinstance(subscript, Name) and is_index(subscript):
                    groups.join(axis, slot(subscript))
                else:  # it counts, or looks up: its places differ from one another
                    groups.fix(axis)
                    for index in _indices(subscript):
                        groups.fix(slot(index))
            for index in _bare(part):
                groups.fix(slot(index))
        if equation.reduction in ("argmax", "argmin"):
            for index in term.bound:
                groups.fix(slot(index))


def _subscripts(part: Expr) -> Iterator[tuple[str, int, Expr]]:
    if isinstance(part, Indexed):
        for dimension, subscript in enumerate(part.indices):
            yield tensor_of(part), dimension, subscript
            yield from _subscripts(subscript)
        return
    for argument in part.args:
        yield from _subscripts(argument)


def _indices(part: Expr) -> Iterator[Name]:
    return (name for name in part.atoms(Name) if is_index(name))


def _bare(part: Expr) -> Iterator[Name]:
    """Indices that stand for numbers, as in a condition `u <= t`."""
    if isinstance(part, Indexed):
        return
    if isinstance(part, Name):
        if is_index(part):
            yield part
        return
    for argument in part.args:
        yield from _bare(argument)
