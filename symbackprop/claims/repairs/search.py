"""The search for formulas near a claim: edit, sift, judge, until a few are found."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, prod

import numpy as np

from symbackprop.claims.claim import MisfitError, UndecidedError
from symbackprop.claims.judging.finding import find
from symbackprop.claims.judging.targets import targets
from symbackprop.claims.networks import differing
from symbackprop.claims.proving.prove import prove
from symbackprop.claims.reading.bench import Workbench, form_of, workbench
from symbackprop.claims.reading.forms import read
from symbackprop.claims.reading.text import ORDERS, Parsed, parse
from symbackprop.claims.repairs.brackets import bracketed, tokens_of
from symbackprop.claims.repairs.edits import Edit, edits
from symbackprop.claims.repairs.interpreter import Interpreter
from symbackprop.claims.repairs.point import random_numbers, random_point
from symbackprop.claims.repairs.scopes import free_letters, letters_in
from symbackprop.claims.repairs.sieve import Candidate, Sieve
from symbackprop.claims.repairs.style import addends_of, factors_of
from symbackprop.claims.repairs.subjects import Subject
from symbackprop.claims.repairs.tidying import tidied
from symbackprop.claims.repairs.words import Words, words_in
from symbackprop.claims.writing import written
from symbackprop.errors import CheckError, DeclarationError
from symbackprop.program import Program
from symbackprop.witnesses.draws import shrink

SEED = 20221130
POINTS = 2
MOST = 3  # formulas
SINGLES, PAIRS = 4_000, 6_000  # candidates that are looked at
MOST_ENTRIES = 400  # of all tensors, beyond which axes are shortened
MOST_NODES = 120  # of a side that is edited
TAKEN = 4  # derived formulas whose parts are looked at
JUDGED = 12  # candidates that are judged, of one kind
CLOSE = 1.5  # what each of two edits may cost
CLOSE_BY = 0.5  # what others may cost more than the nearest


def distance(first: Sequence[str], second: Sequence[str]) -> int:
    """How many tokens must be put in, left out or exchanged."""
    row = list(range(len(second) + 1))
    for place, token in enumerate(first, 1):
        before, row[0] = row[0], place
        for at, other in enumerate(second, 1):
            cost = min(row[at] + 1, row[at - 1] + 1, before + (token != other))
            before, row[at] = row[at], cost
    return row[-1]


@dataclass(frozen=True)
class Search:
    """The search for one claim.

    Attributes:
        parsed: the claim, its letters not yet resolved.
        program: what it is about; None for functions alone.
        layout: of derivatives.
    """

    parsed: Parsed
    program: Program | None
    layout: str

    # --- what it works with ----------------------------------------------------------

    @cached_property
    def _formed(self) -> tuple[str, Workbench]:
        bench = workbench(self.program)
        bench = differing(bench, self.parsed) or bench
        return form_of(self.parsed, bench)

    @property
    def bench(self) -> Workbench:
        """What names mean."""
        return self._formed[1]

    @cached_property
    def small(self) -> Workbench:
        """The same over axes on which values are found quickly."""
        bench = self.bench
        entries = sum(prod(bench.base.shape(name)) for name in bench.base.tensors)
        if entries <= MOST_ENTRIES:
            return bench
        return replace(bench, base=shrink(bench.base))

    @cached_property
    def words(self) -> Words:
        sides = self.parsed.sides
        letters: dict[str, None] = {}
        for side in sides:
            letters |= letters_in(side, self.bench)
        matrix = self._formed[0] == "matrix"
        return Words(self.bench, words_in(sides), tuple(letters), matrix)

    @cached_property
    def subject(self) -> Subject:
        numerator = self.layout == "numerator"
        return Subject(self.parsed, self.bench, self.program, self.words, numerator)

    @cached_property
    def sieve(self) -> Sieve:
        rng = np.random.default_rng(SEED)
        base = self.small.base
        shares = [tensor.name for tensor in targets(base)]
        points = [
            random_point(base, rng, shares)
            if base.equations
            else random_numbers(base, rng)
            for _ in range(POINTS)
        ]
        letters = free_letters(self.parsed.sides, self.small)
        depth = len(letters) if base.equations else 1
        numerator = self.layout == "numerator"
        interpreters = tuple(
            Interpreter(self.small, point, letters, numerator, depth)
            for point in points
        )
        sizes = tuple(sorted({axis.size for axis in base.axes.values()})) or (1,)
        parsed = self.parsed
        return Sieve(interpreters, parsed.sides, parsed.condition, sizes)

    # --- candidates ------------------------------------------------------------------

    def near(self, place: int) -> list[Candidate]:
        """The claim with one side edited once, the nearest first."""
        sides = self.parsed.sides
        return [
            self.with_side(place, tree, cost)
            for cost, tree in self._ordered(self._edits(sides[place]))[:SINGLES]
        ]

    def with_side(self, place: int, tree: ast.expr, cost: float) -> Candidate:
        sides = list(self.parsed.sides)
        sides[place] = tree
        return Candidate(cost, tuple(sides), self.parsed.relations)

    def pairs(self, place: int) -> Iterator[Candidate]:
        """The claim with one side edited twice, each time a little."""
        first = [
            edit
            for edit in self._ordered(self._edits(self.parsed.sides[place]))
            if edit[0] <= CLOSE and self.sieve.types(edit[1])
        ]
        seen: set[str] = set()
        for cost, tree in first:
            for more, twice in self._ordered(self._edits(tree)):
                if more > CLOSE:
                    break
                text = written(twice)
                if len(seen) == PAIRS:
                    return
                if text not in seen:
                    seen.add(text)
                    yield self.with_side(place, twice, cost + more)

    def derived(self) -> list[Candidate]:
        """What the left side equals by the derivation, as the claim would write it."""
        claimed = tokens_of(written(self.parsed.sides[1]))
        texts: dict[str, ast.expr] = {}
        for side in self.subject.sides():
            tree = tidied(side)
            texts.setdefault(written(tree), tree)
        apart = {text: distance(claimed, tokens_of(text)) for text in texts}
        order = sorted(texts, key=lambda text: (apart[text], len(text)))
        return [self.with_side(1, texts[text], apart[text]) for text in order]

    def completed(self) -> list[Candidate]:
        """What is derived, and the claim with a factor or a term of it more."""
        derived = self.derived()
        parts: dict[str, ast.expr] = {}
        for candidate in derived[:TAKEN]:
            for addend in addends_of(candidate.sides[1]):
                for part in (addend, *factors_of(addend)):
                    if not isinstance(part, ast.Constant):
                        parts.setdefault(written(part), part)
        claimed = tokens_of(written(self.parsed.sides[1]))
        more = [
            self.with_side(1, tree, distance(claimed, tokens_of(written(tree))))
            for _, tree in self._ordered(
                self._edits(self.parsed.sides[1], parts.values())
            )
        ]
        return sorted((*derived, *more), key=lambda candidate: candidate.cost)

    def relations(self) -> Iterator[Candidate]:
        """Other signs between the sides of an inequality."""
        for place, relation in enumerate(self.parsed.relations):
            for other in ORDERS:
                if relation in ORDERS and other[0] == relation[0] != other:
                    changed = list(self.parsed.relations)
                    changed[place] = other
                    yield Candidate(1.0, self.parsed.sides, tuple(changed))

    def _edits(self, side: ast.expr, parts: Iterable[ast.expr] = ()) -> Iterator[Edit]:
        if sum(isinstance(n, ast.expr) for n in ast.walk(side)) > MOST_NODES:
            return
        yield from bracketed(side)
        yield from edits(side, self.words, parts)

    def _ordered(self, found: Iterable[Edit]) -> list[Edit]:
        """By cost, then by length; what is written alike is there once."""
        texts: dict[str, Edit] = {}
        for cost, edited in found:
            tree = tidied(edited)
            text = written(tree)
            if text not in texts or cost < texts[text][0]:
                texts[text] = cost, tree
        order = sorted(texts, key=lambda text: (texts[text][0], len(text)))
        return [texts[text] for text in order]

    # --- what holds ------------------------------------------------------------------

    def text(self, candidate: Candidate) -> str:
        """A candidate as a claim; sides that are as they were, word by word."""
        parts = []
        for place, side in enumerate(candidate.sides):
            same = side is self.parsed.sides[place]
            parts.append(self._original(place) if same else written(side))
            parts += candidate.relations[place : place + 1]
        if self.parsed.condition is not None:
            parts += ["if", written(self.parsed.condition)]
        return " ".join(parts)

    def _original(self, place: int) -> str:
        tree = self.parsed.trees[place]
        start = tree.line.column - 1
        return tree.source.text[start : start + len(tree.line.right)].strip()

    def found(self, candidates: Iterable[Candidate], most: int = MOST) -> list[str]:
        """The texts of the first candidates that hold; one of an inequality.

        Of that, all others are but weaker.
        """
        texts: list[str] = []
        most = most if "=" in self.parsed.relations else min(most, 1)
        judged, least = 0, inf
        for candidate in candidates:
            if candidate.cost > least + CLOSE_BY:
                break
            if not self.sieve.passes(candidate) or self._says_nothing(candidate):
                continue
            text = self.text(candidate)
            judged += 1
            if holds(text, self.program, self.layout):
                texts.append(text)
                least = min(least, candidate.cost)
            if len(texts) == most or judged == JUDGED:
                break
        return texts

    @staticmethod
    def _says_nothing(candidate: Candidate) -> bool:
        """`A = A`."""
        texts = [written(side) for side in candidate.sides]
        return len(set(texts)) < len(texts)


def holds(text: str, program: Program | None, layout: str) -> bool:
    """Whether a claim holds by the judge, on facts about targets if need be.

    An inequality is proved, since points show no bound.
    """
    parsed = parse(text)
    try:
        bench = workbench(program)
        claim = read(parsed, differing(bench, parsed) or bench, layout)
        with np.errstate(all="ignore"):
            found = find(claim)
            if found.failing is not None or not found.judge.traits.orders:
                return found.failing is None
            return prove(claim, None, found.judge.facts) is not None
    except (MisfitError, UndecidedError, DeclarationError, CheckError):
        return False
