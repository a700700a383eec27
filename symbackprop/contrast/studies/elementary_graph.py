"""How do both modes walk through the elementary functions of one formula?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.composition import (
    Composition,
    Number,
    Sweeps,
    check,
    compose,
    short_number,
    sweep,
)
from symbackprop.contrast.apparatus.graph import (
    FORWARD,
    QUIET,
    REVERSE,
    draw_graph,
    extent,
    layout,
)
from symbackprop.contrast.apparatus.sweep_tables import tables
from symbackprop.contrast.study import Study, Tell
from symbackprop.equations import Name
from symbackprop.errors import InputError
from symbackprop.figures import drawable
from symbackprop.formula import formula
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw

ABOUT = "The elementary functions of a formula, with both sweeps through them."

NAME = "elementary-graph"
TITLE = "Forward and reverse mode through the elementary functions of a formula"
NODES = 40  # more are no picture for a page


@dataclass(frozen=True)
class Worked:
    """A formula at a point, with its numbers."""

    text: str
    composition: Composition
    point: Mapping[Name, Number]
    sweeps: Sweeps
    error: float

    @classmethod
    def of(cls, program: Program, numbers: Mapping[str, Number]) -> Worked:
        """Split, sweep and check.

        Raises:
            CheckError: a local derivative or a sweep is refuted.
        """
        made = compose(program)
        point = {leaf: numbers[leaf.name] for leaf in made.leaves}
        swept = sweep(made, point)
        error = check(made, point, swept)
        text = ", ".join(formula(e, program) for e in program.equations)
        return cls(text, made, point, swept, error)


def examples() -> list[Worked]:
    """The neuron of a textbook, and a formula in which two paths lead to one end."""
    neuron = Program(
        equations="z = x*w + b\nf = 1/(exp(-z) + 1)",
        axes={},
        parameters={"w": "", "b": ""},
        data={"x": ""},
        objective="f",
        name="neuron",
    )
    paths = Program(
        equations="f = x*w + sin(x*w)",
        axes={},
        parameters={"w": ""},
        data={"x": ""},
        objective="f",
        name="paths",
    )
    zero, one, two = map(Fraction, (0, 1, 2))
    return [
        Worked.of(neuron, {"x": one, "w": zero, "b": zero}),
        Worked.of(paths, {"x": two, "w": zero}),
    ]


def of_program(program: Program, seed: int) -> Worked:
    """The user's own formula, at numbers that are drawn.

    Raises:
        InputError: it has axes, or too many elementary functions.
    """
    if program.axes:
        raise InputError(
            f"study {NAME}: `{program.name}` has the axes {', '.join(program.axes)}, "
            "as every network's file has. It takes a program whose parameters, data "
            "and tensors are all scalars, from Python: `Program(equations=..., "
            "axes={}, parameters={'w': ''}, ...)`. Leave --file away to see its own "
            "examples."
        )
    count = len(compose(program).steps)
    if count > NODES:
        raise InputError(
            f"study {NAME}: `{program.name}` has {count} elementary functions, and "
            f"{NODES} can be drawn. Give a shorter formula."
        )
    drawn = draw(program, np.random.default_rng(seed), batch=1)
    numbers = {
        name: Fraction(float(np.asarray(values).reshape(-1)[0]))
        for name, values in drawn.items()
    }
    return Worked.of(program, numbers)


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Show the examples, or the program's objective."""
    tell("splitting the formula and sweeping through it")
    worked = examples() if program is None else [of_program(program, seed)]
    return Study(
        NAME,
        TITLE,
        "\n\n".join(paragraph(each) for each in worked),
        {"formulas": [_record(each) for each in worked]},
        lambda: picture(worked),
        "\n\n\\bigskip\n\n".join(
            tables(each.composition, each.sweeps) for each in worked
        ),
        table(worked),
    )


def paragraph(worked: Worked) -> str:
    """What the graph shows, in its own numbers."""
    made, swept = worked.composition, worked.sweeps
    last = made.steps[-1].symbol
    point = ", ".join(f"{u} = {short_number(v)}" for u, v in worked.point.items())
    slopes = ", ".join(
        f"d{made.objective}/d{v} = {short_number(swept.reverse[v])}"
        for v in made.variables
    )
    sweeps = len(made.variables)
    told = (
        f"`{worked.text}` is {len(made.steps)} elementary functions, one operation "
        f"each. At {point} its value is {short_number(swept.values[last])}. Forward "
        f"mode carries the slope by one variable along with the values, from the left "
        f"to the right, and needs {_sweeps(sweeps)} for "
        f"{', '.join(v.name for v in made.variables)}. Reverse mode starts with 1 at "
        f"{last}, multiplies by the local derivatives from the right to the left, and "
        f"finds {slopes} in one sweep. Both agree with the formula that SymPy "
        f"differentiates whole, "
        + ("exactly." if worked.error == 0 else f"to {worked.error:.0e}.")
    )
    for node, paths in swept.paths.items():
        if len(paths) > 1 and node not in made.others:
            parts = [f"{short_number(n)} from {h}" for h, n in paths.items()]
            told += (
                f" {len(paths)} paths lead on from {node}; their slopes are added: "
                f"{', '.join(parts[:-1])} and {parts[-1]} make "
                f"{short_number(swept.reverse[node])}."
            )
    return told


def table(worked: Sequence[Worked]) -> tuple[tuple[str, ...], ...]:
    """A row for each elementary function: what both sweeps carry through it."""
    rows = [("formula", "function", "value", "local", "forward sweep", "reverse sweep")]
    for each in worked:
        made, swept = each.composition, each.sweeps
        for step in made.steps:
            h = step.symbol
            local = (
                f"d{h}/d{u} = {made.text(slope)} = {short_number(swept.local[h, u])}"
                for u, slope in step.local.items()
            )
            ahead = (
                f"d{h}/d{v} = {short_number(swept.forward[v][h])}"
                for v in made.variables
            )
            rows.append(
                (
                    each.text,
                    f"{h} = {made.text(step.function)}",
                    short_number(swept.values[h]),
                    "; ".join(local),
                    "; ".join(ahead),
                    f"d{made.objective}/d{h} = {short_number(swept.reverse[h])}",
                )
            )
    return tuple(rows)


def _sweeps(count: int) -> str:
    return "one sweep" if count == 1 else f"{count} sweeps, one each,"


def picture(worked: Sequence[Worked]) -> Any:
    """Each graph under its formula, at one scale."""
    drawable()
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    sizes = [extent(layout(each.composition)) for each in worked]
    width = max(6.5, *(size[0] for size in sizes))
    head, foot = 0.45, 0.55
    height = sum(size[1] + head for size in sizes) + foot
    figure = Figure(figsize=(width, height))
    top = height
    for each, (wide, high) in zip(worked, sizes, strict=True):
        point = ", ".join(f"{u} = {short_number(v)}" for u, v in each.point.items())
        told = f"{each.text}   at {point}"
        y = (top - head / 2) / height
        figure.text(0.5, y, told, ha="center", fontsize=10, parse_math=False)
        top -= head + high
        left = (width - wide) / 2
        axes = figure.add_axes(
            (left / width, top / height, wide / width, high / height)
        )
        draw_graph(axes, each.composition, each.sweeps)
    marks: dict[str, Any] = {"marker": "s", "linestyle": "none", "markersize": 6}
    legend = {
        "bold: value of the node": "#000000",
        "on an edge: local derivative": QUIET,
        r"$\partial_v$: forward sweep, slope of the node by $v$": FORWARD,
        r"$\delta$: reverse sweep, slope of the formula by the node": REVERSE,
    }
    handles = [
        Line2D([], [], color=colour, label=label, **marks)
        for label, colour in legend.items()
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=2, frameon=False, fontsize=9
    )
    return figure


def _record(worked: Worked) -> dict[str, Any]:
    made, swept = worked.composition, worked.sweeps

    def told(number: Number) -> dict[str, Any]:
        return {"text": short_number(number), "value": float(number)}

    return {
        "formula": worked.text,
        "point": {u.name: told(v) for u, v in worked.point.items()},
        "worst_disagreement": worked.error,
        "slopes": {v.name: told(swept.reverse[v]) for v in made.variables},
        "steps": [
            {
                "name": step.symbol.name,
                "function": made.text(step.function),
                "value": told(swept.values[step.symbol]),
                "local": {
                    u.name: {
                        "formula": made.text(slope),
                        **told(swept.local[step.symbol, u]),
                    }
                    for u, slope in step.local.items()
                },
                "forward": {
                    v.name: told(swept.forward[v][step.symbol]) for v in made.variables
                },
                "reverse": told(swept.reverse[step.symbol]),
                "paths": {h.name: told(n) for h, n in swept.paths[step.symbol].items()},
            }
            for step in made.steps
        ],
    }
