"""Index form -> matrix form: `z[i] = sum(W[i, j]*x[j], j) + b[i]` => `z = W x + b`."""

from symbackprop.notation.forms import Form, MatrixEquation
from symbackprop.notation.judge import check
from symbackprop.notation.systems import (
    Absorbed,
    Raised,
    held_axes,
    raise_system,
    raised,
)

__all__ = [
    "Absorbed",
    "Form",
    "MatrixEquation",
    "Raised",
    "check",
    "held_axes",
    "raise_system",
    "raised",
]
