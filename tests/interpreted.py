"""The emitted file as plain Python: Numba's compiler is switched off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np

from symbackprop.equations import System
from symbackprop.source import SourceFile


@contextmanager
def interpreter() -> Iterator[None]:
    before = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = True
    try:
        yield
    finally:
        numba.config.DISABLE_JIT = before


def names_of(file: SourceFile) -> dict[str, Any]:
    """The file's names, run as plain Python."""
    names: dict[str, Any] = {}
    with interpreter():
        exec(compile(file.text, "kernels", "exec"), names)
    return names


def arrays(
    program: System, values: dict[str, Any], dtype: Any
) -> tuple[np.ndarray[Any, Any], list[np.ndarray[Any, Any]]]:
    """`theta` and the data as the kernels take them."""
    flat = [np.ravel(values[t.name]) for t in program.parameters]
    theta = np.concatenate([np.zeros(0), *flat]).astype(dtype)
    data = [np.asarray(values[t.name]) for t in program.data]
    return theta, [d if d.dtype.kind == "i" else d.astype(dtype) for d in data]


def call(
    program: System, file: SourceFile, values: dict[str, Any], batch: int = 3
) -> tuple[float, float, np.ndarray[Any, Any]]:
    """Values of `backward` and `forward`, and the gradient; memory starts as NaN."""
    names = names_of(file)
    dtype, layout = names["real"], file.layout
    theta, data = arrays(program, values, dtype)
    gradient = np.full_like(theta, np.nan)
    workspace = np.full(layout.fixed + layout.per_sample * batch, np.nan, dtype)
    with np.errstate(all="ignore"):
        value = names["backward"](theta, *data, gradient, workspace)
        workspace[:] = np.nan
        forward = names["forward"](theta, *data, workspace)
    return value, forward, gradient
