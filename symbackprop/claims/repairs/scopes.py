"""The letters of a tree: which there are, and over how much each runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from symbackprop.claims.reading.bench import Workbench
from symbackprop.claims.repairs.arrays import MATRIX, NoValueError
from symbackprop.grammar.text import REDUCTIONS
from symbackprop.witnesses.numbers import Array


@dataclass(frozen=True)
class Letter:
    """An open letter: its dimension, counted from the last one back, and its size."""

    place: int
    size: int

    @property
    def places(self) -> Array:
        """0, 1, 2, ... along its dimension."""
        return np.arange(self.size).reshape(self.size, *(1,) * (self.place + MATRIX))


def all_letters(sides: Iterable[ast.expr], bench: Workbench) -> dict[str, Letter]:
    """The letters of a claim, each with a dimension; reductions bind theirs anew."""
    found: dict[str, Letter] = {}
    for name in {n: None for side in sides for n in letters_in(side, bench)}:
        for side in sides:
            with suppress(NoValueError):
                size = size_of(name, side, bench)
                found[name] = Letter(len(found), size)
                break
    return found


def letters_in(
    node: ast.AST, bench: Workbench, bound: bool = True, inside: bool = False
) -> dict[str, None]:
    """The letters in a tree, with or without those that reductions bind."""
    found: dict[str, None] = {}
    match node:
        case ast.Name(id=name):
            known = bench.axes_of(name) is not None or name in bench.base.constants
            if not known and (inside or name in bench.base.axes):
                found[name] = None
            return found
        case ast.Subscript(slice=part):
            return letters_in(part, bench, bound, inside=True)
        case ast.Call(func=ast.Name(id=name), args=[body, *own]) if name in REDUCTIONS:
            found = letters_in(body, bench, bound, inside)
            names = [part.id for part in own if isinstance(part, ast.Name)]
            if bound:
                return found | dict.fromkeys(names)
            return {name: None for name in found if name not in names}
        case ast.Call(args=arguments):
            children: Iterable[ast.AST] = arguments
        case _:
            children = ast.iter_child_nodes(node)
    for child in children:
        found |= letters_in(child, bench, bound, inside)
    return found


def size_of(name: str, node: ast.AST, bench: Workbench) -> int:
    """The size of a letter: of the first axis at whose place it stands alone."""
    for part in ast.walk(node):
        match part:
            case ast.Subscript(value=ast.Name(id=tensor), slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                axes = bench.axes_of(tensor) or ()
                for subscript, axis in zip(parts, axes, strict=False):
                    if isinstance(subscript, ast.Name) and subscript.id == name:
                        return bench.base.size(axis)
    if name in bench.base.axes:
        return bench.base.size(name)
    raise NoValueError
