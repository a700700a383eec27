"""What data-dependent control flow does to a graph that was recorded once."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbackprop.contrast.point import Floats, Point
from symbackprop.errors import CheckError
from symbackprop.witnesses.choices import Choosing, changed
from symbackprop.witnesses.graph import record
from symbackprop.witnesses.slopes import value
from symbackprop.witnesses.tape import gradient_by_tape

if TYPE_CHECKING:
    from symbackprop.kernels.replay import Replay

AGREE = 1e-12  # of the norm: the sums of both run in another order


def choices(
    point: Point, others: Mapping[str, Any], then: Sequence[Any] | None = None
) -> list[Any]:
    """All choices by value of one evaluation, in their order; `then` as `Choosing`."""
    numbers = Choosing(then)
    value(point.system, {**point.values, **others}, numbers)
    return numbers.made


@dataclass(frozen=True)
class Static:
    """A graph recorded at a point, ready to be replayed at other data.

    Attributes:
        point: where it was recorded.
        replay: the graph, laid out.
        seconds: what recording and laying out took.
    """

    point: Point
    replay: Replay
    seconds: tuple[float, float]

    @classmethod
    def of(cls, point: Point, others: Mapping[str, Any] | None = None) -> Static:
        """Record it, at other data where some are given."""
        from symbackprop.kernels.replay import Replay  # loads Numba

        start = time.perf_counter()
        graph = record(point.system, {**point.values, **(others or {})})
        recorded = time.perf_counter()
        replay = Replay.of(graph)
        end = time.perf_counter()
        return cls(point, replay, (recorded - start, end - recorded))

    def gradient(self, others: Mapping[str, Any]) -> Floats:
        """All slopes at other data, as if every choice fell as it was recorded.

        Shapes:
            (size,)
        """
        names = tuple(self.point.shapes)
        return np.asarray(self.point.flat(self.replay.gradient(others, names)[1]))


def dynamic(point: Point, others: Mapping[str, Any]) -> Floats:
    """All slopes at other data by a tape that is made for them.

    Shapes:
        (size,)
    """
    found = gradient_by_tape(point.system, {**point.values, **others})
    return np.asarray(point.flat(found), dtype=float)


@dataclass(frozen=True, eq=False)
class Judged:
    """A replay at other data, beside the tape.

    Attributes:
        flips: guards that fail. Behind the first of them the replay computes with
            wrong values, so that there may be more or fewer than `changed`.
        changed: choices that the program itself now makes otherwise.
        error: of the slopes, had the guards been ignored; relative to the norm.
        slopes: by the tape, which follows every choice.
    """

    flips: int
    changed: int
    error: float
    slopes: Floats


def judge(static: Static, then: Sequence[Any], others: Mapping[str, Any]) -> Judged:
    """Hold the guards against an independent count, and the slopes against the tape.

    Args:
        static: the graph.
        then: the choices at the point where it was recorded.
        others: the data to replay it at.

    Raises:
        CheckError: other guards fail than the choices that changed, or none has
            changed and the slopes are wrong.
    """
    name, point = static.point.system.name, static.point
    found = static.gradient(others)
    flips = static.replay.flipped()
    counted = changed(then, choices(point, others, then))
    really = changed(then, choices(point, others))
    if flips != counted or bool(flips) != bool(really):
        raise CheckError(
            f"{flips} guards of the graph of `{name}` fail; {counted} choices would "
            f"have changed along its steps, {really} change in the program. A choice "
            "was recorded wrongly, or not at all."
        )
    expected = dynamic(point, others)
    error = _error(found, expected)
    if not flips and not error <= AGREE:
        raise CheckError(
            f"no choice of `{name}` changed, and the replayed slopes are off by "
            f"{error:.1e} of their norm, where {AGREE:.0e} is allowed. The graph was "
            "recorded or replayed wrongly."
        )
    return Judged(flips, really, error, expected)


def inputs(
    point: Point, distance: float, count: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Random inputs about a point: `x + distance rms(x) g`, g normal."""
    x = np.asarray(point.values["x"], dtype=float)
    size = distance * float(np.sqrt(np.mean(x**2)))
    return [{"x": x + size * rng.normal(size=x.shape)} for _ in range(count)]


def flips(
    point: Point,
    distances: Sequence[float],
    draws: int,
    seed: int,
    peer: Callable[[Mapping[str, Any]], Floats] | None = None,
) -> list[dict[str, Any]]:
    """A row for each distance: what flips, and what it costs to follow.

    Every draw is judged: guards against an independent count, slopes against the tape.

    Args:
        point: where the graph is recorded.
        distances: of the inputs, relative to the size of the recorded one.
        draws: inputs at each distance.
        seed: of the inputs.
        peer: slopes of another library at other data, prepared at the point.
    """
    static, then = Static.of(point), choices(point, {})
    rng = np.random.default_rng(seed)
    rows = []
    for distance in distances:
        given = inputs(point, distance, draws, rng)
        judged = [judge(static, then, one) for one in given]
        errors = [each.error for each in judged]
        row: dict[str, Any] = {
            "distance": distance,
            "guards": len(static.replay.graph.guards),
            "flips": [each.flips for each in judged],
            "changed": [each.changed for each in judged],
            "errors": errors,
            "flipped": sum(each.flips > 0 for each in judged) / draws,
            **_followed(static, given),
        }
        if peer is not None:
            row["jax_error"] = max(
                _error(peer(one), each.slopes)
                for one, each in zip(given, judged, strict=True)
            )
        rows.append(row)
    return rows


def _error(found: Floats, expected: Floats) -> float:
    norm = max(float(np.linalg.norm(expected)), 1e-300)
    return float(np.linalg.norm(found - expected)) / norm


def _followed(static: Static, given: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds a gradient, where a graph is recorded anew when a guard of it fails."""
    now, taken, tapes = static, {False: [0.0], True: [0.0]}, []
    with frozen():
        for one in given:
            start = time.perf_counter()
            now.gradient(one)
            failed = bool(now.replay.flipped())
            if failed:
                now = Static.of(static.point, one)
                now.gradient(one)
            taken[failed].append(time.perf_counter() - start)
            start = time.perf_counter()
            dynamic(static.point, one)
            tapes.append(time.perf_counter() - start)
    again = (len(taken[True]) - 1) / len(given)
    kept, anew = (float(np.median(taken[k][1:] or [0])) for k in (False, True))
    return {
        "again": again,
        "followed": (1 - again) * kept + again * anew,
        "tape": float(np.median(tapes)),
    }


@contextmanager
def frozen() -> Iterator[None]:
    """Keep the collection of garbage from what was there before.

    The more modules are loaded, the longer that would take; it is no part of a method.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
