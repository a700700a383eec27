"""A report as a figure: a row a method, a panel for accuracy and for each cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from symbackprop.contrast.row import Row
from symbackprop.contrast.units import duration, size
from symbackprop.figures import STYLES, blank

if TYPE_CHECKING:
    from symbackprop.contrast.report import Report

FAMILIES = ("numeric", "symbolic", "automatic", "peer")
TITLES = {"peer": "other libraries"}


def dots(report: Report) -> Any:
    """Every figure on a log scale of its own; hollow where it was extrapolated."""
    rows = report.rows
    figure, panels = blank(1, 4, width=11, height=1.6 + 0.3 * len(rows))
    _panel(panels[0], rows, "error of a slope (of the norm)", _error, _allowed)
    _panel(panels[1], rows, "time of a gradient", lambda row: row.seconds)
    _panel(panels[2], rows, "operations", lambda row: row.operations)
    _panel(panels[3], rows, "memory", lambda row: row.nbytes)
    panels[1].xaxis.set_major_formatter(lambda value, _: duration(value))
    panels[3].xaxis.set_major_formatter(lambda value, _: size(round(value)))
    panels[0].set_yticks(range(len(rows)), [row.method for row in rows])
    for panel in panels[1:]:
        panel.set_yticks(range(len(rows)), [])
    _families(figure)
    return figure


def _panel(
    axes: Any,
    rows: tuple[Row, ...],
    title: str,
    figure: Callable[[Row], float | None],
    theory: Callable[[Row], float | None] = lambda row: None,
) -> None:
    axes.set_xscale("log")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(title, fontsize=9)
    axes.tick_params(axis="both", labelsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    for place in range(0, len(rows), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f4f4f4", zorder=0)
    for place, row in enumerate(rows):
        value, limit = figure(row), theory(row)
        look = STYLES[FAMILIES.index(row.family)]
        if limit and math.isfinite(limit):
            axes.plot(limit, place, "|", color="#666666", markersize=11)
        if value and math.isfinite(value):
            axes.plot(
                value,
                place,
                look.marker,
                markersize=6,
                markeredgecolor=look.colour,
                markerfacecolor="white" if row.extrapolated else look.colour,
            )
    axes.xaxis.get_major_locator().set_params(numticks=5)


def _error(row: Row) -> float | None:
    """Of the slope nearest to what theory allows it, which stands beside."""
    return row.accuracy.ulp * 2.0**-52 if row.accuracy else None


def _allowed(row: Row) -> float | None:
    """What theory allows the same slope, in the same units."""
    return row.accuracy.allowed * 2.0**-52 if row.accuracy else None


def _families(figure: Any) -> None:
    """One legend for all panels, below them."""
    from matplotlib.lines import Line2D

    def mark(label: str, marker: str, colour: str, inside: str) -> Any:
        return Line2D(
            *([], []),
            linestyle="",
            marker=marker,
            markeredgecolor=colour,
            markerfacecolor=inside,
            label=label,
        )

    known = [
        mark(TITLES.get(name, name), look.marker, look.colour, look.colour)
        for name, look in zip(FAMILIES, STYLES, strict=False)
    ]
    hollow = mark("hollow: extrapolated", "o", "black", "white")
    limit = mark("what theory allows", "|", "#666666", "#666666")
    figure.legend(
        handles=[*known, hollow, limit],
        loc="outside lower center",
        ncols=6,
        frameon=False,
        fontsize=9,
    )
