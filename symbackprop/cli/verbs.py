"""What each verb does: one network's file in, a Summary out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from symbackprop.cli.measures import contrasted
from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import Fact, Summary, files, seconds, table
from symbackprop.datasets import Dataset, read
from symbackprop.derivation import derive as derive_from
from symbackprop.documents import document, format_of
from symbackprop.errors import InputError
from symbackprop.files import load, replacing, write_arrays, write_atomically
from symbackprop.formula import formula
from symbackprop.network import Network
from symbackprop.proof import Check, Derivation
from symbackprop.settings import Training
from symbackprop.source import emit as text_of
from symbackprop.source import explain as explained
from symbackprop.source.descent import emit_training
from symbackprop.training import Epoch, History, Moment
from symbackprop.training import train as train_by

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Facts = tuple[Fact, ...]


def run(
    file: Path, folder: Path, dtype: str | None, seed: int | None, progress: Progress
) -> Summary:
    """Declare, derive, emit, compile, check and train."""
    network = _load(file, progress)
    data = _read(network, seed, progress) if network.data else None
    derivation, facts = _derive(network, progress)
    kernels, compiled = _compile(network, derivation, folder, dtype, progress)
    trained: Facts = (Fact("accuracy", None, "training", "none: no [data] table"),)
    if data is not None:
        trained = _outcome(_train(network, kernels, data, seed, progress), data)
    written = files(*_written(network, kernels))
    return Summary("run", (*facts, *compiled, *trained, written))


def derive(
    file: Path,
    output: Path | None,
    language: str,
    notation: str,
    contrast: bool,
    progress: Progress,
) -> Summary:
    """List the derived equations, or write them as the suffix of `output` says."""
    suffix = ".tex" if output is None or str(output) == "-" else format_of(output)
    if contrast and suffix != ".html":
        raise InputError(
            "derive: --contrast adds a section to a page; write one, as in "
            "`symbackprop derive FILE --contrast -o page.html`."
        )
    network = _load(file, progress)
    derivation, facts = _derive(network, progress)
    if output is None:
        listed = tuple(_listing(derivation))
        lines = tuple(f"({n})".rjust(6) + f"  {text}" for n, text in listed)
        entries = [{"number": n, "text": text} for n, text in listed]
        return Summary("derive", (*facts, Fact("equations", entries)), (*lines, ""))
    progress.say("writing the proofs")
    made = document(derivation, language=language, notation=notation)
    if str(output) == "-":
        return Summary(
            "derive", (Fact("latex", made.latex),), (made.latex.rstrip("\n"),)
        )
    setting = "setting the pages, some seconds"
    progress.say(setting if suffix == ".pdf" else f"writing {output}")
    if contrast:
        write_atomically(output, made.page(contrasted(network, progress)))
    else:
        made.save(output)
    return Summary("derive", (*facts, files(output)))


def emit(
    file: Path, folder: Path, dtype: str | None, explain: bool, progress: Progress
) -> Summary:
    """Write the kernels, and the loop that trains them, without compiling."""
    network = _load(file, progress)
    derivation, facts = _derive(network, progress)
    precision = dtype or network.dtype
    progress.say("emitting")
    path = folder / network.name / f"kernels_{precision}.py"
    kernels, written = text_of(derivation, precision), [path]
    write_atomically(path, kernels)
    if network.training is not None:
        rule = network.training.optimiser.rule
        written.append(path.with_name(f"training_{precision}_{rule.name}.py"))
        training = emit_training(network.program, precision, rule, kernels)
        write_atomically(written[-1], training)
    if not explain:
        return Summary("emit", (*facts, files(*written)))
    schedule = explained(derivation)
    facts = (*facts, Fact("schedule", schedule.as_dict()), files(*written))
    return Summary("emit", facts, (*schedule.text().split("\n"), ""))


def check(file: Path, folder: Path, dtype: str | None, progress: Progress) -> Summary:
    """Derive and compile, which judge themselves, and say what the checks measured."""
    network = _load(file, progress)
    derivation, facts = _derive(network, progress)
    kernels, compiled = _compile(network, derivation, folder, dtype, progress)
    checks = (*derivation.checks, *kernels.checks)
    lines = table(
        ("error", "cases", "check"),
        [(f"{c.error:.1e}", str(c.cases), c.what) for c in checks],
    )
    entries = [{"what": c.what, "cases": c.cases, "error": c.error} for c in checks]
    passed = Fact("checks", entries, "checks", f"{len(checks)} passed")
    return Summary("check", (*facts, *compiled, passed), (*lines, ""))


def train(
    file: Path,
    folder: Path,
    dtype: str | None,
    seed: int | None,
    save: Path | None,
    checkpoint: Path | None,
    progress: Progress,
) -> Summary:
    """Compile and train, and list every epoch."""
    network = _load(file, progress)
    data = _read(network, seed, progress)
    derivation, facts = _derive(network, progress)
    kernels, compiled = _compile(network, derivation, folder, dtype, progress)
    history = _train(network, kernels, data, seed, progress, checkpoint)
    written = _written(network, kernels)
    if save is not None:
        with replacing(save) as stream:
            write_arrays(stream, kernels.unpack(history.theta))
        written.append(save)
    epochs = Fact("epochs", [asdict(epoch) for epoch in history.epochs])
    outcome = (*_outcome(history, data), epochs, files(*written))
    return Summary("train", (*facts, *compiled, *outcome), (*_curve(history), ""))


def _load(file: Path, progress: Progress) -> Network:
    progress.say(f"reading {file}")
    return load(file)


def _read(network: Network, seed: int | None, progress: Progress) -> Dataset:
    """The data, read before anything is derived: a mistake in them is found at once."""
    progress.say("reading the data")
    return read(network, seed)


def _derive(network: Network, progress: Progress) -> tuple[Derivation, Facts]:
    progress.say(f"deriving {network.name}")
    derivation = derive_from(network)
    forward, adjoint = len(derivation.forward), len(derivation.adjoint)
    facts = (
        Fact("network", network.name, "network", network.name),
        Fact(
            "forward_equations",
            forward,
            "equations",
            f"{forward} forward, {adjoint} adjoint",
        ),
        Fact("adjoint_equations", adjoint),
        Fact(
            "derivation_seconds",
            derivation.seconds,
            "derived in",
            seconds(derivation.seconds),
        ),
    )
    return derivation, facts


def _compile(
    network: Network,
    derivation: Derivation,
    folder: Path,
    dtype: str | None,
    progress: Progress,
) -> tuple[Kernels, Facts]:
    from symbackprop.kernels import compile as compile_from  # loads Numba

    progress.say(f"compiling {network.name}")
    precision = dtype or network.dtype
    kernels = compile_from(derivation, dtype=precision, directory=str(folder))
    worst = _worst((*derivation.checks, *kernels.checks))
    facts = (
        Fact("dtype", precision, "precision", precision),
        Fact("parameters", kernels.size, "parameters", f"{kernels.size:,}"),
        Fact(
            "compile_seconds",
            kernels.compile_seconds,
            "compiled in",
            seconds(kernels.compile_seconds),
        ),
        Fact(
            "worst_disagreement_with_complex_step",
            worst,
            "complex step",
            f"worst disagreement {worst:.1e}",
        ),
    )
    return kernels, facts


def _train(
    network: Network,
    kernels: Kernels,
    data: Dataset,
    seed: int | None,
    progress: Progress,
    checkpoint: Path | None = None,
) -> History:
    """A training as the file says."""
    said = network.training or Training()
    progress.say("training")

    def tell(epoch: Epoch) -> None:
        told = f"training: epoch {epoch.number} of {said.epochs}, loss {epoch.loss:.4g}"
        if epoch.accuracy is not None:
            told += f", accuracy {epoch.accuracy:.4f}"
        progress.say(told)

    def tell_within(moment: Moment) -> None:
        part = moment.minibatch / moment.minibatches
        progress.say(
            f"training: {part:.0%} of epoch {moment.epoch} of {said.epochs}, "
            f"loss {moment.loss:.4g}"
        )

    return train_by(
        kernels,
        x=data.x,
        y=data.y,
        epochs=said.epochs,
        batch_size=said.batch_size,
        optimiser=said.optimiser,
        schedule=said.schedule,
        clip=said.clip,
        seed=said.seed if seed is None else seed,
        validation=data.validation,
        checkpoint=checkpoint,
        progress=tell,
        during=tell_within,
    )


def _written(network: Network, kernels: Kernels) -> list[Path]:
    """The generated files; the training loop where there were data."""
    from symbackprop.loops import loop_path  # loads Numba

    written = [kernels.path, kernels.path.with_name("derivation.tex")]
    if network.data is not None:
        said = network.training or Training()
        written.append(loop_path(kernels, said.optimiser))
    return written


def _outcome(history: History, data: Dataset) -> Facts:
    last, held_out = history.epochs[-1], len(data.x_validation)
    facts = [
        Fact(
            "training_seconds",
            history.seconds,
            "trained in",
            f"{seconds(history.seconds)}, {len(history.epochs)} epochs",
        ),
        Fact("loss", last.loss, "training loss", f"{last.loss:.4g}"),
        Fact("held_out", held_out),
        Fact("validation_loss", last.validation_loss),
        Fact("accuracy", last.accuracy),
    ]
    if last.validation_loss is not None:
        told = f"{last.validation_loss:.4g} on {held_out} held-out samples"
        facts[3] = Fact("validation_loss", last.validation_loss, "test loss", told)
    if last.accuracy is not None:
        told = f"{last.accuracy:.4f} on {held_out} held-out samples"
        facts[4] = Fact("accuracy", last.accuracy, "test accuracy", told)
    return tuple(facts)


def _curve(history: History) -> Iterator[str]:
    """A table of the epochs; what was not measured is a dash."""
    return table(
        ("epoch", "loss", "test loss", "accuracy"),
        [
            (str(e.number), *map(_figure, (e.loss, e.validation_loss, e.accuracy)))
            for e in history.epochs
        ],
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _worst(checks: Iterable[Check]) -> float:
    return max((c.error for c in checks if "complex step" in c.what), default=math.nan)


def _listing(derivation: Derivation) -> Iterator[tuple[int, str]]:
    for equation in (*derivation.forward, *derivation.adjoint):
        text = formula(equation, derivation.system)
        yield derivation.number(equation.tensor), text
