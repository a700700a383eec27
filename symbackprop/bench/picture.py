"""A report as a picture: a row a case, a dot for every contestant, on a log scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.figures import drawable, encoded

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """How a contestant is drawn; those of a higher `layer` stand in front."""

    colour: str
    marker: str
    size: float = 6
    edge: str = "white"
    edge_width: float = 0.5
    layer: float = 3


# Colours told apart by most eyes (Okabe and Ito, 2008), and a shape for each.
MARKS = {
    "symbackprop": Mark("black", "o", size=8, edge="black", layer=4),
    "bound call": Mark("white", "o", size=5, edge="black", edge_width=1.2, layer=5),
    "PyTorch": Mark("#D55E00", "s"),
    "PyTorch compiled": Mark("#E69F00", "D"),
    "JAX": Mark("#0072B2", "^"),
    "JAX inline": Mark("#56B4E9", "v"),
    "CasADi": Mark("#CC79A7", "X", size=7),
    "scikit-learn": Mark("#009E73", "p"),
    "products": Mark("#888888", "|", 14, "#888888", edge_width=1.2, layer=2),
    "products in C": Mark("#888888", "|", 14, "#888888", edge_width=2.5, layer=2),
}
GREY, LOST = "#555555", "#B00020"


def picture(report: Report, format: str) -> bytes:
    """The bytes of a "png" or "svg".

    Raises:
        InputError: Matplotlib is not installed.
    """
    drawable()
    from matplotlib.figure import Figure

    cases = report["cases"]
    figure = Figure(figsize=(9.5, 1.9 + 0.36 * len(cases)), layout="constrained")
    axes = figure.subplots()
    _rows(axes, cases)
    _dots(axes, cases)
    _ratios(axes, cases)
    _words(axes, report["machine"])
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return encoded(figure, format)


def _rows(axes: Any, cases: list[Report]) -> None:
    """The first case above, every second one on grey; time to the right."""
    for row in range(0, len(cases), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#f4f4f4", zorder=0)
    axes.set_xscale("log")
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_yticks(range(len(cases)), [case["case"] for case in cases])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", which="major", color="#cccccc", linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda seconds, _: _told(seconds))
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _dots(axes: Any, cases: list[Report]) -> None:
    """The medians, with bars from quartile to quartile."""
    for name, mark in MARKS.items():
        rows = [row for row, case in enumerate(cases) if name in case["times"]]
        if not rows:
            continue
        times = [cases[row]["times"][name] for row in rows]
        axes.errorbar(
            [t["median"] for t in times],
            rows,
            xerr=[
                [t["median"] - t["low"] for t in times],
                [t["high"] - t["median"] for t in times],
            ],
            fmt=mark.marker,
            color=mark.colour,
            ecolor=mark.edge if mark.colour == "white" else mark.colour,
            label=name,
            markersize=mark.size,
            markeredgecolor=mark.edge,
            markeredgewidth=mark.edge_width,
            elinewidth=1,
            zorder=mark.layer,
        )


def _ratios(axes: Any, cases: list[Report]) -> None:
    """Two columns to the right of the rows."""
    place = axes.get_yaxis_transform()
    for key, x in (("lead", 1.06), ("share", 1.14)):
        at = {"transform": place, "ha": "right"}
        axes.text(x, -0.75, key, va="bottom", weight="bold", **at)
        for row, case in enumerate(cases):
            value = case[key]
            if value is not None:
                colour = LOST if key == "lead" and value < 1 else "black"
                axes.text(x, row, f"{value:.3g}", va="center", color=colour, **at)


def _words(axes: Any, machine: Report) -> None:
    axes.set_xlabel(
        "time of one loss and gradient, or of one epoch (quartiles as bars)"
    )
    axes.set_title(
        "Loss and gradient on one thread, beside other libraries",
        loc="left",
        weight="bold",
        pad=44,
    )
    axes.annotate(
        f"{machine['processor']}, {machine['date']}. lead: best of PyTorch and JAX "
        "over ours, red where we lose.\nshare: ours over the bare matrix products.",
        (0, 1),
        xytext=(0, 14),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color=GREY,
    )


def _told(seconds: float) -> str:
    """A power of ten in the unit that reads best.

    >>> _told(1e-5), _told(0.1), _told(1e-7)
    ('10 us', '100 ms', '0.1 us')
    """
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 0.999:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
