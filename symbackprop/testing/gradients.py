"""`assert_gradient`: is this gradient the slope of that function?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbackprop.errors import GradientError, InputError, short
from symbackprop.testing.causes import Evidence, likely_cause
from symbackprop.testing.entries import Array, Entries
from symbackprop.testing.judge import Judge, Slope
from symbackprop.testing.verdict import Verdict

ALL = 256  # entries up to which each is judged
SOME = 64  # that are judged of more
DIRECTIONS = 8  # along which the whole gradient is judged, where not each entry is


def assert_gradient(
    f: Callable[[Any], Any],
    gradient: Any,
    x: Any,
    *,
    rtol: float | None = None,
    names: Sequence[str] | None = None,
    lengths: Mapping[str, int] | None = None,
) -> Verdict:
    """`|gradient_i - df/dx_i| <= error of the judge + rtol |df/dx_i|` for every i.

    The judge is the central difference, extrapolated to a step of 0, with its own
    error: the spread of the extrapolation and the rounding in f, which is measured, and
    is eps |f| at least. Where f takes complex numbers and differences confirm it, the
    slope is that of a complex step. Nothing about a tolerance is a matter of taste but
    `rtol`, the rounding that the gradient itself may hold.

    At a corner of f along a coordinate, any value between the slopes of its two sides
    passes, and the verdict says so. Several entries with corners at once are judged
    along random directions too, if f bends the same way along all of them; if not, they
    are reported and not judged. Above 256 entries, 64 of them are judged, and the whole
    gradient along 8 random directions; a direction that fails is halved until it shows
    a wrong entry.

    Args:
        f: takes what x is and returns one real number; always the same one.
        gradient: what x is, with a slope for each entry; or a function from x to that.
        x: a number, an array of any shape, or a dictionary of arrays by name. float32
            arrays reach f as float32; integers as float64.
        rtol: the relative rounding that the gradient may hold; None for sqrt(eps), half
            of the digits.
        names: what each entry is called in messages, in the order of the entries.
        lengths: lengths of data that f averages over, by what they are called, so that
            a missing 1/N can be named: `{"batch": 32}`. Those of x are known.

    Returns:
        How far it was judged, and the worst entry.

    Raises:
        GradientError: an entry that is off. It names the worst entry, both values, the
            tolerance, and the likely cause where the pattern is a known one.
        InputError: an x, f or gradient that cannot be judged.

    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> print(assert_gradient(lambda x: (x**2).sum() / 2, lambda x: x, x).judged)
    3
    >>> assert_gradient(lambda x: (x**2).sum() / 2, 2 * x, x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    symbackprop.errors.GradientError: the gradient is wrong at x[...
    Likely cause: a factor 2: it is twice the slope.
    """
    if not callable(f):
        raise InputError(f"f is {short(f)}; give a function of x, as in `lambda x:`.")
    if rtol is not None and not (
        isinstance(rtol, int | float) and 0 < rtol < 1 and not isinstance(rtol, bool)
    ):
        raise InputError(f"rtol is {short(rtol)}; give a number between 0 and 1.")
    entries = Entries.of(x, names)
    judge = Judge(f, entries, x)
    given = gradient(entries.x(judge.x)) if callable(gradient) else gradient
    claimed = entries.flat(given, "gradient")
    trial = Trial(judge, claimed, math.sqrt(judge.eps) if rtol is None else rtol)
    trial.refuse_what_is_not_finite()
    trial.hear()
    if trial.failed:
        __tracebackhide__ = True  # pytest shows the line of the test
        raise GradientError(trial.complaint(_lengths(entries, lengths or {})))
    return trial.verdict()


@dataclass
class Trial:
    """One gradient before its judge.

    Attributes:
        judge: gives slopes.
        claimed: the gradient as one vector.
        rtol: the relative rounding that it may hold.
        slopes: what was found, by entry.
        directions: random directions along which the whole gradient agreed.
        lost: what was said of a direction that failed, while no entry did.
        composite: whether f bends one way along some directions, and another along
            others.
    """

    judge: Judge
    claimed: Array
    rtol: float
    slopes: dict[int, Slope] = field(default_factory=dict)
    directions: int = 0
    lost: str = ""
    notes: list[str] = field(default_factory=list)
    composite: bool = False

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(1)
        self.entries = self.judge.entries
        self.size = len(self.claimed)

    def refuse_what_is_not_finite(self) -> None:
        bad = np.flatnonzero(~np.isfinite(self.claimed))
        if bad.size:
            raise GradientError(
                f"the gradient is {self.claimed[bad[0]]} at "
                f"{self.entries.label(int(bad[0]))}, one of {bad.size} of {self.size} "
                "entries that are not finite, while f is finite there. Look for a "
                "division by 0, or a logarithm or root of 0."
            )

    # Hearing

    def hear(self) -> None:
        """Judge all entries, or some and directions; then corners together."""
        chosen = range(self.size)
        if self.size > ALL:
            # The greatest entries, and some of all.
            greatest = np.argsort(-np.abs(self.claimed), kind="stable")[: SOME // 4]
            drawn = self.rng.choice(self.size, SOME, replace=False)
            both = dict.fromkeys([*greatest.tolist(), *drawn.tolist()])
            chosen = sorted(list(both)[:SOME])  # type: ignore[assignment]
        for entry in chosen:
            self.entry(entry)
        if self.size > ALL:
            self.hear_directions()
        bent = [i for i, slope in self.slopes.items() if slope.corner]
        if len(bent) > 1:
            self.hear_corners(bent)

    def entry(self, entry: int) -> Slope:
        if entry not in self.slopes:
            self.slopes[entry] = self.judge.along(self.unit([entry]))
        return self.slopes[entry]

    def unit(self, chosen: Sequence[int] | Array) -> Array:
        vector = np.zeros(self.size)
        vector[chosen] = 1.0
        return vector

    def excess(self, slope: Slope, along: Array) -> float:
        """How many tolerances the gradient is off along a direction."""
        parts = self.claimed * along
        claimed = float(parts.sum())
        # Independent roundings of the entries add up as their squares do.
        own = self.rtol * max(abs(slope.nearest(claimed)), float(np.linalg.norm(parts)))
        return abs(claimed - slope.nearest(claimed)) / max(slope.error + own, 1e-300)

    def hear_directions(self) -> None:
        for _ in range(DIRECTIONS):
            along = self.rng.uniform(-1, 1, self.size)
            slope = self.judge.along(along)
            if slope.unknown or slope.corner:
                why = slope.unknown or "f has a corner there"
                self.notes.append(f"A random direction was not judged: {why}.")
                continue
            if self.excess(slope, along) <= 1:
                self.directions += 1
                continue
            self.lost = (
                "the gradient is wrong along a random direction: expected "
                f"{slope.low:.9g}, got {float(self.claimed @ along):.9g}"
            )
            if self.find(along):
                return

    def find(self, along: Array) -> bool:
        """Halve a direction that fails until one entry is left; whether it fails."""
        chosen = np.arange(self.size)
        while len(chosen) > 1:
            halves = np.array_split(chosen, 2)
            parts = [
                np.where(np.isin(np.arange(self.size), h), along, 0) for h in halves
            ]
            worst = [self.excess(self.judge.along(part), part) for part in parts]
            chosen = halves[int(worst[1] > worst[0])]
        entry = int(chosen[0])
        self.entry(entry)
        return self.ratio(entry) > 1

    def hear_corners(self, bent: list[int]) -> None:
        """Corners of several entries: does f bend the same way along all of them?"""
        bends = [self.slopes[entry].bend for entry in bent]
        heard = []
        for _ in range(DIRECTIONS):
            along = np.zeros(self.size)
            along[bent] = self.rng.uniform(-1, 1, len(bent))
            heard.append((along, self.judge.along(along)))
        bends += [slope.bend for _, slope in heard]
        self.composite = min(bends) < 0 < max(bends)
        if self.composite or any(self.ratio(entry) > 1 for entry in bent):
            return
        for along, slope in heard:
            if not slope.unknown and self.excess(slope, along) > 1:
                named = ", ".join(self.entries.label(entry) for entry in bent[:4])
                self.lost = (
                    "the gradient lies outside the subdifferential at a corner of f in "
                    f"{named}{', ...' if len(bent) > 4 else ''}: each entry lies "
                    "between the slopes of its two sides, but along a direction that "
                    f"moves them together the slopes are {slope.low:.9g} and "
                    f"{slope.high:.9g}, and the gradient gives "
                    f"{float(self.claimed @ along):.9g}"
                )

    # What was found

    def tolerance(self, entry: int) -> float:
        slope = self.slopes[entry]
        return slope.error + self.rtol * abs(slope.nearest(self.claimed[entry]))

    def ratio(self, entry: int) -> float:
        """How many tolerances an entry is off; 0 where it is not judged."""
        slope = self.slopes[entry]
        if slope.unknown or (slope.corner and self.composite):
            return 0.0
        apart = abs(self.claimed[entry] - slope.nearest(self.claimed[entry]))
        return float(apart / max(self.tolerance(entry), 1e-300))

    @property
    def judged(self) -> list[int]:
        return [
            entry
            for entry, slope in self.slopes.items()
            if not slope.unknown and not (slope.corner and self.composite)
        ]

    @property
    def failed(self) -> bool:
        return bool(self.lost) or any(self.ratio(entry) > 1 for entry in self.judged)

    @property
    def worst(self) -> int:
        return max(self.judged, key=self.ratio, default=next(iter(self.slopes)))

    def verdict(self) -> Verdict:
        worst = self.worst
        name, index = self.entries.place(worst)
        slope = self.slopes[worst]
        return Verdict(
            self.entries.label(worst),
            name,
            index,
            float(self.claimed[worst]),
            slope.nearest(float(self.claimed[worst])),
            float(self.tolerance(worst)),
            len(self.judged),
            self.size,
            self.directions,
            tuple(self.corners()),
            tuple(self.remarks()),
        )

    def corners(self) -> list[str]:
        said = []
        for entry, slope in self.slopes.items():
            if slope.corner:
                passes = (
                    "not judged" if self.composite else "any value between them passes"
                )
                said.append(
                    f"f has a corner at x along {self.entries.label(entry)}: its "
                    f"slopes are {slope.low:.9g} and {slope.high:.9g}; {passes}."
                )
        return said

    def remarks(self) -> list[str]:
        said = list(self.notes)
        if self.composite:
            said.append(
                "Several entries have corners at x, and f bends upwards along some "
                "directions and downwards along others: no interval tells which "
                "gradient is right, so that those entries were not judged. Move x."
            )
        for entry, slope in self.slopes.items():
            if slope.unknown:
                label = self.entries.label(entry)
                said.append(f"{label} was not judged: {slope.unknown}.")
        if self.size > ALL:
            said.append(
                f"x has {self.size} entries: {len(self.slopes)} of them were looked "
                f"at, and {self.directions} random directions."
            )
        hidden = self.hidden()
        if hidden:
            said.append(
                f"The rounding in f hides slopes of the size of {', '.join(hidden)}: "
                "the gradient there cannot be told from 0. Leave a large constant out "
                "of f, or scale x."
            )
        return said

    def hidden(self) -> list[str]:
        """Arrays whose whole gradient, though not 0, is within the tolerance of 0."""
        seen: dict[str, bool] = {}
        for entry in self.judged:
            name, _ = self.entries.place(entry)
            small = abs(self.claimed[entry]) <= self.tolerance(entry)
            seen[name] = seen.get(name, True) and small
        some = {self.entries.place(i)[0] for i in self.judged if self.claimed[i] != 0}
        return [name or "x" for name, small in seen.items() if small and name in some]

    # The complaint

    def complaint(self, lengths: Mapping[str, int]) -> str:
        wrong = [entry for entry in self.judged if self.ratio(entry) > 1]
        if not wrong:
            return "\n".join([f"{self.lost}.", *self.corners(), *self.remarks()])
        worst = self.worst
        slope = self.slopes[worst]
        claimed = float(self.claimed[worst])
        expected = f"{slope.low:.9g}"
        if slope.corner:
            expected = f"a value from {slope.low:.9g} to {slope.high:.9g} at a corner"
        lines = [
            f"the gradient is wrong at {self.entries.label(worst)}: expected "
            f"{expected}, got {claimed:.9g} (tolerance {self.tolerance(worst):.1e}). "
            f"{len(wrong)} of {len(self.judged)} entries judged are off"
            + (f" ({self.census(wrong)})." if self.entries.keyed else ".")
        ]
        # Where the worst array is too short to tell, another may.
        by_size = sorted(wrong, key=self.ratio, reverse=True)
        for name in dict.fromkeys(self.entries.place(entry)[0] for entry in by_size):
            cause = likely_cause(self.evidence(name, lengths))
            if cause:
                at = (
                    f" (seen at {name})" if name != self.entries.place(worst)[0] else ""
                )
                lines.append(f"Likely cause{at}: {cause}.")
                break
        return "\n".join([*lines, *self.corners(), *self.remarks()])

    def census(self, wrong: list[int]) -> str:
        """`W 12 of 12, b 0 of 3`."""
        counts = {name: [0, 0] for name in self.entries.shapes}
        for entry in self.judged:
            counts[self.entries.place(entry)[0]][1] += 1
        for entry in wrong:
            counts[self.entries.place(entry)[0]][0] += 1
        return ", ".join(
            f"{name} {off} of {all_}" for name, (off, all_) in counts.items()
        )

    def evidence(self, name: str, lengths: Mapping[str, int]) -> Evidence:
        slopes, tolerance = np.full(self.size, np.nan), np.full(self.size, np.nan)
        for entry in self.judged:
            if not self.slopes[entry].corner:
                slopes[entry] = self.slopes[entry].low
                tolerance[entry] = self.tolerance(entry)
        found = self.entries.arrays(slopes)
        return Evidence(
            name or "x",
            self.entries.arrays(self.claimed)[name],
            found[name],
            self.entries.arrays(tolerance)[name],
            self.entries.arrays(self.judge.x)[name],
            self.rtol,
            {other: array for other, array in found.items() if other != name},
            lengths,
        )


def _lengths(entries: Entries, told: Mapping[str, int]) -> dict[str, int]:
    """What a mean may run over: what was told first, then the axes of x, and all."""
    found = {f"the length of `{name}`": int(n) for name, n in told.items()}
    for name, shape in entries.shapes.items():
        for axis, n in enumerate(shape):
            found[f"the length of axis {axis} of {name or 'x'}"] = n
        found[f"the number of entries of {name or 'x'}"] = math.prod(shape)
    return found
