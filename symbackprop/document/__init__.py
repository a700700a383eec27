"""`Derivation` -> a document: sections of words and numbered equations, as LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from symbackprop.document.chapter import Chapter
from symbackprop.document.words import check_language
from symbackprop.errors import DeclarationError, nearest

if TYPE_CHECKING:
    from symbackprop.proof import Derivation

__all__ = ["Chapter", "Document", "document"]

NOTATIONS = ("both", "index", "matrix")


@dataclass(frozen=True)
class Document:
    """A derivation in words and equations.

    Attributes:
        name: the program's name.
        chapter: what the document says, section by section.
    """

    name: str
    chapter: Chapter

    @cached_property
    def latex(self) -> str:
        """A complete file for pdflatex."""
        from symbackprop.document.page import latex

        return latex(self.chapter)


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
        DeclarationError: a language or notation that there is not.

    >>> import symbackprop as sb
    >>> square = sb.Program(equations="L = sum(w[i]**2, i)", axes={"i": 3},
    ...                     parameters={"w": "i"}, data={}, objective="L")
    >>> document = sb.document(sb.derive(square))
    >>> print(document.chapter.equations()[1].latex)
    \frac{\partial L}{\partial w_{i}} = 2 w_{i}
    """
    from symbackprop.document.contents import chapter

    check_language(language)
    if notation not in NOTATIONS:
        known = ", ".join(f'"{each}"' for each in NOTATIONS)
        raise DeclarationError(
            f"document: notation {notation!r} is not written; there is {known}."
            f"{nearest(str(notation), NOTATIONS)} Pass one of these as `notation`."
        )
    return Document(derivation.program.name, chapter(derivation, language, notation))
