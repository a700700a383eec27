"""Samples: a program's data by name, checked once and taken in minibatches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.equations import System, defined_by, tensor_of
from symbackprop.errors import InputError
from symbackprop.program import Program

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Array = NDArray[Any]
Arrays = dict[str, Array]

_CHUNK = 1024  # samples that are evaluated at once


class Samples:
    """Data of a program, each array as its kernels take it, in declared order."""

    def __init__(
        self, kernels: Kernels, given: Sequence[Any], named: Mapping[str, Any]
    ) -> None:
        program = kernels.derivation.program
        self.batched = [tensor.name for tensor in program.data if tensor.batched]
        if not self.batched:
            raise InputError(
                f"program `{program.name}` has no batched data; minimise "
                "`kernels.value_and_grad` with scipy.optimize.minimize instead."
            )
        names = [tensor.name for tensor in program.data]
        checked = kernels.arrays.data(given, named)
        self.arrays: Arrays = dict(zip(names, checked, strict=True))
        for name, array in self.arrays.items():
            if not np.isfinite(array).all():
                raise InputError(
                    f"data `{name}`: there are entries that are not finite in "
                    f"{array.dtype}. Remove or scale them."
                )
        self.length = len(self.arrays[self.batched[0]])
        self._buffers: Arrays = {}
        self._labels = _labels(program, self.arrays, self.batched)

    def take(self, rows: Array) -> Arrays:
        """Some samples, in arrays that the next call fills anew."""
        taken = dict(self.arrays)
        for name in self.batched:
            source = self.arrays[name]
            buffer = self._buffers.get(name)
            if buffer is None or len(buffer) < len(rows):
                buffer = np.empty((len(rows), *source.shape[1:]), source.dtype)
                self._buffers[name] = buffer
            taken[name] = buffer[: len(rows)]
            np.take(source, rows, axis=0, out=taken[name], mode="clip")
        return taken

    def value(self, kernels: Kernels, theta: Array) -> float:
        """The kernels' value over all samples."""
        total = 0.0
        for part, length in self._chunks():
            total += float(kernels.value(theta, *part.values())) * length
        return total / self.length

    def accuracy(self, kernels: Kernels, theta: Array) -> float | None:
        """The fraction of the samples whose class is right; None without classes."""
        if self._labels is None:
            return None
        right, first = 0, 0
        for part, length in self._chunks():
            output = np.asarray(kernels.predict(theta, *part.values()))
            found = output[:, 0] > 0.5 if output.shape[1] == 1 else output.argmax(1)
            right += int((found == self._labels[first : first + length]).sum())
            first += length
        return right / self.length

    def _chunks(self) -> Iterator[tuple[Arrays, int]]:
        for first in range(0, self.length, _CHUNK):
            part = dict(self.arrays)
            for name in self.batched:
                part[name] = part[name][first : first + _CHUNK]
            yield part, len(part[self.batched[0]])


def _labels(program: Program, arrays: Arrays, batched: list[str]) -> Array | None:
    """The class of each sample, where output and target tell of classes.

    The target is the one batched data tensor that the output does not read: labels,
    one-hot rows, or a single 0 or 1.
    """
    if program.output is None:
        return None
    inputs = _read_by(program.output, program)
    targets = [name for name in batched if name not in inputs]
    if len(targets) != 1 or len(program.shape(program.output)) != 1:
        return None
    target = arrays[targets[0]]
    if target.ndim == 1:
        return target if program.tensors[targets[0]].integer else None
    if target.shape[1:] != program.shape(program.output):
        return None
    if not ((target == 0) | (target == 1)).all():
        return None
    if target.shape[1] == 1:
        return target[:, 0]
    return target.argmax(1) if (target.sum(1) == 1).all() else None


def _read_by(tensor: str, system: System) -> set[str]:
    """All that a tensor reads, directly or not."""
    equations, found, agenda = defined_by(system), {tensor}, [tensor]
    while agenda:
        equation = equations.get(agenda.pop())
        for read in equation.reads() if equation else ():
            name = tensor_of(read)
            if name not in found:
                found.add(name)
                agenda.append(name)
    return found
