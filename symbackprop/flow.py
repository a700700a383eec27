"""What slopes flow through: from the parameters to the objective, and maxima."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symbackprop.equations import (
    Equation,
    Reduction,
    System,
    Tensor,
    Term,
    fresh,
    tensor_of,
)


def closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    reached, agenda = set(start), list(start)
    while agenda:
        for neighbour in edges.get(agenda.pop(), ()):
            if neighbour not in reached:
                reached.add(neighbour)
                agenda.append(neighbour)
    return reached


def flow(system: System, shifts: frozenset[str]) -> set[str]:
    """Tensors between the parameters and the objective.

    Nothing flows through a shift, which no value depends on.
    """
    needs = {e.tensor: [tensor_of(r) for r in e.reads()] for e in system.equations}
    serves: dict[str, list[str]] = {}
    for tensor, used in needs.items():
        if tensor not in shifts:
            for other in used:
                serves.setdefault(other, []).append(tensor)
    moved = closure([p.name for p in system.parameters], serves)
    upward = closure(
        [system.objective], {t: n for t, n in needs.items() if t not in shifts}
    )
    return moved & upward


def one_index_a_time(system: System, active: set[str]) -> tuple[System, set[str]]:
    """Take each maximum or minimum that slopes flow through over one index at a time.

    `a[i] = max(z[k, l, i], k, l)`
    => `a_max[i, k] = max(z[k, l, i], l); a[i] = max(a_max[i, k], k)`: ties go to the
    first place in row-major order either way.
    """
    tensors, reached = dict(system.tensors), set(active)
    equations: list[Equation] = []

    def add(equation: Equation) -> None:
        (term,) = equation.terms
        first, *rest = term.bound
        if rest:
            taken = {*tensors, *system.axes, *system.constants}
            name = fresh(f"{equation.tensor}_{equation.reduction}", taken)
            indices = (*equation.indices, first)
            rank = 1 + max(t.rank for t in tensors.values())
            tensors[name] = replace(
                tensors[equation.tensor],
                name=name,
                axes=tuple(index.name for index in indices),
                rank=rank,
                zero_outside=False,
            )
            reached.add(name)
            inner = replace(term, bound=tuple(rest))
            add(replace(equation, tensor=name, indices=indices, terms=(inner,)))
            term = Term(tensors[name].read(*indices), (first,))
        equations.append(replace(equation, terms=(term,)))

    for equation in system.equations:
        if equation.tensor in active and equation.reduction in ("max", "min"):
            add(equation)
        else:
            equations.append(equation)
    return replace(system, tensors=tensors, equations=tuple(equations)), reached


def with_places(system: System, active: set[str]) -> System:
    """Add, after each maximum or minimum that slopes flow through, where it is taken.

    `a[i] = max(z[k, i], k)` => also `a_argmax[i] = argmax(z[k, i], k)`
    """
    tensors = dict(system.tensors)
    equations: list[Equation] = []
    for equation in system.equations:
        equations.append(equation)
        if equation.tensor in active and equation.reduction in ("max", "min"):
            tensor = tensors[equation.tensor]
            taken = {*tensors, *system.axes, *system.constants}
            name = fresh(f"{tensor.name}_arg{equation.reduction}", taken)
            rank = 1 + max(t.rank for t in tensors.values())
            tensors[name] = replace(tensor, name=name, rank=rank, zero_outside=False)
            highest = equation.reduction == "max"
            reduction: Reduction = "argmax" if highest else "argmin"
            equations.append(replace(equation, tensor=name, reduction=reduction))
    return replace(system, tensors=tensors, equations=tuple(equations))


def place_of(tensor: str, system: System) -> Tensor:
    """The tensor that holds where a maximum or minimum is taken."""
    equations = list(system.equations)
    here = next(n for n, e in enumerate(equations) if e.tensor == tensor)
    following = equations[here + 1]
    assert following.reduction in ("argmax", "argmin")
    return system.tensors[following.tensor]
