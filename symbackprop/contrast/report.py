"""The report of a contrast: a row for each method; a table, a figure, a paragraph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from symbackprop.contrast.row import Row
from symbackprop.contrast.study import Study
from symbackprop.contrast.units import duration, power, size

HEADS = (
    *("method", "error", "ulp", "allowed", "time", "set-up", "evaluations"),
    *("operations", "nodes", "memory", "measured on"),
)
LEGEND = """\
error: norm of the error over the norm of the true gradient; ulp: the error of the slope
nearest to what theory allows it, in units in the last place of that norm, and what that
is, at the same slope;
time: of one gradient; evaluations, operations (additions, multiplications, divisions,
functions) and memory are those of one gradient, nodes those of its expression or graph.
~: scaled up from the slopes and samples that were computed, as `measured on` says."""


@dataclass(frozen=True)
class Report:
    """All methods on one program.

    Attributes:
        name: of the program.
        parameters: how many slopes there are.
        batch: samples in the batch.
        seed: of parameters, data and samples drawn.
        norm: of the true gradient.
        truth: how the true slopes were found.
        confirmed: how far the definition of the slope is from them, relative to `norm`.
        value_operations: those of one evaluation of the objective; None if not counted.
        rows: one for each method.
        skipped: the methods that could not take part, and why.
        machine: what it was measured on.
    """

    name: str
    parameters: int
    batch: int
    seed: int
    norm: float
    truth: str
    confirmed: float
    value_operations: int | None
    rows: tuple[Row, ...]
    skipped: Mapping[str, str]
    machine: Mapping[str, Any]

    @property
    def title(self) -> str:
        """A heading."""
        return f"Methods of differentiation on {self.name}"

    @property
    def failed(self) -> tuple[Row, ...]:
        """The methods that disagree beyond their own theory, or refuse their work."""
        return tuple(row for row in self.rows if row.failed)

    @property
    def verdict(self) -> str:
        """Who disagrees, where, and by how much; or that no one does."""
        judged = [row for row in self.rows if row.accuracy or row.refused]
        if not judged:
            return "no method was judged"
        if not self.failed:
            return f"all {len(judged)} methods agree with the truth within their theory"
        told = "; ".join(_complaint(row) for row in self.failed)
        if len(self.failed) == 1:
            return f"{self.failed[0].method} is alone: {told}"
        return f"{len(self.failed)} of {len(judged)} methods disagree: {told}"

    def table(self) -> list[tuple[str, ...]]:
        """The head, and a row of text for each method."""
        return [HEADS, *(_cells(row, self) for row in self.rows)]

    def lines(self) -> list[str]:
        """The table and its legend for a terminal."""
        rows = self.table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        found = [
            "  ".join(
                cell.rjust(width) if 0 < place < len(row) - 1 else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        notes = [f"{row.method}: {note}" for row in self.rows for note in _notes(row)]
        absent = [f"{name}: left out, {why}" for name, why in self.skipped.items()]
        return [*found, "", *LEGEND.splitlines(), "", *notes, *absent]

    def __str__(self) -> str:
        return "\n".join([*self.lines(), "", self.verdict])

    def data(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return asdict(self) | {
            "failed": [row.method for row in self.failed],
            "verdict": self.verdict,
        }

    def study(self) -> Study:
        """The report as title, paragraph, table and figure, for a page."""
        from symbackprop.contrast.dots import dots

        return Study(
            name="contrast",
            title=self.title,
            paragraph=paragraph(self),
            data=self.data(),
            draw=lambda: dots(self),
            table=tuple(self.table()),
        )

    def section(self, place: str) -> str:
        """The same as a section of an HTML page, for `Document.page`."""
        return self.study().section(place)

    def save(self, path: str | Path) -> None:
        """Write it as .json, .png, .svg, .html or .md, whole or not at all.

        Raises:
            InputError: another suffix, or the file cannot be written.
        """
        from symbackprop.contrast.outputs import write
        from symbackprop.network import path_of

        write(self.study(), path_of("save", path))

    def _repr_html_(self) -> str:
        """What a notebook shows: the table."""
        from symbackprop.contrast.page import tabled

        return tabled(self.table())

    def _repr_markdown_(self) -> str:
        from symbackprop.contrast.outputs import piped

        return piped(self.table())


def paragraph(report: Report) -> str:
    """What the figure shows, in words, from what was measured."""
    return "\n\n".join(_told(report))


def _told(report: Report) -> Iterator[str]:
    differs = f", which differs by {power(report.confirmed)} of the norm"
    yield (
        f"The gradient of **{report.name}** has {report.parameters:,} slopes; the "
        f"batch, {report.batch:,} samples. True slopes: {report.truth}"
        f"{differs if report.confirmed else ''}. "
        f"{report.verdict[0].upper()}{report.verdict[1:]}."
    )
    judged = [row for row in report.rows if row.accuracy and row.accuracy.agrees]
    exact = [_error(r) for r in judged if r.exact]
    numeric = [_error(r) for r in judged if r.family == "numeric" and not r.exact]
    if numeric and exact:
        yield (
            f"*Accuracy.* Of the methods that subtract nearby values, the best errs by "
            f"{power(min(numeric))} of the norm and the worst by "
            f"{power(max(numeric))}; the exact ones err by {power(max(exact))} at "
            "most, which is rounding."
        )
    if report.value_operations:
        yield (
            "*Work.* One evaluation of the objective takes "
            f"{report.value_operations:,} operations; one gradient, so many times them:"
        )
        yield "\n".join(
            f"- {row.method}: {_multiple(row.operations / report.value_operations)}"
            for row in report.rows
            if row.operations
        )
    timed = [row for row in report.rows if row.seconds]
    if timed:
        best = min(timed, key=lambda row: row.seconds or math.inf)
        last = max(timed, key=lambda row: row.seconds or 0)
        yield (
            f"*Time.* The fastest, {best.method}, takes {duration(best.seconds)} for a "
            f"gradient after {duration(best.setup)} of setting up; the slowest, "
            f"{last.method}, {duration(last.seconds)}."
        )


def _notes(row: Row) -> Iterator[str]:
    if row.note:
        yield row.note
    if row.refused:
        yield f"refused, {row.refused}"
    if row.accuracy and row.accuracy.agrees and row.accuracy.excused:
        count = f"{row.accuracy.excused:,}"
        yield f"{count} slopes not judged: near a kink, or not the worst"


def _error(row: Row) -> float:
    return row.accuracy.relative if row.accuracy else math.nan


def _complaint(row: Row) -> str:
    found = row.accuracy
    if found is None:
        return f"{row.method} refuses: {row.refused}"
    told = f"{row.method} gives {found.found:.17g} for the slope by {found.worst}"
    if not math.isfinite(found.found):
        return told
    return (
        f"{told}, where the truth is {found.expected:.17g}; {found.ulp:.3g} ulp of the "
        f"norm off, {found.allowed:.3g} allowed"
    )


def _cells(row: Row, report: Report) -> tuple[str, ...]:
    about = "~" if row.extrapolated else ""
    found = row.accuracy
    accuracy = ("", "", "")
    if found:
        mark = "" if found.agrees else "!"
        accuracy = (
            f"{found.relative:.1e}",
            f"{mark}{_short(found.ulp)}",
            _short(found.allowed),
        )
    where = f"{row.coordinates:,} slopes, {_samples(row.samples)}"
    if row.refused:
        return (row.method, *accuracy, *[""] * (len(HEADS) - 5), "refused")
    return (
        row.method,
        *accuracy,
        about + duration(row.seconds) if row.seconds is not None else "",
        duration(row.setup),
        _count(row.evaluations),
        about + _count(row.operations) if row.operations is not None else "",
        _count(row.nodes),
        size(row.nbytes),
        where if row.extrapolated else "all",
    )


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"


def _multiple(times: float) -> str:
    """
    >>> _multiple(1.924), _multiple(4820.4), _multiple(2.5e7)
    ('1.92', '4,820', '$2.5 \\\\times 10^{7}$')
    """
    if times >= 1e6:
        return power(times)
    return f"{times:,.0f}" if times >= 100 else f"{times:.3g}"


def _short(number: float) -> str:
    return f"{number:.2g}" if number < 1e4 else f"{number:.1e}"


def _count(number: int | None) -> str:
    if number is None:
        return ""
    return f"{number:,}" if number < 10_000_000 else f"{number:.2e}"
