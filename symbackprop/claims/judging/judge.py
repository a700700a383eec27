"""Whether both sides of a claim agree: on fractions, and to many digits.

On fractions each scalar function is a random rational function, as different for the
layers of a network as their activations are; what holds there is algebra, and exact. A
claim that rests on what its functions are is judged with those functions, to 50 digits,
and to more where these do not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np

from symbackprop.claims.claim import Claim, UndecidedError
from symbackprop.claims.judging.aside import asides, isolated, sides_beside, steady
from symbackprop.claims.judging.draws import DIGIT_DRAWS, MUCH_WORK, Draws
from symbackprop.claims.judging.order import FINER, finer_order, near, order, parted
from symbackprop.claims.judging.traits import MOST_PLACES, Traits
from symbackprop.claims.judging.values import FIFTY, finite, values
from symbackprop.equations import System
from symbackprop.errors import CheckError
from symbackprop.witnesses.draws import shrink
from symbackprop.witnesses.exact import Exact
from symbackprop.witnesses.numbers import Array, Numbers

MOST_ROWS = 12  # of the values of variables that are looked at with more digits
MOST_LENGTH = 200_000  # of fractions, in numbers as they are drawn


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

    @cached_property
    def traits(self) -> Traits:
        """What the claim asks of its judge."""
        return Traits(self.claim, self.small)

    @cached_property
    def draws(self) -> Draws:
        """Where it is judged."""
        return Draws(self.claim, self.traits, self.facts)

    def __post_init__(self) -> None:
        if self.traits.places(self.other) > MOST_PLACES:
            raise UndecidedError("many letters")

    def at(
        self,
        given: Mapping[str, Any],
        numbers: Numbers,
        system: System,
        batch: int = 1,
        thorough: bool = False,
    ) -> Point:
        """The sides at one point, and where they disagree.

        Args:
            thorough: whether what 50 digits do not tell apart is looked at, too.
        """
        claim = self.claim
        found = values(claim, system, given, numbers, batch)
        sides = [np.asarray(found[name]) for name in claim.sides]
        if numbers is FIFTY:
            self._compare_derived(found)
        valued = np.stack([finite(side) for side in sides])
        known = valued.all(axis=0)
        if numbers is FIFTY:
            if not self.traits.orders:  # one side alone without a value is a fault
                known = valued.any(axis=0)
            is_sloped = bool(claim.slopes) and claim.form == "scalar"
            for slope in claim.slopes.values() if is_sloped else ():
                known &= finite(found[slope.of])  # a slope is of what has a value
            lacks = known & ~valued.all(axis=0)
            if is_sloped or lacks.any():
                beside = sides_beside(claim, given, system, batch)
                known &= ~(lacks & isolated(beside))
                if is_sloped:
                    known &= steady(np.stack(sides), beside)
        if claim.condition:
            known &= np.asarray(found[claim.condition] == 1)
        wrong = []
        for place, relation in enumerate(claim.parsed.relations):
            left, right = sides[place], sides[place + 1]
            sense = np.asarray(left != right).astype(int)
            both, hidden = valued[place] & valued[place + 1], np.zeros_like(known)
            if numbers is FIFTY:
                sense = order(left, right)
                unsure = known & both & near(left, right)
                if not (self.traits.orders or thorough):
                    unsure &= sense != 0
                apart = np.asarray(left - right)
                told, seen = self._finer(given, system, batch, place, unsure, apart)
                sense, hidden = np.where(unsure, told, sense), unsure & ~seen
            wrong.append((_broken(relation, sense) | ~both) & known & ~hidden)
        return Point(given, found, np.stack(wrong), np.asarray(known))

    def _finer(
        self,
        given: Mapping[str, Any],
        system: System,
        batch: int,
        place: int,
        unsure: Array,
        apart: Array,
    ) -> tuple[Array, Array]:
        """The order of two sides by more digits, and where it is seen.

        Of many values of variables only some are looked at.
        """
        found, seen = np.zeros(unsure.shape, int), np.zeros(unsure.shape, bool)
        if not unsure.any():
            return found, seen
        rows: Any = ...
        if self.claim.form == "scalar":
            rows = self._chosen(np.flatnonzero(unsure), given)
            given = {name: np.asarray(v)[rows] for name, v in given.items()}
            batch = len(rows)

        def sides(
            numbers: Numbers, at: Mapping[str, Any] = given
        ) -> tuple[Array, Array]:
            more = values(self.claim, system, at, numbers, batch)
            left, right = self.claim.sides[place : place + 2]
            return np.asarray(more[left]), np.asarray(more[right])

        patient = self.claim.form == "scalar" or self.traits.orders
        found[rows], seen[rows] = finer_order(sides, unsure[rows], apart[rows], patient)
        if self.traits.orders:  # equal to all digits, or only near its bound
            moved = [sides(FINER[1], at) for at in asides(self.claim, given)]
            meets = np.any([parted(*pair, FINER[1]) for pair in moved], axis=0)
            if self.traits.length <= MOST_LENGTH:
                left, right = sides(Exact(0))
                meets |= np.asarray(left == right, dtype=bool)
            seen[rows] &= (found[rows] != 0) | meets
        return found, seen

    @staticmethod
    def _chosen(rows: Array, given: Mapping[str, Any]) -> Array:
        """Some rows of the variables' values: the smallest, and larger ones."""
        sizes = [max(abs(value[row]) for value in given.values()) for row in rows]
        ranked = rows[np.argsort(sizes, kind="stable")]
        small, rest = np.split(ranked, [MOST_ROWS // 2])
        return np.concatenate([small, rest[:: len(rest) // (MOST_ROWS // 2) + 1]])

    def _compare_derived(self, found: Mapping[str, Array]) -> None:
        """Slopes that were written out against those of the witness.

        Raises:
            CheckError: they differ.
        """
        for slope, written in self.claim.derived.items():
            left, right = np.asarray(found[slope]), np.asarray(found[written])
            valued = finite(left) & finite(right)
            if not near(left, right)[valued].all():
                raise CheckError(
                    f"a slope within the claim `{self.claim.parsed.text}` was written "
                    "out wrongly. Please report it: no verdict is given."
                )

    # --- findings --------------------------------------------------------------------

    def holds_exactly(self) -> bool:
        """Whether the claim holds on fractions, whatever the functions are."""
        traits = self.traits
        if traits.orders or traits.counts_places or self.claim.derived:
            return False
        if traits.length > MOST_LENGTH:
            return False
        exercised = False
        for system, most in ((self.small, None), (self.other, 1)):
            drawn = islice(self.draws.exact(system), most)
            for number, (given, batch) in enumerate(drawn):
                point = self.at(given, Exact(number), system, batch)
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
        if own.axes == self.small.axes:
            return point
        if self.traits.counts_places and not self.traits.affordable:
            raise UndecidedError("many letters")
        if (point is not None and self.traits.affordable) or self.traits.counts_places:
            return self._failing(own, draws=4 * DIGIT_DRAWS)
        if self.traits.affordable and self.traits.work(own) < MUCH_WORK:
            return self._failing(own, draws=1)
        return point

    @cached_property
    def chooses_all(self) -> bool:
        """Whether all choices by value have come out either way where it was judged.

        Of a claim about functions they do: it names the numbers at which they change.
        """
        return not self._is_varied or self._choosing[1]

    @property
    def _is_varied(self) -> bool:
        return self.traits.piecewise and self.claim.form != "scalar"

    @cached_property
    def _choosing(self) -> tuple[list[dict[str, Any]], bool]:
        return self.draws.choosing(self.small)

    def failing_closely(self) -> Point | None:
        """Where a claim about functions fails by less than 50 digits tell."""
        for given, batch in self.draws.digits(self.small):
            point = self.at(given, FIFTY, self.small, batch, thorough=True)
            if point.fails:
                return point
        return None

    def _failing(self, system: System, draws: int = DIGIT_DRAWS) -> Point | None:
        exercised = False
        drawn = self.draws.digits(system, draws)
        if self._is_varied and system is not self.other:
            known = system is self.small
            more, _ = self._choosing if known else self.draws.choosing(system)
            drawn = chain(drawn, ((given, 1) for given in more))
        for given, batch in drawn:
            point = self.at(given, FIFTY, system, batch)
            if point.fails:
                return point
            exercised |= point.exercised
            if self.traits.is_rare(int(np.count_nonzero(point.known))):
                raise UndecidedError("few points")
        decides = system is self.small or self.traits.counts_places
        if decides and not exercised:
            raise UndecidedError("no values")
        return None


def _broken(relation: str, sense: Array) -> Array:
    """Where sides in some order do not stand in a relation."""
    if relation in ("<", ">="):
        return np.asarray(sense >= 0 if relation == "<" else sense < 0)
    if relation in (">", "<="):
        return np.asarray(sense <= 0 if relation == ">" else sense > 0)
    return np.asarray(sense != 0)
