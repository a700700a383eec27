"""The measurement itself: declare, compile, gather, judge, time, case by case."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from symbackprop.bench import judge, ours
from symbackprop.bench.cases import Case
from symbackprop.bench.machine import machine
from symbackprop.bench.peers import PEERS
from symbackprop.bench.problem import (
    EPOCHS,
    Contestant,
    Outcome,
    Problem,
    UnavailableError,
    layers,
    text,
)
from symbackprop.bench.timing import measure
from symbackprop.derivation import derive

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Report = dict[str, Any]

# A lead is over the best of these; `JAX inline` needs a setting that few know.
DEFAULTS = ("PyTorch", "PyTorch compiled", "JAX")
TUNED = (*DEFAULTS, "JAX inline")
LIMITS = ("products", "products in C")


def run(
    cases: Iterable[Case],
    seconds: float,
    as_text: bool,
    folder: str,
    tell: Callable[[str], None],
) -> Report:
    """Measure every case.

    Args:
        cases: what to measure.
        seconds: of timing for each case.
        as_text: declare the networks as equations instead of layers.
        folder: where the kernels are written.
        tell: called with what is being done.

    Returns:
        An object as JSON takes it: `machine` and, for each of `cases`, the times in
        seconds.
    """

    @cache
    def kernels(widths: tuple[int, ...], dtype: str) -> Kernels:
        from symbackprop.kernels import compile as compile_from  # loads Numba

        case = Case(widths, 1, "float64" if dtype == "float64" else "float32")
        declared = text(case) if as_text else layers(case)
        return compile_from(derive(declared), dtype=dtype, directory=folder)

    found: list[Report] = []
    every, start = tuple(cases), time.monotonic()
    for case in every:
        place = _place(len(found), len(every), time.monotonic() - start)

        def say(doing: str, place: str = f"{place} {case}") -> None:
            tell(f"{place}: {doing}")

        say("compiling our kernels")
        compiled = kernels(case.widths, case.dtype)
        found.append(_case(case, compiled, seconds, as_text, say))
    return {"machine": machine(), "cases": found}


def _place(done: int, count: int, elapsed: float) -> str:
    """How far a measurement has come, and what is left of it.

    >>> _place(5, 20, elapsed=60.0)
    '[###         ] 6 of 20, about 3 min left,'
    """
    bar = "#" * (12 * done // count)
    left = (
        f" about {elapsed / done * (count - done) / 60:.0f} min left," if done else ""
    )
    return f"[{bar:<12}] {done + 1} of {count},{left}"


def _case(
    case: Case,
    kernels: Kernels,
    seconds: float,
    as_text: bool,
    say: Callable[[str], None],
) -> Report:
    problem = Problem.of(case)
    skipped: dict[str, str] = {}
    refused: dict[str, str] = {}
    errors: dict[str, float] = {}
    calls: dict[str, Callable[[], Any]] = {}
    reference: Outcome | None = None
    for name, contestant in _contestants(problem, kernels, skipped, say):
        try:
            outcome = contestant.outcome()
            if reference is None:  # the first is ours
                reference = outcome
            elif case.samples:
                errors[name] = judge.trainings(outcome, reference, problem, kernels)
            elif outcome.value is not None or outcome.arrays:
                errors[name] = judge.gradients(outcome, reference, case.dtype)
        except judge.DisagreementError as disagreement:
            refused[name] = str(disagreement)
        except Exception as error:  # of a library that is not ours
            skipped[name] = _complaint(error)
        else:
            calls[name] = contestant.call
    say("timing")
    share = EPOCHS if case.samples else 1
    times = {name: asdict(t) for name, t in measure(calls, seconds).items()}
    for entry in times.values():
        for key in ("median", "low", "high"):
            entry[key] /= share
    return {
        "case": str(case),
        "network": case.network,
        "parameters": case.parameters,
        "batch": case.batch,
        "dtype": case.dtype,
        "samples": case.samples,
        "declared": "text" if as_text else "layers",
        "times": times,
        "errors": errors,
        "skipped": skipped,
        "refused": refused,
        **ratios({name: entry["median"] for name, entry in times.items()}),
    }


def ratios(medians: Mapping[str, float]) -> Report:
    """Leads over the best peers, the share of the limit, gradient over forward.

    >>> ratios({"symbackprop": 2.0, "JAX": 6.0, "products": 1.0})["lead"]
    3.0
    """
    mine = medians[ours.OURS]

    def best(names: Iterable[str]) -> float | None:
        return min((medians[n] for n in names if n in medians), default=None)

    def over(one: float | None, other: float | None) -> float | None:
        return one / other if one is not None and other is not None else None

    return {
        "lead": over(best(DEFAULTS), mine),
        "lead_tuned": over(best(TUNED), mine),
        "lead_casadi": over(best(("CasADi",)), best((ours.OURS, ours.BOUND))),
        "lead_scikit_learn": over(best(("scikit-learn",)), mine),
        "share": over(mine, best(LIMITS)),
        "share_numpy": over(mine, best(LIMITS[:1])),
        "gradient_over_forward": over(mine, best((ours.FORWARD,))),
    }


def _contestants(
    problem: Problem,
    kernels: Kernels,
    skipped: dict[str, str],
    say: Callable[[str], None],
) -> Iterator[tuple[str, Contestant]]:
    """Ours first, then each peer that is installed; why others are not is noted."""
    task = "epoch" if problem.case.samples else "gradient"
    yield from getattr(ours, task)(problem, kernels)
    for peer, home in PEERS.items():
        say(f"preparing {peer}")
        try:
            module = import_module(f"symbackprop.bench.peers.{home}")
            if hasattr(module, task):
                yield from getattr(module, task)(problem)
        except UnavailableError as error:
            skipped[peer] = str(error)
        except Exception as error:  # of a library that is not ours
            skipped[peer] = _complaint(error)


def _complaint(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed"
    if isinstance(error, UnavailableError):
        return str(error)
    return f"{type(error).__name__}: {str(error)[:200]}"
