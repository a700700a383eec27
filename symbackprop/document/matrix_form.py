r"""The chapter in matrix form: each equation raised from its index form.

What has no matrix form is left out here and stays in index form. Layout: a slope by a
vector is a column, a slope by a matrix has the matrix's shape (denominator layout).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, Mul

from symbackprop.argument.lines import Line, kronecker
from symbackprop.document.chapter import Inline, NumberedEquation
from symbackprop.document.functions import Rule
from symbackprop.document.matrices import MatrixLines, symbol
from symbackprop.document.pieces import PRODUCT
from symbackprop.document.symbols import Symbols
from symbackprop.equations import (
    Equation,
    Name,
    System,
    Tensor,
    Term,
    is_index,
    subscripts_of,
    tensor_of,
)
from symbackprop.notation import (
    MatrixEquation,
    Raised,
    check,
    held_axes,
    raise_system,
    raised,
)
from symbackprop.notation.forms import Diag
from symbackprop.scalars import equal, where

JACOBIAN = "jacobian"  # the name of the tensor that a local derivative is raised as


@dataclass(frozen=True)
class Sides:
    """Both sides of a matrix equation in LaTeX."""

    left: str
    right: tuple[str, ...]


class MatrixForm:
    """Raises the equations and lines over one system.

    Args:
        system: names, with the letters that the lines use.
        symbols: how they are written.
        first: tensors that stand first in elementwise products: adjoints.
        functions: rules of printing for functions that the table lacks.
    """

    def __init__(
        self,
        system: System,
        symbols: Symbols,
        first: Iterable[str],
        functions: Mapping[str, Rule] | None = None,
    ) -> None:
        self.system = system
        self.symbols = symbols
        self.first = frozenset(first)
        self.lines = MatrixLines(system, symbols, functions)

    @cached_property
    def held(self) -> frozenset[str]:
        return held_axes(self.system)

    @cached_property
    def all(self) -> Mapping[str, Raised]:
        """Every equation of the system."""
        return raise_system(self.system, self.first, self.held)

    def equation(self, name: str) -> Sides | None:
        """The equation of a tensor."""
        return self.sides(self.all.get(name))

    def line(self, line: Line) -> Sides | None:
        """A line of a proof whose left side is a tensor."""
        equation = Equation(tensor_of(line.left), line.free, self._scattered(line))
        return self.sides(raised(equation, self.system, self.held, self.first))

    def sides(self, found: Raised) -> Sides | None:
        if not isinstance(found, MatrixEquation):
            return None
        return Sides(self.lines.left(found), self.lines.right(found))

    @staticmethod
    def _scattered(line: Line) -> tuple[Term, ...]:
        """`[y = k]` as a one-hot vector: `1` added at `[y]`."""
        terms = []
        for term in line.terms:
            places: dict[Name, Expr] = {}
            rest = []
            for factor in Mul.make_args(term.body):
                place = _label(factor, [i for i in line.free if i not in places])
                if place is None:
                    rest.append(factor)
                else:
                    places[place[0]] = place[1]
            if places:
                target = tuple(places.get(index, index) for index in line.free)
                body = Mul(*rest).xreplace(places)
                guards = tuple(
                    replace(g, subscript=g.subscript.xreplace(places))
                    for g in term.guards
                )
                term = replace(term, body=body, target=target, guards=guards)
            terms.append(term)
        return tuple(terms)

    # --- local derivatives -----------------------------------------------------------

    def jacobian(self, line: Line) -> Sides | None:
        r"""The last line of a local derivative's proof.

        `d z[k] / d a[i] = W[k, i]` => `W^T`, `f'(z[i]) [k = i]` => `diag(f'(z))`,
        `x[j] [k = i]` by `W[i, j]` => `x_j e_i`
        """
        above, below = line.left.args
        own, by = (tuple(subscripts_of(side)) for side in (above, below))
        rows, columns = (tuple(s for s in side if is_index(s)) for side in (by, own))
        if len(rows) != len(by) or len(columns) != len(own) or len(columns) > 1:
            return None
        if any(self._is_held(index) for index in (*rows, *columns)):
            return None
        found: tuple[str, ...] | None = None
        entry = False
        if not columns and len(rows) <= 2:
            found = self._raised(rows, line.terms)
        elif len(rows) == 1 and columns:
            found = self._matrix(rows[0], columns[0], line.terms)
        elif len(rows) == 2 and columns and len(line.terms) == 1:
            found, entry = self._one_hot(rows, columns[0], line.terms[0]), True
        if found is None:
            return None
        shown = [self.symbols.index(str(r)) for r in rows] if entry else []
        top = self._bold(tensor_of(above), columns, [])
        bottom = self._bold(tensor_of(below), rows, shown)
        return Sides(f"\\frac{{\\partial {top}}}{{\\partial {bottom}}}", found)

    def _is_held(self, index: Name) -> bool:
        """Whether an index, or the one that it is a spare letter of, is a label."""
        axis = self.system.axes[index.name]
        return bool({axis.name, axis.of} & self.held)

    def _bold(self, name: str, axes: tuple[Name, ...], shown: list[str]) -> str:
        return symbol(self.symbols, name, shown, 0 if shown else len(axes))

    def _matrix(
        self, row: Name, column: Name, terms: tuple[Term, ...]
    ) -> tuple[str, ...] | None:
        """A slope of a vector by a vector: diagonal, or any other matrix."""
        (term, *others) = terms
        delta = _delta(term, row, column)
        if delta is None:
            return self._raised((row, column), terms)
        if others or term.bound or term.guards:
            return None
        if self.system.size(row) != self.system.size(column):
            return None
        rest = (term.body / delta).xreplace({column: row})
        diagonal = self._form((row,), (replace(term, body=rest),))
        if diagonal is None:
            return None
        # The whole is judged again: [k = i] v[k] against diag(v).
        entries = replace(term, body=rest * where(equal(row, column), 1, 0))
        system = self._with(row, row)  # both run over one axis
        whole = MatrixEquation(
            replace(diagonal.left, subscripts=(None, None)),
            Diag(diagonal.right),
            (Equation(JACOBIAN, (row, column), (entries,)),),
        )
        if not check(whole, system):
            return None
        if rest.is_number:
            minus, size = self.lines.lines.printer.signed(rest)
            front = "" if abs(rest) == 1 else f"{size.within(PRODUCT)}\\, "
            return ("-" * minus + front + r"\mathbf{I}",)
        return self.lines.right(whole)

    def _one_hot(
        self, rows: tuple[Name, ...], column: Name, term: Term
    ) -> tuple[str, ...] | None:
        """A slope of a vector by one entry of a matrix: 0 but in one place."""
        for place, row in enumerate(rows):
            delta = _delta(term, row, column)
            if delta is None or term.bound or term.guards:
                continue
            rest = term.body / delta
            if self.system.size(row) != self.system.size(column):
                return None
            if {row, column} & rest.free_symbols:
                return None
            unit = f"\\mathbf{{e}}_{{{self.symbols.index(str(rows[place]))}}}"
            text = self.lines.lines.printer.piece(rest).within(PRODUCT)
            return (unit if rest == 1 else f"{text}\\, {unit}",)
        return None

    def _raised(
        self, indices: tuple[Name, ...], terms: tuple[Term, ...]
    ) -> tuple[str, ...] | None:
        """Terms as a tensor with these axes."""
        found = self._form(indices, terms)
        return None if found is None else self.lines.right(found)

    def _form(
        self, indices: tuple[Name, ...], terms: tuple[Term, ...]
    ) -> MatrixEquation | None:
        equation = Equation(JACOBIAN, indices, terms)
        return raised(equation, self._with(*indices), self.held, self.first)

    def _with(self, *indices: Name) -> System:
        """The system with a tensor over these indices."""
        rank = 1 + max(t.rank for t in self.system.tensors.values())
        batched = self.system.batched
        made = Tensor(JACOBIAN, tuple(map(str, indices)), "defined", rank, batched)
        tensors = {**self.system.tensors, JACOBIAN: made}
        return replace(self.system, tensors=tensors)


def _delta(term: Term, row: Name, column: Name) -> Expr | None:
    """The factor `[column = row]`."""
    for factor in Mul.make_args(term.body):
        if factor.func is kronecker and set(factor.args) == {row, column}:
            return factor
    return None


def _label(factor: Expr, free: Sequence[Name]) -> tuple[Name, Expr] | None:
    """Where `[y = k]` puts its 1: the index `k`, and the place `y`."""
    if factor.func is not kronecker:
        return None
    for index, other in (factor.args, tuple(reversed(factor.args))):
        if index in free and not is_index(other):
            return index, other
    return None


def row(
    sides: Sides, reason: Inline = (), number: int | None = None
) -> NumberedEquation:
    """A row of an aligned display."""
    return NumberedEquation(number, sides.left, sides.right, reason)
