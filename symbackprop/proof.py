"""The values that a derivation is made of: its equations, steps and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from symbackprop.equations import Equation, System, Term
from symbackprop.program import Program
from symbackprop.schedule import Item
from symbackprop.shown import Shown


@dataclass(frozen=True)
class Check:
    """One judgement: what was compared, how many cases, and the worst disagreement.

    `error` is relative to the norm of what was compared; 0.0 where it is exact.
    """

    what: str
    cases: int
    error: float


@dataclass(frozen=True)
class Step:
    """How one term of an adjoint equation arose: the chain rule through one read.

    Attributes:
        equation: number of the forward equation that was passed through.
        read: the occurrence of the tensor in that equation.
        slope: the local derivative by it, in stable form, through saved values.
        term: the term of the adjoint equation.
        opaque: the same term before any function's slope was written out.
    """

    equation: int
    read: Expr
    slope: Expr
    term: Term
    opaque: Term


@dataclass(frozen=True)
class Derivation(Shown):
    """One program's forward and adjoint equations; document and kernels print it.

    Attributes:
        program: the program as declared.
        system: everything: all tensors and axes, forward then adjoint equations.
        forward: forward equations in computing order, rewritten to be stable.
        adjoint: adjoint equations in computing order.
        forward_items: the same with recurrences as loops.
        adjoint_items: the same with recurrences as loops.
        adjoint_of: the tensor whose slope an adjoint tensor is. (An adjoint of a
            recurrence may have a part `..._outer` with an equation of its own.)
        slopes: the gradient's tensor for each parameter.
        live: forward tensors that the value or the gradient needs.
        steps: how each term of each adjoint equation arose.
        rewritten: forward tensors whose equation a rewrite made, and which rewrite.
        checks: what was checked and how well it held.
        seconds: how long the derivation took, and its judging.
    """

    program: Program
    system: System
    forward: tuple[Equation, ...]
    adjoint: tuple[Equation, ...]
    forward_items: tuple[Item, ...]
    adjoint_items: tuple[Item, ...]
    adjoint_of: Mapping[str, str]
    slopes: Mapping[str, str]
    live: frozenset[str]
    steps: Mapping[str, tuple[Step, ...]]
    rewritten: Mapping[str, str]
    numbers: Mapping[str, int]
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.program.name

    def number(self, tensor: str) -> int:
        """The number of the equation that computes a tensor, counted from 1."""
        return self.numbers[tensor]
