"""What a notebook shows: equations as mathematics, documents as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import singledispatch

from sympy import Indexed

from symbackprop.document.chapter import NumberedEquation
from symbackprop.document.lines import Lines
from symbackprop.document.markdown import aligned, markdown
from symbackprop.document.symbols import Symbols
from symbackprop.documents import Document, document
from symbackprop.equations import (
    Axis,
    Constant,
    Equation,
    Name,
    System,
    Tensor,
    indices_of,
    reads,
)
from symbackprop.formula import formula
from symbackprop.program import Program
from symbackprop.proof import Derivation

Bundle = dict[str, str]  # media types and what is shown as each


@singledispatch
def bundle(value: object) -> Bundle:
    """A value by media type; `text/plain` is always among them.

    >>> import symbackprop as sb
    >>> square = sb.Program(equations="L = sum(w[i]**2, i)", axes={"i": 3},
    ...                     parameters={"w": "i"}, data={}, objective="L")
    >>> shown = bundle(square.equations[0])
    >>> print(shown["text/plain"], shown["text/latex"], sep="; ")
    L = sum(w[i]**2, i); $\\displaystyle L = \\sum_{i} w_{i}^{2}$
    """
    return {"text/plain": repr(value)}


@bundle.register
def _(value: Equation) -> Bundle:
    plain = formula(value, alone(value, "size({axis})"))
    system = alone(value, r"\lvert {axis} \rvert")
    row = Lines(system, Symbols(system)).equation(value, None)
    return {
        "text/plain": plain,
        "text/latex": f"$\\displaystyle {row.latex}$",
    }


@bundle.register
def _(value: Program) -> Bundle:
    lines = Lines(value, Symbols(value))
    rows = [lines.equation(equation, None) for equation in value.equations]
    listed = (formula(equation, value) for equation in value.equations)
    return {
        "text/plain": "\n".join([repr(value), *(f"    {text}" for text in listed)]),
        "text/latex": _displayed(rows),
    }


@bundle.register
def _(value: Derivation) -> Bundle:
    listed = {
        value.number(equation.tensor): formula(equation, value.system)
        for equation in (*value.forward, *value.adjoint)
    }
    head = (
        f"Derivation of {value.name}: {len(value.forward)} forward and "
        f"{len(value.adjoint)} adjoint equations"
    )
    rows = document(value).chapter.equations()
    return {
        "text/plain": "\n".join(
            [head, *(f"({n})".rjust(6) + f"  {text}" for n, text in listed.items())]
        ),
        "text/latex": _displayed(sorted(rows, key=lambda row: row.number or 0)),
    }


@bundle.register
def _(value: Document) -> Bundle:
    count = len(value.chapter.equations())
    return {
        "text/plain": f"Document of {value.name}: {len(value.chapter.sections)} "
        f"sections, {count} numbered equations",
        "text/markdown": markdown(value.chapter, "notebook"),
    }


def _displayed(rows: Iterable[NumberedEquation]) -> str:
    return f"$$\n{aligned(rows)}\n$$"


def alone(equation: Equation, size: str) -> System:
    """A system for one equation, made up from the names in it.

    Args:
        equation: the equation.
        size: how the unknown size of `{axis}` is written.
    """
    parts = [term.body for term in equation.terms]
    for term in equation.terms:
        parts += [guard.subscript for guard in term.guards]
        parts += term.target or ()
    averaged = any(term.average for term in equation.terms)
    indices: list[Name] = [*equation.indices]
    tensors: dict[str, Tensor] = {}
    constants: dict[str, Constant] = {}
    for term in equation.terms:
        indices += term.bound
    for part in parts:
        indices += indices_of(part)
        for each in reads(part):
            symbol = each.base.label if isinstance(each, Indexed) else each
            tensors[symbol.name] = Tensor(
                symbol.name, (), "defined", symbol.rank, averaged
            )
        for name in sorted(part.free_symbols, key=str):
            if isinstance(name, Name) and name.kind == "constant":
                constants[name.name] = Constant(name.name, Fraction(1), name.rank)
    last = max((tensor.rank for tensor in tensors.values()), default=0) + 1
    tensors.setdefault(equation.tensor, Tensor(equation.tensor, (), "defined", last))
    sizes = {index.name: index.rank for index in indices}
    for term in equation.terms:
        for guard in term.guards:
            sizes.setdefault(guard.axis, len(sizes))
    axes = {
        name: Axis(name, _Unknown(name, size), rank) for name, rank in sizes.items()
    }
    return System(
        equation.tensor, axes, tensors, (equation,), equation.tensor, constants
    )


class _Unknown(int):
    """A size that only its axis is known of: no index is known to stay below it."""

    text: str

    def __new__(cls, axis: str, text: str) -> _Unknown:
        made = super().__new__(cls, 1 << 30)
        made.text = text.format(axis=axis)
        return made

    def __format__(self, how: str) -> str:
        return self.text
