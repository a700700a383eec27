"""Numbers that count what is done to them: a witness for the number of operations.

Each entry of an array is an object of its own; what is counted is what Python really
does to them. The conventions are those of `symbackprop/tallies.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from symbackprop.equations import Equation, Name, System
from symbackprop.schedule import schedule
from symbackprop.witnesses.evaluate import Run
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import REAL, Array, Formula, Objects

# What is not yet there; written in the equation; 1 over a number, until it is used.
Kind = Literal["blank", "literal", "reciprocal", "number"]

CHOICES = ("abs", "sign", "maximum", "minimum")


@dataclass
class Counted:
    """One number, and what it is for the counting."""

    value: float
    kind: Kind
    tally: Counter[str]

    def settled(self) -> Counted:
        """The number itself: a reciprocal that is more than a divisor is divided."""
        if self.kind == "reciprocal":
            self.tally["divisions"] += 1
            self.kind = "number"
        return self

    def __add__(self, other: Counted) -> Counted:
        if "blank" in (self.kind, other.kind):
            return (other if self.kind == "blank" else self).settled()
        if self.kind == other.kind == "literal":
            return Counted(self.value + other.value, "literal", self.tally)
        self.settled(), other.settled()
        self.tally["additions"] += 1
        return Counted(self.value + other.value, "number", self.tally)

    def __sub__(self, other: Counted) -> Counted:
        """As an addition; what is not yet there has no sign to turn."""
        return self + Counted(-other.value, other.settled().kind, self.tally)

    def __mul__(self, other: Counted) -> Counted:
        product = self.value * other.value
        kinds = (self.kind, other.kind)
        if kinds == ("literal", "literal"):
            return Counted(product, "literal", self.tally)
        for literal, rest in ((self, other), (other, self)):
            if literal.kind == "literal" and abs(literal.value) == 1:
                return Counted(product, rest.kind, self.tally)
        if kinds == ("reciprocal", "reciprocal"):
            self.tally["multiplications"] += 1
            return Counted(product, "reciprocal", self.tally)
        divides = "reciprocal" in kinds
        self.tally["divisions" if divides else "multiplications"] += 1
        return Counted(product, "number", self.tally)

    def __truediv__(self, other: Counted) -> Counted:
        value = self.value / other.value if other.value else float("nan")
        if self.kind == other.kind == "literal":
            return Counted(value, "literal", self.tally)
        if self.kind == "literal" and self.value == 1:
            return Counted(value, "reciprocal", self.tally)
        self.settled(), other.settled()
        self.tally["divisions"] += 1
        return Counted(value, "number", self.tally)


class Counting(Objects):
    """Arrays of such numbers, which write into one tally.

    >>> numbers = Counting()
    >>> x = numbers.array([1.0, 2.0, 3.0])
    >>> _ = numbers.sum(numbers.multiply(x, x), (0,))
    >>> sorted(numbers.tally.items())
    [('additions', 2), ('multiplications', 3)]
    """

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()

    def _made(self, values: Any, kind: Kind) -> Array:
        plain = np.asarray(values)
        made = np.empty(plain.shape, dtype=object)
        made.reshape(-1)[:] = [
            Counted(float(v), kind, self.tally) for v in plain.reshape(-1).tolist()
        ]
        return made

    def array(self, values: Any) -> Value:
        plain = np.asarray(values)
        if plain.dtype == object and all(isinstance(v, Counted) for v in plain.flat):
            return plain
        return self._made(values, "number")

    def constant(self, number: Fraction, ndim: int) -> Value:
        return self._made(np.full((1,) * ndim, float(number)), "literal")

    def pi(self, ndim: int) -> Value:
        return self._made(np.full((1,) * ndim, np.pi), "literal")

    def zeros(self, shape: tuple[int, ...]) -> Value:
        return self._made(np.zeros(shape), "blank")

    def own(self, name: str) -> Formula | None:
        return lambda *arguments: self.apply(name, *arguments)

    def divide(self, a: Value, b: Value) -> Value:
        return a / b

    def real(self, a: Value) -> Array:
        return np.asarray(self.each(lambda c: c.settled().value, a), dtype=float)

    def apply(self, name: str, *arguments: Value) -> Value:
        """One call, or one choice, an entry; of literals alone a literal."""
        values = [self.real(a) for a in arguments]
        kinds = {c.kind for a in arguments for c in a.reshape(-1)}
        result = REAL.apply(name, *values)
        if kinds == {"literal"}:
            return self._made(result, "literal")
        self.tally["choices" if name in CHOICES else "functions"] += int(result.size)
        return self._made(result, "number")

    def where(self, chosen: Array, a: Value, b: Value) -> Value:
        """A choice an entry; a mask, which sets entries to nothing, is none."""
        mask = all(c.kind == "blank" for c in b.reshape(-1))
        found: Array = np.where(chosen, self._numbers(a), self._numbers(b))
        if not mask:
            self.tally["choices"] += found.size
        return found

    def _numbers(self, a: Value) -> Array:
        """The same values, of which none is known before the choice is made."""
        return self.each(lambda c: Counted(c.settled().value, "number", self.tally), a)

    def best(self, value: Value, largest: bool) -> Array:
        """The first extreme place of n entries, by n - 1 choices."""
        self.tally["choices"] += value.size - value.size // value.shape[-1]
        return super().best(value, largest)

    def put(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        a[places] = a[places] + np.asarray(b)

    def scatter(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        """An addition for each entry that is scattered, the first ones too."""
        self.real(b)
        self.tally["additions"] += np.asarray(b).size
        found = self.each(lambda c: c.value, a).astype(float)
        np.add.at(found, places, self.real(b))
        a[...] = self._made(found, "number")


class _Watch(Run):
    """An evaluation that notes how the tally grows at each equation."""

    def __init__(self, system: System, numbers: Counting, batch: int) -> None:
        super().__init__(system, numbers, batch)
        self.counts: dict[str, Counter[str]] = {}

    def equation(self, equation: Equation, fixed: Mapping[Name, int]) -> None:
        assert isinstance(self.numbers, Counting)
        tally = self.numbers.tally
        before = Counter(tally)
        super().equation(equation, fixed)
        for entry in self.store[equation.tensor].reshape(-1):
            entry.settled()
            entry.kind = "number" if entry.kind != "blank" else "blank"
        found = self.counts.setdefault(equation.tensor, Counter())
        found.update(Counter(tally) - before)


def count(
    system: System, values: Mapping[str, Any], batch: int
) -> dict[str, Counter[str]]:
    """What is done for each equation of a system, at one choice of values.

    Args:
        system: its equations, in any order.
        values: an array for each tensor that no equation defines and that is read.
        batch: the length of the batch.
    """
    numbers = Counting()
    run = _Watch(system, numbers, batch)
    defined = {equation.tensor for equation in system.equations}
    for name in values:
        if name not in defined:
            run.give(name, numbers.array(values[name]))
    with np.errstate(all="ignore"):
        for item in schedule(system):
            run.item(item, {})
    return run.counts
