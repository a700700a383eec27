"""Dual numbers: values with their slopes along several directions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import REAL, Array, Formula, Numbers


@dataclass(frozen=True)
class Dual:
    """`value + epsilon tangent`, epsilon^2 = 0.

    Attributes:
        still: that it is a datum, whose tangent is 0 and takes no arithmetic.

    Shapes:
        value: any. tangent: the same and one more axis, the directions (or 1).
    """

    value: Array
    tangent: Array
    still: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return self.value.ndim


Rule = Callable[[Numbers, Value, Value], Value]  # (numbers, argument, value) -> slope


def _number(numbers: Numbers, like: Value, number: int) -> Value:
    return numbers.constant(Fraction(number), numbers.ndim(like))


def _reciprocal(numbers: Numbers, x: Value) -> Value:
    return numbers.divide(_number(numbers, x, 1), x)


def _bell(sign: int) -> Rule:
    """The slope of erf and erfc: `2 exp(-x^2) / sqrt(pi)`, and its negative."""

    def slope(n: Numbers, x: Value, v: Value) -> Value:
        square = n.multiply(_number(n, x, -1), n.multiply(x, x))
        top = n.multiply(_number(n, x, 2 * sign), n.apply("exp", square))
        return n.divide(top, n.apply("sqrt", n.pi(n.ndim(x))))

    return slope


RULES: Mapping[str, Rule] = {
    "exp": lambda n, x, v: v,
    "log": lambda n, x, v: _reciprocal(n, x),
    "sqrt": lambda n, x, v: _reciprocal(n, n.add(v, v)),
    "sin": lambda n, x, v: n.apply("cos", x),
    "cos": lambda n, x, v: n.multiply(_number(n, x, -1), n.apply("sin", x)),
    "tanh": lambda n, x, v: n.add(
        _number(n, x, 1), n.multiply(_number(n, x, -1), n.multiply(v, v))
    ),
    "erf": _bell(1),
    "erfc": _bell(-1),
    "log1p": lambda n, x, v: _reciprocal(n, n.add(_number(n, x, 1), x)),
    "expm1": lambda n, x, v: n.apply("exp", x),
}


class DualNumbers(Numbers):
    """Dual numbers over any number system; `directions` tangents travel together.

    The sum, product, quotient and elementary rules stand here; every other function
    is differentiated through its definition, and a choice by what it chooses.
    """

    def __init__(self, inner: Numbers = REAL, directions: int = 1) -> None:
        self.inner = inner
        self.dtype = inner.dtype
        self.width = 1 + directions
        self.directions = directions
        self.contracts = inner.contracts

    def array(self, values: Any) -> Value:
        if isinstance(values, Dual):
            return values
        value = self.inner.array(values)
        return Dual(value, self.inner.zeros((*value.shape, 1)), still=True)

    def dual(self, values: Any, tangent: Any) -> Dual:
        """Plain arrays as a dual number."""
        return Dual(self.inner.array(values), self.inner.array(tangent))

    def own(self, name: str) -> Formula | None:
        replaced = self.inner.formula(name)
        if replaced is not None:
            return partial(replaced, self)
        if name == "power":
            return self._power
        if name in RULES:
            return partial(self._elementary, name)
        return None

    def _elementary(self, name: str, a: Dual) -> Dual:
        value = self.inner.apply(name, a.value)
        return Dual(value, self._scale(RULES[name](self.inner, a.value, value), a))

    def _power(self, a: Dual, e: Dual) -> Dual:
        """d a^e = e a^(e-1) da + a^e log(a) de; the second only where e moves."""
        inner = self.inner
        value = inner.apply("power", a.value, e.value)
        less = inner.add(e.value, _number(inner, e.value, -1))
        slope = inner.multiply(e.value, inner.apply("power", a.value, less))
        tangent = self._scale(slope, a)
        if np.any(e.tangent != 0):
            slope = inner.multiply(value, inner.apply("log", a.value))
            moved = self._scale(slope, e)
            moves = np.broadcast_to(e.tangent != 0, moved.shape)
            zero = inner.zeros((1,) * moved.ndim)
            tangent = inner.add(tangent, inner.where(moves, moved, zero))
        return Dual(value, tangent)

    def _scale(self, slope: Value, a: Dual) -> Value:
        """slope * tangent; a tangent of 0 stays 0 whatever the slope."""
        product = self.inner.multiply(slope[..., None], a.tangent)
        still = np.asarray(a.tangent == 0, dtype=bool)
        zero = self.inner.zeros((1,) * product.ndim)
        return self.inner.where(still, zero, product)

    def pi(self, ndim: int) -> Value:
        return self.array(self.inner.pi(ndim))

    def zeros(self, shape: tuple[int, ...]) -> Value:
        inner = self.inner
        return Dual(inner.zeros(shape), inner.zeros((*shape, self.directions)))

    def ndim(self, a: Value) -> int:
        return int(a.value.ndim)

    def add(self, a: Value, b: Value) -> Value:
        return Dual(a.value + b.value, a.tangent + b.tangent)

    def multiply(self, a: Value, b: Value) -> Value:
        """d ab = b da + a db; nothing is done for a factor that is still."""
        value = a.value * b.value
        if a.still and b.still:
            return self.array(value)
        if b.still:
            return Dual(value, b.value[..., None] * a.tangent)
        right = a.value[..., None] * b.tangent
        if a.still:
            return Dual(value, right)
        return Dual(value, b.value[..., None] * a.tangent + right)

    def divide(self, a: Value, b: Value) -> Value:
        value = self.inner.divide(a.value, b.value)
        upper = a.tangent - value[..., None] * b.tangent
        return Dual(value, self.inner.divide(upper, b.value[..., None]))

    def where(self, chosen: Array, a: Value, b: Value) -> Value:
        value = self.inner.where(chosen, a.value, b.value)
        return Dual(value, self.inner.where(chosen[..., None], a.tangent, b.tangent))

    def real(self, a: Value) -> Array:
        return self.inner.real(a.value)

    def take(self, a: Value, places: tuple[Any, ...]) -> Value:
        return Dual(a.value[places], a.tangent[places], a.still)

    def put(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        a.value[places] += b.value
        a.tangent[places] += b.tangent

    def scatter(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        self.inner.scatter(a.value, places, b.value)
        self.inner.scatter(a.tangent, places, b.tangent)

    def sum(self, a: Value, axes: tuple[int, ...]) -> Value:
        return Dual(self.inner.sum(a.value, axes), self.inner.sum(a.tangent, axes))

    def contract(
        self, operands: Sequence[tuple[Value, list[int]]], kept: list[int]
    ) -> Value:
        """The product rule: one contraction for each operand that moves."""
        plain = [(a.value, labels) for a, labels in operands]
        value = self.inner.contract(plain, kept)
        tangent = self.inner.zeros((*value.shape, 1))
        along = 1 + max((d for _, labels in operands for d in labels), default=0)
        for place, (a, labels) in enumerate(operands):
            if np.any(a.tangent != 0):
                turned = plain.copy()
                turned[place] = (a.tangent, [*labels, along])
                tangent = tangent + self.inner.contract(turned, [*kept, along])
        return Dual(value, tangent)

    def reshape(self, a: Value, shape: tuple[int, ...]) -> Value:
        value = a.value.reshape(shape)
        tangent = a.tangent.reshape((*value.shape, a.tangent.shape[-1]))
        return Dual(value, tangent, a.still)

    def broadcast(self, a: Value, shape: tuple[int, ...]) -> Value:
        tangent = np.broadcast_to(a.tangent, (*shape, a.tangent.shape[-1]))
        return Dual(np.broadcast_to(a.value, shape), tangent, a.still)
