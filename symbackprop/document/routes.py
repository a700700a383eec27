"""Ways of arrows round the boxes of a picture."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

# Degrees by which an arrow may leave the straight line; negative ones to the right.
ANGLES = (0, 25, -25, 35, -35, 50, -50, 65, -65)
HALF_WIDE, HALF_HIGH = 0.75, 0.5  # cm of a box, with a little room around it
LOOSE = 0.3915  # how far TikZ puts a curve's control points, as a share of its length
POINTS = 40


def clear(places: Sequence[tuple[float, float]], start: int, end: int) -> int:
    """The smallest bend, in degrees, whose curve meets the fewest other boxes.

    >>> clear([(0.0, 0.0), (3.0, 0.0), (6.0, 0.0)], 0, 1)
    0
    >>> clear([(0.0, 0.0), (3.0, 0.0), (6.0, 0.0)], 0, 2)
    25
    """
    others = [p for n, p in enumerate(places) if n not in (start, end)]
    here, there = complex(*places[start]), complex(*places[end])
    return min(ANGLES, key=lambda angle: _met(_curve(here, there, angle), others))


def _met(curve: Sequence[complex], boxes: Sequence[tuple[float, float]]) -> int:
    """How many boxes a curve passes through."""
    return sum(
        any(abs(p.real - x) < HALF_WIDE and abs(p.imag - y) < HALF_HIGH for p in curve)
        for x, y in boxes
    )


def _curve(here: complex, there: complex, angle: int) -> list[complex]:
    """Points along TikZ's `bend left`: it leaves and arrives at that angle."""
    way = there - here
    turn = cmath.exp(1j * math.radians(angle))
    first = here + LOOSE * way * turn
    last = there - LOOSE * way * turn.conjugate()
    return [
        (1 - t) ** 3 * here
        + 3 * (1 - t) ** 2 * t * first
        + 3 * (1 - t) * t**2 * last
        + t**3 * there
        for t in (n / POINTS for n in range(1, POINTS))
    ]
