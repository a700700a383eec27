r"""The values of a counterexample -> LaTeX: `1/2`, vectors as rows, matrices whole."""

from __future__ import annotations

import re
from typing import Any

ENTRIES = 24  # of an array that is printed

_NUMBER = re.compile(r"(-?)(\d+(?:\.\d+)?)(?:/(\d+))?(?:e([+-]?\d+))?")


def numeral(text: str) -> str:
    r"""A number as it was told; "" where it is none.

    >>> print(numeral("-1/2"), numeral("1.5e-07"), numeral("0.42"))
    -\frac{1}{2} 1.5 \cdot 10^{-7} 0.42
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return ""
    sign, whole, below, power = found.groups()
    shown = f"\\frac{{{whole}}}{{{below}}}" if below else whole
    return sign + shown + (f" \\cdot 10^{{{int(power)}}}" if power else "")


def array(value: Any) -> str | None:
    r"""Nested lists of numbers; None where they are too many, or nested deeper.

    >>> print(array([1, 2]), array([[1, 0], [0, 1]]))
    (1, 2)^{\top} \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}
    """
    if not isinstance(value, list | tuple):
        return numeral(str(value)) or None
    matrix = all(isinstance(row, list | tuple) for row in value)
    rows = [list(row) for row in value] if matrix else [list(value)]
    entries = [entry for row in rows for entry in row]
    nested = any(isinstance(entry, list | tuple) for entry in entries)
    if nested or not 0 < len(entries) <= ENTRIES:
        return None
    cells = [[_flat(entry) for entry in row] for row in rows]
    if not matrix:
        return f"({', '.join(cells[0])})^{{\\top}}"
    joined = r" \\ ".join(" & ".join(row) for row in cells)
    return f"\\begin{{pmatrix}} {joined} \\end{{pmatrix}}"


def _flat(value: Any) -> str:
    """A fraction stands on one line in an array."""
    text = str(value)
    return text if "/" in text else numeral(text)
