"""`derive(program) -> Derivation`: every forward and adjoint equation, numbered.

The steps: stable forward equations, places of maxima, the tensors that slopes flow
through, one adjoint equation for each of them, their order, and the judging of it all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

import sympy
from sympy import Expr

from symbackprop.calculus import (
    Occurrence,
    adjoint_indices,
    adjoint_term,
    at_place,
    occurrences,
    with_twins,
)
from symbackprop.canonical import rename_equation, standard_names
from symbackprop.equations import (
    Equation,
    System,
    Tensor,
    Term,
    fresh,
    read,
    replaced,
    tensor_of,
)
from symbackprop.errors import DeclarationError, short
from symbackprop.flow import closure, flow, one_index_a_time, place_of, with_places
from symbackprop.judging import judge
from symbackprop.program import Program
from symbackprop.proof import Derivation, Step
from symbackprop.rewrites import reveal, through_saved
from symbackprop.schedule import Item, Loop, flatten, schedule
from symbackprop.stabilise import stabilise


class HasProgram(Protocol):
    """A network, or whatever else declares a program."""

    @property
    def program(self) -> Program: ...


def derive(source: Program | HasProgram) -> Derivation:
    """Derive the gradient of a program's objective by every parameter.

    Args:
        source: a `Program`, or a `Network`, whose program is taken.

    Raises:
        CheckError: a witness refutes an equation; its number is named.
        DeclarationError: no program came, or an equation is too large or has no
            slope.

    Example:
        >>> import symbackprop as sb
        >>> square = sb.Program(equations="L = sum(w[i]**2, i)", axes={"i": 3},
        ...                     parameters={"w": "i"}, data={}, objective="L")
        >>> sb.derive(square).adjoint[0].terms[0].body
        2*w[i]
    """
    started = time.perf_counter()
    program = (
        source if isinstance(source, Program) else getattr(source, "program", None)
    )
    if not isinstance(program, Program):
        raise DeclarationError(
            f"derive: expected a Program or a Network, got {short(source)}. "
            "Declare one, or load a network's file."
        )
    try:
        derivation = differentiate(program)
        checks = judge(derivation)
    except (OverflowError, RecursionError, MemoryError) as error:
        raise DeclarationError(
            f"{program.name}: an equation is too large to be differentiated "
            f"({type(error).__name__}). Split it into equations of their own, and "
            "replace numbers beyond 1e300 by a constant."
        ) from error
    return replace(derivation, checks=checks, seconds=time.perf_counter() - started)


def differentiate(program: Program) -> Derivation:
    """The derivation before its judging; `derive` returns none that is not judged."""
    stabilised = stabilise(program.plain(), program.split)
    system = with_twins(stabilised.system)
    active = flow(system, stabilised.shifts)
    system, active = one_index_a_time(system, active)
    system = with_places(system, active)
    forward_items = schedule(system)
    forward = tuple(flatten(forward_items))
    numbers = {equation.tensor: n for n, equation in enumerate(forward, 1)}

    slopes = _slope_names(system)
    adjoint_of = {slopes[p.name]: p.name for p in system.parameters}
    for equation in forward:
        if equation.tensor in active and equation.tensor != system.objective:
            adjoint_of[f"delta_{equation.tensor}"] = equation.tensor
    names = {tensor: adjoint for adjoint, tensor in adjoint_of.items()}
    system = _with_adjoints(system, adjoint_of, forward_items)

    tied = _tied(forward_items)
    occurring = _occurring(forward, active, system)
    steps: dict[str, tuple[Step, ...]] = {}
    equations: list[Equation] = []
    for adjoint in _adjoint_order(system, forward_items, names):
        tensor = system.tensors[adjoint_of[adjoint]]
        made = Equation(adjoint, adjoint_indices(tensor, system), ())
        steps[adjoint] = tuple(
            _step(occurrence, slope, made, names, numbers, system)
            for occurrence, slope in occurring.get(tensor.name, ())
        )
        looped = tied.get(tensor.name, frozenset())
        system, parts = _apart(made, steps[adjoint], looped, system, forward)
        equations += parts
        for part in parts[:-1]:
            steps[part.tensor] = tuple(
                step for step in steps[adjoint] if step.term in part.terms
            )
    adjoint_items = schedule(replace(system, equations=tuple(equations)))
    adjoint_equations = tuple(flatten(adjoint_items))
    for number, equation in enumerate(adjoint_equations, len(forward) + 1):
        numbers[equation.tensor] = number
    system = replace(system, equations=forward + adjoint_equations)
    return Derivation(
        program=program,
        system=_without_spare_axes(system),
        forward=forward,
        adjoint=adjoint_equations,
        forward_items=forward_items,
        adjoint_items=adjoint_items,
        adjoint_of=MappingProxyType(adjoint_of),
        slopes=MappingProxyType(slopes),
        live=_live(system, forward, adjoint_equations),
        steps=MappingProxyType(steps),
        rewritten=MappingProxyType(stabilised.rewritten),
        numbers=MappingProxyType(numbers),
    )


# --- adjoint tensors and their order -------------------------------------------------


def _slope_names(system: System) -> dict[str, str]:
    taken = {*system.tensors, *system.axes, *system.constants}
    names: dict[str, str] = {}
    for parameter in system.parameters:
        names[parameter.name] = fresh(f"d{parameter.name}", taken)
        taken.add(names[parameter.name])
    return names


def _with_adjoints(
    system: System, adjoint_of: Mapping[str, str], items: tuple[Item, ...]
) -> System:
    """Declare the adjoint tensors, ranked after all others in the order of theirs."""
    tensors = dict(system.tensors)
    rank = max((t.rank for t in tensors.values()), default=0)
    for adjoint, name in adjoint_of.items():
        rank += 1
        tensor = tensors[name]
        axes = tuple(index.name for index in adjoint_indices(tensor, system))
        tensors[adjoint] = Tensor(adjoint, axes, "defined", rank, tensor.batched)
    return replace(system, tensors=tensors)


def _adjoint_order(
    system: System, items: tuple[Item, ...], names: Mapping[str, str]
) -> list[str]:
    """Adjoints from the objective back; a parameter's after those of its first user."""
    first_user: dict[str, int] = {}
    for place, item in enumerate(items):
        for equation in flatten([item]):
            for used in equation.reads():
                first_user.setdefault(tensor_of(used), place)
    order: list[str] = []
    for place in range(len(items) - 1, -1, -1):
        for equation in reversed(flatten([items[place]])):
            if equation.tensor in names:
                order.append(names[equation.tensor])
        for parameter in system.parameters:
            if first_user.get(parameter.name) == place:
                order.append(names[parameter.name])
    order += [names[p.name] for p in system.parameters if p.name not in first_user]
    return order


# --- one step ------------------------------------------------------------------------


def _occurring(
    forward: tuple[Equation, ...], active: set[str], system: System
) -> dict[str, list[tuple[Occurrence, Expr]]]:
    """Every occurrence of each active tensor, with its slope in final form.

    Equations that are equal up to names are differentiated once.
    """
    known: dict[Equation, list[tuple[Occurrence, Expr]]] = {}
    found: dict[str, list[tuple[Occurrence, Expr]]] = {}
    for equation in forward:
        if equation.tensor not in active or equation.reduction in ("argmax", "argmin"):
            continue
        to_standard = standard_names([equation], system)
        standard = rename_equation(equation, to_standard)
        back = {new: old for old, new in to_standard.items()}
        if standard not in known:
            everything = {tensor_of(r) for r in standard.reads()}
            left = read(
                to_standard[system.tensors[equation.tensor].symbol], *standard.indices
            )
            known[standard] = [
                (o, _finished(o.slope, standard, left))
                for o in occurrences(standard, everything)
            ]
        for occurrence, slope in known[standard]:
            here = occurrence.read.xreplace(back)
            if tensor_of(here) not in active:
                continue
            if slope.has(sympy.zoo, sympy.nan, sympy.oo):
                raise DeclarationError(
                    f"line {equation.line}: the slope of `{equation.tensor}` by "
                    f"`{tensor_of(here)}` is not defined. Rewrite the equation so "
                    "that it has one: it divides by zero, or takes the log of it."
                )
            term = equation.terms[standard.terms.index(occurrence.term)]
            renamed = Occurrence(equation, term, here, replaced(occurrence.slope, back))
            found.setdefault(tensor_of(here), []).append(
                (renamed, replaced(slope, back))
            )
    return found


def _finished(slope: Expr, equation: Equation, left: Expr) -> Expr:
    """Write out the functions' slopes, through the equation's own saved value."""
    slope = reveal(slope)
    if equation.reduction == "sum" and len(equation.terms) == 1:
        (term,) = equation.terms
        if not term.bound:
            slope = through_saved(slope, term.body, left)
    return slope


def _step(
    occurrence: Occurrence,
    slope: Expr,
    made: Equation,
    names: Mapping[str, str],
    numbers: Mapping[str, int],
    system: System,
) -> Step:
    equation = occurrence.equation
    cotangent: Expr = sympy.S.One
    if equation.tensor != system.objective:
        cotangent = system.tensors[names[equation.tensor]].read(*equation.indices)
    opaque = occurrence.slope
    if equation.reduction in ("max", "min"):
        place = place_of(equation.tensor, system).read(*equation.indices)
        slope = at_place(slope, equation, place)
        opaque = at_place(opaque, equation, place)
    return Step(
        numbers[equation.tensor],
        occurrence.read,
        slope,
        adjoint_term(occurrence, slope, cotangent, made, system),
        adjoint_term(occurrence, opaque, cotangent, made, system),
    )


def _tied(items: tuple[Item, ...]) -> dict[str, frozenset[str]]:
    """For each tensor of a recurrence, all tensors tied in the same loop."""
    tied: dict[str, frozenset[str]] = {}
    for item in items:
        if isinstance(item, Loop):
            members = frozenset(equation.tensor for equation in item.equations())
            tied |= dict.fromkeys(members, members)
    return tied


def _apart(
    made: Equation,
    steps: tuple[Step, ...],
    tied: frozenset[str],
    system: System,
    forward: tuple[Equation, ...],
) -> tuple[System, list[Equation]]:
    """Scatter into a recurrence's adjoint before the recurrence runs.

    `L = h[5, 0]`, `h` recurrent => `delta_h_outer[5, 0] = 1` and
    `delta_h[t, i] = delta_h_outer[t, i] + ...`: what reaches the adjoint by a scatter
    from outside the loop becomes an equation of its own, for a loop over steps can
    only gather.
    """
    terms = [step.term for step in steps]
    outer = [
        step.term
        for step in steps
        if step.term.target is not None
        and forward[step.equation - 1].tensor not in tied
    ]
    if not tied or not outer:
        return system, [replace(made, terms=tuple(terms))]
    taken = {*system.tensors, *system.axes, *system.constants}
    name = fresh(f"{made.tensor}_outer", taken)
    rank = 1 + max(t.rank for t in system.tensors.values())
    scattered = replace(system.tensors[made.tensor], name=name, rank=rank)
    inner = [term for term in terms if term not in outer]
    read_outer = Term(scattered.read(*made.indices))
    tensors = {**system.tensors, name: scattered}
    return replace(system, tensors=tensors), [
        replace(made, tensor=name, terms=tuple(outer)),
        replace(made, terms=(read_outer, *inner)),
    ]


# --- tidying -------------------------------------------------------------------------


def _live(
    system: System, forward: tuple[Equation, ...], adjoint: tuple[Equation, ...]
) -> frozenset[str]:
    needs = {e.tensor: [tensor_of(r) for r in e.reads()] for e in forward}
    start = {tensor_of(read) for e in adjoint for read in e.reads()}
    reached = closure(sorted({*start, system.objective}), needs)
    return frozenset(reached & needs.keys())


def _without_spare_axes(system: System) -> System:
    """Drop the spare letters that no equation came to need."""
    used = {axis for t in system.tensors.values() for axis in t.axes}
    for equation in system.equations:
        used |= {index.name for index in equation.indices}
        for term in equation.terms:
            used |= {index.name for index in term.bound}
    axes = {n: a for n, a in system.axes.items() if not a.of or n in used}
    return replace(system, axes=axes)
