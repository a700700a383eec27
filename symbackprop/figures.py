"""How all figures look: colours that most eyes tell apart, shapes that survive grey."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbackprop.errors import InputError, nearest

FORMATS = ("png", "svg")


@dataclass(frozen=True)
class Style:
    """How one series is drawn: by colour, by marker and by line, each enough alone."""

    colour: str
    marker: str
    line: Any = "-"

    def options(self, every: int | float | None = None) -> dict[str, Any]:
        """Keywords of Matplotlib's `plot`; `every` thins out the markers."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.line,
            "markevery": every,
            "markersize": 5,
            "markeredgecolor": "white",
            "markeredgewidth": 0.5,
            "linewidth": 1.5,
        }


# Source of the colours: Okabe and Ito, Color Universal Design (2008); their yellow is
# left out, for it is too pale for a line on white.
STYLES = (
    Style("#000000", "o", "-"),
    Style("#0072B2", "^", "--"),
    Style("#D55E00", "s", "-."),
    Style("#009E73", "D", ":"),
    Style("#CC79A7", "X", (0, (5, 1))),
    Style("#E69F00", "P", (0, (3, 1, 1, 1))),
    Style("#56B4E9", "v", (0, (1, 1))),
    Style("#666666", "*", (0, (8, 2))),
)
THEORY = {"color": "#888888", "linewidth": 1.0, "linestyle": (0, (2, 2)), "zorder": 1}


def drawable() -> None:
    """Find out that there is nothing to draw with before anything is measured.

    Raises:
        InputError: Matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(
            "a picture needs Matplotlib: pip install 'symbackprop[figures]', or write "
            "the data as .json."
        ) from error


def writable(
    path: Path, what: str, known: Collection[str], drawn: Collection[str]
) -> None:
    """Refuse a file of no known kind before anything is measured for it.

    Args:
        path: the file.
        what: is written there: "a study".
        known: the suffixes that it may have.
        drawn: those of them that hold pictures.

    Raises:
        InputError: the suffix is not known, or Matplotlib is not installed.
    """
    if path.suffix not in known:
        raise InputError(
            f"{path}: {what} is written as {', '.join(known)}, not as "
            f"{path.suffix or 'a file without a suffix'}.{nearest(path.suffix, known)}"
        )
    if path.suffix in drawn:
        drawable()


def blank(
    rows: int = 1, columns: int = 1, *, width: float = 6.5, height: float = 4.0
) -> tuple[Any, Any]:
    """A figure without a window, and its axes as `subplots` gives them.

    Args:
        rows: panels below each other.
        columns: panels side by side.
        width: of the whole, in inches.
        height: of the whole, in inches.

    Raises:
        InputError: Matplotlib is not installed.
    """
    drawable()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    made = figure.subplots(rows, columns)
    for axes in made.flat if rows * columns > 1 else [made]:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, made


def legend(figure: Any, axes: Sequence[Any], columns: int = 3) -> None:
    """One legend below all panels, outside the data; each label once."""
    found: dict[str, Any] = {}
    for each in axes:
        for handle, label in zip(*each.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(
        found.values(),
        found.keys(),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=9,
    )


def encoded(figure: Any, format: str) -> bytes:
    """The bytes of a "png" or "svg"; equal figures give equal bytes."""
    import matplotlib

    stream = io.BytesIO()
    undated = {"Date": None} if format == "svg" else None
    with matplotlib.rc_context({"svg.hashsalt": "symbackprop"}):
        figure.savefig(stream, format=format, dpi=150, metadata=undated)
    return stream.getvalue()


def style(number: int) -> Style:
    """The looks of a series by its number, from 0; none comes twice among the first 64.

    >>> style(0) == STYLES[0], style(8) in STYLES
    (True, False)
    """
    turn, place = divmod(number, len(STYLES))
    marked = STYLES[(place + 3 * turn) % len(STYLES)]
    return Style(STYLES[place].colour, marked.marker, marked.line)


def beside(axes: Any, title: str | None = None) -> None:
    """A legend to the right of one panel, for a row of panels that share it."""
    axes.legend(
        title=title,
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
        fontsize=8,
        title_fontsize=8,
    )


def spanning(figure: Any, panels: Sequence[Any]) -> Any:
    """One panel in the place of several that stand side by side."""
    first, last = (panel.get_subplotspec() for panel in (panels[0], panels[-1]))
    columns = slice(first.colspan.start, last.colspan.stop)
    place = first.get_gridspec()[first.rowspan.start, columns]
    for panel in panels:
        panel.remove()
    made = figure.add_subplot(place)
    made.spines[["top", "right"]].set_visible(False)
    made.grid(color="#dddddd", linewidth=0.6)
    made.set_axisbelow(True)
    return made
