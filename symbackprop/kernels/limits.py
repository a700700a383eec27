"""What a precision, a machine and a folder hold; asked before anything is run."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import sympy
from sympy import Expr, Indexed

from symbackprop.errors import DeclarationError, InputError
from symbackprop.proof import Derivation
from symbackprop.source import SourceFile

BATCH = 3  # samples that the compiled kernel is checked with

# Bytes that the check of a kernel holds for a number of a parameter, and of any other
# tensor: draws, directions and copies, some of them complex.
FOR_PARAMETER, FOR_OTHERS = 64, 32


def check_numbers(derivation: Derivation, dtype: str) -> None:
    """Refuse constants and literals that a precision makes infinite, 0 or inexact.

    Raises:
        DeclarationError: such a number; it says where it stands.
    """
    for constant in derivation.program.constants.values():
        if not _holds(constant.value, dtype):
            where = f"constants: `{constant.name}` is"
            raise DeclarationError(_flaw(where, constant.value, dtype))
    for equation in (*derivation.forward, *derivation.adjoint):
        for term in equation.terms:
            for number in _numbers(term.body):
                if not _holds(number, dtype):
                    line = f"line {equation.line}: " if equation.line else ""
                    where = (
                        f"{line}equation ({derivation.number(equation.tensor)}), which "
                        f"computes `{equation.tensor}`, holds"
                    )
                    raise DeclarationError(_flaw(where, number, dtype))


def check_memory(derivation: Derivation, file: SourceFile, dtype: str) -> None:
    """Refuse tensors that this machine cannot hold, before any is allocated.

    Raises:
        DeclarationError: it names the largest tensor and how many bytes it needs.
    """
    program, item = derivation.program, np.dtype(dtype).itemsize
    sizes: dict[str, int] = {}
    for tensor in program.tensors.values():
        samples = BATCH if tensor.batched else 1
        sizes[tensor.name] = samples * math.prod(program.shape(tensor.name))
    parameters = sum(sizes[tensor.name] for tensor in program.parameters)
    others = sum(sizes.values()) - parameters
    layout = file.layout
    kernels = (
        2 * layout.theta
        + layout.fixed
        + ((BATCH + file.longest_few) * layout.per_sample)
    )
    needed = item * kernels + FOR_PARAMETER * parameters + FOR_OTHERS * others
    held = memory()
    if needed <= held:
        return
    largest = max(sizes, key=lambda name: sizes[name])
    axes = program.tensors[largest].axes
    shape = " x ".join(str(size) for size in program.shape(largest)) or "1"
    raise DeclarationError(
        f"`{largest}` has {shape} numbers, {item * math.prod(program.shape(largest)):,}"
        f" bytes in {dtype}; to hold and check the whole network takes some "
        f"{needed:,} bytes, and this machine has {held:,}. Make the axes smaller"
        f"{_of(axes)}."
    )


def check_folder(folder: Path) -> None:
    """Refuse a folder whose cached files another user may have put there.

    Numba caches compiled functions as pickles, and loading a pickle runs what is in it.
    Root may work in anybody's folder, as containers do.

    Raises:
        InputError: the folder belongs to another user, or everyone may write to it.
    """
    if not hasattr(os, "geteuid"):  # the bits mean nothing there
        return
    user = os.geteuid()
    for place in (folder, folder / "__pycache__"):
        try:
            found = place.stat()
        except OSError:  # not there yet, or whoever writes to it says so
            continue
        if user != 0 and found.st_uid not in (user, 0):
            flaw, remedy = "belongs to another user", "Give a directory of your own"
        elif found.st_mode & stat.S_IWOTH:
            flaw = "may be written to by everyone"
            remedy = f"Run `chmod o-w {place}` if what is in it is yours, or give"
            remedy += " another directory"
        else:
            continue
        raise InputError(
            f"directory: {place} {flaw}, and compiled code that is cached there would "
            f"be run. {remedy}."
        )


def memory() -> int:
    """Bytes of memory in this machine; where it does not tell, more than any has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # another system than POSIX
        return 2**48


def beyond(values: object, dtype: str) -> bool:
    """Whether there is a finite number that a precision would make infinite."""
    sizes = np.abs(np.asarray(values, np.float64))
    return bool((np.isfinite(sizes) & (sizes > np.finfo(dtype).max)).any())


def _of(axes: tuple[str, ...]) -> str:
    return f": {', '.join(dict.fromkeys(axes))}" if axes else ""


def _numbers(body: Expr) -> Iterator[Fraction]:
    """The numbers that stand in an expression as values, not in its subscripts."""
    if isinstance(body, Indexed):
        return
    if body.is_Rational:
        yield Fraction(int(body.p), int(body.q))
        return
    if isinstance(body, sympy.Pow) and body.exp.is_Rational:
        yield from _numbers(body.base)
        return
    for argument in body.args:
        yield from _numbers(argument)


def _holds(number: Fraction, dtype: str) -> bool:
    """Whether a number is 0, or within the precision's normal numbers."""
    kind = np.finfo(dtype)
    low, high = Fraction(float(kind.tiny)), Fraction(float(kind.max))
    return number == 0 or low <= abs(number) <= high


def _flaw(where: str, number: Fraction, dtype: str) -> str:
    kind = np.finfo(dtype)
    shown = str(sympy.Rational(number.numerator, number.denominator).n(4))
    finer = (
        'Compile with dtype="float64", or rescale' if dtype == "float32" else "Rescale"
    )
    return (
        f"{where} {shown}; {dtype} holds numbers from {float(kind.tiny):.2g} to "
        f"{float(kind.max):.2g}. {finer} what it is used with."
    )
