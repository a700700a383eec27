"""The command `symbackprop`: declare in a file, then derive, emit, check and train."""

from symbackprop.cli.command import main

__all__ = ["main"]
