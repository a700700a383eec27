"""A report as a picture: a row a case, a dot for every contestant, on a log scale."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from symbackprop.errors import InputError

# Colours told apart by most eyes (Okabe and Ito, 2008), and a marker for each.
MARKS = {
    "symbackprop": ("#000000", "o"),
    "bound call": ("#000000", "P"),
    "PyTorch": ("#D55E00", "s"),
    "PyTorch compiled": ("#E69F00", "D"),
    "JAX": ("#0072B2", "^"),
    "JAX inline": ("#56B4E9", "v"),
    "CasADi": ("#CC79A7", "X"),
    "scikit-learn": ("#009E73", "p"),
    "products": ("#888888", "|"),
    "products in C": ("#888888", "|"),
}


def drawable() -> None:
    """Find out that there is nothing to draw with before anything is measured.

    Raises:
        InputError: Matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(
            "a picture needs Matplotlib: pip install 'symbackprop[bench]', or write "
            "the data as .json."
        ) from error


def picture(report: Mapping[str, Any], format: str) -> bytes:
    """The bytes of a "png" or "svg".

    Raises:
        InputError: Matplotlib is not installed.
    """
    drawable()
    from matplotlib.figure import Figure

    cases = report["cases"]
    figure = Figure(figsize=(9.5, 1.9 + 0.36 * len(cases)), layout="constrained")
    axes = figure.subplots()
    for row in range(0, len(cases), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#f4f4f4", zorder=0)
    shown = [name for name in MARKS if any(name in c["times"] for c in cases)]
    for name in shown:
        colour, marker = MARKS[name]
        rows = [row for row, case in enumerate(cases) if name in case["times"]]
        times = [cases[row]["times"][name] for row in rows]
        middle = [t["median"] for t in times]
        spread = [
            [t["median"] - t["low"] for t in times],
            [t["high"] - t["median"] for t in times],
        ]
        first, limit = name == "symbackprop", name.startswith("products")
        axes.errorbar(
            middle,
            rows,
            xerr=spread,
            fmt=marker,
            color=colour,
            label=name if name != "products in C" else "products, from C",
            markersize=8 if first else 14 if limit else 6,
            markeredgewidth=2.5 if name == "products in C" else 1.2 if limit else 0.5,
            markeredgecolor=colour if limit or first else "white",
            elinewidth=1,
            zorder=4 if first else 2 if limit else 3,
        )
    axes.set_xscale("log")
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_yticks(range(len(cases)), [case["case"] for case in cases])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", which="major", color="#cccccc", linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda seconds, _: _told(seconds))
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    place = axes.get_yaxis_transform()
    for key, head, x in (("lead", "lead", 1.06), ("share", "share", 1.14)):
        axes.text(
            x, -0.75, head, transform=place, ha="right", va="bottom", weight="bold"
        )
        for row, case in enumerate(cases):
            told = "" if case[key] is None else f"{case[key]:.3g}"
            axes.text(x, row, told, transform=place, ha="right", va="center")
    axes.set_xlabel(
        "time of one loss and gradient, or of one epoch (quartiles as bars)"
    )
    machine = report["machine"]
    figure.suptitle(
        "Loss and gradient on one thread: symbackprop beside other libraries\n",
        x=0.01,
        ha="left",
        weight="bold",
    )
    axes.set_title(
        f"{machine['processor']}, {machine['date']}. lead: best of PyTorch and JAX "
        "over ours; share: ours over the bare matrix products",
        loc="left",
        fontsize=8,
        color="#555555",
        pad=24,
    )
    figure.legend(
        loc="outside lower center", ncols=5, frameon=False, fontsize=9, markerscale=0.9
    )
    stream = io.BytesIO()
    figure.savefig(
        stream,
        format=format,
        dpi=150,
        metadata={"Date": None} if format == "svg" else None,
    )
    return stream.getvalue()


def _told(seconds: float) -> str:
    """A power of ten in the unit that reads best.

    >>> _told(1e-5), _told(0.1), _told(1e-7)
    ('10 us', '100 ms', '0.1 us')
    """
    for scale, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * scale >= 0.999 or unit == "us":
            return f"{seconds * scale:.3g} {unit}"
    raise AssertionError
