"""What a verb found, as facts: printed as aligned text or as one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symbackprop.plain import json_text

# Raised whenever a key of the JSON object changes its meaning or goes away.
SCHEMA = 1


@dataclass(frozen=True)
class Fact:
    """One row of a summary: `label  text` for a person, `key: value` for a program.

    A fact without a label is for programs only.
    """

    key: str
    value: Any
    label: str = ""
    text: str = ""


@dataclass(frozen=True)
class Summary:
    """Facts under a verb; `listing` are lines that stand above them.

    A summary of checks of which one `failed`, or is left `undecided`, is printed, and
    then the exit code says so.

    >>> print(Summary("check", (Fact("equations", 3, "equations", "3"),)).text())
    equations  3
    """

    verb: str
    facts: tuple[Fact, ...]
    listing: tuple[str, ...] = field(default=())
    failed: bool = False
    undecided: bool = False

    def text(self) -> str:
        return "\n".join([*self.listing, *_aligned(self.facts)])

    def json(self) -> str:
        return json_object(self.verb, {fact.key: fact.value for fact in self.facts})


def json_object(verb: str | None, entries: dict[str, Any]) -> str:
    """One JSON object that says which schema it follows; NaN becomes null."""
    return json_text({"schema": SCHEMA, "verb": verb, **entries})


def error_object(verb: str | None, error: BaseException, code: int) -> str:
    """The object that stands for a summary where a verb failed."""
    found = {"kind": type(error).__name__, "message": str(error), "exit": code}
    return json_object(verb, {"error": found})


def files(*paths: Path) -> Fact:
    """The files that a verb wrote."""
    names = [str(path) for path in paths]
    return Fact("files", names, "files written", "\n".join(names))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Right-aligned columns under their heads.

    >>> print(*table(("epoch", "loss"), [("1", "0.5"), ("2", "0.25")]), sep="\\n")
    epoch  loss
        1   0.5
        2  0.25
    """
    every = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    for row in every:
        cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells)


def seconds(duration: float) -> str:
    """A duration to three digits.

    >>> seconds(0.01234), seconds(75.0)
    ('0.0123 s', '75 s')
    """
    return f"{duration:.3g} s"


def _aligned(facts: tuple[Fact, ...]) -> Iterator[str]:
    labelled = [fact for fact in facts if fact.label]
    width = max((len(fact.label) for fact in labelled), default=0)
    for fact in labelled:
        first, *rest = fact.text.split("\n")
        yield f"{fact.label:<{width}}  {first}"
        yield from (f"{'':<{width}}  {line}" for line in rest)
