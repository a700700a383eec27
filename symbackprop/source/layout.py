"""Where every tensor lies: offsets in `theta`, `gradient` and `workspace`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy.typing import NDArray

from symbackprop.equations import System

Buffer = Literal["theta", "gradient", "data", "fixed", "sample"]


@dataclass(frozen=True)
class Place:
    """A tensor's buffer, its offset there and its shape without the batch.

    `fixed` is the workspace's first part; in `sample`, its second, offset and size are
    multiplied by the length of the batch.
    """

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def of(self, workspace: NDArray[Any], fixed: int, batch: int) -> NDArray[Any]:
        """The view of the tensor in a workspace whose first part is `fixed` long."""
        if self.buffer == "sample":
            start = fixed + self.offset * batch
            flat = workspace[start : start + self.size * batch]
            return flat.reshape(batch, *self.shape)
        return workspace[self.offset : self.offset + self.size].reshape(self.shape)


@dataclass(frozen=True)
class Near:
    """Tensors that need no memory for every sample.

    Attributes:
        variables: nobody reads an element of them but the loops that make it, or nobody
            a sample's number but the sweep that makes it: they are in no memory.
        rows: nobody reads them but the sweep that makes them: one sample's are kept.
    """

    variables: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layout:
    """Every tensor's place, and the sizes of the buffers.

    The workspace holds the `fixed` tensors, then `per_sample` numbers a sample.
    """

    places: Mapping[str, Place]
    theta: int
    fixed: int
    per_sample: int


def inputs_of(system: System, slopes: Mapping[str, str]) -> dict[str, Place]:
    """Places of parameters, their slopes and data, in the order of declaration.

    Args:
        system: the tensors.
        slopes: the gradient's tensor of each parameter.
    """
    places: dict[str, Place] = {}
    theta = 0
    for parameter in system.parameters:
        place = Place("theta", theta, system.shape(parameter.name))
        places[parameter.name] = place
        if parameter.name in slopes:
            places[slopes[parameter.name]] = replace(place, buffer="gradient")
        theta += place.size
    for data in system.data:
        places[data.name] = Place("data", 0, system.shape(data.name))
    return places


def region_of(tensor: str, system: System) -> Buffer:
    """Which part of the workspace a tensor belongs to."""
    return "sample" if system.tensors[tensor].batched else "fixed"
