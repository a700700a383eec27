"""A formula over indices as a tree of the grammar, in the letters of a claim."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Mul, S

from symbackprop import scalars
from symbackprop.argument.lines import kronecker
from symbackprop.claims.reading.text import parse
from symbackprop.claims.repairs.derived import Formula
from symbackprop.equations import (
    Axis,
    Equation,
    Name,
    Term,
    defined_by,
    fresh,
)
from symbackprop.errors import DeclarationError
from symbackprop.formula import formula as text_of

LETTERS = "ijklmnpqrst"
DEPTH = 3  # equations put into one another
LEFT = "left"  # a name for what the formula is of


class UnprintableError(Exception):
    """The grammar of claims has no words for it."""


@dataclass(frozen=True)
class Writer:
    """Writes formulas.

    Attributes:
        letters: those of the claim that are no subscripts on its left, with the sizes
            of what they run over.
        taken: those on its left.
        declared: whether the claim uses the letters of declared axes.
        known: the tensors and adjoints that a claim may name.
        depth: how often equations have been put into one another.
    """

    letters: Mapping[str, int]
    taken: frozenset[str]
    declared: bool
    known: frozenset[str]
    depth: int = 0

    def tree(self, formula: Formula, at: Sequence[Expr]) -> ast.expr:
        """The right side at some subscripts.

        Raises:
            UnprintableError: it cannot be written.
        """
        if len(at) != len(formula.indices):
            raise UnprintableError
        places = dict(zip(formula.indices, at, strict=True))
        terms = tuple(self._term(term, places, formula) for term in formula.terms)
        whole = Equation(LEFT, (), terms, formula.reduction)
        tree = tree_of(text_of(whole, formula.system).partition(" = ")[2])
        opened: ast.expr = _Unsplit(self, formula, tree).visit(tree)
        return opened

    def _term(self, term: Term, places: Mapping[Expr, Expr], formula: Formula) -> Term:
        """A term at the subscripts, gathered, its bound letters named for people."""
        body = term.body
        for target, index in zip(
            term.target or (), formula.indices, strict=term.target is not None
        ):
            if target != index:
                body = body * kronecker(target, index)
        used = set(self.taken)
        names: dict[Name, Name] = {}
        for index in term.bound:
            letter = self._letter(formula.system.axes[index.name], used)
            used.add(letter)
            names[index] = Name(letter, "index", index.rank)
        body = _with_choices(body.xreplace({**places, **names}))
        return Term(body, tuple(names.values()))

    def _letter(self, axis: Axis, used: set[str]) -> str:
        """A letter of the claim over this axis, its own name, or the next free one."""
        fitting = [n for n, size in self.letters.items() if size == axis.size]
        if self.declared:
            fitting.append(axis.of or axis.name)
        free = [name for name in (*fitting, *LETTERS) if name not in used]
        return free[0] if free else fresh(axis.name, used)


def _with_choices(body: Expr) -> Expr:
    """`x[j]*[k = i]` => `where(k == i, x[j], 0)`."""
    factors = Mul.make_args(body)
    deltas = [f for f in factors if f.func is kronecker]
    rest = Mul(*(f for f in factors if f not in deltas))
    for delta in deltas:
        rest = scalars.where(scalars.equal(*delta.args), rest, S.Zero)
    return rest


class _Unsplit(ast.NodeTransformer):
    """Puts what a claim has no name for into its place: `sum(exp(z[k]), k)`."""

    def __init__(self, writer: Writer, formula: Formula, tree: ast.expr) -> None:
        letters = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        self.writer = replace(writer, taken=writer.taken | letters)
        self.system = formula.system
        self.defined = defined_by(formula.system)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._opened(node, node.id, [])

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        inside = node.slice
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        return self._opened(node, name, parts)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return ast.Call(node.func, [self.visit(a) for a in node.args], [])

    def _opened(self, node: ast.expr, name: str, parts: Sequence[ast.expr]) -> ast.expr:
        if name in self.writer.known or name not in self.defined:
            return node
        if self.writer.depth == DEPTH:
            raise UnprintableError
        equation = self.defined[name]
        whole = Formula(
            equation.indices, equation.terms, self.system, equation.reduction
        )
        deeper = replace(self.writer, depth=self.writer.depth + 1)
        return deeper.tree(whole, [subscript(part) for part in parts])


def tree_of(text: str) -> ast.expr:
    """The tree of a right side.

    Raises:
        UnprintableError: the grammar has no words for it.
    """
    try:
        return parse(f"0 = {text}").sides[1]
    except DeclarationError:
        raise UnprintableError from None


def subscript(node: ast.expr) -> Expr:
    """`t + 1` as an expression of letters.

    Raises:
        UnprintableError: it is no sum of letters and whole numbers.
    """
    match node:
        case ast.Name(id=name):
            return Name(name, "index", 0)
        case ast.Constant(value=int(value)):
            return Integer(value)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -subscript(inner)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return subscript(left) + subscript(right)
        case ast.BinOp(op=ast.Sub(), left=left, right=right):
            return subscript(left) - subscript(right)
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return subscript(left) * subscript(right)
    raise UnprintableError
