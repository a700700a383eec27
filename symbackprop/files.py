"""Files: a network's declaration in TOML, and writing that is never seen half-done."""

from __future__ import annotations

import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import (
    DeclarationError,
    InputError,
    short,
)
from symbackprop.layers import Layer
from symbackprop.network import DataFile, Frobenius, Network, path_of
from symbackprop.optimisers import Clip, Optimiser, Schedule, option_names
from symbackprop.settings import Training
from symbackprop.tables import (
    known_keys,
    one_key_of,
    read_table,
    typed,
    value_of,
    within,
)

# What NumPy and zipfile raise for a file that is no archive of plain arrays.
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def load(path: str | Path) -> Network:
    """The network that a TOML file declares.

    Keys that are not known, values of a wrong type and layers that do not fit are
    errors that name their place; layers are counted from 1, as their names are.

    Raises:
        InputError: the file is not there or cannot be read.
        DeclarationError: it does not declare a network.
    """
    file = path_of("load", path)
    table = read_table(file)
    with within(str(file)):
        return network_of(table, file.parent)


def write_atomically(path: str | Path, content: str | bytes) -> bool:
    """Write a file whole or not at all; leave it alone where nothing would change.

    Returns:
        Whether the file was written.

    Raises:
        InputError: the file cannot be written there.
    """
    file = Path(os.path.realpath(path))
    data = content.encode() if isinstance(content, str) else content
    try:
        with suppress(FileNotFoundError):
            if file.read_bytes() == data:
                return False
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror or error}."
        ) from error
    with replacing(file) as stream:
        stream.write(data)
    return True


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """A stream whose content takes a file's place when the block ends, or never.

    Raises:
        InputError: the file cannot be written there.
    """
    file = Path(os.path.realpath(path))
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            with open(beside, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if file.exists():
                shutil.copymode(file, beside)
            os.replace(beside, file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror or error}."
        ) from error


def write_arrays(stream: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz archive, without a second copy of any array in memory.

    Unlike np.savez it takes every name, `file` too; the same arrays give the same
    bytes.
    """
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            whole = np.require(array, requirements=["C"])
            header = np.lib.format.header_data_from_array_1_0(whole)
            info = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, header)
                if whole.size:
                    member.write(whole.reshape(-1).view(np.uint8).data)


def network_of(table: dict[str, Any], folder: Path) -> Network:
    """A whole file => a network; its data lie in the folder, or where they say.

    `{"name": "digits", "layers": [{...}, ...], ...}` => `Network("digits", [...])`

    Raises:
        DeclarationError: it does not declare a network.
    """
    keys = tuple(field.name for field in fields(Network))
    known_keys("", table, keys, ("name", "inputs", "layers", "loss"))
    typed("name", table["name"], str)
    typed("inputs", table["inputs"], int | tuple[int, ...])
    typed("loss", table["loss"], str)
    layers = table["layers"]
    if not isinstance(layers, list) or not all(isinstance(e, dict) for e in layers):
        raise DeclarationError("layers: write each layer as a table under [[layers]].")
    given = {
        key: table[key] for key in ("name", "inputs", "loss", "dtype") if key in table
    }
    return Network(
        layers=[_layer(f"layers[{n}]", entry) for n, entry in enumerate(layers, 1)],
        penalty=_penalty(table["penalty"]) if "penalty" in table else None,
        data=_data(table["data"], folder) if "data" in table else None,
        training=_training(table["training"]) if "training" in table else None,
        **given,
    )


def _layer(place: str, table: dict[str, Any]) -> Layer:
    """`{type = "dense", units = 32}` => `Dense(32)`"""
    kind = one_key_of(f"{place}.type", table.get("type"), Layer.registry)
    rest = {key: value for key, value in table.items() if key != "type"}
    layer: Layer = value_of(place, Layer.registry[kind], rest)
    return layer


def _penalty(table: Any) -> Frobenius:
    """`{frobenius = 1e-4}` => `Frobenius(1e-4)`"""
    typed("penalty", table, dict)
    known_keys("penalty", table, ("frobenius",), ("frobenius",))
    typed("penalty.frobenius", table["frobenius"], float)
    return Frobenius(table["frobenius"])


def _data(table: Any, folder: Path) -> DataFile:
    typed("data", table, dict)
    file = table.get("file")
    if "file" in table:
        typed("data.file", file, str)
        table = {**table, "file": folder / str(file)}
    made: DataFile = value_of("data", DataFile, table)
    return made


def _training(table: Any) -> Training:
    """Each part by its name, as in `{optimiser = {adam = 1e-3}}`."""
    typed("training", table, dict)
    given = dict(table)
    if "optimiser" in table:
        as_in = "{ adam = 1e-3 } or { sgd = { rate = 0.1, momentum = 0.9 } }"
        given["optimiser"] = _one_of_kind(
            "training.optimiser", table["optimiser"], Optimiser.registry, as_in
        )
    if "schedule" in table:
        as_in = "{ cosine = 30 } or { step = { every = 10, factor = 0.5 } }"
        given["schedule"] = _one_of_kind(
            "training.schedule", table["schedule"], Schedule.registry, as_in
        )
    if "clip" in table:
        typed("training.clip", table["clip"], dict)
        given["clip"] = value_of("training.clip", Clip, table["clip"])
    made: Training = value_of("training", Training, given)
    return made


def _one_of_kind(
    place: str, table: Any, registry: Mapping[str, type[Any]], as_in: str
) -> Any:
    """`{adam = 1e-3}` or `{sgd = {rate = 0.1, momentum = 0.9}}` => an optimiser."""
    typed(place, table, dict)
    if len(table) != 1:
        raise DeclarationError(
            f"{place} has {len(table)} keys; name one {place.split('.')[1]}, as in "
            f"{as_in}."
        )
    ((name, options),) = table.items()
    kind = registry[one_key_of(place, name, registry)]
    if not isinstance(options, dict):
        alone = option_names(kind)
        if not alone:
            raise DeclarationError(
                f"{place}.{name} is {short(options)}; give a table of options, {{}} "
                "for none."
            )
        options = {alone[0]: options}
    return value_of(f"{place}.{name}", kind, options)
