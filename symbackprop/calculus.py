"""The adjoint of one equation, occurrence by occurrence, and the index algebra of it.

For an occurrence `X[phi(indices)]` in `A[indices] = sum over bound of body`:

    delta_X[s] += sum over indices, bound with phi(indices) = s of
                  delta_A[indices] * d body / d X[phi(indices)]

Where `phi` inverts with unit coefficients the sum is gathered at `s`; elsewhere
(strides, embeddings, literals) it is scattered to `phi(indices)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Indexed

from symbackprop.equations import (
    Axis,
    Equation,
    Guard,
    Name,
    System,
    Tensor,
    Term,
    affine,
    can_leave,
    fresh,
    reads,
    replaced,
    subscripts_of,
    tensor_of,
)
from symbackprop.scalars import TABLE, ScalarFunction, equal, power, symbol, where


@dataclass(frozen=True)
class Occurrence:
    """One read of a tensor in one term of an equation, and the slope of the term by it.

    `slope` holds opaque functions and slopes: it is exact for any scalar functions.
    """

    equation: Equation
    term: Term
    read: Expr
    slope: Expr


def hide(expression: Expr) -> Expr:
    """Make every scalar function opaque, so that SymPy differentiates by name alone.

    `tanh(x) + sqrt(y)` => `tanh(x) + power(y, 1/2)`, with opaque `tanh` and `power`.
    """
    if not expression.args or isinstance(expression, Indexed):
        return expression
    arguments = [hide(argument) for argument in expression.args]
    if isinstance(expression, sympy.Pow) and not arguments[1].is_Integer:
        return power(*arguments)
    name = expression.func.__name__
    if name in TABLE and not isinstance(expression, ScalarFunction):
        return symbol(name, len(arguments))(*arguments)
    return expression.func(*arguments)


def occurrences(equation: Equation, active: Iterable[str]) -> list[Occurrence]:
    """Every occurrence of an active tensor on the right, with its slope, in order."""
    wanted = set(active)
    found = []
    for term in equation.terms:
        body = hide(term.body)
        places = {read: sympy.Dummy() for read in _values(body)}
        opened = body.xreplace(places)
        back = {place: read for read, place in places.items()}
        for read, place in places.items():
            if tensor_of(read) in wanted:
                slope = replaced(opened.diff(place), back)
                if slope != 0:
                    found.append(Occurrence(equation, term, read, slope))
    return found


def _values(body: Expr) -> list[Expr]:
    """The distinct reads whose value the body uses, not those inside subscripts."""
    inner = {
        read
        for outer in reads(body)
        for subscript in subscripts_of(outer)
        for read in reads(subscript)
    }
    return [read for read in dict.fromkeys(reads(body)) if read not in inner]


def at_place(slope: Expr, equation: Equation, place: Expr) -> Expr:
    """The slope of a max or min body: at the place where it is taken, elsewhere 0.

    `a[i] = max(z[k, i], k)` => `where(k = a_argmax[i], 1, 0)`
    """
    (index,) = equation.terms[0].bound
    return where(equal(index, place), slope, sympy.Integer(0))


def adjoint_term(
    occurrence: Occurrence,
    slope: Expr,
    cotangent: Expr,
    adjoint: Equation,
    system: System,
) -> Term:
    """Bring `cotangent * slope` from the equation's indices to those of the adjoint.

    Args:
        slope: the occurrence's slope, opaque or written out.
        cotangent: the adjoint of the equation's left side, read at its indices.
        adjoint: the equation being built: its tensor and indices.
        system: sizes, tensors and whether they are batched.

    `A[i] = sum(W[i, j] * x[j], j)`, occurrence `W[i, j]`
    => `delta_W[i, j] += delta_A[i] * x[j]`
    """
    equation, term = occurrence.equation, occurrence.term
    body = cotangent * slope
    source = (*equation.indices, *term.bound)
    target_tensor = system.tensors[tensor_of(occurrence.read)]
    phi = subscripts_of(occurrence.read)
    apart = rename_apart(source, adjoint.indices, system)
    phi = tuple(subscript.xreplace(apart) for subscript in phi)
    body = replaced(body, apart)
    guards = [Guard(g.subscript.xreplace(apart), g.axis) for g in term.guards]
    free = [apart.get(index, index) for index in source]

    solved = _invert(phi, adjoint.indices, free, system)
    target: list[Expr] = []
    for position, subscript in enumerate(phi):
        if position in solved.positions:
            target.append(adjoint.indices[position])
            continue
        moved = subscript.xreplace(solved.values)
        target.append(moved)
        axis = system.axes[target_tensor.axes[position]]
        if target_tensor.zero_outside and can_leave(moved, axis, system):
            guards.append(Guard(moved, axis.name))
    for index, value in solved.values.items():
        if not (isinstance(value, Name) and system.size(value) == system.size(index)):
            axis = system.axes[index.name]
            guards.append(Guard(value, axis.of or axis.name))
    body = replaced(body, solved.values)
    average = not target_tensor.batched and any(
        system.tensors[tensor_of(read)].batched
        for part in (body, *target)
        for read in reads(part)
    )
    gathered = tuple(target) == adjoint.indices
    return Term(
        body,
        tuple(index for index in free if index not in solved.values),
        tuple(Guard(g.subscript.xreplace(solved.values), g.axis) for g in guards),
        None if gathered else tuple(target),
        average,
    )


@dataclass(frozen=True)
class _Inverse:
    """Source indices as functions of the target's, and the positions they solve."""

    values: Mapping[Name, Expr]
    positions: frozenset[int]


def _invert(
    phi: tuple[Expr, ...], target: tuple[Name, ...], free: list[Name], system: System
) -> _Inverse:
    """Solve `phi = target` for one source index a position, where that is one to one.

    `(c, p + 2*u - 2) = (s, h)` => `c = s, p = h - 2*u + 2`. The widest index of a
    position is solved for, so that what remains to be summed is the smaller range; if
    its coefficient is not 1 or -1 the position is left to a scatter.
    """
    forbidden: set[Name] = set()
    while True:
        values: dict[Name, Expr] = {}
        positions: set[int] = set()
        spoilt: set[Name] = set()
        for position, subscript in enumerate(phi):
            form = affine(subscript)
            if form is None:
                continue
            coefficients = form[0]
            candidates = [
                index
                for index in coefficients
                if index in free and index not in forbidden and index not in values
            ]
            widest = max(
                candidates,
                key=lambda q: (
                    system.size(q),
                    abs(coefficients[q]) == 1,
                    -q.rank,
                ),
                default=None,
            )
            if widest is None or abs(coefficients[widest]) != 1:
                # A position that repeats a solved index cannot hold for all targets.
                spoilt |= {q for q in coefficients if q in values}
                continue
            rest = subscript - coefficients[widest] * widest
            value = coefficients[widest] * (target[position] - rest)
            value = sympy.expand(value.xreplace(values))
            here = {widest: value}
            values = {q: sympy.expand(v.xreplace(here)) for q, v in values.items()}
            values[widest] = value
            positions.add(position)
        if not spoilt:
            return _Inverse(values, frozenset(positions))
        forbidden |= spoilt


def with_twins(system: System, more: int = 0) -> System:
    """Add spare letters over every axis: `i` => `i`, `i_2`, `i_3`.

    A tensor may repeat a letter in its shape and an equation use that letter too; the
    twins are ranked after all declared axes, in their order. `more` adds so many more.
    """
    repeats = max(
        (t.axes.count(axis) for t in system.tensors.values() for axis in t.axes),
        default=1,
    )
    taken = {*system.tensors, *system.constants}
    axes = {name: axis for name, axis in system.axes.items() if not axis.of}
    system, axes = replace(system, axes=axes), dict(axes)
    taken |= axes.keys()
    block = 1 + max((axis.rank for axis in system.axes.values()), default=0)
    for number in range(2, repeats + 2 + more):
        for axis in system.axes.values():
            name = fresh(f"{axis.name}_{number}", taken)
            taken.add(name)
            rank = axis.rank + (number - 1) * block
            axes[name] = Axis(name, axis.size, rank, of=axis.name)
    return replace(system, axes=axes)


def _twin(axis: Axis, taken: Iterable[str], system: System) -> Axis:
    """The first spare letter over an axis that is not taken."""
    used = set(taken)
    origin = axis.of or axis.name
    return next(
        other
        for other in system.axes.values()
        if (other.of or other.name) == origin and other.name not in used
    )


def rename_apart(
    source: tuple[Name, ...], target: tuple[Name, ...], system: System
) -> dict[Expr, Expr]:
    """Give source indices that share a letter with the target a twin letter."""
    twins: dict[Expr, Expr] = {}
    taken = {index.name for index in (*source, *target)}
    for index in source:
        if index in target:
            axis = _twin(system.axes[index.name], taken, system)
            taken.add(axis.name)
            twins[index] = axis.index
    return twins


def adjoint_indices(tensor: Tensor, system: System) -> tuple[Name, ...]:
    """Indices for the adjoint of a tensor: its letters, repeated ones distinct."""
    chosen: list[Axis] = []
    for name in tensor.axes:
        axis = system.axes[name]
        if axis in chosen:
            axis = _twin(axis, (other.name for other in chosen), system)
        chosen.append(axis)
    return tuple(axis.index for axis in chosen)
