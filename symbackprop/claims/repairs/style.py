"""Formulas of the derivation in the words of a claim.

slope_tanh_1(z1)*delta_z1   =>   f1'(z1)*delta1
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

from symbackprop.claims.reading.bench import Workbench
from symbackprop.claims.repairs.indices import UnprintableError
from symbackprop.claims.repairs.words import Words
from symbackprop.claims.writing import written
from symbackprop.equations import defined_by, tensor_of

_PRODUCTS = (ast.Mult, ast.Mod)

_SLOPE = re.compile(r"slope_(\w+)_(\d+)")


@dataclass(frozen=True)
class Style:
    """The words of one claim.

    Attributes:
        bench: what names mean.
        words: how the claim names things.
        objective: of what its derivatives are.
    """

    bench: Workbench
    words: Words
    objective: str

    def applied(self, tree: ast.expr, functions: bool) -> ast.expr:
        """The tree with the claim's names.

        Args:
            functions: whether `f1` is written for the activation of a layer.

        Raises:
            UnprintableError: claims have no word for something.
        """
        style = self

        class Renamed(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.expr:
                return style.slope(node, node.id)

            def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
                return style.slope(node, names_in(node.value).pop())

            def visit_Call(self, node: ast.Call) -> ast.expr:
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                arguments = [self.visit(argument) for argument in node.args]
                return style.call(name, node.args, arguments, functions)

        renamed: ast.expr = Renamed().visit(tree)
        return renamed

    def slope(self, node: ast.Name | ast.Subscript, name: str) -> ast.expr:
        """`delta_z1[i]` => `delta1[i]`, or `D(L, z1[i])`; else what came."""
        tensor = self.bench.names.get(name)
        if tensor is None:
            return node
        named = ast.Name(tensor if self.words.slopes else self.words.named(name))
        if isinstance(node, ast.Subscript):
            whole: ast.expr = ast.Subscript(named, node.slice)
        else:
            whole = named
        if not self.words.slopes:
            return whole
        return ast.Call(ast.Name("D"), [ast.Name(self.objective), whole], [])

    def call(
        self,
        name: str,
        plain: list[ast.expr],
        arguments: list[ast.expr],
        functions: bool,
    ) -> ast.expr:
        found = _SLOPE.fullmatch(name)
        if found and found[2] != "1":
            raise UnprintableError
        stem, prime = (found[1], "_") if found else (name, "")
        if functions:
            node = plain[0]
            inner = node.value if isinstance(node, ast.Subscript) else node
            tensor = inner.id if isinstance(inner, ast.Name) else ""
            layer = self._layers.get(tensor)
            if layer is not None and self.bench.functions[layer][0] == stem:
                stem, arguments = layer, arguments[:1]
        return ast.Call(ast.Name(stem + prime), arguments, [])

    @cached_property
    def _layers(self) -> dict[str, str]:
        """`z1` => `f1`."""
        equations = defined_by(self.bench.base)
        return {
            tensor_of(equations[made].terms[0].body.args[0]): name
            for name, (_, _, made) in self.bench.functions.items()
        }


class Ordered(ast.NodeTransformer):
    """Factors in the order in which a claim has them, and out of sums where they can.

    `x[j]*delta1[i]` => `delta1[i]*x[j]`
    `sum(W2[k, i]*delta2[k]*f1'(z1[i]), k)` => `f1'(z1[i])*sum(W2[k, i]*delta2[k], k)`
    """

    def __init__(self, sides: Sequence[ast.expr], constants: Collection[str]) -> None:
        self.constants = constants
        self.claimed = " ".join(written(side) for side in reversed(sides))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        factors = factors_of(node)
        if len(factors) < 2:
            return node
        kind = ast.Mod if isinstance(node.op, ast.Mod) else ast.Mult
        return product_of(sorted(factors, key=self._place), kind)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id="sum"), args=[body, *letters]) if letters:
                bound = {n.id for n in letters if isinstance(n, ast.Name)}
                factors = factors_of(body)
                inside = [f for f in factors if bound & names_in(f)]
                outside = [f for f in factors if f not in inside]
                if inside and outside:
                    summed = ast.Call(node.func, [product_of(inside), *letters], [])
                    return product_of(sorted([*outside, summed], key=self._place))
        return node

    def _place(self, factor: ast.expr) -> int:
        """Where a factor stands in the claim, or else its first name; numbers lead."""
        text = written(factor)
        if isinstance(factor, ast.Constant) or text in self.constants:
            return -1
        place = self.claimed.find(text)
        if place < 0:
            place = self.claimed.find(text.partition("[")[0].partition("(")[0])
        return place if place >= 0 else len(self.claimed)


def factors_of(node: ast.expr) -> list[ast.expr]:
    """`a*b*c` => a, b, c."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, _PRODUCTS):
        return [*factors_of(node.left), *factors_of(node.right)]
    return [node]


def addends_of(node: ast.expr) -> list[ast.expr]:
    """`a - b` => a, b."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return [*addends_of(node.left), *addends_of(node.right)]
    return [node]


def product_of(
    factors: list[ast.expr], kind: type[ast.operator] = ast.Mult
) -> ast.expr:
    """Factors as one tree."""
    return reduce(lambda left, right: ast.BinOp(left, kind(), right), factors)


def names_in(node: ast.expr) -> set[str]:
    """Every name in a tree."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
