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
        gradient: the slopes by the coordinates that it was prepared for; None where
            they can be counted but not computed.
        evaluations: how many evaluations of the objective they take; a sweep that
            carries slopes counts as one.
        operations: counts the additions, multiplications, divisions and functions that
            they take; None where nothing can.
        nodes: of the expression or graph that was built beforehand.
        fixed: the nodes among these that do not grow with the number of coordinates.
        fixed_operations: counts the operations that do not, likewise.
        nbytes: of memory kept for the slopes; None where the call allocates it.
        epsilon: the precision of the method, 2^-52 for float64.
        allowed: by how much each slope may be off beside an exact method's rounding,
            from the slopes, how far each is off, the coordinates, and the noise of the
            objective; infinite where it cannot be judged. None: by that rounding alone.
        shared: seconds of preparation that were spent for another method already.
        note: what a reader of the row should know.
    """

    gradient: Callable[[], Floats] | None
    evaluations: int
    operations: Callable[[], int | None] = lambda: None
    nodes: int | None = None
    fixed: int = 0
    fixed_operations: Callable[[], int | None] = lambda: 0
    nbytes: int | None = None
    epsilon: float = 2.0**-52
    allowed: Callable[[Floats, Floats, Whole, float], Floats] | None = None
    shared: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Method:
    """One way to differentiate.

    Attributes:
        name: as in the table.
        family: numeric, symbolic, automatic or a peer.
        prepare: makes it ready at a point, for some coordinates.
        coordinatewise: whether each coordinate costs something of its own.
    """

    name: str
    family: Family
    prepare: Callable[[Point, Whole], Prepared]
    coordinatewise: bool = False


def recordable(point: Point, most: int = GRAPH) -> None:
    """Refuse to record what would fill the memory, or take minutes.

    Raises:
        UnavailableError: the graph would be too large.
    """
    nodes = 3 * point.scale * point.batch
    if nodes > most:
        raise UnavailableError(
            f"a graph of about {nodes:,} numbers; at most {most:,} are recorded"
        )
