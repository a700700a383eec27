"""The numbers that a frozen dataclass is made with, checked."""

from __future__ import annotations

import math
import sys
from dataclasses import fields
from typing import Any

from symbackprop.errors import DeclarationError, short


def check_between(
    owner: object, name: str, low: float, high: float, *, open: bool
) -> None:
    """Refuse a field outside [low, high), or (low, high) where it is open.

    Raises:
        DeclarationError: it names the owner's class, the field and the limits.
    """
    value = getattr(owner, name)
    real = isinstance(value, int | float) and not isinstance(value, bool)
    below = real and value < min(high, sys.float_info.max)
    if not (below and (low < value if open else low <= value)):
        least = "greater than" if open else "at least"
        most = "finite" if math.isinf(high) else f"less than {high:g}"
        raise DeclarationError(
            f"{type(owner).__name__}: `{name}` is {short(value)}; "
            f"give a number {least} {low:g} and {most}."
        )


def option_names(kind: type[Any]) -> tuple[str, ...]:
    """The fields that a dataclass takes without their names, in their order.

    >>> from symbackprop.optimisers import SGD, option_names
    >>> option_names(SGD)
    ('rate', 'momentum', 'nesterov')
    """
    return tuple(field.name for field in fields(kind) if not field.kw_only)
