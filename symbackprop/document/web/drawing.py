"""A picture as HTML: boxes in their places over an SVG of arrows.

Everything is measured in em, so that arrows meet boxes whatever the size of type. Boxes
are HTML, for formulas inside an SVG are drawn differently from browser to browser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise

from symbackprop.document.chapter import Node, Picture
from symbackprop.document.measure import width

GAP_X, GAP_Y = 2.4, 1.7  # em between boxes
TALL = 2.9  # em of a box with a shape beneath its symbol
LOW = 2.1  # and of one without
LEAST = 2.6  # em that a box is wide
CLOSE = 0.5  # em between boxes of one equation's parameters
BEND = 2.3  # em that an arrow bends round a box


@dataclass(frozen=True)
class Box:
    """A node's rectangle by its centre, in em."""

    x: float
    y: float
    wide: float
    high: float

    def edge(self, x: float, y: float) -> tuple[float, float]:
        """Where a line from the centre to a point leaves the rectangle."""
        dx, dy = x - self.x, y - self.y
        scale = max(abs(dx) / (self.wide / 2), abs(dy) / (self.high / 2), 1e-9)
        return self.x + dx / scale, self.y + dy / scale

    def meets(self, start: tuple[float, float], end: tuple[float, float]) -> bool:
        """Whether a segment passes through the rectangle, by points along it."""
        return any(
            abs(start[0] + (end[0] - start[0]) * t / 40 - self.x) < self.wide / 2
            and abs(start[1] + (end[1] - start[1]) * t / 40 - self.y) < self.high / 2
            for t in range(1, 40)
        )


def drawing(
    picture: Picture, caption: str, label: str, formula: Callable[[str], str]
) -> str:
    """A figure; it scrolls sideways where the screen is narrower.

    Args:
        picture: what is drawn.
        caption: its caption as HTML.
        label: what a figure is called where it is read aloud.
        formula: prints a formula.
    """
    boxes, wide, high = placed(picture)
    arrows = "\n".join(_arrow(start, end, boxes) for start, end, _ in picture.arrows)
    labels = "\n".join(
        _label(boxes[start], boxes[end], formula(text))
        for start, end, text in picture.arrows
        if text
    )
    nodes = "\n".join(
        f'<div class="node {node.kind}" title="{escape(node.name)}" '
        f'style="{_style(box)}">{formula(node.latex)}'
        + (f"<small>{formula(node.shape)}</small>" if node.shape else "")
        + "</div>"
        for node, box in zip(picture.nodes, boxes, strict=True)
    )
    return (
        f'<figure aria-label="{label}"><div class="scroll"><div class="picture" '
        f'style="--wide:{wide:.2f};width:{wide:.2f}em;height:{high:.2f}em">\n'
        f'<svg viewBox="0 0 {wide:.2f} {high:.2f}" aria-hidden="true">\n'
        f"{arrows}\n</svg>\n{nodes}\n{labels}\n</div></div>\n"
        f"<figcaption>{caption}</figcaption></figure>"
    )


def placed(picture: Picture) -> tuple[list[Box], float, float]:
    """Each node's box, and the picture's width and height.

    Columns are as far apart as the boxes that stand side by side need, and the labels
    of arrows between them; empty rows take no room.
    """
    nodes = picture.nodes
    gap = GAP_X
    for start, end, label in picture.arrows:
        if label and nodes[start].row == nodes[end].row:
            gap = max(gap, 1.4 + 0.8 * width(label))
    sizes = [_wide(node) for node in nodes]
    rows = sorted({node.row for node in nodes})
    pitch = _pitch(nodes, sizes, gap)
    left = min(n.column * pitch - s / 2 for n, s in zip(nodes, sizes, strict=True))
    right = max(n.column * pitch + s / 2 for n, s in zip(nodes, sizes, strict=True))
    top = 0.5 + TALL / 2
    levels = {row: top + place * (TALL + GAP_Y) for place, row in enumerate(rows)}
    boxes = [
        Box(
            n.column * pitch - left + 0.5,
            levels[n.row],
            size,
            TALL if n.shape else LOW,
        )
        for n, size in zip(nodes, sizes, strict=True)
    ]
    high = 1.0 + len(rows) * (TALL + GAP_Y) - GAP_Y
    if any(_bend(boxes[start], boxes[end], boxes) for start, end, _ in picture.arrows):
        boxes = [replace(box, y=box.y + BEND - 1.0) for box in boxes]
        high += 2 * (BEND - 1.0)
    return boxes, right - left + 1.0, high


def _pitch(nodes: Sequence[Node], sizes: Sequence[float], gap: float) -> float:
    """How far apart two columns are: the widest need of two neighbours in a row."""
    found = LEAST + gap
    for row in {node.row for node in nodes}:
        here = sorted(
            (node.column, size)
            for node, size in zip(nodes, sizes, strict=True)
            if node.row == row
        )
        for (left, one), (right, other) in pairwise(here):
            apart = right - left
            room = (one + other) / 2 + (gap if apart >= 1 else CLOSE)
            found = max(found, room / apart if apart else 0.0)
    return found


def _wide(node: Node) -> float:
    return max(LEAST, 1.2 + max(width(node.latex), 0.75 * width(node.shape)))


def _style(box: Box) -> str:
    return (
        f"left:{box.x - box.wide / 2:.2f}em;top:{box.y - box.high / 2:.2f}em;"
        f"width:{box.wide:.2f}em;height:{box.high:.2f}em"
    )


def _arrow(start: int, end: int, boxes: Sequence[Box]) -> str:
    """A straight arrow, or one that bends round the boxes between its ends."""
    here, there = boxes[start], boxes[end]
    bend = _bend(here, there, boxes)
    dx, dy = there.x - here.x, there.y - here.y
    length = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    # The bend's middle, upwards for an arrow that runs to the right.
    mx = (here.x + there.x) / 2 + 2 * bend * dy / length
    my = (here.y + there.y) / 2 - 2 * bend * dx / length
    x0, y0 = here.edge(mx, my)
    x1, y1 = there.edge(mx, my)
    ux, uy = x1 - mx, y1 - my
    norm = max((ux * ux + uy * uy) ** 0.5, 1e-9)
    ux, uy = ux / norm, uy / norm
    bx, by = x1 - 0.62 * ux, y1 - 0.62 * uy  # where the shaft ends and the tip begins
    side = 0.24
    return (
        f'<path class="shaft" d="M{x0:.2f} {y0:.2f}'
        f'Q{mx:.2f} {my:.2f} {bx:.2f} {by:.2f}"/>'
        f'<path class="tip" d="M{x1:.2f} {y1:.2f}'
        f"L{bx - side * uy:.2f} {by + side * ux:.2f}"
        f'L{bx + side * uy:.2f} {by - side * ux:.2f}Z"/>'
    )


def _bend(here: Box, there: Box, boxes: Sequence[Box]) -> float:
    """How far an arrow bends, in em: where a box stands between its ends."""
    others = [box for box in boxes if box not in (here, there)]
    straight = (here.x, here.y), (there.x, there.y)
    return BEND * any(box.meets(*straight) for box in others)


def _label(here: Box, there: Box, text: str) -> str:
    x0, y0 = here.edge(there.x, there.y)
    x1, y1 = there.edge(here.x, here.y)
    place = f"left:{(x0 + x1) / 2:.2f}em;top:{(y0 + y1) / 2:.2f}em"
    return f'<span class="label" style="{place}"><small>{text}</small></span>'
