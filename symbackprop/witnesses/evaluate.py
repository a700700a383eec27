"""Every tensor of a system, computed from its equations by broadcasting."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from sympy import Expr

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Tensor,
    Term,
    indices_of,
    reads,
    tensor_of,
)
from symbackprop.errors import CheckError, ShapeError
from symbackprop.schedule import Item, flatten, schedule
from symbackprop.witnesses.blocks import Block, Whole
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import REAL, Numbers

LIMIT = 20_000_000  # numbers held at once for one term


def evaluate(
    system: System,
    values: Mapping[str, Any],
    numbers: Numbers = REAL,
    batch: int | None = None,
) -> dict[str, Any]:
    """Compute the equations of a system, forward or derived alike.

    Args:
        system: its equations, in any order.
        values: an array for each tensor that no equation defines and that is read.
        numbers: the number system.
        batch: the length of the batch; None takes it from the values.

    Shapes:
        Batched tensors have the batch as their first axis, here and in the result.

    Returns:
        An array for every tensor given or computed.

    Raises:
        CheckError: a tensor without a value, or a read or write outside its axis.
        ShapeError: an array that does not have its tensor's shape.
    """
    defined = {equation.tensor for equation in system.equations}
    given = {name: values[name] for name in values if name not in defined}
    run = Run(system, numbers, _batch(system, given, batch))
    for name in given:
        run.give(name, numbers.array(given[name]))
    with np.errstate(all="ignore"):
        for item in schedule(system):
            run.item(item, {})
    return run.result()


def _batch(system: System, given: Mapping[str, Any], batch: int | None) -> int:
    for name in given:
        tensor = system.tensors.get(name)
        if batch is None and tensor is not None and tensor.batched:
            shape = getattr(given[name], "shape", None) or np.shape(given[name])
            batch = shape[0] if shape else None
    return 1 if batch is None else batch


class Run:
    """One evaluation. Arrays are held with a batch axis, of size 1 if unbatched."""

    def __init__(self, system: System, numbers: Numbers, batch: int) -> None:
        self.system = system
        self.numbers = numbers
        self.batch = batch
        self.store: dict[str, Value] = {}

    def shape(self, tensor: Tensor) -> tuple[int, ...]:
        lead = self.batch if tensor.batched else 1
        return (lead, *self.system.shape(tensor.name))

    def give(self, name: str, array: Value) -> None:
        tensor = self.system.tensors.get(name)
        if tensor is None:
            raise CheckError(f"a value came for `{name}`, which the system lacks.")
        shape = self.shape(tensor)
        expected = shape if tensor.batched else shape[1:]
        if tuple(array.shape) != expected:
            raise ShapeError(
                f"`{name}` has the shape {expected} and got an array of the shape "
                f"{tuple(array.shape)}; pass its axes in their declared order."
            )
        self.store[name] = self.numbers.reshape(array, shape)

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, array in self.store.items():
            tensor = self.system.tensors[name]
            shape = self.shape(tensor)
            found[name] = self.numbers.reshape(
                array, shape if tensor.batched else shape[1:]
            )
        return found

    def item(self, item: Item, fixed: Mapping[str, Mapping[Name, int]]) -> None:
        """Compute an equation, or a loop step by step.

        `fixed` holds, for each tensor inside a loop, its step.
        """
        if isinstance(item, Equation):
            self.equation(item, fixed.get(item.tensor, {}))
            return
        for equation in flatten(item.items):
            self.allocate(equation.tensor)
        order = range(item.length)
        for step in order if item.ascending else reversed(order):
            now = {
                t: {**fixed.get(t, {}), index: step} for t, index in item.steps.items()
            }
            for inner in item.items:
                self.item(inner, {**fixed, **now})

    def allocate(self, name: str) -> None:
        if name not in self.store:
            self.store[name] = self.numbers.zeros(self.shape(self.system.tensors[name]))

    def equation(self, equation: Equation, fixed: Mapping[Name, int]) -> None:
        if any(step >= self.system.size(index) for index, step in fixed.items()):
            return
        self.allocate(equation.tensor)
        for term in equation.terms:
            place = Place(self, equation, term, fixed)
            place.add(place.batch, place.ranges)


class Place:
    """One term of an equation, on the grid of the batch and its indices."""

    def __init__(
        self, run: Run, equation: Equation, term: Term, fixed: Mapping[Name, int]
    ) -> None:
        self.run, self.equation, self.term = run, equation, term
        self.tensors, self.numbers = run.system.tensors, run.numbers
        self.where = f"the equation of `{equation.tensor}`"
        self.target = term.target or equation.indices
        own = [i for i, t in zip(equation.indices, self.target, strict=True) if i == t]
        self.dims = (*own, *term.bound)
        if len(set(self.dims)) < len(self.dims):
            raise CheckError(f"{self.where} binds an index of its left-hand side.")
        self.free = 1 + len(own)
        parts = [term.body, *(g.subscript for g in term.guards), *self.target]
        read = [tensor_of(r) for part in parts for r in reads(part)]
        missing = sorted(set(read) - set(run.store))
        if missing:
            raise CheckError(
                f"{self.where} reads `{missing[0]}`, which has neither a value nor an "
                "equation; give an array for it."
            )
        batched = any(self.tensors[name].batched for name in read)
        if batched and not (self.tensors[equation.tensor].batched or term.average):
            raise CheckError(
                f"{self.where} has no batch axis and reads batched tensors; the term "
                "must average over the batch."
            )
        self.averages = batched and term.average
        self.batch = np.arange(run.batch if batched else 1)
        self.ranges = {
            index: np.array([fixed[index]])
            if index in fixed
            else np.arange(run.system.size(index))
            for index in self.dims
        }

    # Blocks of the grid

    def add(self, batch: Whole, ranges: dict[Name, Whole]) -> None:
        """Add the term on a block of the grid, halved while it is too large."""
        reduces = self.equation.reduction != "sum"
        contracts = not reduces and self.factors(batch, ranges)
        room = LIMIT // self.numbers.width
        if not contracts and len(batch) * prod(map(len, ranges.values())) > room:
            spare = self.dims[: self.free - 1] if reduces else self.dims
            lengths: dict[Name | None, int] = {i: len(ranges[i]) for i in spare}
            lengths[None] = len(batch)
            longest = max(lengths, key=lambda index: lengths[index])
            if lengths[longest] > 1:
                old = batch if longest is None else ranges[longest]
                for half in (old[: len(old) // 2], old[len(old) // 2 :]):
                    if longest is None:
                        self.add(half, ranges)
                    else:
                        self.add(batch, {**ranges, longest: half})
                return
        block = Block(self, batch, ranges)
        if reduces:
            block.best()
        elif contracts:
            block.contract(contracts)
        elif self.term.target is None:
            block.gather()
        else:
            block.scatter()

    def factors(self, batch: Whole, ranges: dict[Name, Whole]) -> tuple[Expr, ...]:
        """The factors of a body that is summed as a product; () where it is not."""
        term = self.term
        simple = term.target is None and not term.guards and self.numbers.contracts
        if not simple or not term.body.is_Mul or len(term.body.args) > 8:
            return ()
        for factor in term.body.args:
            lengths = [len(ranges[i]) for i in indices_of(factor)]
            if len(batch) * prod(lengths) * self.numbers.width > LIMIT:
                return ()
        found: tuple[Expr, ...] = term.body.args
        return found
