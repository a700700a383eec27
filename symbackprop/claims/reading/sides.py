"""A claim's text -> equations over its program, by the grammar of equation texts.

    D(L, W[i, j]) = delta[i] * x[j]
    => left[i, j] = D_L_W[i, j] ; right[i, j] = delta_z[i]*x[j]

Slopes are given tensors, filled in by a witness. What is differentiated becomes a
tensor of its own, where it is not one already.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from sympy import Dummy, Expr, S, Symbol

from symbackprop import scalars
from symbackprop.calculus import hide
from symbackprop.claims.claim import Claim, MisfitError, UndecidedError
from symbackprop.claims.reading.bench import Workbench, called
from symbackprop.claims.reading.letters import resolve
from symbackprop.claims.reading.text import Parsed
from symbackprop.equations import (
    Axis,
    Name,
    Tensor,
    defined_by,
    indices_of,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import nearest
from symbackprop.grammar.expressions import Reader
from symbackprop.grammar.normal import Placeholders
from symbackprop.grammar.text import FUNCTIONS
from symbackprop.rewrites import reveal

SIDES = ("left", "right", "third", "fourth")


@dataclass
class ClaimReader(Reader):
    """Reads one side: the grammar, `D(A, B)`, `f'(x)`, and names of error terms."""

    bench: Workbench = field(kw_only=True)
    varies: bool = field(init=False, default=False)  # reads what is differentiated by

    def _name(self, node: ast.Name, scope: tuple[Name, ...]) -> Expr:
        slope = self._adjoint(node.id)
        return (
            self._tensor(node, slope, [], scope)
            if slope
            else super()._name(node, scope)
        )

    def _read(self, node: ast.Subscript, scope: tuple[Name, ...]) -> Expr:
        slope = self._adjoint(node.value.id) if isinstance(node.value, ast.Name) else ""
        if not slope:
            return super()._read(node, scope)
        inside = node.slice
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        return self._tensor(node, slope, list(parts), scope)

    def wrong_count(self, node: ast.expr, tensor: Tensor, came: int) -> NoReturn:
        """Shapes that the grammar refuses are a finding about a claim."""
        counts = {"axes": str(len(tensor.axes)), "came": str(came)}
        raise MisfitError("subscript misfit", name=tensor.name, **counts)

    def outside(
        self,
        node: ast.expr,
        tensor: Tensor,
        axis: str,
        over: str,
        letters: Iterable[Name],
    ) -> None:
        """A step before or behind its axis a tensor is 0, as in books.

        So is a slope by what stands at a sum of letters, as in `D(L, z[p - u])`.
        """
        if self.varies and isinstance(node, ast.BinOp):
            return
        size = self.system.size(axis)
        if is_step(node) and [self.system.size(letter) for letter in letters] == [size]:
            self.bench.tensors[tensor.name] = replace(tensor, zero_outside=True)
            return
        raise MisfitError(
            "place misfit", name=tensor.name, axis=axis, size=str(size), over=over
        )

    def is_zero_outside(self, tensor: Tensor) -> bool:
        """Whether it is by its declaration, and not just for a step."""
        return self.bench.base.tensors.get(tensor.name, tensor).zero_outside

    def _adjoint(self, name: str) -> str:
        """The tensor of slopes that `delta1` or `dW` means; "" where it is neither."""
        if name in self.bench.base.tensors or name not in self.bench.names:
            return ""
        objective = self.bench.base.objective
        return self.bench.slope(objective, self.bench.names[name]).name

    def _known(self) -> set[str]:
        return super()._known() | {*self.bench.names} - {*self.bench.slopes}

    def _unknown(self, node: ast.AST, name: str) -> NoReturn:
        hint = _hint_of_layer(name, self.bench) or (
            f' A program declares it, a number as a constant: `constants={{"{name}": '
            f"0.1}}`.{nearest(name, self._known())}"
        )
        self.refuse(node, f"`{name}` is not known.{hint}")

    def _call(self, node: ast.Call, scope: tuple[Name, ...]) -> Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        stem = name.rstrip("_")
        if name == "D":
            if len(node.args) != 2:
                self.refuse(node, "`D` takes what is differentiated, and by what.")
            of = self.expression(node.args[0], scope)
            return self.derivative(of, self.variable(node.args[1], scope), scope)
        if name not in FUNCTIONS and stem in {*FUNCTIONS, *self.bench.functions}:
            values = [self.expression(argument, scope) for argument in node.args]
            return self.function(node, name, values, scope)
        if stem != name:
            self.refuse(
                node,
                f"there is no function `{stem}` of one number."
                f"{nearest(stem, {*scalars.TABLE, *self.bench.functions})}",
            )
        return super()._call(node, scope)

    def variable(self, node: ast.expr, scope: tuple[Name, ...]) -> Expr:
        """What a derivative is taken by: an entry of a tensor."""
        self.check_variable(node.value if isinstance(node, ast.Subscript) else node)
        self.varies = True
        try:
            return self.expression(node, scope)
        finally:
            self.varies = False

    def check_variable(self, node: ast.expr) -> None:
        """Refuse what nothing can be differentiated by."""
        name = node.id if isinstance(node, ast.Name) else ""
        tensor = self.bench.base.tensors.get(name)
        if tensor is None:
            self.refuse(
                node,
                "a derivative is taken by an entry of a tensor, as in `D(L, W[i, j])`, "
                f"or by a variable.{nearest(name, self._known())}",
            )
        if tensor.integer:
            self.refuse(node, f"`{name}` is whole numbers; it has no slopes.")

    def derivative(self, of: Expr, by: Expr, scope: tuple[Name, ...]) -> Expr:
        """`D(of, by)`, read from a tensor of slopes."""
        of = self._differentiable(of)
        source, places = self.source(of, scope)
        slope = self.bench.slope(source, tensor_of(by))
        return slope.read(*places, *subscripts_of(by))

    def source(self, of: Expr, scope: tuple[Name, ...]) -> tuple[str, tuple[Expr, ...]]:
        """The tensor of an expression and where to read it; a new one if need be."""
        plain = of.is_Indexed or isinstance(of, Name)
        if plain and not isinstance(of, Dummy) and tensor_of(of) in self.bench.tensors:
            return tensor_of(of), subscripts_of(of)
        letters = self._letters(of, scope)
        made = self.bench.define("part", letters, of, self.placeholders)
        return made.name, letters

    def _inside(self, expression: Expr) -> Placeholders:
        """The reductions in an expression, with those inside of them."""
        found = Placeholders()
        agenda = [expression]
        while agenda:
            for place in agenda.pop().atoms(Dummy) & {*self.placeholders.reductions}:
                if place not in found.reductions:
                    found.reductions[place] = self.placeholders.reductions[place]
                    agenda.append(found.reductions[place].body)
        return found

    def _letters(self, expression: Expr, scope: tuple[Name, ...]) -> tuple[Name, ...]:
        """The open indices that an expression depends on."""
        free: set[Symbol] = set(indices_of(expression))
        for reduced in self._inside(expression).reductions.values():
            free |= set(indices_of(reduced.body)) - set(reduced.bound)
        return tuple(index for index in scope if index in free)

    def function(
        self, node: ast.Call, name: str, values: list[Expr], scope: tuple[Name, ...]
    ) -> Expr:
        """`tanh(z[i])`, `tanh'(z[i])`, `f2(z2[i])` and `f2'(z2[i])`, of values."""
        stem = name.rstrip("_")
        function = stem
        if stem in self.bench.functions:
            function, others, tensor = self.bench.functions[stem]
            if len(values) != 1:
                self.refuse(node, f"`{stem}` is a function of one argument.")
            own = (self.system.axes[a].index for a in self.system.tensors[tensor].axes)
            places = dict(zip(own, subscripts_of(values[0]), strict=False))
            values = values + [other.xreplace(places) for other in others]
            if any(set(indices_of(v)) - set(scope) for v in values):
                self.refuse(node, f"`{stem}` has parameters; name the function itself.")
        elif stem not in scalars.TABLE:
            self.refuse(node, f"`{stem}` is no function of one number.")
        else:
            self.check_count(node, stem, len(values))
        return self.primed(node, function, len(name) - len(stem), values, scope)

    def primed(
        self,
        node: ast.Call,
        function: str,
        primes: int,
        values: list[Expr],
        scope: tuple[Name, ...],
    ) -> Expr:
        """A function of values, or its slope by the first of them."""
        if not primes:
            return self.applied(node, function, values)
        # The argument becomes a tensor, and the slope one by that.
        letters = self._letters(sum(values, S.Zero), scope)
        argument = self._differentiable(values[0])
        inner = self.bench.define("argument", letters, argument, self.placeholders)
        at = [inner.read(*letters), *values[1:]]
        value = self.applied(node, function, at)
        for _ in range(primes):
            value = self._differentiable(value)
            made = self.bench.define("applied", letters, value, self.placeholders)
            value = self.bench.slope(made.name, inner.name).read(*letters, *letters)
        return value

    def _differentiable(self, expression: Expr) -> Expr:
        """An expression that can be differentiated: slopes in it are written out.

        `D(tanh(x), x)` => `1 - tanh(x)**2`; a witness compares both later.

        Raises:
            UndecidedError: a slope of a network, which would have to be derived.
        """
        if not self.bench.depends_on_slopes(expression, self._inside(expression)):
            return expression
        if self.bench.base.equations:
            raise UndecidedError("second derivative")
        equations = {e.tensor: e for e in self.bench.equations}
        found: dict[Expr, Expr] = {}
        for read in sorted(expression.free_symbols, key=str):
            slope = self.bench.slopes.get(str(read))
            if slope is None:
                continue
            by = self.bench.tensors[slope.by].symbol
            of = self.bench.tensors[slope.of].symbol
            body = equations[slope.of].terms[0].body if slope.of in equations else of
            found[read] = reveal(hide(body).diff(by))
            written = self.bench.define("written", (), found[read], Placeholders())
            self.bench.derived[str(read)] = written.name
        return expression.xreplace(found)


def is_step(node: ast.expr) -> bool:
    """`t + 1`, `1 + t` or `t - 1`."""
    match node:
        case ast.BinOp(left=ast.Name(), op=ast.Add() | ast.Sub(), right=ast.Constant()):
            return True
        case ast.BinOp(left=ast.Constant(), op=ast.Add(), right=ast.Name()):
            return True
    return False


def _hint_of_layer(name: str, bench: Workbench) -> str:
    """What a program has that is no `a0` by name, but what a0 means in books."""
    if not re.fullmatch(r"a\d+", name):
        return ""
    number = int(name[1:])
    if f"z{number}" in bench.base.tensors:
        return f" Layer {number} makes `z{number}` here."
    equation = defined_by(bench.base).get(f"z{number + 1}")
    read = [tensor_of(r) for r in equation.reads()] if equation else []
    found = [n for n in read if bench.base.tensors[n].role != "parameter"]
    return f" The input of layer {number + 1} is `{found[0]}` here." if found else ""


def read_sides(parsed: Parsed, bench: Workbench, form: str) -> Claim:
    """Read a claim in index form, or one about functions of numbers.

    Raises:
        MisfitError: shapes that do not meet.
        UndecidedError: derivatives of derivatives.
        GrammarError: text that is not a claim about this program.
    """
    letters = resolve(parsed, bench.system, bench.axes, bench.axes_of)
    free = tuple(axis.index for axis in letters.values())
    sides = []
    for name, root, tree in zip(SIDES, parsed.sides, parsed.trees, strict=False):
        reader = ClaimReader(tree, bench.system, bench=bench)
        body = reader.right_side(free, root)
        sides.append(bench.define(name, free, body, reader.placeholders).name)
    condition = ""
    if parsed.condition is not None and parsed.where is not None:
        reader = ClaimReader(parsed.where, bench.system, bench=bench)
        holds = reader.condition(parsed.condition, free)
        chosen = scalars.where(holds, S.One, S.Zero)
        condition = bench.define("condition", free, chosen, reader.placeholders).name
    return finished(parsed, form, bench, tuple(sides), condition, letters)


def finished(
    parsed: Parsed,
    form: str,
    bench: Workbench,
    sides: tuple[str, ...],
    condition: str,
    letters: Mapping[str, Axis],
) -> Claim:
    """What was read, as a value."""
    system = replace(bench.system, equations=tuple(bench.equations))
    slopes, shown = dict(bench.slopes), dict(letters)
    return Claim(
        parsed,
        form,
        system,
        slopes,
        sides,
        condition,
        shown,
        bench.base,
        dict(bench.derived),
        bench.means or "mean" in called(parsed),
    )
