"""Compiled kernels: emitted, imported, checked against a witness, and called."""

from symbackprop.kernels.compiling import compile
from symbackprop.kernels.kernels import Kernels

__all__ = ["Kernels", "compile"]
