"""A matrix as a function from a row and a column to the entry there.

A vector is a column. Every part of a claim in matrix form is a number, a column, a row
or a matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sympy import Expr, S

from symbackprop import scalars
from symbackprop.equations import Name

Index: TypeAlias = "Expr | None"  # None where there is but one row or column
Entry = Callable[[Index, Index, tuple[Name, ...]], Expr]


@dataclass(frozen=True)
class Matrix:
    """A number, column, row or matrix.

    Attributes:
        rows: the axis that its rows run over; "" for one row.
        columns: the axis that its columns run over; "" for one column.
        entry: the entry at a row and a column, which are None where there is but one.
        identity: whether it is an identity matrix whose size is not yet known.
    """

    rows: str
    columns: str
    entry: Entry
    identity: bool = False

    def at(self, row: Index, column: Index, scope: tuple[Name, ...]) -> Expr:
        """The entry; an axis of size 1 meets none at 0."""
        if self.identity:
            return self.entry(row, column, scope)
        r = (S.Zero if row is None else row) if self.rows else None
        c = (S.Zero if column is None else column) if self.columns else None
        return self.entry(r, c, scope)

    def as_number(self) -> Matrix:
        """The one entry of a matrix of 1 x 1."""
        return Matrix("", "", lambda r, c, s: self.at(None, None, s))

    @property
    def is_scalar(self) -> bool:
        return not (self.rows or self.columns or self.identity)


def kronecker(r: Index, c: Index, scope: tuple[Name, ...]) -> Expr:
    """1 on the diagonal, else 0."""
    if r is None or c is None:
        return S.One
    return scalars.where(scalars.equal(r, c), S.One, S.Zero)


def laid_out(
    of: Matrix,
    under: Matrix,
    value: Callable[[list[Index], list[Index]], Expr],
    denominator: bool,
) -> Matrix:
    """Where each slope stands: below what it is by, or beside what it is of."""
    if under.is_scalar:  # numerator layout keeps the shape of what it is of
        made = Matrix(of.rows, of.columns, lambda r, c, s: value([r, c], []))
        turned = denominator
    elif of.is_scalar:  # denominator layout keeps the shape of what it is by
        made = Matrix(under.rows, under.columns, lambda r, c, s: value([], [r, c]))
        turned = not denominator
    else:
        made = Matrix(
            under.rows, of.rows or of.columns, lambda r, c, s: value([c], [r])
        )
        turned = not denominator
    if not turned:
        return made
    return Matrix(made.columns, made.rows, lambda r, c, s: made.at(c, r, s))
