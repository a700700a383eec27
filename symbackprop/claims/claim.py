"""A claim as equations over its program: what both sides compute, and which slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.verdict import Reason
from symbackprop.equations import Axis, Equation, System


class MisfitError(Exception):
    """Shapes that do not meet: a finding about a claim, not a mistake in its text."""

    def __init__(self, key: str, **parts: str) -> None:
        super().__init__(key)
        self.reason = Reason(key, parts)


class UndecidedError(Exception):
    """A claim beyond what can be judged."""

    def __init__(self, key: str, **parts: str) -> None:
        super().__init__(key)
        self.reason = Reason(key, parts)


@dataclass(frozen=True)
class Slope:
    """`D(of[...], by[...])`: a given tensor whose axes are those of both."""

    of: str
    by: str


@dataclass(frozen=True)
class Claim:
    """A claim read over a program.

    Attributes:
        parsed: its text and trees.
        form: "index", "matrix" or "scalar".
        system: the program without its batch, or the variables of a scalar claim, and
            beside it the slopes (given), the equations of what they are slopes of, and
            one equation for each side.
        slopes: what each given tensor of slopes is.
        sides: the tensors of the sides; all have the axes of the free letters.
        condition: the tensor that is 1 where the claim's condition holds; "" if none.
        letters: the axes of the free letters, as they are written.
        base: the forward equations alone.
        derived: slopes that were written out to be differentiated again, and the
            tensors that hold what was written; the judge compares both.
        means: whether a mean stands in the program or the claim: its numbers are those
            of the program's own sizes, and no others.
    """

    parsed: Parsed
    form: str
    system: System
    slopes: Mapping[str, Slope]
    sides: tuple[str, ...]
    condition: str
    letters: Mapping[str, Axis]
    base: System
    derived: Mapping[str, str]
    means: bool

    @property
    def own(self) -> tuple[Equation, ...]:
        """The equations that the claim adds to the program's."""
        return self.system.equations[len(self.base.equations) :]

    @property
    def ends(self) -> set[str]:
        """What is differentiated, and by what."""
        return {name for s in self.slopes.values() for name in (s.of, s.by)}
