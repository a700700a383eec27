r"""A claim's text -> LaTeX: derivatives as fractions, whole arrays in bold.

It prints what the claim says, part by part and in its order; nothing is simplified.
Parentheses stand only where precedence needs them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symbackprop.claims.reading.text import parse
from symbackprop.claims.reports.printer import Printer
from symbackprop.document.chapter import NumberedEquation

RELATIONS = {
    **{"=": "=", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge"},
    **{"<-": r"\leftarrow", "->": r"\to"},
}


def latex(text: str, arrays: Collection[str] | None = None) -> str:
    r"""A claim on one line.

    Args:
        text: the claim.
        arrays: the tensors that have axes, which are bold where they stand whole; None
            where no program says so: then those that are transposed or multiplied.

    Raises:
        GrammarError: the text cannot be read.

    >>> print(latex("D(L, W1[i, j]) = delta1[i]*x[j]"))
    \frac{\partial L}{\partial W^{(1)}_{i j}} = \delta^{(1)}_{i}\, x_{j}
    >>> print(latex("delta1 = f1'(z1) o (W2.T @ delta2)"))
    ... # doctest: +NORMALIZE_WHITESPACE
    \boldsymbol{\delta}^{(1)} = f_{1}'(\mathbf{z}^{(1)}) \odot
    (\mathbf{W}^{(2)})^{\top} \boldsymbol{\delta}^{(2)}
    """
    return " ".join(row.latex.strip() for row in rows(text, arrays))


def condition(text: str, arrays: Collection[str] | None = None) -> str:
    r"""A condition, as it stands behind `if`.

    Args:
        text: the condition.
        arrays: as for `latex`.

    Raises:
        GrammarError: the text cannot be read.

    >>> print(condition("0 <= r and r < 1"))
    0 \le r \;\land\; r < 1
    """
    parsed = parse(f"0 = 0 if {text}")
    assert parsed.condition is not None
    return Printer(parsed, arrays).latex(parsed.condition)


def rows(
    text: str, arrays: Collection[str] | None = None
) -> tuple[NumberedEquation, ...]:
    """A claim as equations without numbers, one for each of its relations.

    Args:
        text: the claim.
        arrays: as for `latex`.

    Raises:
        GrammarError: the text cannot be read.
    """
    parsed = parse(text)
    printer = Printer(parsed, arrays)
    left = printer.latex(parsed.sides[0])
    made = []
    for relation, side in zip(parsed.relations, parsed.sides[1:], strict=True):
        addends = tuple(printer.addends(side))
        made.append(NumberedEquation(None, left, addends, (), RELATIONS[relation]))
        left = ""
    if parsed.condition is not None:
        *first, last = made[-1].addends
        beside = f"{last} \\quad ({printer.latex(parsed.condition)})"
        made[-1] = replace(made[-1], addends=(*first, beside))
    return tuple(made)
