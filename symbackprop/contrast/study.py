"""A study: one question, measured; a figure, and a paragraph of what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.errors import InputError
from symbackprop.program import Program

Tell = Callable[[str], None]  # is called with what is being done


@dataclass(frozen=True)
class Study:
    """What one study found.

    Attributes:
        name: as on the command line: "step-size".
        title: the question, as a heading.
        paragraph: what the figure shows, with the figures measured, in Markdown.
        data: all that was measured, as JSON takes it.
        draw: makes the figure, a Matplotlib `Figure`.
        latex: the same as a table or formulas, where a study sets some.
        table: rows of text of which the first is the head, where a study has some.
    """

    name: str
    title: str
    paragraph: str
    data: Mapping[str, Any]
    draw: Callable[[], Any]
    latex: str = ""
    table: tuple[tuple[str, ...], ...] = ()

    def section(self, place: str) -> str:
        """Title, figure, paragraph and table as a section of an HTML page."""
        from symbackprop.contrast.page import section

        return section(place, self)


def none_of_yours(name: str, program: Program | None) -> None:
    """Refuse a file where a study declares its own networks.

    Raises:
        InputError: a program came.
    """
    if program is not None:
        raise InputError(
            f"study {name}: it declares its own networks and takes no file; leave "
            f"`{program.name}` away."
        )
