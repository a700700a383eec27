"""What a left side equals, from the derivation: as terms over indices.

    D(L, W2[i, j])   =>   delta_z2[i]*a1[j]
    D(z2[k], z1[i])  =>   W2[k, i]*tanh'(z1[i])
    z1[i]            =>   sum(W1[i, j]*x[j], j) + b1[i]

Nothing here is trusted: each formula is judged before it is returned.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations

import sympy
from sympy import Expr

from symbackprop.argument.chain import Calculus
from symbackprop.argument.expansion import Expansion
from symbackprop.argument.lines import collapse, opened
from symbackprop.calculus import (
    adjoint_indices,
    adjoint_term,
    occurrences,
    with_twins,
)
from symbackprop.derivation import differentiate
from symbackprop.document.account import pre_activations
from symbackprop.equations import (
    Axis,
    Equation,
    Name,
    Reduction,
    System,
    Term,
    defined_by,
    fresh,
    indices_of,
    tensor_of,
)
from symbackprop.flow import closure
from symbackprop.program import Program
from symbackprop.proof import Derivation
from symbackprop.rewrites import reveal

MOST_TERMS = 5  # of a slope; beyond them it explains nothing


@dataclass(frozen=True)
class Formula:
    """`sum of terms` for all values of some indices.

    Attributes:
        indices: the free ones.
        terms: what is added up.
        system: what their names mean.
        reduction: "sum", or that of the one term.
    """

    indices: tuple[Name, ...]
    terms: tuple[Term, ...]
    system: System
    reduction: Reduction = "sum"


@dataclass(frozen=True)
class Source:
    """Formulas of one program.

    Attributes:
        program: the network.
        base: its forward equations, without a batch.
        split: tensors that were split off; no formula names their slopes.
        spoken: tensors whose slopes the claim speaks of; these stay in formulas.
    """

    program: Program
    base: System
    split: Collection[str] = ()
    spoken: Collection[str] = ()

    # --- slopes of the objective -----------------------------------------------------

    def slope(self, of: str, by: str) -> Iterator[Formula]:
        """The slope of one tensor by another: over the indices of both."""
        if self.base.tensors[of].axes:
            yield from self._of_tensor(of, by)
            return
        found = list(self._of_scalar(of, by))
        yield from found
        if not found:
            yield from self._one_step(of, by)

    def _of_scalar(self, of: str, by: str) -> Iterator[Formula]:
        """The recursion of an error term, and all on the way to it.

        Through the error terms of layers, then through slopes of every tensor.
        """
        derivation = self._derivation(of)
        names = {tensor: name for name, tensor in derivation.adjoint_of.items()}
        if by not in names:
            return
        calculus = Calculus.of(derivation)
        declared = [tensor for tensor in names if tensor not in self.split]
        layers = [t for t in pre_activations(derivation) if t in declared]
        for tensors in ({*layers, *self.spoken}, {*declared}):
            kept = [names[tensor] for tensor in tensors & names.keys()]
            for equations in (_opaque(derivation), derivation.adjoint):
                found = Expansion(calculus, equations, kept).of(names[by])
                plain = next(e for e in equations if e.tensor == names[by])
                lines = [line.terms for line in found.lines[::-1]] if found else []
                for terms in (*lines, plain.terms):
                    yield Formula(plain.indices, terms, calculus.system)

    def _derivation(self, objective: str) -> Derivation:
        """That of the program, with the functions that claims are judged with."""
        program = copy.copy(self.program)
        object.__setattr__(program, "objective", objective)
        object.__setattr__(program, "equations", self.base.equations)
        return differentiate(program)

    def _one_step(self, of: str, by: str) -> Iterator[Formula]:
        """By the equations that read a tensor themselves, as they were declared."""
        system = self._calculus.system
        adjoints = {
            f"delta_{name}": replace(tensor, name=f"delta_{name}")
            for name, tensor in system.tensors.items()
        }
        system = replace(system, tensors={**adjoints, **system.tensors})
        target = adjoint_indices(system.tensors[by], system)
        made = Equation(by, target, ())
        terms = []
        for equation in self.base.equations:
            cotangent: Expr = sympy.S.One
            if equation.tensor != of:
                adjoint = adjoints[f"delta_{equation.tensor}"]
                cotangent = adjoint.read(*equation.indices)
            for occurrence in occurrences(equation, (by,)):
                slope = opened(occurrence.slope)
                terms.append(adjoint_term(occurrence, slope, cotangent, made, system))
        yield Formula(target, tuple(terms), system)

    # --- slopes of tensors -----------------------------------------------------------

    @cached_property
    def _calculus(self) -> Calculus:
        """That of the equations as they were declared; letters may be added to it."""
        forward = defined_by(self.base)
        system = with_twins(self.base, more=4)
        system = replace(system, axes=dict(system.axes))
        return Calculus(system, forward, dict.fromkeys(forward, 0), {}, {})

    def _of_tensor(self, of: str, by: str) -> Iterator[Formula]:
        """Through all equations between both."""
        system = self._calculus.system
        own, target = (self._letters(system.tensors[name].axes) for name in (of, by))
        terms = self._chained(of, by, own, target)
        if terms is not None and len(terms) <= MOST_TERMS:
            for found in (terms, [self._saved(term) for term in terms]):
                yield Formula((*own, *target), tuple(found), system)

    def _chained(
        self, of: str, by: str, own: tuple[Name, ...], target: tuple[Name, ...]
    ) -> list[Term] | None:
        """`d of[own] / d by[target]`; None for maxima and recurrences."""
        calculus, equation = self._calculus, self._calculus.forward.get(of)
        if equation is None:
            return []
        found: list[Term] = []
        for name in dict.fromkeys(map(tensor_of, equation.reads())):
            if name != by and by not in self._upstream(name):
                continue
            if equation.reduction != "sum" or of in self._upstream(name):
                return None
            line = calculus.jacobian(equation, name).lines[-1]
            middle = target
            inner: list[Term] | None = [Term(sympy.S.One)]
            if name != by:
                middle = self._letters(calculus.system.tensors[name].axes)
                inner = self._chained(name, by, middle, target)
            if inner is None:
                return None
            for outer in line.terms:
                places = dict(zip(line.free, (*own, *middle), strict=True))
                bound = self._letters([str(b) for b in outer.bound])
                places |= dict(zip(outer.bound, bound, strict=True))
                found += [
                    self._joined(outer, i, places, () if name == by else middle)
                    for i in inner
                ]
        return found

    def _joined(
        self,
        outer: Term,
        inner: Term,
        places: Mapping[Expr, Expr],
        middle: tuple[Name, ...],
    ) -> Term:
        """One slope times another, summed over what lies between."""
        bound = tuple(places[index] for index in outer.bound)
        body = outer.body.xreplace(places) * inner.body
        whole = Term(body, (*bound, *middle, *inner.bound))
        return collapse(whole, self._calculus.system, whole.bound)

    def _saved(self, term: Term) -> Term:
        """A term through what equations have saved, as long as that is shorter.

        `a[i] = exp(z[i])/s`: `exp(z[i])*exp(z[k])/s**2` => `a[i]*a[k]`
        """
        body = reveal(term.body)
        letters = indices_of(body)
        for equation in self.base.equations:
            (whole,) = equation.terms[:1]
            if equation.reduction != "sum" or len(equation.terms) > 1 or whole.bound:
                continue
            for chosen in permutations(letters, len(equation.indices)):
                places = dict(zip(equation.indices, chosen, strict=True))
                right = whole.body.xreplace(places)
                left = self.base.tensors[equation.tensor].read(*chosen)
                body = _shorter(body, right, left)
        return replace(term, body=body)

    def _upstream(self, name: str) -> set[str]:
        """What a tensor is computed from."""
        reads = {
            tensor: [tensor_of(read) for read in equation.reads()]
            for tensor, equation in self._calculus.forward.items()
        }
        return closure(reads.get(name, []), reads)

    def _letters(self, axes: Iterable[str]) -> tuple[Name, ...]:
        """New letters over some axes."""
        known = self._calculus.system.axes
        assert isinstance(known, dict)
        made = []
        for name in axes:
            axis = known[name]
            origin = axis.of or axis.name
            rank = 1 + max(other.rank for other in known.values())
            letter = fresh(origin, {*known, *self._calculus.system.tensors})
            known[letter] = Axis(letter, axis.size, rank, of=origin)
            made.append(known[letter].index)
        return tuple(made)

    # --- equations -------------------------------------------------------------------

    def equation(self, tensor: str) -> Iterator[Formula]:
        """The program's own equation."""
        found = defined_by(self.base).get(tensor)
        if found is not None:
            yield Formula(found.indices, found.terms, self.base, found.reduction)


def _shorter(body: Expr, right: Expr, left: Expr) -> Expr:
    """With `left` for `right`, wherever that stands or divides."""
    if right.is_number or isinstance(right, Name) or right.is_Indexed:
        return body
    body = body.xreplace({right: left})
    while right.is_Mul:
        divided = body / right * left
        if divided.count_ops() >= body.count_ops():
            break
        body = divided
    return body


def _opaque(derivation: Derivation) -> tuple[Equation, ...]:
    """The adjoint equations in which slopes of activations have their names."""
    names = {
        step.term: replace(step.opaque, body=opened(step.opaque.body))
        for steps in derivation.steps.values()
        for step in steps
    }
    return tuple(
        replace(e, terms=tuple(names.get(term, term) for term in e.terms))
        for e in derivation.adjoint
    )
