"""Sums of products of vectors and matrices, by removing one index after another."""

from __future__ import annotations

from collections.abc import Collection

import sympy

from symbackprop.equations import Name
from symbackprop.notation.forms import (
    Diag,
    Form,
    Norm,
    Ones,
    Power,
    Product,
    Read,
    Scalar,
    Trace,
    Transpose,
    hadamard,
    product,
    scaled,
    transpose,
)


class NoForm(Exception):  # noqa: N818 - not an error: it never leaves the package
    """What is asked has no form in matrices."""


class Graph:
    """Indices, weights on them (columns) and edges between them (matrices).

    Args:
        bound: the indices that are summed over.
        free: those that stay: rows, then columns.
        first: tensors that stand first in elementwise products.
    """

    def __init__(
        self,
        bound: tuple[Name, ...],
        free: tuple[Name, ...],
        first: Collection[str] = (),
    ) -> None:
        self.bound = list(bound)
        self.free = free
        self.first = first
        self.weights: dict[Name, list[Form]] = {i: [] for i in (*bound, *free)}
        self.edges: dict[tuple[Name, Name], list[Form]] = {}
        self.scalars: list[Form] = []

    def add(self, own: tuple[Name, ...], forms: list[Form]) -> None:
        """Factors over one index, or over two (rows, columns)."""
        if any(index not in self.weights for index in own):
            raise NoForm
        if len(own) == 1:
            self.weights[own[0]] += forms
        elif len(own) == 2:
            rows, columns = own
            if (columns, rows) in self.edges:
                self.edges[columns, rows] += [transpose(form) for form in forms]
            else:
                self.edges.setdefault((rows, columns), []).extend(forms)
        else:
            raise NoForm

    def form(self, scalar: Scalar) -> Form:
        """Everything summed and multiplied, over the free indices."""
        while self.bound:
            self._remove(self._next())
        result = self._rest()
        if scalar.value == 0:
            return spread(scalar, self.free)
        if result is None:
            ones = spread(Scalar(sympy.S.One), self.free)
            return scaled((scalar, *self.scalars), ones)
        return scaled((scalar, *self.scalars), result)

    def _neighbours(self, index: Name) -> list[Name]:
        return [b if a == index else a for a, b in self.edges if index in (a, b)]

    def _next(self) -> Name:
        """The index with fewest neighbours; rather one that transposes no matrix."""

        def rank(index: Name) -> tuple[int, bool, int]:
            near = self._neighbours(index)
            turned = len(near) == 1 and any(
                isinstance(form, Transpose) for form in self._between(near[0], index)
            )
            return len(near), turned, -index.rank

        return min(self.bound, key=rank)

    def _between(self, rows: Name, columns: Name) -> list[Form]:
        if (rows, columns) in self.edges:
            return self.edges[rows, columns]
        return [transpose(form) for form in self.edges[columns, rows]]

    def _matrix(self, rows: Name, columns: Name) -> Form:
        """What stands between two indices, with as few transposes as can be."""
        forms = self._ordered(self._between(rows, columns))
        turned = [transpose(form) for form in forms]
        if len(forms) > 1 and _transposes(turned) + 1 < _transposes(forms):
            return transpose(hadamard(*self._ordered(turned)))
        return hadamard(*forms)

    def _column(self, index: Name) -> Form | None:
        weights = self.weights[index]
        return self._joined(weights) if weights else None

    def _joined(self, forms: list[Form]) -> Form:
        return hadamard(*self._ordered(forms))

    def _ordered(self, forms: list[Form]) -> list[Form]:
        """Factors as a person orders them: errors, products, tensors, then the rest."""

        def rank(form: Form) -> tuple[int, int]:
            read = form.of if isinstance(form, Transpose) else form
            if isinstance(read, Read):
                name = read.symbol
                return (0 if name.name in self.first else 2), name.rank
            if isinstance(form, Product):
                return 1, 0
            return (4 if _divides(form) else 3), 0

        return sorted(forms, key=rank)

    def _remove(self, index: Name) -> None:
        near = self._neighbours(index)
        self.bound.remove(index)
        weight = self._column(index)
        if not near:
            self.scalars.append(self._dot(index))
        elif len(near) == 1:
            (other,) = near
            pair = self._between(other, index)
            alone = weight is None and not self.weights[other]
            if alone and other in self.bound and len(self._neighbours(other)) == 1:
                self.bound.remove(other)
                self.scalars.append(self._inner(pair, other, index))
            else:
                right = Ones(index.name) if weight is None else weight
                self.weights[other].append(product(self._matrix(other, index), right))
        elif len(near) == 2:
            rows, columns = self._oriented(near, index)
            middle = [] if weight is None else [Diag(weight)]
            chain = product(
                self._matrix(rows, index), *middle, self._matrix(index, columns)
            )
            self._forget(index)
            self.add((rows, columns), [chain])
        else:
            raise NoForm
        self._forget(index)

    def _forget(self, index: Name) -> None:
        for pair in [pair for pair in self.edges if index in pair]:
            del self.edges[pair]

    def _oriented(self, near: list[Name], index: Name) -> tuple[Name, Name]:
        """Which neighbour gives the rows: as on the left, else fewer transposes."""
        first, second = near
        if first in self.free and second in self.free:
            return (first, second) if self.free == (first, second) else (second, first)
        turned = isinstance(self._matrix(first, index), Transpose)
        straight = isinstance(self._matrix(second, index), Transpose)
        return (second, first) if turned and not straight else (first, second)

    def _dot(self, index: Name) -> Form:
        """The sum over an index of the product of its weights."""
        forms = self._ordered(self.weights[index])
        ones = transpose(Ones(index.name))
        if not forms:
            return product(ones, Ones(index.name))
        if len(forms) == 1 and isinstance(forms[0], Diag):
            return Trace(forms[0].of)
        if forms[::2] == forms[1::2]:
            return Norm(hadamard(*forms[::2]), matrix=False)
        if len(forms) == 1 or any(_divides(form) for form in forms):
            return product(ones, hadamard(*forms))
        chains = [form for form in forms if isinstance(form, Product)]
        last = chains[-1] if chains else forms[-1]
        right = [form for form in forms if form == last]
        if len(right) == len(forms) or chains:
            right = [last]
        left = list(forms)
        for form in right:
            left.remove(form)
        return product(transpose(hadamard(*left)), hadamard(*right))

    def _inner(self, pair: list[Form], rows: Name, columns: Name) -> Form:
        """The sum of all entries of an elementwise product of matrices."""
        forms = self._ordered(pair)
        if forms[::2] == forms[1::2]:
            return Norm(hadamard(*forms[::2]), matrix=True)
        if len(forms) == 1 or any(_divides(form) for form in forms):
            ones = transpose(Ones(rows.name))
            return product(ones, hadamard(*forms), Ones(columns.name))
        left, right = hadamard(*forms[:-1]), forms[-1]
        first = product(transpose(left), right)
        second = product(left, transpose(right))
        fewer = _transposes([second]) < _transposes([first])
        return Trace(second if fewer else first)

    def _rest(self) -> Form | None:
        """What stands on the free indices; None where nothing does."""
        if not self.free:
            return Scalar(sympy.S.One)
        if len(self.free) == 1:
            return self._column(self.free[0])
        rows, columns = self.free
        above, below = self._column(rows), self._column(columns)
        if self.edges:
            left = [] if above is None else [Diag(above)]
            right = [] if below is None else [Diag(below)]
            return product(*left, self._matrix(rows, columns), *right)
        if above is None and below is None:
            return None
        left_form = Ones(rows.name) if above is None else above
        right_form = Ones(columns.name) if below is None else below
        return product(left_form, transpose(right_form))


def _transposes(forms: list[Form]) -> int:
    parts = [f.factors if isinstance(f, Product) else (f,) for f in forms]
    return sum(isinstance(part, Transpose) for factors in parts for part in factors)


def _divides(form: Form) -> bool:
    return isinstance(form, Power) and bool(form.exponent.is_negative)


def spread(scalar: Scalar, free: tuple[Name, ...]) -> Form:
    """A scalar at every entry of a vector or matrix."""
    if not free:
        return scalar
    ones: list[Form] = [Ones(free[0].name)]
    ones += [transpose(Ones(index.name)) for index in free[1:]]
    return scaled((scalar,), product(*ones))
