"""Studies -> one HTML page that opens from a file, with nothing beside it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from symbackprop.document.web import formula
from symbackprop.document.web.frame import Entry
from symbackprop.document.web.frame import page as framed
from symbackprop.document.words import Words
from symbackprop.figures import encoded

if TYPE_CHECKING:
    from symbackprop.contrast.study import Study

TITLE = "Studies of differentiation"

# What a paragraph may hold: code, a formula, strong and stressed words.
_SPAN = re.compile(r"`([^`]+)`|\$([^$]+)\$|\*\*([^*]+)\*\*|\*([^*]+)\*")


def page(studies: Sequence[Study]) -> str:
    """Title, figure and paragraph of every study, under one list of contents.

    Each figure is an image of its own inside the page, so that no two share the names
    of their parts.
    """
    title = studies[0].title if len(studies) == 1 else TITLE
    entries = [
        Entry(str(place), escape(study.title)) for place, study in enumerate(studies, 1)
    ]
    sections = "\n".join(
        section(str(place), study) for place, study in enumerate(studies, 1)
    )
    return framed(
        Words("en"),
        title=title,
        entries=entries,
        main=f"<header>\n<h1>{escape(title)}</h1>\n</header>\n{sections}",
        images=True,
    )


def section(place: str, study: Study) -> str:
    """Title, figure, paragraph and table of one study, with the id `s-place`."""
    picture = base64.b64encode(encoded(study.draw(), "svg")).decode()
    told = "\n".join(_blocks(study.paragraph))
    return (
        f'<section aria-labelledby="s-{place}">\n<h2 id="s-{place}">'
        f'<span class="place">{place}</span> {escape(study.title)}</h2>\n'
        f'<figure><img alt="{escape(study.title)}" '
        f'src="data:image/svg+xml;base64,{picture}"></figure>\n'
        f"{told}\n{tabled(study.table)}</section>"
    )


def tabled(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as a table that scrolls where it is wide; nothing of none.

    >>> "<tr><td>&lt;</td></tr>" in tabled([("a",), ("<",)])
    True
    """
    if not rows:
        return ""

    def row(cells: Sequence[str], tag: str) -> str:
        made = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{made}</tr>"

    head, body = row(rows[0], "th"), "".join(row(r, "td") for r in rows[1:])
    return (
        f'<div class="table"><table class="figures"><thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _blocks(markdown: str) -> Iterator[str]:
    """Paragraphs and lists.

    >>> list(_blocks("Two:\\n\\n- one\\n- two"))
    ['<p>Two:</p>', '<ul><li>one</li><li>two</li></ul>']
    """
    for block in markdown.strip().split("\n\n"):
        if block.lstrip().startswith("- "):
            items = re.split(r"\n(?=- )", block.strip())
            listed = "".join(f"<li>{_inline(item[2:])}</li>" for item in items)
            yield f"<ul>{listed}</ul>"
        else:
            yield f"<p>{_inline(block)}</p>"


def _inline(text: str) -> str:
    """
    >>> _inline("*a* < `b`")
    '<em>a</em> &lt; <code>b</code>'
    """
    made, end = [], 0
    for found in _SPAN.finditer(text):
        code, latex, strong, stressed = found.groups()
        made.append(escape(text[end : found.start()]))
        if code:
            made.append(f"<code>{escape(code)}</code>")
        elif latex:
            made.append(formula(latex))
        else:
            tag, words = ("strong", strong) if strong else ("em", stressed)
            made.append(f"<{tag}>{escape(words)}</{tag}>")
        end = found.end()
    return "".join([*made, escape(text[end:])])
