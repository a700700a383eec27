"""Cost against the number of parameters: who pays for each slope, and who for all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from math import prod
from typing import Any

import numpy as np

from symbackprop.contrast import tally
from symbackprop.contrast.apparatus.wording import listed
from symbackprop.contrast.measuring import Scene, measure
from symbackprop.contrast.method import Method
from symbackprop.contrast.methods import automatic, numeric, ours
from symbackprop.contrast.point import Point
from symbackprop.contrast.row import Row
from symbackprop.contrast.study import Study, Tell
from symbackprop.errors import DeclarationError, InputError
from symbackprop.figures import THEORY, blank, legend, style
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw

ABOUT = "Cost of a gradient by the number of parameters: forward, reverse, numeric."

WIDTHS = (2, 5, 12, 32)
SECONDS = 0.4  # for each method at each width
NAME = "parameter-cost"
BOUND = 5  # reverse mode takes at most so many times the operations of one evaluation

# What is contrasted: each pays once a slope, or once for all of them.
METHODS = tuple(
    method
    for method in (*numeric.METHODS, *automatic.METHODS, *ours.METHODS)
    if method.name
    in (
        *("central difference", "complex step", "dual numbers, scalar"),
        *("dual numbers, vector", "tape, dynamic graph", "static graph, compiled"),
        "delta recursion, float64",
    )
)


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Measure networks of growing width, or a program with its axes lengthened.

    Source: Griewank and Walther, Evaluating Derivatives, chapter 3 and 4 (the cheap
        gradient principle: a gradient costs at most a small multiple of the function).
    """
    programs = [network(w) for w in WIDTHS] if program is None else widened(program)
    data = measured(programs, METHODS, seed, SECONDS, tell)
    return Study(
        NAME,
        "What does each further parameter cost?",
        paragraph(data),
        data,
        partial(drawn, data),
    )


def network(width: int) -> Program:
    """Two tanh layers of equal width and softmax, for as many inputs."""
    layers = [Dense(width, "tanh"), Dense(width, "tanh"), Dense(width, "softmax")]
    made = Network(inputs=width, layers=layers, loss="cross_entropy", name=f"w{width}")
    return made.program


def widened(program: Program, factors: Sequence[int] = (1, 2, 3, 4)) -> list[Program]:
    """A program with its axes so many times as long, where it can be declared so.

    Where not all can be lengthened, as the axis of a filter that slides along another,
    one of them keeps its length.

    Raises:
        InputError: it can be declared at one size only.
    """
    equations, axes, *others = program.__reduce__()[1]

    def lengthened(held: str) -> list[Program]:
        found = []
        for factor in factors:
            longer = {n: s if n == held else s * factor for n, s in axes.items()}
            with suppress(DeclarationError):
                found.append(Program(equations, longer, *others))
        return found

    tried = (lengthened(held) for held in ("", *axes))
    found = next((f for f in tried if len(set(map(_size, f))) > 1), None)
    if found is None:
        raise InputError(
            f"study {NAME}: none of the axes of `{program.name}` can be lengthened, so "
            "that no growth can be seen. Leave --file away to see it on networks of "
            "growing width."
        )
    return found


def _size(program: Program) -> int:
    return sum(prod(program.shape(tensor.name)) for tensor in program.parameters)


def measured(
    programs: Sequence[Program],
    methods: Sequence[Method],
    seed: int,
    seconds: float,
    tell: Tell,
) -> dict[str, Any]:
    """Operations and seconds of one gradient of one sample, by method and program."""
    rng = np.random.default_rng(seed)
    parameters: list[int] = []
    evaluation: list[int] = []
    costs: dict[str, dict[str, Any]] = {}
    for number, program in enumerate(programs, 1):
        point = Point(program, draw(program, rng, 1))
        place = f"network {number} of {len(programs)}, {point.size:,} parameters"

        def say(doing: str, place: str = place) -> None:
            tell(f"{place}: {doing}")

        scene = Scene.of(point, rng, say)
        rows, _ = measure(methods, scene, seconds, rng, say)
        parameters.append(point.size)
        evaluation.append(tally.of_value(point) or 0)
        for row in rows:
            _note(costs, row)
    for found in costs.values():
        multiples = np.array(found["operations"]) / evaluation
        found["exponent"] = exponent(parameters, multiples)
    return {
        "parameters": parameters,
        "operations_of_one_evaluation": evaluation,
        "methods": costs,
    }


def _note(costs: dict[str, dict[str, Any]], row: Row) -> None:
    empty: dict[str, Any] = {"operations": [], "seconds": [], "extrapolated": []}
    found = costs.setdefault(row.method, empty)
    found["operations"].append(row.operations)
    found["seconds"].append(row.seconds)
    found["extrapolated"].append(row.extrapolated)


def exponent(sizes: Sequence[float], costs: Any) -> float:
    """The power with which a cost grows: the slope of a line through its logarithms.

    >>> round(exponent([1, 10, 100], [5, 50, 500]), 9)
    1.0
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(np.asarray(costs, dtype=float)), 1)
    return float(slope)


def paragraph(data: dict[str, Any]) -> str:
    """Exponents and multiples, beside what theory says of them."""
    methods, evaluation = data["methods"], data["operations_of_one_evaluation"]
    last = data["parameters"][-1]
    growing = [n for n, m in methods.items() if m["exponent"] > 0.5]
    level = [n for n in methods if n not in growing]

    def multiple(name: str) -> float:
        return float(methods[name]["operations"][-1] / evaluation[-1])

    told = [
        f"From {data['parameters'][0]:,} to {last:,} parameters, one gradient of one "
        "sample was counted in multiples of one evaluation of the objective. A method "
        "that goes through the objective once for each slope should take a multiple "
        "that grows with the exponent 1; one that goes once forward and once back, a "
        f"multiple of at most {BOUND}, whatever the number of parameters."
    ]
    if growing:
        each = [
            f"{name} (exponent {methods[name]['exponent']:.2f}, "
            f"{multiple(name):,.0f} times at {last:,})"
            for name in growing
        ]
        told.append(f"*Once for each slope:* {listed(each)}.")
    if level:
        each = [
            f"{name} (exponent {methods[name]['exponent']:.2f}, "
            f"{multiple(name):.2f} times)"
            for name in level
        ]
        told.append(f"*Once for all:* {listed(each)}.")
    return "\n\n".join(told)


def drawn(data: dict[str, Any]) -> Any:
    """Multiples of an evaluation with their theory, and seconds."""
    figure, (counted, timed) = blank(1, 2, width=9, height=4.8)
    sizes = np.array(data["parameters"])
    evaluation = np.array(data["operations_of_one_evaluation"])
    for number, (name, found) in enumerate(data["methods"].items()):
        look = style(number).options()
        counted.plot(
            sizes, np.array(found["operations"]) / evaluation, label=name, **look
        )
        timed.plot(sizes, found["seconds"], label=name, **look)
    broad = THEORY | {"linestyle": "-", "linewidth": 5, "alpha": 0.4}  # it is met
    counted.plot(sizes, sizes, label="theory: once a slope", **broad)
    counted.axhline(
        BOUND, label=f"theory: at most {BOUND} times", **(THEORY | {"linestyle": "-"})
    )
    for axes, told in (
        (counted, "operations of a gradient / of an evaluation"),
        (timed, "time of a gradient (s)"),
    ):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel("parameters")
        axes.set_ylabel(told)
    legend(figure, (counted,), columns=3)
    return figure
