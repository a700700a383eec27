r"""The printer of claims: a syntax tree -> LaTeX, with the fewest parentheses."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from sympy import Rational

from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.reports.parts import (
    addends_of,
    adjoint_of,
    choice_of,
    factors_of,
    is_number,
    is_open,
    letters_of,
    marked_in,
    names_in,
    reduction_of,
    rest_of,
    sign_of,
)
from symbackprop.claims.writing import chained
from symbackprop.document.functions import named
from symbackprop.document.lines import REDUCTIONS
from symbackprop.document.matrices import bold
from symbackprop.document.pieces import (
    ATOM,
    CALL,
    CLOSE,
    OPEN,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    decimal,
    tall,
)
from symbackprop.document.symbols import Symbol, join, spell
from symbackprop.errors import GrammarError

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: r"\le",
    ast.Gt: ">",
    ast.GtE: r"\ge",
    ast.Eq: "=",
    ast.NotEq: r"\ne",
}
_JOINTS: dict[type[ast.boolop], str] = {
    ast.And: r" \;\land\; ",
    ast.Or: r" \;\lor\; ",
}
_ACTIVATION = re.compile(r"([a-z])(\d*)")


class Printer:
    """Prints the parts of one claim."""

    def __init__(self, parsed: Parsed, arrays: Collection[str] | None) -> None:
        trees = [*parsed.sides, *([parsed.condition] if parsed.condition else ())]
        nodes = [node for tree in trees for node in ast.walk(tree)]
        self.arrays = frozenset(marked_in(nodes) if arrays is None else arrays)
        self.letters = frozenset(letters_of(nodes))
        self.names = {node.id for node in nodes if isinstance(node, ast.Name)}

    def latex(self, node: ast.expr) -> str:
        return self.piece(node).latex

    def piece(self, node: ast.expr) -> Piece:
        rule = _RULES.get(type(node))
        if rule is None:
            raise GrammarError(f"`{ast.unparse(node)[:60]}` is no formula.")
        return rule(self, node)

    # --- names ------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> Piece:
        if node.id == "I":
            return Piece(bold("I"))
        if node.id in self.letters:
            return Piece(index_letter(node.id))
        written = symbol(node.id)
        text = bold(written.at()) if self.is_array(node) else written.at()
        return Piece(text, scripted=written.scripted)

    def _entry(self, node: ast.Subscript) -> Piece:
        """`W1[i, j]`, or an entry of something made: `(W1 @ x)[i]`."""
        places = node.slice
        each = places.elts if isinstance(places, ast.Tuple) else [places]
        subscripts = [self.latex(part) for part in each]
        if isinstance(node.value, ast.Name):
            written = symbol(node.value.id)
            return Piece(written.at(subscripts), scripted=written.scripted)
        inside = self.piece(node.value)
        return Piece(f"{inside.bracketed()}_{{{join(subscripts)}}}", tall=inside.tall)

    def is_array(self, node: ast.expr) -> bool:
        """Whether something is, or is made entry by entry of, a whole array."""
        if isinstance(node, ast.Name):
            return node.id in self.arrays or adjoint_of(node.id) in self.arrays
        if isinstance(node, ast.Call):
            reduces = reduction_of(node) is not None
            return not reduces and any(map(self.is_array, node.args))
        if isinstance(node, ast.BinOp):
            return self.is_array(node.left) or self.is_array(node.right)
        if isinstance(node, ast.UnaryOp):
            return self.is_array(node.operand)
        if isinstance(node, ast.Compare):
            return any(map(self.is_array, (node.left, *node.comparators)))
        return isinstance(node, ast.Attribute)

    # --- numbers, sums, products ------------------------------------------------------

    def _number(self, node: ast.Constant) -> Piece:
        text = decimal(Rational(str(node.value)))
        return Piece(text, POWER if "^" in text else ATOM, 0, "^" in text)

    def addends(self, node: ast.expr) -> Iterator[str]:
        """Addends with their signs: `("W x", "+ b")`."""
        for place, (minus, addend) in enumerate(addends_of(node)):
            negative, positive = sign_of(addend)
            piece = self.piece(positive)
            text = piece.within(PRODUCT) if place or negative else piece.latex
            if negative and place:
                text, negative = f"(-{text})", False
            sign = "-" if minus or negative else "+"
            yield f"{sign} {text}" if place else "-" * (minus or negative) + text

    def _sum(self, node: ast.expr) -> Piece:
        printed = tuple(self.addends(node))
        return Piece(" ".join(printed), SUM, tall(printed))

    def _product(self, node: ast.BinOp) -> Piece:
        if sign_of(node)[0]:
            return self._sum(node)
        factors = list(factors_of(node, ast.Mult))
        whole = [factor for factor in factors if self.is_array(factor)]
        if len(whole) > 1:  # they are multiplied entry by entry
            rest = [factor for factor in factors if factor not in whole]
            entries = self._joined(r" \odot ", whole)
            if not rest:
                return entries
            front = self._times(rest, last=False)
            return Piece(f"{front.latex}\\, {entries.latex}", PRODUCT, entries.tall)
        return self._times(factors)

    def _times(self, factors: Sequence[ast.expr], last: bool = True) -> Piece:
        """Factors side by side; a dot only where two numbers would touch."""
        printed: list[str] = []
        heights: list[int] = []
        for place, factor in enumerate(factors, 1):
            piece = self.piece(factor)
            ends = last and place == len(factors)
            open_end = piece.tall == 4 or is_open(factor)
            text = piece.bracketed() if open_end and not ends else piece.within(PRODUCT)
            printed.append(text)
            heights.append(piece.tall if piece.level > SUM else max(piece.tall, 1))
        return Piece(_beside(printed), PRODUCT, max(heights))

    def _entrywise(self, node: ast.BinOp) -> Piece:
        if sign_of(node)[0]:
            return self._sum(node)
        return self._joined(r" \odot ", list(factors_of(node, ast.Mod)))

    def _joined(self, sign: str, factors: Sequence[ast.expr]) -> Piece:
        pieces = [self.piece(factor) for factor in factors]
        text = sign.join(piece.within(PRODUCT) for piece in pieces)
        return Piece(text, PRODUCT, max(piece.tall for piece in pieces))

    def _matrix_product(self, node: ast.BinOp) -> Piece:
        if sign_of(node)[0]:
            return self._sum(node)
        printed: list[str] = []
        heights: list[int] = []
        for factor in factors_of(node, ast.MatMult):
            piece = self.piece(factor)
            loose = self._is_entrywise(factor)
            printed.append(piece.bracketed() if loose else piece.within(PRODUCT))
            heights.append(piece.tall)
        # A derivative beside another reads as one with a little space between.
        space = r"\, " if max(heights) > 1 else " "
        return Piece(space.join(printed), PRODUCT, max(heights))

    def _is_entrywise(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.BinOp):
            return False
        both = self.is_array(node.left) and self.is_array(node.right)
        return isinstance(node.op, ast.Mod) or (
            isinstance(node.op, ast.Mult | ast.Div) and both
        )

    def _quotient(self, node: ast.BinOp) -> Piece:
        if sign_of(node)[0]:
            return self._sum(node)
        above, below = self.piece(node.left), self.piece(node.right)
        if self.is_array(node.right):
            text = f"{above.within(PRODUCT)} \\oslash {below.within(CALL)}"
            return Piece(text, PRODUCT, max(above.tall, below.tall))
        if above.tall > 2 and below.tall == 0:
            front = f"\\frac{{1}}{{{below.latex}}}"
            return Piece(f"{front} {above.within(PRODUCT)}", PRODUCT, above.tall)
        return Piece(f"\\frac{{{above.latex}}}{{{below.latex}}}", PRODUCT, 2)

    def _power(self, node: ast.BinOp) -> Piece:
        base, above = self.piece(node.left), self.latex(node.right)
        simple = base.level in (CALL, ATOM) and not base.scripted
        text = base.latex if simple else base.bracketed()
        sign = r"\odot " if self.is_array(node.left) else ""
        return Piece(f"{text}^{{{sign}{above}}}", POWER, base.tall, True)

    def _transpose(self, node: ast.Attribute) -> Piece:
        inside = self.piece(node.value)
        simple = inside.level in (CALL, ATOM) and not inside.scripted
        text = inside.latex if simple else inside.bracketed()
        return Piece(f"{text}^{{\\top}}", POWER, inside.tall, True)

    def _binary(self, node: ast.BinOp) -> Piece:
        rule = _OPERATORS.get(type(node.op))
        if rule is None:
            raise GrammarError(f"`{ast.unparse(node)[:60]}` is no formula.")
        return rule(self, node)

    # --- conditions -------------------------------------------------------------------

    def _compared(self, node: ast.Compare) -> Piece:
        sides = [self.latex(side) for side in (node.left, *node.comparators)]
        signs = [_COMPARISONS[type(op)] for op in node.ops]
        rest = [f" {s} {side}" for s, side in zip(signs, sides[1:], strict=True)]
        return Piece(sides[0] + "".join(rest), SUM, tall(sides))

    def _connected(self, node: ast.BoolOp) -> Piece:
        whole = chained(node)
        if whole is not None:
            return self._compared(whole)
        pieces = [self.piece(value) for value in node.values]
        shown = [
            piece.bracketed() if isinstance(value, ast.BoolOp) else piece.latex
            for piece, value in zip(pieces, node.values, strict=True)
        ]
        text = _JOINTS[type(node.op)].join(shown)
        return Piece(text, SUM, max(piece.tall for piece in pieces))

    def _unary(self, node: ast.UnaryOp) -> Piece:
        if isinstance(node.op, ast.Not):
            return Piece(f"\\lnot {self.piece(node.operand).bracketed()}", SUM, 1)
        if isinstance(node.op, ast.UAdd):
            return self.piece(node.operand)
        return self._sum(node)

    # --- functions --------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Piece:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        reduction = reduction_of(node)
        if reduction is not None:
            return self._reduced(name, *reduction)
        rule = _FUNCTIONS.get(name)
        if rule is not None and len(node.args) == rule[0]:
            return rule[1](self, *node.args)
        return self._applied(self._operator(name), node.args)

    def _operator(self, name: str) -> str:
        r"""A function's sign: `tanh_` => `\tanh'`, `f2_` => `f_{2}'`."""
        plain = name.rstrip("_")
        prime = "'" * (len(name) - len(plain))
        activation = _ACTIVATION.fullmatch(plain)
        if activation is not None:
            letter, number = activation.groups()
            return letter + (f"_{{{number}}}" if number else "") + prime
        return named(plain, free="sigma" not in self.names) + prime

    def _applied(self, name: str, arguments: Iterable[ast.expr]) -> Piece:
        pieces = [self.piece(argument) for argument in arguments]
        height = max((piece.tall for piece in pieces), default=0)
        inside = ", ".join(piece.latex for piece in pieces)
        text = f"{name}{OPEN[height]}{inside}{CLOSE[height]}"
        return Piece(text, CALL, max(1, height))

    def _reduced(self, name: str, body: ast.expr, letters: Sequence[ast.expr]) -> Piece:
        below = ",".join(self.latex(letter) for letter in letters)
        inside = self.piece(body).within(PRODUCT)
        if name == "mean":
            size = "".join(f"\\lvert {self.latex(each)} \\rvert" for each in letters)
            return Piece(
                f"\\frac{{1}}{{{size}}} \\sum_{{{below}}} {inside}", PRODUCT, 3
            )
        if name == "sum":
            return Piece(f"\\sum_{{{below}}} {inside}", PRODUCT, 3)
        return Piece(f"{REDUCTIONS[name]}_{{{below}}}\\, {inside}", PRODUCT, 1)

    def _derivative(self, above: ast.expr, below: ast.expr) -> Piece:
        r"""`\frac{\partial L}{\partial w}`, or `\frac{\partial}{\partial w} (a)`."""
        by = self.latex(below)
        if isinstance(above, ast.Name | ast.Subscript | ast.Call):
            inside = self.piece(above)
            if inside.tall < 2 and inside.level > PRODUCT:
                text = f"\\frac{{\\partial {inside.latex}}}{{\\partial {by}}}"
                return Piece(text, ATOM, 2, True)
        front = f"\\frac{{\\partial}}{{\\partial {by}}}"
        inside = self.piece(above)
        return Piece(f"{front} {inside.bracketed()}", PRODUCT, max(2, inside.tall))

    def _cases(self, condition: ast.expr, value: ast.expr, rest: ast.expr) -> Piece:
        """`where(c, a, where(d, b, e))` is one brace with three rows."""
        of_indices = names_in(condition) <= self.letters
        if (
            (of_indices or self.is_array(condition))
            and is_number(value, 1)
            and is_number(rest, 0)
        ):
            return Piece(f"[{self.latex(condition)}]", ATOM, 1)
        printed = [f"{self.latex(value)} & {self.latex(condition)}"]
        remains = rest_of(condition)
        while (inner := choice_of(rest)) is not None:
            condition, value, rest = inner
            printed.append(f"{self.latex(value)} & {self.latex(condition)}")
            remains = None
        last = r"\text{otherwise}" if remains is None else self.latex(remains)
        printed.append(f"{self.latex(rest)} & {last}")
        inside = r" \\ ".join(printed)
        return Piece(f"\\begin{{cases}} {inside} \\end{{cases}}", PRODUCT, 4)

    def _root(self, inside: ast.expr) -> Piece:
        piece = self.piece(inside)
        return Piece(f"\\sqrt{{{piece.latex}}}", ATOM, max(1, piece.tall))

    def _absolute(self, inside: ast.expr) -> Piece:
        piece = self.piece(inside)
        return Piece(f"\\lvert {piece.latex} \\rvert", ATOM, max(1, piece.tall))


_Rule = Callable[[Printer, Any], Piece]

_RULES: dict[type[ast.expr], _Rule] = {
    ast.Name: Printer._name,
    ast.Subscript: Printer._entry,
    ast.Constant: Printer._number,
    ast.BinOp: Printer._binary,
    ast.UnaryOp: Printer._unary,
    ast.Compare: Printer._compared,
    ast.BoolOp: Printer._connected,
    ast.Call: Printer._call,
    ast.Attribute: Printer._transpose,
}
_OPERATORS: dict[type[ast.operator], _Rule] = {
    ast.Add: Printer._sum,
    ast.Sub: Printer._sum,
    ast.Mult: Printer._product,
    ast.Mod: Printer._entrywise,
    ast.MatMult: Printer._matrix_product,
    ast.Div: Printer._quotient,
    ast.Pow: Printer._power,
}
# Functions that are not printed as `f(x)`, by how many arguments they take.
_FUNCTIONS: dict[str, tuple[int, Callable[..., Piece]]] = {
    "D": (2, Printer._derivative),
    "where": (3, Printer._cases),
    "sqrt": (1, Printer._root),
    "abs": (1, Printer._absolute),
}


def _beside(factors: Sequence[str]) -> str:
    r"""Factors in a row; numbers stand close, with a dot where two would touch.

    >>> print(_beside(["2", "x", "y", "3"]))
    2 x\, y \cdot 3
    """
    text = factors[0]
    for before, factor in pairwise(factors):
        if factor[0].isdigit():
            text += f" \\cdot {factor}"
        else:
            text += f" {factor}" if before.isdigit() else f"\\, {factor}"
    return text


def index_letter(name: str) -> str:
    r"""How an index is written: `i1` => `i_{1}`."""
    letter = spell(name)
    return f"{letter.stem}_{{{letter.number}}}" if letter.number else letter.at()


def symbol(name: str) -> Symbol:
    r"""How a tensor is written; an error term without the letter z that it belongs to.

    `delta1`, `delta_z1` => `\delta^{(1)}`; `delta_a1` => `\delta^{(1)}_{a}`
    """
    origin = adjoint_of(name)
    if not origin:
        return spell(name)
    of = spell(origin)
    label = ",".join(filter(None, (of.stem, of.label)))
    return Symbol(r"\delta", of.number, "" if label == "z" else label)
