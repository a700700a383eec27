"""The values at which claims about functions are tried."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import product

import numpy as np

from symbackprop.claims.judging.values import SEED
from symbackprop.equations import System
from symbackprop.witnesses.numbers import Array

VARIED = 24  # random values of each variable of a scalar claim
SCALES = (Fraction(1), *(Fraction(1, 10**k) for k in (2, 4, 6)))
FAR = (Fraction(20), Fraction(400))
POINTS = 400  # combined simple values of variables
PLAIN = (0, 1, 2)  # which formulas name for other reasons
BESIDE = (
    Fraction(1, 100),
    Fraction(-1, 100),
    *map(Fraction, (0, 1, -1, 7, -7, 30, -30)),
)
NAMED, LARGEST = 6, 1_000  # numbers of a claim that are tried, and how large ones
SIMPLE = (
    *map(Fraction, (0, 1, -1, 2, -2)),
    *(Fraction(p, 2) for p in (1, -1, 3, -3)),
    *map(Fraction, (3, -3, 5, -5, 10, -10)),
    *(Fraction(p, 4) for p in (1, -1, 3, -3)),
)


def grid(
    base: System, far: bool, named: Iterable[Fraction] = ()
) -> tuple[dict[str, Array], int]:
    """Simple values of each variable, all combined, and random ones behind them.

    Of many variables only a part is combined.

    Args:
        far: whether large numbers are among the random ones.
        named: numbers that are tried too, with either sign, and those beside them.
    """
    names = [tensor.name for tensor in base.data]
    count = next(
        n for n in range(len(SIMPLE), 1, -1) if n ** len(names) <= POINTS or n == 2
    )
    rng = np.random.default_rng(SEED)
    if names and count ** len(names) <= POINTS:
        rows = list(product(SIMPLE[:count], repeat=len(names)))
    else:
        rows = [
            tuple(SIMPLE[k] for k in rng.integers(len(SIMPLE), size=len(names)))
            for _ in range(POINTS)
        ]
    for scale in (*SCALES, *(FAR if far else ())):
        tops = rng.integers(-300, 300, (VARIED, len(names)))
        rows += [tuple(Fraction(int(top), 61) * scale for top in row) for row in tops]
    sizes = dict.fromkeys(abs(n) for n in named if n not in PLAIN)
    own = [s * n for n in sizes if n <= LARGEST for s in (1, -1)][: 2 * NAMED]
    pool = [*own, *SIMPLE[:3]]
    for number, place, step in product(own, range(len(names)), BESIDE):
        row = [pool[k] for k in rng.integers(len(pool), size=len(names))]
        rows.append((*row[:place], number + step, *row[place + 1 :]))
    columns = np.empty((len(rows), len(names)), dtype=object)
    columns[:] = rows
    return {name: columns[:, place] for place, name in enumerate(names)}, len(rows)
