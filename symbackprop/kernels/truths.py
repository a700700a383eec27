"""The functions that accuracy is measured of, and their truths by other libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from scipy import special

from symbackprop.kernels.arrays import Array

TAIL = 1e4  # beyond it an exponential is 0 or infinite in every precision


@dataclass(frozen=True)
class Subject:
    """A function whose emitted code is held against a truth.

    Attributes:
        name: what it is called here.
        text: in `x`, as a program says it.
        double: the truth for float32, by NumPy and SciPy in float64.
        precise: the truth for float64, by mpmath.
        slope: whether the text's derived slope is judged, not the text itself.
        whole_below: where the argument is less, an error counts in units of 1: in far
            tails, and for what passes through a zero elsewhere than at 0.
    """

    name: str
    text: str
    double: Callable[[Array], Any]
    precise: Callable[[Any], Any]
    slope: bool = False
    whole_below: float = -np.inf


def _saturated(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function, told nothing but the sign of what is far off."""
    return lambda x: function(max(min(x, mpmath.mpf(TAIL)), mpmath.mpf(-TAIL)))


def _erfc(x: Any) -> Any:
    return 1 - mpmath.erf(x) if x < 1 else mpmath.erfc(min(x, mpmath.mpf(100)))


def _logistic(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def _bell(x: Any) -> Any:
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def _distribution(x: Any) -> Any:
    return _erfc(-x / mpmath.sqrt(2)) / 2


def _real(function: Callable[[Any], Any], least: float) -> Callable[[Any], Any]:
    """Logarithms: -inf at their pole, NaN before it."""

    def value(x: Any) -> Any:
        if x <= least:
            return mpmath.mpf("-inf") if x == least else mpmath.nan
        return function(x)

    return value


def _subjects() -> list[Subject]:
    exp, one = mpmath.exp, mpmath.mpf(1)
    return [
        Subject("exp", "exp(x)", np.exp, _saturated(exp)),
        Subject("expm1", "expm1(x)", np.expm1, _saturated(mpmath.expm1)),
        Subject("log", "log(x)", np.log, _real(mpmath.log, 0.0)),
        Subject("log1p", "log1p(x)", np.log1p, _real(mpmath.log1p, -1.0)),
        Subject("tanh", "tanh(x)", np.tanh, _saturated(mpmath.tanh)),
        Subject("erf", "erf(x)", special.erf, _saturated(mpmath.erf)),
        Subject("erfc", "erfc(x)", special.erfc, _saturated(_erfc)),
        Subject("logistic", "logistic(x)", special.expit, _saturated(_logistic)),
        Subject(
            "softplus",
            "softplus(x)",
            lambda x: np.logaddexp(0.0, x),
            lambda x: x if x > TAIL else mpmath.log1p(exp(max(x, -mpmath.mpf(TAIL)))),
        ),
        Subject(
            "elu",
            "elu(x)",
            lambda x: np.where(x > 0, x, np.expm1(np.where(x > 0, 0.0, x))),
            lambda x: x if x > 0 else _saturated(mpmath.expm1)(x),
        ),
        Subject(
            "swish",
            "swish(x)",
            lambda x: x * special.expit(x),
            lambda x: x * _saturated(_logistic)(x),
            whole_below=-20.0,
        ),
        Subject(
            "gelu",
            "gelu(x)",
            lambda x: x * special.ndtr(x),
            lambda x: x * _saturated(_distribution)(x),
            whole_below=-1.0,
        ),
        # The slopes in forms that keep their tails.
        Subject(
            "logistic_slope",
            "logistic(-abs(x)) * (1 - logistic(-abs(x)))",
            lambda x: special.expit(x) * special.expit(-x),
            _saturated(lambda x: _logistic(x) * _logistic(-x)),
        ),
        Subject(
            "tanh_slope",
            "4 * logistic(-2*abs(x)) * (1 - logistic(-2*abs(x)))",
            lambda x: 4 * special.expit(2 * x) * special.expit(-2 * x),
            _saturated(lambda x: mpmath.sech(x) ** 2),
        ),
        Subject(
            "softplus_slope", "softplus(x)", special.expit, _saturated(_logistic), True
        ),
        Subject(
            "elu_slope",
            "elu(x)",
            lambda x: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0))),
            lambda x: one if x > 0 else _saturated(exp)(x),
            True,
        ),
        # Slopes through saved values, exact to the unit of 1 where those saturate.
        Subject(
            "logistic_slope_saved",
            "logistic(x)",
            lambda x: special.expit(x) * special.expit(-x),
            _saturated(lambda x: _logistic(x) * _logistic(-x)),
            True,
            np.inf,
        ),
        Subject(
            "tanh_slope_saved",
            "tanh(x)",
            lambda x: 4 * special.expit(2 * x) * special.expit(-2 * x),
            _saturated(lambda x: mpmath.sech(x) ** 2),
            True,
            np.inf,
        ),
        # A slope that passes through zero.
        Subject(
            "gelu_slope",
            "gelu(x)",
            lambda x: special.ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
            _saturated(lambda x: _distribution(x) + x * _bell(x)),
            True,
            np.inf,
        ),
    ]


SUBJECTS: Mapping[str, Subject] = {subject.name: subject for subject in _subjects()}
