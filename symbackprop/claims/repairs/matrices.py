"""A formula over indices as a tree in matrix form.

D_L_W2[i, j] = delta_z2[i]*a1[j]   =>   delta_z2 @ a1.T
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from sympy import Expr, Mul, S

from symbackprop.argument.lines import kronecker
from symbackprop.claims.repairs.derived import Formula
from symbackprop.claims.repairs.indices import UnprintableError, tree_of
from symbackprop.equations import Equation, Name, System, Tensor, Term, defined_by
from symbackprop.formula import expression
from symbackprop.notation import forms
from symbackprop.notation.forms import Form
from symbackprop.notation.graph import NoForm
from symbackprop.notation.raising import Raiser
from symbackprop.notation.systems import softmax_of

LEFT = "left"  # a name for what the formula is of


def matrix_tree(
    formula: Formula, order: Sequence[int], first: Collection[str], turned: bool
) -> ast.expr:
    """The right side of a formula in matrix form.

    Args:
        order: which of its indices are rows and columns.
        first: tensors that stand first in elementwise products.
        turned: whether factors of elementwise products are written from the last on.

    Raises:
        UnprintableError: it has no matrix form, or claims have no words for it.
    """
    indices = tuple(formula.indices[place] for place in order)
    plain = [replace(t, average=False, guards=()) for t in formula.terms]
    on, off = _diagonal(plain, indices)
    writer = _Writer(formula.system, turned)
    try:
        parts = []
        if on:
            column = _raised(on, indices[:1], formula, first)
            parts.append(_on_diagonal(writer.write(column)))
        if off or not on:
            parts.append(writer.write(_raised(off, indices, formula, first)))
    except NoForm:
        raise UnprintableError from None
    return _joined(ast.Add(), parts)


def _diagonal(
    terms: Iterable[Term], indices: tuple[Name, ...]
) -> tuple[list[Term], list[Term]]:
    """Terms that stand on the diagonal alone, without saying so, and the others."""
    on: list[Term] = []
    off: list[Term] = []
    for term in terms:
        factors = Mul.make_args(term.body)
        delta = next((f for f in factors if f.func is kronecker), None)
        if delta is None or len(indices) != 2 or {*delta.args} != {*indices}:
            off.append(term)
            continue
        body = (term.body / delta).xreplace({indices[1]: indices[0]})
        on.append(replace(term, body=body))
    return on, off


def _raised(
    terms: Sequence[Term],
    indices: tuple[Name, ...],
    formula: Formula,
    first: Collection[str],
) -> Form:
    """Terms over some indices as a form."""
    left = Tensor(LEFT, tuple(str(index) for index in indices), "defined", 0)
    tensors = {**formula.system.tensors, LEFT: left}
    system = replace(formula.system, tensors=tensors)
    equation = Equation(LEFT, indices, tuple(terms), formula.reduction)
    raiser = Raiser(system, (), first)
    softmax = softmax_of(equation, defined_by(system)) if len(terms) == 1 else None
    if softmax is not None:
        exponent, along, denominator = softmax
        return raiser.softmax(equation, exponent, along, denominator).right
    return raiser.equation(equation).right


def _on_diagonal(column: ast.expr) -> ast.expr:
    if isinstance(column, ast.Constant):
        return ast.Name("I") if column.value == 1 else _times(column, ast.Name("I"))
    return _call("diag", column)


class _Writer:
    """Writes forms as trees."""

    def __init__(self, system: System, turned: bool) -> None:
        self.system = system
        self.turned = turned

    def write(self, form: Form) -> ast.expr:
        rule = _RULES.get(type(form))
        if rule is None:
            raise UnprintableError
        return rule(self, form)

    def number(self, value: Expr) -> ast.expr:
        return tree_of(expression(value, self.system))

    def read(self, form: forms.Read) -> ast.expr:
        name = ast.Name(form.symbol.name)
        if None not in form.subscripts:
            parts = [self.number(part) for part in form.subscripts if part is not None]
            return ast.Subscript(name, ast.Tuple(parts)) if parts else name
        if form.rank < len(form.subscripts):
            raise UnprintableError
        return name

    def scaled(self, form: forms.Scaled) -> ast.expr:
        whole = self.write(form.of)
        for factor in reversed(form.scalars):
            number = factor.value if isinstance(factor, forms.Scalar) else S.One
            if number.is_Rational and number < 0:
                whole, number = ast.UnaryOp(ast.USub(), whole), -number
            if number.is_Rational and number.p == 1:
                if number.q > 1:
                    whole = ast.BinOp(whole, ast.Div(), ast.Constant(int(number.q)))
                if isinstance(factor, forms.Scalar):
                    continue
                number = S.One
            above = self.number(number) if number != 1 else self.write(factor)
            whole = _times(above, whole)
        return whole

    def product(self, form: forms.Product) -> ast.expr:
        if all(isinstance(_upright(f), forms.Ones) for f in form.factors):
            return ast.Constant(1)
        return _joined(ast.MatMult(), [self.write(f) for f in form.factors])

    def hadamard(self, form: forms.Hadamard) -> ast.expr:
        """Factors, and below a bar those that divide."""
        factors = form.factors[::-1] if self.turned else form.factors
        below = [f for f in factors if isinstance(f, forms.Power) and f.exponent == -1]
        above = [self.write(f) for f in factors if f not in below]
        whole = _joined(ast.Mod(), above) if above else ast.Constant(1)
        for factor in below:
            whole = ast.BinOp(whole, ast.Div(), self.write(factor.base))
        return whole

    def power(self, form: forms.Power) -> ast.expr:
        base = self.write(form.base)
        if form.exponent == -1:
            return ast.BinOp(ast.Constant(1), ast.Div(), base)
        if form.exponent == S.Half:
            return _call("sqrt", base)
        return ast.BinOp(base, ast.Pow(), self.number(form.exponent))

    def indicator(self, form: forms.Indicator) -> ast.expr:
        sides = self.write(form.left), self.write(form.right)
        compared = ast.Compare(sides[0], [_SIGNS[form.relation]()], [sides[1]])
        return _call("where", compared, ast.Constant(1), ast.Constant(0))

    def norm(self, form: forms.Norm) -> ast.expr:
        return _call("sum", ast.BinOp(self.write(form.of), ast.Pow(), ast.Constant(2)))

    def softmax(self, form: forms.Softmax) -> ast.expr:
        above = _call("exp", self.write(form.of))
        return ast.BinOp(above, ast.Div(), _call("sum", above))

    def extremum(self, form: forms.Extremum) -> ast.expr:
        if form.labels or form.rows or form.reduction not in ("max", "min"):
            raise UnprintableError
        return _call(form.reduction, self.write(form.of))


def _upright(form: Form) -> Form:
    return form.of if isinstance(form, forms.Transpose) else form


def _joined(op: ast.operator, parts: list[ast.expr]) -> ast.expr:
    return reduce(lambda left, right: ast.BinOp(left, op, right), parts)


def _times(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.Mult(), right)


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name), list(arguments), [])


_SIGNS: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt,
    "<=": ast.LtE,
    "==": ast.Eq,
    "!=": ast.NotEq,
}
_RULES: dict[type[Form], Callable[[_Writer, Any], ast.expr]] = {
    forms.Read: _Writer.read,
    forms.Scalar: lambda writer, form: writer.number(form.value),
    forms.Ones: lambda writer, form: ast.Constant(1),
    forms.Transpose: lambda writer, form: ast.Attribute(writer.write(form.of), "T"),
    forms.Diag: lambda writer, form: _call("diag", writer.write(form.of)),
    forms.Product: _Writer.product,
    forms.Hadamard: _Writer.hadamard,
    forms.Scaled: _Writer.scaled,
    forms.Sum: lambda writer, form: _joined(
        ast.Add(), [writer.write(term) for term in form.terms]
    ),
    forms.Apply: lambda writer, form: _call(
        form.function, *(writer.write(a) for a in form.arguments)
    ),
    forms.Power: _Writer.power,
    forms.Indicator: _Writer.indicator,
    forms.Norm: _Writer.norm,
    forms.Trace: lambda writer, form: _call(
        "sum", _call("diag", writer.write(form.of))
    ),
    forms.Softmax: _Writer.softmax,
    forms.Extremum: _Writer.extremum,
}
