"""What the left side of a claim speaks of, and all ways to write what that equals."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from symbackprop.claims.reading.bench import Workbench
from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.repairs.arrays import NoValueError
from symbackprop.claims.repairs.derived import Formula, Source
from symbackprop.claims.repairs.functions import slope_of, value_of
from symbackprop.claims.repairs.indices import UnprintableError, Writer, subscript
from symbackprop.claims.repairs.matrices import matrix_tree
from symbackprop.claims.repairs.scopes import letters_in, size_of
from symbackprop.claims.repairs.style import Ordered, Style, names_in
from symbackprop.claims.repairs.words import Words, slopes_in
from symbackprop.errors import SymbackpropError
from symbackprop.program import Program


@dataclass(frozen=True)
class Entry:
    """A tensor, whole or at subscripts."""

    name: str
    parts: tuple[ast.expr, ...]
    rank: int

    @property
    def whole(self) -> bool:
        return self.rank > len(self.parts)


@dataclass(frozen=True)
class Subject:
    """The left side of a claim.

    Attributes:
        parsed: the claim.
        bench: what its names mean.
        program: the network; None for functions alone.
        words: how the claim names things.
        numerator: whether derivatives are laid out by their numerators.
    """

    parsed: Parsed
    bench: Workbench
    program: Program | None
    words: Words
    numerator: bool

    def sides(self) -> Iterator[ast.expr]:
        """Right sides that follow from the derivation, each in several ways."""
        with suppress(UnprintableError, SymbackpropError):
            yield from self._sides(self.parsed.sides[0])

    def _sides(self, left: ast.expr) -> Iterator[ast.expr]:
        match left:
            case ast.Call(func=ast.Name(id="D"), args=[of, by]):
                yield from self._derivative(of, by)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                stem = name.rstrip("_")
                known = self.bench.functions.get(stem)
                row = name if known is None else known[0] + name[len(stem) :]
                yield from value_of(row, arguments)
            case ast.Name() | ast.Subscript():
                entry = self._entry(left)
                if entry is None or self.program is None:
                    return
                target = self.bench.names.get(entry.name)
                if target is None:
                    found = self._source.equation(entry.name)
                    yield from self._written(found, [entry], turned=False)
                else:
                    objective = Entry(self.bench.base.objective, (), 0)
                    found = self._source.slope(objective.name, target)
                    yield from self._written(found, [objective, entry], turned=False)

    def _derivative(self, of: ast.expr, by: ast.expr) -> Iterator[ast.expr]:
        above, below = self._entry(of), self._entry(by)
        if below is None:
            return
        if not self.bench.base.equations:
            tree, system = self.parsed.trees[0], self.bench.base
            primed = any(name.endswith("_") for name in names_in(self.parsed.sides[1]))
            for found in slope_of(of, below.name, tree, system, primed):
                yield from self._styled(found)
        elif above is not None:
            formulas = self._source.slope(above.name, below.name)
            yield from self._written(formulas, [above, below], turned=self.numerator)
        elif isinstance(of, ast.Call) and isinstance(of.func, ast.Name):
            same = [ast.dump(a) for a in of.args] == [ast.dump(by)]
            for slope in value_of(f"{of.func.id}_", of.args) if same else ():
                yield ast.Call(ast.Name("diag"), [slope], []) if below.whole else slope

    def _entry(self, node: ast.expr) -> Entry | None:
        match node:
            case ast.Name(id=name):
                parts: list[ast.expr] = []
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            case _:
                return None
        axes = self.bench.axes_of(name)
        return None if axes is None else Entry(name, tuple(parts), len(axes))

    @cached_property
    def _source(self) -> Source:
        assert self.program is not None
        spoken = slopes_in(self.parsed.sides[1], self.bench.names)
        return Source(self.program, self.bench.base, self.bench.split, spoken)

    @property
    def _hidden(self) -> set[str]:
        """What was split off when the program was read, and slopes of that."""
        names, split = self.bench.names, self.bench.split
        return {*split, *(name for name, tensor in names.items() if tensor in split)}

    @property
    def _objective(self) -> str:
        """Of what derivatives are on the right side: as on the left."""
        match self.parsed.sides[0]:
            case ast.Call(func=ast.Name(id="D"), args=[ast.Name(id=name), _]):
                return name
        return self.bench.base.objective

    # --- writing ---------------------------------------------------------------------

    def _written(
        self, formulas: Iterator[Formula], entries: list[Entry], turned: bool
    ) -> Iterator[ast.expr]:
        """Each formula at the subscripts of the left side, or in matrix form."""
        sized = [entry for entry in entries if entry.rank]
        whole = [entry.whole for entry in sized]
        for formula in formulas:
            trees: list[ast.expr] = []
            try:
                if not any(whole):
                    parts = [part for entry in sized for part in entry.parts]
                    at = [subscript(part) for part in parts]
                    trees.append(self._writer.tree(formula, at))
                elif all(whole):
                    trees += self._matrices(formula, sized, turned)
            except UnprintableError:
                continue
            for tree in trees:
                yield from self._styled(tree)

    def _matrices(
        self, formula: Formula, sized: list[Entry], turned: bool
    ) -> Iterator[ast.expr]:
        """In denominator layout rows are of what a slope is by."""
        order = list(range(len(formula.indices)))
        if len(sized) == 2:
            order = order[::-1]
        if len(order) == 2 and turned:
            order = order[::-1]
        first = [name for name in formula.system.tensors if name.startswith("delta_")]
        for orderly, back in product((first, ()), (False, True)):
            tree = matrix_tree(formula, order, orderly, back)
            column = len(order) == 1 and turned
            yield ast.Attribute(tree, "T") if column else tree

    def _styled(self, tree: ast.expr) -> Iterator[ast.expr]:
        if names_in(tree) & self._hidden:
            return
        style = Style(self.bench, self.words, self._objective)
        constants = self.bench.base.constants
        for functions in (True, False):
            with suppress(UnprintableError):
                applied = style.applied(tree, functions)
                yield Ordered(self.parsed.sides, constants).visit(applied)

    @cached_property
    def _writer(self) -> Writer:
        sides = self.parsed.sides
        letters: dict[str, None] = {}
        for side in sides:
            letters |= letters_in(side, self.bench)
        own = frozenset(letters_in(sides[0], self.bench))
        others: dict[str, int] = {}
        for name in (n for n in letters if n not in own):
            for side in sides:
                with suppress(NoValueError):
                    others[name] = size_of(name, side, self.bench)
        base = self.bench.base
        named = {*base.tensors, *self.bench.names} - self.bench.split
        declared = bool(own) and own <= base.axes.keys()
        taken = own | named | base.constants.keys()
        return Writer(others, frozenset(taken), declared, frozenset(named))
