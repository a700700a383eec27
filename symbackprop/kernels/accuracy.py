"""How far computed functions are from the truth, in units of the last place.

Every float32 number is tried against NumPy's and SciPy's float64 functions; float64
numbers are drawn densely, and beside boundaries, and held against mpmath. The truth
is never computed by what is judged.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, product
from typing import Any

import llvmlite
import mpmath
import numba
import numpy as np
import scipy
from numba import njit

from symbackprop.errors import InputError, nearest
from symbackprop.kernels.arrays import Array
from symbackprop.kernels.compiling import compile
from symbackprop.kernels.truths import SUBJECTS, Subject
from symbackprop.program import Program

Function = Callable[[Array], Array]


LIMIT = 4.0  # units in the last place that a result may be off
CHUNK = 1 << 20
EVERY = 1 << 32  # so many float32 numbers there are
BITS = {"float32": (24, -126), "float64": (53, -1022)}
DIGITS = 45
_THREADS = os.cpu_count() or 1
ENDS = (-np.inf, np.inf)
AXIS = 4096  # of the vector whose elements' slopes are taken at once


@dataclass(frozen=True)
class Found:
    """The worst that was found of one function.

    Attributes:
        name: the function.
        dtype: its precision.
        count: how many arguments were tried.
        ulps: the greatest error in units of the last place; infinite where a NaN or
            the sign of a zero or of an infinity is wrong.
        argument: where.
        value: what was computed there.
        truth: what is true there, to float64.
    """

    name: str
    dtype: str
    count: int
    ulps: float
    argument: float
    value: float
    truth: float

    @property
    def holds(self) -> bool:
        return self.ulps <= LIMIT


@partial(njit, nogil=True)
def power_of_two(exponent: Any) -> Any:
    return np.int64((exponent + 1023) << 52).view(np.float64)


@partial(njit, nogil=True)
def exponent_of(number: Any) -> Any:
    return ((np.float64(number).view(np.int64) >> 52) & 2047) - 1023


@partial(njit, nogil=True)
def worst(
    found: Array, high: Array, low: Array, unit: Array, bits: int, least: int
) -> tuple[float, int]:
    """The greatest `|found - (high + low)| / ulp`, and its place.

    The last place is that of the truth, or of `unit` where that is greater.

    Args:
        found: computed values, as float64.
        high: true values, rounded to float64.
        low: what that rounding left.
        unit: the least number whose last place counts.
        bits: of the significand, 24 or 53.
        least: the exponent of the smallest normal number, -126 or -1022.
    """
    most, place = -1.0, 0
    top = power_of_two(-least)  # a quarter of the power of two that is no number
    for k in range(found.size):
        value, truth, rest = found[k], high[k], low[k]
        if value != value or truth != truth:
            error = 0.0 if value != value and truth != truth else np.inf
        elif np.copysign(1.0, value) != np.copysign(1.0, truth) and (
            np.isinf(value) or (value == 0.0 and unit[k] == 0.0)
        ):
            error = np.inf
        elif abs(value) > 2.0 * top or abs(truth) > 2.0 * top:
            # Near overflow; infinity stands for the power of two that is no number.
            value, truth = value / 4.0, truth / 4.0
            value = np.copysign(min(abs(value), top), value)
            truth = np.copysign(min(abs(truth), top), truth)
            error = abs(value - truth - rest / 4.0) / power_of_two(-least - bits)
        else:
            size = max(abs(truth), unit[k])
            exponent = max(exponent_of(size), least) - bits + 1
            half = exponent // 2
            error = abs((value - truth) - rest) * power_of_two(-half)
            error *= power_of_two(half - exponent)
        if error > most:
            most, place = error, k
    return most, place


def accuracy(
    names: Iterable[str] = (),
    dtypes: Iterable[str] = ("float32", "float64"),
    samples: int | None = 20_000,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[Found]:
    """The worst error of every function, as the emitted code computes it.

    Args:
        names: of `SUBJECTS`; all of them if none is named.
        dtypes: "float32", "float64" or both.
        samples: how many arguments are drawn, beside those at boundaries; None for
            all that float32 has.
        say: told what is being done.

    Raises:
        InputError: a name that no function has, or all numbers of float64.
    """
    wanted = tuple(names) or tuple(SUBJECTS)
    for name in wanted:
        if name not in SUBJECTS:
            raise InputError(
                f"function: no truth is known for `{name[:60]}`; expected one of "
                f"{', '.join(SUBJECTS)}.{nearest(name, SUBJECTS)}"
            )
    for name, dtype in product(wanted, dtypes):
        if samples is None and dtype == "float64":
            raise InputError(
                "float64 has too many numbers to try them all; expected a number of "
                "samples. Leave out --all, or ask for --dtype float32."
            )
        with tempfile.TemporaryDirectory() as folder:
            say(f"{name} {dtype}: compiling")
            function = emitted(SUBJECTS[name], dtype, folder)
            chunks = every_float32() if samples is None else drawn(dtype, samples)
            yield measure(
                SUBJECTS[name],
                dtype,
                function,
                chunks,
                lambda done, name=name, dtype=dtype: say(  # type: ignore[misc]
                    f"{name} {dtype}: {done:,} arguments"
                    + (f", {done / EVERY:.0%}" if samples is None else "")
                ),
            )


def measure(
    subject: Subject,
    dtype: str,
    function: Function,
    chunks: Iterable[Array],
    say: Callable[[int], None] = lambda done: None,
) -> Found:
    """The greatest error of a function over chunks of arguments."""
    bits, least = BITS[dtype]
    found = Found(subject.name, dtype, 0, -1.0, 0.0, 0.0, 0.0)

    def judge(x: Array) -> tuple[Array, Array, Array, float, int]:
        with np.errstate(all="ignore"):
            high, low = _truth(subject, dtype, x)
            y = function(x)
        unit = np.where(x < subject.whole_below, 1.0, 0.0)
        error, place = worst(y.astype(np.float64), high, low, unit, bits, least)
        return x, y, high, error, place

    with ThreadPoolExecutor(_THREADS) as pool:
        for x, y, high, error, place in _in_turn(pool, judge, chunks):
            count = found.count + x.size
            if error > found.ulps:
                at = (float(values[place]) for values in (x, y, high))
                found = Found(subject.name, dtype, count, error, *at)
            else:
                found = replace(found, count=count)
            say(count)
    return found


def _in_turn(
    pool: ThreadPoolExecutor, judge: Callable[[Array], Any], chunks: Iterable[Array]
) -> Iterator[Any]:
    """The judgements in order, a few of them ahead: all arguments need not fit."""
    waiting = iter(chunks)
    ahead = deque(pool.submit(judge, x) for x in islice(waiting, 2 * _THREADS))
    while ahead:
        yield ahead.popleft().result()
        ahead.extend(pool.submit(judge, x) for x in islice(waiting, 1))


def _truth(subject: Subject, dtype: str, x: Array) -> tuple[Array, Array]:
    """True values as a sum of two float64 numbers."""
    double = np.asarray(subject.double(x.astype(np.float64)), np.float64)
    low = np.zeros_like(double)
    if dtype == "float32":
        return double, low
    with mpmath.workdps(DIGITS):
        for k in np.flatnonzero(np.isfinite(x) & (x != 0.0)):
            exact = subject.precise(mpmath.mpf(float(x[k])))
            double[k] = float(exact)
            if np.isfinite(double[k]):
                low[k] = float(exact - mpmath.mpf(double[k]))
    return double, low


# --- arguments -----------------------------------------------------------------------


def every_float32() -> Iterator[Array]:
    """All numbers of float32, by their bits."""
    for start in range(0, EVERY, CHUNK):
        bits = np.arange(start, start + CHUNK, dtype=np.int64).astype(np.uint32)
        yield bits.view(np.float32)


def drawn(dtype: str, count: int, seed: int = 0) -> Iterator[Array]:
    """Random numbers of all sizes, most where functions bend, and boundaries."""
    rng = np.random.default_rng(seed)
    share = max(1, count // 4)
    whole = np.dtype(dtype.replace("float", "int"))
    info = np.iinfo(whole)
    spread = [
        rng.integers(info.min, info.max, share, whole, endpoint=True).view(dtype),
        rng.normal(size=share) * 3,
        rng.uniform(-750, 750, share),
        np.exp(rng.uniform(-40, 5, share)) * rng.choice([-1, 1], share),
        boundaries(dtype),
    ]
    yield np.concatenate([part.astype(dtype) for part in spread])


def boundaries(dtype: str) -> Array:
    """Where a function may change its formula or overflow; their neighbours too."""
    info = np.finfo(dtype)
    halves = np.arange(1, 2200) * 0.5 * np.log(2.0)  # where an exponent changes
    powers = 2.0 ** np.arange(info.minexp - info.nmant, info.maxexp)
    roots = np.sqrt(0.5) * powers[np.abs(np.log2(powers)) < 60]
    ends = [float(info.max), float(info.tiny), 0.0, np.inf, 0.75, 1.0, 2.0, 5.0]
    ends += [88.72284, 103.97208, 709.782712893384, 745.1332191019411, 9.0, 19.0]
    middle = np.concatenate([halves, powers, roots, ends]).astype(dtype)
    middle = np.concatenate([middle, -middle])
    with np.errstate(over="ignore", under="ignore"):
        below, above = (np.nextafter(middle, info.dtype.type(e)) for e in ENDS)
    return np.concatenate([middle, below, above, np.array([np.nan], dtype)])


# --- what is judged ------------------------------------------------------------------


def emitted(subject: Subject, dtype: str, directory: str) -> Function:
    """The function as the kernels of a one-line program compute it."""
    if subject.slope:
        return _slope_of(subject, dtype, directory)
    program = Program(
        f"a = {subject.text}\nL = w * a",
        axes={},
        parameters={"w": ""},
        data={"x": ""},
        batched=("x",),
        objective="L",
        name=subject.name,
    )
    kernels = compile(program, dtype, directory)
    theta = np.ones(1, dtype)
    return lambda x: kernels.predict(theta, x=x, tensor="a")


def _slope_of(subject: Subject, dtype: str, directory: str) -> Function:
    program = Program(
        f"a[i] = {subject.text.replace('(x)', '(x[i])')}\nL = sum(a[i], i)",
        axes={"i": AXIS},
        parameters={"x": "i"},
        data={},
        objective="L",
        name=subject.name,
    )
    kernels = compile(program, dtype, directory)
    workspace = kernels.workspace(1)

    def slope(x: Array) -> Array:
        rows = -(-x.size // AXIS)
        theta = np.zeros((rows, AXIS), dtype)
        theta.reshape(-1)[: x.size] = x
        gradient = np.empty_like(theta)
        for at, into in zip(theta, gradient, strict=True):
            kernels.backward(at, into, workspace.copy())
        return gradient.reshape(-1)[: x.size]

    return slope


def versions() -> dict[str, str]:
    """What a measurement depends on: the processor and the libraries."""
    found = {
        "processor": llvmlite.binding.get_host_cpu_name(),
        "python": platform.python_version(),
    }
    modules = (llvmlite, mpmath, numba, np, scipy)
    return found | {module.__name__: module.__version__ for module in modules}
