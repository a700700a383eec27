"""Checkpoints: the state of a training after an epoch, and what it belongs to."""

from __future__ import annotations

import hashlib
import io
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop import __version__
from symbackprop.errors import InputError
from symbackprop.files import UNREADABLE, write_atomically

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Array = NDArray[Any]
Row = tuple[int, float, float | None, float | None, float]


@dataclass(frozen=True)
class Checkpoint:
    """Parameters, the optimiser's vectors, and the epochs that led to them.

    An epoch is (number, loss, validation loss, accuracy, seconds).
    """

    theta: Array
    optimiser: tuple[Array, ...]
    epochs: tuple[Row, ...] = ()

    @classmethod
    def read(
        cls, file: Path, mark: Mapping[str, str], first: Checkpoint
    ) -> Checkpoint | None:
        """The state in a file; None where there is no file.

        Args:
            file: where it is.
            mark: the fingerprint of the training that would go on.
            first: the state that it begins with, whose arrays these must be like.

        Raises:
            InputError: it is no checkpoint, or one of another training.
        """
        if not file.exists():
            return None
        try:
            with (
                open(file, "rb") as stream,
                np.load(stream, allow_pickle=False) as archive,
            ):
                found = {name: archive[name] for name in archive.files}
            marks = dict(zip(found["parts"], found["hashes"], strict=True))
            states = [name for name in found if name.startswith("optimiser_")]
            made = cls(
                found["theta"],
                tuple(found[f"optimiser_{n}"] for n in range(len(states))),
                tuple(_row(numbers) for numbers in found["epochs"]),
            )
            made._check(first)
        except UNREADABLE as error:
            raise InputError(
                f"checkpoint {file} cannot be read ({str(error)[:200]}); delete it or "
                "name another file."
            ) from error
        differing = [part for part in mark if marks.get(part) != mark[part]]
        if differing:
            raise InputError(
                f"checkpoint {file} belongs to another training: its "
                f"{', '.join(differing)} differ. Delete it or name another file, or "
                "go back to what it was made with."
            )
        return made

    def _check(self, first: Checkpoint) -> None:
        """Raise a ValueError where the state cannot have come from the first one."""
        vectors, expected = (
            (self.theta, *self.optimiser),
            (first.theta, *first.optimiser),
        )
        if [(v.shape, v.dtype) for v in vectors] != [
            (v.shape, v.dtype) for v in expected
        ]:
            raise ValueError("its arrays have other shapes or types")
        if not all(np.isfinite(vector).all() for vector in vectors):
            raise ValueError("it holds numbers that are not finite")
        numbers = [row[0] for row in self.epochs]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError("its epochs do not follow one another")

    def write(self, file: Path, mark: Mapping[str, str]) -> None:
        """Write the state whole or not at all."""
        stream = io.BytesIO()
        rows = [[np.nan if n is None else n for n in row] for row in self.epochs]
        arrays: dict[str, Any] = {
            "theta": self.theta,
            "epochs": np.array(rows, np.float64),
            "parts": np.array(list(mark)),
            "hashes": np.array(list(mark.values())),
        }
        for number, vector in enumerate(self.optimiser):
            arrays[f"optimiser_{number}"] = vector
        np.savez(stream, **arrays)
        write_atomically(file, stream.getvalue())


def _row(numbers: Array) -> Row:
    number, loss, validation, accuracy, seconds = (float(n) for n in numbers)
    held = None if np.isnan(validation) else validation
    counted = None if np.isnan(accuracy) else accuracy
    return int(number), loss, held, counted, seconds


def fingerprint(
    kernels: Kernels,
    data: Mapping[str, Array],
    validation: Mapping[str, Array],
    options: Mapping[str, object],
    start: Array,
) -> dict[str, str]:
    """Hashes of all that decides the bits of a training, by what they are of."""
    program = kernels.derivation.program
    tensors = [
        (t.name, t.axes, t.batched) for t in (*program.parameters, *program.data)
    ]
    axes = [(axis.name, axis.size) for axis in program.axes.values()]
    constants = [(c.name, c.value) for c in program.constants.values()]
    arrays = [*data.items(), *validation.items()]
    versions = {
        "symbackprop": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("numpy", "numba", "scipy")},
    }
    return {
        "declaration": _hash(program.text, axes, tensors, constants, program.objective),
        "kernels": _hash(Path(kernels.path).read_bytes()),
        "data": _hash(*(part for name, array in arrays for part in (name, array))),
        "options": _hash(sorted(options.items(), key=lambda item: item[0])),
        "first parameters": _hash(start),
        "versions": _hash(sorted(versions.items()), platform.machine()),
    }


def _hash(*parts: object) -> str:
    made = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            made.update(f"{part.dtype} {part.shape} ".encode())
            made.update(np.ascontiguousarray(part).tobytes())
        elif isinstance(part, bytes):
            made.update(part)
        else:
            made.update(repr(part).encode())
        made.update(b"\0")
    return made.hexdigest()
