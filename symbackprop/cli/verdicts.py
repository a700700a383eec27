"""What the verb `verify` does: formulas in, verdicts out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from symbackprop.claims import verify as judge
from symbackprop.claims.file import Claims, Quoted, read
from symbackprop.claims.phrases import told
from symbackprop.claims.reading.text import RELATIONS
from symbackprop.claims.reports.report import Report
from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import Fact, Summary, files
from symbackprop.documents import format_of
from symbackprop.errors import InputError
from symbackprop.tables import within


def verify(
    asked: tuple[str, ...],
    layout: str | None,
    language: str,
    outputs: tuple[Path, ...],
    progress: Progress,
) -> Summary:
    """Judge the claims of a file, or those on the command line; write a report."""
    for output in outputs:
        format_of(output)
    claims, many = _asked(asked, progress)
    if layout is not None:
        quoted = tuple(replace(each, layout=layout) for each in claims.quoted)
        claims = replace(claims, quoted=quoted)
    report = _judged(claims, many, progress)
    for output in outputs:
        progress.say(f"writing {output}")
        report.save(output, language)
    facts = [Fact(key, value) for key, value in report.data().items()]
    if outputs:
        facts.append(files(*outputs))
    lines = report.lines(language) if many else _told(report, language)
    return Summary(
        "verify",
        tuple(facts),
        tuple(lines),
        failed=report.refuted,
        undecided=report.undecided,
    )


def _asked(asked: Sequence[str], progress: Progress) -> tuple[Claims, bool]:
    """The claims of a file of claims, or those on the command line."""
    first, *rest = asked
    if not os.path.isfile(first):
        if not any(relation in first for relation in RELATIONS):
            raise InputError(
                f"{first[:80]} is neither a file nor a claim; a claim has a relation, "
                'as in "tanh(x) = 2*logistic(2*x) - 1".'
            )
        return Claims(tuple(Quoted(text) for text in asked)), False
    progress.say(f"reading {first}")
    found = read(first)
    if isinstance(found, Claims):
        if rest:
            raise InputError(
                f"{first} holds claims of its own; give no others beside it."
            )
        return found, True
    if not rest:
        objective = found.objective
        raise InputError(
            f"{first} declares a program; say what is claimed of it, as in "
            f'`symbackprop verify {first} "D({objective}, {objective}) = 1"`.'
        )
    return Claims(tuple(Quoted(text, program=found) for text in rest)), False


def _judged(claims: Claims, many: bool, progress: Progress) -> Report:
    """A verdict on each claim, one after another."""
    verdicts = []
    for number, quoted in enumerate(claims.quoted, 1):
        progress.say(f"claim {number} of {len(claims.quoted)}: {quoted.text[:60]}")
        with within(f"claims[{number}]") if many else nullcontext():
            verdicts.append(judge(quoted.program, quoted.text, quoted.layout))
    return Report(claims, tuple(verdicts))


def _told(report: Report, language: str) -> Iterator[str]:
    """Each claim with the verdict on it; of one alone only the verdict."""
    for number, verdict in enumerate(report.verdicts):
        if len(report.verdicts) > 1:
            yield from ([""] if number else [])
            yield verdict.claim
        yield told(verdict, language)
