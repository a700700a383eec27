"""The right formula for a claim that fails: `repairs(parsed, program, layout)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from symbackprop.claims.reading.text import ORDERS, Parsed, parse
from symbackprop.claims.repairs.search import MOST, Search
from symbackprop.claims.repairs.sieve import Candidate
from symbackprop.claims.repairs.style import names_in
from symbackprop.program import Program


def repairs(parsed: Parsed, program: Program | None, layout: str) -> tuple[str, ...]:
    """Claims near one that fails or does not type, which hold; the nearest first.

    Args:
        parsed: the claim.
        program: what it is about; None for functions alone.
        layout: of derivatives in matrix form.

    Returns:
        At most 3 texts, each of which the judge has found to hold.
    """
    search = Search(parse(parsed.text), program, layout)
    if any(relation not in ("=", *ORDERS) for relation in parsed.relations):
        return ()
    ordered = parsed.relations[0] in ORDERS
    for candidates in (_inequalities if ordered else _equations)(search, parsed):
        if found := search.found(candidates, 1 if ordered else MOST):
            return tuple(found)
    return ()


def _inequalities(search: Search, parsed: Parsed) -> Iterator[Iterable[Candidate]]:
    """Another relation, then another bound; what is bounded stays."""
    yield search.relations()
    if not search.is_near:
        yield from map(search.bounds, _places(parsed)[1:])


def _equations(search: Search, parsed: Parsed) -> Iterator[Iterable[Candidate]]:
    """One change, then something missing, then another subject, then two changes."""
    if search.program is None and search.is_near:
        return  # what is true to so many digits cannot be told from what is true
    subject, *others = _places(parsed)
    yield chain.from_iterable(map(search.near, others))
    yield search.completed()
    yield search.subjects(subject)
    yield chain.from_iterable(map(search.pairs, others))


def _places(parsed: Parsed) -> list[int]:
    """What a claim speaks of, which stays as long as it can; then its other sides.

    `z = W @ x + b` speaks of z, and `-1 < tanh(x) < 1` of tanh.
    """
    places = list(range(len(parsed.sides)))
    named = [place for place in places if names_in(parsed.sides[place])]
    subject = named[0] if named else 0
    return [subject, *(place for place in places if place != subject)]
