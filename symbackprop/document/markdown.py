r"""A chapter -> Markdown, in the dialect of GitHub or of a notebook.

GitHub sets mathematics in ``$`...`$`` and in fences named `math`, where Markdown's own
signs mean nothing; a notebook in dollars. Both draw it with MathJax, but GitHub forbids
a few commands, which are written otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from symbackprop.document.chapter import (
    Block,
    Chapter,
    Code,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
)
from symbackprop.document.measure import width
from symbackprop.document.page import packed

Dialect = Literal["github", "notebook"]

LINE = 52.0  # em in a line of a display

# GitHub refuses these: they could show text that hides something.
ALLOWED = (
    (
        r"\\operatorname\*\{((?:[^{}]|\{[^{}]*\})*)\}",
        r"\\mathop{\\mathrm{\1}}\\limits ",
    ),
    (r"\\operatorname\{((?:[^{}]|\{[^{}]*\})*)\}", r"\\mathop{\\mathrm{\1}}"),
    (r"\\mbox\b", r"\\text"),
)

SHAPES = {
    "data": ("[", "]"),
    "parameter": ("[/", "/]"),
    "computed": ("(", ")"),
    "objective": ("((", "))"),
}


def markdown(chapter: Chapter, dialect: Dialect = "github") -> str:
    """The whole text.

    Args:
        chapter: what it says.
        dialect: "github", or "notebook" for what a notebook shows.
    """
    return _Printer(dialect).chapter(chapter)


def allowed(latex: str) -> str:
    r"""A formula without the commands that GitHub refuses, and without bars.

    >>> print(allowed(r"\operatorname{prelu}(x)"))
    \mathop{\mathrm{prelu}}(x)
    """
    for pattern, other in ALLOWED:
        latex = re.sub(pattern, other, latex)
    return latex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def escaped(text: str) -> str:
    r"""Words in which no character means anything to Markdown or HTML.

    >>> print(escaped("a_b < c"))
    a\_b &lt; c
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]$#~|])", r"\\\1", text)
    # A line that begins so would be a list.
    return re.sub(r"^(\s*\d*)([-+.)])(?=\s)", r"\1\\\2", text)


def code(text: str, table: bool = False) -> str:
    """A name in backticks, more of them where it holds some."""
    ticks = "`" * (1 + max(map(len, re.findall(r"`+", text)), default=0))
    text = " ".join(text.split())
    if table:
        text = text.replace("|", r"\|")
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}"


class _Printer:
    """Prints in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.github = dialect == "github"

    def chapter(self, chapter: Chapter) -> str:
        parts = [f"# {self.inline(chapter.title)}"]
        parts += [self.section(section) for section in chapter.sections]
        return "\n\n".join(parts) + "\n"

    def section(self, part: Section) -> str:
        head = f"{'#' * (part.level + 1)} {self.inline(part.title)}"
        return "\n\n".join([head, *map(self.block, part.blocks)])

    def block(self, part: Block) -> str:
        if isinstance(part, Paragraph):
            return self.inline(part.text)
        if isinstance(part, Table):
            return self.table(part)
        if isinstance(part, Picture):
            return f"{mermaid(part)}\n\n{self.inline(part.caption)}"
        return self.equations(part)

    def inline(self, text: Inline, table: bool = False) -> str:
        return "".join(self.piece(part, table) for part in text)

    def piece(self, part: str | Math | Code | Ref, table: bool) -> str:
        if isinstance(part, Math):
            return self.formula(part.latex)
        if isinstance(part, Code):
            return code(part.text, table)
        return f"({part.number})" if isinstance(part, Ref) else escaped(part)

    def formula(self, latex: str) -> str:
        one_line = " ".join(allowed(latex).split()).replace("`", "'")
        return f"$`{one_line}`$" if self.github else f"${one_line}$"

    def display(self, latex: str) -> str:
        return f"```math\n{latex}\n```" if self.github else f"$$\n{latex}\n$$"

    def table(self, part: Table) -> str:
        def row(cells: Sequence[Inline]) -> str:
            shown = (self.inline(cell, table=True) for cell in cells)
            return f"| {' | '.join(shown)} |"

        rule = f"|{' --- |' * len(part.head)}"
        return "\n".join([row(part.head), rule, *map(row, part.rows)])

    # --- equations -------------------------------------------------------------------

    def equations(self, part: Equations) -> str:
        """Aligned, each with its number as a tag; the reasons follow in small type."""
        shown = self.display(aligned(part.rows))
        reasons: dict[Inline, list[int]] = {}
        for row in part.rows:
            if row.reason and row.number is not None:
                reasons.setdefault(row.reason, []).append(row.number)
        if not reasons:
            return shown
        told = [
            f"{', '.join(f'({n})' for n in numbers)} {self.inline(reason)}"
            for reason, numbers in reasons.items()
        ]
        return f"{shown}\n\n<sub>{' · '.join(told)}</sub>"


def aligned(rows: Iterable[NumberedEquation]) -> str:
    """Equations aligned on their relations, their numbers as tags."""
    body = " \\\\\n".join(line for row in rows for line in _lines(row))
    return f"\\begin{{align}}\n{body}\n\\end{{align}}"


def _lines(row: NumberedEquation) -> Iterator[str]:
    """`left &= addends \\tag{n}`; a long right-hand side over several lines."""
    room = max(LINE - width(row.left), LINE / 2)
    first, *rest = packed(row.addends, room)
    number = r"\notag" if row.number is None else f"\\tag{{{row.number}}}"
    line = f"{allowed(row.left)} &{row.relation} {allowed(first)}"
    for part in rest:
        yield f"{line} \\notag"
        line = f"&\\quad {{}}{allowed(part)}"
    yield f"{line} {number}"


def mermaid(part: Picture) -> str:
    """A picture as a graph; Mermaid shows names, not formulas."""
    lines = ["```mermaid", "graph LR"]
    for place, node in enumerate(part.nodes):
        opening, closing = SHAPES[node.kind]
        lines.append(f'  n{place}{opening}"{_label(node.name)}"{closing}')
    lines += [f"  n{start} --> n{end}" for start, end, _ in part.arrows]
    return "\n".join([*lines, "```"])


def _label(name: str) -> str:
    """A name that ends no quotation, fence or line, and holds no markup."""
    kept = (c if c.isalnum() or c in " _-." else f"#{ord(c)};" for c in name)
    return "".join(kept)
