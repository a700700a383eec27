"""What each verb that measures does: options in, a Summary out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import Fact, Summary, files, table

if TYPE_CHECKING:
    from symbackprop.kernels.accuracy import Found


def bench(
    named: Sequence[str],
    count: int | None,
    seed: int,
    text: bool,
    seconds: float,
    outputs: Sequence[Path],
    progress: Progress,
) -> Summary:
    """Measure named or drawn networks, or the list; write files by their suffixes."""
    from symbackprop import bench as benchmark

    for output in outputs:
        benchmark.writable(output)
    cases = [benchmark.Case.of(one) for one in named]
    cases += benchmark.drawn(count, seed) if count else ()
    report = benchmark.bench(
        cases or benchmark.CASES, seconds, as_text=text, tell=progress.say
    )
    for output in outputs:
        benchmark.write(report, output)
    facts = [Fact(key, value) for key, value in report.items()]
    if outputs:
        facts.append(files(*outputs))
    return Summary("bench", tuple(facts), (*benchmark.terminal(report), ""))


def accuracy(
    functions: tuple[str, ...],
    dtype: str | None,
    samples: int,
    every: bool,
    progress: Progress,
) -> Summary:
    """Measure what is emitted for each scalar function, and say where it is worst."""
    from symbackprop.kernels import accuracy as measuring

    dtypes = (dtype,) if dtype else ("float32",) if every else ("float32", "float64")
    number = None if every else samples
    found = list(measuring.accuracy(functions, dtypes, number, progress.say))
    lines = table(
        ("function", "dtype", "arguments", "ulp", "worst at", "computed", "true"),
        [
            (f.name, f.dtype, f"{f.count:,}", f"{f.ulps:.3f}", *_numerals(f))
            for f in found
        ],
    )
    failed = [f.name for f in found if not f.holds]
    told = f"more than {measuring.LIMIT:g} ulp: {', '.join(failed)}" if failed else ""
    facts = (
        Fact("functions", [asdict(f) for f in found]),
        Fact("versions", measuring.versions()),
        Fact("failed", failed, "accuracy", told or f"within {measuring.LIMIT:g} ulp"),
    )
    return Summary("accuracy", facts, (*lines, ""), bool(failed))


def _numerals(found: Found) -> tuple[str, str, str]:
    """The worst argument and its values: as many digits as the precision tells."""
    digits = 9 if found.dtype == "float32" else 17
    argument, value = (f"{v:.{digits}g}" for v in (found.argument, found.value))
    return argument, value, f"{found.truth:.17g}"
