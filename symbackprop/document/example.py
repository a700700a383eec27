r"""A worked example: the same equations on small axes, with numbers in every step.

For each equation the arithmetic of its first entry is written out, and all of its
values stand beneath. The numbers come from the independent evaluator, and the slope of
one parameter is compared with a difference quotient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Ref,
    Section,
)
from symbackprop.document.latex import Printer
from symbackprop.document.measure import width
from symbackprop.document.pieces import ATOM, PRODUCT, SUM, Piece
from symbackprop.document.sequence import renamed, repeated
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
from symbackprop.witnesses.draws import draw, shrink
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import REAL
from symbackprop.witnesses.slopes import central_difference

DIGITS = 4
WIDEST = 30.0  # em of written-out arithmetic, or of equations side by side
NAMED = 3.0  # em for a name and its sign there
SEED = 20220801
RATE = 0.1


def example(account: Account) -> Section:
    """The example, or nothing where its values do not fit on a page."""
    worked = _Example(account)
    words = account.words
    blocks: list[Block] = [
        Paragraph(words("example text", sizes=worked.sizes())),
        Equations(tuple(side_by_side(worked.given()))),
        Paragraph(words("example forward")),
        *worked.steps(account.derivation.forward, account.derivation.forward_items),
        Paragraph(words("example backward")),
        *worked.steps(account.derivation.adjoint, account.derivation.adjoint_items),
        *worked.check(),
    ]
    return account.section("example", *blocks)


def side_by_side(rows: Iterable[NumberedEquation]) -> Iterator[NumberedEquation]:
    """Short values in one row, as many as fit whatever their names are.

    `a = 1`, `b = 2` => `a = 1, b = 2`
    """
    held: NumberedEquation | None = None
    taken = 0.0
    for row in rows:
        (values,) = row.addends
        needed = NAMED + width(values)
        if held is not None and taken + needed <= WIDEST:
            *before, last = held.addends
            addends = (*before, f"{last},", f"\\quad {row.latex}")
            held, taken = replace(held, addends=addends), taken + needed
            continue
        if held is not None:
            yield held
        held, taken = row, needed
    if held is not None:
        yield held


class _Example:
    """Small values, printed."""

    def __init__(self, account: Account) -> None:
        self.account = account
        derivation = account.derivation
        self.system = shrink(derivation.system)
        self.declared = replace(derivation.program.plain(), axes=self.system.axes)
        self.hidden = {
            *repeated(account, derivation.forward_items),
            *repeated(account, derivation.adjoint_items),
            *renamed(account, derivation.forward_items),
        }

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Parameters and data with one decimal; targets of a sum 1 are one-hot."""
        rng = np.random.default_rng(SEED)
        exact = draw(self.declared, rng, 1)
        facts = {
            line.fact
            for adjoint in self.account.kept
            for line in getattr(self.account.recursion(adjoint), "lines", ())
        }
        rounded = {}
        for name, array in exact.items():
            if array.dtype.kind in "iu":
                rounded[name] = array
            elif name in facts:
                rounded[name] = np.eye(array.shape[-1])[np.argmax(array, axis=-1)]
            else:
                rounded[name] = np.round(array, 1) + 0.0
        found = evaluate(self.declared, rounded, REAL, 1)[self.declared.objective]
        return rounded if np.all(np.isfinite(found)) else dict(exact)

    @cached_property
    def values(self) -> dict[str, Any]:
        """Every tensor, of the one sample."""
        found = evaluate(self.system, self.inputs, REAL, 1)
        tensors = self.system.tensors
        return {
            name: np.asarray(array)[0] if tensors[name].batched else np.asarray(array)
            for name, array in found.items()
        }

    def sizes(self) -> Inline:
        """The sizes of the axes: `i_1 = 2, j = 3`."""
        used = {
            axis
            for name, tensor in self.system.tensors.items()
            if name not in self.hidden
            for axis in tensor.axes
        }
        index = self.account.symbols.index
        return self.account.words.joined(
            [
                (Math(f"{index(name)} < {axis.size}"),)
                for name, axis in self.system.axes.items()
                if name in used and not axis.of
            ]
        )

    # --- rows ------------------------------------------------------------------------

    def given(self) -> Iterator[NumberedEquation]:
        """The values of parameters and data."""
        for name, tensor in self.system.tensors.items():
            if tensor.role != "defined" and name not in self.hidden:
                yield from self._whole(name)

    def steps(self, equations: Sequence[Equation], items: Any) -> list[Block]:
        """Each equation's arithmetic and values, those of equal layers once."""
        rows = []
        for equation in equations:
            if equation.tensor in self.hidden:
                continue
            number = self.account.derivation.number(equation.tensor)
            first = list(self._first(equation, number))
            # A number is shown whole by its arithmetic.
            told = bool(first) and not equation.indices
            rows += first if told else [*first, *self._whole(equation.tensor)]
        return [Equations(tuple(rows))] if rows else []

    def _whole(self, name: str) -> Iterator[NumberedEquation]:
        """All values of a tensor; one of three axes slice by slice."""
        values = self.values[name]
        symbols = self.account.symbols
        if values.ndim > 3:
            return
        if values.ndim < 3:
            yield NumberedEquation(None, symbols.read(name), (_array(values),))
            return
        for place, part in enumerate(values):
            left = symbols.read(name, (str(place), *[r"\cdot"] * part.ndim))
            yield NumberedEquation(None, left, (_array(part),))

    def _first(self, equation: Equation, number: int) -> Iterator[NumberedEquation]:
        """The arithmetic of the entry at 0, 0, ..., where it can be written out."""
        text = _Arithmetic(self).written(equation)
        if text is None:
            return
        at = ["0"] * len(equation.indices)
        left = self.account.symbols.read(equation.tensor, at)
        value = self.values[equation.tensor][(0,) * len(at)]
        right = (text,) if text == _number(value) else (text, f"= {_number(value)}")
        yield NumberedEquation(None, left, right, (Ref(number),))

    # --- the end ---------------------------------------------------------------------

    def check(self) -> list[Block]:
        """One slope against a difference quotient, and one step of descent."""
        parameter = next(
            (p for p in self.system.parameters if self.values[p.name].ndim <= 2), None
        )
        if parameter is None:
            return []
        slope = self.account.derivation.slopes[parameter.name]
        direction = np.zeros(self.inputs[parameter.name].shape)
        steepest = np.argmax(np.abs(self.values[slope]))
        place = tuple(map(int, np.unravel_index(steepest, direction.shape)))
        direction[place] = 1.0
        quotient = central_difference(
            self.declared, self.inputs, {parameter.name: direction}
        )
        at = list(map(str, place))
        symbols = self.account.symbols
        text = self.account.words(
            "example check",
            entry=Math(symbols.read(parameter.name, at)),
            quotient=Math(_number(quotient)),
            slope=Math(_number(self.values[slope][place])),
            rate=Math(f"{self.account.rate} = {_number(RATE)}"),
        )
        moved = self.values[parameter.name] - RATE * self.values[slope]
        left = symbols.read(parameter.name)
        change = f"- {self.account.rate}\\, {symbols.read(slope)}"
        right = (left, change, f"= {_array(moved)}")
        row = NumberedEquation(None, left, right, (), r"\leftarrow")
        return [Paragraph(text), Equations((row,))]


class _Numbers(Printer):
    """Prints placeholders as the numbers that they stand for.

    SymPy would compute with the numbers themselves.
    """

    def __init__(self, symbols: Symbols) -> None:
        super().__init__(symbols)
        self._shown: dict[Expr, Piece] = {}

    def number(self, value: Any) -> Expr:
        """A placeholder for a number."""
        text = _number(value)
        plain = PRODUCT if "^" in text else ATOM
        place = sympy.Symbol(f"number{len(self._shown):06d}")
        self._shown[place] = Piece(text, SUM if text.startswith("-") else plain)
        return place

    def piece(self, expression: Expr) -> Piece:
        return self._shown.get(expression) or super().piece(expression)


class _Arithmetic:
    """Writes an equation's first entry with numbers in the place of reads."""

    def __init__(self, example: _Example) -> None:
        self.example = example
        self.system: System = example.system
        self.printer = _Numbers(example.account.symbols)

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
        printed: list[str] = []
        for addend in addends:
            minus, piece = self.printer.signed(addend)
            sign = "- " if minus and printed else "-" if minus else "+ " * bool(printed)
            printed.append(f"{sign}{piece.within(PRODUCT)}")
        text = " ".join(printed)
        return text if printed and width(text) <= WIDEST else None

    def _term(self, term: Term, equation: Equation) -> list[Expr] | None:
        ranges = [range(self.system.size(index)) for index in term.bound]
        fixed = dict.fromkeys(equation.indices, sympy.S.Zero)
        found = []
        for places in product(*ranges):
            numbers = map(sympy.Integer, places)
            at = {**fixed, **dict(zip(term.bound, numbers, strict=True))}
            body = self._numbers(term.body, at)
            if body is None:
                return None
            found.append(body)
        return found

    def _numbers(self, body: Expr, at: dict[Any, Expr]) -> Expr | None:
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
            array = self.example.values[tensor_of(read)]
            place = tuple(int(s) for s in subscripts)
            if any(not 0 <= p < n for p, n in zip(place, array.shape, strict=True)):
                return None
            values[read] = self.printer.number(array[place])
        found = body.xreplace(values)
        return None if any(is_index(s) for s in found.free_symbols) else found


def _number(value: Any) -> str:
    r"""Four digits: `0.3126`, `1.2 \cdot 10^{-5}`."""
    number = float(value)
    if number == round(number) and abs(number) < 10**6:
        return str(int(number))
    if 1e-3 <= abs(number) < 10**6:
        return f"{number:.{DIGITS}f}".rstrip("0").rstrip(".")
    digits, _, power = f"{number:.{DIGITS - 2}e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')} \\cdot 10^{{{int(power)}}}"


def _array(values: Any) -> str:
    """A number, a column written in a row, or a matrix."""
    if values.ndim == 0:
        return _number(values)
    if values.ndim == 1:
        return "(" + r",\, ".join(map(_number, values)) + r")^{\top}"
    rows = r" \\ ".join(" & ".join(map(_number, row)) for row in values)
    return f"\\begin{{pmatrix}} {rows} \\end{{pmatrix}}"
