"""The verdicts on many claims: a table for a terminal, data, a document."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbackprop.claims.file import Claims, Quoted
from symbackprop.claims.phrases import hint, instance, kind_of, said
from symbackprop.claims.verdict import KINDS, UNDECIDED, Verdict
from symbackprop.document.chapter import Chapter
from symbackprop.document.words import Words
from symbackprop.documents import Document


@dataclass(frozen=True)
class Report:
    """Claims and the verdict on each.

    Attributes:
        claims: the claims in their order.
        verdicts: those on them.
    """

    claims: Claims
    verdicts: tuple[Verdict, ...]

    @property
    def judged(self) -> tuple[tuple[Quoted, Verdict], ...]:
        """Each claim with its verdict."""
        return tuple(zip(self.claims.quoted, self.verdicts, strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """How many verdicts there are of each kind that there is."""
        counted = Counter(verdict.kind for verdict in self.verdicts)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    @property
    def refuted(self) -> bool:
        """Whether some claim is found not to hold as it stands."""
        return any(not v.holds and v.kind != UNDECIDED for v in self.verdicts)

    @property
    def undecided(self) -> bool:
        """Whether some claim cannot be decided."""
        return UNDECIDED in self.counts

    def lines(self, language: str = "en") -> Iterator[str]:
        """A table: section, verdict, claim; below each refuted one what is right."""
        words = Words(language)
        heads = [words.text(f"column {key}") for key in ("section", "verdict", "claim")]
        rows = [
            (quoted.section, kind_of(verdict, language), verdict.claim)
            for quoted, verdict in self.judged
        ]
        named = any(quoted.section for quoted in self.claims.quoted)
        columns = list(zip(heads, *rows, strict=True))[0 if named else 1 :]
        sizes = [max(map(width, column)) for column in columns[:-1]]
        printed = [_row(row, sizes) for row in zip(*columns, strict=True)]
        yield printed[0]
        indent = " " * (sum(sizes) + 2 * len(sizes) + 2)
        for row, verdict in zip(printed[1:], self.verdicts, strict=True):
            yield row
            yield from (indent + line for line in details(verdict, language))
        yield ""
        yield self.counted(language)

    def counted(self, language: str = "en") -> str:
        """`47 claims: 30 hold, 4 fail`."""
        words = Words(language)
        each = (
            said(words, f"count {kind}", n=count) for kind, count in self.counts.items()
        )
        return said(
            words,
            "claims by kind",
            n=len(self.verdicts),
            kinds=words.text("comma").join(each),
        )

    def data(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return {
            "claims": [
                {"section": quoted.section, **verdict.as_dict()}
                for quoted, verdict in self.judged
            ],
            "counts": self.counts,
        }

    def chapter(self, language: str = "en") -> Chapter:
        """The report in words and formulas."""
        from symbackprop.claims.reports.chapter import chapter

        return chapter(self, language)

    def document(self, language: str = "en") -> Document:
        """The report as LaTeX, HTML, Markdown or PDF."""
        return Document("claims", self.chapter(language))

    def save(self, path: str | Path, language: str = "en") -> None:
        """Write it to a file that ends in .tex, .html, .md or .pdf.

        Raises:
            InputError: another suffix, or the file cannot be written.
        """
        self.document(language).save(path)


def details(verdict: Verdict, language: str = "en") -> Iterator[str]:
    """What a line below a refuted claim says: why, where, and what holds instead."""
    if verdict.holds:
        return
    words = Words(language)
    if verdict.reason is not None:
        yield verdict.reason.text(language)
    yield from filter(None, [hint(verdict, language)])
    if verdict.counterexample is not None:
        yield instance(verdict.counterexample, language)
    for formula in verdict.right[:1]:
        yield said(words, "right formula", formula=formula)


def width(text: str) -> int:
    """Columns of a terminal; a Chinese character takes two.

    >>> width("holds"), width("成立")
    (5, 4)
    """
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _row(cells: Sequence[str], sizes: Iterable[int]) -> str:
    """Cells in columns, the last as long as it is."""
    *first, last = cells
    padded = (
        cell + " " * (size - width(cell))
        for cell, size in zip(first, sizes, strict=True)
    )
    return "  ".join([*padded, last]).rstrip()
