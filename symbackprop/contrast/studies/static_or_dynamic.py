"""What does a static graph cost and save, and what do choices by value do to it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.choices import AGREE, flips
from symbackprop.contrast.apparatus.setups import (
    AGAIN,
    JAX,
    KINDS,
    SECOND,
    STATIC,
    TAPE,
    jitted,
    parts,
    runs,
)
from symbackprop.contrast.apparatus.wording import listed
from symbackprop.contrast.point import Point
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.contrast.units import duration, power
from symbackprop.figures import THEORY, blank, legend, style
from symbackprop.layers.dense import Dense
from symbackprop.layers.maxout import Maxout
from symbackprop.network import Network
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw

ABOUT = "Static against dynamic graph: building, replaying, choices by value."

NAME = "static-or-dynamic"
TITLE = "Static against dynamic graph"
WIDTHS = (4, 8, 16, 32, 64, 128)  # of both hidden layers, for the cost by size
SHOWN = 16  # the width of which whole runs are shown
GRADIENTS = 1000  # of such a run
DISTANCES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
DRAWS = 16  # inputs at each distance


def smooth(width: int) -> Program:
    """Two layers of tanh below a softmax: nothing is chosen by value."""
    return Network(
        inputs=width,
        layers=[Dense(width, "tanh"), Dense(width, "tanh"), Dense(4, "softmax")],
        loss="cross_entropy",
        name=f"tanh_{width}",
    ).program


def choosing() -> dict[str, Program]:
    """Programs in which other inputs make other choices."""
    top = Dense(3, "softmax")
    return {
        "relu": Network(
            inputs=8,
            layers=[Dense(12, "relu"), Dense(12, "relu"), top],
            loss="cross_entropy",
            name="relu",
        ).program,
        "max of 3": Network(
            inputs=8, layers=[Maxout(12, 3), top], loss="cross_entropy", name="maxout"
        ).program,
        "where": Program(  # Huber's loss
            equations="r[i] = sum(W[i, j] * x[j], j) + b[i] - y[i]\n"
            "L = sum(where(abs(r[i]) < 1, r[i]**2 / 2, abs(r[i]) - 1/2), i)",
            axes={"i": 12, "j": 8},
            parameters={"W": "i j", "b": "i"},
            data={"x": "j", "y": "i"},
            objective="L",
            name="huber",
        ),
    }


def point_of(program: Program, seed: int) -> Point:
    """Random parameters and one sample."""
    return Point(program, draw(program, np.random.default_rng(seed), batch=1))


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Measure costs on smooth networks, and choices on three programs."""
    none_of_yours(NAME, program)
    data = measure(WIDTHS, SHOWN, GRADIENTS, DISTANCES, DRAWS, seed, tell)
    return Study(NAME, TITLE, paragraph(data), data, lambda: picture(data))


def measure(
    widths: Sequence[int],
    shown: int,
    gradients: int,
    distances: Sequence[float],
    draws: int,
    seed: int = 0,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """Costs of building and replaying, and what flips.

    Args:
        widths: of the networks whose parts are timed.
        shown: the width of which whole runs are timed.
        gradients: of such a run, at most.
        distances: of inputs from the recorded one, relative to its size.
        draws: inputs at each distance.
        seed: of all values.
        tell: is called with what is being done.

    Returns:
        `run`: seconds of whole runs by the number of gradients; `sizes`: seconds of
        each part by width; `choices`: a row for each program and distance.
    """
    tell(f"{NAME}: {gradients:,} gradients one after the other")
    whole = runs(point_of(smooth(shown), seed), gradients, seed)
    sizes = []
    for width in widths:
        tell(f"{NAME}: a network of the width {width}")
        sizes.append(parts(point_of(smooth(width), seed), whole["compile"]))
    rows = []
    for name, program in choosing().items():
        tell(f"{NAME}: choices by value, {name}")
        point = point_of(program, seed)
        start = jitted(point)
        peer = None if start is None else start()
        found = flips(point, distances, draws, seed, peer)
        rows += [{**row, "program": name} for row in found]
    return {"run": whole, "sizes": sizes, "choices": rows, "draws": draws}


def paragraph(data: Mapping[str, Any]) -> str:
    """Set-up and break-even, then what flips, and what that does."""
    return "\n\n".join((_of_costs(data), _of_sizes(data), _of_choices(data)))


def _of_costs(data: Mapping[str, Any]) -> str:
    whole = data["run"]
    series = whole["series"]
    static, second, tape, again = (series[k] for k in (STATIC, SECOND, TAPE, AGAIN))
    told = (
        f"*Building and replaying.* For a network with {whole['parameters']:,} "
        f"parameters the static graph takes {duration(whole['compile'])} to compile "
        "its loops, once for all graphs, and "
        f"{duration(second['setup'])} to record and lay out; a gradient then takes "
        f"{duration(second['each'])}. The dynamic tape takes {duration(tape['each'])} "
        "for each gradient and nothing before. The static graph is ahead "
        f"{_ahead(static)}; where the loops are compiled already, "
        f"{_ahead(second)}. Predicted is set-up over time saved. Recording the graph "
        f"of numbers each time takes {duration(again['each'])}, "
        f"{again['each'] / tape['each']:.1f} times as long as the tape, whose entries "
        "are whole arrays."
    )
    if JAX in series:
        peer = series[JAX]
        told += (
            f" JAX traces and compiles for {duration(peer['setup'])}, takes "
            f"{duration(peer['each'])} for a gradient, and is ahead of the tape "
            f"{_ahead(peer)}."
        )
    return told


def _ahead(run: Mapping[str, Any]) -> str:
    """From which gradient on, beside the predicted one."""
    measured, predicted = run["break_even"], run["predicted"]
    told = "never" if predicted is None else f"{predicted:,.0f}"
    if measured is None:
        return f"at none of those that were measured (predicted: {told})"
    return f"from gradient {measured:,} on (predicted: {told})"


def _count(number: float | None) -> str:
    return "none that is enough" if number is None else f"{ceil(number):,}"


def _of_sizes(data: Mapping[str, Any]) -> str:
    small, large = data["sizes"][0], data["sizes"][-1]
    counts = [row["break_even"][SECOND] for row in (small, large)]
    return (
        f"*Size.* From {small['parameters']:,} to {large['parameters']:,} parameters "
        f"the nodes grow {large['nodes'] / small['nodes']:,.0f} times, the time to "
        f"record {large['record'] / small['record']:,.0f} times, that of a replay "
        f"{large['replay'] / small['replay']:,.0f} times and that of a tape, which "
        f"works on whole arrays, {large['tape'] / small['tape']:.1f} times. The "
        f"gradients that pay for recording go from {_count(counts[0])} to "
        f"{_count(counts[1])}."
    )


def _of_choices(data: Mapping[str, Any]) -> str:
    rows = data["choices"]
    errors = np.concatenate([row["errors"] for row in rows])
    flips = np.concatenate([row["flips"] for row in rows])
    really = np.concatenate([row["changed"] for row in rows])
    failed = flips > 0
    told = (
        f"*Choices by value.* {len(flips):,} inputs were replayed on graphs recorded "
        "at others. The number of guards that fail equals that of an independent "
        f"count each time. Where none fails ({int(np.sum(~failed)):,} inputs), the "
        f"slopes are off by {power(float(errors[~failed].max(initial=0)))} of their "
        "norm at most. "
    )
    if failed.any():
        wrong = errors[failed] > AGREE
        told += (
            f"Where some fail ({int(failed.sum()):,} inputs), ignoring them makes an "
            f"error of {float(np.median(errors[failed])):.0%} in the median and "
            f"{float(errors.max()):.0%} at worst; at {1 - float(np.mean(wrong)):.0%} "
            "of them the slopes are right all the same. Behind a choice that changed "
            "the replay computes with wrong values, so that it "
            f"counts other choices than the program makes at "
            f"{float(np.mean(flips[failed] != really[failed])):.0%} of these inputs; "
            "it never misses that there is one. "
        )
    first, last = rows[0]["distance"], rows[-1]["distance"]
    shares = [
        f"{name}, {near['flipped']:.0%} to {far['flipped']:.0%}"
        for name, near, far in _ends(rows)
    ]
    dear = [
        f"{far['followed'] / far['tape']:.1f} ({name})" for name, _, far in _ends(rows)
    ]
    cheap = [f"{near['followed'] / near['tape']:.2f}" for _, near, _ in _ends(rows)]
    told += (
        f"The share of inputs at which some guard fails, from the distance {first:g} "
        f"to {last:g}: {'; '.join(shares)}. Recording again whenever a guard fails "
        f"gives right slopes for {listed(cheap)} times the time of a tape at the "
        f"distance {first:g}, and for {listed(dear)} times at {last:g}; the tape "
        "follows every choice at one price."
    )
    if "jax_error" in rows[0]:
        worst = max(row["jax_error"] for row in rows)
        told += (
            " JAX, compiled once at the first input, follows too, for it computes both "
            "branches and selects: at all these inputs it differs from the tape by "
            f"{power(worst)} at most."
        )
    return told


def _ends(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any, Any]]:
    """Each program with its nearest and its farthest row."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["program"], []).append(row)
    return [(name, each[0], each[-1]) for name, each in found.items()]


THEORETIC = "theory: set-up + gradients x one"
NODES = "theory: as the nodes"


def picture(data: Mapping[str, Any]) -> Any:
    """Costs by gradients and by size; below, what choices by value do."""
    figure, grid = blank(3, 2, width=8.5, height=10.2)
    _totals(grid[0][0], data["run"])
    _break_evens(grid[0][1], data["sizes"])
    _parts(grid[1][0], data["sizes"])
    programs = list(dict.fromkeys(row["program"] for row in data["choices"]))
    share, error, followed = grid[1][1], grid[2][0], grid[2][1]
    for number, name in enumerate(programs, 5):
        rows = [row for row in data["choices"] if row["program"] == name]
        looks = style(number).options() | {"markersize": 7}
        distances = [row["distance"] for row in rows]
        share.plot(distances, [row["flipped"] for row in rows], **looks, label=name)
        ratios = [row["followed"] / row["tape"] for row in rows]
        followed.plot(distances, ratios, **looks, label=name)
        errors = np.concatenate([row["errors"] for row in rows])
        flips = np.concatenate([row["flips"] for row in rows]) + 0.2 * (number - 6)
        scattered = looks | {"linestyle": "none"}
        error.plot(flips, np.maximum(errors, 1e-18), **scattered, label=name)
    if "jax_error" in data["choices"][0]:
        worst = max(row["jax_error"] for row in data["choices"])
        colour = style(KINDS.index(JAX)).colour
        error.axhline(worst, color=colour, label="JAX: worst error")
    error.xaxis.get_major_locator().set_params(integer=True)
    followed.axhline(1, **THEORY | {"linestyle": "-"}, label="as a tape each time")
    for axes in (share, followed):
        axes.set_xscale("log")
        axes.set_xlabel("distance of the input, relative to its size")
    followed.set_yscale("log")
    error.set_yscale("log")
    share.set_ylabel("share of inputs")
    followed.set_ylabel("time of a gradient, in tapes")
    error.set_ylabel("error of the slopes, of their norm")
    error.set_xlabel("guards that fail")
    share.set_title("some guard of the static graph fails", fontsize=10)
    error.set_title("guards ignored", fontsize=10)
    followed.set_title("recorded again when a guard fails", fontsize=10)
    for axes in grid.flat:
        axes.tick_params(labelsize=8)
    legend(figure, grid.flat, 3)
    return figure


def _totals(axes: Any, whole: Mapping[str, Any]) -> None:
    """Seconds until so many gradients stand, and where the static graph gets ahead."""
    series = whole["series"]
    for kind, each in series.items():
        looks = style(KINDS.index(kind)).options()
        axes.plot(each["counts"], each["seconds"], **looks, label=kind)
    for each in series.values():
        counts = np.array(each["counts"])
        expected = each["setup"] + counts * each["each"]
        axes.plot(counts, expected, **THEORY, label=THEORETIC)
    for each in series.values():
        ahead = each["break_even"]
        if ahead is not None:
            height = np.interp(ahead, each["counts"], each["seconds"])
            ring = {"s": 110, "facecolors": "none", "edgecolors": "#000000"}
            axes.scatter([ahead], [height], **ring, zorder=4, label="break-even")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("gradients")
    axes.set_ylabel("seconds, set-up included")
    axes.set_title(f"a network with {whole['parameters']:,} parameters", fontsize=10)


def _break_evens(axes: Any, sizes: Sequence[Mapping[str, Any]]) -> None:
    """Gradients that pay for a set-up; nothing where they never do."""
    parameters = [row["parameters"] for row in sizes]
    for kind in sizes[0]["break_even"]:
        found = [row["break_even"][kind] for row in sizes]
        heights = [np.nan if count is None else count for count in found]
        looks = style(KINDS.index(kind)).options()
        axes.plot(parameters, heights, **looks, label=kind)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("parameters")
    axes.set_ylabel("break-even, gradients")
    axes.set_title("gradients until static is ahead of the tape", fontsize=10)


def _parts(axes: Any, sizes: Sequence[Mapping[str, Any]]) -> None:
    """Seconds of each part, named at the end of its line."""
    parameters = np.array([row["parameters"] for row in sizes])
    nodes = np.array([row["nodes"] for row in sizes])
    shown = {
        "record": ("record", AGAIN),
        "lay_out": ("lay out", SECOND),
        "tape": ("tape", TAPE),
        "replay": ("replay", STATIC),
        "jax": ("JAX", JAX),
    }
    above = np.inf  # where the last label stands, in decades; they keep apart
    ends = [key for key in shown if key in sizes[0]]
    for key in sorted(ends, key=lambda key: -float(sizes[-1][key])):
        label, kind = shown[key]
        seconds = [row[key] for row in sizes]
        axes.plot(parameters, seconds, **style(KINDS.index(kind)).options())
        above = min(above - 0.4, float(np.log10(seconds[-1])))
        axes.annotate(
            label,
            (parameters[-1], 10**above),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
        if key in ("record", "replay"):
            grown = seconds[-1] * nodes / nodes[-1]
            axes.plot(parameters, grown, **THEORY, label=NODES)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(right=parameters[-1] * (parameters[-1] / parameters[0]) ** 0.2)
    axes.set_xlabel("parameters")
    axes.set_ylabel("seconds")
    axes.set_title("each part", fontsize=10)
