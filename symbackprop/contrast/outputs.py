"""A study as a file: what its suffix says."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symbackprop import figures
from symbackprop.bench.machine import machine
from symbackprop.contrast.page import TITLE, page
from symbackprop.contrast.study import Study
from symbackprop.errors import InputError
from symbackprop.figures import encoded
from symbackprop.files import write_atomically
from symbackprop.plain import json_text

# Raised whenever a key of a .json file changes its meaning or goes away.
SCHEMA = 1

FORMATS: Mapping[str, Callable[[Study], str | bytes]] = MappingProxyType(
    {
        ".png": lambda study: encoded(study.draw(), "png"),
        ".svg": lambda study: encoded(study.draw(), "svg"),
        ".json": lambda study: json_text(record(study), indent=1) + "\n",
        ".html": lambda study: page((study,)),
        ".md": lambda study: markdown(study),
        ".tex": lambda study: latex(study),
    }
)
DRAWN = (".png", ".svg", ".html")
EACH = (".svg", ".png", ".json")  # what `write_all` writes of every study


def record(study: Study) -> dict[str, Any]:
    """What a study found, for programs."""
    return {
        "schema": SCHEMA,
        "name": study.name,
        "title": study.title,
        "paragraph": study.paragraph,
        "machine": machine(),
        "data": study.data,
    }


def markdown(study: Study) -> str:
    """A section: the title, the figure's place beside it, the paragraph."""
    return (
        f"## {study.title}\n\n![{study.title}]({study.name}.svg)\n\n"
        f"{study.paragraph.strip()}\n{piped(study.table)}"
    )


def piped(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as a table of Markdown, the first as its head; nothing of none.

    >>> print(piped([("a", "b"), ("1", "2|3")]))
    <BLANKLINE>
    | a | b |
    |---|---|
    | 1 | 2\\|3 |
    <BLANKLINE>
    """
    if not rows:
        return ""
    lines = ["| " + " | ".join(c.replace("|", "\\|") for c in r) + " |" for r in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n" + "\n".join(lines) + "\n"


def latex(study: Study) -> str:
    """What the study sets in LaTeX, to be read in by `\\input`.

    Raises:
        InputError: it sets nothing.
    """
    if not study.latex:
        raise InputError(
            f"study {study.name}: it sets no table or formula in LaTeX. Write it as "
            f"{', '.join(s for s in FORMATS if s != '.tex')}."
        )
    return study.latex.strip() + "\n"


def wrapped(study: Study, width: int) -> list[str]:
    """Title and paragraph as lines of a terminal, a list's items hanging."""
    lines = [study.title, "-" * min(len(study.title), width), ""]
    for block in spoken(study.paragraph).strip().split("\n\n"):
        items = block.split("\n") if block.lstrip().startswith("- ") else [block]
        for item in items:
            hanging = "  " if item.lstrip().startswith("- ") else ""
            lines += textwrap.wrap(
                " ".join(item.split()), width, subsequent_indent=hanging
            )
        lines.append("")
    return lines


def spoken(markdown: str) -> str:
    """Formulas as they are typed on one line, and words without their stress.

    >>> spoken(r"*Error.* About $2.5 \\times 10^{-16}$")
    'Error. About 2.5 * 10^-16'
    """
    typed = {r"\times": "*", r"\cdot": "*", r"\leq": "<=", r"\le": "<=", r"\\": ""}

    def plain(found: re.Match[str]) -> str:
        formula = found[1]
        for latex, text in typed.items():
            formula = formula.replace(latex, text)
        return formula.replace("{", "").replace("}", "")

    unstressed = re.sub(r"(\*{1,2})(?! )([^*]+)\1", r"\2", markdown)
    return re.sub(r"\$([^$]+)\$", plain, unstressed)


def writable(path: Path, what: str = "study") -> None:
    """Refuse a file of no known kind before anything is measured for it.

    Raises:
        InputError: the suffix is not known, or Matplotlib is not installed.
    """
    known = [s for s in FORMATS if what == "study" or s != ".tex"]
    figures.writable(path, f"a {what}", known, DRAWN)


def write(study: Study, path: Path) -> None:
    """Write a study whole or not at all; the suffix says as what.

    Raises:
        InputError: the suffix is not known, or the file cannot be written.
    """
    writable(path)
    write_atomically(path, FORMATS[path.suffix](study))


def write_each(study: Study, folder: Path) -> list[Path]:
    """Write a study's picture and data under its name into a folder."""
    written = [folder / f"{study.name}{suffix}" for suffix in EACH]
    for path in written:
        write(study, path)
    return written


def write_index(studies: Sequence[Study], folder: Path) -> list[Path]:
    """Write all studies as one page, which needs no file beside it, and as Markdown."""
    where = machine()
    told = f"Measured {where['date']} on {where['processor']}, {where['cores']} cores."
    text = f"# {TITLE}\n\n{told}\n\n" + "\n".join(map(markdown, studies))
    written = {"index.html": page(studies), "README.md": text}
    for name, content in written.items():
        write_atomically(folder / name, content)
    return [folder / name for name in written]
