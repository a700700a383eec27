"""Which of two numbers is larger, where 50 digits do not tell: by more and more digits.

tanh(70) and 1: 1 - 3e-61        a difference that more digits confirm
1 - tanh(x)**2 and tanh'(x)      one that shrinks with every digit: rounding
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpmath import mpf

from symbackprop.witnesses.numbers import Array, Numbers, Precise

FINER = tuple(map(Precise, (100, 400, 1200)))
NEAR = 1e-30  # a difference below it, relative to the sides, may be rounding
LOST, CLEAR = 10, 200  # digits that rounding may cost, and that it never costs
ALIKE = 1e-6  # a difference is confirmed by one that differs from it by less

Sides = Callable[[Numbers], tuple[Array, Array]]


def order(left: Array, right: Array) -> Array:
    """-1 where the left side is less, 1 where it is more, else 0."""
    with np.errstate(invalid="ignore"):
        less, more = (
            np.asarray(found, dtype=bool) for found in (left < right, left > right)
        )
    return np.asarray(more.astype(int) - less)


def near(left: Array, right: Array) -> Array:
    """Whether a difference may be rounding of 50 digits."""
    with np.errstate(invalid="ignore"):
        size = np.abs(left) + np.abs(right)
        off = np.abs(left - right) <= NEAR * np.maximum(size, 1)
    return np.asarray(off, dtype=bool)


def parted(left: Array, right: Array, numbers: Precise) -> Array:
    """Whether sides differ by more than rounding ever costs."""
    size = np.maximum(np.abs(left) + np.abs(right), 1)
    clear = mpf(10) ** (CLEAR - numbers.digits) * size
    return np.asarray(np.abs(left - right) >= clear, dtype=bool)


def finer_order(
    sides: Sides, unsure: Array, before: Array, patient: bool
) -> tuple[Array, Array]:
    """The order of two sides that are near.

    Args:
        sides: computes both, in the numbers that it gets.
        unsure: where it is asked for.
        before: their difference to 50 digits.
        patient: whether a difference that shrinks is followed to the last digit.

    Returns:
        The order, and where it is known.
    """
    found, opened = np.zeros(unsure.shape, dtype=int), unsure.copy()
    for numbers in FINER:
        left, right = sides(numbers)
        now = left - right
        size = np.maximum(np.abs(left) + np.abs(right), 1)
        seen = np.abs(now) >= mpf(10) ** (LOST - numbers.digits) * size
        alike = (now != 0) & (np.abs(now - before) <= ALIKE * np.abs(now))
        last = numbers is FINER[-1]
        if last:
            alike |= parted(left, right, numbers)
        found = np.where(opened & np.asarray(alike, bool), order(left, right), found)
        # What 50 digits do not tell apart at all, 100 may not either.
        same = np.logical_not(seen) & (last | (before != 0) & (not patient))
        opened &= ~np.asarray(alike | same, dtype=bool)
        before = now
        if not opened.any():
            break
    return found, ~opened
