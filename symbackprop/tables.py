"""A table of TOML -> values: known keys alone, each of the type that it should have."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from symbackprop.errors import (
    DeclarationError,
    InputError,
    SymbackpropError,
    nearest,
    short,
)

_LONGEST = 2_000_000  # bytes of a file


def read_table(file: Path) -> dict[str, Any]:
    """What a TOML file holds, if it is no longer than any declaration.

    Raises:
        InputError: the file is not there or cannot be read.
        DeclarationError: it is not TOML.
    """
    try:
        if file.exists() and not file.is_file():
            raise InputError(
                f"{file} cannot be read: it is no regular file. Give a .toml file."
            )
        with open(file, "rb") as stream:
            data = stream.read(_LONGEST + 1)
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror or error}."
        ) from error
    if len(data) > _LONGEST:
        raise InputError(f"{file} is longer than {_LONGEST:,} bytes.")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # TOML's own errors are ValueErrors
        told = str(error)[:200]  # it may repeat a line as long as the file
        raise DeclarationError(f"{file} is not TOML: {told}.") from error


@contextmanager
def within(place: str) -> Iterator[None]:
    """Errors from inside say first where they stand: `layers[2]: ...`."""
    try:
        yield
    except SymbackpropError as error:
        raise type(error)(f"{place}: {error}") from error


def value_of(place: str, kind: type[Any], table: Mapping[str, Any]) -> Any:
    """A table => a value of a dataclass, each entry of the type its field has."""
    declared = {field.name: field for field in fields(kind)}
    needed = tuple(
        name
        for name, field in declared.items()
        if field.default is MISSING and field.default_factory is MISSING
    )
    known_keys(place, table, tuple(declared), needed)
    hints = get_type_hints(kind)
    for name, value in table.items():
        typed(f"{place}.{name}", value, hints[name])
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    with within(place):
        return kind(**given)


def known_keys(
    place: str,
    table: Mapping[str, Any],
    known: tuple[str, ...],
    needed: tuple[str, ...] = (),
) -> None:
    """Refuse keys that are not known, naming the nearest, and a needed one left out."""
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


def one_key_of(place: str, name: Any, known: Mapping[str, Any]) -> str:
    """A name that a table of kinds has."""
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


def typed(place: str, value: Any, hint: Any) -> None:
    """Refuse a value of another type than a dataclass's field would have."""
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
