"""A whole system in matrix form: which axes are held, softmaxes, and the checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from sympy import Expr, Indexed, Mul, Pow, exp

from symbackprop.equations import (
    Equation,
    Name,
    System,
    defined_by,
    indices_of,
    is_index,
    subscripts_of,
    tensor_of,
)
from symbackprop.notation.forms import MatrixEquation
from symbackprop.notation.graph import NoForm
from symbackprop.notation.judge import check, roots, uses
from symbackprop.notation.raising import Raiser
from symbackprop.schedule import Item, Loop, schedule

LABELS = 2  # axes of one tensor that may become labels, beside steps


@dataclass(frozen=True)
class Absorbed:
    """Its equation is part of the matrix equation of another tensor."""

    into: str


Raised = MatrixEquation | Absorbed | None


def raised(
    equation: Equation,
    system: System,
    held: Collection[str] = (),
    first: Collection[str] = (),
) -> MatrixEquation | None:
    """One equation in matrix form, checked; None where it has none.

    `z[i] = sum(W[i, j]*x[j], j) + b[i]` => `z = W x + b`

    Args:
        equation: one of the system's equations, or one over its names.
        system: what the names mean.
        held: axes whose indices stay, as labels.
        first: tensors that stand first in elementwise products.

    Raises:
        CheckError: the form that was found disagrees with the equation.

    >>> from symbackprop.program import Program
    >>> program = Program(equations="L = sum((x[i] - 1)**2, i)", axes={"i": 3},
    ...                   parameters={"x": "i"}, data={}, objective="L")
    >>> raised(program.equations[0], program).right.matrix
    False
    """
    try:
        found = Raiser(system, held, first).equation(equation)
    except NoForm:
        return None
    return found if check(found, system) else None


def raise_system(
    system: System, first: Collection[str] = (), held: Collection[str] | None = None
) -> Mapping[str, Raised]:
    """Every equation of a system in matrix form, by the tensor that it defines.

    A quotient `exp(x)/s` by the sum of the same exponentials is a softmax. Where
    nothing else reads the sum, its own equation is absorbed.

    Args:
        system: forward equations, adjoint ones, or both.
        first: tensors that stand first in elementwise products; adjoints, usually.
        held: axes whose indices stay as labels; None chooses them.

    Raises:
        CheckError: a form that was found disagrees with its equation.
    """
    labels = held_axes(system) if held is None else frozenset(held)
    raiser = Raiser(system, labels, first)
    defined = defined_by(system)
    result: dict[str, Raised] = {}
    for equation in system.equations:
        result[equation.tensor] = raised(equation, system, labels, first)
        part = softmax_of(equation, defined)
        if part is None:
            continue
        exponent, along, denominator = part
        try:
            found = raiser.softmax(equation, exponent, along, denominator)
        except NoForm:
            continue
        if check(found, system):
            result[equation.tensor] = found
    for entry in list(result.values()):
        if isinstance(entry, MatrixEquation):
            for absorbed in entry.equations[:-1]:
                if _readers(absorbed.tensor, system) == {entry.tensor}:
                    result[absorbed.tensor] = Absorbed(entry.tensor)
    return result


def _readers(tensor: str, system: System) -> set[str]:
    return {
        equation.tensor
        for equation in system.equations
        if any(tensor_of(read) == tensor for read in equation.reads())
    }


# --- softmax --------------------------------------------------------------------------


def softmax_of(
    equation: Equation, defined: Mapping[str, Equation]
) -> tuple[Expr, Name, Equation] | None:
    """`exp(z[i])/s` where `s = sum(exp(z[k]), k)` => `z[i]`, `i`, the equation of s."""
    if not _is_plain(equation) or equation.terms[0].bound:
        return None
    factors = Mul.make_args(equation.terms[0].body)
    above = [factor for factor in factors if isinstance(factor, exp)]
    below = [f.base for f in factors if isinstance(f, Pow) and f.exp == -1]
    if len(factors) != 2 or len(above) != 1 or len(below) != 1:
        return None
    name = tensor_of(below[0]) if not below[0].args or below[0].is_Indexed else ""
    denominator = defined.get(name)
    if denominator is None or not _is_plain(denominator):
        return None
    (term,) = denominator.terms
    if len(term.bound) != 1:
        return None
    subscripts = subscripts_of(below[0])
    places: dict[Expr, Expr] = dict(zip(denominator.indices, subscripts, strict=True))
    for index in equation.indices:
        summand = term.body.xreplace({**places, term.bound[0]: index})
        if summand == above[0] and index not in indices_of(below[0]):
            return above[0].args[0], index, denominator
    return None


def _is_plain(equation: Equation) -> bool:
    """Whether it is one sum that is neither guarded, averaged nor scattered."""
    if equation.reduction != "sum" or len(equation.terms) != 1:
        return False
    (term,) = equation.terms
    gathered = term.target is None or term.target == equation.indices
    return gathered and not term.guards and not term.average


# --- labels ---------------------------------------------------------------------------


def held_axes(system: System) -> frozenset[str]:
    """The axes whose indices are labels: steps of recurrences, and few others.

    Of each tensor with more than two whole axes those are held that leave fewest
    equations without a form; one that sums over a label counts as half of one.
    `z[k, i] = sum(W[k, i, j]*x[j], j)` holds `k`: `z_k = W_k x`.
    """
    root = roots(system, system.equations)
    held = {root[index.name] for index in _steps(schedule(system))}
    shapes = {t.name: [root[a] for a in t.axes] for t in system.tensors.values()}
    views = [_View(e, system, root) for e in system.equations if _is_regular(e, system)]

    def cost(name: str, chosen: tuple[str, ...]) -> tuple[int, int, int]:
        own, labels = set(shapes[name]), held | set(chosen)
        large = name if sum(a not in labels for a in shapes[name]) > 2 else ""
        lost = sum(view.loss(large, own - labels, set(chosen)) for view in views)
        touched = sum(bool(set(chosen) & set(axes)) for axes in shapes.values())
        return lost, len(chosen), touched

    for name in dict.fromkeys(name for view in views for name in view.tensors):
        axes = [a for a in dict.fromkeys(shapes[name]) if a not in held]
        if sum(a not in held for a in shapes[name]) > 2:
            sizes = range(LABELS + 1)
            choices = [c for size in sizes for c in combinations(axes, size)]
            costs = [cost(name, choice) for choice in choices]
            held |= set(choices[costs.index(min(costs))])
    return frozenset(axis for axis in system.axes if root[axis] in held)


class _View:
    """What the choice of labels looks at in one equation."""

    def __init__(
        self, equation: Equation, system: System, root: Mapping[str, str]
    ) -> None:
        self.tensors = [equation.tensor, *map(tensor_of, equation.reads())]
        sums = equation.reduction == "sum"
        self.summed = {root[i.name] for t in equation.terms for i in t.bound if sums}
        self.numbers = {
            root[i.name] for term in equation.terms for i in _as_numbers(term.body)
        }

    def loss(self, large: str, whole: set[str], chosen: set[str]) -> int:
        """2 where it has no form, 1 where its sum is one over a label, else 0.

        It has none if it reads the tensor that is still too large, or compares an
        index that is no label with a number.
        """
        if large in self.tensors or self.numbers & whole:
            return 2
        return int(bool(self.summed & chosen))


def _as_numbers(expression: Expr) -> set[Name]:
    """Indices that stand outside of subscripts, as `k` does in `k == place[i]`."""
    if isinstance(expression, Indexed):
        return set()
    if is_index(expression):
        return {expression}
    return {name for argument in expression.args for name in _as_numbers(argument)}


def _steps(items: Iterable[Item]) -> set[Name]:
    found: set[Name] = set()
    for item in items:
        if isinstance(item, Loop):
            found |= set(item.steps.values()) | _steps(item.items)
    return found


def _is_regular(equation: Equation, system: System) -> bool:
    """Whether every subscript is one index, with or without an offset, or none."""
    found = [subscript for subscript, _ in uses(equation, system)]
    found += [target for term in equation.terms for target in term.target or ()]
    return all(len(e.free_symbols) <= 1 and not e.is_Mul for e in found)
