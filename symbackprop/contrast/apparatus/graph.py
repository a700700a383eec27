"""A composition as a graph: functions by depth, numbers at nodes and edges."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.contrast.apparatus.composition import (
    Composition,
    Number,
    Sweeps,
    short_number,
)
from symbackprop.equations import Name

FORWARD, REVERSE, INK, QUIET = "#0072B2", "#D55E00", "#000000", "#666666"
WIDE, HIGH = 1.25, 1.5  # inches between columns and between rows
RADIUS = 0.2  # of a node, in inches
FORWARDS = 3  # slopes by so many variables are written under a node, not more
LINE = 0.17  # inches between two lines of text
ABOVE, BELOW = 0.72, 0.86  # inches that a node's texts take
LONGEST, ON_EDGE = 18, 14  # characters of a formula; a longer one is left out

Spot = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where everything stands, in columns and rows.

    Attributes:
        spots: each node's column and row.
        bends: for each edge, the spots that it goes through between its ends, so that
            it crosses no node.
    """

    spots: Mapping[Name, Spot]
    bends: Mapping[tuple[Name, Name], tuple[Spot, ...]]

    @property
    def size(self) -> tuple[float, float]:
        """How many columns and rows are spanned."""
        columns, rows = zip(*self.spots.values(), *self._passed(), strict=True)
        return max(columns) - min(columns), max(rows) - min(rows)

    @property
    def lowest(self) -> float:
        return min(row for _, row in (*self.spots.values(), *self._passed()))

    def _passed(self) -> Iterator[Spot]:
        for bends in self.bends.values():
            yield from bends


def layout(composition: Composition) -> Layout:
    """Columns by depth; in each, an order that keeps neighbours near each other.

    An edge that passes columns takes a place in each of them, as a node does.

    Source: Sugiyama, Tagawa and Toda, IEEE Transactions on Systems, Man and
    Cybernetics 11 (1981).
    """
    depth = depths(composition)
    columns: dict[int, list[Any]] = {
        column: [] for column in range(max(depth.values()) + 1)
    }
    for node, column in depth.items():
        columns[column].append(node)
    before: dict[Any, list[Any]] = {node: [] for node in depth}
    passed: dict[tuple[Name, Name], list[Any]] = {}
    for step in composition.steps:
        for operand in step.local:
            place: Any = operand
            passed[operand, step.symbol] = []
            for column in range(depth[operand] + 1, depth[step.symbol]):
                bend = (operand, step.symbol, column)
                columns[column].append(bend)
                passed[operand, step.symbol].append(bend)
                before[bend] = [place]
                place = bend
            before[step.symbol].append(place)
    after: dict[Any, list[Any]] = {node: [] for node in before}
    for node, earlier in before.items():
        for each in earlier:
            after[each].append(node)
    for _ in range(4):
        _sorted_by(columns, before, sorted(columns))
        _sorted_by(columns, after, sorted(columns, reverse=True))
    rows = _rows(columns)
    spots = {node: (float(depth[node]), rows[node]) for node in depth}
    bends = {
        edge: tuple((float(bend[2]), rows[bend]) for bend in through)
        for edge, through in passed.items()
    }
    return Layout(spots, bends)


def depths(composition: Composition) -> dict[Name, int]:
    """The column of each node: a function's depth; a leaf stands before its reader."""
    found: dict[Name, int] = {}
    for step in composition.steps:
        inner = [found[u] for u in step.local if u in found]
        found[step.symbol] = 1 + max(inner, default=0)
    readers: dict[Name, list[int]] = {leaf: [] for leaf in composition.leaves}
    for step in composition.steps:
        for operand in step.local:
            if operand in readers:
                readers[operand].append(found[step.symbol])
    return {leaf: min(at) - 1 for leaf, at in readers.items() if at} | found


def _sorted_by(
    columns: dict[int, list[Any]], beside: Mapping[Any, list[Any]], order: Sequence[int]
) -> None:
    """Sort each column by the mean row of its neighbours; ties stay as they are."""
    for column in order:
        rows = _rows(columns)
        near = {
            node: [rows[other] for other in beside[node]] or [rows[node]]
            for node in columns[column]
        }
        columns[column].sort(key=lambda node: sum(near[node]) / len(near[node]))


def _rows(columns: Mapping[int, Sequence[Any]]) -> dict[Any, float]:
    """Rows one apart, each column about the middle."""
    return {
        node: place - (len(nodes) - 1) / 2
        for nodes in columns.values()
        for place, node in enumerate(nodes)
    }


def extent(placed: Layout) -> tuple[float, float]:
    """Width and height of the graph with its texts, in inches."""
    columns, rows = placed.size
    return (columns + 1) * WIDE, rows * HIGH + ABOVE + BELOW


def draw_graph(axes: Any, composition: Composition, sweeps: Sweeps) -> None:
    """Draw into axes whose size is `extent`; one inch is one unit."""
    placed = layout(composition)
    width, height = extent(placed)
    axes.set_xlim(-WIDE / 2, width - WIDE / 2)
    base = placed.lowest * HIGH
    axes.set_ylim(base - BELOW, base - BELOW + height)
    axes.set_aspect("equal")
    axes.set_axis_off()
    spots = {node: (x * WIDE, y * HIGH) for node, (x, y) in placed.spots.items()}
    for (operand, reader), bends in placed.bends.items():
        through = [(x * WIDE, y * HIGH) for x, y in bends]
        path = [spots[operand], *through, spots[reader]]
        _edge(axes, path, _on_edge(composition, sweeps, operand, reader))
    for node, spot in spots.items():
        _node(axes, spot, node, composition, sweeps)


def _on_edge(
    composition: Composition, sweeps: Sweeps, operand: Name, reader: Name
) -> tuple[str, str]:
    """A local derivative as a formula and as a number, which may be the same."""
    slope = next(s.local[operand] for s in composition.steps if s.symbol == reader)
    found = short_number(sweeps.local[reader, operand])
    formula = mathematics(composition.text(slope), ON_EDGE)
    return formula, "" if formula and slope.is_number else found


def mathematics(text: str, longest: int = LONGEST) -> str:
    r"""A formula of the grammar for Matplotlib; none where it is too long.

    >>> mathematics("-1/h5**2"), mathematics("exp(h3)*w")
    ('$-1/{h_{5}}^{2}$', '$\\mathrm{exp}(h_{3})\\,w$')
    """
    if len(text) > longest:
        return ""
    words = re.sub(r"[A-Za-z_]{2,}(?=\()", lambda f: _upright(f[0]), text)
    named = re.sub(r"\b([A-Za-z])(\d+)\b", r"{\1_{\2}}", words)
    powers = re.sub(r"\*\*(\w+|\([^()]*\))", r"^{\1}", named)
    plain = re.sub(r"\{([A-Za-z]_\{\d+\})\}(?!\^)", r"\1", powers)
    return "$" + plain.replace("*", r"\,") + "$"


def _upright(word: str) -> str:
    return "\\mathrm{" + word.replace("_", r"\_") + "}"


def _edge(axes: Any, path: Sequence[Spot], text: tuple[str, str]) -> None:
    """An arrow through its bends, level at its ends, and its local derivative on it."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    rim = RADIUS + 0.02
    first, last = (path[0][0] + rim, path[0][1]), (path[-1][0] - rim, path[-1][1])
    points, codes = [first], [Path.MOVETO]
    inner = [first, *path[1:-1], last]
    for start, end in itertools.pairwise(inner):
        half = (end[0] - start[0]) / 2  # level at both ends
        points += [(start[0] + half, start[1]), (end[0] - half, end[1]), end]
        codes += [Path.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Path(points, codes),
            arrowstyle="-|>",
            mutation_scale=9,
            linewidth=1,
            color=QUIET,
            zorder=2,
        )
    )
    (x1, y1), (x2, y2) = inner[-2:]
    formula, number = text[0], _signed(text[1])
    told = f"{formula}\n$=$ {number}" if formula and number else formula or number
    axes.text(
        (x1 + x2) / 2,
        (y1 + y2) / 2,
        told,
        fontsize=8.5,
        color=INK,
        zorder=3,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        ha="center",
        va="center",
        linespacing=1.15,
    )


def _node(
    axes: Any,
    spot: Spot,
    node: Name,
    composition: Composition,
    sweeps: Sweeps,
) -> None:
    from matplotlib.patches import Circle

    leaf = node in composition.leaves
    axes.add_patch(
        Circle(
            spot,
            RADIUS,
            facecolor="#eeeeee" if leaf else "white",
            edgecolor=INK,
            linewidth=1.8 if node == composition.steps[-1].symbol else 1,
            zorder=4,
        )
    )
    centred = {"ha": "center", "va": "center", "zorder": 5}
    axes.text(*spot, mathematics(node.name), fontsize=10, **centred)
    above = [_signed(short_number(sweeps.values[node]))]
    if not leaf:
        step = next(s for s in composition.steps if s.symbol == node)
        above.insert(0, mathematics(composition.text(step.function)))
    for place, text in enumerate(reversed(above)):
        y = spot[1] + RADIUS + 0.1 + place * LINE
        weight = "bold" if place == 0 else "normal"
        axes.text(spot[0], y, text, fontsize=9, fontweight=weight, **centred)
    below = [(f"{text}", FORWARD) for text in _forward(node, composition, sweeps)]
    below.append((_reverse(node, composition, sweeps), REVERSE))
    for place, (text, colour) in enumerate(below):
        y = spot[1] - RADIUS - 0.1 - place * LINE
        axes.text(spot[0], y, text, fontsize=9, color=colour, **centred)


def _forward(node: Name, composition: Composition, sweeps: Sweeps) -> Iterator[str]:
    if node in composition.others:
        return
    for variable in composition.variables[:FORWARDS]:
        if node in composition.variables and node != variable:
            continue
        found = short_number(sweeps.forward[variable][node])
        yield f"$\\partial_{{{mathematics(variable.name)[1:-1]}}}$ {_signed(found)}"


def _reverse(node: Name, composition: Composition, sweeps: Sweeps) -> str:
    """The adjoint; where several paths meet, the sum that it is."""
    found = _signed(short_number(sweeps.reverse[node]))
    paths = list(sweeps.paths[node].values())
    told = f"{_sum(paths)} = {found}" if len(paths) > 1 else found
    if len(told) > LONGEST:
        told = f"{found} ({len(paths)} paths)"
    return f"$\\delta$ {told}"


def _sum(numbers: Sequence[Number]) -> str:
    first, *rest = (short_number(n) for n in numbers)
    signs = (f" − {n[1:]}" if n.startswith("-") else f" + {n}" for n in rest)
    return _signed(first) + "".join(signs)


def _signed(number: str) -> str:
    """A minus as long as a plus."""
    return re.sub("^-", "−", number)
