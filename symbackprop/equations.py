"""The IR: systems of index equations over named tensors, as frozen values.

An equation is `lhs[i, j] = sum of terms`, or one `max`, `min`, `argmax` or `argmin`
over a body. A term is a sum over its bound indices of a SymPy scalar expression whose
atoms are reads of tensors: `Indexed` for tensors with axes, a bare `Name` for scalars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cmp_to_key
from types import MappingProxyType
from typing import Any, Literal

import sympy
from sympy import Expr, IndexedBase, Symbol

from symbackprop.shown import Shown

Kind = Literal["tensor", "index", "constant"]
Role = Literal["parameter", "data", "defined"]
Reduction = Literal["sum", "max", "min", "argmax", "argmin"]

SIZE_LIMIT = 2**31  # of an axis


class Name(Symbol):
    """A symbol ordered by where it was declared (`rank`), never by its letters.

    SymPy sorts arguments by name; so that a renamed program gives the same
    derivation, code and bits, this class sorts by kind and rank instead.
    """

    __slots__ = ("kind", "rank")
    kind: Kind
    rank: int

    def __new__(cls, name: str, kind: Kind, rank: int) -> Name:
        made: Name = Symbol.__xnew__(cls, name)
        made.kind = kind
        made.rank = rank
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str, Kind, int], dict[str, Any]]:
        return (self.name, self.kind, self.rank), {}

    def _hashable_content(self) -> tuple[int, str, str]:
        return (self.rank, self.kind, self.name)

    def sort_key(self, order: Any = None) -> Any:
        key = f"{self.kind}{self.rank:08d}{self.name}"
        return self.class_key(), (1, (key,)), sympy.S.One.sort_key(), sympy.S.One


class Base(IndexedBase):
    """What an `Indexed` reads from: ordered by its `Name`, not by letters."""

    def sort_key(self, order: Any = None) -> Any:
        return self.label.sort_key(order)


class Indexed(sympy.Indexed):
    """A read with subscripts: ordered by its base's rank, not by letters.

    SymPy takes one for an atom and sorts it by its text; by that order it chooses
    between `tanh(a[i] - b[i])` and `-tanh(b[i] - a[i])`.
    """

    def sort_key(self, order: Any = None) -> Any:
        parts = tuple(part.sort_key(order) for part in self.args)
        one = sympy.S.One
        return self.class_key(), (len(parts), parts), one.sort_key(), one


# A sorting key for expressions that goes by rank.
by_rank = cmp_to_key(sympy.Basic.compare)


@dataclass(frozen=True)
class Axis:
    """An index letter and its domain 0 .. size-1.

    `of` names the declared axis that a spare letter ranges over; "" where declared.
    """

    name: str
    size: int
    rank: int
    of: str = ""

    @property
    def index(self) -> Name:
        return Name(self.name, "index", self.rank)


@dataclass(frozen=True)
class Constant:
    """A named number that no gradient flows to."""

    name: str
    value: Fraction
    rank: int

    @property
    def symbol(self) -> Name:
        return Name(self.name, "constant", self.rank)


@dataclass(frozen=True)
class Tensor:
    """A named array: `axes` names its dimensions; the batch axis is never among them.

    `zero_outside` tensors read 0 where a subscript leaves its axis.
    """

    name: str
    axes: tuple[str, ...]
    role: Role
    rank: int
    batched: bool = False
    integer: bool = False
    zero_outside: bool = False

    @property
    def symbol(self) -> Name:
        return Name(self.name, "tensor", self.rank)

    def read(self, *subscripts: Expr | int) -> Expr:
        """`T[subscripts]`, or the bare symbol of a scalar."""
        return read(self.symbol, *subscripts)


@dataclass(frozen=True)
class Guard:
    """`0 <= subscript < size of axis`: where it fails, a term adds nothing."""

    subscript: Expr
    axis: str


@dataclass(frozen=True)
class Term:
    """`sum over bound, where the guards hold, of body`, added to `lhs[target]`.

    `target` is None for the equation's own indices. Otherwise it has one subscript a
    dimension: the equation's index at that position (the term is gathered there), or
    an expression over the bound and the gathered indices (it is scattered there).
    `average` takes the mean over the batch of what would else be a batched term.
    """

    body: Expr
    bound: tuple[Name, ...] = ()
    guards: tuple[Guard, ...] = ()
    target: tuple[Expr, ...] | None = None
    average: bool = False


@dataclass(frozen=True)
class Equation(Shown):
    """`tensor[indices] = terms[0] + terms[1] + ...`, or a reduction of one body.

    With a reduction other than `sum` there is exactly one term; `argmax` and `argmin`
    give the first optimal place in `bound`, counted in row-major order.
    `line` is the line of the declaration's text it came from, 0 where it was derived.
    """

    tensor: str
    indices: tuple[Name, ...]
    terms: tuple[Term, ...]
    reduction: Reduction = "sum"
    line: int = 0

    def reads(self) -> Iterator[Expr]:
        """Every read in every term, its targets and guards, in a fixed order."""
        for term in self.terms:
            for part in (term.body, *(g.subscript for g in term.guards)):
                yield from reads(part)
            for subscript in term.target or ():
                yield from reads(subscript)


@dataclass(frozen=True)
class System:
    """Equations in an order that can be computed, and what their names mean."""

    name: str
    axes: Mapping[str, Axis]
    tensors: Mapping[str, Tensor]
    equations: tuple[Equation, ...]
    objective: str
    constants: Mapping[str, Constant] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def plain(self) -> System:
        """Its equations alone, without what a declaration says beyond them."""
        return System(
            self.name,
            self.axes,
            self.tensors,
            self.equations,
            self.objective,
            self.constants,
        )

    def size(self, index: Name | str) -> int:
        return self.axes[index.name if isinstance(index, Name) else index].size

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Sizes of a tensor's axes, without the batch."""
        return tuple(self.axes[axis].size for axis in self.tensors[tensor].axes)

    def with_role(self, role: Role) -> tuple[Tensor, ...]:
        """Tensors of one role in the order of their declaration."""
        return tuple(t for t in self.tensors.values() if t.role == role)

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        return self.with_role("parameter")

    @property
    def data(self) -> tuple[Tensor, ...]:
        return self.with_role("data")

    @property
    def batched(self) -> bool:
        return any(t.batched for t in self.data)


def read(symbol: Name, *subscripts: Expr | int) -> Expr:
    """A read of the tensor that a symbol names."""
    return Indexed(Base(symbol), *subscripts) if subscripts else symbol


def reads(expression: Expr) -> Iterator[Expr]:
    """Reads of tensors in an expression, outer before inner, in a fixed order.

    A read inside a subscript (`E[token[t], d]` reads `token[t]`) follows its reader.
    """
    if isinstance(expression, Name):
        if expression.kind == "tensor":
            yield expression
        return
    if isinstance(expression, Indexed):
        yield expression
        for subscript in expression.indices:
            yield from reads(subscript)
        return
    for argument in expression.args:
        yield from reads(argument)


def replaced(expression: Expr, rule: Mapping[Any, Expr]) -> Expr:
    """`expression.xreplace(rule)`, in which equal parts are visited once.

    The slope of a nested choice or a long product repeats its parts; as a tree it
    grows with the square of the text.
    """
    known: dict[Expr, Expr] = dict(rule)

    def visit(part: Expr) -> Expr:
        if part in known:
            return known[part]
        arguments = [visit(argument) for argument in part.args]
        same = all(new is old for new, old in zip(arguments, part.args, strict=True))
        known[part] = part if same else part.func(*arguments)
        return known[part]

    return visit(expression) if rule else expression


def tensor_of(read: Expr) -> str:
    """The name of the tensor that a read reads."""
    symbol: Name = read.base.label if isinstance(read, Indexed) else read
    return str(symbol.name)


def subscripts_of(read: Expr) -> tuple[Expr, ...]:
    """A read's subscripts; () for a scalar."""
    return tuple(read.indices) if isinstance(read, Indexed) else ()


def indices_of(expression: Expr) -> tuple[Name, ...]:
    """The index letters in an expression, in the order of their declaration."""
    found = {s for s in expression.free_symbols if is_index(s)}
    return tuple(sorted(found, key=lambda s: (s.rank, s.name)))


def is_index(symbol: Any) -> bool:
    return isinstance(symbol, Name) and symbol.kind == "index"


def affine(expression: Expr) -> tuple[dict[Name, int], int] | None:
    """Coefficients and constant of `2*p + u - 1`; None where it is not affine.

    >>> from symbackprop.equations import Axis, affine
    >>> p = Axis("p", 4, 0).index
    >>> affine(2 * p - 1)
    ({p: 2}, -1)
    """
    coefficients: dict[Name, int] = {}
    constant = 0
    for part, factor in expression.as_coefficients_dict().items():
        if factor.q != 1:
            return None
        if part == 1:
            constant = int(factor)
        elif is_index(part):
            coefficients[part] = int(factor)
        else:
            return None
    return coefficients, constant


def span(expression: Expr, system: System) -> tuple[int, int]:
    """The least and greatest value of an affine subscript over its indices' domains."""
    form = affine(expression)
    assert form is not None, expression
    coefficients, low = form
    high = low
    for index, factor in coefficients.items():
        reach = factor * (system.size(index) - 1)
        low, high = low + min(reach, 0), high + max(reach, 0)
    return low, high


def can_leave(subscript: Expr, axis: Axis, system: System) -> bool:
    """Whether a subscript may fall outside 0 .. size-1 of an axis."""
    if affine(subscript) is None:
        return True
    low, high = span(subscript, system)
    return low < 0 or high >= axis.size


def defined_by(system: System) -> dict[str, Equation]:
    """The equation of each defined tensor."""
    return {equation.tensor: equation for equation in system.equations}


def fresh(stem: str, taken: Iterable[str]) -> str:
    """`stem`, or `stem_2`, `stem_3`, ... : the first name that is not taken."""
    used, number, name = set(taken), 1, stem
    while name in used:
        number += 1
        name = f"{stem}_{number}"
    return name
