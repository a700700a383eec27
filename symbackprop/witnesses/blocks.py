"""One term on one block of its grid: what a witness computes at a time."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from symbackprop.equations import Guard, Name, is_index, subscripts_of, tensor_of
from symbackprop.errors import CheckError
from symbackprop.witnesses.expressions import Value, calculate

if TYPE_CHECKING:
    from symbackprop.witnesses.evaluate import Place

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Block:
    """A block of a term's grid: dimensions are the batch, own indices, bound ones."""

    def __init__(self, place: Place, batch: Whole, ranges: dict[Name, Whole]) -> None:
        self.place, self.run, self.numbers = place, place.run, place.numbers
        self.system = place.run.system
        self.ndim = 1 + len(place.dims)
        self.grid: dict[Name, Whole] = {}
        for dimension, index in enumerate(place.dims, 1):
            shape = [1] * self.ndim
            shape[dimension] = -1
            self.grid[index] = ranges[index].reshape(shape)
        self.batch = batch.reshape([-1] + [1] * (self.ndim - 1))
        self.shape = (len(batch), *(len(ranges[i]) for i in place.dims))
        self.bound = tuple(range(place.free, self.ndim))
        self.allowed = self.guards(place.term.guards)

    def guards(self, guards: tuple[Guard, ...]) -> Mask | None:
        found: Mask | None = None
        for guard in guards:
            subscript = self.whole(guard.subscript)
            holds = (subscript >= 0) & (subscript < self.system.size(guard.axis))
            found = holds if found is None else found & holds
        return found

    # Values

    def leaf(self, part: Expr) -> Value:
        if isinstance(part, Name) and part.kind == "constant":
            value = self.system.constants[part.name].value
            return self.numbers.constant(value, self.ndim)
        if is_index(part):
            return self.numbers.array(self.position(part))
        return self.read(part)

    def position(self, index: Expr) -> Whole:
        if index not in self.grid:
            raise CheckError(
                f"{self.place.where} uses the index `{index}`, which stands neither "
                "on its left nor among the bound ones."
            )
        return self.grid[index]

    def whole(self, part: Expr) -> Whole:
        """The value of a subscript: affine in indices and in integer reads."""
        if part.is_Integer:
            return np.full((1,) * self.ndim, int(part))
        if is_index(part):
            return self.position(part)
        if part.is_Add:
            return np.asarray(sum(self.whole(a) for a in part.args))
        if part.is_Mul:
            return np.asarray(prod(self.whole(a) for a in part.args))
        if part.is_Indexed or (isinstance(part, Name) and part.kind == "tensor"):
            return self.numbers.whole(self.read(part))
        raise CheckError(
            f"{self.place.where} has the subscript `{part}`; a subscript is made of "
            "indices, whole numbers and elements of integer tensors."
        )

    def read(self, part: Expr) -> Value:
        name = tensor_of(part)
        tensor = self.system.tensors[name]
        subscripts = [self.whole(s) for s in subscripts_of(part)]
        inside, clipped = self.inside(part, name, subscripts, tensor.zero_outside)
        batch = self.batch if tensor.batched else np.zeros_like(self.batch[:1])
        value = self.numbers.take(self.run.store[name], (batch, *clipped))
        if inside is None:
            return value
        return self.numbers.where(inside, value, self.zero())

    def zero(self) -> Value:
        return self.numbers.zeros((1,) * self.ndim)

    def inside(
        self, part: Expr, name: str, subscripts: list[Whole], free: bool
    ) -> tuple[Mask | None, list[Whole]]:
        """Where subscripts are on their axes (None: everywhere), and a safe copy."""
        found: Mask | None = None
        clipped = []
        for subscript, size in zip(subscripts, self.system.shape(name), strict=True):
            if subscript.min() >= 0 and subscript.max() < size:
                clipped.append(subscript)
                continue
            holds = (subscript >= 0) & (subscript < size)
            allowed = True if self.allowed is None else self.allowed
            if not free and np.any(allowed & ~holds):
                bad = subscript[~holds].flat[0]
                raise CheckError(
                    f"{self.place.where} reaches `{part}` at {bad}, outside an axis "
                    f"of size {size}; guard it, or name `{name}` in zero_outside."
                )
            found = holds if found is None else found & holds
            clipped.append(np.clip(subscript, 0, size - 1))
        return found if free else None, clipped

    def value(self, part: Expr) -> Value:
        return calculate(part, self.numbers, self.leaf, self.ndim)

    def body(self) -> Value:
        """The body, 0 where a guard fails, spread over the bound indices."""
        value = self.value(self.place.term.body)
        if self.allowed is not None:
            value = self.numbers.where(self.allowed, value, self.zero())
        return value

    def spread(self, value: Value, full: bool) -> Value:
        """Give the bound dimensions (all of them if `full`) their sizes."""
        shape = [
            size
            if full or d in self.bound or (d == 0 and self.place.averages)
            else have
            for d, (size, have) in enumerate(zip(self.shape, value.shape, strict=True))
        ]
        return self.numbers.broadcast(value, tuple(shape))

    # What becomes of them

    def window(self) -> tuple[slice, ...]:
        """The block's part of the left-hand side."""
        own = self.place.dims[: self.place.free - 1]
        ranges = [self.grid[index].reshape(-1) for index in own]
        tensor = self.system.tensors[self.place.equation.tensor]
        batch = self.batch.reshape(-1)
        first = slice(None)
        if tensor.batched and len(batch) < self.run.batch and len(self.place.batch) > 1:
            first = slice(batch[0], batch[-1] + 1)
        return (first, *(slice(r[0], r[-1] + 1) for r in ranges))

    def store(self, total: Value) -> None:
        """Add what has dimensions (batch, own indices) to the left-hand side."""
        place = self.place
        if place.averages:
            total = self.mean(self.numbers.sum(total, (0,)))
        total = self.numbers.reshape(total, tuple(total.shape[: place.free]))
        out = self.run.store[place.equation.tensor]
        self.numbers.put(out, self.window(), total)

    def mean(self, value: Value) -> Value:
        length = self.numbers.array(np.full((1,) * len(value.shape), self.run.batch))
        return self.numbers.divide(value, length)

    def gather(self) -> None:
        self.store(self.numbers.sum(self.spread(self.body(), False), self.bound))

    def contract(self, factors: tuple[Expr, ...]) -> None:
        """A sum of products, without the products in memory."""
        operands: list[tuple[Value, list[int]]] = []
        for value in (self.value(factor) for factor in factors):
            labels = [d for d, size in enumerate(value.shape) if size > 1]
            shape = tuple(value.shape[d] for d in labels)
            operands.append((self.numbers.reshape(value, shape), labels))
        seen = {d for _, labels in operands for d in labels}
        kept = sorted(d for d in seen if d < self.place.free)
        total = self.numbers.contract(operands, kept)
        missing = prod(self.shape[d] for d in self.bound if d not in seen)
        full = tuple(self.shape[d] if d in kept else 1 for d in range(self.ndim))
        count = self.numbers.constant(Fraction(missing), self.ndim)
        total = self.numbers.multiply(self.numbers.reshape(total, full), count)
        self.store(self.spread_batch(total))

    def spread_batch(self, value: Value) -> Value:
        shape = list(value.shape)
        if self.place.averages:
            shape[0] = self.shape[0]
        return self.numbers.broadcast(value, tuple(shape))

    def scatter(self) -> None:
        place = self.place
        value = self.spread(self.body(), True)
        subscripts = [self.whole(t) for t in place.target]
        name = place.equation.tensor
        left = self.system.tensors[name].read(*place.target)
        _, clipped = self.inside(left, name, subscripts, False)
        batch = self.batch
        if place.averages or not self.system.tensors[name].batched:
            value = self.mean(value) if place.averages else value
            batch = np.zeros_like(self.batch[:1])
        elif len(place.batch) < self.run.batch:  # the same for every sample
            shape = (self.run.batch, *self.shape[1:])
            value = self.numbers.broadcast(value, shape)
            batch = np.arange(self.run.batch).reshape([-1] + [1] * (self.ndim - 1))
        places = tuple(
            np.broadcast_to(s, value.shape[: self.ndim]) for s in (batch, *clipped)
        )
        if self.allowed is not None:
            chosen = np.broadcast_to(self.allowed, places[0].shape)
            places = tuple(s[chosen] for s in places)
            value = self.numbers.take(value, (chosen,))
        self.numbers.scatter(self.run.store[name], places, value)

    def best(self) -> None:
        """max, min, argmax or argmin: the first optimal place in row-major order."""
        place = self.place
        if place.term.guards or place.term.target is not None:
            raise CheckError(f"{place.where} guards or scatters a maximum.")
        value = self.spread(self.value(place.term.body), False)
        lead = tuple(value.shape[: place.free])
        value = self.numbers.reshape(value, (*lead, -1))
        reduction = place.equation.reduction
        first = self.numbers.best(value, reduction.endswith("max"))
        if reduction.startswith("arg"):
            self.store(self.numbers.array(first))
            return
        corners = np.meshgrid(*map(np.arange, lead), indexing="ij")
        self.store(self.numbers.take(value, (*corners, first)))
