"""The words of one language: phrases filled in, lists, equation numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from symbackprop.document.chapter import Code, Inline, Math, Ref
from symbackprop.document.phrases import LANGUAGES, PHRASES
from symbackprop.errors import DeclarationError, nearest

MANY = 8  # equation numbers in a list that is not shortened


def check_language(language: object) -> str:
    """The language, if documents speak it.

    Raises:
        DeclarationError: it is not spoken.
    """
    if language not in LANGUAGES:
        spoken = ", ".join(f'"{each}"' for each in LANGUAGES)
        raise DeclarationError(
            f"document: language {language!r} is not spoken; there is {spoken}."
            f"{nearest(str(language), LANGUAGES)} Pass one of these as `language`."
        )
    return str(language)


class Words:
    """The phrases of one language.

    >>> Words("en")("rule chain rule", equations=(Ref(3),))
    ('chain rule, through ', Ref(number=3))
    """

    def __init__(self, language: str) -> None:
        self.language = check_language(language)

    def __call__(self, key: str, **parts: str | int | Math | Code | Inline) -> Inline:
        """A phrase with its parts filled in.

        `{n:array|arrays}` is the number with the noun for one, or for more.
        """
        filled: list[str | Math | Code | Ref] = []
        for piece in re.split(r"(\{[^{}]+\})", PHRASES[key][self.language]):
            if not piece.startswith("{"):
                filled.append(piece)
                continue
            name, _, nouns = piece[1:-1].partition(":")
            part = parts[name]
            if nouns:
                one, more = nouns.split("|")
                part = f"{part} {one if part == 1 else more}"
            if isinstance(part, tuple):
                filled.extend(part)
            else:
                filled.append(str(part) if isinstance(part, int) else part)
        return tuple(piece for piece in filled if piece != "")

    def knows(self, key: str) -> bool:
        """Whether there is such a phrase."""
        return key in PHRASES

    def text(self, key: str) -> str:
        """A phrase without parts."""
        return PHRASES[key][self.language]

    def numbers(self, numbers: Iterable[int]) -> Inline:
        """Equation numbers in order: `(1)-(3), (7)`; very many are shortened."""
        found: list[list[int]] = []
        for number in sorted(set(numbers)):
            if found and found[-1][-1] + 1 == number:
                found[-1].append(number)
            else:
                found.append([number])
        shown: list[Inline] = []
        for run in found:
            if len(run) > 2:
                shown.append((Ref(run[0]), "–", Ref(run[-1])))
            else:
                shown += [(Ref(number),) for number in run]
        if len(shown) > MANY:
            shown = [*shown[:2], ("…",), shown[-1]]
        return self.joined(shown)

    def joined(self, parts: Sequence[Inline]) -> Inline:
        """Runs of text with commas between them."""
        comma = self.text("comma")
        return tuple(
            piece
            for place, part in enumerate(parts)
            for piece in ((comma, *part) if place else part)
        )

    def listed(self, parts: Iterable[Math | Code]) -> Inline:
        """Several things: `a, b and c`."""
        everything = list(parts)
        filled: list[str | Math | Code | Ref] = []
        for place, part in enumerate(everything):
            if place:
                last = place == len(everything) - 1
                filled.append(self.text("and" if last else "comma"))
            filled.append(part)
        return tuple(filled)
