"""A network's data: read from a file, checked, scaled and split."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import InputError, short
from symbackprop.files import UNREADABLE
from symbackprop.losses import LOSSES, Target
from symbackprop.network import DataFile, Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """Arrays for training and for validation, the samples along the first axis.

    `x` is float64; `y` is int64 for labels and float64 else. Held out are
    `x_validation` and `y_validation`, which may be empty.
    """

    x: Array
    y: Array
    x_validation: Array
    y_validation: Array

    @property
    def validation(self) -> tuple[Array, Array] | None:
        """The held-out pair, as `train` takes it; None where nothing is held out."""
        if not len(self.x_validation):
            return None
        return self.x_validation, self.y_validation


def read(network: Network, seed: int | None = None) -> Dataset:
    """The data that a network's file names, split by a seed.

    Args:
        network: a network with `data`.
        seed: of the split; None for that of the network's `training`, else 0.

    Raises:
        InputError: a file that is missing or cannot be read, or data that do not fit.
    """
    data = network.data
    if data is None:
        raise InputError(
            f"network `{network.name}` names no data; give its file a [data] table."
        )
    if not data.file.is_file():
        raise InputError(
            f"data file `{data.file}` is not there; a relative path is looked up "
            "from the folder of the network's file."
        )
    arrays = _READERS.get(data.file.suffix.lower())
    if arrays is None:
        raise InputError(
            f"data file `{data.file}` ends in `{data.file.suffix}`; give .npz or .csv."
        )
    x, y = arrays(data.file)
    target = data.target or LOSSES[network.loss].targets[0]
    place = str(data.file)
    x = _inputs(place, x, network)
    y = _targets(place, y, target, network.outputs)
    if len(x) != len(y):
        raise InputError(f"{place}: `x` has {len(x)} samples, but `y` has {len(y)}.")
    if seed is None:
        seed = network.training.seed if network.training else 0
    return _split(place, x, y, data, seed)


def _npz(file: Path) -> tuple[Array, Array]:
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            missing = [name for name in ("x", "y") if name not in archive.files]
            if missing:
                raise InputError(
                    f"{file}: there is no array `{missing[0]}`, only "
                    f"{', '.join(archive.files) or 'none'}; store `x` and `y`."
                )
            x, y = archive["x"], archive["y"]
            if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
                raise TypeError("x and y are no arrays")
            return x, y
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(
            f"{file} cannot be read as .npz ({str(error)[:200]}); write it with "
            "np.savez_compressed(file, x=x, y=y), without objects."
        ) from error


def _csv(file: Path) -> tuple[Array, Array]:
    """All columns but the last as `x`, the last as `y`; one line of heads may lead."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        lines = [(n, row) for n, row in _rows(text) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read as .csv: {error}.") from error
    if lines and all(_number(entry) is None for entry in lines[0][1]):
        del lines[0]
    if not lines:
        raise InputError(f"{file}: there are no samples in it.")
    width = len(lines[0][1])
    if width < 2:
        raise InputError(
            f"{file}: there is one column; give the inputs and then the target, "
            "separated by commas."
        )
    table = np.empty((len(lines), width))
    for place, (number, row) in enumerate(lines):
        if len(row) != width:
            raise InputError(
                f"{file}, line {number}: there are {len(row)} columns, "
                f"but {width} in the lines before."
            )
        for column, entry in enumerate(row):
            value = _number(entry)
            if value is None:
                raise InputError(
                    f"{file}, line {number}, column {column + 1}: {short(entry)} is "
                    "not a number; code classes as 0, 1, 2, ..."
                )
            table[place, column] = value
    return table[:, :-1], table[:, -1]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines())
    for row in reader:
        yield reader.line_num, row


def _number(entry: str) -> float | None:
    try:
        return float(entry)
    except ValueError:
        return None


_READERS = {".npz": _npz, ".csv": _csv}


def _inputs(place: str, x: Array, network: Network) -> Array:
    assert isinstance(network.inputs, tuple)
    _real(place, "x", x)
    if x.ndim == 0 or not len(x):
        raise InputError(f"{place}: there are no samples in `x`.")
    if x[0].size != np.prod(network.inputs):
        raise InputError(
            f"{place}: a sample of `x` has shape {x.shape[1:]}, but the network's "
            f"inputs have {network.inputs}; change `inputs` or the data."
        )
    return np.asarray(x, np.float64).reshape(len(x), *network.inputs)


def _targets(place: str, y: Array, target: Target, outputs: tuple[int, ...]) -> Array:
    """`y` as its loss takes it: rows of 0 and one 1, class labels, or values."""
    _real(place, "y", y)
    if target == "value":
        if y.ndim == 0 or (len(y) and y[0].size != np.prod(outputs)):
            raise InputError(
                f"{place}: a sample of `y` has shape {y.shape[1:]}, but the network's "
                f"output has {outputs}."
            )
        return np.asarray(y, np.float64).reshape(len(y), *outputs)
    if len(outputs) != 1:
        raise InputError(
            f'{place}: target "{target}" needs an output with one axis, but the '
            f"network's output has shape {outputs}."
        )
    (classes,) = outputs
    if y.ndim != 1:
        if target == "one_hot" and y.shape[1:] == outputs:
            return _one_hot_rows(place, np.asarray(y, np.float64))
        raise InputError(
            f"{place}: `y` has shape {y.shape}; give one class label a sample."
        )
    labels = y.astype(np.int64)
    wrong = np.flatnonzero((labels != y) | (labels < 0) | (labels >= classes))
    if len(wrong):
        raise InputError(
            f"{place}: the label of sample {wrong[0]} (counted from 0) is "
            f"{y[wrong[0]]}, but the {classes} classes are 0 to {classes - 1}."
        )
    return np.eye(classes)[labels] if target == "one_hot" else labels


def _one_hot_rows(place: str, y: Array) -> Array:
    wrong = np.flatnonzero(((y != 0) & (y != 1)).any(1) | (y.sum(1) != 1))
    if len(wrong):
        raise InputError(
            f"{place}: row {wrong[0]} of `y` (counted from 0) is not one-hot; give "
            'class labels, or `target = "value"` for probabilities.'
        )
    return y


def _real(place: str, name: str, array: Array) -> None:
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"{place}: `{name}` is of type {array.dtype}; give real numbers."
        )
    if not np.isfinite(array).all():
        wrong = tuple(int(n) for n in np.argwhere(~np.isfinite(array))[0])
        raise InputError(
            f"{place}: `{name}` is {array[wrong]} at {wrong} (counted from 0); "
            "remove or fill what is not finite."
        )


def _split(place: str, x: Array, y: Array, data: DataFile, seed: int) -> Dataset:
    """Hold out the first part of a seeded permutation; scale by what remains."""
    held = round(data.validation * len(x))
    if (data.validation and not held) or held == len(x):
        raise InputError(
            f"{place}: of {len(x)} samples, the fraction {data.validation} holds out "
            f"{held}; both parts need at least one. Change `validation`."
        )
    order = np.random.default_rng(seed).permutation(len(x))
    out, kept = order[:held], order[held:]
    shift: Array = np.zeros(x.shape[1:])
    width: Array = np.ones(x.shape[1:])
    if data.scale == "standard":
        # A constant column has a mean and a deviation that are off by rounding.
        constant = x[kept].max(0) == x[kept].min(0)
        shift = np.where(constant, x[kept].max(0), x[kept].mean(0))
        width = np.where(constant, 0.0, x[kept].std(0))
    elif data.scale == "max":
        width = np.full(x.shape[1:], np.abs(x[kept]).max())
    x = (x - shift) / np.where(width > 0, width, 1.0)
    return Dataset(x[kept], y[kept], x[out], y[out])
