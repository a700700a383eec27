"""Operators between the parts of a claim in matrix form.

Shapes meet by size, and a number is spread over entries.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, S

from symbackprop.claims.claim import MisfitError
from symbackprop.claims.reading.matrix import Index, Matrix
from symbackprop.claims.reading.sides import ClaimReader
from symbackprop.claims.writing import written
from symbackprop.equations import Axis, Name, fresh
from symbackprop.grammar.normal import Reduced


class Operators(ClaimReader):
    """Joins columns, rows, matrices and numbers."""

    def product(self, node: ast.BinOp, left: Matrix, right: Matrix) -> Matrix:
        """`A @ B`: the sum over the columns of A and the rows of B."""
        if left.identity or right.identity:
            return right if left.identity else left
        if not self.same(left.columns, right.rows):
            raise MisfitError(
                "product misfit",
                left=written(node.left),
                right=written(node.right),
                first=self.shape(left),
                second=self.shape(right),
            )
        if not left.columns and not right.rows:
            return Matrix(
                left.rows,
                right.columns,
                lambda r, c, s: left.at(r, None, s) * right.at(None, c, s),
            )
        index = self.letter(left.columns or right.rows)

        def entry(r: Index, c: Index, scope: tuple[Name, ...]) -> Expr:
            inner = (*scope, index)
            first = left.at(r, index if left.columns else None, inner)
            second = right.at(index if right.rows else None, c, inner)
            return self.total(first * second, index, scope)

        return Matrix(left.rows, right.columns, entry)

    def entrywise(
        self, node: ast.expr, join: Callable[..., Expr], parts: list[Matrix]
    ) -> Matrix:
        """Entries of matrices of one shape joined; numbers stand at every entry."""
        whole = [p for p in parts if not p.is_scalar]
        sized = [p for p in whole if not p.identity]
        shape = sized[0] if sized else (whole[0] if whole else parts[0])
        for part in whole:
            fits = self.fits(part, shape)
            if not fits:
                text = written(node)
                raise MisfitError(
                    "entrywise misfit",
                    text=text,
                    first=self.shape(shape),
                    second=self.shape(part),
                )

        def entry(r: Index, c: Index, scope: tuple[Name, ...]) -> Expr:
            return join(*(p.at(r, c, scope) for p in parts))

        return replace(shape, entry=entry, identity=shape.identity and not sized)

    def scaled(self, left: Matrix, right: Matrix) -> list[Matrix]:
        """Two factors; one of 1 x 1 is a number beside a larger one."""
        if self.fits(left, right):
            return [left, right]
        return [
            part.as_number() if self.shape(part) == "1 x 1" else part
            for part in (left, right)
        ]

    def fits(self, part: Matrix, shape: Matrix) -> bool:
        if part.identity or shape.identity:
            sized = shape if part.identity else part
            return sized.identity or self.same(sized.rows, sized.columns)
        return self.same(part.rows, shape.rows) and self.same(
            part.columns, shape.columns
        )

    def same(self, first: str, second: str) -> bool:
        """Whether two axes are equally long; no axis is one of size 1."""
        return self.size(first) == self.size(second)

    def size(self, axis: str) -> int:
        return self.system.size(axis) if axis else 1

    def shape(self, part: Matrix) -> str:
        """`3 x 4`, for people."""
        if part.identity:
            return "n x n"
        if part.is_scalar:
            return "1"
        return f"{self.size(part.rows)} x {self.size(part.columns)}"

    # --- letters ---------------------------------------------------------------------

    def letter(self, axis: str) -> Name:
        """A new letter over an axis."""
        axes = self.bench.axes
        taken = {*axes, *self.bench.tensors, *self.system.constants}
        origin = axes[axis]
        rank = 1 + max(known.rank for known in axes.values())
        name = fresh(f"{origin.of or origin.name}", taken)
        axes[name] = Axis(name, origin.size, rank, origin.of or origin.name)
        return axes[name].index

    def total(self, body: Expr, index: Name, scope: tuple[Name, ...]) -> Expr:
        return self.placeholders.add(Reduced("sum", (index,), body, scope, S.One))
