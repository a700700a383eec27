"""Times of several calls, taken in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

SAMPLE = 100e-6  # seconds that one sample lasts at least: 1000 times the clock's step
WARM = 0.05  # seconds of calls before the first sample
LEAST = 5  # samples of each call, whatever the budget


@dataclass(frozen=True)
class Times:
    """The seconds of one call: median and quartiles of its samples.

    Attributes:
        cores: processor time by elapsed time; above 1 where other threads helped.
    """

    median: float
    low: float
    high: float
    samples: int
    cores: float


def measure(calls: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Times]:
    """Sample each call once a round, A B C A B C, for so many seconds in all.

    A sample is as many calls in a row as last 100 us, after one that is not counted
    and brings the data back into the cache. What the loop itself costs is taken off.

    >>> found = measure({"nothing": lambda: None}, seconds=0.01)
    >>> found["nothing"].median < 1e-5
    True
    """
    counts = {name: _count(call) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    worked = dict.fromkeys(calls, 0.0)
    elapsed = dict.fromkeys(calls, 0.0)
    empty = {count: _loop(count) for count in set(counts.values())}
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        rounds = 0
        while rounds < LEAST or time.perf_counter() < end:
            for name, call in calls.items():
                count = counts[name]
                call()
                busy = time.process_time()
                start = time.perf_counter()
                for _ in repeat(None, count):
                    call()
                took = time.perf_counter() - start
                worked[name] += time.process_time() - busy
                elapsed[name] += took
                samples[name].append(max(took - empty[count], 0.0) / count)
            rounds += 1
    finally:
        if collecting:
            gc.enable()
    found = {}
    for name, taken in samples.items():
        low, median, high = map(float, np.percentile(taken, (25, 50, 75)))
        cores = worked[name] / elapsed[name]
        found[name] = Times(median, low, high, len(taken), cores)
    return found


def _count(call: Callable[[], Any]) -> int:
    """Warm the call up, and find how many of it a sample needs."""
    fastest, end = float("inf"), time.perf_counter() + WARM
    for done in range(1_000_000):
        start = time.perf_counter()
        call()
        stop = time.perf_counter()
        fastest = min(fastest, stop - start)
        if done >= 2 and stop > end:
            break
    return max(1, round(SAMPLE / fastest))


def _loop(count: int) -> float:
    """Seconds of the loop and the clock around no calls."""
    found = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in repeat(None, count):
            pass
        found.append(time.perf_counter() - start)
    return min(found)
