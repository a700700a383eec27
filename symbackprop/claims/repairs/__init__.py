"""The right formula for a claim that fails: `repairs(parsed, program, layout)`."""

from __future__ import annotations

from symbackprop.claims.reading.text import ORDERS, Parsed, parse
from symbackprop.claims.repairs.search import MOST, Search
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
    subject, *others = _places(parsed)
    found = search.found(search.relations())
    for place in others:
        found += search.found(search.near(place), MOST - len(found))
    if not found and parsed.relations == ("=",):
        found = search.found(search.completed(), 1)
    if not found:
        found = search.found(search.near(subject))
    if not found:
        for place in others:
            found += search.found(search.pairs(place), MOST - len(found))
    return tuple(found[:MOST])


def _places(parsed: Parsed) -> list[int]:
    """What a claim speaks of, which stays as long as it can; then its other sides.

    `z = W @ x + b` speaks of z, and `-1 < tanh(x) < 1` of tanh.
    """
    places = list(range(len(parsed.sides)))
    subject = places.pop(1 if len(places) > 2 else 0)
    return [subject, *places]
