"""What a document says, as frozen values: sections of paragraphs, equations, tables.

Nothing here knows LaTeX pages or HTML: a `Chapter` is what both are printed from.
Mathematics is LaTeX without macros of our own, which every renderer understands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Math:
    """Mathematics within a line, as LaTeX."""

    latex: str


@dataclass(frozen=True)
class Code:
    """A name exactly as it was declared."""

    text: str


@dataclass(frozen=True)
class Ref:
    """`(7)`: a reference to a numbered equation, a link where that is printed."""

    number: int


# A run of text: plain words (not yet escaped), mathematics, declared names, references.
Inline = tuple[str | Math | Code | Ref, ...]


@dataclass(frozen=True)
class Paragraph:
    """Sentences."""

    text: Inline


@dataclass(frozen=True)
class NumberedEquation:
    """`left relation addends  (number)  reason`.

    An empty `left` continues the equation above it: `= addends`.

    Attributes:
        number: the equation's number, shared with the emitted code; None: unnumbered.
        left: the left-hand side.
        addends: the right-hand side, each addend with its sign (the first only if it
            is a minus), so that a long equation can be broken between them.
        reason: why it holds.
        relation: what stands between the sides.
        uses: the numbers of the equations that it was derived from.
    """

    number: int | None
    left: str
    addends: tuple[str, ...]
    reason: Inline = ()
    relation: str = "="
    uses: tuple[int, ...] = ()

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


@dataclass(frozen=True)
class Node:
    """A box in a picture, at a place on a grid whose rows count downwards.

    A column may lie between two: parameters stand side by side.

    Attributes:
        latex: the symbol in it.
        shape: the shape beneath the symbol, as LaTeX; "" for a number.
        name: the name as it was declared, where no mathematics can be shown.
        kind: what it is; kinds differ in shape and shade.
    """

    latex: str
    shape: str
    name: str
    kind: Literal["data", "parameter", "computed", "objective"]
    column: float
    row: int


@dataclass(frozen=True)
class Picture:
    """Boxes joined by arrows, each from one node to another by their places.

    An arrow's `(start, end, label)` has a LaTeX label, or "".
    """

    nodes: tuple[Node, ...]
    arrows: tuple[tuple[int, int, str], ...]
    caption: Inline


Block = Paragraph | Equations | Table | Picture


@dataclass(frozen=True)
class Section:
    """A titled sequence of blocks; `level` 2 is a part of the section before it."""

    title: Inline
    blocks: tuple[Block, ...]
    level: int = 1


@dataclass(frozen=True)
class Chapter:
    """A whole derivation, ready to be printed."""

    title: Inline
    language: str
    sections: tuple[Section, ...]

    def linked(self) -> Chapter:
        """The same, its references to equations that are not printed in plain words."""
        printed = {row.number for row in self.equations()}

        def text(inline: Inline) -> Inline:
            return tuple(
                f"({part.number})"
                if isinstance(part, Ref) and part.number not in printed
                else part
                for part in inline
            )

        def block(part: Block) -> Block:
            if isinstance(part, Paragraph):
                return Paragraph(text(part.text))
            if isinstance(part, Picture):
                return replace(part, caption=text(part.caption))
            if isinstance(part, Table):
                rows = tuple(tuple(map(text, row)) for row in part.rows)
                return replace(part, head=tuple(map(text, part.head)), rows=rows)
            rows_of = (replace(row, reason=text(row.reason)) for row in part.rows)
            return Equations(tuple(rows_of))

        sections = tuple(
            replace(s, title=text(s.title), blocks=tuple(map(block, s.blocks)))
            for s in self.sections
        )
        return replace(self, title=text(self.title), sections=sections)

    def equations(self) -> tuple[NumberedEquation, ...]:
        """Every numbered equation in the order in which it is printed, both sides."""
        found: list[NumberedEquation] = []
        for section in self.sections:
            for block in section.blocks:
                left = ""
                for row in block.rows if isinstance(block, Equations) else ():
                    left = row.left or left
                    if row.number is not None:
                        found.append(replace(row, left=left))
        return tuple(found)
