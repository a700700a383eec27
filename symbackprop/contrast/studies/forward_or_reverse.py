"""When is forward mode the cheaper one, and when reverse mode?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.jacobians import (
    agree,
    by_forward,
    by_reverse,
    counted,
    declared,
    drawn,
)
from symbackprop.contrast.point import Floats
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.contrast.units import power
from symbackprop.figures import STYLES, THEORY, blank, legend
from symbackprop.program import Program

ABOUT = "Forward against reverse mode by the numbers of inputs and outputs."

NAME = "forward-or-reverse"
TITLE = "Forward mode against reverse mode, by inputs and outputs"
AROUND = 64  # inputs and outputs together
INPUTS = (1, 2, 4, 8, 16, 24, 32, 40, 48, 56, 60, 62, 63)
HIDDEN = 16  # of the functions on which operations are counted
TIMED = 512  # of those that are timed: Python's own time weighs less
GROWN = (1, 2, 4, 8, 16, 32, 64, 128)
HELD = 8  # the other number, while one grows
REPEATS, QUICK = 25, 0.3  # calls to time, while they take no longer than this together
PASS = 2  # evaluations that one pass takes: itself, and the same products once more


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Count and time both modes on functions of many shapes."""
    none_of_yours(NAME, program)
    data = measure(INPUTS, AROUND, HIDDEN, TIMED, GROWN, HELD, seed, REPEATS, tell)
    return Study(NAME, TITLE, paragraph(data), data, lambda: picture(data))


def measure(
    inputs: Sequence[int],
    around: int,
    hidden: int,
    timed: int,
    grown: Sequence[int],
    held: int,
    seed: int = 0,
    repeats: int = REPEATS,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """What whole Jacobians take, by shape.

    Args:
        inputs: how many, with `around` less as many outputs.
        around: inputs and outputs together.
        hidden: units between, where operations are counted.
        timed: the same, where seconds are measured.
        grown: numbers of inputs, and then of outputs, while the other is `held`.
        held: that other number.
        seed: of the values.
        repeats: calls at most, of which the median is taken.
        tell: is called with what is being done.

    Returns:
        `shapes`: a row for each number of inputs; `inputs` and `outputs`: rows of what
        grows; `crossings`: ratios of inputs to outputs at which both modes take the
        same; `exponents`: of the growth in evaluations.
    """
    shapes = []
    for n in inputs:
        m = around - n
        tell(f"{NAME}: {n} inputs and {m} outputs")
        program = declared(n, m, timed)
        seconds, gap = _timed(program, drawn(program, seed), repeats)
        row = _row(n, m, hidden, seed)
        shapes.append(row | {"seconds": seconds, "gap": gap})
    by_inputs = [_row(n, held, hidden, seed) for n in grown]
    by_outputs = [_row(held, m, hidden, seed) for m in grown]
    ratios = [row["inputs"] / row["outputs"] for row in shapes]
    crossings = {"operations": crossing(ratios, _pairs(shapes, "operations"))}
    for library in shapes[0]["seconds"]:
        pairs = [tuple(row["seconds"][library].values()) for row in shapes]
        crossings[library] = crossing(ratios, pairs)
    return {
        "around": around,
        "hidden": hidden,
        "timed": timed,
        "held": held,
        "shapes": shapes,
        "inputs": by_inputs,
        "outputs": by_outputs,
        "crossings": crossings,
        "exponents": {
            f"{mode} in {what}": exponent(
                grown, [row["operations"][mode] / row["evaluation"] for row in rows]
            )
            for what, rows in (("inputs", by_inputs), ("outputs", by_outputs))
            for mode in ("forward", "reverse")
        },
    }


def _row(inputs: int, outputs: int, hidden: int, seed: int) -> dict[str, Any]:
    """Counted operations of the whole Jacobian."""
    each = counted(inputs, outputs, hidden, seed)
    return {
        "inputs": inputs,
        "outputs": outputs,
        **each,
        "operations": {
            "forward": inputs * each["pass"],
            "reverse": outputs * each["sweep"],
        },
    }


def _timed(
    program: Program, values: Mapping[str, Any], repeats: int
) -> tuple[dict[str, dict[str, float]], float]:
    """Seconds of the whole Jacobian by library and mode, and their difference."""
    calls: dict[tuple[str, str], Callable[[], Floats]] = {
        ("witnesses", "forward"): lambda: by_forward(program, values),
        ("witnesses", "reverse"): lambda: by_reverse(program, values),
        **_peer(program, values),
    }
    found: dict[str, Floats] = {}
    seconds: dict[str, dict[str, float]] = {}
    for (library, mode), call in calls.items():
        taken: list[float] = []
        while len(taken) < repeats and (not taken or sum(taken) < QUICK):
            start = time.perf_counter()
            found[f"{mode} mode ({library})"] = call()
            taken.append(time.perf_counter() - start)
        seconds.setdefault(library, {})[mode] = float(np.median(taken))
    return seconds, agree(found)


def _peer(
    program: Program, values: Mapping[str, Any]
) -> dict[tuple[str, str], Callable[[], Floats]]:
    """JAX, whose passes travel together as one compiled call; nothing without it."""
    try:
        from symbackprop.contrast.peers.xla import jacobian
    except ModuleNotFoundError:
        return {}
    return {
        ("JAX", mode): jacobian(program, values, of="y", by="x", mode=mode)
        for mode in ("forward", "reverse")
    }


def _pairs(rows: Sequence[Mapping[str, Any]], what: str) -> list[tuple[float, ...]]:
    return [(row[what]["forward"], row[what]["reverse"]) for row in rows]


def crossing(
    ratios: Sequence[float], pairs: Sequence[tuple[float, ...]]
) -> float | None:
    """Where two curves cross, by straight lines between logarithms; None: nowhere.

    >>> crossing([0.5, 2.0], [(1.0, 4.0), (4.0, 1.0)])
    1.0
    """
    gaps = [float(np.log(first / second)) for first, second in pairs]
    for k in range(len(gaps) - 1):
        if gaps[k] < 0 <= gaps[k + 1]:
            share = -gaps[k] / (gaps[k + 1] - gaps[k])
            left, right = np.log(ratios[k]), np.log(ratios[k + 1])
            return float(np.exp(left + share * (right - left)))
    return None


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """p of the power law `cost = c size^p` nearest to them, in logarithms.

    >>> round(exponent([1, 2, 4], [3, 12, 48]), 12)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def paragraph(data: Mapping[str, Any]) -> str:
    """Both extremes, the crossings beside the predicted one, and the growth."""
    rows = data["shapes"]
    narrow, wide = rows[0], rows[-1]
    crossings, exponents = data["crossings"], data["exponents"]
    each = [[row[k] / row["evaluation"] for row in rows] for k in ("pass", "sweep")]
    passes, sweeps = (f"{min(k):.2f} to {max(k):.2f}" for k in each)

    def times(row: Mapping[str, Any], dear: str, cheap: str) -> str:
        return f"{row['operations'][dear] / row['operations'][cheap]:,.0f} times"

    told = (
        "The Jacobian of `y = tanh(B tanh(A x))` takes forward mode a pass for each "
        "input, and reverse mode a sweep for each output. With "
        f"{data['around']} inputs and outputs together, one evaluation takes "
        f"{narrow['evaluation']:,} operations whatever the shape, a pass {passes} "
        f"evaluations and a sweep {sweeps}: only x moves, so that either does each "
        "product of a matrix once more. "
        f"From {_shape(wide)}, as a loss is, forward mode takes "
        f"{times(wide, 'forward', 'reverse')} the operations of reverse mode; "
        f"from {_shape(narrow)}, reverse mode takes "
        f"{times(narrow, 'reverse', 'forward')} those of forward mode.\n\n"
        "*Crossing.* Since a pass costs as much as a sweep, theory puts it at n/m = 1. "
        f"Counted operations cross at {_ratio(crossings['operations'])}, the seconds "
        f"of plain Python at {_ratio(crossings['witnesses'])}"
    )
    if "JAX" in crossings:
        first, last = (row["seconds"]["JAX"]["forward"] for row in (narrow, wide))
        told += (
            f", those of JAX at {_ratio(crossings['JAX'])}. JAX lets all tangents "
            "travel together through one compiled call, which shares the evaluation "
            "and multiplies matrices by matrices: its forward mode takes "
            f"{last / first:.1f} times as long for {_shape(wide)} as for "
            f"{_shape(narrow)}. Where its modes cross is a matter of the code that its "
            "compiler makes, and not of operations alone"
        )
    worst = max(row["gap"] for row in rows)
    return told + (
        ".\n\n"
        f"*Growth.* In evaluations, forward mode grows with the power "
        f"{exponents['forward in inputs']:.2f} of n (1 in theory) and "
        f"{exponents['forward in outputs']:.2f} of m (0 in theory); reverse mode with "
        f"{exponents['reverse in outputs']:.2f} of m and "
        f"{exponents['reverse in inputs']:.2f} of n. All Jacobians agree to "
        f"{power(worst)} of their norm. "
        "The general bounds of Griewank and Walther, Evaluating Derivatives, chapter "
        "3, are 2 to 5/2 evaluations for a pass and 3 to 4 for a sweep. They count "
        "memory as well, and let both factors of a product move, as in training, where "
        "the weights do; with them the crossing lies between n/m = 1.2 and 2."
    )


def _shape(row: Mapping[str, Any]) -> str:
    def some(count: int, what: str) -> str:
        return f"{count} {what}" + ("s" if count > 1 else "")

    return f"{some(row['inputs'], 'input')} to {some(row['outputs'], 'output')}"


def _ratio(crossing: float | None) -> str:
    return "none of these shapes" if crossing is None else f"{crossing:.2f}"


FORWARD, REVERSE = STYLES[1], STYLES[2]
PEER = {"forward": STYLES[6], "reverse": STYLES[5]}


def picture(data: Mapping[str, Any]) -> Any:
    """Operations and seconds by shape; below, the growth with either number."""
    figure, grid = blank(2, 2, width=8.5, height=7.2)
    rows = data["shapes"]
    ratios = np.array([row["inputs"] / row["outputs"] for row in rows])
    counts, seconds = grid[0]
    for mode, looks in (("forward", FORWARD), ("reverse", REVERSE)):
        label = f"{mode} mode"
        found = [row["operations"][mode] for row in rows]
        counts.plot(ratios, found, **looks.options(), label=label)
        many = "inputs" if mode == "forward" else "outputs"
        expected = [PASS * row[many] * row["evaluation"] for row in rows]
        counts.plot(ratios, expected, **THEORY, label=THEORETIC)
        for library in rows[0]["seconds"]:
            own = library == "witnesses"
            taken = [1e3 * row["seconds"][library][mode] for row in rows]
            seconds.plot(
                ratios,
                taken,
                **(looks if own else PEER[mode]).options(),
                label=label if own else f"{label}, {library}",
            )
    counts.set_ylabel("operations for the whole Jacobian")
    seconds.set_ylabel("milliseconds for the whole Jacobian")
    crossings = data["crossings"]
    counts.set_title(
        f"counted: they cross at n/m = {_ratio(crossings['operations'])}", fontsize=10
    )
    told = f"measured: they cross at {_ratio(crossings['witnesses'])}"
    if "JAX" in crossings:
        told += f", JAX's at {_ratio(crossings['JAX'])}"
    seconds.set_title(told, fontsize=10)
    for axes in (counts, seconds):
        axes.axvline(1, **THEORY | {"linestyle": "-"}, label="predicted crossing: 1")
        axes.set_xlabel(f"inputs to outputs n/m, with n + m = {data['around']}")
    _growth(grid[1][0], data, "inputs", "outputs")
    _growth(grid[1][1], data, "outputs", "inputs")
    for axes in grid.flat:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.tick_params(labelsize=8)
    legend(figure, grid.flat, 3)
    return figure


THEORETIC = "theory: 2 evaluations a pass or sweep"


def _growth(axes: Any, data: Mapping[str, Any], grows: str, held: str) -> None:
    """Cost in evaluations, against the one number while the other is held."""
    rows = data[grows]
    sizes = np.array([row[grows] for row in rows])
    for mode, looks in (("forward", FORWARD), ("reverse", REVERSE)):
        cost = [row["operations"][mode] / row["evaluation"] for row in rows]
        axes.plot(sizes, cost, **looks.options(), label=f"{mode} mode")
        follows = (mode == "forward") == (grows == "inputs")
        expected = PASS * (sizes if follows else np.full(len(sizes), data["held"]))
        axes.plot(sizes, expected, **THEORY, label=THEORETIC)
    letter, other = ("n", "m") if grows == "inputs" else ("m", "n")
    axes.set_xlabel(f"{grows} {letter}, with {data['held']} {held} ({other})")
    axes.set_ylabel("operations in evaluations")
    axes.set_title(f"growth with the {grows}", fontsize=10)
