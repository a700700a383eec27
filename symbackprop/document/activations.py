"""The section on functions: how the derivative of each follows from its definition."""

from __future__ import annotations

import re

import sympy

from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Section,
)
from symbackprop.document.functions import operator
from symbackprop.document.lines import REDUCTIONS
from symbackprop.elementary import Steps, steps
from symbackprop.elementary.corners import Chord, chord
from symbackprop.scalars import TABLE, Row

EXTREMA = ("max", "min")


def functions(account: Account) -> Section:
    """Definition, derivative in steps, range and kinks of each function in use."""
    blocks: list[Block] = []
    for row in _used(account):
        blocks += function(account, row)
    if blocks:
        blocks.insert(0, Paragraph(account.words("functions text")))
    for reduction in EXTREMA:
        if any(e.reduction == f"arg{reduction}" for e in account.derivation.forward):
            symbol = Math(REDUCTIONS[reduction])
            blocks.append(Paragraph(account.words("extrema", sign=symbol)))
    return account.section("functions", *blocks)


def _used(account: Account) -> list[Row]:
    """Rows of the declared equations that are activations or have kinks."""
    used = {
        part.func.__name__
        for equation in account.derivation.program.equations
        for term in equation.terms
        for part in sympy.preorder_traversal(term.body)
    }
    return [
        row
        for row in TABLE.values()
        if row.name in used and row.definition and (row.activation or row.kinks)
    ]


def function(account: Account, row: Row) -> list[Block]:
    """Its definition and derivative in steps, then its range and its kinks."""
    blocks: list[Block] = []
    name = operator(account.symbols, row.name)
    imitated = chord(row.name)
    if imitated is not None:
        blocks += _chord(account, name, imitated)
    rows: list[NumberedEquation] = []
    for place in range(1, row.arity + 1):
        if not (row.defaults and place > 1):
            shown = _told(account, steps(row.name, place))
            # The definition stands above the first derivative alone.
            rows += [line for line in shown if line not in rows]
    text = account.words("values", function=Math(name), range=Math(row.range))
    if row.kinks:
        text += (" ", *account.words("kink", convention=_kink(account, row.kinks)))
    return [*blocks, Equations(tuple(rows)), Paragraph(text)]


def _told(account: Account, derived: Steps) -> list[NumberedEquation]:
    """Each line, its left side only where it changes."""
    printer = account.lines.printer
    name = operator(account.symbols, derived.name)
    inside = ", ".join(str(argument) for argument in derived.arguments)
    slope = f"{name}'({inside})"
    if len(derived.arguments) > 1:
        slope = f"\\frac{{\\partial}}{{\\partial {derived.argument}}} {name}({inside})"
    rows: list[NumberedEquation] = []
    before = None
    for line in derived.lines:
        left = f"{name}({inside})" if line.left.func.__name__ == derived.name else slope
        rows.append(
            NumberedEquation(
                None,
                "" if line.left == before else left,
                printer.addends(line.right),
                account.words.joined([_rule(account, rule) for rule in line.rules]),
            )
        )
        before = line.left
    return rows


def _rule(account: Account, rule: str) -> Inline:
    """`derivative of tanh` with the function as mathematics, other rules as words."""
    kind, _, name = rule.rpartition(" ")
    if name in TABLE and kind in ("derivative of", "definition of"):
        function = Math(operator(account.symbols, name))
        return account.words(f"rule: {kind}", function=function)
    return account.words(f"rule: {rule}")


def _chord(account: Account, name: str, imitated: Chord) -> list[Block]:
    """That a function's middle piece is the tangent of a curve."""
    curve = operator(account.symbols, imitated.curve)
    text = account.words("chord", function=Math(name), curve=Math(curve))
    left = f"{curve}(0) + {curve}'(0)\\, {imitated.x}"
    right = account.lines.printer.addends(imitated.line)
    row = NumberedEquation(None, left, right, account.words("taylor"))
    return [Paragraph(text), Equations((row,))]


def _kink(account: Account, convention: str) -> Inline:
    """`abs'(0) = 0` as mathematics, anything else as words."""
    formula = re.fullmatch(r"(\w+)('\(0\) = \d)", convention)
    if formula is not None:
        return (Math(operator(account.symbols, formula[1]) + formula[2]),)
    known = account.words.knows(convention)
    return account.words(convention) if known else (convention,)
