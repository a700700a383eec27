"""The right formula for a claim that fails: `repairs(parsed, program, layout)`."""

from __future__ import annotations

from symbackprop.claims.repairs.search import MOST, Search
from symbackprop.claims.text import ORDERS, Parsed, parse
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
    found = search.found(search.relations())
    for place in range(1, len(parsed.sides)):
        found += search.found(search.near(place), MOST - len(found))
    if not found and parsed.relations == ("=",):
        found = search.found(search.completed(), 1)
    if not found:
        found = search.found(search.near(0))
    if not found:
        for place in range(1, len(parsed.sides)):
            found += search.found(search.pairs(place), MOST - len(found))
    return tuple(found[:MOST])
