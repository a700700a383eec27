"""The search for formulas near a claim: edit, sift, judge, until a few are found."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations, product
from math import inf, prod
from operator import ne

import numpy as np

from symbackprop.claims.claim import MisfitError, UndecidedError
from symbackprop.claims.judging.finding import find
from symbackprop.claims.judging.targets import targets
from symbackprop.claims.networks import differing
from symbackprop.claims.proving.prove import prove
from symbackprop.claims.reading.bench import Workbench, form_of, workbench
from symbackprop.claims.reading.forms import read
from symbackprop.claims.reading.text import ORDERS, Parsed, parse
from symbackprop.claims.repairs.brackets import bracketed
from symbackprop.claims.repairs.edits import LARGEST, Edit, bounds, edits
from symbackprop.claims.repairs.interpreter import Interpreter
from symbackprop.claims.repairs.oddities import oddities
from symbackprop.claims.repairs.places import places
from symbackprop.claims.repairs.point import random_numbers, random_point
from symbackprop.claims.repairs.scopes import all_letters
from symbackprop.claims.repairs.sieve import Candidate, Sieve
from symbackprop.claims.repairs.style import addends_of, factors_of
from symbackprop.claims.repairs.subjects import Subject
from symbackprop.claims.repairs.tidying import tidied
from symbackprop.claims.repairs.words import Words, slopes_in, words_in
from symbackprop.claims.repairs.worth import SLOPE, TIE, distance, symbols
from symbackprop.claims.writing import written
from symbackprop.errors import CheckError, DeclarationError
from symbackprop.program import Program
from symbackprop.witnesses.draws import shrink

SEED = 20221130
POINTS = 2
MOST = 3  # formulas
SINGLES, PAIRS = 3_000, 1_500  # candidates that are looked at
MOST_ENTRIES = 400  # of all tensors, beyond which axes are shortened
MOST_NODES = 120  # of a side that is edited
MOST_SYMBOLS = 40  # of a derived side; beyond them it explains nothing
TAKEN = 4  # derived formulas whose parts are looked at
ATOMS = 6  # entries of the claim of which missing terms may be made
JUDGED = 12  # candidates that are judged, of one kind
JUDGED_ORDERS = 3  # inequalities, of which each must be proved
CLOSE = 1.5  # what each of two edits may cost


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
        sides, bench = self.parsed.sides, self.bench
        letters = {n: at.size for n, at in all_letters(sides, bench).items()}
        matrix = self._formed[0] == "matrix"
        used = words_in(sides)
        whole = self.small is bench
        sizes = {bench.base.size(axis) for axis in bench.base.axes if whole} - {1, 2}
        slopes = "D" in words_in(sides[1:]) and not used & bench.names.keys()
        return Words(bench, used, letters, matrix, tuple(sorted(sizes)), slopes)

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
        letters = all_letters(self.parsed.sides, self.small)
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
        """The claim with one side edited once, the likeliest edits first."""
        return self._candidates(place, self._edits(self.parsed.sides[place]))

    def subjects(self, place: int) -> list[Candidate]:
        """The claim about something else: nothing is put around what it is about."""
        return [found for found in self.near(place) if found.cost < LARGEST]

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

    def completed(self) -> list[Candidate]:
        """What is derived, and the claim with a factor or a term more."""
        derived = {written(t): t for t in map(tidied, self.subject.sides())}
        nearest = sorted(derived.values(), key=lambda tree: self.worth(1, tree))
        parts: dict[str, ast.expr] = {}
        for tree in nearest[:TAKEN]:
            for addend in addends_of(tree):
                for part in (addend, *factors_of(addend)):
                    if not isinstance(part, ast.Constant):
                        parts.setdefault(written(part), part)
        claimed = self.parsed.sides[1]
        for part in (*self.words.entries(), *_terms(claimed)):
            parts.setdefault(written(part), part)
        more = edits(claimed, self.words, parts.values())
        short = [tree for tree in nearest if len(symbols(tree)) <= MOST_SYMBOLS]
        found = [self.with_side(1, tree, 0.0) for tree in short]
        return [*found, *self._candidates(1, more)]

    def relations(self) -> list[Candidate]:
        """Other signs between the sides of an inequality, few before many."""
        options = []
        for relation in self.parsed.relations:
            turned = [o for o in ORDERS if o[0] != relation[0]]
            options.append([relation, *(o for o in ORDERS if o[0] == relation[0])])
            if len(self.parsed.relations) == 1:
                options[-1] += turned[::-1]
        found = {}
        for chosen in product(*options):
            changed = sum(map(ne, chosen, self.parsed.relations))
            found[chosen] = Candidate(float(changed), self.parsed.sides, chosen)
        return sorted(found.values(), key=lambda candidate: candidate.cost)[1:]

    @property
    def is_near(self) -> bool:
        """Whether the claim holds at the points that tell formulas apart."""
        claim = Candidate(0.0, self.parsed.sides, self.parsed.relations)
        return self.sieve.passes(claim)

    def bounds(self, place: int) -> list[Candidate]:
        """An inequality with another bound, the nearest first."""
        side = self.parsed.sides[place]
        found = ((self.sieve.apart(side, tree), tree) for tree in bounds(side))
        return self._candidates(place, found)

    def with_side(self, place: int, tree: ast.expr, cost: float) -> Candidate:
        sides = list(self.parsed.sides)
        sides[place] = tree
        return Candidate(cost, tuple(sides), self.parsed.relations)

    def _candidates(self, place: int, found: Iterable[Edit]) -> list[Candidate]:
        ordered = self._ordered(found)[:SINGLES]
        return [self.with_side(place, tree, cost) for cost, tree in ordered]

    def _edits(self, side: ast.expr) -> Iterator[Edit]:
        if sum(isinstance(n, ast.expr) for n in ast.walk(side)) <= MOST_NODES:
            yield from bracketed(side)
            yield from edits(side, self.words)

    def _ordered(self, found: Iterable[Edit]) -> list[Edit]:
        """By cost; what is written alike is there once."""
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
        """The texts of the nearest candidates that hold, all of them equally near."""
        passing = (
            candidate
            for candidate in candidates
            if self.sieve.passes(candidate) and not self._is_silly(candidate)
        )
        texts: list[str] = []
        known: list[list[str]] = []  # symbols; in another order they say the same
        least = inf
        judged = JUDGED if "=" in self.parsed.relations else JUDGED_ORDERS
        for candidate in sorted(passing, key=self.apart)[:judged]:
            if len(texts) == most or self.apart(candidate) > least:
                break
            text, used = self.text(candidate), self._used(candidate)
            if used not in known and holds(text, self.program, self.layout):
                texts.append(text)
                known.append(used)
                least = self.apart(candidate)
        return texts

    @staticmethod
    def _used(candidate: Candidate) -> list[str]:
        return sorted(symbol for side in candidate.sides for symbol in symbols(side))

    def apart(self, candidate: Candidate) -> float:
        """How far a candidate is from the claim."""
        pairs = enumerate(zip(candidate.sides, self.parsed.sides, strict=True))
        changed = [place for place, (new, old) in pairs if new is not old]
        far = sum(self.worth(place, candidate.sides[place]) for place in changed)
        return round(far + TIE * candidate.cost, 1)

    def worth(self, place: int, tree: ast.expr) -> float:
        """How far a side is from that of the claim."""
        sides, names = self.parsed.sides, self.bench.names
        known = frozenset().union(*(slopes_in(side, names) for side in sides))
        new = len(slopes_in(tree, names) - known)
        return SLOPE * new + distance(sides[place], tree)

    def _is_silly(self, candidate: Candidate) -> bool:
        """`A = A`, `A = f(A)` if the claim has no A again, and what nobody writes."""
        left = written(self.parsed.sides[0])
        for new, old in zip(candidate.sides, self.parsed.sides, strict=True):
            if oddities(new) > oddities(old):
                return True
            if new is not old and _stands(left, new) and not _stands(left, old):
                return True
        return len({*map(written, candidate.sides)}) < len(candidate.sides)


def _stands(text: str, side: ast.expr) -> bool:
    """Whether something stands in a side."""
    parts = (node for node in ast.walk(side) if isinstance(node, ast.expr))
    return any(written(part) == text for part in parts)


def _terms(side: ast.expr) -> Iterator[ast.expr]:
    """Products and quotients of two of a side's own entries."""
    kinds = ast.Name | ast.Subscript | ast.Call
    atoms = {
        written(place.node): place.node
        for place in places(side)
        if place.kind == "value" and isinstance(place.node, kinds)
    }
    for one, other in permutations(list(atoms.values())[:ATOMS], 2):
        yield ast.BinOp(one, ast.Mult(), other)
        yield ast.BinOp(one, ast.Div(), other)


def holds(text: str, program: Program | None, layout: str) -> bool:
    """Whether a claim holds by the judge, on facts about targets if need be.

    An inequality is proved, since points show no bound; and no claim is right that
    leans on the number that a constant happens to have.
    """
    try:
        parsed = parse(text)
        bench = workbench(program)
        claim = read(parsed, differing(bench, parsed) or bench, layout)
        facts = tuple(tensor.name for tensor in targets(claim.base))
        with np.errstate(all="ignore"):
            if parsed.relations[0] in ORDERS and prove(claim, None, facts) is None:
                return False
            found = find(claim)
            return found.failing is None and not found.leans and found.judge.chooses_all
    except (MisfitError, UndecidedError, DeclarationError, CheckError):
        return False
