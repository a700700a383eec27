"""A derivation as one readable, self-contained file of Python kernels."""

from symbackprop.source.emit import DTYPES, SourceFile, emit, plan_file
from symbackprop.source.excerpts import excerpts

__all__ = ["DTYPES", "SourceFile", "emit", "excerpts", "plan_file"]
