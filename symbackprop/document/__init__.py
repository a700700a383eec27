"""A derivation told in words and equations: a `Chapter`, and the printers of it."""

from symbackprop.document.chapter import Chapter

__all__ = ["Chapter"]
