"""What the activations of the table do: their values, their slopes, where they end.

Everything is found from a row's definition, so that an activation which is added to
the table stands in every study without a word here.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import sympy

from symbackprop.derivation import derive
from symbackprop.equations import System
from symbackprop.program import Program
from symbackprop.scalars import ACTIVATIONS, TABLE
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.expressions import calculate
from symbackprop.witnesses.numbers import Array, Formula, Real

FAR = 40.0  # beyond it no slope of the table moves in double precision
FAINT = 0.01  # a slope under this share of the steepest one counts as saturated

Ends = Literal["both sides", "one side", "no side"]


class Stable(Real):
    """Double precision, each function in its row's stable form, as kernels have it.

    By its definition a softplus of 1000 would be infinite.
    """

    def own(self, name: str) -> Formula | None:
        row = TABLE.get(name)
        if name in self._own or row is None or row.stable is None:
            return super().own(name)
        symbols, form = _form(name)

        def apply(*arguments: Array) -> Array:
            values = dict(zip(symbols, arguments, strict=True))
            found: Array = calculate(form, self, values.__getitem__, arguments[0].ndim)
            return found

        return apply


STABLE = Stable()


@cache
def _form(name: str) -> tuple[list[sympy.Dummy], sympy.Expr]:
    row = TABLE[name]
    assert row.stable is not None
    symbols = [sympy.Dummy() for _ in range(row.arity)]
    return symbols, row.stable(*symbols)


def one_argument() -> tuple[str, ...]:
    """The activations that can be called with one argument, in the table's order.

    >>> "logistic" in one_argument(), "prelu" in one_argument()
    (True, False)
    """
    rows = [TABLE[name] for name in ACTIVATIONS]
    return tuple(row.name for row in rows if row.arity - len(row.defaults) == 1)


def curve(name: str, x: Array) -> tuple[Array, Array]:
    """`f(x), f'(x)` of an activation by its name.

    >>> [float(part[0]) for part in curve("logistic", np.zeros(1))]
    [0.5, 0.25]
    """
    return curve_of(f"{name}(z)", x)


def curve_of(text: str, x: Array) -> tuple[Array, Array]:
    """A function of `z` and its slope, entry by entry, as they were derived.

    Args:
        text: in the grammar of the equations, as in "2*logistic(2*z) - 1".
        x: where.

    Shapes:
        Both have the shape of `x`.
    """
    found = evaluate(_alone(text), {"x": np.ravel(x), "b": np.zeros(())}, STABLE)
    height, slope = found["a"], found["delta_z"]
    return height.reshape(np.shape(x)), slope.reshape(np.shape(x))


@cache
def steepest(name: str) -> float:
    """`max |f'(x)|` over -40 .. 40, found on a grid and on a finer one around its best.

    >>> steepest("logistic")
    0.25
    """
    wide = np.linspace(-FAR, FAR, 16001)
    best = wide[np.argmax(_steepness(name, wide))]
    step = wide[1] - wide[0]
    close = np.linspace(best - step, best + step, 2001)
    return float(max(_steepness(name, wide).max(), _steepness(name, close).max()))


def saturates(name: str) -> Ends:
    """On how many sides the slope ends under 1% of the steepest one.

    >>> [saturates(name) for name in ("tanh", "relu", "leaky_relu")]
    ['both sides', 'one side', 'no side']
    """
    ends = saturated(name, np.array([-FAR, FAR]))
    sides: tuple[Ends, ...] = ("no side", "one side", "both sides")
    return sides[int(ends.sum())]


def saturated(name: str, z: Array) -> Array:
    """Where `|f'(z)| < 0.01 max |f'|`."""
    return np.asarray(_steepness(name, z) < FAINT * steepest(name))


def _steepness(name: str, x: Array) -> Array:
    return np.asarray(np.abs(curve(name, x)[1]))


@cache
def _alone(text: str) -> System:
    """One function of one number `z`, whose slope is the error term of `z`."""
    program = Program(
        equations=f"z = x + b\na = {text}",
        axes={},
        parameters={"b": ""},
        data={"x": ""},
        batched=("x",),
        objective="a",
        name="curve",
    )
    return derive(program).system
