r"""The table of functions: how `log1p(x)`, a choice or a condition is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Pow

from symbackprop.document.pieces import (
    ATOM,
    CALL,
    CLOSE,
    OPEN,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    tall,
)
from symbackprop.document.symbols import Symbols, escape
from symbackprop.equations import indices_of
from symbackprop.scalars import negation

if TYPE_CHECKING:
    from symbackprop.document.latex import Printer

SHORT = 12  # characters of an exponent that may stand above e

Rule = Callable[["Printer", Expr], Piece]


def call(printer: Printer, expression: Expr) -> Piece:
    r"""`f(x, y)`; a derivative `slope_f_1(x)` is `f'(x)`."""
    name = expression.func.__name__
    prime = ""
    if name.startswith("slope_"):
        name, _, place = name.removeprefix("slope_").rpartition("_")
        prime = "'" if len(expression.args) == 1 else f"'_{{{place}}}"
    return applied(printer, operator(printer.symbols, name) + prime, expression.args)


def operator(symbols: Symbols, name: str) -> str:
    """The name of a function in a formula."""
    return named(name, symbols.is_free(r"\sigma"))


def named(name: str, free: bool = True) -> str:
    r"""A function's sign, or its name; `free`: whether sigma means nothing else.

    >>> print(named("logistic"), named("logistic", free=False), named("hard_tanh"))
    \sigma \operatorname{logistic} \operatorname{hard\mbox{-}tanh}
    """
    if name == "logistic" and not free:
        return r"\operatorname{logistic}"
    plain = escape(name).replace(r"\_", r"\mbox{-}")
    return NAMES.get(name, f"\\operatorname{{{plain}}}")


# Functions that have a sign of their own.
NAMES = {
    **{name: f"\\{name}" for name in ("exp", "log", "sin", "cos", "tanh")},
    "logistic": r"\sigma",
    "maximum": r"\max",
    "minimum": r"\min",
    "sign": r"\operatorname{sgn}",
}


def applied(printer: Printer, name: str, arguments: Iterable[Expr]) -> Piece:
    """`name(arguments)`."""
    pieces = [printer.piece(argument) for argument in arguments]
    height = max((piece.tall for piece in pieces), default=0)
    inside = ", ".join(piece.latex for piece in pieces)
    return Piece(f"{name}{OPEN[height]}{inside}{CLOSE[height]}", CALL, max(1, height))


def _derivative(printer: Printer, expression: Expr) -> Piece:
    """What is still to be differentiated: `(1 + x)'`, or `d/dr (r x)` among others."""
    inside, by = expression.args
    piece = printer.piece(inside)
    if inside.free_symbols <= {by}:
        height = min(piece.tall + (piece.level == CALL), 4)
        return Piece(
            f"{Piece(piece.latex, SUM, height).bracketed()}'", CALL, max(1, height)
        )
    front = f"\\frac{{\\partial}}{{\\partial {printer.latex(by)}}}"
    return Piece(f"{front} {piece.bracketed()}", PRODUCT, max(2, piece.tall))


def _exponential(printer: Printer, expression: Expr) -> Piece:
    inside = printer.piece(expression.args[0])
    short = inside.tall == 0 and "_" not in inside.latex and len(inside.latex) <= SHORT
    if short and not printer.symbols.has_letter("e"):
        return Piece(f"e^{{{inside.latex}}}", POWER, 0, True)
    return call(printer, expression)


def _same_as(build: Callable[..., Expr]) -> Rule:
    """Print a function as a formula: `log1p(x)` => `log(1 + x)`."""
    return lambda printer, expression: printer.piece(build(*expression.args))


def _log1p(printer: Printer, expression: Expr) -> Piece:
    return applied(printer, r"\log", [1 + expression.args[0]])


def _expm1(printer: Printer, expression: Expr) -> Piece:
    inside = printer.piece(sympy.exp(expression.args[0], evaluate=False))
    return Piece(f"{inside.latex} - 1", SUM, inside.tall)


def _absolute(printer: Printer, expression: Expr) -> Piece:
    inside = printer.piece(expression.args[0])
    height = min(inside.tall, 3)
    size = ("", r"\big", r"\Big", r"\bigg")[height]
    left, right = (f"{size}l", f"{size}r") if size else (r"\left", r"\right")
    return Piece(f"{left}\\lvert {inside.latex} {right}\\rvert", ATOM, max(1, height))


def _cases(printer: Printer, expression: Expr) -> Piece:
    """`where(c, a, where(d, b, e))` is one brace with three rows."""
    condition, value, rest = expression.args
    if rest == 0 and value == 1 and indices_of(condition):
        return Piece(f"[{printer.latex(condition)}]", ATOM, 1)
    rows = []
    conditions = []
    rest = expression
    while rest.func.__name__ == "where":
        condition, value, rest = rest.args
        conditions.append(condition)
        rows.append(f"{printer.latex(value)} & {printer.latex(condition)}")
    rows.append(f"{printer.latex(rest)} & {_remaining(printer, conditions)}")
    return Piece(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}", PRODUCT, 4)


def _partial(printer: Printer, expression: Expr) -> Piece:
    above, below = (printer.latex(side) for side in expression.args)
    return Piece(f"\\frac{{\\partial {above}}}{{\\partial {below}}}", ATOM, 2, True)


def _kronecker(printer: Printer, expression: Expr) -> Piece:
    """Kronecker's delta as a bracket: delta is the letter of error terms."""
    left, right = (printer.subscript(side) for side in expression.args)
    return Piece(f"[{left} = {right}]", ATOM, 1)


# A comparison read from its right side.
OPPOSITE = {
    **{"<": ">", ">": "<", "=": "=", r"\ne": r"\ne"},
    **{r"\le": r"\ge", r"\ge": r"\le"},
}


def _remaining(printer: Printer, conditions: Sequence[Expr]) -> str:
    """What is left where no condition holds, as a formula if it is a short one.

    `x > 0` => `x <= 0`; `x <= -2, x >= 2` => `-2 < x < 2`; `x < 0, x > 0` => `x = 0`
    """
    compared = [c for c in conditions if c.func.__name__ in STRICT]
    if len(compared) == len(conditions) == 1:
        return _negation(printer, negation(conditions[0])).latex
    if len(compared) == len(conditions) == 2:
        # x below `low` was one case, x above `high` the other.
        below = [c for c in compared if c.args[1].is_number]
        above = [c for c in compared if c.args[0].is_number]
        if len(below) == len(above) == 1 and below[0].args[0] == above[0].args[1]:
            (x, low), high = below[0].args, above[0].args[0]
            signs = [STRICT[c.func.__name__] for c in (below[0], above[0])]
            middle, first, last = (condition_side(printer, e) for e in (x, low, high))
            if low < high:
                return f"{first} {signs[0]} {middle} {signs[1]} {last}"
            if low == high and signs == [r"\le", r"\le"]:
                return f"{middle} = {first}"
    return r"\text{otherwise}"


# How a bound is kept where a comparison with it fails.
STRICT = {"less": r"\le", "less_equal": "<"}


def _compare(sign: str) -> Rule:
    def rule(printer: Printer, expression: Expr) -> Piece:
        sides, between = expression.args, sign
        if sides[0].is_number and not sides[1].is_number:  # x > 0, not 0 < x
            sides, between = sides[::-1], OPPOSITE[sign]
        left, right = (condition_side(printer, side) for side in sides)
        return Piece(f"{left} {between} {right}", SUM, tall([left, right]))

    return rule


def condition_side(printer: Printer, side: Expr) -> str:
    """One side of a comparison; indices before numbers where it is one of indices."""
    return printer.subscript(side) if indices_of(side) else printer.latex(side)


def _joined(word: str) -> Rule:
    def rule(printer: Printer, expression: Expr) -> Piece:
        parts = [printer.piece(argument) for argument in expression.args]
        shown = [
            piece.bracketed() if is_joint(argument) else piece.latex
            for piece, argument in zip(parts, expression.args, strict=True)
        ]
        return Piece(word.join(shown), SUM, max(piece.tall for piece in parts))

    return rule


def is_joint(condition: Expr) -> bool:
    """Whether a condition is itself made of conditions."""
    return condition.func.__name__ in ("both", "either")


def _negation(printer: Printer, expression: Expr) -> Piece:
    inner = expression.args[0]
    opposite = {"less": r"\ge", "less_equal": ">", "equal": r"\ne"}
    sign = opposite.get(inner.func.__name__)
    if sign is None:
        return Piece(f"\\lnot {printer.piece(inner).bracketed()}", SUM, 1)
    return _compare(sign)(printer, inner)


FUNCTIONS: dict[str, Rule] = {
    "derivative": _derivative,
    "exp": _exponential,
    "log1p": _log1p,
    "expm1": _expm1,
    "abs": _absolute,
    "identity": _same_as(lambda x: x),
    "power": _same_as(lambda base, exponent: Pow(base, exponent, evaluate=False)),
    "where": _cases,
    "partial": _partial,
    "kronecker": _kronecker,
    "less": _compare("<"),
    "less_equal": _compare(r"\le"),
    "equal": _compare("="),
    "both": _joined(r" \;\land\; "),
    "either": _joined(r" \;\lor\; "),
    "negation": _negation,
}
