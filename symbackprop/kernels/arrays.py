"""The arrays that a user hands to kernels: checked, cast, contiguous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.equations import System, Tensor
from symbackprop.errors import InputError, nearest
from symbackprop.ranges import integer_ranges

Array = NDArray[Any]


@dataclass(frozen=True)
class Arrays:
    """Checks what is given for a program's parameters and data.

    Attributes:
        program: what was declared.
        dtype: the kernels' precision.
        ranges: least and greatest value of integer data.
    """

    program: System
    dtype: str
    ranges: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, program: System, dtype: str) -> Arrays:
        return cls(program, dtype, integer_ranges(program))

    def data(self, given: Sequence[Any], named: Mapping[str, Any]) -> list[Array]:
        """All data in declared order, of one batch."""
        found = self.some(given, named)
        missing = [t.name for t in self.program.data if t.name not in found]
        if missing:
            raise InputError(
                f"data: {_listed(missing)} missing. Give arrays for "
                f"{_listed([t.name for t in self.program.data])}, in this order or by "
                "name."
            )
        return [found[tensor.name] for tensor in self.program.data]

    def some(self, given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Array]:
        """Those data that are given, by position or name, checked."""
        declared = [tensor.name for tensor in self.program.data]
        if len(given) > len(declared):
            raise InputError(
                f"data: {len(given)} arrays came, {len(declared)} are declared: "
                f"{_listed(declared)}. Leave the others away."
            )
        by_name = dict(zip(declared, given, strict=False))
        for name, value in named.items():
            if name not in declared:
                raise InputError(
                    f"data: `{name[:60]}` is not declared; expected "
                    f"{_listed(declared)}.{nearest(name, declared)}"
                )
            if name in by_name:
                raise InputError(f"data: `{name}` came twice, by position and by name.")
            by_name[name] = value
        found = {t.name: self._one(t, by_name[t.name]) for t in self.program.data
                 if t.name in by_name}  # fmt: skip
        self._one_batch(found)
        return found

    def theta(self, value: Any, size: int, what: str = "theta") -> Array:
        """The flat vector of all parameters."""
        array = self._real(what, value)
        if array.shape != (size,):
            raise InputError(
                f"{what}: expected {size} numbers in one dimension, an array of shape "
                f"{array.shape} came. `kernels.pack` makes one from a dict."
            )
        return array

    def parameter(self, tensor: Tensor, value: Any) -> Array:
        """One parameter, in its own shape."""
        array = self._real(tensor.name, value)
        expected = self.program.shape(tensor.name)
        if array.shape != expected:
            raise InputError(
                f"parameter `{tensor.name}`: expected shape {expected}, "
                f"{array.shape} came."
            )
        return array

    def numbers(self, name: str, value: Any) -> Array:
        """Real numbers as they are, of any shape and precision."""
        array = _array(name, value)
        if array.dtype.kind not in "fiub":
            raise InputError(f"`{name}`: expected real numbers, {array.dtype} came.")
        return array

    # --- one array -------------------------------------------------------------------

    def _one(self, tensor: Tensor, value: Any) -> Array:
        integer = tensor.integer
        array = self._whole(tensor.name, value) if integer else self._real(tensor.name, value)  # noqa: E501  # fmt: skip
        shape = self.program.shape(tensor.name)
        fits = array.shape[1:] == shape if tensor.batched else array.shape == shape
        if not fits or (tensor.batched and array.ndim != 1 + len(shape)):
            sizes = [str(size) for size in shape]
            if tensor.batched:
                sizes.insert(0, "batch")
            raise InputError(
                f"data `{tensor.name}`: expected shape ({', '.join(sizes)}), "
                f"{array.shape} came."
            )
        return array

    def _one_batch(self, found: Mapping[str, Array]) -> None:
        first = ""
        for tensor in self.program.data:
            if not tensor.batched or tensor.name not in found:
                continue
            length = len(found[tensor.name])
            if length < 1:
                raise InputError(
                    f"data `{tensor.name}`: the batch is empty. Give a sample or more."
                )
            first = first or tensor.name
            if length != len(found[first]):
                raise InputError(
                    f"data: `{first}` has {len(found[first])} samples, `{tensor.name}` "
                    f"has {length}. All batched data have the same first dimension."
                )

    def _real(self, name: str, value: Any) -> Array:
        array = _array(name, value)
        if array.dtype.kind not in "fiub":
            raise InputError(
                f"`{name}`: expected real numbers, {array.dtype} came. Convert it to "
                f"{self.dtype}."
            )
        with np.errstate(over="ignore"):
            return np.require(array, self.dtype, ["C", "W", "A"])

    def _whole(self, name: str, value: Any) -> Array:
        array = _array(name, value)
        if array.dtype.kind not in "iu":
            raise InputError(
                f"data `{name}`: expected whole numbers, {array.dtype} came. Convert "
                "it to int64."
            )
        limits = np.iinfo(np.int64)
        low, high = self.ranges.get(name, (int(limits.min), int(limits.max)))
        if array.size:
            for wrong in (int(array.min()), int(array.max())):
                if not low <= wrong <= high:
                    raise InputError(
                        f"data `{name}`: expected whole numbers from {low} to {high}, "
                        f"{wrong} came. It would point outside the axis that it picks "
                        "from."
                    )
        return np.require(array, np.int64, ["C", "W", "A"])


def _array(name: str, value: Any) -> Array:
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"`{name}`: a masked array came; fill it first.")
    try:
        return np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"`{name}`: expected an array of numbers: {error}.") from error


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
