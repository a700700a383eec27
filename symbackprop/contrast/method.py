"""A method of differentiation: how it is prepared at a point, and what it then does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.errors import SymbackpropError

Family = Literal["numeric", "symbolic", "automatic", "peer"]

GRAPH = 1_000_000  # nodes of a recorded graph at most: some seconds, some 100 MB


class UnavailableError(SymbackpropError):
    """A method that cannot take part at a point; the message says why."""


@dataclass(frozen=True)
class Prepared:
    """A method that stands ready.

    Attributes:
        gradient: the slopes by the coordinates that it was prepared for.
        evaluations: how many evaluations of the objective they take; a sweep that
            carries slopes counts as one.
        operations: additions, multiplications, divisions and functions that they take;
            None where nothing counts them.
        nodes: of the expression or graph that was built beforehand.
        nbytes: of memory kept for the slopes; None where the call allocates it.
        epsilon: the precision of the method, 2^-52 for float64.
        allowed: by how much each slope may be off, given the rounding that an exact
            method shows; None: by that alone.
        note: what a reader of the row should know.
    """

    gradient: Callable[[], Floats]
    evaluations: int
    operations: int | None = None
    nodes: int | None = None
    nbytes: int | None = None
    epsilon: float = 2.0**-52
    allowed: Callable[[Floats, Whole, float], Floats] | None = None
    note: str = ""


@dataclass(frozen=True)
class Method:
    """One way to differentiate.

    Attributes:
        name: as in the table.
        family: numeric, symbolic, automatic or a peer.
        prepare: makes it ready at a point, for some coordinates.
        coordinatewise: whether each coordinate costs something of its own.
        counted: how many operations the slopes by all coordinates of a point take,
            where a number is found without running the method on all of them.
    """

    name: str
    family: Family
    prepare: Callable[[Point, Whole], Prepared]
    coordinatewise: bool = False


def recordable(point: Point) -> None:
    """Refuse to record what would fill the memory.

    Raises:
        UnavailableError: the graph would be too large.
    """
    nodes = 3 * point.scale * point.batch
    if nodes > GRAPH:
        raise UnavailableError(
            f"a graph of about {nodes:,} numbers is more than the {GRAPH:,} that are "
            "recorded"
        )
