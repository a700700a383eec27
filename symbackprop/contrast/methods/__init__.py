"""The methods, each over the forward equations alone; none knows the derivation.

`ours` is the exception: it is the derivation, compiled, and what the others judge.
"""

from __future__ import annotations

from symbackprop.contrast.method import Method
from symbackprop.contrast.methods import automatic, numeric, ours, symbolic


def methods() -> tuple[Method, ...]:
    """All methods that need no other library, as the table lists them."""
    return (*numeric.METHODS, *symbolic.METHODS, *ours.METHODS, *automatic.METHODS)
