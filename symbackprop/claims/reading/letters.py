"""The index letters of a claim: which axis each runs over, told by where it stands.

    D(L, W1[i, j]) = delta1[i] * x[j]

`i` stands alone at the place of W1's first axis, and so runs over it. Letters that a
reduction binds are its own. Each letter becomes an axis of the claim's system.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from symbackprop.claims.claim import MisfitError
from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.writing import written
from symbackprop.equations import Axis, System, fresh
from symbackprop.grammar.text import FUNCTIONS, REDUCTIONS
from symbackprop.grammar.tree import Tree

AxesOf = Callable[[str], tuple[str, ...] | None]


@dataclass
class Letter:
    """A letter in the scope where it means one thing.

    Attributes:
        name: as it is written.
        tree: the text that it stands in.
        nodes: where it stands.
        places: the axes at whose places it stands alone, with how that is written.
        op: the reduction that binds it; "" where it is free.
    """

    name: str
    tree: Tree
    nodes: list[ast.Name] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    op: str = ""


Scope = dict[str, Letter]


def resolve(
    parsed: Parsed,
    system: System,
    axes: dict[str, Axis],
    axes_of: AxesOf,
    leading: bool = False,
) -> dict[str, Axis]:
    """Give each letter an axis, rename it in the trees, and add its axis to `axes`.

    Args:
        axes_of: the axes of the tensor that a name means, or None.
        leading: whether subscripts may stand at the first axes of a tensor alone.

    Returns:
        The axes of the free letters, as they are written.

    Raises:
        MisfitError: a letter at the places of axes that differ in size.
        GrammarError: a letter whose axis nothing tells.
    """
    finder = _Finder(system, axes_of, leading)
    trees = [*zip(parsed.sides, parsed.trees, strict=True)]
    if parsed.condition is not None and parsed.where is not None:
        trees.append((parsed.condition, parsed.where))
    for root, tree in trees:
        finder.tree = tree
        finder.walk(root, (finder.free,))
    taken: set[str] = {*axes, *system.tensors, *system.constants}
    used: set[str] = set()
    found: dict[str, Axis] = {}
    letters = {
        name: letter for name, letter in finder.free.items() if finder.is_index(letter)
    }
    for letter in (*letters.values(), *finder.bound):
        axis = _axis(letter, system, axes, taken, used)
        for node in letter.nodes:
            node.id = axis.name
        if letters.get(letter.name) is letter:
            found[letter.name] = axis
    return found


def _axis(
    letter: Letter,
    system: System,
    axes: dict[str, Axis],
    taken: set[str],
    used: set[str],
) -> Axis:
    """The axis that a letter runs over: the program's of its name, or a new one."""
    sizes = {system.size(axis): axis for axis in letter.places}
    if len(sizes) > 1:
        told = [
            f"`{place}`: {system.size(axis)}" for axis, place in letter.places.items()
        ]
        raise MisfitError(
            "letter misfit", letter=letter.name, places=", ".join(dict.fromkeys(told))
        )
    declared = system.axes.get(letter.name)
    if not sizes:
        if declared is None:
            two = f"{letter.op}imum"
            hint = f" Of two numbers write `{two}(a, b)`." if two in FUNCTIONS else ""
            letter.tree.refuse(
                letter.nodes[0],
                f"nothing tells over which axis `{letter.name}` runs: let it stand "
                "alone as a subscript somewhere, as in `x[j]`, or take the letter of "
                f"a declared axis.{hint}",
            )
        sizes = {declared.size: declared.name}
    ((size, origin),) = sizes.items()
    if declared is not None and declared.size == size and letter.name not in used:
        used.add(letter.name)
        return declared
    name = fresh(letter.name, taken)
    taken.add(name)
    used.add(name)
    rank = 1 + max((axis.rank for axis in axes.values()), default=0)
    root = system.axes[origin].of or origin
    axes[name] = Axis(name, size, rank, root)
    return axes[name]


class _Finder:
    """Walks the trees of a claim and collects its letters."""

    def __init__(self, system: System, axes_of: AxesOf, leading: bool) -> None:
        self.system = system
        self.axes_of = axes_of
        self.leading = leading
        self.free: Scope = {}
        self.bound: list[Letter] = []
        self.inside: set[str] = set()  # free names that stand inside of subscripts
        self.tree: Tree

    def is_index(self, letter: Letter) -> bool:
        return letter.name in self.inside

    def walk(self, node: ast.AST, scopes: tuple[Scope, ...]) -> None:
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                self._subscripts(name, parts, scopes)
            case ast.Call(func=ast.Name(id=op), args=[body, *names]) if (
                op in REDUCTIONS and names
            ):
                own: Scope = {}
                for part in names:
                    if isinstance(part, ast.Name):
                        own[part.id] = Letter(part.id, self.tree, [part], op=op)
                self.bound += own.values()
                self.walk(body, (*scopes, own))
            case ast.Call(args=arguments):
                for argument in arguments:
                    self.walk(argument, scopes)
            case ast.Name():
                self._name(node, scopes)
            case _:
                for child in ast.iter_child_nodes(node):
                    self.walk(child, scopes)

    def _subscripts(
        self, name: str, parts: list[ast.expr], scopes: tuple[Scope, ...]
    ) -> None:
        axes = self.axes_of(name)
        few = self.leading and axes is not None and len(parts) < len(axes)
        if axes is not None and len(axes) != len(parts) and not few:
            counts = {"axes": str(len(axes)), "came": str(len(parts))}
            raise MisfitError("subscript misfit", name=name, **counts)
        axes = axes or ()
        for place, part in enumerate(parts):
            letter = (
                self._name(part, scopes, True) if isinstance(part, ast.Name) else None
            )
            if letter is not None and axes:
                shown = f"{name}[{', '.join(written(p) for p in parts)}]"
                letter.places.setdefault(axes[place], shown)
            elif isinstance(part, ast.Subscript):
                self.walk(part, scopes)
            elif not isinstance(part, ast.Name):
                for inner in ast.walk(part):
                    if isinstance(inner, ast.Name):
                        self._name(inner, scopes, True)

    def _name(
        self, node: ast.Name, scopes: tuple[Scope, ...], subscript: bool = False
    ) -> Letter | None:
        """The letter that a name is; None for a tensor or a constant."""
        name = node.id
        for scope in reversed(scopes[1:]):
            if name in scope:
                scope[name].nodes.append(node)
                return scope[name]
        if self.axes_of(name) is not None or name in self.system.constants:
            return None
        letter = self.free.setdefault(name, Letter(name, self.tree))
        letter.nodes.append(node)
        if subscript or name in self.system.axes:
            self.inside.add(name)
        return letter
