"""The chain rule through the equations of a claim's system, read by read.

    D(L, a1[j])  =>  sum over i of D(L, z2[i])*W2[i, j]

A slope by a tensor is the sum, over all equations that read the tensor, of the slope by
what they compute times their own derivative, with Kronecker's deltas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr, Mul

from symbackprop.argument.lines import deltas, opened
from symbackprop.calculus import Occurrence, at_place, occurrences
from symbackprop.claims.claim import Slope
from symbackprop.claims.proving.sums import Sums, Terms
from symbackprop.equations import (
    Equation,
    Guard,
    Name,
    Tensor,
    Term,
    defined_by,
    fresh,
    indices_of,
    is_index,
    subscripts_of,
    tensor_of,
)
from symbackprop.flow import closure, place_of


@dataclass
class Chains:
    """Slopes over one claim's system, and how each comes from others.

    Attributes:
        slopes: what each tensor of slopes is, the claim's and the proof's own.
        own: the tensors of slopes that the proof adds.
    """

    sums: Sums
    slopes: dict[str, Slope] = field(init=False)
    own: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        claim = self.sums.claim
        self.slopes = dict(claim.slopes)
        self.equations = defined_by(claim.system)
        self._known: dict[tuple[str, str], list[Occurrence]] = {}
        reads = {
            name: [tensor_of(read) for read in equation.reads()]
            for name, equation in self.equations.items()
        }
        self.needs = {name: closure([name], reads) for name in claim.system.tensors}
        self.users: dict[str, list[Equation]] = {}
        for equation in self.equations.values():
            for name in dict.fromkeys(reads[equation.tensor]):
                self.users.setdefault(name, []).append(equation)

    # --- order -----------------------------------------------------------------------

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each tensor is computed; what is given comes first."""
        return {name: n for n, name in enumerate(self.equations, 1)}

    def returns(self, tensor: str) -> bool:
        """Whether a tensor is computed from itself, at another step."""
        equation = self.equations.get(tensor)
        read = () if equation is None else map(tensor_of, equation.reads())
        return any(tensor in self.needs[name] for name in read)

    # --- one slope -------------------------------------------------------------------

    def read(
        self, of: str, by: str, at: tuple[Expr, ...], under: tuple[Expr, ...]
    ) -> Expr:
        """`D(of[at], by[under])`; deltas where both are the same tensor."""
        if of == by and not self.returns(of):
            return deltas(at, under)
        return self._tensor(of, by).read(*at, *under)

    def _tensor(self, of: str, by: str) -> Tensor:
        for name, known in self.slopes.items():
            if known == Slope(of, by):
                return self.sums.system.tensors[name]
        system = self.sums.system
        taken = {*system.tensors, *system.axes, *system.constants}
        axes = (*system.tensors[of].axes, *system.tensors[by].axes)
        rank = 1 + max(t.rank for t in system.tensors.values())
        name = fresh(f"D_{of}_{by}", taken)
        made = Tensor(name, axes, "data", rank, zero_outside=True)
        self.slopes[name], self.own[name] = Slope(of, by), made
        tensors = {**system.tensors, name: made}
        self.sums.system = replace(system, tensors=tensors)
        return made

    def through(self, slope: Slope) -> list[str]:
        """The tensors whose equations a slope goes through first."""
        users = self.users.get(slope.by, ())
        return [e.tensor for e in users if e.tensor in self.needs[slope.of]]

    def expanded(self, read: Expr) -> Terms:
        """A slope by the chain rule, through all equations that read what it is by."""
        slope = self.slopes[tensor_of(read)]
        system = self.sums.system
        count = len(system.tensors[slope.of].axes)
        at, under = subscripts_of(read)[:count], subscripts_of(read)[count:]
        outside = tuple(
            Guard(subscript, axis)
            for subscript, axis in zip(
                subscripts_of(read), system.tensors[tensor_of(read)].axes, strict=True
            )
            if not is_index(subscript)
        )
        found: list[Term] = []
        if slope.of == slope.by:
            found.append(Term(deltas(at, under), (), outside))
        for equation in self.users.get(slope.by, ()):
            places = equation.reduction in ("argmax", "argmin")  # which have no slope
            if equation.tensor in self.needs[slope.of] and not places:
                found += self._through(equation, slope, at, under, outside)
        return tuple(found)

    def _through(
        self,
        equation: Equation,
        slope: Slope,
        at: tuple[Expr, ...],
        under: tuple[Expr, ...],
        outside: tuple[Guard, ...],
    ) -> Iterator[Term]:
        for occurrence in self._occurrences(equation, slope.by):
            letters = (*equation.indices, *occurrence.term.bound)
            taken = {*self.sums.free, *letters}
            taken |= {i for s in (*at, *under) for i in indices_of(s)}
            names: dict[Expr, Expr] = {**self.sums.apart(letters, taken)}
            phi = tuple(s.xreplace(names) for s in subscripts_of(occurrence.read))
            here = tuple(index.xreplace(names) for index in equation.indices)
            body = Mul(
                self.read(slope.of, equation.tensor, at, here),
                self._slope(occurrence).xreplace(names),
                deltas(phi, under),
            )
            guards = tuple(
                replace(g, subscript=g.subscript.xreplace(names))
                for g in occurrence.term.guards
            )
            bound: tuple[Name, ...] = tuple(i.xreplace(names) for i in letters)
            yield Term(body, bound, (*guards, *outside))

    def _slope(self, occurrence: Occurrence) -> Expr:
        """The slope of a maximum is that of its body at the place where it is taken."""
        equation = occurrence.equation
        if equation.reduction == "sum":
            return occurrence.slope
        place = place_of(equation.tensor, self.sums.claim.system)
        taken = place.read(*equation.indices)
        return at_place(occurrence.slope, equation, taken)

    def _occurrences(self, equation: Equation, tensor: str) -> list[Occurrence]:
        """The reads of a tensor with their slopes, those of activations unopened."""
        key = equation.tensor, tensor
        if key not in self._known:
            self._known[key] = [
                replace(o, slope=opened(o.slope))
                for o in occurrences(equation, (tensor,))
            ]
        return self._known[key]
