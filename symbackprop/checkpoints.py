"""Checkpoints: where a training stands, and what it belongs to."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop import __version__
from symbackprop.errors import InputError
from symbackprop.files import UNREADABLE, replacing, write_arrays
from symbackprop.samples import all_finite

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Array = NDArray[Any]
Row = tuple[int, float, float | None, float | None, float]


@dataclass
class State:
    """Where a training stands; its vectors change in place.

    Attributes:
        theta: the parameters.
        carried: the optimiser's vectors.
        epochs: those that are over, each as (number, loss, validation loss, accuracy,
            seconds).
        minibatch: how many of the epoch that is on are over.
        total: the values that they met, times their samples.
        seconds: how long they took.
        best: the parameters of the epoch with the least validation loss.
        least: that loss, infinite where nothing is held out.
    """

    theta: Array
    carried: tuple[Array, ...]
    epochs: list[Row] = field(default_factory=list)
    minibatch: int = 0
    total: float = 0.0
    seconds: float = 0.0
    best: Array | None = None
    least: float = field(init=False)

    def __post_init__(self) -> None:
        held = (row[2] for row in self.epochs if row[2] is not None)
        self.least = min(held, default=math.inf)

    @classmethod
    def read(
        cls, file: Path, mark: Mapping[str, str], theta: Array, carried: int, steps: int
    ) -> State | None:
        """The state in a file; None where there is no file.

        Args:
            file: where it is.
            mark: the fingerprint of the training that would go on.
            theta: the parameters that it began with; they become those of the file.
            carried: how many vectors the optimiser carries.
            steps: minibatches of an epoch.

        Raises:
            InputError: it is no checkpoint, or one of another training.
        """
        if not file.exists():
            return None
        made, differing = None, []
        try:
            with (
                open(file, "rb") as stream,
                np.load(stream, allow_pickle=False) as archive,
            ):
                marks = dict(zip(archive["parts"], archive["hashes"], strict=True))
                differing = [part for part in mark if marks.get(part) != mark[part]]
                if not differing:
                    made = cls._of(archive, carried)
                    made._check(theta, steps)
                    theta[:] = made.theta
                    made.theta = theta
        except UNREADABLE as error:
            raise InputError(
                f"checkpoint {file} cannot be read ({str(error)[:200]}); delete it or "
                "name another file."
            ) from error
        if differing:
            raise InputError(
                f"checkpoint {file} belongs to another training: its "
                f"{', '.join(differing)} differ. Delete it or name another file, or "
                "go back to what it was made with."
            )
        return made

    @classmethod
    def _of(cls, archive: Mapping[str, Array], carried: int) -> State:
        minibatch, total, seconds = (float(n) for n in archive["position"])
        return cls(
            archive["theta"],
            tuple(archive[f"optimiser_{n}"] for n in range(carried)),
            [_row(numbers) for numbers in archive["epochs"]],
            int(minibatch),
            total,
            seconds,
            archive.get("best", None),
        )

    def _check(self, theta: Array, steps: int) -> None:
        """Raise a ValueError where no training can have come to this."""
        best = () if self.best is None else (self.best,)
        for vector in (self.theta, *self.carried, *best):
            if (vector.shape, vector.dtype) != (theta.shape, theta.dtype):
                raise ValueError("its arrays have other shapes or types")
            if not all_finite(vector):
                raise ValueError("it holds numbers that are not finite")
        if [row[0] for row in self.epochs] != list(range(1, len(self.epochs) + 1)):
            raise ValueError("its epochs do not follow one another")
        finite = math.isfinite(self.total) and math.isfinite(self.seconds)
        if not (finite and 0 <= self.minibatch <= steps):
            raise ValueError("its place in the epoch is none")
        if math.isfinite(self.least) != (self.best is not None):
            raise ValueError("its best parameters do not fit its epochs")

    def write(self, file: Path, mark: Mapping[str, str]) -> None:
        """Write the state whole or not at all."""
        rows = [[np.nan if n is None else n for n in row] for row in self.epochs]
        arrays: dict[str, Any] = {
            "theta": self.theta,
            "epochs": np.array(rows, np.float64),
            "position": np.array([self.minibatch, self.total, self.seconds]),
            "parts": np.array(list(mark)),
            "hashes": np.array(list(mark.values())),
        }
        for number, vector in enumerate(self.carried):
            arrays[f"optimiser_{number}"] = vector
        if self.best is not None:
            arrays["best"] = self.best
        with replacing(file) as stream:
            write_arrays(stream, arrays)


def _row(numbers: Array) -> Row:
    number, loss, validation, accuracy, seconds = (float(n) for n in numbers)
    held = None if np.isnan(validation) else validation
    counted = None if np.isnan(accuracy) else accuracy
    return int(number), loss, held, counted, seconds


def fingerprint(
    kernels: Kernels,
    loop: str,
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
        **{
            name: metadata.version(name)
            for name in ("numpy", "numba", "llvmlite", "scipy")
        },
    }
    return {
        "declaration": _hash(program.text, axes, tensors, constants, program.objective),
        "kernels": _hash(Path(kernels.path).read_bytes()),
        "training loop": _hash(loop),
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
            made.update(np.ascontiguousarray(part).data)
        elif isinstance(part, bytes):
            made.update(part)
        else:
            made.update(repr(part).encode())
        made.update(b"\0")
    return made.hexdigest()
