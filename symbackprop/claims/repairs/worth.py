"""What a formula is worth that holds instead of a claim: few changes, and short."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence

from symbackprop.claims.writing import written

GROWTH, SHRINKAGE = 1.5, 0.75  # what a symbol more costs, and what one less saves
MOST_LESS = 2  # symbols whose saving counts
SLOPE = 5  # what the name of a slope costs that the claim does not have
MOVED = 0.4  # what it costs to put a symbol elsewhere
BRACKETS = 1 + MOVED  # a pair more or less is as far as another sign
TIE = 0.5  # what kinds of edits count for among formulas as near

_SYMBOL = re.compile(r"\d+\.?\d*(?:e[-+]?\d+)?|\w+'*|\.T|\*\*|[<>=!]=|[^\s()\[\],]")
_BRACKET = re.compile(r"(?<![\w'])\(")


def symbols(node: ast.expr) -> list[str]:
    """Names, numbers and signs, without brackets.

    >>> from symbackprop.claims.reading.text import parse
    >>> symbols(parse("d = f'(z)*(W[i, j] - 1)").sides[1])
    ["f'", 'z', '*', 'W', 'i', 'j', '-', '1']
    """
    return _SYMBOL.findall(written(node))


def distance(claimed: ast.expr, found: ast.expr) -> float:
    """How many symbols must be put in, left out, exchanged or moved; long is far.

    >>> from symbackprop.claims.reading.text import parse
    >>> near = ("y - a", "-(a - y)", "a + y", "2*(a - y)")
    >>> [distance(*parse(f"a - y = {text}").sides) for text in near]
    [0.8, 4.3, 1.4, 7.2]
    """
    old, new = symbols(claimed), symbols(found)
    more, less = Counter(new) - Counter(old), Counter(old) - Counter(new)
    far = max(more.total(), less.total()) + MOVED * _steps(old, new)
    pairs = [len(_BRACKET.findall(written(side))) for side in (claimed, found)]
    growth = len(new) - len(old)
    far += growth * GROWTH if growth > 0 else max(growth, -MOST_LESS) * SHRINKAGE
    return round(far + BRACKETS * abs(pairs[0] - pairs[1]), 3)


def _steps(first: Sequence[str], second: Sequence[str]) -> int:
    """How many tokens must be put in, left out or exchanged, each at its place."""
    row = list(range(len(second) + 1))
    for place, token in enumerate(first, 1):
        before, row[0] = row[0], place
        for at, other in enumerate(second, 1):
            cost = min(row[at] + 1, row[at - 1] + 1, before + (token != other))
            before, row[at] = row[at], cost
    return row[-1]
