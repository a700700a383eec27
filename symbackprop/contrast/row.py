"""One row of a contrast: what a method was measured to do."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.contrast.method import Family


@dataclass(frozen=True)
class Accuracy:
    """How far a method's slopes are from the truth.

    Attributes:
        relative: the error's norm over the norm of the truth.
        worst: the coordinate whose error is nearest to what theory allows there, or
            farthest beyond it.
        ulp: its error, in units in the last place (of float64) of the norm of the
            truth; of an exact method no other error is larger.
        found: the method's slope there.
        expected: the truth there.
        allowed: what the method's theory allows there, in the units of `ulp`.
        agrees: whether every judged error is within what theory allows there.
        excused: how many slopes were not judged: a kink lies within the step, or theory
            is worked out for the worst alone and they are not among these.
    """

    relative: float
    ulp: float
    worst: str
    found: float
    expected: float
    allowed: float
    agrees: bool
    excused: int


@dataclass(frozen=True)
class Row:
    """A method's accuracy and costs, for the whole gradient.

    Attributes:
        method: its name.
        family: numeric, symbolic, automatic or a peer.
        accuracy: None where the slopes could be counted but not computed, or where the
            method refused.
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
        refused: what the method's own checks found wrong, if anything; then nothing
            was measured.
    """

    method: str
    family: Family
    accuracy: Accuracy | None = None
    seconds: float | None = None
    setup: float | None = None
    evaluations: int | None = None
    operations: int | None = None
    nodes: int | None = None
    nbytes: int | None = None
    coordinates: int = 0
    samples: int = 0
    exact: bool = False
    extrapolated: bool = False
    note: str = ""
    refused: str = ""

    @property
    def failed(self) -> bool:
        """Whether it disagrees beyond its theory, or refused."""
        return bool(self.refused or (self.accuracy and not self.accuracy.agrees))
