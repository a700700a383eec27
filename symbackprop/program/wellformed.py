"""`check`: whether an IR value is well-formed, whoever made it."""

from __future__ import annotations

from symbackprop.equations import (
    Equation,
    System,
    indices_of,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import DeclarationError, ShapeError


def check(system: System) -> None:
    """Check an IR value: every name known, ranks, subscripts and indices in order.

    Raises:
        DeclarationError: a system that is not well-formed.
        ShapeError: a read whose subscripts do not fit its tensor.
    """
    for equation in system.equations:
        _check_equation(equation, system)
    if system.tensors[system.objective].axes:
        raise DeclarationError(f"the objective `{system.objective}` is not a scalar.")


def _check_equation(equation: Equation, system: System) -> None:
    name = equation.tensor
    where = f"the equation of `{name}`"
    if name not in system.tensors or system.tensors[name].role != "defined":
        raise DeclarationError(f"{where} does not define a tensor of role `defined`.")
    own = tuple(system.size(index) for index in equation.indices)
    if own != system.shape(name) or len({*equation.indices}) < len(own):
        raise ShapeError(f"{where} has indices that do not fit the shape of `{name}`.")
    if equation.reduction != "sum" and len(equation.terms) != 1:
        raise DeclarationError(
            f"{where} reduces by {equation.reduction}, but has not one term."
        )
    for term in equation.terms:
        open_indices = {*equation.indices, *term.bound}
        if term.target is not None and len(term.target) != len(equation.indices):
            raise ShapeError(f"{where} has a target of another rank.")
        parts = (term.body, *(g.subscript for g in term.guards), *(term.target or ()))
        for part in parts:
            free = [i for i in indices_of(part) if i not in open_indices]
            if free:
                raise DeclarationError(f"{where} has the free index `{free[0]}`.")
            for found in reads(part):
                tensor = tensor_of(found)
                if tensor not in system.tensors:
                    raise DeclarationError(f"{where} reads the unknown `{tensor}`.")
                if len(subscripts_of(found)) != len(system.tensors[tensor].axes):
                    raise ShapeError(f"{where} reads `{found}` with a wrong rank.")
