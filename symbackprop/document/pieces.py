"""Pieces of printed mathematics, which know the parentheses that they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sympy
from sympy import Rational

from symbackprop.document.measure import width

WIDE = 120  # characters
DIGITS = 11  # after the point, of a number that is longer

SUM, PRODUCT, CALL, POWER, ATOM = range(5)  # how tightly an expression holds together

OPEN = ("(", r"\bigl(", r"\Bigl(", r"\biggl(", r"\left(")
CLOSE = (")", r"\bigr)", r"\Bigr)", r"\biggr)", r"\right)")


@dataclass(frozen=True)
class Piece:
    """Printed mathematics.

    Attributes:
        latex: the text.
        level: SUM, PRODUCT, CALL, POWER or ATOM.
        tall: 0 for letters, 1 with parentheses, 2 a fraction, 3 a sum, 4 cases: the
            size of the parentheses that fit around it.
        scripted: whether it ends with a superscript.
    """

    latex: str
    level: int = ATOM
    tall: int = 0
    scripted: bool = False

    @property
    def wide(self) -> bool:
        """Whether it is better broken over lines than put over or under a bar."""
        return len(self.latex) > WIDE and width(self.latex) > WIDE / 5

    def within(self, level: int) -> str:
        """The text, in parentheses where it holds together less than `level`."""
        return self.latex if self.level >= level else self.bracketed()

    def bracketed(self) -> str:
        return f"{OPEN[self.tall]}{self.latex}{CLOSE[self.tall]}"


def tall(printed: Iterable[str]) -> int:
    """The height of joined text, from what is in it."""
    text = " ".join(printed)
    for height, marks in (
        (4, (r"\begin", r"\biggl")),
        (3, (r"\sum", r"\Bigl")),
        (2, (r"\frac", r"\bigl")),
    ):
        if any(mark in text for mark in marks):
            return height
    return 1 if "(" in text.replace("^{(", "") else 0


def is_decimal(number: Rational) -> bool:
    """Whether a fraction was meant as a decimal: 1/100 is, 1/2 and 1/3 are not."""
    rest = number.q
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return bool((number.q >= 10 and rest == 1) or max(number.p, number.q) >= 10**6)


def decimal(number: Rational) -> str:
    r"""`1/100` => `0.01`, `1/100000` => `10^{-5}`, `1e20/3` => `3.33333\ldots`"""
    if number.q == 1 and abs(number.p) < 10**9:
        return str(number.p)
    written, _, exponent = f"{sympy.Float(number, 30):.20e}".partition("e")
    power, digits = int(exponent), written[: 2 + DIGITS].rstrip("0").rstrip(".")
    shown = Rational(digits) * Rational(10) ** power
    dots = "" if shown == number else r"\ldots"
    if -4 <= power < 10:
        places = max(0, len(digits.replace(".", "")) - 1 - power)
        scaled = f"{int(shown * 10**places):0{places + 1}d}"
        whole, fraction = scaled[: len(scaled) - places], scaled[len(scaled) - places :]
        return whole + ("." if fraction else "") + fraction + dots
    if digits == "1" and not dots:
        return f"10^{{{power}}}"
    return f"{digits}{dots} \\cdot 10^{{{power}}}"
