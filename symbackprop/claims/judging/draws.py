"""The values at which a claim is judged: random, and such that each choice is made.

A cap at 6 is never reached by small numbers, and a claim that forgets it would hold.
So tensors are made larger and smaller until every comparison has come out either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from symbackprop.claims.claim import Claim, UndecidedError
from symbackprop.claims.judging.grid import VARIED, grid
from symbackprop.claims.judging.traits import Traits
from symbackprop.claims.judging.values import SEED, needs, part
from symbackprop.equations import System
from symbackprop.errors import CheckError
from symbackprop.witnesses.choices import Choosing
from symbackprop.witnesses.draws import draw, draw_exact, integer_ranges
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import Array, Comparison

EXACT_DRAWS, DIGIT_DRAWS = 3, 4
MANY = 24  # draws for inequalities, and where places count as numbers
MUCH_WORK = 10_000  # for which few points must do
RANGES = (0.4, 0.9, 2.0)  # of the numbers that are drawn
WIDER = (1, 1, 1, 6, 2_000)  # by how much some tensors are larger, for inequalities
FREE = (-3, 20)  # whole numbers that nothing limits
MOST_CHOICES = 8  # of choices that come out together as never before
ROUND = 6  # draws, each of which is made larger and smaller
TRIES = 60  # of such numbers, so that choices come out otherwise
TIED = 1e-9  # a difference below it, relative to both, may be rounding
MAGNITUDES = (-4, 3)  # powers of ten by which they differ

Given = dict[str, Any]


@dataclass(frozen=True)
class Draws:
    """Draws values for one claim.

    Attributes:
        claim: the claim.
        traits: what it asks for.
        facts: data whose entries add up to 1 along their last axis.
    """

    claim: Claim
    traits: Traits
    facts: tuple[str, ...]

    def base(self, system: System) -> System:
        """The forward equations, with the axes of a system."""
        return replace(self.claim.base, axes=system.axes)

    def exact(self, system: System) -> Iterator[tuple[Given, int]]:
        """Fractions, and how many of each variable."""
        rng = np.random.default_rng(SEED)
        if self.claim.form == "scalar":
            yield draw_exact(self.base(system), rng, VARIED), VARIED
            return
        for _ in range(self._count(EXACT_DRAWS)):
            given = draw_exact(self.base(system), rng, 1)
            yield self.with_facts(given), 1

    def digits(
        self, system: System, count: int = DIGIT_DRAWS
    ) -> Iterator[tuple[Given, int]]:
        """Numbers that are to be read to many digits, and how many of each variable."""
        rng = np.random.default_rng(SEED)
        base = self.base(system)
        if self.claim.form == "scalar":
            yield grid(base, self.traits.orders, sorted(self.traits.numbers))
            return
        for number in range(self._count(count)):
            given = self._drawn(base, rng, number)
            if self.traits.counts_places:
                given |= _whole(base, number)
            if self.traits.orders:  # bounds may hold of small numbers
                wider = {name: int(rng.choice(WIDER)) for name in given}
                given = self._scaled(given, wider)
            yield self.with_facts(given), 1

    def choosing(self, system: System) -> tuple[list[Given], bool]:
        """Numbers at which choices come out as at none before.

        Returns:
            The numbers, and whether every comparison has come out either way.
        """
        rng = np.random.default_rng(SEED)
        base = self.base(system)
        compared = self._compared(system)
        needed = needs(compared, [e.tensor for e in compared.equations])
        drawn = [self._drawn(base, rng, number) for number in range(ROUND)]
        found: list[Given] = []
        seen = _Seen()
        for number in range(TRIES):
            given = drawn[number % ROUND]
            powers = 10.0 ** rng.uniform(*MAGNITUDES, len(given))
            signs = rng.choice([-1, 1], len(given))
            sizes = np.ones(len(given)), powers[:1].repeat(len(given)), signs * powers
            scale = sizes[number // ROUND % len(sizes)]
            given = self._scaled(given, dict(zip(given, scale, strict=True)))
            given = self.with_facts(given)
            read = {name: value for name, value in given.items() if name in needed}
            falls = _Falls()
            evaluate(compared, read, falls, 1)
            if seen.adds(falls) and len(found) < MOST_CHOICES:
                found.append(given)
        return found, seen.all

    def _compared(self, system: System) -> System:
        """The equations of a claim that no slope enters."""
        wanted = [
            name
            for name in {*self.claim.ends, *(e.tensor for e in self.claim.own)}
            if not needs(system, [name]) & {*self.claim.slopes}
        ]
        return part(system, wanted)

    def _drawn(self, base: System, rng: np.random.Generator, number: int) -> Given:
        try:
            return dict(draw(base, rng, 1, RANGES[number % len(RANGES)]))
        except CheckError:
            raise UndecidedError("no values") from None

    def _scaled(self, given: Given, sizes: Mapping[str, float]) -> Given:
        whole = {name for name, t in self.claim.base.tensors.items() if t.integer}
        return {n: v if n in whole else sizes[n] * v for n, v in given.items()}

    def _count(self, count: int) -> int:
        if self.traits.counts_places or self.traits.orders:
            return MANY
        if self.traits.work(self.traits.small) > MUCH_WORK:
            return 2
        return count

    def with_facts(self, given: Mapping[str, Any]) -> Given:
        """Values that obey the facts; for inequalities, none of them is negative."""
        changed = dict(given)
        for name in self.facts:
            value = np.vectorize(Fraction, otypes=[object])(given[name])
            if self.traits.orders:
                value = np.abs(value) + Fraction(1, 1000)
                changed[name] = value / value.sum(axis=-1, keepdims=True)
                continue
            missing = 1 - value.sum(axis=-1, keepdims=True)
            changed[name] = value + missing / value.shape[-1]
        return changed


def _whole(base: System, number: int) -> dict[str, Array]:
    """Whole numbers, of which each entry takes one after the other."""
    found = {}
    for name, (low, high) in integer_ranges(base, FREE).items():
        places = np.arange(prod(base.shape(name))).reshape(base.shape(name))
        found[name] = low + (number + places) % (high + 1 - low)
    return found


@dataclass(frozen=True)
class _Fall:
    """How a comparison fell, by how much, and whether rounding may have decided it."""

    held: Array
    margin: Array
    tied: bool


class _Falls(Choosing):
    """Remembers how comparisons fall, and by how much; equality is met nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.falls: list[_Fall] = []

    def compare(self, how: Comparison, a: Value, b: Value) -> Array:
        held = super().compare(how, a, b)
        if how is not np.equal:
            size = np.abs(a) + np.abs(b)
            tied = np.asarray((np.abs(a - b) <= TIED * size) & (size > 0))
            self.falls.append(_Fall(held, np.asarray(a - b), bool(tied.any())))
        return held


@dataclass
class _Comparison:
    """Which way one comparison has fallen; what compares places alone never moves."""

    margin: Array
    sides: set[bool] = field(default_factory=set)
    moved: bool = False


@dataclass
class _Seen:
    """How comparisons have fallen, each and together."""

    comparisons: list[_Comparison] = field(default_factory=list)
    together: set[tuple[frozenset[bool], ...]] = field(default_factory=set)

    def adds(self, falls: _Falls) -> bool:
        """Note how comparisons fell; whether together they did as never before.

        Where rounding may have decided, as for `tanh(z) < 1` at 1000, nothing is noted.
        """
        if not self.comparisons:
            self.comparisons = [_Comparison(fall.margin) for fall in falls.falls]
        pairs = [*zip(self.comparisons, falls.falls, strict=True)]
        moves = [not np.array_equal(c.margin, fall.margin) for c, fall in pairs]
        if any(
            move and fall.tied for move, (_, fall) in zip(moves, pairs, strict=True)
        ):
            return False
        came = tuple(frozenset(np.unique(fall.held).tolist()) for fall in falls.falls)
        for comparison, sides, move in zip(self.comparisons, came, moves, strict=True):
            comparison.sides |= sides
            comparison.moved |= move
        new = came not in self.together
        self.together.add(came)
        return new

    @property
    def all(self) -> bool:
        """Whether every comparison has fallen either way."""
        return all(len(c.sides) == 2 or not c.moved for c in self.comparisons)
