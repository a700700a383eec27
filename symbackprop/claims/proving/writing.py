"""Statements written in the notation and the letters of the claim."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sympy import Expr, S

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.statements import Statement, side
from symbackprop.claims.text import Parsed
from symbackprop.claims.verdict import Line
from symbackprop.equations import Equation, Name
from symbackprop.formula import expression, formula

_ATOM = re.compile(r"[\w.']+(\([^()]*\)|\[[^\[\]]*\])?")  # one that needs no brackets


def lines(claim: Claim, statements: Sequence[Statement]) -> tuple[Line, ...]:
    """Each statement as a line of text."""
    sides = [side(claim, place) for place in range(len(claim.sides))]
    texts = [side_text(claim.parsed, place) for place in range(len(claim.sides))]
    found = []
    for statement in statements:
        names: dict[Expr, Expr] = {}
        for place, (read, text) in enumerate(zip(sides, texts, strict=True)):
            if read != statement.left:
                text = text if _ATOM.fullmatch(text) else f"({text})"
            names[read] = S.Zero if text == "0" else Name(text, "tensor", place)
        left = expression(statement.left.xreplace(names), claim.system)
        whole = formula(Equation("line", (), statement.terms), claim.system)
        right = whole.partition(" = ")[2]
        found.append(Line(f"{left} = {right}", statement.reason))
    return tuple(found)


def side_text(parsed: Parsed, place: int) -> str:
    """A side of a claim as it was written."""
    tree = parsed.trees[place]
    start = tree.line.column - 1
    return tree.source.text[start : start + len(tree.line.right)].strip()
