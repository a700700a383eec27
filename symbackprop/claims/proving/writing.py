"""Statements written in the notation and the letters of the claim.

What the claim calls `delta1` is called so; other slopes are `D(z2[k], W1[i, j])`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sympy import Expr, Indexed, S

from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.statements import Statement, chosen, side
from symbackprop.claims.text import Parsed
from symbackprop.claims.verdict import Line
from symbackprop.equations import (
    Equation,
    Guard,
    Name,
    Term,
    defined_by,
    fresh,
    read,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.formula import expression, formula
from symbackprop.rewrites import reveal
from symbackprop.scalars import symbol

# A text that needs no brackets, whatever stands beside it.
_ATOM = re.compile(r"[\w.']+(\([^()]*\)|\[[^\[\]]*\])?")


def lines(claim: Claim, statements: Sequence[Statement]) -> tuple[Line, ...]:
    """Each statement as a line of text."""
    writer = _Writer(claim)
    return tuple(Line(writer.statement(s), s.reason) for s in statements)


class _Writer:
    def __init__(self, claim: Claim) -> None:
        self.claim, self.system = claim, claim.system
        self.equations = defined_by(claim.system)
        self.declared = {*claim.base.tensors}
        self.words = set(re.findall(r"\w+", claim.parsed.text))
        written = {axis.name: letter for letter, axis in claim.letters.items()}
        self.letters: dict[Expr, Expr] = {}
        taken = {*written.values(), *self.system.tensors, *self.system.constants}
        for axis in self.system.axes.values():
            name = written.get(axis.name, "")
            if not name or name in ("row", "column"):
                stem = re.sub(r"_\d+$", "", axis.name)
                name = fresh(stem if axis.of else axis.name, taken)
            taken.add(name)
            self.letters[axis.index] = Name(name, "index", axis.rank)

    def statement(self, statement: Statement) -> str:
        """`left = right`"""
        names: dict[Expr, Expr] = {}
        for place in range(len(self.claim.sides)):
            text = side_text(self.claim.parsed, place)
            whole = side(self.claim, place)
            if whole != statement.left:
                text = text if _ATOM.fullmatch(text) else f"({text})"
            names[whole] = S.Zero if text == "0" else Name(text, "tensor", place)
        left = expression(statement.left.xreplace(names), self.system)
        terms = tuple(self.term(term) for term in statement.terms)
        whole = formula(Equation("line", (), terms), self.system)
        return f"{left} = {whole.partition(' = ')[2]}"

    def term(self, term: Term) -> Term:
        """A term with letters and slopes as they are written."""
        body = self.named(chosen(term.body)).xreplace(self.letters)
        bound = tuple(self.letters[b] for b in term.bound)
        guards = tuple(
            Guard(g.subscript.xreplace(self.letters), g.axis) for g in term.guards
        )
        return Term(body, bound, guards)

    def named(self, body: Expr) -> Expr:
        """`D_L_z1[i]` => `delta1[i]`, `slope_tanh_1(z)` => `tanh'(z)`"""
        return primed(body.xreplace({r: self.told(r) for r in reads(body)}))

    def told(self, whole: Expr) -> Expr:
        """What a read is called."""
        name = tensor_of(whole)
        rank = self.system.tensors[name].rank
        if name in self.claim.slopes:
            return Name(self.slope(whole), "tensor", rank)
        if name in self.declared or name not in self.equations:
            return whole
        equation = self.equations[name]
        at = dict(zip(equation.indices, subscripts_of(whole), strict=True))
        terms = tuple(
            self.term(Term(t.body.xreplace(at), t.bound)) for t in equation.terms
        )
        text = formula(
            Equation("line", (), terms, equation.reduction), self.system
        ).partition(" = ")[2]
        alone = len(terms) == 1 and terms[0].bound
        return Name(text if alone else f"({text})", "tensor", rank)

    def slope(self, whole: Expr) -> str:
        """`delta1[i]`, `D(L, W1[i, j])` or `D(z2[k], W1[i, j])`"""
        slope = self.claim.slopes[tensor_of(whole)]
        places = [s.xreplace(self.letters) for s in subscripts_of(whole)]
        count = len(self.system.tensors[slope.of].axes)
        of, by = (self.system.tensors[name] for name in (slope.of, slope.by))
        if slope.of == self.claim.base.objective and by.role == "defined":
            short = f"delta{slope.by[1:]}"
            name = short if short in self.words else f"delta_{slope.by}"
            under = Name(name, "tensor", by.rank)
            return expression(read(under, *places[count:]), self.system)
        upper = expression(self.told(of.read(*places[:count])), self.system)
        lower = expression(self.told(by.read(*places[count:])), self.system)
        return f"D({upper}, {lower})"


def primed(body: Expr) -> Expr:
    """`slope_tanh_1(z)` => `tanh'(z)`; slopes by other arguments are written out."""
    if not body.args or isinstance(body, Indexed):
        return body
    arguments = [primed(argument) for argument in body.args]
    name = body.func.__name__
    if not name.startswith("slope_"):
        return body.func(*arguments)
    stem, _, place = name.removeprefix("slope_").rpartition("_")
    if place != "1":
        return reveal(body.func(*arguments))
    return symbol(f"{stem}'", len(arguments))(*arguments)


def side_text(parsed: Parsed, place: int) -> str:
    """A side of a claim as it was written."""
    tree = parsed.trees[place]
    start = tree.line.column - 1
    return tree.source.text[start : start + len(tree.line.right)].strip()
