"""A derivation as one readable, self-contained file of Python kernels."""

from symbackprop.source.emit import DTYPES, SourceFile, emit, plan_file
from symbackprop.source.excerpts import excerpts
from symbackprop.source.explain import Schedule, explain

__all__ = [
    "DTYPES",
    "Schedule",
    "SourceFile",
    "emit",
    "excerpts",
    "explain",
    "plan_file",
]
