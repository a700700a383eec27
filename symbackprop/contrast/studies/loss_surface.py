"""What does the loss of a small network look like, and is it convex?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.surface import (
    Array,
    Loss,
    cut,
    exchanged,
    filtered,
    furthest,
    plane,
    trained,
)
from symbackprop.contrast.study import Study, Tell
from symbackprop.equations import tensor_of
from symbackprop.errors import InputError
from symbackprop.figures import STYLES, THEORY, blank, legend
from symbackprop.layers.dense import Dense
from symbackprop.network import Frobenius, Network
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import REAL

ABOUT = "The loss along two directions, and whether it is convex."

NAME = "loss-surface"
TITLE = "The loss surface of a small network, and whether it is convex"
STARTS = 6
ITERATIONS = 2000
GRID = 41  # points along each direction
BATCH = 64
PENALTY = 1e-3
LEVELS = 13
ROUNDING = 1e-12  # of a loss: a middle less above its ends proves nothing


def example(seed: int) -> tuple[Program, dict[str, Array]]:
    """Four tanh units, and a noisy curve for them to follow."""
    network = Network(
        inputs=1,
        layers=[Dense(4, "tanh"), Dense(1)],
        loss="squared_error",
        penalty=Frobenius(PENALTY),
        name="small",
    )
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, BATCH)[:, None]
    y = np.sin(4 * x) + 0.1 * rng.normal(size=x.shape)
    return network.program, {"x": x, "y": y}


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Train from several starts, and look at the loss around and between the ends."""
    if program is None:
        program, data = example(seed)
        given = f"{BATCH} points of a noisy sine, with a small penalty on weights"
    else:
        data = drawn(program, seed)
        given = "inputs drawn at random, and as targets its outputs at other parameters"
    from symbackprop.kernels import compile as compile_from

    tell(f"compiling {program.name}")
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        loss = Loss(compile_from(program, "float64", folder), data)
        found = measured(loss, seed, tell, STARTS, ITERATIONS, GRID)
    found["data"] = given
    return Study(NAME, TITLE, paragraph(found), found, lambda: picture(found))


def drawn(program: Program, seed: int) -> dict[str, Array]:
    """Random data for a program, since a program alone has none.

    Raises:
        InputError: it has fewer than two parameters.
    """
    count = sum(prod(program.shape(t.name)) for t in program.parameters)
    if count < 2:
        raise InputError(
            f"study {NAME}: `{program.name}` has {count} parameters, and a surface "
            "needs two directions. Give a program with more parameters."
        )
    values = draw(program, np.random.default_rng(seed), BATCH)
    data = {tensor.name: values[tensor.name] for tensor in program.data}
    if program.output is not None:
        # A loss that is bounded at sensible targets need not be at random ones.
        output = evaluate(program, values, REAL, BATCH)[program.output]
        for name in targets(program):
            data[name] = np.asarray(output, dtype=float)
    return data


def targets(program: Program) -> list[str]:
    """Data shaped like the output, on which the output does not depend."""
    assert program.output is not None
    bodies = {equation.tensor: equation for equation in program.equations}
    needed, agenda = {program.output}, [program.output]
    while agenda:
        equation = bodies.get(agenda.pop())
        for read in equation.reads() if equation else ():
            if tensor_of(read) not in needed:
                needed.add(tensor_of(read))
                agenda.append(tensor_of(read))
    output = program.tensors[program.output]
    return [
        tensor.name
        for tensor in program.data
        if tensor.name not in needed
        and not tensor.integer
        and tensor.batched == output.batched
        and program.shape(tensor.name) == program.shape(output.name)
    ]


def measured(
    loss: Loss, seed: int, tell: Tell, starts: int, iterations: int, grid: int
) -> dict[str, Any]:
    """Trained points, two planes through them, and the lines between them."""
    tell(f"training from {starts} starts")
    first, *others = trained(loss, starts, iterations, seed)
    ends = {"A": first}
    other = furthest(loss, first, others)
    if other is not None:
        ends["B"] = other
    turned, moved = exchanged(loss.kernels, first)
    if turned is not None:
        ends["P"] = turned
    tell("looking around the first point")
    rng = np.random.default_rng(seed)
    one, two = (filtered(loss.kernels, first, rng) for _ in range(2))
    steps = np.linspace(-1, 1, grid)
    around = [[loss(first + a * one + b * two) for a in steps] for b in steps]
    tell("looking between the points")
    return {
        "name": loss.kernels.derivation.program.name,
        "parameters": loss.kernels.size,
        "starts": starts,
        "exchanged": moved,
        "ends": {name: told(loss, theta) for name, theta in ends.items()},
        "around": {"steps": steps.tolist(), "loss": around},
        "plane": {"names": list(ends), **plane(loss, list(ends.values()), rng, grid)},
        "cuts": {
            f"A{name}": cut(loss, first, theta)
            for name, theta in ends.items()
            if name != "A"
        },
    }


def told(loss: Loss, theta: Array) -> dict[str, float]:
    value, gradient = loss.slope(theta)
    return {"loss": value, "gradient": float(np.linalg.norm(gradient))}


def paragraph(data: Mapping[str, Any]) -> str:
    """Certificates, quoted."""
    ends, cuts = data["ends"], data["cuts"]
    text = (
        f"`{data['name']}` has {data['parameters']} parameters"
        f"; its data are {data['data']}. The best of "
        f"{data['starts']} trainings ends at A with a loss of {ends['A']['loss']:.4g} "
        f"(norm of the gradient {ends['A']['gradient']:.1g}). The left panel shows the "
        "loss around A along two random directions, each row of weights as long as it "
        "is in A; the middle one the plane through the points named. "
    )
    names = {"B": "another training's end", "P": "A with its hidden units exchanged"}
    proved = False
    for name, ending in cuts.items():
        other = name[1]
        text += (
            f"On the way from A to {other}, {names[other]} (loss "
            f"{ends[other]['loss']:.4g}), the middle has {ending['middle']:.4g}, which "
            f"is {ending['excess']:.3g} more than the mean of the ends. "
        )
        proved |= ending["excess"] > ROUNDING * (1 + abs(ending["mean_of_ends"]))
    text += (
        "A convex function never lies above the mean of two ends in their middle, so "
        "one such middle proves that this loss is not convex."
        if proved
        else "No middle lies above the mean of its ends, so this proves nothing; the "
        "loss may be convex or not."
        if cuts
        else "All trainings end in A, as they would where the loss is convex; that "
        "proves nothing."
    )
    if "P" in ends:
        gap = abs(ends["P"]["loss"] - ends["A"]["loss"])
        text += (
            f"\n\nP is A with the hidden units in another order: "
            f"{_listed(data['exchanged'])} follow, and the loss differs by {gap:.1g}. "
            "Every order of the units is such a point, so minima come in families, "
            "and a convex loss would be as low anywhere between them."
        )
    return text


def _listed(names: Sequence[str]) -> str:
    names = [f"`{name}`" for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def picture(data: Mapping[str, Any]) -> Any:
    """Two contour plots and the cuts."""
    figure, (left, middle, right) = blank(1, 3, width=11, height=4.2)
    around, flat = data["around"], data["plane"]
    steps = around["steps"]
    _contours(figure, left, steps, steps, around["loss"])
    left.plot(0, 0, "o", color="white", markeredgecolor="black", markersize=7)
    left.annotate("A", (0, 0), (6, 6), textcoords="offset points", **_NAMED)
    left.set_xlabel("first random direction")
    left.set_ylabel("second random direction")
    left.set_title("around A", fontsize=10)
    _contours(figure, middle, flat["first"], flat["second"], flat["loss"])
    places = dict(zip(flat["names"], flat["places"], strict=True))
    for name, style in (("B", STYLES[1]), ("P", STYLES[2])):
        if name in places:
            (x1, y1), (x2, y2) = places["A"], places[name]
            middle.plot([x1, x2], [y1, y2], color="white", linestyle=style.line)
    for name, (x, y) in places.items():
        middle.plot(x, y, "o", color="white", markeredgecolor="black", markersize=7)
        middle.annotate(name, (x, y), (6, 6), textcoords="offset points", **_NAMED)
    middle.set_xlabel("distance in the space of parameters")
    middle.set_ylabel("distance")
    middle.set_title(f"through {', '.join(places)}", fontsize=10)
    for name, style in (("AB", STYLES[1]), ("AP", STYLES[2])):
        if name not in data["cuts"]:
            continue
        ending = data["cuts"][name]
        label = f"loss from A to {name[1]}"
        right.plot(ending["steps"], ending["loss"], label=label, **style.options(10))
        chord = [ending["loss"][0], ending["loss"][-1]]
        right.plot([0, 1], chord, label="chord: a convex loss lies below", **THEORY)
    if not data["cuts"]:
        middle_of = {"transform": right.transAxes, "ha": "center", "va": "center"}
        right.text(0.5, 0.5, "all trainings end in A", fontsize=10, **middle_of)
    right.set_xlabel("part of the way")
    right.set_ylabel("loss")
    right.set_title("between the ends", fontsize=10)
    if data["cuts"]:
        legend(figure, [right], 3)
    return figure


_NAMED: dict[str, Any] = {
    "color": "black",
    "fontsize": 10,
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
}


def _contours(
    figure: Any, axes: Any, x: Sequence[float], y: Sequence[float], loss: Any
) -> None:
    """Filled contours; levels close together where the loss is low."""
    values = np.asarray(loss, dtype=float)
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(np.percentile(finite, 95))
    levels = low + (max(high, low + 1e-12) - low) * np.linspace(0, 1, LEVELS) ** 2
    filled = axes.contourf(x, y, values, levels, cmap="cividis", extend="max")
    axes.contour(x, y, values, levels, colors="white", linewidths=0.4)
    axes.grid(visible=False)
    bar = figure.colorbar(filled, ax=axes, location="bottom", shrink=0.9)
    bar.set_label("loss", fontsize=9)
    shown = levels[:: LEVELS // 3]
    bar.set_ticks(shown, labels=_short(shown.tolist()))
    bar.ax.tick_params(labelsize=8)


def _short(values: Sequence[float]) -> list[str]:
    """Numbers with as many digits as tell them apart.

    >>> _short([0.5, 93.52]), _short([2.0851, 2.0857])
    (['0.5', '93.5'], ['2.0851', '2.0857'])
    """
    largest = max(abs(v) for v in values)
    span = max(max(values) - min(values), 1e-12 * largest, 1e-300)
    digits = 3 + max(0, int(np.log10(max(largest / span, 1))))
    return [f"{v:.{digits}g}" for v in values]
