r"""Equations of the IR -> left-hand sides and signed addends in LaTeX.

What a sum does not run over is printed in front of it; conditions on bound indices
stand below the sum, other conditions as Iverson brackets `[t + 1 < 6]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy
from sympy import Expr

from symbackprop.argument.lines import Line
from symbackprop.document.chapter import Inline, NumberedEquation
from symbackprop.document.functions import Rule
from symbackprop.document.latex import Printer, common, factored, in_order
from symbackprop.document.pieces import PRODUCT, decimal, is_decimal
from symbackprop.document.symbols import Symbols
from symbackprop.equations import (
    Equation,
    Guard,
    Name,
    System,
    Term,
    affine,
    indices_of,
    reads,
    span,
    tensor_of,
)

REDUCTIONS = {
    "max": r"\max",
    "min": r"\min",
    "argmax": r"\operatorname*{arg\,max}",
    "argmin": r"\operatorname*{arg\,min}",
}


class Lines:
    """Prints the equations of one system."""

    def __init__(
        self,
        system: System,
        symbols: Symbols,
        functions: Mapping[str, Rule] | None = None,
    ) -> None:
        self.system = system
        self.symbols = symbols
        self.printer = Printer(symbols, functions)

    def equation(
        self, equation: Equation, number: int | None, reason: Inline = ()
    ) -> NumberedEquation:
        """One numbered equation with its reason."""
        left = self.printer.read(equation.tensor, equation.indices)
        return NumberedEquation(number, left, self.right(equation), reason)

    def line(
        self, line: Line, reason: Inline = (), first: bool = True
    ) -> NumberedEquation:
        """One line of a proof; one that is not the first continues it."""
        left = self.printer.latex(line.left) if first else ""
        stated = Equation("", line.free, line.terms)
        return NumberedEquation(
            line.number, left, self.right(stated), reason, uses=line.uses
        )

    def right(self, equation: Equation) -> tuple[str, ...]:
        r"""The right-hand side: `("\sum_{j} W_{i j}\, x_{j}", "+ b_{i}")`."""
        if equation.reduction != "sum":
            return (self._extremum(equation),)
        printed: list[str] = []
        for term in equation.terms:
            for minus, text in self._addends(term, equation):
                sign = "-" if minus else "+"
                printed.append(f"{sign} {text}" if printed else "-" * minus + text)
        return tuple(printed) or ("0",)

    def _extremum(self, equation: Equation) -> str:
        (term,) = equation.terms
        inside, *_ = self._conditions(term, equation)
        sign = REDUCTIONS[equation.reduction] + self._below(term.bound, inside)
        return f"{sign}\\, {self.printer.piece(term.body).within(PRODUCT)}"

    def _addends(self, term: Term, equation: Equation) -> Iterable[tuple[bool, str]]:
        below, beside, varying = self._conditions(term, equation)
        alone = not (term.bound or term.average or beside)
        if alone and term.body.is_Add and common(term.body) == 1:
            for addend in in_order(term.body):
                minus, piece = self.printer.signed(addend)
                yield minus, piece.within(PRODUCT)
            return
        coefficient, factors = factored(term.body)
        minus = bool(coefficient.is_extended_negative)
        outer, middle, inner = self._parted(term, factors)
        size = abs(coefficient)
        brackets = "".join(f"[{condition}]\\, " for condition in beside)
        if not term.bound and not term.average:
            bare = bool(brackets) and size == 1 and not inner
            product = "" if bare else self._product(size, inner)
            yield minus, (brackets + product).removesuffix(r"\, ")
            return
        # A condition that differs from sample to sample stands inside the mean.
        each = "".join(f"[{condition}]\\, " for condition in varying)
        parts = [brackets + self._front(size, outer, term.average) + each]
        parts.append(self._product(sympy.S.One, middle) + r"\, " if middle else "")
        if term.bound:
            parts.append(f"\\sum{self._below(term.bound, below)} ")
        if inner or term.bound or not each:
            parts.append(self._product(sympy.S.One, inner))
        yield minus, "".join(parts).removesuffix(r"\, ")

    def _product(self, coefficient: Expr, factors: list[Expr]) -> str:
        return self.printer.product(coefficient, factors).within(PRODUCT)

    def _front(self, coefficient: Expr, factors: list[Expr], average: bool) -> str:
        r"""What stands before a sum: `2\, g_{i}\, \frac{1}{N} \sum_{n} `."""
        if not average:
            if coefficient == 1 and not factors:
                return ""
            return self._product(coefficient, factors) + r"\, "
        p, q = coefficient.p, coefficient.q
        count = self.symbols.samples
        if is_decimal(coefficient) or factors:
            lead = self._product(coefficient, factors) + r"\, "
            lead = "" if coefficient == 1 and not factors else lead
            over = f"\\frac{{1}}{{{count}}}"
        else:
            lead = ""
            below = count if q == 1 else f"{decimal(sympy.Integer(q))}\\, {count}"
            over = f"\\frac{{{decimal(sympy.Integer(p))}}}{{{below}}}"
        return f"{lead}{over} \\sum_{{{self.symbols.sample}}} "

    def _parted(
        self, term: Term, factors: Iterable[Expr]
    ) -> tuple[list[Expr], list[Expr], list[Expr]]:
        """Factors before the mean over the batch, before the sum, and inside it."""
        outer: list[Expr] = []
        middle: list[Expr] = []
        inner: list[Expr] = []
        bound = set(term.bound)
        for factor in factors:
            choice = bool(_names(factor) & {"where"})
            if choice or bound & set(indices_of(factor)):
                inner.append(factor)
            elif term.average and self._varies(factor):
                (middle if bound else inner).append(factor)
            else:
                (outer if bound or term.average else inner).append(factor)
        return outer, middle, inner

    def _varies(self, factor: Expr) -> bool:
        tensors = self.system.tensors
        return any(tensors[tensor_of(read)].batched for read in reads(factor))

    # --- conditions -------------------------------------------------------------------

    def _conditions(
        self, term: Term, equation: Equation
    ) -> tuple[list[str], list[str], list[str]]:
        """Conditions below the sum (on bound indices), beside the term, in its mean."""
        found: list[tuple[Expr, str]] = []
        for index, target in zip(
            equation.indices, term.target or equation.indices, strict=True
        ):
            if target != index:
                left, right = (self.printer.subscript(e) for e in (target, index))
                found.append((target, f"{left} = {right}"))
        found += [(g.subscript, self.guard(g)) for g in term.guards]
        bound = set(term.bound)
        below: list[str] = []
        beside: list[str] = []
        varying: list[str] = []
        for subscript, text in found:
            inside = bound & set(indices_of(subscript))
            each = term.average and self._varies(subscript)
            place = below if inside else varying if each else beside
            if text and text not in place:
                place.append(text)
        return below, beside, varying

    def guard(self, guard: Guard) -> str:
        """`0 <= subscript < size`, without the side that always holds."""
        size = self.system.size(guard.axis)
        low, high = -1, size
        if affine(guard.subscript) is not None:
            low, high = span(guard.subscript, self.system)
        text = self.printer.subscript(guard.subscript)
        if low < 0:
            text = f"0 \\le {text}" if high >= size else f"{text} \\ge 0"
        elif high < size:
            return ""
        return f"{text} < {size}" if high >= size else text

    def _below(self, bound: Iterable[Name], conditions: list[str]) -> str:
        letters = [self.symbols.index(index.name) for index in bound]
        rows = [",".join(letters), *conditions]
        if len(rows) == 1:
            return f"_{{{rows[0]}}}"
        stacked = r" \\ ".join(rows)
        return f"_{{\\substack{{{stacked}}}}}"


def _names(expression: Expr) -> set[str]:
    return {e.func.__name__ for e in sympy.preorder_traversal(expression)}
