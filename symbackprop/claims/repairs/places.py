"""The places of a side, each with what may be said of what stands there."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symbackprop.grammar.text import REDUCTIONS

Rebuild = Callable[[ast.expr], ast.expr]


@dataclass(frozen=True)
class Place:
    """A node of a side.

    Attributes:
        node: the part that may be replaced.
        rebuild: makes the whole side out of what stands there instead.
        kind: "value", or of `D(of, by)` "of" and "by", or "condition", "letter",
            "subscript".
        addend: whether it is a whole side, argument, subscript or addend.
        argument: whether it is all that a function is applied to.
        linear: whether that function is a sum or mean, out of which factors go.
        free: whether it is a whole side or a branch, where a number may be 0.
    """

    node: ast.expr
    rebuild: Rebuild
    kind: str = "value"
    addend: bool = False
    argument: bool = False
    linear: bool = False
    free: bool = False


def places(side: ast.expr) -> Iterator[Place]:
    """All places of a side, from the whole down."""
    yield from _below(Place(side, lambda changed: changed, addend=True, free=True))


def _below(place: Place) -> Iterator[Place]:
    yield place
    node = place.node

    def child(
        field: str, inner: ast.expr, at: int | None = None, **more: object
    ) -> Iterator[Place]:
        def rebuild(changed: ast.expr) -> ast.expr:
            return place.rebuild(with_child(node, field, changed, at))

        yield from _below(Place(inner, rebuild, **more))  # type: ignore[arg-type]

    kind = place.kind
    match node:
        case ast.BinOp(op=op, left=left, right=right):
            addend = isinstance(op, ast.Add | ast.Sub) and kind != "subscript"
            yield from child("left", left, addend=addend, kind=kind)
            yield from child("right", right, addend=addend, kind=kind)
        case ast.UnaryOp(operand=inner):
            yield from child("operand", inner, addend=place.addend, kind=kind)
        case ast.Attribute(value=inner):
            yield from child("value", inner)
        case ast.Compare(left=left, comparators=[right]):
            yield from child("left", left, kind="condition")
            yield from child("comparators", right, 0, kind="condition")
        case ast.BoolOp(values=values):
            for at, value in enumerate(values):
                yield from child("values", value, at, kind="condition")
        case ast.Call(func=ast.Name(id=name), args=arguments):
            for at, argument in enumerate(arguments):
                linear = name in REDUCTIONS
                yield from child(
                    "args",
                    argument,
                    at,
                    kind=_kind(name, at),
                    addend=not linear,
                    argument=name != "where",
                    linear=linear,
                    free=name == "where",
                )
        case ast.Subscript(slice=inside):
            if not isinstance(inside, ast.Tuple):
                yield from child("slice", inside, kind="subscript", addend=True)
                return
            for at, part in enumerate(inside.elts):

                def rebuild(changed: ast.expr, at: int = at) -> ast.expr:
                    listed = with_child(inside, "elts", changed, at)
                    return place.rebuild(with_child(node, "slice", listed))

                yield from _below(Place(part, rebuild, "subscript", addend=True))


def _kind(function: str, at: int) -> str:
    """What the arguments of a function are."""
    if function == "D":
        return ("of", "by")[at]
    if function in REDUCTIONS and at:
        return "letter"
    return "condition" if function == "where" and not at else "value"


def with_child(
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


def called(node: ast.expr) -> str:
    """The name of a function that is called; else ""."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name
    return ""
