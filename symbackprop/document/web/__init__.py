"""A chapter -> one HTML page that opens from a file, with nothing beside it.

Formulas stand in the page as LaTeX, which a script turns into MathML. Words, names and
formulas are escaped, and the page forbids any script but its own two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Protocol

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
from symbackprop.document.measure import tokens, width
from symbackprop.document.web.drawing import drawing
from symbackprop.document.web.frame import Entry, page, plain, said
from symbackprop.document.web.highlight import highlighted
from symbackprop.document.words import Words

WIDEST_LEFT = 11.0  # em; a wider left-hand side stands on a line of its own
WIDEST_PIECE = 12.0  # em; a wider addend may be broken over lines
OPENING = ("{", r"\begin", r"\left")
CLOSING = ("}", r"\end", r"\right")


class Measured(Protocol):
    """A section that someone measured, to stand behind the chapter's own."""

    @property
    def title(self) -> str:
        """Its heading."""

    def section(self, place: str) -> str:
        """The section as HTML, with the id `s-place`."""


def html(
    chapter: Chapter, code: Mapping[int, str], measured: Sequence[Measured] = ()
) -> str:
    """The whole page.

    Args:
        chapter: what it says.
        code: what a numbered equation shows of the emitted code, by number.
        measured: sections that follow the chapter's.
    """
    return _Page(chapter, code).text(measured)


def formula(latex: str, display: bool = False) -> str:
    """LaTeX, which is read as it stands where no script runs."""
    kind = " data-display" if display else ""
    return f'<span class="tex"{kind}>{escape(latex)}</span>'


def inline(text: Inline) -> str:
    """Words, formulas, names that may break after `_`, links to equations."""
    return "".join(_inline(part) for part in text)


def _inline(part: str | Math | Code | Ref) -> str:
    if isinstance(part, Math):
        return formula(part.latex)
    if isinstance(part, Code):
        return f"<code>{escape(part.text).replace('_', '_<wbr>')}</code>"
    if isinstance(part, Ref):
        return f'<a class="ref" href="#eq-{part.number}">({part.number})</a>'
    return escape(part)


class _Page:
    """Prints one chapter."""

    def __init__(self, chapter: Chapter, code: Mapping[int, str]) -> None:
        self.chapter = chapter
        self.words = Words(chapter.language)
        self.code = code
        self.rows = {row.number: row for row in chapter.equations()}
        self.places = tuple(_counted(chapter.sections))

    def say(self, key: str, **parts: str | int) -> str:
        return said(self.words, key, **parts)

    def text(self, measured: Sequence[Measured]) -> str:
        sections = [
            self.section(place, part)
            for place, part in zip(self.places, self.chapter.sections, strict=True)
        ]
        cards = "\n".join(self.card(row) for row in self.rows.values() if self.has(row))
        hint = f'<p class="hint">{self.say("hint")}</p>\n' if cards else ""
        entries = [
            Entry(place, inline(part.title), part.level)
            for place, part in zip(self.places, self.chapter.sections, strict=True)
        ]
        own = sum(entry.level == 1 for entry in entries)
        for number, added in enumerate(measured, own + 1):
            sections.append(added.section(str(number)))
            entries.append(Entry(str(number), escape(added.title)))
        title = inline(self.chapter.title)
        return page(
            self.words,
            title=plain(self.chapter.title),
            entries=entries,
            main="\n".join((f"<header>\n<h1>{title}</h1>\n{hint}</header>", *sections)),
            cards=cards,
            images=bool(measured),
        )

    def section(self, place: str, part: Section) -> str:
        head = f"h{part.level + 1}"
        blocks = "\n".join(self.block(block) for block in part.blocks)
        return (
            f'<section aria-labelledby="s-{place}">\n<{head} id="s-{place}">'
            f'<span class="place">{place}</span> {inline(part.title)}</{head}>\n'
            f"{blocks}\n</section>"
        )

    def block(self, part: Block) -> str:
        if isinstance(part, Paragraph):
            return f"<p>{inline(part.text)}</p>"
        if isinstance(part, Table):
            return table(part)
        if isinstance(part, Picture):
            return drawing(part, inline(part.caption), self.say("diagram"), formula)
        return self.equations(part)

    # --- equations -------------------------------------------------------------------

    def has(self, row: NumberedEquation) -> bool:
        """Whether there is more to show of an equation."""
        return row.number in self.code or bool(self.origins(row))

    def origins(self, row: NumberedEquation) -> tuple[NumberedEquation, ...]:
        """The equations it was derived from; a reason's references name them too."""
        named = (part.number for part in row.reason if isinstance(part, Ref))
        numbers = dict.fromkeys(row.uses or named)
        return tuple(self.rows[n] for n in numbers if n in self.rows)

    def equations(self, part: Equations) -> str:
        return (
            '<div class="equations">\n'
            + "\n".join(self.equation(row) for row in part.rows)
            + "\n</div>"
        )

    def equation(self, row: NumberedEquation) -> str:
        """Four columns: left-hand side, relation, addends that wrap, number."""
        pieces = [piece for addend in row.addends for piece in flowing(addend)]
        addends = "".join(
            # A sign at the start of a line still stands between two things.
            formula("{}" * piece.startswith(("+ ", "- ")) + piece, display=True)
            for piece in pieces
        )
        reason = f'<span class="reason">{inline(row.reason)}</span>'
        wide = " wide" if width(row.left) > WIDEST_LEFT else ""
        place = f' id="eq-{row.number}"' if row.number is not None else ""
        return (
            f'<div class="eq{wide}"{place}>'
            f'<span class="left">{formula(row.left, True) if row.left else ""}</span>'
            f'<span class="relation">{formula(row.relation, True)}</span>'
            f'<span class="right"><span class="addends">{addends}</span>'
            f"{reason if row.reason else ''}</span>{self.number(row)}</div>"
        )

    def number(self, row: NumberedEquation) -> str:
        if row.number is None:
            return '<span class="number"></span>'
        if not self.has(row):
            return f'<span class="number">({row.number})</span>'
        return (
            f'<button type="button" class="number" popovertarget="card-{row.number}" '
            f'aria-label="{self.say("code of", number=row.number)}">'
            f"({row.number})</button>"
        )

    def card(self, row: NumberedEquation) -> str:
        """What an equation shows when it is pointed at: its code and its origins."""
        title = self.say("code of", number=row.number or 0)
        close = self.say("close")
        parts = [
            f'<div class="card" id="card-{row.number}" popover tabindex="-1" '
            f'role="dialog" '
            f'aria-label="{title}">',
            f'<button type="button" class="close" popovertarget="card-{row.number}" '
            f'popovertargetaction="hide" aria-label="{close}">×</button>',
        ]
        block = self.code.get(row.number or 0)
        if block is not None:
            parts.append(f"<h4>{self.say('emitted code')}</h4>")
            parts.append(f"<pre><code>{highlighted(block)}</code></pre>")
        if origins := self.origins(row):
            parts.append(f"<h4>{self.say('derived from')}</h4>\n<ul>")
            parts += [
                f'<li><a class="ref" href="#eq-{origin.number}">({origin.number})</a> '
                f"{formula(origin.latex)}</li>"
                for origin in origins
            ]
            parts.append("</ul>")
        return "\n".join([*parts, "</div>"])


def flowing(addend: str) -> list[str]:
    r"""A wide addend in pieces, between which a line may break.

    `+ a\, (b + c\, d)` => `+ a`, `\, (b`, `+ c\, d)`, where each is wide: it breaks
    before factors, and inside parentheses before addends.
    """
    if width(addend) <= WIDEST_PIECE:
        return [addend]
    pieces, depth, inside = [""], 0, 0
    listed = tokens(addend)
    for place, token in enumerate(listed):
        depth += (token in OPENING) - (token in CLOSING)
        inside += (token == "(") - (token == ")")
        ainside = listed[max(place - 1, 0) : place + 2]
        factor = token == r"\," and not inside
        joint = factor or (token in "+-" and ainside == [" ", token, " "])
        if joint and not depth and width(pieces[-1]) > WIDEST_PIECE / 2:
            pieces.append("")
        pieces[-1] += token
    return pieces


def table(part: Table) -> str:
    """A table that scrolls sideways where the screen is narrower."""
    head = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in part.head)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>"
        for row in part.rows
    )
    return (
        f'<div class="table"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _counted(sections: tuple[Section, ...]) -> Iterator[str]:
    """`1`, `2`, `2.1`, `2.2`, `3`: the places of sections and their parts."""
    first, second = 0, 0
    for section in sections:
        if section.level == 1 or not first:
            first, second = first + 1, 0
            yield str(first)
        else:
            second += 1
            yield f"{first}.{second}"
