"""Conditions under which a claim that fails does hold: `r <= 1`, `t > 0`.

A variable is looked at over all values of the others. Where the claim holds on one side
of a threshold and fails on the other, the threshold is closed in on. A letter is looked
at over all others: the step before the first one is none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from symbackprop.claims.judging.grid import SIMPLE
from symbackprop.claims.judging.judge import Judge, Point
from symbackprop.claims.judging.values import FIFTY
from symbackprop.claims.reading.bench import variables
from symbackprop.claims.reading.text import Parsed
from symbackprop.scalars import TABLE

STEPS = 30  # of the bisection
DENOMINATOR = 12  # of a threshold
CLOSE = Fraction(1, 10**6)


@dataclass(frozen=True)
class _Range:
    """From where to where a claim was seen to hold; None where there is no end."""

    low: tuple[Fraction, Fraction] | None  # fails at the first, holds at the second
    high: tuple[Fraction, Fraction] | None


def condition(judge: Judge, point: Point) -> str:
    """A condition on one variable, or "" where none is found.

    One on the argument of a function is not taken where there are other variables:
    `relu(x) = x` holds for `x >= 0`, but a formula of two variables that only does so
    is wrong.
    """
    names = list(point.given)
    arguments = arguments_of(judge.claim.parsed)
    for name in names:
        if len(names) > 1 and name in arguments:
            continue
        seen = _range(name, point)
        if seen is None:
            continue
        ends = [
            _end(judge, point, name, pair, sign)
            for pair, sign in ((seen.low, ">"), (seen.high, "<"))
            if pair is not None
        ]
        if ends and all(ends):
            return " and ".join(ends)
    return ""


def border(judge: Judge) -> str:
    """`t > 0` or `t < 4`, where a claim fails at one end of a letter alone; else ""."""
    claim, system = judge.claim, judge.other
    wrong = np.zeros([system.size(a.name) for a in claim.letters.values()], dtype=bool)
    for given, batch in judge.draws.digits(system):
        wrong |= judge.at(given, FIFTY, system, batch).wrong.any(axis=0)
    for place, (letter, axis) in enumerate(claim.letters.items()):
        others = tuple(k for k in range(wrong.ndim) if k != place)
        fails = np.flatnonzero(wrong.any(axis=others)).tolist()
        last = system.size(axis.name) - 1
        if last > 1 and fails == [0]:
            return f"{letter} > 0"
        if last > 1 and fails == [last]:
            return f"{letter} < {claim.system.size(axis.name) - 1}"
    return ""


def arguments_of(parsed: Parsed) -> set[str]:
    """Variables that a function of the table is taken of, or `D` is taken by."""
    found: set[str] = set()
    for side in parsed.sides:
        for node in ast.walk(side):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id.rstrip("_")
                if name == "D" and isinstance(node.args[-1], ast.Name):
                    found.add(node.args[-1].id)
                row = TABLE.get(name)
                first = node.args[0] if node.args else None
                if row and row.activation and isinstance(first, ast.Name):
                    found.add(first.id)
    return found & set(variables(parsed))


def _range(name: str, point: Point) -> _Range | None:
    """Where one variable's simple values hold whatever the others are."""
    fails = np.asarray(point.wrong.any(axis=0))
    known = point.known
    column = np.asarray(point.given[name])
    holding: list[Fraction] = []
    failing: list[Fraction] = []
    for value in sorted(SIMPLE):
        rows = np.asarray(column == value, dtype=bool) & known
        if not rows.any():
            continue
        (failing if fails[rows].any() else holding).append(value)
    if len(holding) < 3 or not failing:
        return None
    low, high = min(holding), max(holding)
    if any(low < value < high for value in failing):
        return None
    below = [value for value in failing if value < low]
    above = [value for value in failing if value > high]
    return _Range(
        (max(below), low) if below else None, (min(above), high) if above else None
    )


def _end(
    judge: Judge,
    point: Point,
    name: str,
    pair: tuple[Fraction, Fraction],
    sign: str,
) -> str:
    """The threshold between a value where the claim fails and one where it holds."""
    holds = _at(judge, point, name)
    bad, good = pair
    for _ in range(STEPS):
        middle = (bad + good) / 2
        bad, good = (bad, middle) if holds(middle) else (middle, good)
    threshold = ((bad + good) / 2).limit_denominator(DENOMINATOR)
    if abs(threshold - good) > CLOSE:
        return ""
    equal = "=" if holds(threshold) else ""
    return f"{name} {sign}{equal} {threshold}"


def _at(judge: Judge, point: Point, name: str) -> Callable[[Fraction], bool]:
    """Whether the claim holds at a value of one variable, whatever the others are."""

    def holds(value: Fraction) -> bool:
        moved = np.empty(len(point.known), dtype=object)
        moved[:] = value
        given = {**point.given, name: moved}
        found = judge.at(given, FIFTY, judge.claim.system, len(moved))
        return found.exercised and not found.fails

    return holds
