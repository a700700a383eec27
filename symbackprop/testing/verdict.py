"""What was found about a gradient that passed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """A gradient is the slope of its function, as far as it could be judged.

    Attributes:
        entry: the worst entry as a reader writes it: "W[1, 2]".
        name: of the array that it stands in; "" where x is one array.
        index: its place in the array.
        claimed: the gradient there.
        slope: what the judge found there; the nearer end of the interval at a corner.
        tolerance: how far they may be apart.
        judged: how many entries were judged.
        size: how many entries there are.
        directions: random directions along which the whole gradient was judged.
        corners: the entries at which f has a corner, each with its interval.
        notes: what was not judged, and why.
    """

    entry: str
    name: str
    index: tuple[int, ...]
    claimed: float
    slope: float
    tolerance: float
    judged: int
    size: int
    directions: int = 0
    corners: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        along = f" and {self.directions} directions" if self.directions else ""
        head = f"{self.judged} of {self.size} entries{along} agree"
        if self.judged:
            head += (
                f"; the worst is {self.entry}: {self.claimed:.9g}, slope "
                f"{self.slope:.9g}, tolerance {self.tolerance:.1e}"
            )
        return "\n".join((head + ".", *self.corners, *self.notes))
