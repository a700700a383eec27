"""A smallest counterexample: short axes, and numbers that are as simple as can be.

Axes are tried at size 1, then 2, then the ordinary small ones; then each tensor is made
0 or 1 throughout, or entry by entry, as long as the claim still fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

import mpmath
import numpy as np

from symbackprop.claims.claim import Claim
from symbackprop.claims.judging.aside import sides_beside, steady
from symbackprop.claims.judging.judge import Judge, Point
from symbackprop.claims.judging.order import FINER
from symbackprop.claims.judging.values import FIFTY, SEED, needs, values
from symbackprop.claims.reading.bench import variables
from symbackprop.claims.verdict import Counterexample
from symbackprop.equations import System, Tensor
from symbackprop.errors import CheckError
from symbackprop.witnesses.draws import given as given_tensors
from symbackprop.witnesses.draws import integer_ranges, shrink
from symbackprop.witnesses.numbers import Array

TRIES = 6  # draws of simple numbers for each choice of sizes
CHANGES = 150  # simpler numbers that are tried
WORK = 1_000  # that counts as one such try more
ENTRIES = (0, 1, -1, 2)
DIGITS = (6, 9, 15, 30, 50)
FIGURES = (1, 2, 3)
START = (1, -1, 2, -2, Fraction(1, 2), 3)
SHORT = ({"small": 2, "varied": 1}, {"small": 3, "varied": 1}, {"small": 3})


def counterexample(judge: Judge, failing: Point) -> Counterexample | None:
    """The smallest one that is found from a point where the claim fails.

    None where it would need axes as long as those of the program, and these are too
    long to be gone through.
    """
    if judge.claim.form == "scalar":
        return _simplest_row(judge, failing)
    own = judge.claim.system
    if judge.claim.means or not _needed(judge.claim, own) & set(failing.given):
        if not judge.traits.affordable:
            return None
        systems = [own]
    else:
        systems = [shrink(own, **sizes) for sizes in SHORT]
    search = _Search(judge)
    for system in systems:
        for given in search.starts(system):
            if search.fails(given, system):
                given = search.simplified(given, system)
                return _told(judge, judge.at(given, FIFTY, system), system)
    system = next(s for s in (judge.small, judge.other, own) if _fits(failing, s))
    given = search.simplified(failing.given, system)
    return _told(judge, judge.at(given, FIFTY, system), system)


def _fits(point: Point, system: System) -> bool:
    return all(
        np.shape(value) == system.shape(name) for name, value in point.given.items()
    )


@dataclass
class _Search:
    """Looks for simpler values at which a claim still fails."""

    judge: Judge
    left: int = CHANGES

    def fails(self, given: Mapping[str, Any], system: System) -> bool:
        """Whether the claim fails there, and not by a convention alone."""
        self.left -= 1 + self.judge.traits.work(system) // WORK
        try:
            point = self.judge.at(given, FIFTY, system)
        except CheckError:
            return False
        judge = self.judge
        if not (point.fails and judge.claim.slopes and judge.traits.piecewise):
            return point.fails
        here = np.stack([np.asarray(point.found[name]) for name in judge.claim.sides])
        beside = sides_beside(judge.claim, given, system)
        return bool(steady(here, beside).all())

    def starts(self, system: System) -> Iterator[dict[str, Array]]:
        """Small whole numbers, drawn at random."""
        base = self.judge.draws.base(system)
        rng = np.random.default_rng(SEED)
        try:
            ranges = integer_ranges(base)
        except CheckError:
            return
        for _ in range(TRIES):
            values: dict[str, Array] = {}
            for tensor in given_tensors(base):
                shape = system.shape(tensor.name)
                if tensor.integer:
                    low, high = ranges[tensor.name]
                    values[tensor.name] = rng.integers(low, high + 1, shape)
                    continue
                made = np.empty(shape, dtype=object)
                picked = rng.integers(len(START), size=prod(shape))
                made.reshape(-1)[:] = [Fraction(START[k]) for k in picked]
                values[tensor.name] = made
            yield self.judge.draws.with_facts(values)

    def simplified(
        self, given: Mapping[str, Array], system: System
    ) -> dict[str, Array]:
        """Values changed to simpler ones while the claim fails."""
        best = dict(given)
        tensors = [
            t for t in given_tensors(self.judge.draws.base(system)) if not t.integer
        ]
        for tensor in tensors:
            for changed in self._simpler(tensor, best[tensor.name]):
                if self.left <= 0:
                    return best
                trial = {**best, tensor.name: changed}
                if self.fails(trial, system):
                    best = trial
                    break
            else:
                best = self._entry_by_entry(
                    tensor, self._rounded(tensor, best, system), system
                )
        return best

    def _rounded(
        self, tensor: Tensor, best: dict[str, Array], system: System
    ) -> dict[str, Array]:
        """With few figures in the entries of one tensor, if the claim fails so too."""
        for figures in FIGURES:
            short = np.vectorize(lambda v, n=figures: Fraction(f"{float(v):.{n}g}"))
            trial = {**best, tensor.name: short(best[tensor.name]).astype(object)}
            if tensor.name not in self.judge.facts and self.fails(trial, system):
                return trial
        return best

    def _simpler(self, tensor: Tensor, value: Array) -> Iterator[Array]:
        """The same number throughout; for a distribution, one class."""
        if tensor.name in self.judge.facts:
            chosen = np.zeros(value.shape, dtype=object)
            chosen[...] = Fraction(0)
            chosen[..., 0] = Fraction(1)
            yield chosen
            return
        for number in (0, 1):
            made = np.empty(value.shape, dtype=object)
            made[...] = Fraction(number)
            yield made

    def _entry_by_entry(
        self, tensor: Tensor, best: dict[str, Array], system: System
    ) -> dict[str, Array]:
        if tensor.name in self.judge.facts:
            return best
        for place in np.ndindex(best[tensor.name].shape):
            for number in ENTRIES:
                if self.left <= 0 or best[tensor.name][place] == number:
                    break
                changed = best[tensor.name].copy()
                changed[place] = Fraction(number)
                trial = {**best, tensor.name: changed}
                if self.fails(trial, system):
                    best = trial
                    break
        return best


def _simplest_row(judge: Judge, failing: Point) -> Counterexample:
    """The first of the combined values at which a claim about functions fails."""
    wrong = failing.wrong.any(axis=0)
    rows = [int(row) for row in np.flatnonzero(wrong)]
    names = list(failing.given)

    def size(row: int) -> tuple[int, ...]:
        values = [Fraction(failing.given[name][row]) for name in names]
        return (
            sum(abs(v.numerator) + v.denominator + (v < 0) + (v == 0) for v in values),
            row,
        )

    row = min(rows, key=size)
    relation = int(np.argmax(failing.wrong[:, row]))
    written = variables(judge.claim.parsed)
    shown = {name: failing.given[name][row] for name in names if name in written}
    given = {name: np.asarray(failing.given[name])[[row]] for name in names}
    one = replace(
        failing,
        given=given,
        found={n: np.asarray(v).reshape(-1)[[row]] for n, v in failing.found.items()},
    )
    told = _both(judge, one, judge.claim.system, relation, (0,))
    return Counterexample({}, shown, {}, *told)


def _told(judge: Judge, point: Point, system: System) -> Counterexample:
    claim = judge.claim
    place = tuple(int(i) for i in np.argwhere(point.wrong)[0])
    relation, at = place[0], place[1:]
    letters = dict(zip(claim.letters, at, strict=True))
    needed = _needed(claim, system)
    shown = {
        name: _nested(value) for name, value in point.given.items() if name in needed
    }
    sizes = {
        axis: system.size(axis) for name in shown for axis in system.tensors[name].axes
    }
    told = _both(judge, point, system, relation, at)
    return Counterexample(sizes, shown, letters, *told)


def _needed(claim: Claim, system: System) -> set[str]:
    """The given tensors that a side depends on, through slopes too."""
    wanted = needs(system, claim.sides)
    for name, slope in claim.slopes.items():
        if name in wanted:
            wanted |= needs(system, (slope.of, slope.by))
    return wanted


def _nested(value: Any) -> Any:
    """Arrays as lists; whole numbers as such, others as fractions or decimals."""
    if isinstance(value, np.ndarray) and value.ndim:
        return [_nested(entry) for entry in value]
    number = value.item() if isinstance(value, np.ndarray) else value
    if isinstance(number, Fraction):
        return int(number) if number.denominator == 1 else number
    return int(number) if float(number).is_integer() else float(number)


def _both(
    judge: Judge, point: Point, system: System, relation: int, at: tuple[int, ...]
) -> tuple[str, str]:
    """Two sides in as few digits, six at least, as tell them apart.

    What many digits do not tell apart is told by the difference: `1` and `1 - 3e-61`.
    """
    names = judge.claim.sides[relation : relation + 2]
    left, right = (np.asarray(point.found[name])[at] for name in names)
    for digits in DIGITS:
        told = _number(left, digits), _number(right, digits)
        if told[0] != told[1]:
            return told
    finer = values(judge.claim, system, point.given, FINER[-1])
    left, right = (np.asarray(finer[name])[at] for name in names)
    short = _number(left, DIGITS[0])
    if left == right:
        return short, short
    sign = "+" if right > left else "-"
    return short, f"{short} {sign} {_number(abs(right - left), 3)}"


def _number(value: Any, digits: int) -> str:
    """`0.25`, or `no value`."""
    if value != value:
        return "no value"
    with mpmath.workdps(DIGITS[-1]):
        return str(mpmath.nstr(mpmath.mpf(value), digits)).removesuffix(".0")
