"""Statements written in the notation and the letters of the claim.

What the claim calls `delta1` is called so; other slopes are `D(z2[k], W1[i, j])`.
Factors that a sum does not change stand before it, as a person writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sympy import Add, Expr, Indexed, Mul, S

from symbackprop.argument.lines import kronecker
from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.statements import Statement, chosen, side
from symbackprop.claims.proving.sums import guards_of
from symbackprop.claims.proving.values import factored
from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.verdict import Line, Reason
from symbackprop.equations import (
    Axis,
    Equation,
    Guard,
    Name,
    Term,
    defined_by,
    fresh,
    indices_of,
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


def lines(
    claim: Claim, statements: Sequence[Statement], numbers: Mapping[str, int]
) -> tuple[Line, ...]:
    """Each statement as a line of text.

    Args:
        numbers: of the equations of tensors, where they have any.
    """
    writer = _Writer(claim, statements)
    found: dict[str, Line] = {}
    for statement in statements:
        text = writer.statement(statement)
        found.setdefault(text, Line(text, writer.reason(statement.reason, numbers)))
    return tuple(found.values())


class _Writer:
    def __init__(self, claim: Claim, statements: Sequence[Statement]) -> None:
        self.claim, self.system = claim, claim.system
        self.equations = defined_by(claim.system)
        self.declared = {*claim.base.tensors}
        self.words = set(re.findall(r"\w+", claim.parsed.text))
        self.letters = self._letters(statements)

    def _letters(self, statements: Sequence[Statement]) -> dict[Expr, Expr]:
        """What each letter is written as: as in the claim, else as its axis."""
        written = {
            axis.name: letter
            for letter, axis in self.claim.letters.items()
            if letter not in MATRIX_LETTERS
        }
        taken = {*written.values(), *self.system.tensors, *self.system.constants}
        found: dict[Expr, Expr] = {}
        for axis in self._axes(statements):
            name = written.get(axis.name, "")
            if not name:
                name = fresh(re.sub(r"_\d+$", "", axis.name), taken)
                taken.add(name)
            found[axis.index] = Name(name, "index", axis.rank)
        return found

    def _axes(self, statements: Sequence[Statement]) -> list[Axis]:
        """The axes of the letters in some statements, those of the sides first."""
        found: dict[str, None] = {}
        for name in self.claim.sides:
            found.update(dict.fromkeys(self.system.tensors[name].axes))
        for statement in statements:
            for term in statement.terms:
                parts = (term.body, *(g.subscript for g in term.guards), *term.bound)
                for part in parts:
                    found.update(dict.fromkeys(i.name for i in indices_of(part)))
        for equation in self.equations.values():  # which may stand for their names
            if equation.tensor not in self.declared:
                for term in equation.terms:
                    found.update(dict.fromkeys(i.name for i in indices_of(term.body)))
        return [self.system.axes[name] for name in found]

    # --- whole lines -----------------------------------------------------------------

    def statement(self, statement: Statement) -> str:
        """`left = right`"""
        names: dict[Expr, Expr] = {}
        for place, name in enumerate(self.claim.sides):
            whole = side(self.claim, place)
            text = self.side(name, place)
            if whole != statement.left:
                text = text if _ATOM.fullmatch(text) else f"({text})"
            names[whole] = S.Zero if text == "0" else Name(text, "tensor", place)
        left = statement.left.xreplace(names)
        if not statement.left.has(*names):
            left = self.named(chosen(left))
        text = f"{expression(left, self.system)} = {self.total(statement.terms)}"
        conditions = [
            expression(self.named(c), self.system) for c in statement.conditions
        ]
        return f"{text} if {' and '.join(conditions)}" if conditions else text

    def reason(self, reason: Reason, numbers: Mapping[str, int]) -> Reason:
        """A reason in which tensors have the numbers of their equations."""
        names = [n for n in reason.parts.get("names", "").split(", ") if n]
        helpers = self.equations.keys() - self.declared
        shown = [n for n in names if n not in helpers]
        if "names" in reason.parts and not shown:
            return Reason("by differentiation")
        told = [f"`{n}` ({numbers[n]})" if n in numbers else f"`{n}`" for n in shown]
        return replace(reason, parts={"names": ", ".join(told)} if told else {})

    def side(self, name: str, place: int) -> str:
        """A side as it was written; in matrix form by its entries."""
        if self.claim.form != "matrix":
            return side_text(self.claim.parsed, place)
        return self.total(self.equations[name].terms)

    def total(self, terms: Iterable[Term]) -> str:
        """A sum of terms; those over the same indices share their common factors."""
        groups: dict[Term, list[Expr]] = {}
        for term in terms:
            said = {
                (g.subscript, self.system.size(g.axis))
                for g in guards_of(term.body, self.system)
            }
            guards = tuple(
                guard
                for guard in term.guards
                if (guard.subscript, self.system.size(guard.axis)) not in said
            )
            term = replace(term, guards=guards)
            factors = Mul.make_args(term.body)
            deltas = Mul(*(f for f in factors if f.func is kronecker))
            rest = Mul(*(f for f in factors if f.func is not kronecker))
            groups.setdefault(replace(term, body=deltas), []).append(rest)
        return expression(
            Add(*(self.group(term, bodies) for term, bodies in groups.items())),
            self.system,
        )

    def group(self, like: Term, bodies: Sequence[Expr]) -> Expr:
        """Addends over the same indices, as one expression."""
        factors = factored(bodies)
        if like.body != 1:
            factors = [chosen(Mul(*factors, like.body))]
        if not like.guards:
            return self.nested(factors, like.bound)
        guards = tuple(
            Guard(g.subscript.xreplace(self.letters), g.axis) for g in like.guards
        )
        bound = tuple(b.xreplace(self.letters) for b in like.bound)
        term = Term(self.named(Mul(*factors)), bound, guards)
        text = formula(Equation("line", (), (term,)), self.system)
        return Name(text.partition(" = ")[2], "tensor", 0)

    def nested(self, factors: Sequence[Expr], bound: tuple[Name, ...]) -> Expr:
        """`sum over k, m of a*b[k]*c[k, m]` => `a*sum(b[k]*sum(c[k, m], m), k)`"""
        if not bound:
            return self.named(Mul(*factors))
        held = {b: [f for f in factors if b in f.free_symbols] for b in bound}
        outside = Mul(*(f for f in factors if not f.free_symbols & {*bound}))
        inner = min(bound, key=lambda b: len(held[b]))
        others = tuple(b for b in bound if b != inner)
        apart = [f for b in others for f in held[b] if f not in held[inner]]
        if apart and all(held.values()):
            deeper = self.nested(held[inner], (inner,))
            body = self.named(Mul(*dict.fromkeys(apart))) * deeper
        else:
            body, others = self.named(Mul(*factors) / outside), bound
        number, body = body.as_coeff_Mul()
        letters = ", ".join(str(self.letters[b]) for b in others)
        text = f"sum({expression(body, self.system)}, {letters})"
        return number * self.named(outside) * Name(text, "tensor", 0)

    # --- names -----------------------------------------------------------------------

    def named(self, body: Expr) -> Expr:
        """`D_L_z1[i]` => `delta1[i]`, `slope_tanh_1(z)` => `tanh'(z)`"""
        told = body.xreplace({r: self.told(r) for r in reads(body)})
        return primed(told.xreplace(self.letters))

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
        if equation.reduction != "sum":
            (term,) = equation.terms
            letters = ", ".join(str(self.letters[b]) for b in term.bound)
            body = expression(self.named(term.body.xreplace(at)), self.system)
            text = f"{equation.reduction}({body}, {letters})"
        else:
            text = self.total(
                replace(t, body=t.body.xreplace(at)) for t in equation.terms
            )
        return Name(text if _is_call(text) else f"({text})", "tensor", rank)

    def slope(self, whole: Expr) -> str:
        """`delta1[i]`, `D(L, W1[i, j])` or `D(z2[k], W1[i, j])`"""
        slope = self.claim.slopes[tensor_of(whole)]
        places = [s.xreplace(self.letters) for s in subscripts_of(whole)]
        count = len(self.system.tensors[slope.of].axes)
        of, by = (self.system.tensors[name] for name in (slope.of, slope.by))
        if slope.of == self.claim.base.objective and by.role == "defined":
            short = f"delta{slope.by[1:]}"
            called = slope.by.startswith("z") and short in self.words
            name = short if called else f"delta_{slope.by}"
            under = Name(name, "tensor", by.rank)
            return expression(read(under, *places[count:]), self.system)
        at = subscripts_of(whole)
        upper = self.told(of.read(*at[:count])).xreplace(self.letters)
        lower = self.told(by.read(*at[count:])).xreplace(self.letters)
        texts = [expression(part, self.system) for part in (upper, lower)]
        return f"D({', '.join(map(_without_brackets, texts))})"


MATRIX_LETTERS = ("row", "column")


def _is_call(text: str) -> bool:
    """Whether a text is one call: `sum(...)`."""
    if not re.match(r"\w+\(.*\)$", text):
        return False
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == ")" and depth == 0:
            return place == len(text) - 1
    return False


def _without_brackets(text: str) -> str:
    bracketed = text.startswith("(") and _is_call(f"f{text}")
    return text[1:-1] if bracketed else text


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
