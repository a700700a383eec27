"""What a document says, as frozen values: sections of paragraphs, equations, tables.

Nothing here knows LaTeX pages or HTML: a `Chapter` is what both are printed from.
Mathematics is LaTeX without macros of our own, which every renderer understands.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Math:
    """Mathematics within a line, as LaTeX."""

    latex: str


@dataclass(frozen=True)
class Code:
    """A name exactly as it was declared."""

    text: str


# A run of text: plain words (not yet escaped), mathematics and declared names.
Inline = tuple[str | Math | Code, ...]


@dataclass(frozen=True)
class Paragraph:
    """Sentences."""

    text: Inline


@dataclass(frozen=True)
class NumberedEquation:
    """`left relation addends  (number)  reason`.

    Attributes:
        number: the equation's number, shared with the emitted code; None: unnumbered.
        left: the left-hand side.
        addends: the right-hand side, each addend with its sign (the first only if it
            is a minus), so that a long equation can be broken between them.
        reason: why it holds.
        relation: what stands between the sides.
    """

    number: int | None
    left: str
    addends: tuple[str, ...]
    reason: Inline = ()
    relation: str = "="

    @property
    def latex(self) -> str:
        """The whole equation on one line."""
        return f"{self.left} {self.relation} {' '.join(self.addends)}"


@dataclass(frozen=True)
class Equations:
    """Equations aligned on their relations."""

    rows: tuple[NumberedEquation, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head; `widths` are shares of the line, 0 for as wide as needed."""

    head: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]
    widths: tuple[float, ...]


Block = Paragraph | Equations | Table


@dataclass(frozen=True)
class Section:
    """A titled sequence of blocks."""

    title: Inline
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Chapter:
    """A whole derivation, ready to be printed."""

    title: Inline
    language: str
    sections: tuple[Section, ...]

    def equations(self) -> tuple[NumberedEquation, ...]:
        """Every numbered equation in the order in which it is printed."""
        return tuple(
            row
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Equations)
            for row in block.rows
            if row.number is not None
        )
