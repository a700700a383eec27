"""The value of a tree at a point, in float64: quick, and trusted for nothing.

    sum(W[i, j]*x[j], j) + b[i]   =>   the array over `i`
    f' o (W.T @ delta)            =>   a column

What passes here is judged by `claims.judge`; what fails here is not. An array's last
two dimensions are rows and columns, and before them stands one for each letter that is
open; where a part does not depend on a letter, that dimension is 1. Slopes of functions
are complex steps.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from sympy import Expr

from symbackprop.claims.reading.bench import Workbench
from symbackprop.claims.repairs.arrays import (
    MATRIX,
    NoValueError,
    Reduce,
    diagonal,
    extremum,
    met,
    number,
    power,
    take,
    together,
)
from symbackprop.claims.repairs.point import Point
from symbackprop.claims.repairs.scopes import Letter, size_of
from symbackprop.claims.writing import written
from symbackprop.equations import subscripts_of, tensor_of
from symbackprop.grammar.text import PI, REDUCTIONS
from symbackprop.scalars import TABLE
from symbackprop.witnesses.numbers import COMPLEX, Array

STEP = 1e-30
APART = 1e-5  # points of a difference
MOST_PRIMES = 2


# What numpy says of shapes that do not meet, and of more dimensions than it knows.
_NO_VALUE = (LookupError, OverflowError, RuntimeError, TypeError, ValueError)

Letters = Mapping[str, Letter]


@dataclass(frozen=True)
class Moved:
    """What a derivative is taken by: a tensor, and subscripts of the entry."""

    name: str
    subscripts: tuple[Array, ...]


@dataclass(frozen=True)
class Interpreter:
    """Evaluates trees.

    Attributes:
        bench: what names mean.
        point: what they are.
        letters: the free letters of the claim.
        numerator: whether derivatives are laid out by their numerators.
        depth: how many dimensions of letters are taken: by the free ones, or by the
            samples of a scalar claim.
        identity: the size of `I`.
        moved: inside of a derivative, what it is taken by.
    """

    bench: Workbench
    point: Point
    letters: Letters
    numerator: bool = False
    depth: int = 0
    identity: int = 1
    moved: Moved | None = None
    _known: dict[Hashable, Array] = field(default_factory=dict)

    def side(self, node: ast.expr) -> Array:
        """The value of a side, real.

        Raises:
            NoValueError: it does not type, or is beyond this module.
        """
        return np.real(self._safely(self.value, node))

    def holds(self, node: ast.expr) -> Array:
        """Where a condition holds.

        Raises:
            NoValueError: as of a side.
        """
        return self._safely(self.condition, node)

    def _safely(self, read: Callable[[ast.expr], Array], node: ast.expr) -> Array:
        try:
            with np.errstate(all="ignore"):
                return read(node)
        except _NO_VALUE as error:
            raise NoValueError from error

    # --- nodes -----------------------------------------------------------------------

    def value(self, node: ast.expr) -> Array:
        match node:
            case ast.Constant(value=value):
                return np.full((1, 1), complex(value))  # type: ignore[arg-type]
            case ast.Name(id=name):
                return self._name(name)
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                return self._read(name, tuple(self._subscript(p) for p in parts))
            case ast.Attribute(value=of):
                return np.swapaxes(self.value(of), -1, -2)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return np.negative(self.value(inner))
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.value(inner)
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                return np.asarray(np.matmul(self.value(left), self.value(right)))
            case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
                return power(self.value(base), self.value(exponent))
            case ast.BinOp(op=op, left=left, right=right):
                a, b = met(self.value(left), self.value(right))
                return np.asarray(_OPERATORS[type(op)](a, b))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise NoValueError

    def _name(self, name: str) -> Array:
        bench = self.bench
        axes = bench.axes_of(name)
        if axes is not None:
            return self._read(name, None)
        if name in bench.base.constants:
            return np.full((1, 1), complex(bench.base.constants[name].value))
        if name in self.letters:
            return self.letters[name].places.astype(complex)
        if name == PI:
            return np.full((1, 1), complex(np.pi))
        if name == "I":
            return np.eye(self.identity, dtype=complex)
        raise NoValueError

    def _read(self, name: str, places: tuple[Array, ...] | None) -> Array:
        """An entry of a tensor or of an adjoint, or, without places, all of it."""
        tensors, objective = self.bench.base.tensors, self.bench.base.objective
        if name in tensors:
            tensor = tensors[name]
            if not self.bench.base.equations:
                return self._variable(name)
            value, outside = self.point.values[name], tensor.zero_outside
        elif name in self.bench.names and self.moved is None:
            tensor = tensors[self.bench.names[name]]
            value, outside = self.point.slope(objective, tensor.name), True
        else:
            raise NoValueError
        places = places or ()
        places = (*places, *self._whole(np.shape(value)[len(places) :]))
        found = take(value, places, outside).astype(complex)
        if self.moved is None:
            return found
        slope = self.point.slope(name, self.moved.name)
        change = take(slope, (*places, *self.moved.subscripts), True)
        return found + 1j * STEP * change

    def _variable(self, name: str) -> Array:
        values = self.point.values[name].astype(complex).reshape(-1, 1, 1)
        moves = self.moved is not None and self.moved.name == name
        return values + 1j * STEP if moves else values

    @staticmethod
    def _whole(shape: tuple[int, ...]) -> tuple[Array, ...]:
        """The places of a number, a column or a matrix."""
        if len(shape) > MATRIX:
            raise NoValueError
        rows = [np.arange(size).reshape(-1, 1) for size in shape[:1]]
        return (*rows, *(np.arange(size).reshape(1, -1) for size in shape[1:]))

    def _subscript(self, node: ast.expr) -> Array:
        """Whole numbers over the letters in a subscript."""
        match node:
            case ast.Name(id=name) if name in self.letters:
                return self.letters[name].places
        value = np.real(replace(self, moved=None).value(node))
        return np.asarray(np.rint(value), dtype=int)

    # --- functions -------------------------------------------------------------------

    def _call(self, name: str, arguments: list[ast.expr]) -> Array:
        stem = name.rstrip("_")
        if name == "D":
            text = ", ".join(map(written, arguments))
            key = (text, self.depth, tuple(self.letters.items()))
            if key not in self._known:
                self._known[key] = self._derivative(*arguments)
            return self._known[key]
        if name == "diag":
            return diagonal(self.value(*arguments))
        if name == "softmax":
            raised = np.exp(self.value(*arguments))
            return np.asarray(raised / raised.sum(axis=(-1, -2), keepdims=True))
        if name == "where":
            chosen = self.condition(arguments[0])
            parts = met(chosen, *(self.value(other) for other in arguments[1:]))
            return np.asarray(np.where(*np.broadcast_arrays(*parts)))
        if name in REDUCTIONS:
            return self._reduced(name, *arguments)
        function, values = stem, [self.value(argument) for argument in arguments]
        if stem in self.bench.functions:
            function, others, made = self.bench.functions[stem]
            axes = self.bench.axes_of(made) or ()
            values += [self._other(o, axes, arguments[0]) for o in others]
        row = TABLE[function]
        missing = row.arity - len(values)
        if missing:
            values += [number(d) for d in row.defaults[-missing:]]
        if len(values) != row.arity:
            raise NoValueError
        return self._applied(function, len(name) - len(stem), values)

    def _applied(self, function: str, primes: int, values: list[Array]) -> Array:
        if primes > MOST_PRIMES or (primes and self.moved):
            raise NoValueError
        if primes > 1:  # a difference of slopes
            first, *others = values
            above, below = (
                self._applied(function, primes - 1, [first + step, *others])
                for step in (APART, -APART)
            )
            return np.asarray((above - below) / (2 * APART))
        if primes:
            values = [values[0] + 1j * STEP, *values[1:]]
        spread = np.broadcast_arrays(*met(*values))
        found = spread[0]
        if function != "identity":
            found = COMPLEX.apply(function, *spread)
        return np.asarray(found.imag / STEP + 0j if primes else found)

    def _other(self, other: Expr, axes: tuple[str, ...], argument: ast.expr) -> Array:
        """A further argument of a layer's activation, at the entry of the first."""
        if other.is_Rational:
            return number(other)
        if not isinstance(argument, ast.Subscript):
            return self._read(tensor_of(other), None)
        inside = argument.slice
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        at = dict(zip(axes, parts, strict=True))
        wanted = (at[str(subscript)] for subscript in subscripts_of(other))
        return self._read(tensor_of(other), tuple(map(self._subscript, wanted)))

    def condition(self, node: ast.expr) -> Array:
        """Where a condition holds."""
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                a, b = met(self.value(left), self.value(right))
                return np.asarray(_COMPARISONS[type(op)](a.real, b.real))
            case ast.BoolOp(op=op, values=values):
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                found = self.condition(values[0])
                for value in values[1:]:
                    found = join(found, self.condition(value))
                return found
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return ~self.condition(inner)
        raise NoValueError

    def _reduced(self, op: str, body: ast.expr, *bound: ast.expr) -> Array:
        """`sum(body, i, j)`; without letters over all entries of a matrix."""
        means: dict[str, Reduce] = {"sum": np.sum, "mean": np.mean}
        reduce = means.get(op) or extremum(largest=op == "max")
        if not bound:
            return np.asarray(reduce(self.value(body), axis=(-1, -2), keepdims=True))
        names = [part.id for part in bound if isinstance(part, ast.Name)]
        inner, axes = dict(self.letters), []
        for count, name in enumerate(names):
            size = size_of(name, body, self.bench)
            inner[name] = Letter(self.depth + count, size)
            axes.append(-1 - MATRIX - inner[name].place)
        within = replace(self, letters=inner, depth=self.depth + len(names))
        found = within.value(body)
        shape = [1] * (within.depth + MATRIX)
        for name in names:
            shape[-1 - MATRIX - inner[name].place] = inner[name].size
        found = np.broadcast_to(found, together(found.shape, tuple(shape)))
        return np.asarray(reduce(found, axis=tuple(axes), keepdims=True))

    # --- derivatives -----------------------------------------------------------------

    def _derivative(self, of: ast.expr, by: ast.expr) -> Array:
        """`D(A, B)`: A with the entry of B moved off the reals."""
        tensors = self.bench.base.tensors
        if self.moved is not None:
            raise NoValueError
        name = by.value if isinstance(by, ast.Subscript) else by
        if not isinstance(name, ast.Name) or name.id not in tensors:
            raise NoValueError
        tensor = tensors[name.id]
        if isinstance(by, ast.Subscript):
            inside = by.slice
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            places = tuple(self._subscript(part) for part in parts)
        else:
            sizes = (self.point.system.size(axis) for axis in tensor.axes)
            letters = [Letter(self.depth + n, s) for n, s in enumerate(sizes)]
            places = tuple(letter.places for letter in letters)
        if len(places) != len(tensor.axes) or tensor.integer:
            raise NoValueError
        whole = tensor.axes and isinstance(by, ast.Name)
        own = len(tensor.axes) if whole else 0
        moved = Moved(tensor.name, places)
        inner = replace(self, moved=moved, depth=self.depth + own)
        found = inner.value(of).imag / STEP + 0j
        if not whole:
            return found if self.numerator else np.swapaxes(found, -1, -2)
        shape = tuple(reversed([letter.size for letter in letters]))
        return self._laid_out(found, shape)

    def _laid_out(self, found: Array, shape: tuple[int, ...]) -> Array:
        """Rows and columns out of those of A and the letters of B, whose sizes came."""
        own = len(shape)
        ends = (*shape, *(1,) * self.depth, 1, 1)
        found = np.broadcast_to(found, together(found.shape, ends))
        *_, rows, columns = found.shape
        first = -1 - MATRIX - self.depth
        turned = self.numerator
        if (rows, columns) == (1, 1):
            # The letters of B become rows and columns.
            taken = found[..., 0, 0]
            axes = [first - n + MATRIX for n in range(own)]
            taken = np.moveaxis(taken, axes, range(-own, 0))
            taken = taken if own == MATRIX else taken[..., None]
        elif own == 1 and 1 in (rows, columns):
            flat = found.reshape(*found.shape[:-MATRIX], -1)
            taken = np.moveaxis(flat, first + 1, -2)
        else:
            raise NoValueError
        return np.swapaxes(taken, -1, -2) if turned else taken


_OPERATORS: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Mod: np.multiply,
    ast.Div: np.divide,
}
_COMPARISONS: dict[type[ast.cmpop], np.ufunc] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
