"""Every exception of the package: one root, and built-in kinds beside it.

A message says where, what was expected, what came, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SymbackpropError(Exception):
    """The root of every error that this package raises on purpose."""


class DeclarationError(SymbackpropError, ValueError):
    """A program, network or file that does not say something well-formed."""


class GrammarError(DeclarationError):
    """Equation text that cannot be read; it names the line and the column."""


class ShapeError(DeclarationError):
    """Subscripts, axes or arrays whose shapes do not meet."""


class CheckError(SymbackpropError, ArithmeticError):
    """A derivation or a kernel that a witness refutes: never returned to a caller."""


class InputError(SymbackpropError, ValueError):
    """Arrays, files or options given to a finished kernel that do not fit it."""


class GradientError(SymbackpropError, AssertionError):
    """A gradient that is not the slope of its function; a test fails by it."""


class DivergenceError(SymbackpropError, ArithmeticError):
    """A training run whose loss or parameters are no longer finite."""


def nearest(name: object, known: Iterable[str]) -> str:
    """' Did you mean `units`?' for the known name nearest to `name`, else ''.

    >>> nearest("unit", ["units", "activation"])
    ' Did you mean `units`?'
    """
    if not isinstance(name, str):
        return ""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return f" Did you mean `{found[0]}`?" if found else ""


def short(value: object, longest: int = 60) -> str:
    """The value as a message may show it: beginning and end, where it is long.

    >>> short("x" * 1000, longest=9)
    "'xxx...x'"
    """
    try:
        text = repr(value)
    except Exception:  # a message about a wrong value must not fail on the value
        text = f"<{type(value).__name__}>"
    if len(text) <= longest:
        return text
    head = (longest - 3) * 2 // 3
    return f"{text[:head]}...{text[head + 3 - longest :]}"
