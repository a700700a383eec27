"""Python code as HTML, in which words of the language, numbers and comments differ."""

from __future__ import annotations

import re
from html import escape

_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<keyword>\b(?:for|in|range|if|else|and|or|not|while|return)\b)"
    r"|(?P<number>\b\d[\d.]*(?:e[+-]?\d+)?\b)"
)


def highlighted(code: str) -> str:
    """Escaped code with spans of class `comment`, `keyword` and `number`.

    >>> highlighted("if a < 2:")
    '<span class="keyword">if</span> a &lt; <span class="number">2</span>:'
    """
    parts, done = [], 0
    for match in _TOKEN.finditer(code):
        parts.append(escape(code[done : match.start()], quote=False))
        text = escape(match[0], quote=False)
        parts.append(f'<span class="{match.lastgroup}">{text}</span>')
        done = match.end()
    return "".join([*parts, escape(code[done:], quote=False)])
