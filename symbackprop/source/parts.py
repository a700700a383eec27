"""Equations in parts: what the lowering adds to a system so that it computes fast."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Tensor,
    Term,
    fresh,
    tensor_of,
)
from symbackprop.schedule import Item


@dataclass(frozen=True)
class Parts:
    """Items, some of which compute a part of an equation as it was derived.

    Attributes:
        items: equations and loops in their order.
        system: with the tensors that were added.
        flat: tensors that are a function of the same element of one other tensor.
        origins: for each added tensor, the tensor of the equation that it is part of.
    """

    items: Sequence[Item]
    system: System
    flat: frozenset[str] = frozenset()
    origins: dict[str, str] = field(default_factory=dict)


class Splitting(ABC):
    """Splits equations, and keeps the tensors that this adds."""

    def __init__(self, parts: Parts) -> None:
        self.system = parts.system
        self.tensors = dict(parts.system.tensors)
        self.flat = set(parts.flat)
        self.origins = dict(parts.origins)

    @abstractmethod
    def split(self, equation: Equation) -> list[Equation]:
        """The equation, after those of what is computed before it."""

    def parts(self, items: Iterable[Item]) -> Parts:
        """All items, equations outside recurrences split."""
        found: list[Item] = []
        for item in items:
            found += self.split(item) if isinstance(item, Equation) else [item]
        return Parts(found, self.current, frozenset(self.flat), self.origins)

    @property
    def current(self) -> System:
        """The system with what was added so far."""
        return replace(self.system, tensors=self.tensors)

    def new(
        self,
        stem: str,
        equation: Equation,
        indices: tuple[Name, ...],
        batched: bool = True,
    ) -> Expr:
        """A read of a new tensor, `a2_exp_argument[k2]`."""
        taken = {*self.tensors, *self.system.axes, *self.system.constants}
        origin = self.origins.get(equation.tensor, equation.tensor)
        name = fresh(f"{origin}_{stem}", taken)
        rank = 1 + max(tensor.rank for tensor in self.tensors.values())
        axes = tuple(index.name for index in indices)
        self.tensors[name] = Tensor(name, axes, "defined", rank, batched=batched)
        self.origins[name] = origin
        return self.tensors[name].read(*indices)


def defined(
    read: Expr, indices: tuple[Name, ...], body: Expr, origin: Equation
) -> Equation:
    """The equation of a new tensor."""
    return Equation(tensor_of(read), indices, (Term(body),), line=origin.line)
