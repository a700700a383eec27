"""What each verb that measures does: options in, a Summary out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import Fact, Summary, files, table
from symbackprop.errors import InputError

if TYPE_CHECKING:
    from symbackprop.contrast import Report
    from symbackprop.kernels.accuracy import Found
    from symbackprop.network import Network


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


def study(
    name: str | None,
    file: Path | None,
    seed: int,
    outputs: tuple[Path, ...],
    every: bool,
    progress: Progress,
) -> Summary:
    """List the studies, or run one of them, or all of them into a folder."""
    from symbackprop.contrast import outputs as written
    from symbackprop.contrast import studies
    from symbackprop.files import load

    _one_thing_asked(name, file, outputs, every)
    if every:
        return _all_studies(seed, outputs[0], progress)
    if name is None:
        listed = [
            {"name": each, "about": studies.about(each)} for each in studies.names()
        ]
        width = max((len(each["name"]) for each in listed), default=0)
        lines = [f"{each['name']:<{width}}  {each['about']}" for each in listed]
        return Summary("study", (Fact("studies", listed),), tuple(lines))
    for output in outputs:
        written.writable(output)
    program = load(file).program if file else None
    found = studies.study(name, program, seed, progress.say)
    # Not every study sets LaTeX: what can be written is written first.
    for output in sorted(outputs, key=lambda path: path.suffix == ".tex"):
        written.write(found, output)
    facts = [Fact(key, value) for key, value in written.record(found).items()]
    if outputs:
        facts.append(files(*outputs))
    lines = written.wrapped(found, shutil.get_terminal_size().columns)
    return Summary("study", tuple(facts), tuple(lines))


def _one_thing_asked(
    name: str | None, file: Path | None, outputs: Sequence[Path], every: bool
) -> None:
    """Refuse options that do not go together before anything is measured."""
    if every and (name is not None or file is not None or len(outputs) != 1):
        raise InputError(
            "study: --all runs every study on its own example; give it one folder, as "
            "in `symbackprop study --all -o studies`, and no NAME or --file."
        )
    if every and outputs[0].exists() and not outputs[0].is_dir():
        raise InputError(f"study: {outputs[0]} is a file; --all writes into a folder.")
    if not every and name is None and (file is not None or outputs):
        raise InputError(
            "study: --file and -o belong to one study; say its NAME. `symbackprop "
            "study` lists them."
        )


def _all_studies(seed: int, folder: Path, progress: Progress) -> Summary:
    """Every study's picture and data, written as soon as it is done; one page last."""
    from symbackprop.contrast import outputs as written
    from symbackprop.contrast import studies
    from symbackprop.figures import drawable

    drawable()
    done, paths = [], []
    for name in studies.names():
        progress.say(f"study {name}")
        done.append(studies.study(name, None, seed, progress.say))
        paths += written.write_each(done[-1], folder)
    paths += written.write_index(done, folder)
    found = [written.record(each) for each in done]
    return Summary("study", (Fact("studies", found), files(*paths)))


def contrast(
    file: Path,
    seed: int,
    batch: int,
    seconds: float,
    alone: bool,
    outputs: tuple[Path, ...],
    progress: Progress,
) -> Summary:
    """Every method on a network, at the first samples of its data where it has some."""
    from symbackprop.contrast import outputs as written
    from symbackprop.files import load

    for output in outputs:
        written.writable(output, "report")
    report = contrasted(
        load(file), progress, seed, batch=batch, seconds=seconds, peers=not alone
    )
    for output in outputs:
        report.save(output)
    facts = [Fact(k, v) for k, v in report.data().items() if k != "verdict"]
    facts.append(Fact("verdict", report.verdict, "verdict", report.verdict))
    if outputs:
        facts.append(files(*outputs))
    lines = (*report.lines(), "")
    return Summary("contrast", tuple(facts), lines, failed=bool(report.failed))


def contrasted(
    network: Network, progress: Progress, seed: int = 0, **said: Any
) -> Report:
    """The report of a network that a file declares, at its data's first samples."""
    from symbackprop.contrast import contrast as contrast_methods
    from symbackprop.datasets import read

    data = None
    if network.data is not None:
        progress.say("reading the data")
        samples = read(network, seed)
        data = {"x": samples.x, "y": samples.y}
    tell = progress.say
    return contrast_methods(network, seed=seed, data=data, tell=tell, **said)
