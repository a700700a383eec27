"""Arrays with names, and one flat vector of all their entries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import InputError, nearest, short

Array = NDArray[Any]


@dataclass(frozen=True)
class Entries:
    """Where each entry of an array, or of a dictionary of arrays, lies in a vector.

    Attributes:
        shapes: of each array, by name; the one name "" where x is no dictionary.
        dtypes: in which the function gets them.
        bare: whether x is a number, not an array.
        names: what each entry is called; () to call it by its array and index.
    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, np.dtype[Any]]
    bare: bool = False
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, x: Any, names: Sequence[str] | None = None) -> Entries:
        """Those of an x.

        Raises:
            InputError: x holds what is no real number, or nothing, or too few names.
        """
        given = dict(x) if isinstance(x, Mapping) else {"": x}
        if not all(isinstance(name, str) for name in given) or not given:
            raise InputError(
                f"x is {short(x)}; give an array, or a dictionary of arrays by name."
            )
        arrays = {name: _real(_where(name, "x"), a) for name, a in given.items()}
        kinds = {
            name: a.dtype if a.dtype.kind == "f" else np.dtype(np.float64)
            for name, a in arrays.items()
        }
        made = cls(
            {name: a.shape for name, a in arrays.items()},
            kinds,
            not isinstance(x, Mapping) and not isinstance(x, np.ndarray | list | tuple),
            tuple(names or ()),
        )
        if made.size == 0:
            raise InputError("x has no entries; give an array that holds numbers.")
        if names is not None and len(made.names) != made.size:
            raise InputError(
                f"names: {len(made.names)} came for {made.size} entries of x; give one "
                "for each, in the order of the entries, or leave `names` away."
            )
        return made

    @property
    def size(self) -> int:
        """How many entries there are."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def keyed(self) -> bool:
        """Whether x is a dictionary."""
        return "" not in self.shapes or len(self.shapes) > 1

    def flat(self, arrays: Any, what: str) -> Array:
        """One vector of x or of a gradient.

        Raises:
            InputError: arrays of other names or shapes.
        """
        if not self.keyed:
            arrays = {"": arrays}
        elif not isinstance(arrays, Mapping):
            raise InputError(
                f"{what} is {short(arrays)}; x is a dictionary, so give one with the "
                f"keys {', '.join(self.shapes)}."
            )
        for name in arrays:
            if name not in self.shapes:
                raise InputError(
                    f"{what} has the key {short(name)}, which x lacks; expected "
                    f"{', '.join(self.shapes)}.{nearest(name, self.shapes)}"
                )
        missing = [name for name in self.shapes if name not in arrays]
        if missing:
            raise InputError(
                f"{what}: {', '.join(missing)} missing; give an array for each of "
                f"{', '.join(self.shapes)}."
            )
        parts = []
        for name, shape in self.shapes.items():
            array = _real(_where(name, what), arrays[name])
            if array.shape != shape:
                turned = array.shape == shape[::-1]
                raise InputError(
                    f"{_where(name, what)}: expected the shape {shape} of x, "
                    f"{array.shape} came. "
                    + ("It looks like a transpose." if turned else "")
                    + ("" if turned else "Give one slope for each entry of x.")
                )
            parts.append(array.astype(np.float64).reshape(-1))
        return np.concatenate(parts)

    def arrays(self, vector: Array) -> dict[str, Array]:
        """Each array of a vector, by name."""
        found, first = {}, 0
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            found[name] = vector[first : first + size].reshape(shape)
            first += size
        return found

    def x(self, vector: Array) -> Any:
        """What the function gets: fresh arrays of its dtypes, complex if need be."""
        found: dict[str, Any] = {
            name: array.copy()
            if array.dtype.kind == "c"
            else array.astype(self.dtypes[name])
            for name, array in self.arrays(vector).items()
        }
        if self.bare:
            return found[""][()]
        return found if self.keyed else found[""]

    def place(self, entry: int) -> tuple[str, tuple[int, ...]]:
        """The array and the index of an entry of the vector."""
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            if entry < size:
                return name, tuple(int(i) for i in np.unravel_index(entry, shape))
            entry -= size
        raise IndexError(entry)

    def label(self, entry: int) -> str:
        """How a message calls an entry: `W[1, 2]`."""
        name, index = self.place(entry)
        called = name or "x"
        at = f"[{', '.join(map(str, index))}]" if index else ""
        if self.names:
            return f"{self.names[entry]} ({called}{at})"
        return called + at


def _where(name: str, what: str) -> str:
    return f"{what}[{name!r}]" if name else what


def _real(where: str, given: Any) -> Array:
    """An array of real numbers."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{where} is {short(given)}; give an array of numbers."
        ) from error
    if array.dtype.kind not in "iuf":
        raise InputError(
            f"{where} is {short(given)} of the dtype {array.dtype}; give real numbers, "
            "as in np.array([1.0, 2.0])."
        )
    return array
