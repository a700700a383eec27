"""Reverse mode on a tape: what is done to arrays is noted, and then undone backwards.

    y = f(a, b):   adjoint(a) += adjoint(y) df/da,   adjoint(b) += adjoint(y) df/db

The tape is made anew by every evaluation, so that it follows each choice by value.

Source: Griewank and Walther, Evaluating Derivatives, chapter 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from symbackprop.equations import System
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import REAL, Array, Formula, Numbers
from symbackprop.witnesses.slopes import objective

Pull = Callable[[Value], Value]  # the adjoint of a result => that of one operand


@dataclass
class Taped:
    """An array, and its place on the tape; None where no parameter enters it."""

    value: Array
    place: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return self.value.ndim


@dataclass(frozen=True)
class Entry:
    """One operation on the tape: its result, and what leads back to its operands."""

    place: int
    pulls: tuple[tuple[int, Pull], ...]


Slope = Callable[[Numbers, Value, Value], Value]  # (numbers, argument, result)


def _one(numbers: Numbers, like: Value, number: int = 1) -> Value:
    return numbers.constant(Fraction(number), numbers.ndim(like))


def _bell(numbers: Numbers, x: Value, factor: int) -> Value:
    """`factor * exp(-x^2) / sqrt(pi)`."""
    inverse = numbers.divide(
        _one(numbers, x, factor), numbers.apply("sqrt", numbers.pi(numbers.ndim(x)))
    )
    squared = numbers.multiply(x, x)
    negative = numbers.multiply(squared, _one(numbers, x, -1))
    return numbers.multiply(inverse, numbers.apply("exp", negative))


# Every other function of the table is taped through its definition.
SLOPES: Mapping[str, Slope] = {
    "exp": lambda n, x, y: y,
    "expm1": lambda n, x, y: n.add(y, _one(n, x)),
    "log": lambda n, x, y: n.divide(_one(n, x), x),
    "log1p": lambda n, x, y: n.divide(_one(n, x), n.add(x, _one(n, x))),
    "sqrt": lambda n, x, y: n.divide(_one(n, x), n.multiply(y, _one(n, x, 2))),
    "sin": lambda n, x, y: n.apply("cos", x),
    "cos": lambda n, x, y: n.multiply(n.apply("sin", x), _one(n, x, -1)),
    "tanh": lambda n, x, y: n.multiply(
        n.add(_one(n, x), y), n.add(_one(n, x), n.multiply(y, _one(n, x, -1)))
    ),
    "erf": lambda n, x, y: _bell(n, x, 2),
    "erfc": lambda n, x, y: _bell(n, x, -2),
}


class TapeNumbers(Numbers):
    """Arrays of any number system, every operation on which is written on one tape.

    Attributes:
        entries: the tape.
        values: the array at each place of it.
    """

    def __init__(self, inner: Numbers = REAL) -> None:
        self.inner = inner
        self.dtype = inner.dtype
        self.contracts = inner.contracts
        self.entries: list[Entry] = []
        self.values: list[Array] = []

    # The tape

    def variable(self, values: Any) -> Taped:
        """An array by which slopes are wanted."""
        return self._placed(self.inner.array(values))

    def _placed(self, value: Array) -> Taped:
        self.values.append(value)
        return Taped(value, len(self.values) - 1)

    def _note(self, value: Value, *pulls: tuple[Taped, Pull]) -> Taped:
        """The result of an operation, with what leads back to each operand."""
        moving = tuple((a.place, pull) for a, pull in pulls if a.place is not None)
        if not moving:
            return Taped(value)
        made = self._placed(value)
        assert made.place is not None
        self.entries.append(Entry(made.place, moving))
        return made

    def adjoints(self, result: Taped) -> dict[int, Array]:
        """The slope of a result (a single number) by the array at every place."""
        found: dict[int, Array] = {}
        if result.place is None:
            return found
        found[result.place] = self.inner.array(np.ones(result.shape))
        for entry in reversed(self.entries):
            adjoint = found.get(entry.place)
            if adjoint is None:
                continue
            for place, pull in entry.pulls:
                part = self._narrowed(pull(adjoint), self.values[place].shape)
                held = found.get(place)
                found[place] = part if held is None else self.inner.add(held, part)
        return found

    def _narrowed(self, adjoint: Value, shape: tuple[int, ...]) -> Value:
        """The sum over dimensions along which an operand was broadcast."""
        sizes = zip(adjoint.shape, shape, strict=True)
        wide = tuple(d for d, (have, want) in enumerate(sizes) if have != want)
        return self.inner.sum(adjoint, wide)

    # Numbers

    def array(self, values: Any) -> Value:
        return values if isinstance(values, Taped) else Taped(self.inner.array(values))

    def constant(self, number: Fraction, ndim: int) -> Value:
        return Taped(self.inner.constant(number, ndim))

    def pi(self, ndim: int) -> Value:
        return Taped(self.inner.pi(ndim))

    def zeros(self, shape: tuple[int, ...]) -> Value:
        return Taped(self.inner.zeros(shape))

    def ndim(self, a: Value) -> int:
        return int(a.value.ndim)

    def own(self, name: str) -> Formula | None:
        if name == "power":
            return self._power
        return partial(self._elementary, name) if name in SLOPES else None

    def _scaled(self, adjoint: Value, slope: Value) -> Value:
        """adjoint * slope; what nothing depends on stays 0 whatever the slope."""
        product = self.inner.multiply(adjoint, slope)
        still = np.asarray(adjoint == 0, dtype=bool)
        if not still.any():
            return product
        zero = self.inner.zeros((1,) * product.ndim)
        return self.inner.where(still, zero, product)

    def _elementary(self, name: str, a: Taped) -> Taped:
        value = self.inner.apply(name, a.value)

        def pull(adjoint: Value) -> Value:
            return self._scaled(adjoint, SLOPES[name](self.inner, a.value, value))

        return self._note(value, (a, pull))

    def _power(self, a: Taped, e: Taped) -> Taped:
        """d a^e = e a^(e-1) da + a^e log(a) de."""
        inner = self.inner
        value = inner.apply("power", a.value, e.value)

        def by_base(adjoint: Value) -> Value:
            less = inner.add(e.value, _one(inner, e.value, -1))
            power = inner.apply("power", a.value, less)
            return self._scaled(adjoint, inner.multiply(e.value, power))

        def by_exponent(adjoint: Value) -> Value:
            log = inner.apply("log", a.value)
            return self._scaled(adjoint, inner.multiply(value, log))

        return self._note(value, (a, by_base), (e, by_exponent))

    def add(self, a: Value, b: Value) -> Value:
        value = self.inner.add(a.value, b.value)
        return self._note(value, (a, _itself), (b, _itself))

    def multiply(self, a: Value, b: Value) -> Value:
        inner = self.inner
        return self._note(
            inner.multiply(a.value, b.value),
            (a, lambda adjoint: inner.multiply(adjoint, b.value)),
            (b, lambda adjoint: inner.multiply(adjoint, a.value)),
        )

    def divide(self, a: Value, b: Value) -> Value:
        inner = self.inner
        value = inner.divide(a.value, b.value)

        def by_divisor(adjoint: Value) -> Value:
            upper = inner.multiply(
                adjoint, inner.multiply(value, _one(inner, value, -1))
            )
            return inner.divide(upper, b.value)

        return self._note(
            value, (a, lambda adjoint: inner.divide(adjoint, b.value)), (b, by_divisor)
        )

    def where(self, chosen: Array, a: Value, b: Value) -> Value:
        inner = self.inner

        def pull(adjoint: Value, taken: Array) -> Value:
            return inner.where(taken, adjoint, inner.zeros((1,) * adjoint.ndim))

        return self._note(
            inner.where(chosen, a.value, b.value),
            (a, partial(pull, taken=chosen)),
            (b, partial(pull, taken=~chosen)),
        )

    def real(self, a: Value) -> Array:
        return self.inner.real(a.value)

    def best(self, value: Value, largest: bool) -> Array:
        return self.inner.best(value.value, largest)

    def take(self, a: Value, places: tuple[Any, ...]) -> Value:
        whole = a.value.shape

        def pull(adjoint: Value) -> Value:
            spread = self.inner.zeros(whole)
            self.inner.scatter(spread, places, adjoint)
            return spread

        return self._note(self.inner.take(a.value, places), (a, pull))

    def put(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        """The array that is added to becomes the result, in place."""

        def pull(adjoint: Value) -> Value:
            return self.inner.take(adjoint, places)

        self._added(a, b, pull, partial(self.inner.put, a.value, places, b.value))

    def scatter(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        def pull(adjoint: Value) -> Value:
            return self.inner.take(adjoint, places)

        self._added(a, b, pull, partial(self.inner.scatter, a.value, places, b.value))

    def _added(
        self, a: Taped, b: Taped, pull: Pull, change: Callable[[], None]
    ) -> None:
        change()
        if b.place is None:
            return
        a.place = self._note(
            a.value, (Taped(a.value, a.place), _itself), (b, pull)
        ).place

    def sum(self, a: Value, axes: tuple[int, ...]) -> Value:
        shape = a.value.shape

        def pull(adjoint: Value) -> Value:
            return self.inner.broadcast(adjoint, shape)

        return self._note(self.inner.sum(a.value, axes), (a, pull)) if axes else a

    def contract(
        self, operands: Sequence[tuple[Value, list[int]]], kept: list[int]
    ) -> Value:
        """An operand's adjoint is the product of all the others, summed likewise."""
        plain = [(a.value, labels) for a, labels in operands]

        def pull(adjoint: Value, place: int) -> Value:
            own, labels = plain[place]
            others = [*plain[:place], *plain[place + 1 :], (adjoint, kept)]
            known = {label for _, some in others for label in some}
            found = self.inner.contract(others, [d for d in labels if d in known])
            sizes = zip(labels, own.shape, strict=True)
            shape = tuple(size if d in known else 1 for d, size in sizes)
            return self.inner.broadcast(self.inner.reshape(found, shape), own.shape)

        pulls = [(a, partial(pull, place=k)) for k, (a, _) in enumerate(operands)]
        return self._note(self.inner.contract(plain, kept), *pulls)

    def reshape(self, a: Value, shape: tuple[int, ...]) -> Value:
        before = a.value.shape

        def pull(adjoint: Value) -> Value:
            return self.inner.reshape(adjoint, before)

        return self._note(self.inner.reshape(a.value, shape), (a, pull))

    def broadcast(self, a: Value, shape: tuple[int, ...]) -> Value:
        return self._note(self.inner.broadcast(a.value, shape), (a, _itself))


def _itself(adjoint: Value) -> Value:
    return adjoint


def gradient_by_tape(
    system: System,
    values: Mapping[str, Any],
    names: Iterable[str] | None = None,
    numbers: Numbers = REAL,
) -> dict[str, Array]:
    """The slope by every entry of `names` (None: the parameters), by one sweep back.

    Shapes:
        Each slope has the shape of its tensor.
    """
    wanted = [p.name for p in system.parameters] if names is None else list(names)
    tape = TapeNumbers(numbers)
    variables = {name: tape.variable(values[name]) for name in wanted}
    with np.errstate(all="ignore"):
        result = objective(system, {**values, **variables}, tape)
        adjoints = tape.adjoints(result)
    found: dict[str, Array] = {}
    for name, variable in variables.items():
        assert variable.place is not None
        reached = adjoints.get(variable.place)
        found[name] = numbers.zeros(variable.shape) if reached is None else reached
    return found
