"""A derivation as one readable, self-contained file of Python kernels."""

from symbackprop.source.emit import DTYPES, SourceFile, emit, plan_file

__all__ = ["DTYPES", "SourceFile", "emit", "plan_file"]
