"""What it costs to set a graph up, and how many gradients pay for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.choices import Static, dynamic, frozen, inputs
from symbackprop.contrast.point import Floats, Point

LONGEST = 2.5  # seconds of one run
REPEATS, QUICK = 25, 0.1  # calls to time, while they take no longer than this together

STATIC = "static: compile, record, replay"
SECOND = "static, loops compiled before"
TAPE = "dynamic: a tape each time"
AGAIN = "dynamic: recorded each time"
JAX = "JAX: jit once"
KINDS = (STATIC, SECOND, TAPE, AGAIN, JAX)

Call = Callable[[Mapping[str, Any]], Floats]


def runs(point: Point, gradients: int, seed: int) -> dict[str, Any]:
    """Seconds until each gradient stands, every one at an input of its own."""
    from symbackprop.kernels.replay import loops  # loads Numba

    given = inputs(point, 0.1, gradients, np.random.default_rng(seed))

    def recorded() -> Call:
        return Static.of(point).gradient

    def compiled() -> Call:
        loops.cache_clear()
        return recorded()

    starts: dict[str, Callable[[], Call]] = {
        STATIC: compiled,
        SECOND: recorded,
        TAPE: lambda: lambda x: dynamic(point, x),
        AGAIN: lambda: lambda x: Static.of(point, x).gradient(x),
    }
    peer = jitted(point)
    if peer is not None:
        starts[JAX] = peer
    with frozen():
        series = {kind: _run(start, given) for kind, start in starts.items()}
    setups = {kind: each["setup"] for kind, each in series.items()}
    totals = {kind: np.array(each.pop("until")) for kind, each in series.items()}
    for kind, each in series.items():
        each["predicted"] = break_even(setups[kind], each["each"], series[TAPE]["each"])
        each["break_even"] = _first_ahead(totals[kind], totals[TAPE])
    return {
        "parameters": point.size,
        "compile": setups[STATIC] - setups[SECOND],
        "series": series,
    }


def _run(start: Callable[[], Call], given: Iterable[Mapping[str, Any]]) -> Any:
    """The set-up, the mean gradient, and the seconds until each one stands."""
    begin = time.perf_counter()
    call = start()
    setup = time.perf_counter() - begin
    until: list[float] = []
    for one in given:
        call(one)
        until.append(time.perf_counter() - begin)
        if until[-1] - setup > LONGEST:
            break
    places = sorted({int(k) for k in np.geomspace(1, len(until), 12)})
    return {
        "setup": setup,
        "each": (until[-1] - setup) / len(until),
        "counts": places,
        "seconds": [until[k - 1] for k in places],
        "until": until,
    }


def _first_ahead(mine: Floats, others: Floats) -> int | None:
    """The first number of gradients after which the one run is ahead for good."""
    shared = min(len(mine), len(others))
    behind = np.flatnonzero(mine[:shared] >= others[:shared])
    first = int(behind[-1]) + 2 if len(behind) else 1
    return first if first <= shared else None


def break_even(setup: float, each: float, other: float) -> float | None:
    """`setup / (other - each)`: how many gradients pay for a set-up; None: no number.

    >>> break_even(6.0, 1.0, 3.0), break_even(6.0, 3.0, 1.0)
    (3.0, None)
    """
    return setup / (other - each) if each < other else None


def parts(point: Point, compiling: float) -> dict[str, Any]:
    """Seconds of each part, and the gradients that pay for each set-up."""
    seconds: list[tuple[float, float]] = []
    while len(seconds) < REPEATS and np.sum(seconds) < QUICK:
        static = Static.of(point)
        seconds.append(static.seconds)
    record, lay_out = (float(np.median(part)) for part in zip(*seconds, strict=True))
    replay = _median(lambda: static.gradient({}))
    tape = _median(lambda: dynamic(point, {}))
    found: dict[str, Any] = {
        "parameters": point.size,
        "nodes": len(static.replay.graph),
        "record": record,
        "lay_out": lay_out,
        "replay": replay,
        "tape": tape,
        "break_even": {
            STATIC: break_even(compiling + record + lay_out, replay, tape),
            SECOND: break_even(record + lay_out, replay, tape),
        },
    }
    peer = jitted(point)
    if peer is not None:
        start = time.perf_counter()
        call = peer()
        found["jax_setup"] = time.perf_counter() - start
        found["jax"] = _median(lambda: call({}))
        found["break_even"][JAX] = break_even(found["jax_setup"], found["jax"], tape)
    return found


def _median(call: Callable[[], Any]) -> float:
    taken: list[float] = []
    while len(taken) < REPEATS and (not taken or sum(taken) < QUICK):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def jitted(point: Point) -> Callable[[], Call] | None:
    """JAX's own static graph of whole arrays; None where it is not installed."""
    try:
        from symbackprop.contrast.peers.xla import gradient
    except ModuleNotFoundError:
        return None

    return lambda: gradient(point)
