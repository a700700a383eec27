"""Figures as people read them."""

from __future__ import annotations


def power(number: float) -> str:
    """`2e-16` as a formula.

    >>> power(2.34e-16), power(0.0)
    ('$2.3 \\\\times 10^{-16}$', '0')
    """
    if not number:
        return "0"
    digits, exponent = f"{number:.1e}".split("e")
    return f"${digits} \\times 10^{{{int(exponent)}}}$"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that reads best.

    >>> duration(2.5), duration(0.0031), duration(7.2e-6), duration(600)
    ('2.5 s', '3.1 ms', '7.2 us', '10 min')
    """
    if seconds is None:
        return ""
    if seconds >= 180:
        return f"{seconds / 60:.3g} min"
    for scale, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def size(nbytes: int | None) -> str:
    """Bytes in the unit that reads best.

    >>> size(27056), size(500)
    ('27.1 kB', '500 B')
    """
    if nbytes is None:
        return ""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if nbytes >= scale:
            return f"{nbytes / scale:.3g} {unit}"
    return f"{nbytes} B"
