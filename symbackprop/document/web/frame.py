"""What stands around the text of every page: head, style, contents, scripts, foot."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files

from symbackprop.document.chapter import Inline, Math, Ref
from symbackprop.document.words import Words

TEMML = "0.13.5"
LANGUAGES = {"en": "en", "zh": "zh-Hans"}


@dataclass(frozen=True)
class Entry:
    """A section in the list of contents: `1`, its title as HTML, 1 or 2."""

    place: str
    title: str
    level: int = 1


@cache
def asset(*path: str) -> str:
    """The text of a file beside this module."""
    return files(__package__).joinpath(*path).read_text(encoding="utf-8")


@cache
def scripts() -> tuple[str, ...]:
    """Temml under its licence, and the page's own script."""
    licence = asset("temml", "LICENSE").strip()
    temml = asset("temml", "temml.min.js").strip()
    return (f"/*!\nTemml {TEMML}\n\n{licence}\n*/\n{temml}\n", asset("page.js"))


def plain(text: Inline) -> str:
    """Words alone, for a page's title."""
    return "".join(
        part
        if isinstance(part, str)
        else f"({part.number})"
        if isinstance(part, Ref)
        else part.latex
        if isinstance(part, Math)
        else part.text
        for part in text
    )


def said(words: Words, key: str, **parts: str | int) -> str:
    """A phrase as HTML."""
    return escape(plain(words(key, **parts)))


def page(
    words: Words,
    *,
    title: str,
    entries: Iterable[Entry],
    main: str,
    cards: str = "",
    images: bool = False,
) -> str:
    """A whole page, which needs nothing beside it.

    Args:
        words: in the language of the page.
        title: as plain text.
        entries: the list of contents; the section at `place` has the id `s-place`.
        main: the text, as HTML.
        cards: what stands hidden behind it, as HTML.
        images: whether pictures may stand in the page, as `data:` addresses.
    """
    theme = said(words, "theme")
    loaded = "\n".join(f"<script>{script}</script>" for script in scripts())
    return f"""<!doctype html>
<html lang="{LANGUAGES[words.language]}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(images)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{asset("temml", "temml.css")}{asset("page.css")}</style>
</head>
<body>
<a class="skip" href="#text">{said(words, "skip")}</a>
<aside>
<button type="button" id="theme" aria-label="{theme}" title="{theme}" hidden>◐</button>
{_contents(words, entries)}
</aside>
<main id="text">
{main}
</main>
<footer><p>{said(words, "made with", version=TEMML)}</p></footer>
{cards}
{loaded}
</body>
</html>
"""


def _contents(words: Words, entries: Iterable[Entry]) -> str:
    """The list of sections, which folds on a small screen."""
    rows = "\n".join(
        f'<li class="level-{entry.level}"><a href="#s-{entry.place}">'
        f'<span class="place">{entry.place}</span> {entry.title}</a></li>'
        for entry in entries
    )
    title = said(words, "contents")
    return (
        f'<nav aria-label="{title}"><details open><summary>{title}</summary>\n'
        f"<ol>\n{rows}\n</ol></details></nav>"
    )


def _policy(images: bool) -> str:
    """Only these two scripts may run, and nothing may be fetched."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts()
    )
    shown = "img-src data:; " if images else ""
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'"
    return shown + policy
