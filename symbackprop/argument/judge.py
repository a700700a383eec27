"""Each line of a proof, held against witnesses that know the forward equations alone.

Partial derivatives are compared with dual numbers of the one equation, adjoints with
what the objective does when their tensor is bumped, both at one random point on small
axes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr, Indexed

from symbackprop.argument.lines import Line, Proof, kronecker, partial
from symbackprop.equations import (
    Equation,
    System,
    Tensor,
    fresh,
    read,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.proof import Derivation
from symbackprop.rewrites import reveal
from symbackprop.scalars import equal, where
from symbackprop.witnesses.bumps import adjoint
from symbackprop.witnesses.draws import draw, shrink
from symbackprop.witnesses.duals import Dual, DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import REAL, Array

BATCH = 2
TOLERANCE = 1e-9  # double precision at a random point; a wrong line is off by 1
SEED = 20240229


class Judge:
    """Judges the lines of one derivation's proofs.

    >>> import symbackprop as sb
    >>> from symbackprop.argument.chain import Calculus
    >>> square = sb.derive(sb.Program(equations="L = sum(w[i]**2, i)", axes={"i": 3},
    ...                               parameters={"w": "i"}, data={}, objective="L"))
    >>> proof = Calculus.of(square).jacobian(square.forward[0], "w")
    >>> Judge(square, Calculus.of(square).system).judged(proof).error < 1e-12
    True
    """

    def __init__(self, derivation: Derivation, system: System) -> None:
        """`system` has the letters that the lines use."""
        self.derivation = derivation
        small = shrink(derivation.system)
        sizes = {name: axis.size for name, axis in small.axes.items()}
        axes = {
            name: replace(axis, size=sizes[axis.of or name])
            for name, axis in system.axes.items()
        }
        small = replace(small, axes=axes)
        self.system = replace(small, equations=())
        self.forward = replace(small, equations=derivation.forward)
        self._slopes: dict[str, Array] = {}
        self._partials: dict[tuple[str, str], Array] = {}

    def judged(self, proof: Proof) -> Proof:
        """The proof with its worst disagreement.

        Raises:
            CheckError: a line disagrees with the witness.
        """
        worst = 0.0
        for line in proof.lines:
            error = self._error(line)
            if not error <= TOLERANCE:
                raise CheckError(
                    f"{self.derivation.name}: the proof of {line.left} fails at the "
                    f"line by `{line.rule}`: it is off by {error:.1e}. Nothing was "
                    "written; please report this program."
                )
            worst = max(worst, error)
        return replace(proof, error=worst)

    # --- the two sides ---------------------------------------------------------------

    def _error(self, line: Line) -> float:
        if line.fact:
            return self._point_of(line.fact)._difference(line)
        return self._difference(line)

    def _difference(self, line: Line) -> float:
        expected = self._left(line)
        found = self._right(line, expected.shape)
        difference = np.max(np.abs(found - expected), initial=0.0)
        scale = max(float(np.max(np.abs(expected), initial=0.0)), 1e-3)
        return float(difference / scale)

    def _left(self, line: Line) -> Array:
        if line.left.func is partial:
            above, below = (tensor_of(side) for side in line.left.args)
            return self.partial(above, below)
        return self.value(tensor_of(line.left))

    def _right(self, line: Line, shape: tuple[int, ...]) -> Array:
        """The terms evaluated, as a tensor with the line's free indices."""
        given: dict[str, Any] = {}
        tensors = dict(self.system.tensors)
        rank = 1 + max(t.rank for t in tensors.values())

        def named(expression: Expr) -> Expr:
            """Every partial derivative as a read of its own values."""
            if expression.func is kronecker:
                return where(equal(*expression.args), 1, 0)
            if expression.func is partial:
                above, below = expression.args
                pair = tensor_of(above), tensor_of(below)
                name = "partial_of_{}_by_{}".format(*pair)
                if name not in given:
                    given[name] = self.partial(*pair)
                    tensors[name] = self._between(name, *pair, rank + len(tensors))
                return read(
                    tensors[name].symbol, *subscripts_of(above), *subscripts_of(below)
                )
            if not expression.args or isinstance(expression, Indexed):
                return expression
            return expression.func(*map(named, expression.args))

        terms = tuple(replace(t, body=named(reveal(t.body))) for t in line.terms)
        name = fresh("left", tensors)
        spread = Equation(name, line.free, tuple(t for t in terms if not t.average))
        batched = any(tensors[tensor_of(r)].batched for r in spread.reads())
        axes = tuple(index.name for index in line.free)
        tensors[name] = Tensor(name, axes, "defined", rank + len(tensors), batched)
        equation = Equation(name, line.free, terms)
        used = {tensor_of(r) for r in equation.reads()}
        system = replace(
            self.system, tensors=tensors, equations=(equation,), objective=name
        )
        values = {n: given[n] if n in given else self.value(n) for n in used}
        found = np.asarray(evaluate(system, values, REAL, BATCH)[name])
        return found if found.shape == shape else np.broadcast_to(found, shape)

    def _between(self, name: str, above: str, below: str, rank: int) -> Tensor:
        a, b = self.system.tensors[above], self.system.tensors[below]
        return Tensor(name, (*a.axes, *b.axes), "data", rank, a.batched or b.batched)

    # --- what the witnesses say ------------------------------------------------------

    @cached_property
    def given(self) -> dict[str, Array]:
        """Random parameters and data."""
        declared = replace(self.derivation.program.plain(), axes=self.forward.axes)
        return dict(draw(declared, np.random.default_rng(SEED), BATCH))

    @cached_property
    def known(self) -> dict[str, Array]:
        """Every forward tensor at the point."""
        return dict(evaluate(self.forward, self.given, REAL, BATCH))

    def value(self, name: str) -> Array:
        """A forward tensor, an adjoint by its bump, a part of one by its equation."""
        if name in self.known:
            return self.known[name]
        if name not in self._slopes:
            origin = self.derivation.adjoint_of.get(name)
            self._slopes[name] = (
                self._part(name)
                if origin is None
                else adjoint(self.forward, self.given, origin, BATCH)
            )
        return self._slopes[name]

    def _part(self, name: str) -> Array:
        """What reaches the adjoint of a recurrence from outside its loop."""
        equation = next(e for e in self.derivation.adjoint if e.tensor == name)
        alone = replace(self.system, equations=(equation,), objective=name)
        used = {tensor_of(r) for r in equation.reads()}
        values = {n: self.value(n) for n in used}
        return np.asarray(evaluate(alone, values, REAL, BATCH)[name])

    def partial(self, above: str, below: str) -> Array:
        """The slope of one equation by every entry of a tensor that it reads.

        All other tensors are held fast, and so is the equation's own where it reads it.
        """
        key = above, below
        if key not in self._partials:
            self._partials[key] = self._partial(above, below)
        return self._partials[key]

    def _partial(self, above: str, below: str) -> Array:
        equation = next(e for e in self.forward.equations if e.tensor == above)
        tensors = dict(self.system.tensors)
        name = fresh(f"{above}_left", tensors)
        rank = 1 + max(t.rank for t in tensors.values())
        tensors[name] = replace(tensors[above], name=name, rank=rank)
        alone = replace(
            self.system,
            tensors=tensors,
            equations=(replace(equation, tensor=name),),
            objective=name,
        )
        point = self.known[below]
        size = int(np.prod(self.system.shape(below), dtype=int))
        duals = DualNumbers(REAL, size)
        seeds = np.eye(size).reshape((*self.system.shape(below), size))
        seeds = np.broadcast_to(seeds, (*point.shape, size))
        used = {tensor_of(r) for r in equation.reads()}
        values = {n: v for n, v in self.known.items() if n in used}
        moved = {**values, below: duals.dual(point, seeds)}
        found = evaluate(alone, moved, duals, BATCH)[name]
        assert isinstance(found, Dual)
        tangent = np.asarray(found.tangent)
        return tangent.reshape((*tangent.shape[:-1], *self.system.shape(below)))

    def _point_of(self, fact: str) -> Judge:
        """A judge at a point where the entries of some data add up to 1."""
        other = Judge(self.derivation, self.system)
        weights = np.abs(self.given[fact]) + 0.1
        other.given = {**self.given, fact: weights / weights.sum(-1, keepdims=True)}
        return other
