"""The vector functions as a kernel's file holds them: plain, or inlined in a loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

from symbackprop.approximation import needs, text_of
from symbackprop.approximation.functions import TEXTS

IDENTIFIERS = {name: f"{name}_" for name in TEXTS}
FASTMATH = [frozenset({"contract"}), False]  # fused products and sums, or none
FLAGS = {"contract", "nsz", "arcp"}  # of the loop; they must not reach the function

Edit = Callable[[str], str]


def plain(name: str, dtype: str, edit: Edit = str, decorate: Any = None) -> Any:
    """The function, run from its text after an edit."""
    names = {"np": np, "real": np.dtype(dtype).type}
    for each in (*needs(name, dtype), name):
        text = edit(text_of(each, dtype, IDENTIFIERS))
        exec(compile(text, each, "exec"), names)
        if decorate is not None:
            names[f"{each}_"] = decorate(names[f"{each}_"])
    return names[f"{name}_"]


@cache
def loop(name: str, dtype: str, fastmath: Any, edit: Edit = str) -> Any:
    """`y = loop(x)`, compiled as kernels are."""
    options = {"error_model": "numpy", "forceinline": True}
    stated = set(fastmath) if fastmath else False
    function = plain(name, dtype, edit, numba.njit(fastmath=stated, **options))

    @numba.njit(error_model="numpy", fastmath=FLAGS, nogil=True)
    def fill(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    def apply(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        y = np.empty_like(x)
        fill(x, y)
        return y

    return apply
