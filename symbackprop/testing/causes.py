"""What a wrong gradient looks like, when the mistake is a known one.

Each guess undoes a mistake; where the undone gradient agrees with every slope that was
judged, the mistake is named. Entries that were not judged are NaN in the slopes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from symbackprop.testing.entries import Array

AXES = 4  # whose permutations are tried
EVIDENCE = 3  # slopes other than 0 that a guess of two mistakes must explain


@dataclass(frozen=True)
class Evidence:
    """One array's gradient beside its slopes.

    Attributes:
        name: of the array, for the message.
        claimed: its gradient; NaN where it is not known.
        slopes: what was found; NaN where nothing was judged.
        tolerance: of each slope.
        x: the array at which all is judged.
        others: slopes of the other arrays, by name.
        lengths: what a mean may run over, by what a message calls it.
        rtol: the rounding that the gradient may hold, relative.
    """

    name: str
    claimed: Array
    slopes: Array
    tolerance: Array
    x: Array
    rtol: float
    others: Mapping[str, Array] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)

    def explains(self, undone: Array) -> bool:
        """Whether a gradient agrees with the slopes, wherever both are known."""
        known = np.isfinite(undone) & np.isfinite(self.slopes)
        allowed = self.tolerance + self.rtol * np.abs(undone)
        wrong = known & ~(np.abs(undone - self.slopes) <= allowed)
        return bool((known & self.telling).any()) and not wrong.any()

    @property
    def telling(self) -> Array:
        """Where the slope is known and is not 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(self.slopes) > 2 * self.tolerance)

    @property
    def wrong(self) -> Array:
        """Where gradient and slope are known and differ."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(self.claimed - self.slopes) > self.tolerance)

    @property
    def known(self) -> int:
        """How many entries can be compared."""
        return int((np.isfinite(self.claimed) & np.isfinite(self.slopes)).sum())


def likely_cause(evidence: Evidence) -> str:
    """The known mistake that explains all of the evidence; "" where none does."""
    return next((found for guess in GUESSES for found in guess(evidence)), "")


# Guesses, the simplest first


def _scaled(e: Evidence) -> Iterator[str]:
    for factor, text in _factors(e):
        if e.explains(e.claimed / factor):
            yield text


def _other(e: Evidence) -> Iterator[str]:
    for name, slopes in e.others.items():
        if slopes.shape == e.claimed.shape and np.isfinite(slopes).any():
            known = np.isfinite(slopes) & np.isfinite(e.claimed)
            apart = np.abs(e.claimed - slopes)[known]
            allowed = e.rtol * np.abs(slopes)[known]
            if known.any() and (slopes[known] != 0).any() and (apart <= allowed).all():
                yield f"it is the gradient of `{name}`"


def _rearranged(e: Evidence) -> Iterator[str]:
    for undone, text in _arrangements(e):
        if e.explains(undone):
            yield text


def _both(e: Evidence) -> Iterator[str]:
    if int(e.telling.sum()) < EVIDENCE:
        return
    for undone, text in _arrangements(e):
        for factor, also in _factors(e):
            if e.explains(undone / factor):
                yield f"{text}, and {also}"


def _missing(e: Evidence) -> Iterator[str]:
    """Zeros where the slope is not 0, and nothing else wrong."""
    holes = e.wrong & (e.claimed == 0)
    if not holes.any() or (e.wrong & ~holes).any():
        return
    known = np.isfinite(e.slopes) & np.isfinite(e.claimed)
    if (holes == (known & e.telling)).all():
        yield f"a missing term: the gradient of {e.name} is 0 everywhere"
        return
    where = _slice(holes)
    place = f" at {e.name}{where}" if where else f" in {int(holes.sum())} entries"
    yield f"a missing term: the gradient is 0{place}, where the slope is not"


def _alone(e: Evidence) -> Iterator[str]:
    wrong = int(e.wrong.sum())
    if wrong == 1 and e.known >= EVIDENCE:
        yield f"one wrong entry; the other {e.known - 1} that were judged agree"
    elif wrong > 1 and wrong < e.known:
        where = _slice(e.wrong)
        if where:
            yield f"all wrong entries stand in {e.name}{where}; the others agree"


def _added(e: Evidence) -> Iterator[str]:
    """What is missing is a multiple of x, or the same number everywhere."""
    if int(e.telling.sum()) < EVIDENCE:
        return
    missing = e.slopes - e.claimed
    for array, text in (
        (e.x, "{} times {name} is missing, as by a penalty on its squares"),
        (np.ones_like(e.x), "the same number {} is missing everywhere"),
    ):
        factor = _fit(missing, array)
        if factor and e.explains(e.claimed + factor * array):
            yield text.format(f"{factor:.6g}", name=e.name)


def _ratio(e: Evidence) -> Iterator[str]:
    """Any other constant factor."""
    if int(e.telling.sum()) < EVIDENCE:
        return
    factor = _fit(e.claimed, e.slopes)
    if not factor or not e.explains(e.claimed / factor):
        return
    for n, of in ((factor, "a missing 1/N"), (1 / factor, "a 1/N too many")):
        if n > 2.5 and abs(n - round(n)) < math.sqrt(e.rtol):
            yield f"{of} with N = {round(n)}, if your data have that length"
    yield f"a constant factor {factor:.6g}"


GUESSES: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    _scaled,
    _other,
    _rearranged,
    _missing,
    _alone,
    _ratio,
    _added,
    _both,
)


# What mistakes do


def _factors(e: Evidence) -> Iterator[tuple[float, str]]:
    yield -1.0, "the sign: it is minus the slope"
    yield 2.0, "a factor 2: it is twice the slope"
    yield 0.5, "a factor 1/2: it is half the slope"
    yield -2.0, "a factor -2"
    yield -0.5, "a factor -1/2"
    for called, n in e.lengths.items():
        if n > 2:
            yield n, f"a missing 1/N with N = {n}, {called}"
            yield 1 / n, f"a 1/N too many with N = {n}, {called}"


def _arrangements(e: Evidence) -> Iterator[tuple[Array, str]]:
    shape = e.claimed.shape
    for order in permutations(range(len(shape))) if len(shape) <= AXES else ():
        if order == tuple(range(len(shape))):
            continue
        turned = e.claimed.reshape([shape[k] for k in order])
        undone = turned.transpose(np.argsort(order))
        two = "a transpose" if len(shape) == 2 else f"axes permuted as {order}"
        yield undone, f"{two}: it holds the slopes of {e.name} in another order"
    for axis, length in enumerate(shape):
        if length < 2:
            continue
        yield np.flip(e.claimed, axis), f"axis {axis} of {e.name} runs backwards"
        for by in (1, -1):
            undone = np.roll(e.claimed, -by, axis)
            edge = [slice(None)] * len(shape)
            edge[axis] = slice(-1, None) if by == 1 else slice(0, 1)
            undone[tuple(edge)] = np.nan
            # One slope that agrees by itself is no evidence of a shift.
            if int((np.isfinite(undone) & e.telling).sum()) >= 2:
                yield undone, f"a shift by one index along axis {axis} of {e.name}"


def _fit(left: Array, right: Array) -> float:
    """c of `left = c right`, by the greatest entries; 0 where there is none."""
    known = np.isfinite(left) & np.isfinite(right)
    if not known.any() or not np.abs(right[known]).max():
        return 0.0
    weight = right[known] / np.abs(right[known]).max()
    return float(left[known] @ weight / (right[known] @ weight))


def _slice(chosen: Array) -> str:
    """`[:, 3]` where the chosen entries are all of one index along an axis."""
    for axis in range(chosen.ndim):
        if chosen.ndim < 2:
            return ""
        places = np.unique(np.nonzero(chosen)[axis])
        if len(places) == 1:
            marks = [":"] * chosen.ndim
            marks[axis] = str(int(places[0]))
            return f"[{', '.join(marks)}]"
    return ""
