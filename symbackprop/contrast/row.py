"""One row of a contrast: what a method was measured to do."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.contrast.method import Family


@dataclass(frozen=True)
class Accuracy:
    """How far a method's slopes are from the truth.

    Attributes:
        relative: the error's norm over the norm of the truth.
        ulp: the worst coordinate's error, in units in the last place (of float64) of
            the norm of the truth.
        worst: the name of that coordinate.
        found: the method's slope there.
        expected: the truth there.
        allowed: what the method's theory allows where it is tightest, in the units of
            `ulp`.
        agrees: whether every judged error is within what theory allows there.
    """

    relative: float
    ulp: float
    worst: str
    found: float
    expected: float
    allowed: float
    agrees: bool


@dataclass(frozen=True)
class Row:
    """A method's accuracy and costs, for the whole gradient.

    Attributes:
        method: its name.
        family: numeric, symbolic, automatic or a peer.
        accuracy: None where the slopes could be counted but not computed.
        seconds: of one gradient, the median; None likewise.
        setup: seconds to derive, trace or compile beforehand.
        evaluations: of the objective, for one gradient.
        operations: additions, multiplications, divisions and functions; None where
            nothing counts them.
        nodes: of the expression or graph; None where there is none.
        nbytes: of memory for one gradient; None where it is not known.
        coordinates: how many slopes were computed.
        samples: for how many samples of the batch.
        exact: whether its theory knows no error but the rounding of double precision.
        extrapolated: whether figures were scaled up to all coordinates and samples.
        note: what else to know.
    """

    method: str
    family: Family
    accuracy: Accuracy | None
    seconds: float | None
    setup: float
    evaluations: int
    operations: int | None
    nodes: int | None
    nbytes: int | None
    coordinates: int
    samples: int
    exact: bool
    extrapolated: bool
    note: str = ""
