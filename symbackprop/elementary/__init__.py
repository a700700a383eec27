"""Functions of the table by themselves: derivatives in steps, corners, saturation."""

from symbackprop.elementary.derivatives import Steps, derive, steps

__all__ = ["Steps", "derive", "steps"]
