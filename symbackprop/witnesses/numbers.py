"""Number systems in which a witness evaluates: reals, complex and 50-digit numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.witnesses.expressions import Value, from_definition

Array = NDArray[Any]
Formula = Callable[..., Value]
Comparison = np.ufunc  # less, less_equal or equal


class Numbers:
    """Arithmetic on arrays of one kind of number.

    Attributes:
        dtype: of the arrays.
        width: how many plain numbers one number holds.
        contracts: whether `contract` can sum products of it.
    """

    dtype: Any = object
    width: int = 1
    contracts: bool = False

    def array(self, values: Any) -> Value:
        """Plain numbers (or numbers of this system) as an array of this system."""
        raise NotImplementedError

    def own(self, name: str) -> Formula | None:
        """This system's own implementation of a function; None: by its definition."""
        raise NotImplementedError

    def formula(self, name: str) -> Callable[..., Value] | None:
        """A formula `f(numbers, *arguments)` that replaces a function, if any."""
        return None

    def apply(self, name: str, *arguments: Value) -> Value:
        """The function of the table called `name`."""
        own = self.own(name)
        if own is not None:
            return own(*arguments)
        return from_definition(name, self, arguments)

    def constant(self, number: Fraction, ndim: int) -> Value:
        """One number, with `ndim` dimensions of size 1."""
        filled = np.empty((1,) * ndim, dtype=object)
        filled[...] = number
        return self.array(filled)

    def pi(self, ndim: int) -> Value:
        return self.array(np.full((1,) * ndim, np.pi))

    def zeros(self, shape: tuple[int, ...]) -> Value:
        return np.zeros(shape, dtype=self.dtype)

    def ndim(self, a: Value) -> int:
        return int(a.ndim)

    def add(self, a: Value, b: Value) -> Value:
        return a + b

    def multiply(self, a: Value, b: Value) -> Value:
        return a * b

    def divide(self, a: Value, b: Value) -> Value:
        return a / b

    def whole_power(self, a: Value, exponent: int) -> Value:
        """`a**n` by repeated squaring, so that it means the same in every system."""
        result = self.constant(Fraction(1), self.ndim(a))
        factor, rest = a, abs(exponent)
        while rest:
            if rest & 1:
                result = self.multiply(result, factor)
            rest >>= 1
            if rest:
                factor = self.multiply(factor, factor)
        if exponent < 0:
            return self.divide(self.constant(Fraction(1), self.ndim(a)), result)
        return result

    def where(self, chosen: Array, a: Value, b: Value) -> Value:
        return np.where(chosen, a, b)

    def real(self, a: Value) -> Array:
        """What comparisons look at."""
        plain: Array = a
        return plain

    def compare(self, how: Comparison, a: Value, b: Value) -> Array:
        """Where a condition holds; every choice by value is made here or by `best`."""
        return np.asarray(how(self.real(a), self.real(b)), dtype=bool)

    def best(self, value: Value, largest: bool) -> Array:
        """The first place of the extreme entry along the last dimension."""
        find = np.argmax if largest else np.argmin
        return np.asarray(find(self.real(value), axis=-1))

    def whole(self, a: Value) -> NDArray[np.int64]:
        """Whole numbers held as numbers of this system, as integers."""
        return np.rint(self.real(a).astype(np.float64)).astype(np.int64)

    def take(self, a: Value, places: tuple[Any, ...]) -> Value:
        """The entries at integer arrays or slices, one for each dimension."""
        return a[places]

    def put(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        """Add `b` to the entries at slices, one for each dimension."""
        a[places] += b

    def scatter(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        """Add `b` to the entries at integer arrays; a place may come repeatedly."""
        np.add.at(a, places, b)

    def sum(self, a: Value, axes: tuple[int, ...]) -> Value:
        """The sum over dimensions, which stay with size 1."""
        return np.add.reduce(a, axis=axes, keepdims=True) if axes else a

    def contract(
        self, operands: Sequence[tuple[Value, list[int]]], kept: list[int]
    ) -> Value:
        """The sum of products over all labels but the kept ones, as `numpy.einsum`."""
        flat = [part for operand in operands for part in operand]
        return np.asarray(np.einsum(*flat, kept))

    def reshape(self, a: Value, shape: tuple[int, ...]) -> Value:
        return a.reshape(shape)

    def broadcast(self, a: Value, shape: tuple[int, ...]) -> Value:
        return np.broadcast_to(a, shape)


def _erf(a: Array) -> Array:
    from scipy import special  # slow to import, and seldom needed

    found: Array = special.erf(a)
    return found


def _erfc(a: Array) -> Array:
    from scipy import special

    found: Array = special.erfc(a)
    return found


class Real(Numbers):
    """IEEE double precision."""

    dtype: Any = np.float64
    contracts = True
    _own: Mapping[str, Formula] = {
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "sin": np.sin,
        "cos": np.cos,
        "tanh": np.tanh,
        "erf": _erf,
        "erfc": _erfc,
        "log1p": np.log1p,
        "expm1": np.expm1,
        "sign": np.sign,
        "abs": np.abs,
        "power": np.power,
    }

    def array(self, values: Any) -> Value:
        return np.asarray(values).astype(self.dtype)

    def own(self, name: str) -> Formula | None:
        return self._own.get(name)


def _domain(a: Array, result: Array, at_zero: complex) -> Array:
    """Leave the reals nowhere: what a real function does not have is not a number."""
    bad = (a.real < 0) | ((a.real == 0) & (a.imag != 0))
    zero = (a.real == 0) & (a.imag == 0)
    return np.where(bad, complex(np.nan, np.nan), np.where(zero, at_zero, result))


def _log(a: Array) -> Array:
    return _domain(a, np.log(a), complex(-np.inf, 0))


def _sqrt(a: Array) -> Array:
    return _domain(a, np.sqrt(a), 0)


def _log1p(a: Array) -> Array:
    return _domain(1 + a, np.log1p(a), complex(-np.inf, 0))


def _power(a: Array, e: Array) -> Array:
    """`a**e`; a negative base has a value at whole real exponents alone."""
    a, e = np.broadcast_arrays(a, e)
    whole = (e.imag == 0) & (e.real == np.rint(e.real))
    flip = whole & (a.real < 0)
    sign = np.where(flip & (np.mod(e.real, 2) == 1), -1.0, 1.0)
    base = np.where(flip, -a, a)
    general = sign * np.exp(e * _log(base))
    general = np.where(e == 0.5, _sqrt(a), general)
    at_zero = np.where(e.real > 0, 0.0, np.where(e == 0, 1.0, np.inf))
    # Beyond exponent 1 the slope at 0 is 0: a step off the reals is harmless there.
    still = (a.real == 0) & ((a.imag == 0) | (e.real > 1))
    general = np.where(e == 1, a, general)
    powers: Array = np.where(still & (e != 1), at_zero, general)
    return powers


def _near_reals(function: Any, slope: float) -> Formula:
    """erf and erfc: by Taylor's formula where the imaginary part is a mere step."""

    def apply(a: Array) -> Array:
        x, y = a.real, a.imag
        tiny = np.abs(y) < 1e-20
        line = function(x) + 1j * (slope * np.exp(-x * x) * y)
        curve: Array = np.where(tiny, line, function(np.where(tiny, 0, a)))
        return curve

    return apply


class Complex(Real):
    """Complex numbers; comparisons look at real parts, and no root leaves the reals."""

    dtype: Any = np.complex128
    _own: Mapping[str, Formula] = {
        "exp": np.exp,
        "log": _log,
        "sqrt": _sqrt,
        "sin": np.sin,
        "cos": np.cos,
        "tanh": np.tanh,
        "erf": _near_reals(_erf, 2 / np.sqrt(np.pi)),
        "erfc": _near_reals(_erfc, -2 / np.sqrt(np.pi)),
        "log1p": _log1p,
        "expm1": np.expm1,
        "sign": lambda a: np.sign(a.real).astype(np.complex128),
        "abs": lambda a: a * np.sign(a.real),
        "power": _power,
    }

    def real(self, a: Value) -> Array:
        return np.real(a)


class Objects(Numbers):
    """Arrays of Python numbers; what has no value is `nan` instead of an error."""

    nan: Any = float("nan")

    def convert(self, number: Any) -> Any:
        """One number of this system."""
        raise NotImplementedError

    def array(self, values: Any) -> Value:
        plain = np.asarray(values)
        made = np.empty(plain.shape, dtype=object)
        made.reshape(-1)[:] = [self.convert(v) for v in plain.reshape(-1).tolist()]
        return made

    def zeros(self, shape: tuple[int, ...]) -> Value:
        made = np.empty(shape, dtype=object)
        made[...] = self.convert(0)
        return made

    def divide(self, a: Value, b: Value) -> Value:
        return self.each(lambda p, q: p / q if q != 0 else self.nan, a, b)

    def each(self, function: Callable[..., Any], *arguments: Array) -> Array:
        """A Python function of numbers, entry by entry."""
        return np.asarray(
            np.frompyfunc(function, len(arguments), 1)(*arguments), dtype=object
        )


class Precise(Objects):
    """Real numbers of many digits, by mpmath."""

    def __init__(self, digits: int = 50) -> None:
        self.digits = digits
        self.context = mpmath.MPContext()
        self.context.dps = digits
        self.nan = self.context.nan

    def convert(self, number: Any) -> Any:
        if isinstance(number, Fraction):
            return self.context.mpf(number.numerator) / number.denominator
        return self.context.mpf(number)

    def pi(self, ndim: int) -> Value:
        return self.zeros((1,) * ndim) + self.context.mpf(self.context.pi)

    def own(self, name: str) -> Formula | None:
        if name not in Real._own:
            return None
        names = {"abs": "fabs"}
        function = getattr(self.context, names.get(name, name))

        def one(*arguments: Any) -> Any:
            try:
                result = function(*arguments)
            except (ValueError, ZeroDivisionError, OverflowError):
                return self.nan
            return result if isinstance(result, self.context.mpf) else self.nan

        return lambda *arguments: self.each(one, *arguments)


REAL = Real()
COMPLEX = Complex()
PRECISE = Precise(50)
