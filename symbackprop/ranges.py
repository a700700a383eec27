"""Which whole numbers an integer data tensor may hold: those that its uses allow."""

from __future__ import annotations

from sympy import Expr

from symbackprop.equations import (
    System,
    affine,
    reads,
    subscripts_of,
    tensor_of,
)


def integer_ranges(system: System) -> dict[str, tuple[int, int]]:
    """Least and greatest allowed value, inclusive, of each integer data tensor.

    `E[token[t], d]` with 4 rows in E => `{"token": (0, 3)}`. A tensor that subscripts
    nothing, or only tensors that are zero outside, is free and does not appear.
    """
    found: dict[str, tuple[int, int]] = {}

    def narrow(subscript: Expr, size: int) -> None:
        for tensor, shift in _integer_part(subscript, system):
            low, high = found.get(tensor, (-shift, size - 1 - shift))
            found[tensor] = max(low, -shift), min(high, size - 1 - shift)

    for equation in system.equations:
        for read in equation.reads():
            tensor = system.tensors[tensor_of(read)]
            if tensor.zero_outside:
                continue
            for subscript, size in zip(
                subscripts_of(read), system.shape(tensor.name), strict=True
            ):
                narrow(subscript, size)
        for term in equation.terms:
            if term.target is None or system.tensors[equation.tensor].zero_outside:
                continue
            for subscript, size in zip(
                term.target, system.shape(equation.tensor), strict=True
            ):
                narrow(subscript, size)
    return {t.name: found[t.name] for t in system.data if t.name in found}


def _integer_part(subscript: Expr, system: System) -> list[tuple[str, int]]:
    """The integer tensor that a subscript is, with what is added to it."""
    inner = next(iter(reads(subscript)), None)
    if inner is None or not system.tensors[tensor_of(inner)].integer:
        return []
    form = affine(subscript - inner)
    shift = form[1] if form is not None and not form[0] else 0
    return [(tensor_of(inner), shift)]
