"""The smallest edits of one side of a claim, each with how far it leads away.

    delta1 = f1(z1) o (W2.T @ delta2)   =>   f1'(z1), f2(z1), f1(z2), W1.T, ...

Trees are never changed: an edited one shares all that it can with the one before.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from symbackprop.claims.repairs.places import Place, called, places, with_child
from symbackprop.claims.repairs.words import Words
from symbackprop.claims.writing import written

SMALL, MIDDLE, LARGE, LARGEST = 1.0, 1.5, 2.0, 2.5

Edit = tuple[float, ast.expr]

_NUMBERS = (1, 2, 3)


def edits(side: ast.expr, words: Words, parts: Iterable[ast.expr] = ()) -> list[Edit]:
    """Every edit of a side, in no order.

    Args:
        parts: factors and terms that may be missing; with them, edits alone that put
            one in.
    """
    parts = tuple(parts)
    editor = _Editor(words)
    return [
        (cost, place.rebuild(changed))
        for place in places(side)
        for cost, changed in (
            editor.completed(place, parts) if parts else editor.local(place)
        )
    ]


def bounds(side: ast.expr) -> list[ast.expr]:
    """Edits of what bounds something: of its numbers, its sign, and a factor 2."""
    found = [
        place.rebuild(number(option))
        for place in places(side)
        if isinstance(place.node, ast.Constant) and place.kind != "subscript"
        for option in _beside(place.node.value)  # type: ignore[arg-type]
    ]
    scaled = [tree for _, tree in _scaled(side, (2,))]
    return [*found, ast.UnaryOp(ast.USub(), side), *scaled]


def _beside(value: float) -> list[float]:
    """The numbers one digit away, the half and the double: 0.27 => 0.26, 0.28, ..."""
    digits = len(repr(value).partition(".")[2]) if isinstance(value, float) else 0
    near = [round(value + step * 10**-digits, digits) for step in (1, -1)]
    half = [value // 2] if value % 2 == 0 else []
    return [option for option in (*near, *half, 2 * value) if option and value]


class _Editor:
    """Edits one node at a time."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def local(self, place: Place) -> Iterator[Edit]:
        """What may stand in the place of a node."""
        node = place.node
        if place.kind == "letter":
            yield from self._letters(node)
            return
        if place.kind == "subscript":
            yield from self._subscript(place)
            return
        yield from self._renamed(node)
        if place.kind in ("of", "by"):
            return
        yield from self._numbers(place)
        yield from _operators(node, self.words.matrix)
        yield from _dropped(node)
        if place.kind == "condition":
            return
        if place.addend:
            yield from self._added(place)
        yield from self._wrapped(place)

    # --- words, numbers and subscripts -----------------------------------------------

    def _renamed(self, node: ast.expr) -> Iterator[Edit]:
        match node:
            case ast.Name(id=name):
                for cost, other in self.words.tensors(name):
                    yield cost, ast.Name(other)
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                for cost, other in self.words.tensors(name):
                    if len(self.words.bench.axes_of(other) or ()) == len(parts):
                        yield cost, with_child(node, "value", ast.Name(other))
                for first, second in combinations(range(len(parts)), 2):
                    order = list(parts)
                    order[first], order[second] = order[second], order[first]
                    yield SMALL, with_child(node, "slice", ast.Tuple(order))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                for cost, other in self.words.functions(name):
                    yield cost, with_child(node, "func", ast.Name(other))
                if name == "D":
                    yield MIDDLE, ast.Call(node.func, arguments[::-1], [])

    def _numbers(self, place: Place) -> Iterator[Edit]:
        """Another number; for a 1 what it may have stood for."""
        node = place.node
        if not isinstance(node, ast.Constant) or not isinstance(
            node.value, int | float
        ):
            return
        value = node.value
        options = [*_NUMBERS, value + 1, value - 1, 2 * value]
        options += [0] if place.free or place.kind == "condition" else []
        options += [value // 2] if value % 2 == 0 else []
        for option in dict.fromkeys(options):
            if option != value and option >= 0:
                yield MIDDLE, number(option)
        if place.free:
            yield SMALL, number(-value)
        if value == 1 and place.kind == "value":
            for one, other in combinations(self.words.selectors, 2):
                compared = ast.Compare(ast.Name(one), [ast.Eq()], [ast.Name(other)])
                yield LARGE, call("where", compared, number(1), number(0))

    def _letters(self, node: ast.expr) -> Iterator[Edit]:
        if isinstance(node, ast.Name):
            for other in self.words.letters:
                if other != node.id:
                    yield MIDDLE, ast.Name(other)

    def _subscript(self, place: Place) -> Iterator[Edit]:
        """Another letter, another sign, or the place before or behind."""
        node = place.node
        yield from self._letters(node)
        match node:
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                yield SMALL, ast.BinOp(left, ast.Sub(), right)
            case ast.BinOp(op=ast.Sub(), left=left, right=right):
                yield SMALL, ast.BinOp(left, ast.Add(), right)
                yield SMALL, ast.BinOp(right, ast.Sub(), left)
            case ast.BinOp(op=ast.Mult(), left=ast.Constant(), right=right):
                yield MIDDLE, right
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield SMALL, number(node.value + 1)
            if node.value:
                yield SMALL, number(node.value - 1)
        elif place.addend:  # a whole subscript
            rest, shift = _split(node)
            for other in (shift + 1, shift - 1, 0):
                if other != shift:
                    yield SMALL, shifted(rest, other)

    # --- more around a node ----------------------------------------------------------

    def _wrapped(self, place: Place) -> Iterator[Edit]:
        """A power, a function, `1 - z`, a transpose around a part."""
        node = place.node
        atom = isinstance(node, ast.Name | ast.Subscript | ast.Call)
        if not place.argument:
            if atom:
                yield MIDDLE, ast.BinOp(node, ast.Pow(), number(2))
                yield LARGEST, ast.BinOp(number(1), ast.Sub(), node)
            if is_sum(node) or (atom and called(node) not in ("where", "D")):
                for name, numbers in self.words.wrappers:
                    yield LARGEST, call(name, *numbers, node)
        if not self.words.matrix or isinstance(node, ast.Constant):
            return
        yield SMALL, self._transposed(node)
        if called(node) not in ("diag", "D"):
            yield MIDDLE, call("diag", node)

    def _transposed(self, node: ast.expr) -> ast.expr:
        """`A @ B` => `B.T @ A.T`, `A.T` => `A`, `A/2 + I` => `A.T/2 + I`."""
        match node:
            case ast.Attribute(value=inner):
                return inner
            case ast.BinOp(op=op, left=left, right=right):
                one, other = self._transposed(left), self._transposed(right)
                if isinstance(op, ast.MatMult):
                    return ast.BinOp(other, op, one)
                apart = ast.BinOp(one, op, right if isinstance(op, ast.Pow) else other)
                return min(ast.Attribute(node, "T"), apart, key=_length)
            case ast.UnaryOp(op=op, operand=inner):
                return ast.UnaryOp(op, self._transposed(inner))
        return node if self._is_symmetric(node) else ast.Attribute(node, "T")

    def _is_symmetric(self, node: ast.expr) -> bool:
        """Numbers, and what stands on a diagonal."""
        match node:
            case ast.Name(id=name):
                return not self.words.bench.axes_of(name)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                same = all(map(self._is_symmetric, arguments))
                return name in ("diag", "sum") or (same and name != "D")
        return isinstance(node, ast.Constant)

    def _added(self, place: Place) -> Iterator[Edit]:
        """A sign, a factor or a number more, or a sum around."""
        node = place.node
        if not isinstance(node, ast.UnaryOp | ast.Constant):
            yield MIDDLE if place.argument else SMALL, ast.UnaryOp(ast.USub(), node)
        yield from _scaled(node, (2, *self.words.sizes))
        if not isinstance(node, ast.Constant):
            yield LARGEST, ast.BinOp(node, ast.Add(), number(1))
            yield LARGEST, ast.BinOp(node, ast.Sub(), number(1))
            yield LARGEST, ast.BinOp(number(1), ast.Sub(), node)
        if not self.words.matrix:
            for letter in self.words.letters:
                yield LARGEST, call("sum", node, ast.Name(letter))

    def completed(self, place: Place, parts: Collection[ast.expr]) -> Iterator[Edit]:
        """A factor or a term that is missing, or for which a number stands."""
        node = place.node
        if place.kind != "value" or place.linear:
            return
        if isinstance(node, ast.Constant):
            yield from ((LARGE, part) for part in parts)
            return
        apart = place.argument or not place.addend or called(node) == "where"
        cost = LARGEST + apart  # a factor stands with its term, and in the branch
        for part in parts:
            if place.addend:
                yield cost, ast.BinOp(node, ast.Add(), part)
                yield cost, ast.BinOp(node, ast.Sub(), part)
            if not _takes(place, part):
                continue
            if not self.words.matrix or self._is_number(part):
                yield cost, ast.BinOp(node, ast.Mult(), part)
                yield cost, ast.BinOp(node, ast.Div(), part)
                continue
            for op in (ast.Mod, ast.MatMult):
                yield cost, ast.BinOp(node, op(), part)
                yield cost, ast.BinOp(part, op(), node)

    def _is_number(self, part: ast.expr) -> bool:
        return isinstance(part, ast.Name) and not self.words.bench.axes_of(part.id)


def _takes(place: Place, part: ast.expr) -> bool:
    """Whether a factor fits: at a term or a sum, and no product of factors."""
    product = isinstance(part, ast.BinOp) and not is_sum(part)
    return (place.addend or is_sum(place.node)) and not product


def _scaled(node: ast.expr, sizes: Iterable[int]) -> Iterator[Edit]:
    """Twice a term, and a size-th of it."""
    yield MIDDLE, ast.BinOp(number(2), ast.Mult(), node)
    for size in sizes:
        match node:
            case ast.BinOp(op=ast.Div(), left=above, right=below):
                more = ast.BinOp(number(size), ast.Mult(), below)
                yield LARGE, ast.BinOp(above, ast.Div(), more)
            case _:
                yield MIDDLE, ast.BinOp(node, ast.Div(), number(size))


def _operators(node: ast.expr, matrix: bool) -> Iterator[Edit]:
    """Another operator, or the operands swapped."""
    match node:
        case ast.BinOp(op=op, left=left, right=right):
            for cost, other in _EXCHANGED.get(type(op), ()):
                if matrix or other not in (ast.MatMult, ast.Mod):
                    yield cost, ast.BinOp(left, other(), right)
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div):
                counted = isinstance(left, ast.Constant)  # `1 - y`, and seldom `y - 1`
                yield LARGEST if counted else SMALL, ast.BinOp(right, op, left)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for kind in _COMPARED[type(op)]:
                equal = isinstance(op, ast.Eq | ast.NotEq)
                yield LARGE if equal else SMALL, ast.Compare(left, [kind()], [right])


_EXCHANGED: dict[type[ast.operator], tuple[tuple[float, type[ast.operator]], ...]] = {
    ast.Add: ((SMALL, ast.Sub), (LARGE, ast.Mult)),
    ast.Sub: ((SMALL, ast.Add),),
    ast.Mult: ((MIDDLE, ast.MatMult), (MIDDLE, ast.Div), (LARGE, ast.Add)),
    ast.Mod: ((MIDDLE, ast.MatMult), (MIDDLE, ast.Div)),
    ast.MatMult: ((MIDDLE, ast.Mod),),
    ast.Div: ((MIDDLE, ast.Mult),),
}
# The other way round, or with the border: one change at a time.
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.Gt, ast.LtE),
    ast.LtE: (ast.GtE, ast.Lt),
    ast.Gt: (ast.Lt, ast.GtE),
    ast.GtE: (ast.LtE, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
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
        case ast.Call(func=ast.Name(id="where"), args=[_, first, second]):
            yield LARGE, first
            yield LARGE, second
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name != "D":
            yield MIDDLE if name == "diag" else LARGE, first


# --- trees --------------------------------------------------------------------


def number(value: float) -> ast.expr:
    """A literal; a minus is an operator."""
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def call(name: str, *arguments: ast.expr) -> ast.expr:
    """`name(arguments)`."""
    return ast.Call(ast.Name(name), list(arguments), [])


def is_sum(node: ast.expr) -> bool:
    """`a + b`, `a - b`."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def shifted(node: ast.expr, shift: int) -> ast.expr:
    """`t + 1`, `t - 1`, `t`."""
    if not shift:
        return node
    step = ast.Add() if shift > 0 else ast.Sub()
    return ast.BinOp(node, step, ast.Constant(abs(shift)))


def _split(node: ast.expr) -> tuple[ast.expr, int]:
    """`t - 1` => `t`, -1."""
    match node:
        case ast.BinOp(op=ast.Add(), left=left, right=ast.Constant(value=int(shift))):
            return left, shift
        case ast.BinOp(op=ast.Sub(), left=left, right=ast.Constant(value=int(shift))):
            return left, -shift
    return node, 0


def _length(node: ast.expr) -> int:
    return len(written(node))
