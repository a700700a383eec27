"""Samples: a program's data by name, checked once; minibatches are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
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

_CHUNK = 1 << 16  # numbers that are looked at together


class Samples:
    """Data of a program, each array as its kernels take it, in declared order."""

    def __init__(
        self, kernels: Kernels, given: Sequence[Any], named: Mapping[str, Any]
    ) -> None:
        self.program = kernels.derivation.program
        self.batched = [tensor.name for tensor in self.program.data if tensor.batched]
        if not self.batched:
            raise InputError(
                f"program `{self.program.name}` has no batched data; minimise "
                "`kernels.value_and_grad` with scipy.optimize.minimize instead."
            )
        names = [tensor.name for tensor in self.program.data]
        checked = kernels.arrays.data(given, named)
        self.arrays: Arrays = dict(zip(names, checked, strict=True))
        for name, array in self.arrays.items():
            if not all_finite(array):
                raise InputError(
                    f"data `{name}`: there are entries that are not finite in "
                    f"{array.dtype}. Remove or scale them."
                )
        self.length = len(self.arrays[self.batched[0]])

    def rows(self, count: int) -> Arrays:
        """Room for this many samples of each batched array."""
        return {
            name: np.empty((count, *array.shape[1:]), array.dtype)
            for name, array in self.arrays.items()
            if name in self.batched
        }

    def evaluate(
        self, kernels: Kernels, theta: Array, workspace: Array, batch_size: int
    ) -> tuple[float, float | None]:
        """The kernels' value over all samples, and which part is classified rightly.

        Args:
            kernels: whose forward pass it is.
            theta: all parameters.
            workspace: scratch memory for a batch.
            batch_size: samples that are looked at together.
        """
        total, right, labels = 0.0, 0, self._labels
        for first in range(0, self.length, batch_size):
            part = dict(self.arrays)
            for name in self.batched:
                part[name] = part[name][first : first + batch_size]
            count = len(part[self.batched[0]])
            value = kernels.forward(theta, *part.values(), workspace)
            total += float(value) * count
            if labels is not None:
                assert self.program.output is not None
                output = kernels.tensor(self.program.output, workspace, count)
                found = output[:, 0] > 0.5 if output.shape[1] == 1 else output.argmax(1)
                right += int((found == labels[first : first + count]).sum())
        counted = None if labels is None else right / self.length
        return total / self.length, counted

    @cached_property
    def _labels(self) -> Array | None:
        return _labels(self.program, self.arrays, self.batched)


def all_finite(array: Array) -> bool:
    """Whether no entry is infinite or NaN, found without a second array."""
    flat = array.reshape(-1)
    return all(
        np.isfinite(flat[first : first + _CHUNK]).all()
        for first in range(0, flat.size, _CHUNK)
    )


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
