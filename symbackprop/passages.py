"""The layers through which an error passes on its way back, told by their equations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sympy import Expr, Indexed, Mul

from symbackprop.elementary.saturation import Saturation, saturation
from symbackprop.equations import Equation, Name, reads, subscripts_of, tensor_of
from symbackprop.proof import Derivation
from symbackprop.scalars import row_of


@dataclass(frozen=True)
class Applied:
    """An activation of a pre-activation.

    Attributes:
        source: the pre-activation.
        others: the activation's arguments after it, as the equation has them.
        saturation: how the activation saturates.
    """

    source: str
    others: tuple[Expr, ...]
    saturation: Saturation


@dataclass(frozen=True)
class Passage:
    """An error's way back through one layer: `z_next = W a + ..., a = f(z)`.

    Nothing else reads z or a, so that the error of z is `f'(z) * (W^T delta_next)`.
    """

    before: str
    applied: Applied
    weights: str
    after: str


def activations(derivation: Derivation, sources: Collection[str]) -> dict[str, Applied]:
    """Tensors that are one activation of one of `sources`: `a1` is tanh of `z1`."""
    found: dict[str, Applied] = {}
    for equation in derivation.forward:
        body = equation.terms[0].body
        row = row_of(body)
        if len(equation.terms) > 1 or equation.terms[0].bound or row is None:
            continue
        reads_source = (
            bool(body.args)
            and isinstance(body.args[0], Indexed | Name)
            and tensor_of(body.args[0]) in sources
            and subscripts_of(body.args[0]) == equation.indices  # entry by entry
        )
        if row.activation and row.definition is not None and reads_source:
            source = tensor_of(body.args[0])
            others = tuple(body.args[1:])
            bound = saturation(row.name, others)
            found[equation.tensor] = Applied(source, others, bound)
    return found


def passages(derivation: Derivation, sources: Collection[str]) -> list[Passage]:
    """The layers through which an error passes as `f'(z) * (W^T delta_next)`, in order.

    Args:
        derivation: whose forward equations are looked at.
        sources: the pre-activations.
    """
    applied = activations(derivation, sources)
    parameters = {p.name for p in derivation.system.parameters}
    readers: dict[str, list[Equation]] = {}
    for equation in derivation.forward:
        for name in dict.fromkeys(tensor_of(read) for read in equation.reads()):
            readers.setdefault(name, []).append(equation)
    found = []
    for activation, one in applied.items():
        before = one.source
        following = readers.get(activation, [])
        if len(following) != 1 or len(readers[before]) != 1:
            continue
        weights = _matrix(following[0], activation, parameters)
        if weights is not None and before != following[0].tensor:
            after = following[0].tensor
            found.append(Passage(before, one, weights, after))
    return found


def _matrix(equation: Equation, vector: str, parameters: set[str]) -> str | None:
    """W where the equation is `z[i] = sum(W[i, j]*a[j], j) + ...`, a nowhere else."""
    terms = [
        t for t in equation.terms if any(tensor_of(r) == vector for r in reads(t.body))
    ]
    if equation.reduction != "sum" or len(terms) != 1 or len(equation.indices) != 1:
        return None
    (term,) = terms
    factors = Mul.make_args(term.body)
    if len(factors) != 2 or len(term.bound) != 1 or term.guards or term.target:
        return None
    row, column = equation.indices[0], term.bound[0]
    for matrix, other in (factors, factors[::-1]):
        if (
            isinstance(matrix, Indexed)
            and isinstance(other, Indexed)
            and tensor_of(matrix) in parameters
            and tensor_of(other) == vector
            and matrix.indices == (row, column)
            and other.indices == (column,)
        ):
            return tensor_of(matrix)
    return None


def chains(found: Sequence[Passage]) -> list[list[Passage]]:
    """Passages that follow one another: an error goes through each of them in turn."""
    made: list[list[Passage]] = []
    for passage in found:
        if made and made[-1][-1].after == passage.before:
            made[-1].append(passage)
        else:
            made.append([passage])
    return made
