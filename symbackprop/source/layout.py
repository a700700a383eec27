"""Where every tensor lies: offsets in `theta`, `gradient` and `workspace`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from symbackprop.equations import Equation, System

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


@dataclass(frozen=True)
class Layout:
    """Every tensor's place, and the sizes of the buffers.

    The workspace holds the `fixed` tensors, then `per_sample` numbers a sample.
    """

    places: Mapping[str, Place]
    theta: int
    fixed: int
    per_sample: int


@dataclass(frozen=True)
class Part:
    """A product that is added to a tensor's value later: it lies in a shared slot."""

    name: str
    tensor: str
    slot: int


def lay_out(
    system: System,
    equations: Iterable[Equation],
    slopes: Mapping[str, str],
    parts: Iterable[Part],
) -> Layout:
    """Give every tensor its place, in the order of declaration and computation.

    Args:
        system: the tensors.
        equations: what is computed, in order.
        slopes: the gradient's tensor of each parameter.
        parts: further products; those of one slot share their memory.
    """
    places: dict[str, Place] = {}
    theta = 0
    for parameter in system.parameters:
        shape = system.shape(parameter.name)
        places[parameter.name] = Place("theta", theta, shape)
        if parameter.name in slopes:
            places[slopes[parameter.name]] = Place("gradient", theta, shape)
        theta += math.prod(shape)
    for data in system.data:
        places[data.name] = Place("data", 0, system.shape(data.name))
    computed = [e.tensor for e in equations if e.tensor not in places]
    slots: dict[tuple[Buffer, int], list[Part]] = {}
    for part in parts:
        slots.setdefault((_region(part.tensor, system), part.slot), []).append(part)
    sizes: dict[Buffer, int] = {"fixed": 0, "sample": 0}
    for tensor in computed:
        region, shape = _region(tensor, system), system.shape(tensor)
        places[tensor] = Place(region, sizes[region], shape)
        sizes[region] += math.prod(shape)
    for (region, _), sharing in slots.items():
        for part in sharing:
            shape = system.shape(part.tensor)
            places[part.name] = Place(region, sizes[region], shape)
        sizes[region] += max(places[part.name].size for part in sharing)
    return Layout(places, theta, sizes["fixed"], sizes["sample"])


def _region(tensor: str, system: System) -> Buffer:
    return "sample" if system.tensors[tensor].batched else "fixed"
