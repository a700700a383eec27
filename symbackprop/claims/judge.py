"""Whether both sides of a claim agree: on fractions, and to many digits.

On fractions each scalar function is a random rational function, as different for the
layers of a network as their activations are; what holds there is algebra, and exact. A
claim that rests on what its functions are is judged with those functions, to 50 digits,
and to 100 where rounding could be meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice
from math import prod
from typing import Any

import numpy as np

from symbackprop.claims.claim import Claim, UndecidedError
from symbackprop.claims.grid import VARIED, grid
from symbackprop.claims.text import ORDERS
from symbackprop.claims.traits import chooses, length
from symbackprop.claims.values import part, values
from symbackprop.equations import System
from symbackprop.errors import CheckError
from symbackprop.schedule import Loop, flatten, schedule
from symbackprop.witnesses.draws import draw, draw_exact, shrink
from symbackprop.witnesses.exact import Exact
from symbackprop.witnesses.numbers import Array, Numbers, Precise

EXACT_DRAWS, DIGIT_DRAWS = 3, 4
PIECES = 3  # times as many where choices by value are made
SEED = 20221129
WIDER = (6, 2_000)  # by how much numbers are larger, for inequalities
STEP = Fraction(1, 10**25)  # aside, to see whether a side jumps
JUMP = 1e-12
NEAR = 1e-30  # a difference below it, relative to the sides, may be rounding
SHRINKS = 1e-25  # what is left of a difference, of rounding alone, with 50 digits more
RANGES = (0.4, 0.9, 2.0)  # of the numbers that are drawn

LARGE = 30  # from here on a function may differ from its bound by rounding alone
FEW = 6  # points at which a condition must hold
MOST_PLACES = 5_000  # of the letters of one sum
MOST_DIGITS = 200_000  # of fractions, in numbers as they are drawn
MOST_SLOPES, MOST_ENTRIES = 2_000, 2_000  # judged to 50 digits on the program's axes
FIFTY, HUNDRED = Precise(50), Precise(100)


@dataclass(frozen=True)
class Point:
    """One choice of values, and what the sides are there.

    Attributes:
        given: of parameters and data, or of the variables.
        found: of every tensor.
        wrong: where the sides do not stand as claimed: relation, batch, free indices.
        known: where both sides have a value and the condition holds.
    """

    given: Mapping[str, Any]
    found: Mapping[str, Array]
    wrong: Array
    known: Array

    @property
    def fails(self) -> bool:
        return bool(self.wrong.any())

    @property
    def exercised(self) -> bool:
        return bool(self.known.any())


@dataclass(frozen=True)
class Judge:
    """Judges one claim.

    Attributes:
        claim: the claim.
        facts: data whose entries add up to 1 along their last axis.

    Raises:
        UndecidedError: too many letters to go through all their places.
    """

    claim: Claim
    facts: tuple[str, ...] = ()

    @cached_property
    def small(self) -> System:
        """The claim's system with small axes that differ in size."""
        return shrink(self.claim.system)

    @cached_property
    def other(self) -> System:
        """The same with other sizes: what holds of one size alone fails there."""
        return shrink(self.claim.system, small=4)

    def base(self, system: System) -> System:
        """The forward equations, with the axes of a system."""
        return replace(self.claim.base, axes=system.axes)

    def __post_init__(self) -> None:
        if self._places(self.other) > MOST_PLACES:
            raise UndecidedError("many letters")

    def _places(self, system: System) -> int:
        """Of how many places the largest sum of the claim goes through each."""
        own = system.equations[len(self.claim.base.equations) :]
        return max(
            prod(system.size(index) for index in (*equation.indices, *term.bound))
            for equation in own
            for term in equation.terms
        )

    # --- points ----------------------------------------------------------------------

    def exact(self, system: System | None = None) -> Iterator[Point]:
        """Points on fractions, with stand-ins for functions."""
        system = system or self.small
        rng = np.random.default_rng(SEED)
        if self.claim.form == "scalar":
            given = draw_exact(self.base(system), rng, VARIED)
            yield self.at(given, Exact(0), system, VARIED)
            return
        for number in range(self._draws(EXACT_DRAWS)):
            given = draw_exact(self.base(system), rng, 1)
            yield self.at(self.with_facts(given, system), Exact(number), system)

    def digits(self, system: System | None = None) -> Iterator[Point]:
        """Points of 50 digits, with the functions as they are."""
        system = system or self.small
        rng = np.random.default_rng(SEED)
        base = self.base(system)
        if self.claim.form == "scalar":
            given, batch = grid(base, far=self.orders)
            yield self.at(given, FIFTY, system, batch)
            return
        for number in range(self._draws(DIGIT_DRAWS)):
            try:
                given = draw(base, rng, 1, RANGES[number % len(RANGES)])
            except CheckError:
                raise UndecidedError("no values") from None
            if number % 2 and self.orders:  # a bound may hold of small numbers alone
                wider = WIDER[number // 2 % len(WIDER)]
                given = {
                    n: v if self.claim.base.tensors[n].integer else wider * v
                    for n, v in given.items()
                }
            yield self.at(self.with_facts(given, system), FIFTY, system)

    @property
    def orders(self) -> bool:
        """Whether the claim is an inequality."""
        return self.claim.parsed.relations[0] in ORDERS

    def _draws(self, count: int) -> int:
        return PIECES * count if self.piecewise else count

    def with_facts(self, given: Mapping[str, Any], system: System) -> dict[str, Any]:
        """Values that obey the facts."""
        changed = dict(given)
        for name in self.facts:
            value = np.vectorize(Fraction, otypes=[object])(given[name])
            missing = 1 - value.sum(axis=-1, keepdims=True)
            changed[name] = value + missing / value.shape[-1]
        return changed

    def at(
        self,
        given: Mapping[str, Any],
        numbers: Numbers,
        system: System,
        batch: int = 1,
    ) -> Point:
        """The sides at one point, and where they disagree."""
        claim = self.claim
        found = values(claim, system, given, numbers, batch)
        sides = [np.asarray(found[name]) for name in claim.sides]
        if numbers is FIFTY:
            self._compare_derived(found)
        valued = np.stack([_finite(side) for side in sides])
        known = valued.all(axis=0)
        if numbers is FIFTY:
            known = valued.any(axis=0)  # one side alone without a value is a fault
            if claim.slopes and claim.form == "scalar":
                known &= self.steady(given, system, batch)
        if claim.condition:
            known &= np.asarray(found[claim.condition] == 1)
        finer: list[Array] = []
        wrong = []
        for place, relation in enumerate(claim.parsed.relations):
            left, right = sides[place], sides[place + 1]
            equal = np.asarray(left == right)
            both = valued[place] & valued[place + 1]
            if numbers is FIFTY:
                unsure = ~equal & known & both & _near(left, right)
                if unsure.any():
                    if not finer:
                        more = values(claim, system, given, HUNDRED, batch)
                        finer = [np.asarray(more[name]) for name in claim.sides]
                    left, right = finer[place], finer[place + 1]
                    before = np.abs(sides[place] - sides[place + 1])
                    equal |= unsure & np.asarray(
                        np.abs(left - right) <= SHRINKS * before, dtype=bool
                    )
            broken = _broken(relation, left, right, equal)
            if self.orders:  # what only comes near may be equal by rounding
                broken &= ~_near(left, right) | self._small(given, broken)
            wrong.append((broken | ~both) & known)
        return Point(given, found, np.stack(wrong), np.asarray(known))

    def _small(self, given: Mapping[str, Any], like: Array) -> Array:
        """Where all numbers are small, so that no function is near its bound."""
        if self.claim.form == "scalar":
            small = [np.abs(v) < LARGE for v in given.values()]
            return np.asarray(np.all(small, axis=0), dtype=bool)
        largest = max(np.max(np.abs(v)) for v in given.values() if np.size(v))
        return np.full(like.shape, bool(largest < LARGE))

    def _compare_derived(self, found: Mapping[str, Array]) -> None:
        """Slopes that were written out against those of the witness.

        Raises:
            CheckError: they differ.
        """
        for slope, written in self.claim.derived.items():
            left, right = np.asarray(found[slope]), np.asarray(found[written])
            valued = _finite(left) & _finite(right)
            if not _near(left, right)[valued].all():
                raise CheckError(
                    f"a slope within the claim `{self.claim.parsed.text}` was written "
                    "out wrongly. Please report it: no verdict is given."
                )

    def steady(self, given: Mapping[str, Any], system: System, batch: int = 1) -> Array:
        """Where no side jumps: at a corner or a tie, a slope is but a convention.

        Shapes:
            As the sides.
        """
        rng = np.random.default_rng(SEED)
        here = self._sides(given, system, batch)
        calm = np.ones(here.shape[1:], dtype=bool)
        step = {
            tensor.name: rng.integers(1, 99, np.shape(given[tensor.name])).astype(
                object
            )
            for tensor in (*self.claim.base.data, *self.claim.base.parameters)
            if not tensor.integer
        }
        for size in (STEP, -STEP):
            moved = {
                n: np.asarray(given[n], object) + size * s for n, s in step.items()
            }
            there = self._sides({**given, **moved}, system, batch)
            jump = np.abs(there - here) > JUMP * (1 + np.abs(here))
            calm &= ~np.asarray(jump, dtype=bool).any(axis=0)
        return calm

    def _sides(self, given: Mapping[str, Any], system: System, batch: int) -> Array:
        found = values(self.claim, system, given, FIFTY, batch)
        return np.stack([np.asarray(found[name]) for name in self.claim.sides])

    @cached_property
    def piecewise(self) -> bool:
        """Whether a choice by value enters the claim: then more points are drawn."""
        return any(map(chooses, self._entering.equations))

    @cached_property
    def _entering(self) -> System:
        """The equations that enter the claim, through slopes too, on small axes."""
        wanted = set(self.claim.sides)
        for slope in self.claim.slopes.values():
            wanted |= {slope.of, slope.by}
        return part(self.small, wanted)

    @cached_property
    def _digits_of_fractions(self) -> float:
        """About how long fractions grow: their lengths add up in sums and functions."""
        longest: dict[str, float] = {}
        for item in schedule(self._entering):
            steps = item.length if isinstance(item, Loop) else 1
            for equation in flatten([item]) * steps:
                longest[equation.tensor] = sum(
                    length(term.body, longest)
                    * prod(self.small.size(index) for index in term.bound)
                    for term in equation.terms
                )
        return max(longest.values(), default=1.0)

    # --- findings --------------------------------------------------------------------

    def holds_exactly(self) -> bool:
        """Whether the claim holds on fractions, whatever the functions are."""
        if self.orders or self.claim.derived or self._digits_of_fractions > MOST_DIGITS:
            return False
        exercised = False
        elsewhere = islice(self.exact(self.other), 1)
        for point in chain(self.exact(), elsewhere):
            if point.fails:
                return False
            exercised |= point.exercised
        return exercised

    def failing(self) -> Point | None:
        """A point of 50 digits where the claim fails; None where it holds.

        What fails on small axes, but holds on those of the program, holds: the claim
        may name a size.

        Raises:
            UndecidedError: the sides have no values anywhere.
        """
        point = self._failing(self.small)
        if point is None and self.other.axes != self.small.axes:
            point = self._failing(self.other, draws=2)
        own = self.claim.system
        if point is not None and own.axes != self.small.axes and self.affordable:
            return self._failing(own)
        return point

    def _failing(self, system: System, draws: int = DIGIT_DRAWS) -> Point | None:
        exercised = False
        for point in islice(self.digits(system), self._draws(draws)):
            if point.fails:
                return point
            exercised |= point.exercised
            few = np.count_nonzero(point.known) < FEW
            if few and self.claim.condition and self.claim.form == "scalar":
                raise UndecidedError("few points")
        if not exercised:
            raise UndecidedError("no values")
        return None

    @property
    def affordable(self) -> bool:
        """Whether the program's own axes are short enough to be gone through."""
        system = self.claim.system
        if self._places(system) > MOST_PLACES:
            return False
        sizes = {n: prod(system.shape(n)) for n in system.tensors}
        slopes = [sizes[s.of] * sizes[s.by] for s in self.claim.slopes.values()]
        return sum(slopes) <= MOST_SLOPES and sum(sizes.values()) <= MOST_ENTRIES


def _finite(value: Array) -> Array:
    return np.asarray((value == value) & (np.abs(value) < np.inf), dtype=bool)


def _near(left: Array, right: Array) -> Array:
    size = np.abs(left) + np.abs(right)
    return np.asarray(np.abs(left - right) <= NEAR * np.maximum(size, 1), dtype=bool)


def _broken(relation: str, left: Array, right: Array, equal: Array) -> Array:
    if relation == "<":
        return ~np.asarray(left < right, dtype=bool) | equal
    if relation == "<=":
        return ~(np.asarray(left <= right, dtype=bool) | equal)
    if relation == ">":
        return ~np.asarray(left > right, dtype=bool) | equal
    if relation == ">=":
        return ~(np.asarray(left >= right, dtype=bool) | equal)
    return ~equal
