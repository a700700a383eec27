"""The smallest edits of one side of a claim, each with how far it leads away.

    delta1 = f1(z1) o (W2.T @ delta2)   =>   f1'(z1), f2(z1), f1(z2), W1.T, ...

Trees are never changed: an edited one shares all that it can with the one before.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from symbackprop.claims.repairs.words import Words
from symbackprop.grammar.text import REDUCTIONS

SMALL, MIDDLE, LARGE, LARGEST = 1.0, 1.5, 2.0, 2.5

Rebuild = Callable[[ast.expr], ast.expr]
Edit = tuple[float, ast.expr]

_LITERALS = (0, 1, 2, 3)


@dataclass(frozen=True)
class Place:
    """A node of a side.

    Attributes:
        node: the part that may be replaced.
        rebuild: makes the whole side out of what stands there instead.
        kind: "value", or "by", "condition", "letter", "subscript".
        addend: whether it is a whole side, argument or addend.
    """

    node: ast.expr
    rebuild: Rebuild
    kind: str = "value"
    addend: bool = False


def edits(side: ast.expr, words: Words, parts: Iterable[ast.expr] = ()) -> list[Edit]:
    """Every edit of a side, in no order.

    Args:
        parts: factors and terms that may be missing.
    """
    editor = _Editor(words, tuple(parts))
    return [
        (cost, place.rebuild(changed))
        for place in places(side)
        for cost, changed in editor.local(place)
    ]


def places(side: ast.expr) -> Iterator[Place]:
    """All places of a side, from the whole down."""
    yield from _below(Place(side, lambda changed: changed, addend=True))


def _below(place: Place) -> Iterator[Place]:
    yield place
    node = place.node

    def child(
        field: str, inner: ast.expr, at: int | None = None, **more: object
    ) -> Iterator[Place]:
        def rebuild(changed: ast.expr) -> ast.expr:
            return place.rebuild(_with(node, field, changed, at))

        yield from _below(Place(inner, rebuild, **more))  # type: ignore[arg-type]

    match node:
        case ast.BinOp(op=op, left=left, right=right):
            addend = isinstance(op, ast.Add | ast.Sub)
            yield from child("left", left, addend=addend, kind=place.kind)
            yield from child("right", right, addend=addend, kind=place.kind)
        case ast.UnaryOp(operand=inner):
            yield from child("operand", inner, addend=place.addend, kind=place.kind)
        case ast.Attribute(value=inner):
            yield from child("value", inner)
        case ast.Compare(left=left, comparators=[right]):
            yield from child("left", left)
            yield from child("comparators", right, 0)
        case ast.BoolOp(values=values):
            for at, value in enumerate(values):
                yield from child("values", value, at, kind="condition")
        case ast.Call(func=ast.Name(id=name), args=arguments):
            for at, argument in enumerate(arguments):
                kind = _kind(name, at)
                yield from child("args", argument, at, kind=kind, addend=True)
        case ast.Subscript(slice=inside):
            if not isinstance(inside, ast.Tuple):
                yield from child("slice", inside, kind="subscript")
                return
            for at, part in enumerate(inside.elts):

                def rebuild(changed: ast.expr, at: int = at) -> ast.expr:
                    listed = _with(inside, "elts", changed, at)
                    return place.rebuild(_with(node, "slice", listed))

                yield from _below(Place(part, rebuild, "subscript"))


def _kind(function: str, at: int) -> str:
    """What the arguments of a function are."""
    if function == "D" and at == 1:
        return "by"
    if function in REDUCTIONS and at:
        return "letter"
    return "condition" if function == "where" and not at else "value"


def _with(
    node: ast.expr, field: str, child: ast.AST, at: int | None = None
) -> ast.expr:
    """The node with one child replaced."""
    made = copy.copy(node)
    if at is None:
        setattr(made, field, child)
    else:
        listed = list(getattr(node, field))
        listed[at] = child
        setattr(made, field, listed)
    return made


class _Editor:
    """Edits one node at a time."""

    def __init__(self, words: Words, parts: tuple[ast.expr, ...]) -> None:
        self.words = words
        self.parts = parts

    def local(self, place: Place) -> Iterator[Edit]:
        """What may stand in the place of a node."""
        if place.kind in ("subscript", "letter"):
            yield from self._subscript(place.node)
            return
        yield from self._renamed(place.node)
        if place.kind == "by":
            return
        yield from _operators(place.node, self.words.matrix)
        yield from _dropped(place.node)
        if place.kind == "condition":
            return
        if place.addend:
            yield from self._added(place.node)
        yield from self._wrapped(place)

    # --- words and subscripts --------------------------------------------------------

    def _renamed(self, node: ast.expr) -> Iterator[Edit]:
        match node:
            case ast.Name(id=name):
                for cost, other in self.words.tensors(name):
                    yield cost, ast.Name(other)
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                axes = self.words.bench.axes_of(name)
                for cost, other in self.words.tensors(name):
                    known = self.words.bench.axes_of(other)
                    if axes is not None and known and len(known) == len(axes):
                        yield cost, _with(node, "value", ast.Name(other))
                if isinstance(inside, ast.Tuple):
                    for first, second in combinations(range(len(inside.elts)), 2):
                        order = list(inside.elts)
                        order[first], order[second] = order[second], order[first]
                        yield SMALL, _with(node, "slice", ast.Tuple(order))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                for cost, other in self.words.functions(name):
                    yield cost, _with(node, "func", ast.Name(other))
                if name == "D":
                    swapped = ast.Call(node.func, arguments[::-1], [])
                    yield MIDDLE, swapped
            case ast.Constant(value=value) if isinstance(value, int | float):
                options = [*_LITERALS, value + 1, value - 1, 2 * value, -value]
                for option in dict.fromkeys(options):
                    if option != value:
                        yield MIDDLE, number(option)
                if value:
                    yield MIDDLE, ast.BinOp(number(value), ast.Div(), number(2))
                    yield LARGE, ast.BinOp(number(1), ast.Div(), number(value))

    def _subscript(self, node: ast.expr) -> Iterator[Edit]:
        """Another letter, or the place before or behind."""
        match node:
            case ast.Name(id=letter):
                for other in self.words.letters:
                    if other != letter:
                        yield MIDDLE, ast.Name(other)
                for step in (ast.Add(), ast.Sub()):
                    yield SMALL, ast.BinOp(node, step, number(1))
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=ast.Constant()):
                shift = node.right.value  # type: ignore[attr-defined]
                if isinstance(node.op, ast.Sub):
                    shift = -shift
                for other in dict.fromkeys((shift + 1, shift - 1, -shift, 0)):
                    yield SMALL, shifted(left, other)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                yield SMALL, ast.BinOp(left, ast.Sub(), right)
            case ast.BinOp(op=ast.Sub(), left=left, right=right):
                yield SMALL, ast.BinOp(left, ast.Add(), right)
                yield SMALL, ast.BinOp(right, ast.Sub(), left)
            case ast.Constant(value=int(value)):
                yield SMALL, number(value + 1)
                if value:
                    yield SMALL, number(value - 1)

    # --- more around a node ----------------------------------------------------------

    def _wrapped(self, place: Place) -> Iterator[Edit]:
        node = place.node
        atom = isinstance(node, ast.Name | ast.Subscript | ast.Call)
        if atom:
            yield MIDDLE, ast.BinOp(node, ast.Pow(), number(2))
        if not self.words.matrix or isinstance(node, ast.Constant):
            return
        yield SMALL, transposed(node)
        if not (isinstance(node, ast.Call) and _called(node) in ("diag", "D")):
            yield MIDDLE, ast.Call(ast.Name("diag"), [node], [])

    def _added(self, node: ast.expr) -> Iterator[Edit]:
        """A sign, a factor or a term more."""
        if not isinstance(node, ast.UnaryOp | ast.Constant):
            yield SMALL, ast.UnaryOp(ast.USub(), node)
        yield MIDDLE, ast.BinOp(number(2), ast.Mult(), node)
        yield MIDDLE, ast.BinOp(node, ast.Div(), number(2))
        if not isinstance(node, ast.Constant):
            yield LARGEST, ast.BinOp(node, ast.Add(), number(1))
            yield LARGEST, ast.BinOp(node, ast.Sub(), number(1))
            yield LARGEST, ast.BinOp(number(1), ast.Sub(), node)
        for part in self.parts:
            yield LARGEST, ast.BinOp(node, ast.Add(), part)
            yield LARGEST, ast.BinOp(node, ast.Mult(), part)
            if self.words.matrix:
                yield LARGEST, ast.BinOp(part, ast.Mod(), node)
                yield LARGEST, ast.BinOp(part, ast.MatMult(), node)
        if not self.words.matrix:
            for letter in self.words.letters:
                summed = ast.Call(ast.Name("sum"), [node, ast.Name(letter)], [])
                yield LARGEST, summed


def _operators(node: ast.expr, matrix: bool) -> Iterator[Edit]:
    """Another operator, or the operands swapped."""
    match node:
        case ast.BinOp(op=op, left=left, right=right):
            for cost, other in _EXCHANGED.get(type(op), ()):
                if matrix or other not in (ast.MatMult, ast.Mod):
                    yield cost, ast.BinOp(left, other(), right)
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div | ast.Pow):
                yield SMALL, ast.BinOp(right, op, left)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for kind in (ast.Lt, ast.LtE, ast.Gt, ast.GtE):
                if not isinstance(op, kind):
                    yield SMALL, ast.Compare(left, [kind()], [right])


_EXCHANGED: dict[type[ast.operator], tuple[tuple[float, type[ast.operator]], ...]] = {
    ast.Add: ((SMALL, ast.Sub), (LARGE, ast.Mult)),
    ast.Sub: ((SMALL, ast.Add),),
    ast.Mult: ((MIDDLE, ast.MatMult), (MIDDLE, ast.Div), (LARGE, ast.Add)),
    ast.Mod: ((MIDDLE, ast.MatMult), (MIDDLE, ast.Div)),
    ast.MatMult: ((MIDDLE, ast.Mod),),
    ast.Div: ((MIDDLE, ast.Mult),),
}


def _dropped(node: ast.expr) -> Iterator[Edit]:
    """A node without one of its parts."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield SMALL, inner
        case ast.Attribute(value=inner):
            yield SMALL, inner
        case ast.BinOp(op=ast.Pow(), left=left):
            yield MIDDLE, left
        case ast.BinOp(op=op, left=left, right=right):
            small = isinstance(left, ast.Constant) or isinstance(right, ast.Constant)
            cost = MIDDLE if small else LARGE
            yield cost, left
            minus = ast.UnaryOp(ast.USub(), right)
            yield cost, minus if isinstance(op, ast.Sub) else right
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name != "D":
            yield MIDDLE if name == "diag" else LARGEST, first
        case ast.Call(func=ast.Name(id="where"), args=[_, first, second]):
            yield LARGE, first
            yield LARGE, second


# --- trees --------------------------------------------------------------------


def number(value: float) -> ast.expr:
    """A literal; a minus is an operator."""
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def shifted(node: ast.expr, shift: int) -> ast.expr:
    """`t + 1`, `t - 1`, `t`."""
    if not shift:
        return node
    step = ast.Add() if shift > 0 else ast.Sub()
    return ast.BinOp(node, step, ast.Constant(abs(shift)))


def transposed(node: ast.expr) -> ast.expr:
    """`A @ B` => `B.T @ A.T`, `A.T` => `A`."""
    match node:
        case ast.Attribute(value=inner):
            return inner
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            return ast.BinOp(transposed(right), ast.MatMult(), transposed(left))
        case ast.UnaryOp(op=op, operand=inner):
            return ast.UnaryOp(op, transposed(inner))
    return ast.Attribute(node, "T")


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""
