"""The judging of a derivation, by witnesses that know the forward equations alone.

Three judges, each able to refuse it:
- on exact fractions, with a random rational function in the place of each scalar
  function, every distinct adjoint equation in full: this is the index algebra;
- in double precision, on values that obey the forward equations, every distinct
  adjoint equation in its final form: these are the slopes and the saved values;
- the whole gradient, against complex steps of the program as it was declared, and
  the rewritten forward equations against the declared ones to 50 digits.

All of them run on small axes, shrunk together where they index one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Indexed

from symbackprop.canonical import rename_equation, standard_names
from symbackprop.equations import (
    Equation,
    Name,
    Role,
    System,
    Tensor,
    Term,
    fresh,
    tensor_of,
)
from symbackprop.errors import CheckError, DeclarationError
from symbackprop.formula import formula
from symbackprop.proof import Check, Derivation
from symbackprop.witnesses.draws import draw, draw_exact, shrink
from symbackprop.witnesses.duals import DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.exact import EXACT
from symbackprop.witnesses.numbers import PRECISE, REAL, Numbers
from symbackprop.witnesses.slopes import complex_step, dual_slope

BATCH = 2
TOLERANCE = 1e-9  # double precision at random points; a wrong equation is off by 1
FLOOR = 1e-30  # below it, a slope known to 50 digits is zero
ORDINARY = 1e-8  # a value of ordinary inputs below it may be what is left of cancelling


def judge(derivation: Derivation) -> tuple[Check, ...]:
    """Hold a derivation against all witnesses.

    Raises:
        CheckError: a witness disagrees; it names the equation.
    """
    rng = np.random.default_rng(20220801)
    small = shrink(derivation.system)
    declared = replace(derivation.program.plain(), axes=small.axes)
    values = draw(declared, rng, BATCH)
    known = evaluate(small, values, REAL, BATCH)
    checks = [_judge_algebra(derivation, rng)]
    checks.append(_judge_rewrites(derivation, declared, small, values))
    point = _Point(small, values, known)
    checks.append(_judge_slopes(derivation, point))
    checks.append(_judge_gradient(derivation, declared, point, rng))
    return tuple(checks)


@dataclass(frozen=True)
class _Point:
    """The values of all tensors at one random point, on small axes.

    Where a slope cancels to zero, rounding is all that is left of it in double
    precision; such a case is then decided on 50 digits.
    """

    system: System
    given: Mapping[str, Any]
    known: Mapping[str, Any]

    @cached_property
    def precise(self) -> Mapping[str, Any]:
        return evaluate(self.system, self.given, PRECISE, BATCH)


# --- one adjoint equation ------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """One adjoint equation with all forward equations that read its tensor.

    Left sides are renamed apart, so that an equation that reads itself (a
    recurrence) is judged like any other: with every read given.
    """

    adjoint: str
    tensor: str
    users: tuple[Equation, ...]
    places: tuple[Equation, ...]
    derived: Equation
    system: System


class _Bench:
    """The derivation, with its equations found by name."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.system = derivation.system
        self.adjoint = {e.tensor: e for e in derivation.adjoint}
        self.places = {
            e.tensor: e
            for e in derivation.forward
            if e.reduction in ("argmax", "argmin")
        }
        followed = {*derivation.adjoint_of.values(), self.system.objective}
        self.users: dict[str, list[Equation]] = {}
        for equation in derivation.forward:
            if equation.tensor in followed:
                for name in dict.fromkeys(tensor_of(r) for r in equation.reads()):
                    self.users.setdefault(name, []).append(equation)

    def cases(self, opaque: bool) -> Iterator[_Case]:
        """One case for each distinct adjoint equation, equal ones judged once."""
        judged: set[tuple[Any, ...]] = set()
        for adjoint in self.adjoint:
            if adjoint in self.derivation.adjoint_of:
                case = self.case(adjoint, opaque)
                signature = _signature(case)
                if signature not in judged:
                    judged.add(signature)
                    yield case

    def case(self, adjoint: str, opaque: bool) -> _Case:
        """Collect what one adjoint equation states, from the forward equations anew."""
        tensor = self.derivation.adjoint_of[adjoint]
        users = [_terms_with(tensor, user) for user in self.users.get(tensor, [])]
        derived = self.derived(adjoint, opaque)
        used = {tensor_of(read) for read in derived.reads()}
        places = tuple(e for name, e in self.places.items() if name in used)
        tensors: dict[str, Tensor] = {}
        renamed: list[Equation] = []
        rank = max(t.rank for t in self.system.tensors.values())
        for number, equation in enumerate((*users, derived), 1):
            name = fresh(f"{equation.tensor}_left", self.system.tensors)
            left = replace(
                self.system.tensors[equation.tensor], name=name, rank=rank + number
            )
            tensors[name] = left
            renamed.append(replace(equation, tensor=name))
        needed = {tensor_of(r) for e in (*renamed, *places) for r in e.reads()}
        needed |= {adjoint, tensor, *(self.cotangent(e) for e in users)}
        for name in sorted(needed, key=lambda n: self.system.tensors[n].rank):
            computed = name in self.places and name in used
            role: Role = "defined" if computed else "data"
            tensors[name] = replace(self.system.tensors[name], role=role)
        joined = replace(self.system, tensors=tensors, equations=(*renamed, *places))
        return _Case(adjoint, tensor, tuple(users), places, derived, joined)

    def derived(self, adjoint: str, opaque: bool) -> Equation:
        """The adjoint's equation, its scattered part joined to it again."""
        equation = self.adjoint[adjoint]
        if opaque:
            terms = tuple(step.opaque for step in self.derivation.steps[adjoint])
            return replace(equation, terms=terms)
        joined: list[Term] = []
        for term in equation.terms:
            part = self.adjoint.get(tensor_of(term.body)) if _is_read(term) else None
            outer = part is not None and part.tensor not in self.derivation.adjoint_of
            joined += part.terms if part is not None and outer else [term]
        return replace(equation, terms=tuple(joined))

    def cotangent(self, equation: Equation) -> str:
        objective = equation.tensor == self.system.objective
        return equation.tensor if objective else f"delta_{equation.tensor}"


def _terms_with(tensor: str, user: Equation) -> Equation:
    """A sum without the terms that do not read the tensor: they have no slope by it."""
    if user.reduction != "sum":
        return user
    kept = []
    for term in user.terms:
        alone = replace(user, terms=(term,))
        if any(tensor_of(read) == tensor for read in alone.reads()):
            kept.append(term)
    return replace(user, terms=tuple(kept))


def _is_read(term: Term) -> bool:
    return isinstance(term.body, Indexed | Name)


def _signature(case: _Case) -> tuple[Any, ...]:
    """Equal for adjoint equations that are equal up to names."""
    equations = case.system.equations
    names = standard_names(equations, case.system)
    facts: list[tuple[Any, ...]] = []
    for name in names:
        if name.kind == "tensor":
            tensor = case.system.tensors[name.name]
            shape = case.system.shape(name.name)
            facts.append((shape, tensor.batched, tensor.integer, tensor.zero_outside))
        elif name.kind == "index":
            facts.append((case.system.size(name),))
        else:
            facts.append((case.system.constants[name.name].value,))
    cotangents = tuple(e.tensor == case.system.objective for e in case.users)
    which = names.get(case.system.tensors[case.tensor].symbol)
    renamed = tuple(rename_equation(e, names) for e in equations)
    return renamed, tuple(facts), cotangents, which


def _compare(
    case: _Case,
    derivation: Derivation,
    values: Mapping[str, Any],
    numbers: Numbers,
) -> tuple[Any, Any]:
    """The adjoint from the derived equation and from dual numbers, in full."""
    system = case.system
    count = len(case.users)
    lefts = [e.tensor for e in system.equations[: count + 1]]
    tensor = system.tensors[case.tensor]
    derived_system = replace(system, equations=(system.equations[count], *case.places))
    given = {n: v for n, v in values.items() if n in system.tensors}
    for place in case.places:
        given.pop(place.tensor, None)
    derived = evaluate(derived_system, given, numbers, BATCH)[lefts[-1]]

    point = numbers.array(values[case.tensor])
    size = int(np.prod(point.shape, dtype=int))
    seeds = np.eye(size, dtype=int).reshape(*point.shape, size)
    duals = DualNumbers(numbers, size)
    seeded = {**given, case.tensor: duals.dual(point, seeds)}
    total = np.zeros(size, dtype=derived.dtype)
    if count:
        users_system = replace(system, equations=system.equations[:count])
        outputs = evaluate(users_system, seeded, duals, BATCH)
        for left, user in zip(lefts, case.users, strict=False):
            tangent = outputs[left].tangent
            total = total + _pulled_back(
                tangent, user, tensor, values, derivation, numbers
            )
    return derived, np.asarray(total).reshape(point.shape)


def _pulled_back(
    tangent: Any,
    user: Equation,
    tensor: Tensor,
    values: Mapping[str, Any],
    derivation: Derivation,
    numbers: Numbers,
) -> Any:
    """The sum of cotangent times tangent; the mean over a batch that T lacks."""
    if user.tensor == derivation.system.objective:
        weights = numbers.array(np.ones(tangent.shape[:-1], dtype=int))
    else:
        weights = numbers.array(values[f"delta_{user.tensor}"])
    product = weights[..., None] * tangent
    total = (
        product.sum(axis=tuple(range(product.ndim - 1)))
        if product.ndim > 1
        else product
    )
    if derivation.system.tensors[user.tensor].batched and not tensor.batched:
        total = total * numbers.array(np.array(Fraction(1, BATCH), dtype=object))
    return total


# --- the judges ----------------------------------------------------------------------


def _judge_algebra(derivation: Derivation, rng: np.random.Generator) -> Check:
    """Each distinct adjoint equation, on exact fractions with stand-in functions."""
    judged = 0
    for case in _Bench(derivation).cases(opaque=True):
        case = replace(case, system=shrink(case.system))
        for _ in range(10):
            values = draw_exact(case.system, rng, BATCH)
            derived, expected = _compare(case, derivation, values, EXACT)
            if all(v == v for v in np.ravel(expected)):
                break
        if not _equal_where_known(derived, expected):
            raise _refuted(derivation, case.derived, "exact fractions")
        judged += 1
    return Check("adjoint equations, exactly on fractions", judged, 0.0)


def _equal_where_known(derived: Any, expected: Any) -> bool:
    """Whether two arrays agree, but where a zero is divided by at every draw."""
    known = np.asarray(expected == expected)
    alike = np.shape(derived) == known.shape and known.any()
    return bool(alike and np.all(np.asarray(derived == expected)[known]))


def _judge_slopes(derivation: Derivation, point: _Point) -> Check:
    """Each distinct adjoint equation in its final form, where the values are known."""
    judged, worst = 0, 0.0
    for case in _Bench(derivation).cases(opaque=False):
        case = replace(case, system=replace(case.system, axes=point.system.axes))
        error = _relative(*_compare(case, derivation, point.known, REAL))
        if not error <= TOLERANCE:
            exact = _compare(case, derivation, point.precise, PRECISE)
            error = _relative(*exact, floor=FLOOR)
        if error != error:
            slope = formula(case.derived, derivation.system)
            raise DeclarationError(
                f"{derivation.name}: the slope {slope} is not finite at usual values: "
                "a `where` masks an infinite result, say. Mask its argument instead."
            )
        if not error <= TOLERANCE:
            raise _refuted(derivation, case.derived, f"dual numbers by {error:.1e}")
        worst, judged = max(worst, error), judged + 1
    return Check("adjoint equations, against dual numbers", judged, worst)


def _judge_rewrites(
    derivation: Derivation,
    declared: System,
    small: System,
    values: Mapping[str, Any],
) -> Check:
    """The rewritten forward equations against the declared ones, to 50 digits."""
    if not derivation.rewritten:
        return Check("rewritten forward equations, to 50 digits", 0, 0.0)
    forward = replace(small, equations=derivation.forward)
    ours = evaluate(forward, values, PRECISE, BATCH)
    theirs = evaluate(declared, values, PRECISE, BATCH)
    worst, count = 0.0, 0
    for name, tensor in declared.tensors.items():
        if name not in ours or name in derivation.program.split:
            continue
        if tensor.role != "defined":
            continue
        error = _relative(ours[name], theirs[name], floor=ORDINARY)
        if not error <= 1e-40:
            equation = next(e for e in derivation.forward if e.tensor == name)
            raise _refuted(derivation, equation, f"its declaration by {error:.1e}")
        worst, count = max(worst, error), count + 1
    return Check("rewritten forward equations, to 50 digits", count, worst)


def _judge_gradient(
    derivation: Derivation, declared: System, point: _Point, rng: np.random.Generator
) -> Check:
    """The whole gradient along random directions, against complex steps."""
    worst, cases = 0.0, 3
    for _ in range(cases):
        direction = {
            p.name: rng.normal(size=np.shape(point.given[p.name]))
            for p in declared.parameters
        }
        ours = _along(direction, derivation, point.known)
        theirs = complex_step(declared, point.given, direction)
        error = _relative(ours, theirs)
        if not error <= TOLERANCE:
            ours = _along(direction, derivation, point.precise)
            theirs = dual_slope(declared, point.given, direction, PRECISE)
            error = _relative(ours, theirs, floor=FLOOR)
        if not error <= TOLERANCE:
            raise CheckError(
                f"{derivation.name}: the derived gradient disagrees with complex steps "
                f"of the declared program by {error:.1e}, though each equation holds. "
                "Please report this program: nothing was emitted."
            )
        worst = max(worst, error)
    return Check("the whole gradient, against complex steps", cases, worst)


def _along(
    direction: Mapping[str, Any], derivation: Derivation, known: Mapping[str, Any]
) -> Any:
    """The derived gradient's product with a direction."""
    return sum(
        np.sum(known[derivation.slopes[name]] * along)
        for name, along in direction.items()
    )


def _relative(ours: Any, theirs: Any, floor: float = 1e-200) -> float:
    """The largest difference over the largest expected; NaN where not finite."""
    expected = np.atleast_1d(np.asarray(theirs))
    difference, size = np.abs(np.asarray(ours) - expected), np.abs(expected)
    if not np.any(difference != 0):
        return 0.0
    return float(np.max(difference) / max(float(np.max(size)), floor))


def _refuted(derivation: Derivation, equation: Equation, witness: str) -> CheckError:
    number = derivation.number(equation.tensor)
    return CheckError(
        f"{derivation.name}, equation ({number}): "
        f"{formula(equation, derivation.system)} disagrees with {witness}. "
        "Nothing was emitted; please report this program."
    )
