"""`Derivation` -> a document: one chapter, printed as LaTeX, HTML, Markdown or PDF."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from symbackprop import __version__
from symbackprop.document import Chapter
from symbackprop.document.words import check_language
from symbackprop.errors import DeclarationError, InputError, nearest, short
from symbackprop.files import write_atomically
from symbackprop.network import path_of
from symbackprop.proof import Derivation
from symbackprop.shown import Shown

if TYPE_CHECKING:
    from symbackprop.document.web import Measured

NOTATIONS = ("both", "index", "matrix")


@dataclass(frozen=True)
class Document(Shown):
    """A derivation in words and equations.

    Attributes:
        name: the program's name.
        chapter: what the document says, section by section.
        derivation: what it is told of; the page shows its code beside its equations.
    """

    name: str
    chapter: Chapter
    derivation: Derivation | None = field(default=None, repr=False, compare=False)

    @cached_property
    def latex(self) -> str:
        """A complete file for pdflatex, or for xelatex where it is Chinese."""
        from symbackprop.document.page import latex

        mark = "" if self.derivation is None else origin(self.derivation) + "\n"
        return mark + latex(self.chapter)

    @cached_property
    def code(self) -> Mapping[int, str]:
        """The emitted block of code that computes each numbered equation."""
        from symbackprop.source import excerpts

        if self.derivation is None:
            return MappingProxyType({})
        return excerpts(self.derivation)

    @cached_property
    def html(self) -> str:
        """One page that needs nothing else, and shows the code of each equation."""
        return self.page()

    def page(self, *measured: Measured) -> str:
        """The same page with further sections behind it: a `Report`, or studies."""
        from symbackprop.document.web import html

        return html(self.chapter, self.code, measured)

    @cached_property
    def markdown(self) -> str:
        """Markdown as GitHub shows it, with mathematics and Mermaid pictures."""
        from symbackprop.document.markdown import markdown

        return markdown(self.chapter)

    def pdf(self) -> bytes:
        """The pages that LaTeX sets; it takes some seconds.

        Raises:
            InputError: LaTeX is not installed, or refuses the file.
        """
        from symbackprop.document.typesetting import pdf

        return pdf(self.latex, self.chapter.language)

    def save(self, path: str | Path) -> None:
        """Write the document to a file, whole or not at all; its suffix says as what.

        Args:
            path: a file's name that ends in .tex, .html, .md or .pdf.

        Raises:
            InputError: another suffix, or the file cannot be written.
        """
        file = path_of("save", path)
        made = FORMATS[format_of(file)](self)
        write_atomically(file, made)


# What each suffix holds.
FORMATS: Mapping[str, Callable[[Document], str | bytes]] = MappingProxyType(
    {
        ".tex": lambda document: document.latex,
        ".html": lambda document: document.html,
        ".md": lambda document: document.markdown,
        ".pdf": lambda document: document.pdf(),
    }
)


def origin(derivation: Derivation) -> str:
    """The first line of a LaTeX file: what it is printed from, and by what."""
    declared = repr(derivation.program.__reduce__()[1])
    digest = hashlib.sha256(declared.encode()).hexdigest()[:16]
    return f"% Derived by symbackprop {__version__} from the declaration {digest}."


def format_of(path: Path) -> str:
    """The suffix of a file, if documents are written so.

    Raises:
        InputError: they are not.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{path}: a document is written as {', '.join(FORMATS)}, "
            f"not as {suffix or 'a file without a suffix'}."
            f"{nearest(suffix, FORMATS)} Choose one of these endings."
        )
    return suffix


def document(
    derivation: Derivation, language: str = "en", notation: str = "both"
) -> Document:
    r"""Write a derivation down: notation, forward and adjoint equations, gradients.

    Args:
        derivation: what `derive` returned.
        language: "en" or "zh".
        notation: "index": every equation with its indices; "matrix": in matrix form,
            where it has one; "both": with its indices, and then in matrix form.

    Raises:
        CheckError: a witness refutes a line of a proof.
        DeclarationError: no derivation came, or a language or notation that there is
            not.

    >>> import symbackprop as sb
    >>> square = sb.Program(equations="L = sum(w[i]**2, i)", axes={"i": 3},
    ...                     parameters={"w": "i"}, data={}, objective="L")
    >>> document = sb.document(sb.derive(square))
    >>> print(document.chapter.equations()[1].latex)
    \frac{\mathrm{d} L}{\mathrm{d} w_{i}} = 2 w_{i}
    """
    from symbackprop.document.contents import chapter

    if not isinstance(derivation, Derivation):
        raise DeclarationError(
            f"document: expected a Derivation, got {short(derivation)}. Pass what "
            "`derive` returns."
        )
    check_language(language)
    if notation not in NOTATIONS:
        known = ", ".join(f'"{each}"' for each in NOTATIONS)
        raise DeclarationError(
            f"document: notation {short(notation)} is not written; there is {known}."
            f"{nearest(str(notation), NOTATIONS)} Pass one of these as `notation`."
        )
    told = chapter(derivation, language, notation)
    return Document(derivation.program.name, told, derivation)
