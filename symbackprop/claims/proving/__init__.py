"""Claims proved in symbols, where that is within reach."""

from symbackprop.claims.proving.prove import prove

__all__ = ["prove"]
