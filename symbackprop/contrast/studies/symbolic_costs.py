"""What do "hard to debug, long to compile, platform independent" mean here?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.stages import STAGES, staged
from symbackprop.contrast.study import Study, Tell
from symbackprop.figures import STYLES, blank, legend
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program

ABOUT = "What symbolic differentiation takes to derive, compile, read and carry over."

NAME = "symbolic-costs"
TITLE = (
    "Symbolic differentiation: long to compile, hard to debug, platform independent?"
)
DEPTHS = (1, 4, 16)
DIFFERENT = 8  # layers of a network in which no two are equal
UNITS = 16
LABELS = {
    "derive": "derive",
    "judge": "judge the derivation",
    "emit": "emit the file",
    "compile": "compile",
    "check": "check the kernels, write LaTeX",
}
SEEDS = (1, 2)  # of Python's hashes, in the first and in the second process


def network(widths: Sequence[int], name: str) -> Network:
    """Layers of these widths below a softmax."""
    hidden = [Dense(width, "tanh") for width in widths]
    return Network(
        inputs=UNITS,
        layers=[*hidden, Dense(4, "softmax")],
        loss="cross_entropy",
        name=name,
    )


def cases(depths: Sequence[int], different: int) -> dict[str, Program]:
    """By label: equal layers of each depth, and layers of as many widths."""
    found = {
        str(depth): network([UNITS] * depth, f"deep{depth}").program for depth in depths
    }
    if different:
        widths = [UNITS + k for k in range(different)]
        found[f"{different}*"] = network(widths, "different").program
    return found


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Take the networks, or the user's own, through all stages, twice."""
    programs = cases(DEPTHS, DIFFERENT) if program is None else {program.name: program}
    data = measured(programs, tell)
    return Study(NAME, TITLE, paragraph(data), data, lambda: picture(data))


def measured(programs: Mapping[str, Program], tell: Tell) -> dict[str, Any]:
    """Seconds of every stage, cold and again, and what the emitted file is like."""
    rows = []
    for label, program in programs.items():
        with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
            tell(f"{program.name}: deriving and compiling in a first process")
            cold = staged(program, Path(folder), SEEDS[0])
            tell(f"{program.name}: the same in a second process")
            warm = staged(program, Path(folder), SEEDS[1])
        rows.append(
            {
                "label": label,
                "name": program.name,
                "cold": cold["seconds"],
                "warm": warm["seconds"],
                "same_bytes": cold["digest"] == warm["digest"],
                **{key: cold[key] for key in _OF_THE_FILE},
            }
        )
    return {"dtype": "float64", "hash_seeds": SEEDS, "networks": rows}


_OF_THE_FILE = ("equations", "parameters", "lines", "comments", "digest")


def paragraph(data: Mapping[str, Any]) -> str:
    """The three phrases, one after the other, with the figures."""
    rows = data["networks"]
    last = rows[-1]
    equal = [row for row in rows if not row["label"].endswith("*")]
    deepest = equal[-1]

    def total(row: Mapping[str, Any], run: str) -> float:
        return float(sum(row[run].values()))

    def share(row: Mapping[str, Any]) -> float:
        own = row["cold"]["compile"] + row["cold"]["check"]
        return float(own / total(row, "cold"))

    shares = [share(row) for row in rows]
    symbolic = max(
        sum(row["cold"][stage] for stage in ("derive", "judge", "emit")) for row in rows
    )
    long = (
        f"**Long to compile** is true the first time: "
        f"{_from_to([total(row, 'cold') for row in rows], 's')} from equations to a "
        f"checked gradient. Of that, {_from_to([100 * s for s in shares], '%')} is "
        "Numba's compiler and the check of what it made; deriving, judging and "
        f"emitting take {symbolic:.2g} s at the most. "
    )
    if len(equal) > 1:
        grown = deepest["cold"]["compile"] / equal[0]["cold"]["compile"]
        layers = int(deepest["label"]) / int(equal[0]["label"])
        long += (
            f"{layers:.0f} times as many equal layers take {grown:.1f} times as long "
            "to compile, for they become one loop"
            + (
                f"; {last['label'].removesuffix('*')} layers of different widths take "
                f"{last['cold']['compile']:.1f} s."
                if last is not deepest
                else "."
            )
            + " "
        )
    loads = [row["warm"]["compile"] for row in rows]
    long += (
        f"A second process loads what the first one compiled in {_from_to(loads, 's')}."
    )
    lines = _from_to([row["lines"] for row in rows], "lines", ".0f")
    numbered = _from_to([row["comments"] for row in rows], "of them", ".0f")
    readable = (
        f"**Hard to debug** is what an expression without names is. The emitted file "
        f"has {lines}, and {numbered} are comments with the numbers and formulas of "
        f"the equations below them: `{last['name']}` has {last['equations']} "
        "equations. A number that looks wrong has a name, and an equation to hold it "
        "against."
    )
    same = all(row["same_bytes"] for row in rows)
    platform = (
        "**Platform independent** is the text: "
        + (
            "both processes emitted the same bytes under two different hash seeds"
            if same
            else "the two processes did NOT emit the same bytes"
        )
        + ". The machine code that Numba makes of it is not independent; it is made "
        "anew on each machine."
    )
    return "\n\n".join((long, readable, platform))


def _from_to(numbers: Sequence[float], unit: str, form: str = ".3g") -> str:
    """`1.2 to 3.4 s`, or one number where both are alike."""
    low, high = (format(n, form) for n in (min(numbers), max(numbers)))
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def picture(data: Mapping[str, Any]) -> Any:
    """Stacked stages, cold beside warm; below, the lines of the emitted file."""
    rows = data["networks"]
    figure, (left, right) = blank(1, 2, width=8.5, height=4.4)
    places = np.arange(len(rows))
    fills = zip(STAGES, (1, 6, 5, 2, 3), ("", "////", "", "", "...."), strict=True)
    floor = {"cold": np.zeros(len(rows)), "warm": np.zeros(len(rows))}
    for stage, style, hatch in fills:
        for run, shift in (("cold", -0.2), ("warm", 0.2)):
            taken = np.array([row[run][stage] for row in rows])
            left.bar(
                places + shift,
                taken,
                0.36,
                bottom=floor[run],
                color=STYLES[style].colour,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.5,
                label=LABELS[stage],
            )
            floor[run] += taken
    for place in places:
        for run, shift in (("cold", -0.2), ("warm", 0.2)):
            top = floor[run][place]
            left.annotate(
                run,
                (place + shift, top),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                rotation=90,
                va="bottom",
            )
    left.set_ylim(0, 1.16 * max(floor["cold"]))
    lines = np.array([row["lines"] for row in rows])
    numbered = np.array([row["comments"] for row in rows])
    right.bar(
        places, numbered, 0.6, color=STYLES[0].colour, label="comments with equations"
    )
    right.bar(
        places,
        lines - numbered,
        0.6,
        bottom=numbered,
        color="#bbbbbb",
        edgecolor="white",
        label="other lines",
    )
    left.set_ylabel("seconds")
    right.set_ylabel("lines of the emitted file")
    left.set_title("first process (cold) and second (warm)", fontsize=10)
    right.set_title("what is emitted", fontsize=10)
    star = any(row["label"].endswith("*") for row in rows)
    for axes in (left, right):
        axes.set_xticks(places, [row["label"] for row in rows])
        axes.grid(axis="x", visible=False)
        beside = max(0.6, 2 - len(rows) / 2)  # few bars need not be wide
        axes.set_xlim(-beside, len(rows) - 1 + beside)
        if star:
            axes.set_xlabel("hidden layers (*: no two of equal width)")
    legend(figure, [left, right], 3)
    return figure
