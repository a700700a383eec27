"""Equations up to names: the standard form in which equal ones are literally equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sympy import Expr

from symbackprop.equations import Equation, Guard, Name, System, Term, replaced


def names_in(equations: Iterable[Equation], system: System) -> set[Name]:
    """Every name of a tensor, index or constant in some equations, left sides too."""
    found: set[Name] = set()
    for equation in equations:
        found.add(system.tensors[equation.tensor].symbol)
        found.update(equation.indices)
        for term in equation.terms:
            found.update(term.bound)
            parts = (
                term.body,
                *(guard.subscript for guard in term.guards),
                *(term.target or ()),
            )
            for part in parts:
                found.update(s for s in part.free_symbols if isinstance(s, Name))
    return found


def standard_names(equations: Iterable[Equation], system: System) -> dict[Name, Name]:
    """A new name for each old one, by kind and order of rank.

    `z7[i2] = tanh(y6[i2])` => `{y6: t0, z7: t1, i2: i0}`, so that the equations of
    every layer come out equal.
    """
    counts = {"tensor": 0, "index": 0, "constant": 0}
    renamed: dict[Name, Name] = {}
    found = names_in(equations, system)
    for name in sorted(found, key=lambda n: (n.kind, n.rank, n.name)):
        number = counts[name.kind]
        counts[name.kind] += 1
        renamed[name] = Name(f"{name.kind[0]}{number}", name.kind, number)
    return renamed


def rename(expression: Expr, names: Mapping[Name, Name]) -> Expr:
    return replaced(expression, names)


def rename_equation(equation: Equation, names: Mapping[Name, Name]) -> Equation:
    """An equation under new names; its line is dropped."""
    left = {old.name: new.name for old, new in names.items() if old.kind == "tensor"}
    axes = {old.name: new.name for old, new in names.items() if old.kind == "index"}
    terms = tuple(
        Term(
            rename(term.body, names),
            tuple(names[index] for index in term.bound),
            tuple(
                Guard(rename(g.subscript, names), axes.get(g.axis, g.axis))
                for g in term.guards
            ),
            None
            if term.target is None
            else tuple(rename(s, names) for s in term.target),
            term.average,
        )
        for term in equation.terms
    )
    indices = tuple(names[index] for index in equation.indices)
    tensor = left[equation.tensor]
    return replace(equation, tensor=tensor, indices=indices, terms=terms, line=0)
