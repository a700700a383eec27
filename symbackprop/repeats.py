"""Runs of repeated equations: the equal layers of a deep network.

A run is a group of items of a schedule that stands three times or more in a row, equal
up to a consistent renaming of tensors and indices. Code and document say it once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Indexed

from symbackprop.equations import Equation, Name, System, by_rank
from symbackprop.schedule import Item, Loop, flatten

LEAST = 3  # repetitions that make a run
LONGEST = 200  # items of one repetition


@dataclass(frozen=True)
class Run:
    """`count` repetitions of `length` items, from item `start` on.

    Attributes:
        start: the place of the first repetition's first item.
        length: items in one repetition.
        count: repetitions.
        items: all items of the run, in order.
        renaming: for each repetition, what the first one's tensors are called there.
    """

    start: int
    length: int
    count: int
    items: tuple[Item, ...]
    renaming: tuple[Mapping[str, str], ...]

    @property
    def first(self) -> tuple[Item, ...]:
        """The items of the first repetition, which stand for all."""
        return self.items[: self.length]

    def repetition(self, number: int) -> tuple[Item, ...]:
        return self.items[number * self.length : (number + 1) * self.length]


def repeats(
    items: Sequence[Item],
    system: System,
    starts: Collection[int] = (),
    kinds: Mapping[str, Any] | None = None,
) -> list[Run]:
    """The runs of a schedule, in order; they do not overlap.

    Args:
        items: equations and loops in their order of computation.
        system: what their names mean.
        starts: places where a repetition would best begin, if it can.
        kinds: what else must be equal for two tensors to stand for each other.

    Example: `z1, a1, z2, a2, ..., z9, a9`, of which z1 alone reads data
    => one run from z2, of 2 items, 8 times.
    """
    reader = _Reader(system, kinds or {})
    read = [reader.item(item) for item in items]
    numbers: dict[Any, int] = {}
    signs = np.array([numbers.setdefault(sign, len(numbers)) for sign, _ in read], int)
    slots = [tensors for _, tensors in read]
    periods = _equal_ahead(signs)
    found: list[Run] = []
    here = 0
    while here < len(items):
        run = _longest(here, periods, items, slots, frozenset(starts))
        if run is not None:
            found.append(run)
        here = here + 1 if run is None else run.start + run.length * run.count
    return found


def _equal_ahead(signs: np.ndarray[Any, Any]) -> dict[int, np.ndarray[Any, Any]]:
    """For each period and place: how many items in a row equal those a period later."""
    ahead: dict[int, np.ndarray[Any, Any]] = {}
    for period in range(1, min(LONGEST, len(signs) // LEAST) + 1):
        same = signs[period:] == signs[:-period]
        if not same.any():
            continue
        ends = np.where(same, len(same), np.arange(len(same)))
        until = np.minimum.accumulate(ends[::-1])[::-1]
        ahead[period] = until - np.arange(len(same))
    return ahead


def _longest(
    here: int,
    ahead: Mapping[int, np.ndarray[Any, Any]],
    items: Sequence[Item],
    slots: Sequence[tuple[str, ...]],
    starts: frozenset[int],
) -> Run | None:
    """The run from `here` that covers most; it may begin a little later, at a start."""
    candidates = []
    for period, lengths in ahead.items():
        count = int(lengths[here]) // period + 1 if here < len(lengths) else 1
        if count >= LEAST:
            candidates.append((-period * count, period, count))
    for _, period, count in sorted(candidates):
        phases = [p for p in range(here, here + period) if p in starts]
        for start in [*phases, here]:
            lengths = ahead[period]
            fits = int(lengths[start]) // period + 1 if start < len(lengths) else 1
            if fits < max(LEAST, count - 1):
                continue
            run = _renamed(start, period, fits, items, slots)
            if run is not None and run.count >= max(LEAST, count - 1):
                return run
        run = _renamed(here, period, count, items, slots)
        if run is not None:
            return run
    return None


def _renamed(
    start: int,
    period: int,
    count: int,
    items: Sequence[Item],
    slots: Sequence[tuple[str, ...]],
) -> Run | None:
    """The run as far as each repetition's tensors map one to one to the first's."""

    def occurring(number: int) -> list[str]:
        first = start + number * period
        return [name for place in slots[first : first + period] for name in place]

    names = occurring(0)
    renaming: list[Mapping[str, str]] = []
    for number in range(count):
        there = occurring(number)
        mapping = dict(zip(names, there, strict=True))
        if [mapping[name] for name in names] != there:
            break
        if len(set(mapping.values())) < len(mapping):
            break
        renaming.append(mapping)
    if len(renaming) < LEAST:
        return None
    covered = tuple(items[start : start + period * len(renaming)])
    return Run(start, period, len(renaming), covered, tuple(renaming))


class _Reader:
    """Reads an item as a sign, free of names, and its tensors in order."""

    def __init__(self, system: System, kinds: Mapping[str, Any]) -> None:
        self.system = system
        self.kinds = kinds

    def item(self, item: Item) -> tuple[Any, tuple[str, ...]]:
        slots: list[str] = []
        return self._item(item, slots), tuple(slots)

    def _item(self, item: Item, slots: list[str]) -> Any:
        if isinstance(item, Equation):
            return self._equation(item, slots)
        inner = tuple(self._item(part, slots) for part in item.items)
        steps = tuple(
            equation.indices.index(item.steps[equation.tensor])
            for equation in flatten([item])
        )
        return (Loop, inner, steps, item.length, item.ascending)

    def _equation(self, equation: Equation, slots: list[str]) -> Any:
        letters: dict[Name, int] = {}
        return (
            equation.reduction,
            self._tensor(equation.tensor, slots),
            self._indices(equation.indices, letters),
            tuple(
                (
                    self._indices(term.bound, letters),
                    self._expression(term.body, letters, slots),
                    tuple(
                        (
                            self._expression(guard.subscript, letters, slots),
                            self.system.size(guard.axis),
                        )
                        for guard in term.guards
                    ),
                    None
                    if term.target is None
                    else tuple(
                        self._expression(s, letters, slots) for s in term.target
                    ),
                    term.average,
                )
                for term in equation.terms
            ),
        )

    def _indices(self, indices: tuple[Name, ...], letters: dict[Name, int]) -> Any:
        for index in indices:
            letters[index] = len(letters)
        return tuple((letters[index], self.system.size(index)) for index in indices)

    def _tensor(self, name: str, slots: list[str]) -> Any:
        slots.append(name)
        tensor = self.system.tensors[name]
        shape = self.system.shape(name)
        kind = self.kinds.get(name, tensor.role)
        return (kind, shape, tensor.batched, tensor.integer, tensor.zero_outside)

    def _expression(
        self, expression: Expr, letters: dict[Name, int], slots: list[str]
    ) -> Any:
        if isinstance(expression, Name):
            if expression.kind == "index":
                return ("index", letters.get(expression, expression.name))
            if expression.kind == "constant":
                return ("constant", self.system.constants[expression.name].value)
            return self._tensor(expression.name, slots)
        if isinstance(expression, Indexed):
            subscripts = tuple(
                self._expression(s, letters, slots) for s in expression.indices
            )
            return (self._tensor(str(expression.base.label), slots), subscripts)
        if not expression.args:
            return expression
        arguments = list(expression.args)
        if isinstance(expression, sympy.Add | sympy.Mul):
            arguments.sort(key=by_rank)
        return (
            expression.func.__name__,
            *(self._expression(argument, letters, slots) for argument in arguments),
        )
