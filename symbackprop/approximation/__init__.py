"""Vector mathematics: elementary functions as text that a loop computes at once."""

from symbackprop.approximation.functions import NAMES, needs, text_of

__all__ = ["NAMES", "needs", "text_of"]
