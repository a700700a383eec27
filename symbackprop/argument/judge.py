"""Each line of a proof, held against witnesses that know the forward equations alone.

Partial derivatives are compared with dual numbers of the one equation, adjoints with
what the objective does when their tensor is bumped, at random points on small axes.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr, Indexed

from symbackprop.argument.lines import Line, Proof, kronecker, partial
from symbackprop.equations import (
    Equation,
    System,
    Tensor,
    Term,
    fresh,
    read,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.proof import Derivation
from symbackprop.rewrites import reveal
from symbackprop.scalars import absolute, equal, where
from symbackprop.witnesses.bumps import adjoint
from symbackprop.witnesses.draws import draw, shrink
from symbackprop.witnesses.duals import Dual, DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import PRECISE, REAL, Array, Numbers

BATCH = 2
TOLERANCE = 1e-9  # double precision at random points; a wrong line is off by 1
SEED = 20240229
SCALES = (0.7, 4.0)  # of what is drawn: small values and such as saturate


class Judge:
    """Judges the lines of one derivation's proofs, at points of several scales.

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
        rng = np.random.default_rng(SEED)
        small = shrink(derivation.system)
        sizes = {name: axis.size for name, axis in small.axes.items()}
        axes = {
            name: replace(axis, size=sizes[axis.of or name])
            for name, axis in system.axes.items()
        }
        # A constant of 1e-13 would hide whatever it multiplies.
        constants = {
            name: replace(constant, value=Fraction(int(rng.integers(3, 18)), 10))
            for name, constant in small.constants.items()
        }
        self.system = replace(small, axes=axes, constants=constants)
        self._facts: dict[str, list[_Point]] = {}

    @cached_property
    def points(self) -> list[_Point]:
        """Points at which the objective and its slopes are finite; at least one."""
        rng = np.random.default_rng(SEED)
        declared = replace(
            self.derivation.program.plain(),
            axes=self.system.axes,
            constants=self.system.constants,
        )
        found: list[_Point] = []
        for place, scale in enumerate(SCALES):
            try:
                given = dict(draw(declared, rng, BATCH, scale))
            except CheckError:
                if place == len(SCALES) - 1 and not found:
                    raise
                continue
            found.append(_Point(self.derivation, self.system, given))
        return found

    def judged(self, proof: Proof) -> Proof:
        """The proof with its worst disagreement.

        Raises:
            CheckError: a line disagrees with a witness.
        """
        worst, exercised = 0.0, False
        for line in proof.lines:
            for point in self._points(line):
                error, size = point.disagreement(line)
                if not error <= TOLERANCE:
                    raise CheckError(
                        f"{self.derivation.name}: the proof of {line.left} fails at "
                        f"the line by `{line.rule}`: it is off by {error:.1e}. Nothing "
                        "was written; please report this program."
                    )
                worst = max(worst, error)
                exercised = exercised or size > 0
        return replace(proof, error=worst, exercised=exercised)

    def _points(self, line: Line) -> list[_Point]:
        """Where a line holds: where its fact does, if it relies on one."""
        if not line.fact:
            return self.points
        if line.fact not in self._facts:
            self._facts[line.fact] = [p.summing_to_one(line.fact) for p in self.points]
        return self._facts[line.fact]


class _Point:
    """One point: values of parameters and data, and what the witnesses say there."""

    def __init__(
        self,
        derivation: Derivation,
        system: System,
        given: dict[str, Array],
        numbers: Numbers = REAL,
    ) -> None:
        self.derivation, self.whole, self.numbers = derivation, system, numbers
        self.system = replace(system, equations=())
        self.forward = replace(system, equations=derivation.forward)
        self.given = given
        self._slopes: dict[str, Array] = {}
        self._partials: dict[tuple[str, str], Array] = {}

    def summing_to_one(self, data: str) -> _Point:
        """The point with the entries of some data made to add up to 1."""
        weights = np.abs(self.given[data]) + 0.1
        given = {**self.given, data: weights / weights.sum(-1, keepdims=True)}
        return _Point(self.derivation, self.whole, given)

    @cached_property
    def precise(self) -> _Point:
        """The same point in numbers of 50 digits."""
        return _Point(self.derivation, self.whole, self.given, PRECISE)

    def disagreement(self, line: Line) -> tuple[float, float]:
        """How far both sides are apart, relative to their size; and that size.

        Where double precision loses too much, as in `1 - a` where a saturates, numbers
        of many digits decide.
        """
        error, size = self._apart(line)
        if error <= TOLERANCE or self.numbers is PRECISE:
            return error, size
        return self.precise._apart(line)

    def _apart(self, line: Line) -> tuple[float, float]:
        """Where a sum cancels, rounding is all that is left of it.

        It is then measured by the sizes of its summands.
        """
        expected = self._left(line)
        size = _size(expected)
        difference = _size(self._right(line, line.terms, expected.shape) - expected)
        if difference <= TOLERANCE * size:
            return float(difference / size) if size else 0.0, size
        summands = tuple(replace(t, body=absolute(t.body)) for t in line.terms)
        scale = max(size, _size(self._right(line, summands, expected.shape)))
        return (float(difference / scale) if scale else float("inf")), size

    # --- the two sides ---------------------------------------------------------------

    def _left(self, line: Line) -> Array:
        if line.left.func is partial:
            above, below = (tensor_of(side) for side in line.left.args)
            return self.partial(above, below)
        return self.value(tensor_of(line.left))

    def _right(
        self, line: Line, addends: tuple[Term, ...], shape: tuple[int, ...]
    ) -> Array:
        """Some terms evaluated, as a tensor with the line's free indices."""
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

        terms = tuple(replace(t, body=named(reveal(t.body))) for t in addends)
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
        found = np.asarray(evaluate(system, values, self.numbers, BATCH)[name])
        if found.ndim > len(shape):
            raise CheckError(
                f"{self.derivation.name}: a line of the proof of {line.left} differs "
                "from sample to sample, its left side does not."
            )
        return np.broadcast_to(found, shape)

    def _between(self, name: str, above: str, below: str, rank: int) -> Tensor:
        a, b = self.system.tensors[above], self.system.tensors[below]
        return Tensor(name, (*a.axes, *b.axes), "data", rank, a.batched or b.batched)

    # --- what the witnesses say ------------------------------------------------------

    @cached_property
    def known(self) -> dict[str, Array]:
        """Every forward tensor at the point."""
        return dict(evaluate(self.forward, self.given, self.numbers, BATCH))

    def value(self, name: str) -> Array:
        """A forward tensor, an adjoint by its bump, a part of one by its equation."""
        if name in self.known:
            return self.known[name]
        if name not in self._slopes:
            origin = self.derivation.adjoint_of.get(name)
            self._slopes[name] = (
                self._part(name)
                if origin is None
                else adjoint(self.forward, self.given, origin, BATCH, self.numbers)
            )
        return self._slopes[name]

    def _part(self, name: str) -> Array:
        """What reaches the adjoint of a recurrence from outside its loop."""
        equation = next(e for e in self.derivation.adjoint if e.tensor == name)
        alone = replace(self.system, equations=(equation,), objective=name)
        used = {tensor_of(r) for r in equation.reads()}
        values = {n: self.value(n) for n in used}
        return np.asarray(evaluate(alone, values, self.numbers, BATCH)[name])

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
        duals = DualNumbers(self.numbers, size)
        seeds = np.eye(size).reshape((*self.system.shape(below), size))
        seeds = np.broadcast_to(seeds, (*point.shape, size))
        used = {tensor_of(r) for r in equation.reads()}
        values = {n: v for n, v in self.known.items() if n in used}
        moved = {**values, below: duals.dual(point, seeds)}
        found = evaluate(alone, moved, duals, BATCH)[name]
        assert isinstance(found, Dual)
        tangent = np.asarray(found.tangent)
        return tangent.reshape((*tangent.shape[:-1], *self.system.shape(below)))


def _size(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))
