"""Files: a network's declaration in TOML, and writing that is never seen half-done."""

from __future__ import annotations

import os
import shutil
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Any, BinaryIO, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import (
    DeclarationError,
    InputError,
    SymbackpropError,
    nearest,
    short,
)
from symbackprop.layers import Layer
from symbackprop.network import DataFile, Frobenius, Network, path_of
from symbackprop.optimisers import Clip, Optimiser, Schedule, option_names
from symbackprop.settings import Training

_LONGEST = 2_000_000  # bytes of a network's file

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
    try:
        if file.exists() and not file.is_file():
            raise InputError(
                f"{file} cannot be read: it is no regular file. Give a .toml file."
            )
        with open(file, "rb") as stream:
            read = stream.read(_LONGEST + 1)
        data = read if len(read) <= _LONGEST else None
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror or error}."
        ) from error
    if data is None:
        raise InputError(f"{file} is longer than {_LONGEST:,} bytes.")
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # TOML's own errors are ValueErrors
        told = str(error)[:200]  # it may repeat a line as long as the file
        raise DeclarationError(f"{file} is not TOML: {told}.") from error
    try:
        return _network(table, file)
    except SymbackpropError as error:
        raise type(error)(f"{file}: {error}") from error


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


def _network(table: dict[str, Any], file: Path) -> Network:
    """A whole file => a network.

    `{"name": "digits", "layers": [{...}, ...], ...}` => `Network("digits", [...])`
    """
    keys = tuple(field.name for field in fields(Network))
    _known_keys("", table, keys, ("name", "inputs", "layers", "loss"))
    _typed("name", table["name"], str)
    _typed("inputs", table["inputs"], int | tuple[int, ...])
    _typed("loss", table["loss"], str)
    layers = table["layers"]
    if not isinstance(layers, list) or not all(isinstance(e, dict) for e in layers):
        raise DeclarationError("layers: write each layer as a table under [[layers]].")
    given = {
        key: table[key] for key in ("name", "inputs", "loss", "dtype") if key in table
    }
    return Network(
        layers=[_layer(f"layers[{n}]", entry) for n, entry in enumerate(layers, 1)],
        penalty=_penalty(table["penalty"]) if "penalty" in table else None,
        data=_data(table["data"], file.parent) if "data" in table else None,
        training=_training(table["training"]) if "training" in table else None,
        **given,
    )


def _layer(place: str, table: dict[str, Any]) -> Layer:
    """`{type = "dense", units = 32}` => `Dense(32)`"""
    kind = _one_key_of(f"{place}.type", table.get("type"), Layer.registry)
    rest = {key: value for key, value in table.items() if key != "type"}
    layer: Layer = _dataclass(place, Layer.registry[kind], rest)
    return layer


def _penalty(table: Any) -> Frobenius:
    """`{frobenius = 1e-4}` => `Frobenius(1e-4)`"""
    _typed("penalty", table, dict)
    _known_keys("penalty", table, ("frobenius",), ("frobenius",))
    _typed("penalty.frobenius", table["frobenius"], float)
    return Frobenius(table["frobenius"])


def _data(table: Any, folder: Path) -> DataFile:
    _typed("data", table, dict)
    file = table.get("file")
    if "file" in table:
        _typed("data.file", file, str)
        table = {**table, "file": folder / str(file)}
    made: DataFile = _dataclass("data", DataFile, table)
    return made


def _training(table: Any) -> Training:
    """Each part by its name, as in `{optimiser = {adam = 1e-3}}`."""
    _typed("training", table, dict)
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
        _typed("training.clip", table["clip"], dict)
        given["clip"] = _dataclass("training.clip", Clip, table["clip"])
    made: Training = _dataclass("training", Training, given)
    return made


def _one_of_kind(
    place: str, table: Any, registry: Mapping[str, type[Any]], as_in: str
) -> Any:
    """`{adam = 1e-3}` or `{sgd = {rate = 0.1, momentum = 0.9}}` => an optimiser."""
    _typed(place, table, dict)
    if len(table) != 1:
        raise DeclarationError(
            f"{place} has {len(table)} keys; name one {place.split('.')[1]}, as in "
            f"{as_in}."
        )
    ((name, options),) = table.items()
    kind = registry[_one_key_of(place, name, registry)]
    if not isinstance(options, dict):
        alone = option_names(kind)
        if not alone:
            raise DeclarationError(
                f"{place}.{name} is {short(options)}; give a table of options, {{}} "
                "for none."
            )
        options = {alone[0]: options}
    return _dataclass(f"{place}.{name}", kind, options)


def _dataclass(place: str, kind: type[Any], table: Mapping[str, Any]) -> Any:
    """A table => a value of a dataclass, each entry of the type its field has."""
    declared = {field.name: field for field in fields(kind)}
    needed = tuple(
        name
        for name, field in declared.items()
        if field.default is MISSING and field.default_factory is MISSING
    )
    _known_keys(place, table, tuple(declared), needed)
    hints = get_type_hints(kind)
    for name, value in table.items():
        _typed(f"{place}.{name}", value, hints[name])
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    try:
        return kind(**given)
    except SymbackpropError as error:
        raise type(error)(f"{place}: {error}") from error


def _known_keys(
    place: str,
    table: Mapping[str, Any],
    known: tuple[str, ...],
    needed: tuple[str, ...],
) -> None:
    dot = f"{place}." if place else ""
    for key in table:
        if key not in known:
            raise DeclarationError(
                f"{dot}{key[:80]} is not known here.{nearest(key, known)} "
                f"Known are {', '.join(known) or 'no keys'}."
            )
    for key in needed:
        if key not in table:
            raise DeclarationError(f"{dot}{key} is missing; it has no default.")


def _one_key_of(place: str, name: Any, known: Mapping[str, Any]) -> str:
    if name is None:
        raise DeclarationError(
            f"{place} is missing; give one of {', '.join(sorted(known))}."
        )
    if not isinstance(name, str) or name not in known:
        raise DeclarationError(
            f"{place}: {short(name)} is not known.{nearest(name, known)} "
            f"Known are {', '.join(sorted(known))}."
        )
    return name


def _typed(place: str, value: Any, hint: Any) -> None:
    if not _fits(value, hint):
        raise DeclarationError(
            f"{place} is {short(value)} ({_kind(value)}), where {_words(hint)} is "
            "expected."
        )


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value, as TOML gives it, is of the type of a dataclass's field."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        whole = isinstance(value, list | tuple)
        return whole and all(_fits(entry, inner[0]) for entry in value)
    if origin is not None:  # a mapping from names
        whole = isinstance(value, dict)
        return whole and all(_fits(entry, inner[1]) for entry in value.values())
    if isinstance(value, bool):
        return bool(hint is bool)
    if hint is float:
        return isinstance(value, int | float)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    """A type in words: `tuple[str, ...]` => "a list of strings"."""
    plain = {
        int: "a whole number",
        float: "a number",
        str: "a string",
        bool: "true or false",
        dict: "a table",
        type(None): "nothing",
    }
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        choices = [_words(i) for i in inner if i is not type(None)]
        return " or ".join(choices)
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in inner)
    if origin is tuple:
        return f"a list, each entry {_words(inner[0])},"
    if origin is not None:
        return f"a table, each entry {_words(inner[1])},"
    return plain.get(hint) or str(hint.__name__)


def _kind(value: Any) -> str:
    """A value's type in TOML's words."""
    names = {bool: "true or false", int: "whole number", float: "number"}
    names |= {str: "string", list: "list", dict: "table"}
    return names.get(type(value), type(value).__name__)
