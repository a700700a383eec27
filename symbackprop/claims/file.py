"""A file of claims in TOML, and the programs that they are about.

title = { en = "Feedforward networks", zh = "前馈神经网络" }
sections = { "4.3" = { en = "Networks", zh = "网络" } }

[programs.layers]
file = "layers.toml"               # a network's file, or a program's

[programs.neuron]                  # or the fields of a Program
equations = "z = sum(w[i]*x[i], i) + b"
...

[[claims]]
section = "4.3"
program = "layers"                 # none: about functions of numbers
text = "D(L, W2) = delta2 @ a1.T"
tex = "..."                        # the formula as its author wrote it
note = { en = "...", zh = "..." }
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symbackprop.claims.reading.matrices import LAYOUTS
from symbackprop.claims.reading.text import parse
from symbackprop.claims.tex import read_tex
from symbackprop.document.phrases import LANGUAGES
from symbackprop.errors import DeclarationError, short
from symbackprop.files import network_of
from symbackprop.network import path_of
from symbackprop.program import Program
from symbackprop.tables import known_keys, one_key_of, read_table, typed, within

WORDS_LIMIT = 2_000  # characters of a title or note
LATIN = re.compile("[ -~\u00c0-\u00ff–—‘’“”…]*")  # what every LaTeX sets

Texts = Mapping[str, str]  # by language; English is always there

_SECTION = re.compile(r"\d{1,4}(\.\d{1,4}){0,5}")
_DECLARED = {
    name: parameter.default is parameter.empty
    for name, parameter in inspect.signature(Program).parameters.items()
}


@dataclass(frozen=True)
class Quoted:
    """A claim, as it is quoted from where it stands.

    Attributes:
        text: the claim.
        section: where it stands: "4.1.1"; "" if that is not said.
        program: what it is about; None for functions of numbers.
        tex: the formula as its author wrote it, in LaTeX; "" if that is not said.
        note: on how it is read, by language.
        layout: of derivatives in matrix form.
    """

    text: str
    section: str = ""
    program: Program | None = None
    tex: str = ""
    note: Texts = field(default_factory=dict)
    layout: str = LAYOUTS[0]


@dataclass(frozen=True)
class Claims:
    """The claims of a file in their order.

    Attributes:
        quoted: the claims.
        title: by language; empty for none.
        sections: their titles, by number and language.
    """

    quoted: tuple[Quoted, ...]
    title: Texts = field(default_factory=dict)
    sections: Mapping[str, Texts] = field(default_factory=dict)


def read(path: str | Path) -> Claims | Program:
    """What a file declares: claims, or the program of a program's or network's file.

    Raises:
        InputError: the file is not there or cannot be read.
        DeclarationError: it declares none of these.
    """
    file = path_of("verify", path)
    table = read_table(file)
    with within(str(file)):
        if "claims" in table:
            return _claims(table, file.parent)
        return _declared(table, file.parent)


def _claims(table: Mapping[str, Any], folder: Path) -> Claims:
    keys = ("title", "sections", "layout", "programs", "claims")
    known_keys("", table, keys, ("claims",))
    layout = table.get("layout", LAYOUTS[0])
    one_key_of("layout", layout, dict.fromkeys(LAYOUTS))
    sections = table.get("sections", {})
    typed("sections", sections, dict)
    programs = table.get("programs", {})
    typed("programs", programs, dict)
    found = {
        name: _program(f"programs.{name}", name, declared, folder)
        for name, declared in programs.items()
    }
    claims = table["claims"]
    if not isinstance(claims, list) or not claims:
        raise DeclarationError("claims: write each claim as a table under [[claims]].")
    return Claims(
        tuple(
            _quoted(f"claims[{number}]", claim, found, layout)
            for number, claim in enumerate(claims, 1)
        ),
        _texts("title", table["title"]) if "title" in table else {},
        {
            _section("sections", number): _texts(f'sections."{number}"', words)
            for number, words in sections.items()
        },
    )


def _quoted(
    place: str, table: Any, programs: Mapping[str, Program], layout: str
) -> Quoted:
    typed(place, table, dict)
    known = ("section", "program", "text", "tex", "note", "layout")
    known_keys(place, table, known, ("text",))
    for key in ("section", "program", "text", "tex"):
        typed(f"{place}.{key}", table.get(key, ""), str)
    with within(f"{place}.text"):
        text = parse(table["text"]).text
    tex = ""
    if "tex" in table:
        with within(f"{place}.tex"):
            tex = read_tex(table["tex"])
    program = None
    if "program" in table:
        name = one_key_of(f"{place}.program", table["program"], programs)
        program = programs[name]
    layout = table.get("layout", layout)
    one_key_of(f"{place}.layout", layout, dict.fromkeys(LAYOUTS))
    section = (
        _section(f"{place}.section", table["section"]) if "section" in table else ""
    )
    note = _texts(f"{place}.note", table["note"]) if "note" in table else {}
    return Quoted(text, section, program, tex, note, layout)


def _program(place: str, name: str, table: Any, folder: Path) -> Program:
    """`{file = "layers.toml"}`, or the fields of a program."""
    typed(place, table, dict)
    if "file" not in table:
        with within(place):
            return _of_fields({**table, "name": name})
    known_keys(place, table, ("file",))
    typed(f"{place}.file", table["file"], str)
    file = path_of(f"{place}.file", folder / table["file"])
    with within(place):
        declared = read_table(file)
        with within(str(file)):
            return _declared(declared, file.parent)


def _declared(table: dict[str, Any], folder: Path) -> Program:
    """The program that a network's or a program's own file declares."""
    if "equations" in table:
        return _of_fields(table)
    return network_of(table, folder).program


def _of_fields(table: Mapping[str, Any]) -> Program:
    """`{equations = "...", axes = {...}, ...}` => `Program("...", {...}, ...)`"""
    needed = tuple(name for name, always in _DECLARED.items() if always)
    known_keys("", table, tuple(_DECLARED), needed)
    return Program(**table)


def _section(place: str, number: str) -> str:
    if not _SECTION.fullmatch(number):
        raise DeclarationError(
            f"{place}: {short(number)} is no number of a section; write it as in "
            '"4.1.1".'
        )
    return number


def _texts(place: str, table: Any) -> Texts:
    """Words by language: `{en = "Neurons", zh = "神经元"}`."""
    typed(place, table, dict)
    known_keys(place, table, LANGUAGES, ("en",))
    for language, text in table.items():
        typed(f"{place}.{language}", text, str)
        if not text.strip() or len(text) > WORDS_LIMIT or not text.isprintable():
            raise DeclarationError(
                f"{place}.{language}: write one line of at most {WORDS_LIMIT} "
                "characters."
            )
    if not LATIN.fullmatch(table["en"]):
        odd = next(c for c in table["en"] if not LATIN.fullmatch(c))
        raise DeclarationError(
            f"{place}.en: {odd!r} is no Latin letter or sign; it can stand in the "
            "other languages' words alone."
        )
    return dict(table)
