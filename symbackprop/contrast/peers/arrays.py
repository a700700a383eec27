"""Arrays of another library, in which the forward equations are evaluated as they are.

Its own machinery sees what is done to them, and differentiates that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import Array, Numbers


@dataclass
class Held:
    """An array that changes by being replaced, for these arrays do not change."""

    array: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)


class Foreign(Numbers):
    """A number system made of a library's own functions.

    Args:
        library: the module with `where`, `einsum`, `exp` and so on.
        made: makes an array of double precision out of NumPy's.
        functions: the library's functions of the table, by name.
    """

    dtype = np.float64

    def __init__(
        self,
        library: Any,
        made: Callable[[Array], Any],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.library, self.made, self.functions = library, made, functions

    def array(self, values: Any) -> Value:
        if isinstance(values, Held):
            return values
        return Held(self.made(np.asarray(values, dtype=np.float64)))

    def constant(self, number: Fraction, ndim: int) -> Value:
        return self.array(np.full((1,) * ndim, float(number)))

    def zeros(self, shape: tuple[int, ...]) -> Value:
        return self.array(np.zeros(shape))

    def own(self, name: str) -> Callable[..., Value] | None:
        function = self.functions.get(name)
        if function is None:
            return None
        return lambda *arguments: Held(function(*(a.array for a in arguments)))

    def add(self, a: Value, b: Value) -> Value:
        return Held(a.array + b.array)

    def multiply(self, a: Value, b: Value) -> Value:
        return Held(a.array * b.array)

    def divide(self, a: Value, b: Value) -> Value:
        return Held(a.array / b.array)

    def compare(self, how: np.ufunc, a: Value, b: Value) -> Any:
        return getattr(self.library, how.__name__)(a.array, b.array)

    def where(self, chosen: Any, a: Value, b: Value) -> Value:
        return Held(self.library.where(self.mask(chosen), a.array, b.array))

    def mask(self, chosen: Any) -> Any:
        """Truth values of NumPy or of the library, as the library takes them."""
        return chosen

    def best(self, value: Value, largest: bool) -> Any:
        find = self.library.argmax if largest else self.library.argmin
        return find(value.array, -1)

    def take(self, a: Value, places: tuple[Any, ...]) -> Value:
        return Held(a.array[places])

    def contract(self, operands: Any, kept: list[int]) -> Value:
        flat = [p for a, labels in operands for p in (a.array, labels)]
        return Held(self.library.einsum(*flat, kept))

    def reshape(self, a: Value, shape: tuple[int, ...]) -> Value:
        return Held(a.array.reshape(shape))

    def broadcast(self, a: Value, shape: tuple[int, ...]) -> Value:
        return Held(self.library.broadcast_to(a.array, shape))
