"""Arithmetic with the numbers written out: `0.3 \\cdot 0.5 - 0.2 \\cdot 1.1 + 0.1`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.document.account import Account
from symbackprop.document.latex import Printer
from symbackprop.document.measure import width
from symbackprop.document.pieces import ATOM, PRODUCT, SUM, Piece
from symbackprop.document.symbols import Symbols
from symbackprop.equations import (
    Equation,
    System,
    Term,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.numbers import REAL

DIGITS = 4
WIDEST = 30.0  # em of written-out arithmetic, or of equations side by side


class _Numbers(Printer):
    """Prints placeholders as the numbers that they stand for.

    SymPy would compute with the numbers themselves.
    """

    def __init__(self, symbols: Symbols) -> None:
        super().__init__(symbols)
        self._shown: dict[Expr, Piece] = {}
        self._values: dict[Expr, float] = {}

    def number(self, value: Any) -> Expr:
        """A placeholder for a number."""
        text = decimal(value)
        plain = PRODUCT if "^" in text else ATOM
        place = sympy.Symbol(f"number{len(self._shown):06d}")
        self._shown[place] = Piece(text, SUM if text.startswith("-") else plain)
        self._values[place] = float(value)
        return place

    def value(self, expression: Expr) -> float:
        """What an expression over placeholders comes to."""
        found = calculate(expression, REAL, lambda e: np.array([self._values[e]]))
        return float(found[0])

    def piece(self, expression: Expr) -> Piece:
        return self._shown.get(expression) or super().piece(expression)


class Arithmetic:
    """Writes an equation's first entry with numbers in the place of reads."""

    def __init__(
        self, account: Account, system: System, values: Mapping[str, Any]
    ) -> None:
        self.account = account
        self.system = system
        self.values = values
        self.printer = _Numbers(account.symbols)

    def written(self, equation: Equation) -> str | None:
        """`0.3 \\cdot 0.5 - 0.2 \\cdot 1.1 + 0.1`; None where it is no plain sum."""
        if equation.reduction != "sum":
            return None
        addends: list[Expr] = []
        for term in equation.terms:
            if term.guards or term.target is not None:
                return None
            found = self._term(term, equation)
            if found is None:
                return None
            addends += found
        self._hold(equation, sum(map(self.printer.value, addends)))
        printed: list[str] = []
        for addend in addends:
            minus, piece = self.printer.signed(addend)
            sign = "- " if minus and printed else "-" if minus else "+ " * bool(printed)
            printed.append(f"{sign}{piece.within(PRODUCT)}")
        text = " ".join(printed)
        return text if printed and width(text) <= WIDEST else None

    def _hold(self, equation: Equation, found: float) -> None:
        """Refuse arithmetic that does not come to the value."""
        values = self.values[equation.tensor]
        expected = float(values[(0,) * len(equation.indices)])
        if not abs(found - expected) <= 1e-9 * max(1.0, abs(expected)):
            place = self.account.derivation.number(equation.tensor)
            raise CheckError(
                f"the worked example's arithmetic for equation ({place}) comes to "
                f"{found}, its value is {expected}. Please report this program."
            )

    def _term(self, term: Term, equation: Equation) -> list[Expr] | None:
        ranges = [range(self.system.size(index)) for index in term.bound]
        fixed = dict.fromkeys(equation.indices, sympy.S.Zero)
        found = []
        for places in product(*ranges):
            numbers = map(sympy.Integer, places)
            at = {**fixed, **dict(zip(term.bound, numbers, strict=True))}
            body = self.numbers(term.body, at)
            if body is None:
                return None
            found.append(body)
        return found

    def numbers(self, body: Expr, at: dict[Any, Expr]) -> Expr | None:
        """The body with every read replaced by its value; None for a choice."""
        names = {part.func.__name__ for part in sympy.preorder_traversal(body)}
        if names & {"where", "less", "equal", "less_equal"}:
            return None
        values: dict[Expr, Expr] = {}
        for constant in self.system.constants.values():
            values[constant.symbol] = self.printer.number(constant.value)
        for read in reads(body):
            subscripts = [s.xreplace(at) for s in subscripts_of(read)]
            if not all(s.is_Integer for s in subscripts):
                return None
            whole = self.values[tensor_of(read)]
            place = tuple(int(s) for s in subscripts)
            if any(not 0 <= p < n for p, n in zip(place, whole.shape, strict=True)):
                return None
            values[read] = self.printer.number(whole[place])
        found = substituted(body, values)
        return None if any(is_index(s) for s in found.free_symbols) else found


def substituted(body: Expr, values: dict[Expr, Expr]) -> Expr:
    """A body with placeholders for its reads."""
    found: Expr = body.xreplace(values)
    return found


def decimal(value: Any) -> str:
    r"""Four digits: `0.3126`, `1.2 \cdot 10^{-5}`."""
    size = float(value)
    if not np.isfinite(size):
        return r"\infty" if size > 0 else r"-\infty" if size < 0 else r"\text{?}"
    if size == round(size) and abs(size) < 10**6:
        return str(int(size))
    if 1e-3 <= abs(size) < 10**6:
        return f"{size:.{DIGITS}f}".rstrip("0").rstrip(".")
    digits, _, power = f"{size:.{DIGITS - 2}e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')} \\cdot 10^{{{int(power)}}}"


def entries(values: Any) -> str:
    """A number, a column written in a row, or a matrix."""
    if values.ndim == 0:
        return decimal(values)
    if values.ndim == 1:
        return "(" + r",\, ".join(map(decimal, values)) + r")^{\top}"
    rows = r" \\ ".join(" & ".join(map(decimal, row)) for row in values)
    return f"\\begin{{pmatrix}} {rows} \\end{{pmatrix}}"
