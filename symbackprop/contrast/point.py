"""Where methods are contrasted: a program's parameters and one batch of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.equations import System
from symbackprop.witnesses.numbers import REAL, Array, Numbers
from symbackprop.witnesses.slopes import value

Whole = NDArray[np.int64]  # numbers of coordinates
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Point:
    """Values of all given tensors; a coordinate is one entry of a parameter.

    Attributes:
        system: the forward equations.
        values: an array for each given tensor, batched ones with the batch in front.
    """

    system: System
    values: Mapping[str, Array]

    @cached_property
    def batch(self) -> int:
        """Samples in the batch; 1 where nothing is batched."""
        lengths = [
            len(self.values[t.name])
            for t in self.system.tensors.values()
            if t.name in self.values and t.batched
        ]
        return lengths[0] if lengths else 1

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter, in declared order."""
        return {p.name: self.system.shape(p.name) for p in self.system.parameters}

    @cached_property
    def size(self) -> int:
        """The number of coordinates."""
        return sum(prod(shape) for shape in self.shapes.values())

    @cached_property
    def vector(self) -> Floats:
        """All parameters, one after the other."""
        return self.flat(self.values)

    @cached_property
    def scale(self) -> int:
        """About how many numbers one evaluation for one sample computes."""
        size = self.system.size
        return sum(
            prod(size(index) for index in (*equation.indices, *term.bound))
            for equation in self.system.equations
            for term in equation.terms
        )

    def flat(self, tensors: Mapping[str, Any]) -> Array:
        """Parameters, or slopes by them, as one vector.

        Shapes:
            (size,), of the tensors' own kind of numbers.
        """
        return np.concatenate([np.reshape(tensors[name], -1) for name in self.shapes])

    def tensors(self, vector: Array) -> dict[str, Array]:
        """`flat` undone."""
        found, first = {}, 0
        for name, shape in self.shapes.items():
            last = first + prod(shape)
            found[name] = vector[first:last].reshape(shape)
            first = last
        return found

    def entry(self, coordinate: int) -> str:
        """The name of a coordinate: `W1[3, 0]`."""
        first = 0
        for name, shape in self.shapes.items():
            if coordinate < first + prod(shape):
                place = np.unravel_index(coordinate - first, shape)
                inside = ", ".join(str(int(k)) for k in place)
                return f"{name}[{inside}]" if shape else name
            first += prod(shape)
        raise IndexError(coordinate)

    def value(self, vector: Array, numbers: Numbers = REAL) -> Any:
        """The mean of the objective over the batch, at other parameters."""
        return value(self.system, {**self.values, **self.tensors(vector)}, numbers)

    def first(self, samples: int) -> Point:
        """The same parameters, and the first samples alone."""
        tensors = self.system.tensors
        return Point(
            self.system,
            {
                name: values[:samples] if tensors[name].batched else values
                for name, values in self.values.items()
            },
        )
