"""The search for formulas near a claim: edit, sift, judge, until a few are found."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from symbackprop.claims.bench import Workbench, form_of, workbench
from symbackprop.claims.claim import MisfitError, UndecidedError
from symbackprop.claims.forms import read
from symbackprop.claims.judge import Judge, targets
from symbackprop.claims.networks import differing
from symbackprop.claims.repairs.brackets import bracketed
from symbackprop.claims.repairs.edits import Edit, edits
from symbackprop.claims.repairs.interpreter import Interpreter
from symbackprop.claims.repairs.point import random_numbers, random_point
from symbackprop.claims.repairs.scopes import free_letters, letters_in
from symbackprop.claims.repairs.sieve import Candidate, Sieve
from symbackprop.claims.repairs.tidying import tidied
from symbackprop.claims.repairs.words import Words, words_in
from symbackprop.claims.repairs.writing import written
from symbackprop.claims.text import ORDERS, Parsed, parse
from symbackprop.errors import CheckError, DeclarationError
from symbackprop.program import Program
from symbackprop.witnesses.draws import shrink

SEED = 20221130
POINTS = 2
MOST = 3  # formulas
SINGLES, PAIRS = 4_000, 6_000  # candidates that are looked at
JUDGED = 12  # candidates that are judged, of one kind
CLOSE = 1.5  # what each of two edits may cost
CLOSE_BY = 0.5  # what others may cost more than the nearest


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
        bench = differing(workbench(self.program), self.parsed)
        return form_of(self.parsed, bench)

    @cached_property
    def bench(self) -> Workbench:
        """What names mean, over small axes."""
        _, bench = self._formed
        return Workbench(shrink(bench.base), bench.names, bench.functions, bench.split)

    @cached_property
    def words(self) -> Words:
        sides = self.parsed.sides
        letters: dict[str, None] = {}
        for side in sides:
            letters |= letters_in(side, self.bench)
        matrix = self._formed[0] == "matrix"
        return Words(self.bench, words_in(sides), tuple(letters), matrix)

    @cached_property
    def sieve(self) -> Sieve:
        rng = np.random.default_rng(SEED)
        base = self.bench.base
        shares = [tensor.name for tensor in targets(base)]
        points = [
            random_point(base, rng, shares)
            if base.equations
            else random_numbers(base, rng)
            for _ in range(POINTS)
        ]
        letters = free_letters(self.parsed.sides, self.bench)
        depth = len(letters) if base.equations else 1
        numerator = self.layout == "numerator"
        interpreters = tuple(
            Interpreter(self.bench, point, letters, numerator, depth)
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
                if text not in seen:
                    seen.add(text)
                    yield self.with_side(place, twice, cost + more)

    def relations(self) -> Iterator[Candidate]:
        """Other signs between the sides of an inequality."""
        for place, relation in enumerate(self.parsed.relations):
            for other in ORDERS:
                if relation in ORDERS and other[0] == relation[0] != other:
                    changed = list(self.parsed.relations)
                    changed[place] = other
                    yield Candidate(1.0, self.parsed.sides, tuple(changed))

    def _edits(self, side: ast.expr) -> Iterator[Edit]:
        yield from bracketed(side)
        yield from edits(side, self.words)

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
        """The texts of the first candidates that hold."""
        texts: list[str] = []
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
    """Whether a claim holds by the judge, on facts about targets if need be."""
    parsed = parse(text)
    try:
        claim = read(parsed, differing(workbench(program), parsed), layout)
        facts = tuple(tensor.name for tensor in targets(claim.base))
        judge = Judge(claim)
        if judge.holds_exactly() or judge.failing() is None:
            return True
        return bool(facts) and Judge(claim, facts).failing() is None
    except (MisfitError, UndecidedError, DeclarationError, CheckError):
        return False
