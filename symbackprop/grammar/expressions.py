"""Right-hand sides: Python's syntax tree -> SymPy, by a whitelist.

Text is never evaluated: each node is either one of the few below, or refused with its
line and column. Limits are checked before any SymPy object is built.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import NoReturn

import sympy
from sympy import Add, Expr, Mul, Pow, Rational

from symbackprop import scalars
from symbackprop.equations import Name, System, Tensor, affine, span
from symbackprop.errors import DeclarationError, GrammarError, ShapeError, nearest
from symbackprop.grammar import shapes
from symbackprop.grammar.bounds import (
    PRODUCT,
    SELF_NESTING_LIMIT,
    chain_of,
    flaw_of_exponent,
    flaw_of_numbers,
    flaw_of_power,
    flaw_of_product,
)
from symbackprop.grammar.conditions import condition
from symbackprop.grammar.normal import Placeholders, Reduced
from symbackprop.grammar.text import FUNCTIONS, PI, REDUCTIONS
from symbackprop.grammar.tree import Tree


@dataclass
class Reader:
    """Reads one right-hand side."""

    tree: Tree
    system: System
    placeholders: Placeholders = field(default_factory=Placeholders)
    first_reads: dict[str, tuple[int, int]] = field(default_factory=dict)
    open_calls: list[str] = field(default_factory=list)

    def right_side(
        self, indices: tuple[Name, ...], root: ast.expr | None = None
    ) -> Expr:
        root = self.tree.parse() if root is None else root
        rhs = self.expression(root, indices)
        reductions = self.placeholders.reductions.values()
        flaw = flaw_of_numbers([rhs, *(reduced.body for reduced in reductions)])
        if flaw is not None:
            self.refuse(root, f"simplified, this equation {flaw}.")
        return rhs

    def refuse(
        self,
        node: ast.AST,
        message: str,
        kind: type[DeclarationError] = GrammarError,
    ) -> NoReturn:
        self.tree.refuse(node, message, kind)

    def expression(self, node: ast.expr, scope: tuple[Name, ...]) -> Expr:
        """A number-valued expression; `scope` are the indices open here."""
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self._name(node, scope)
            case ast.Subscript():
                return self._read(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.expression(operand, scope)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand, scope)
            case ast.BinOp(op=ast.Pow()):
                return self._power(node, scope)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return Add(*self._links(node, scope))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return Mul(*self._links(node, scope))
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                self.refuse(
                    node,
                    "a condition stands only as the first argument of `where`, as in "
                    "`where(u <= t, a, b)`.",
                )
        return self._refuse_node(node)

    def _refuse_node(self, node: ast.expr) -> NoReturn:
        kinds = {
            ast.Tuple: "several expressions, apart from `x[i, j]` and `sum(x[i], i)`",
            ast.Starred: "a star",
            ast.BinOp: "this operator; there are `+`, `-`, `*`, `/` and `**`",
            ast.List: "square brackets without a tensor; write `x[i]`, or round ones",
        }
        what = kinds.get(type(node), type(node).__name__.lower())
        self.refuse(node, f"this is not part of the grammar: {what}.")

    def _links(self, node: ast.expr, scope: tuple[Name, ...]) -> list[Expr]:
        """The addends of `a - b + c`, or the factors of `a * b / c`."""
        chain: list[tuple[ast.operator | None, ast.expr]] = []
        own = chain_of(node)
        while isinstance(node, ast.BinOp) and chain_of(node) == own:
            chain.append((node.op, node.right))
            node = node.left
        chain.append((None, node))
        links: list[Expr] = []
        for op, part in reversed(chain):
            link = self.expression(part, scope)
            if isinstance(op, ast.Div) and link == 0:
                self.refuse(part, "this divides by zero.")
            if isinstance(op, ast.Sub):
                link = -link
            links.append(Pow(link, -1) if isinstance(op, ast.Div) else link)
        if own == PRODUCT:
            self._refuse_flaw(node, flaw_of_product(links))
        return links

    def _number(self, node: ast.Constant) -> Expr:
        text = self.tree.text(node)
        if type(node.value) not in (int, float):
            self.refuse(node, f"`{text[:40]}` is not a number.")
        return Rational(Fraction(text))

    def _name(self, node: ast.Name, scope: tuple[Name, ...]) -> Expr:
        name, system = node.id, self.system
        if name in system.tensors:
            return self._tensor(node, name, [], scope)
        if name in system.constants:
            return system.constants[name].symbol
        if name in system.axes:
            index = system.axes[name].index
            if index not in scope:
                self.refuse(
                    node,
                    f"the index `{name}` is free on the right, but not on the left. "
                    f"Reduce over it, as in `sum(..., {name})`, or add it on the left.",
                )
            return index
        if name == PI:
            return sympy.pi
        if name in FUNCTIONS:
            self.refuse(node, f"`{name}` is a function; write `{name}(...)`.")
        return self._unknown(node, name)

    def _unknown(self, node: ast.AST, name: str) -> NoReturn:
        self.refuse(
            node,
            f"`{name}` is not known. Declare it as a parameter, data, a constant or an "
            f"axis, or define it by an equation.{nearest(name, self._known())}",
        )

    def _read(self, node: ast.Subscript, scope: tuple[Name, ...]) -> Expr:
        if not isinstance(node.value, ast.Name):
            self.refuse(
                node, "subscripts follow a tensor's name, all in one pair: `x[i, j]`."
            )
        name = node.value.id
        if name not in self.system.tensors:
            if name in self._known():
                self.refuse(node, f"`{name}` is no tensor and has no subscripts.")
            self._unknown(node, name)
        inside = node.slice
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        return self._tensor(node, name, parts, scope)

    def _tensor(
        self,
        node: ast.expr,
        name: str,
        parts: list[ast.expr],
        scope: tuple[Name, ...],
    ) -> Expr:
        """`name[parts]`, each subscript inside its axis."""
        tensor = self.system.tensors[name]
        if len(parts) != len(tensor.axes):
            self.wrong_count(node, tensor, len(parts))
        self.first_reads.setdefault(name, self.tree.place(node))
        return tensor.read(*self.subscripts(tensor, parts, scope))

    def subscripts(
        self, tensor: Tensor, parts: list[ast.expr], scope: tuple[Name, ...]
    ) -> list[Expr]:
        """The subscripts of the first axes of a tensor."""
        subscripts = []
        for part, axis in zip(parts, tensor.axes, strict=False):
            subscript = self._subscript(part, scope)
            subscripts.append(subscript)
            form = affine(subscript)
            if form is None or self.is_zero_outside(tensor):
                continue
            low, high = span(subscript, self.system)
            size = self.system.size(axis)
            if low < 0 or high >= size:
                over = f"{low}..{high}" if low < high else str(low)
                self.outside(part, tensor, axis, over, form[0])
        return subscripts

    def wrong_count(self, node: ast.expr, tensor: Tensor, came: int) -> NoReturn:
        """Refuse a tensor with more or fewer subscripts than axes."""
        self.refuse(node, shapes.wrong_count(tensor, came), ShapeError)

    def is_zero_outside(self, tensor: Tensor) -> bool:
        """Whether a tensor may be read anywhere."""
        return tensor.zero_outside

    def outside(
        self, node: ast.expr, tensor: Tensor, axis: str, over: str, used: Iterable[Name]
    ) -> None:
        """Refuse a subscript of some letters that leaves its axis, at some places."""
        message = shapes.outside(self.system, tensor, axis, over, used)
        self.refuse(node, message, ShapeError)

    def _subscript(self, node: ast.expr, scope: tuple[Name, ...]) -> Expr:
        """Affine in indices with whole coefficients, or a read of integer data."""
        inner = node.value if isinstance(node, ast.Subscript) else node
        if isinstance(inner, ast.Name) and inner.id in self.system.tensors:
            if self.system.tensors[inner.id].integer:
                return self.expression(node, scope)
            self.refuse(
                node,
                f"`{inner.id}` stands in a subscript but is not integer data. Name it "
                "in `integers` if it is, or write an index.",
            )
        for part in (p for p in ast.walk(node) if isinstance(p, ast.expr)):
            if isinstance(part, ast.Name) and part.id in self.system.axes:
                continue
            if isinstance(part, ast.Constant) and type(part.value) is int:
                continue
            allowed = (ast.Add, ast.Sub, ast.Mult, ast.USub, ast.UAdd)
            if isinstance(part, ast.BinOp | ast.UnaryOp):
                if isinstance(part.op, allowed):
                    continue
            elif isinstance(part, ast.Name) and part.id not in self._known():
                self._unknown(part, part.id)
            self.refuse(
                part,
                "a subscript is a sum of indices times whole numbers, as in "
                "`2*p + u - 1`, or an element of integer data, as in `token[t]`.",
            )
        subscript = self.expression(node, scope)
        if affine(subscript) is None:
            self.refuse(
                node,
                "this subscript is not affine: indices are only added, subtracted and "
                "multiplied by whole numbers.",
            )
        return subscript

    def _known(self) -> set[str]:
        system = self.system
        return {*system.axes, *system.tensors, *system.constants, *FUNCTIONS}

    def _call(self, node: ast.Call, scope: tuple[Name, ...]) -> Expr:
        if not isinstance(node.func, ast.Name):
            self.refuse(node, "only a function's name stands before round brackets.")
        name, arguments = node.func.id, node.args
        if name not in FUNCTIONS:
            if name in self._known():
                self.refuse(
                    node,
                    f"`{name}` is not a function. Write a product as `{name} * (...)`, "
                    f"and subscripts as `{name}[...]`.",
                )
            self.refuse(
                node,
                f"there is no function `{name}`; there are "
                f"{', '.join(sorted(FUNCTIONS))}.{nearest(name, FUNCTIONS)}",
            )
        if name in REDUCTIONS:
            return self._reduction(node, name, scope)
        row = scalars.TABLE.get(name)
        self.check_count(node, name, len(arguments))
        if row is None:
            condition = self.condition(arguments[0], scope)
            a, b = (self.expression(argument, scope) for argument in arguments[1:])
            return scalars.where(condition, a, b)
        with self.inside(node, name):
            values = [self.expression(argument, scope) for argument in arguments]
        return self.applied(node, name, values)

    def check_count(self, node: ast.Call, name: str, count: int) -> None:
        """Refuse a function with too many arguments, or too few."""
        row = scalars.TABLE.get(name)
        most = row.arity if row else 3
        least = most - (len(row.defaults) if row else 0)
        if not least <= count <= most:
            takes = ("" if least == most else f"{least} to ") + shapes.counted(
                most, "argument"
            )
            self.refuse(node, f"`{name}` takes {takes}, {count} came.")

    @contextmanager
    def inside(self, node: ast.Call, name: str) -> Iterator[None]:
        """While the arguments of a function are read."""
        self.open_calls.append(name)
        most = SELF_NESTING_LIMIT
        if scalars.TABLE[name].arity == 1 and self.open_calls.count(name) > most:
            self.refuse(
                node,
                f"`{name}` nests in itself more than {most} times. Split the equation.",
            )
        yield
        self.open_calls.pop()

    def applied(self, node: ast.Call, name: str, values: list[Expr]) -> Expr:
        """A function of the table, its last arguments by default."""
        row = scalars.TABLE[name]
        if name == "identity":
            return values[0]
        if name == "exp":
            self._refuse_flaw(node, flaw_of_exponent(values[0]))
        given = len(row.defaults) - row.arity + len(values)
        values = [*values, *row.defaults[given:]]
        return row.call(*values)

    def _reduction(self, node: ast.Call, op: str, scope: tuple[Name, ...]) -> Expr:
        """`sum(body, i, j)` as a placeholder."""
        bound = self.bound(node, op, scope)
        with self.apart():
            body = self.expression(node.args[0], (*scope, *bound))
        return self.reduced(op, bound, body, scope)

    def reduced(
        self, op: str, bound: tuple[Name, ...], body: Expr, scope: tuple[Name, ...]
    ) -> Expr:
        size = prod(self.system.size(index) for index in bound)
        scale = Rational(1, size) if op == "mean" else sympy.S.One
        return self.placeholders.add(Reduced(op, bound, body, scope, scale))

    @contextmanager
    def apart(self) -> Iterator[None]:
        """While a part is read that stands in no function for SymPy."""
        enclosing, self.open_calls = self.open_calls, []
        yield
        self.open_calls = enclosing

    def bound(
        self, node: ast.Call, op: str, scope: tuple[Name, ...]
    ) -> tuple[Name, ...]:
        """The indices that a reduction binds."""
        if len(node.args) < 2:
            self.refuse(
                node,
                f"`{op}` names its indices after the expression: `{op}(x[i], i)`. "
                "For the greater of two numbers write `maximum(a, b)`.",
            )
        bound: list[Name] = []
        for argument in node.args[1:]:
            axis = argument.id if isinstance(argument, ast.Name) else ""
            if axis not in self.system.axes:
                hint = nearest(axis, self.system.axes) if axis else ""
                if f"{op}imum" in FUNCTIONS:
                    hint = f" Of two numbers write `{op}imum(a, b)`.{hint}"
                self.refuse(
                    argument,
                    f"after its expression `{op}` takes index letters: "
                    f"`{op}(x[i], i)`.{hint}",
                )
            index = self.system.axes[axis].index
            if index in bound:
                self.refuse(argument, f"`{op}` names the index `{axis}` twice.")
            if index in scope:
                self.refuse(
                    argument,
                    f"`{op}` binds the index `{axis}`, which stands on the left side "
                    "or is bound by an enclosing reduction. Use another axis of the "
                    "same size.",
                )
            bound.append(index)
        return tuple(bound)

    def condition(self, node: ast.expr, scope: tuple[Name, ...]) -> Expr:
        """A true-or-false expression: the first argument of `where`."""
        return condition(node, lambda part: self.expression(part, scope), self.refuse)

    def _power(self, node: ast.BinOp, scope: tuple[Name, ...]) -> Expr:
        left, right = (self.expression(e, scope) for e in (node.left, node.right))
        return self.power(node, left, right)

    def power(self, node: ast.BinOp, base: Expr, exponent: Expr) -> Expr:
        tower = isinstance(node.right, ast.BinOp) and isinstance(node.right.op, ast.Pow)
        if exponent.is_Rational and tower:
            self.refuse(node.right, "a tower of powers; write its exponent as one.")
        self._refuse_flaw(node.right, flaw_of_power(base, exponent))
        return Pow(base, exponent)

    def _refuse_flaw(self, node: ast.expr, flaw: str | None) -> None:
        if flaw is not None:
            self.refuse(node, flaw)
