"""A claim read over its bench, in the form that its text has."""

from __future__ import annotations

from symbackprop.claims.claim import Claim
from symbackprop.claims.reading.bench import Workbench, form_of
from symbackprop.claims.reading.matrices import read_matrices
from symbackprop.claims.reading.sides import read_sides
from symbackprop.claims.reading.text import Parsed, parse


def read(parsed: Parsed, bench: Workbench, layout: str) -> Claim:
    """A claim over a program, in the form that its text has.

    Raises:
        MisfitError: shapes that do not meet.
        UndecidedError: derivatives of derivatives.
        GrammarError: text that is not a claim about this program.
    """
    parsed = parse(parsed.text)  # letters are renamed in the trees
    form, bench = form_of(parsed, bench)
    if form == "matrix":
        return read_matrices(parsed, bench, layout)[0]
    return read_sides(parsed, bench, form)
