"""The words of a claim that may stand for one another, the nearest first.

Two tensors are near if they have one stem and layers beside each other, as `W1` and
`W2`; or if one is computed from the other, as `a1` from `z1`; or, as `a1` and the data
below it, if one equation lies between them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product

import sympy
from sympy import Expr, preorder_traversal

from symbackprop.claims.reading.bench import Workbench
from symbackprop.equations import tensor_of
from symbackprop.grammar.text import REDUCTIONS
from symbackprop.scalars import TABLE

NEXT, SAME, STEP, OTHER_KIND = 1.0, 1.25, 0.25, 1.0  # what replacing a word costs
MOST = 20  # tensors in the place of one
FAR = 4  # equations between two tensors, beyond which all are equally far
FUNCTION, REDUCTION = 2.0, 1.5
MOST_PLACES = 8  # choices of letters for one tensor

Wrapper = tuple[str, tuple[ast.expr, ...]]

_NUMBERED = re.compile(r"(.*?)_?(\d*)$")


@dataclass(frozen=True)
class Words:
    """What may stand in the place of a word.

    Attributes:
        bench: what names mean.
        used: the words of the claim.
        letters: the index letters of the claim, and the size of each.
        matrix: whether the claim is in matrix form.
        sizes: by what a mean divides.
        slopes: whether it writes `D(L, z)` for what others call `delta_z`.
    """

    bench: Workbench
    used: frozenset[str]
    letters: Mapping[str, int]
    matrix: bool
    sizes: tuple[int, ...] = ()
    slopes: bool = False
    _known: dict[str, Mapping[str, int]] = field(default_factory=dict)

    # --- tensors ---------------------------------------------------------------------

    def tensors(self, name: str) -> Iterator[tuple[float, str]]:
        """Other tensors, adjoints or constants for one, with what each costs."""
        base = self.bench.base
        if name in base.constants:
            yield from ((SAME, other) for other in base.constants if other != name)
        here = self._meant.get(name) or self.bench.names.get(name)
        if here is None:
            return
        adjoint = name not in base.tensors
        found = []
        for other, there in self._meant.items():
            if other == name or (there == here and adjoint == (other != there)):
                continue
            kind = OTHER_KIND * (adjoint != (other != there))
            kind += OTHER_KIND * self._differ(here, there)
            found.append((kind + self._distance(here, there), other))
        yield from sorted(found, key=lambda pair: pair[0])[:MOST]

    def _differ(self, first: str, second: str) -> bool:
        """Whether one is trained and the other is not."""
        roles = [self.bench.base.tensors[name].role for name in (first, second)]
        return roles.count("parameter") == 1

    @cached_property
    def _meant(self) -> Mapping[str, str]:
        """Tensors, and adjoints under the one name that the claim would use."""
        base = self.bench.base
        found = {
            name: name
            for name, tensor in base.tensors.items()
            if not tensor.integer and name not in self.bench.split
        }
        if not base.equations:
            return found
        names: dict[str, list[str]] = {}
        for name, tensor in self.bench.names.items():
            names.setdefault(tensor, []).append(name)
        for tensor, known in names.items():
            if tensor in found and tensor != base.objective:
                found |= dict.fromkeys(self._styled(tensor, known), tensor)
        return found

    def entries(self) -> Iterator[ast.expr]:
        """Tensors in one equation with the claim's, or their entries at its letters."""
        base = self.bench.base
        near = set()
        for equation in base.equations:
            names = {equation.tensor, *map(tensor_of, equation.reads())}
            near |= names if names & self.used else set()
        for name in (*(n for n in self._meant if n in near), *base.constants):
            axes = self.bench.axes_of(name) or ()
            if self.matrix or not axes:
                yield ast.Name(name)
                continue
            fitting = [
                [n for n, size in self.letters.items() if size == base.size(axis)]
                for axis in axes
            ]
            for chosen in islice(product(*fitting), MOST_PLACES):
                if len(set(chosen)) == len(chosen):
                    parts: list[ast.expr] = [ast.Name(n) for n in chosen]
                    whole = ast.Tuple(parts) if len(parts) > 1 else parts[0]
                    yield ast.Subscript(ast.Name(name), whole)

    def named(self, name: str) -> str:
        """What the claim would call an adjoint: `delta_z1` => `delta1`."""
        tensor = self.bench.names.get(name)
        found = [n for n, t in self._meant.items() if t == tensor and n != t]
        return found[0] if found else name

    def _styled(self, tensor: str, known: list[str]) -> list[str]:
        """`delta_z1` or `delta1`, as in the claim; of a parameter only if used."""
        used = [name for name in known if name in self.used]
        if used:
            return used[:1]
        if self.bench.base.tensors[tensor].role == "parameter" or self.slopes:
            return []
        long = any(
            name.startswith("delta_") and self._has_short(self.bench.names[name])
            for name in self.used & self.bench.names.keys()
        )
        return known[:1] if long else known[-1:]

    def _has_short(self, tensor: str) -> bool:
        return sum(t == tensor for t in self.bench.names.values()) > 1

    def _distance(self, first: str, second: str) -> float:
        if not self.bench.base.equations:
            return SAME
        if first == second:
            return NEXT
        steps = self._steps(first).get(second, FAR)
        return _apart(first, second) or NEXT + STEP * min(steps, FAR)

    @cached_property
    def _beside(self) -> Mapping[str, set[str]]:
        """For each tensor those that one equation joins it with."""
        base = self.bench.base
        found: dict[str, set[str]] = {name: set() for name in base.tensors}
        for equation in base.equations:
            for name in map(tensor_of, equation.reads()):
                found[equation.tensor].add(name)
                found[name].add(equation.tensor)
        return found

    def _steps(self, start: str) -> Mapping[str, int]:
        """How many equations lie between a tensor and others that are not far."""
        if start not in self._known:
            steps, edge = {start: 0}, {start}
            for step in range(1, FAR):
                edge = {n for name in edge for n in self._beside[name]} - steps.keys()
                steps |= dict.fromkeys(edge, step)
            self._known[start] = steps
        return self._known[start]

    # --- functions -------------------------------------------------------------------

    def functions(self, name: str) -> Iterator[tuple[float, str]]:
        """Other functions for one, and its prime."""
        stem = name.rstrip("_")
        if name in REDUCTIONS:
            yield from ((REDUCTION, other) for other in REDUCTIONS if other != name)
            return
        layers, primes = self.bench.functions, name[len(stem) :]
        if stem not in layers and stem not in TABLE:
            return
        yield (NEXT, stem) if primes else (NEXT, f"{stem}_")
        for other in layers:
            if other != stem and stem in layers:
                yield _apart(stem, other) or SAME, other + primes
        arity = 1 if stem in layers else TABLE[stem].arity
        for other, row in TABLE.items():
            if row.arity == arity and other != stem and other in self._called:
                yield FUNCTION - STEP * (other in self.used), other + primes

    @cached_property
    def _calls(self) -> tuple[Expr, ...]:
        """Functions that the program applies to something."""
        return tuple(
            part
            for equation in self.bench.base.equations
            for term in equation.terms
            for part in preorder_traversal(term.body)
            if part.func.__name__ in TABLE
        )

    @cached_property
    def _called(self) -> frozenset[str]:
        """The functions of the claim and of the program."""
        return self.used & TABLE.keys() | {c.func.__name__ for c in self._calls}

    @cached_property
    def wrappers(self) -> tuple[Wrapper, ...]:
        """Calls that may be missing: `tanh(.)`, `maximum(0, .)`, a root of a variance.

        Each is a function and the numbers in front of what is put in.
        """
        plain = (n for n in TABLE if n in {*self._called, "sqrt"} - {"identity"})
        found: dict[str, Wrapper] = {
            name: (name, ()) for name in plain if TABLE[name].arity == 1
        }
        for called in self._calls:
            match called.args:
                case (sympy.Integer() as one, _) | (_, sympy.Integer() as one):
                    name, bound = called.func.__name__, ast.Constant(int(one))
                    found[f"{name} {one}"] = (name, (bound,))
        return tuple(found.values())

    @cached_property
    def selectors(self) -> tuple[str, ...]:
        """What a 1 may stand for the equality of: letters, and data that count."""
        tensors = self.bench.base.tensors.values()
        counts = [t.name for t in tensors if t.integer and not t.axes]
        return () if self.matrix else (*self.letters, *counts)


def _apart(first: str, second: str) -> float | None:
    """What it costs to take `W2` for `W1`; None where the stems differ."""
    one, other = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(second)
    assert one is not None
    assert other is not None
    if one[1] != other[1] or not (one[2] and other[2]):
        return None
    return NEXT if abs(int(one[2]) - int(other[2])) == 1 else SAME


def slopes_in(tree: ast.expr, names: Mapping[str, str]) -> frozenset[str]:
    """The tensors whose slopes a tree names: `delta_z*D(L, h[t])` => z, h."""
    found = {names[name] for name in words_in([tree]) & names.keys()}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="D"), args=[_, by]):
                found |= words_in([by.value if isinstance(by, ast.Subscript) else by])
    return frozenset(found)


def words_in(trees: Iterable[ast.expr]) -> frozenset[str]:
    """Every name in some trees, without its primes."""
    return frozenset(
        node.id.rstrip("_")
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    )
