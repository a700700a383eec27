"""Expression swell: what becomes of a slope that is written out as one expression."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy
from sympy.core.cache import clear_cache

from symbackprop.contrast.study import Study, Tell
from symbackprop.contrast.swell import (
    Expanded,
    derivative,
    operations,
    shared_nodes,
    straight,
)
from symbackprop.contrast.units import duration, power
from symbackprop.costs import costs
from symbackprop.derivation import derive
from symbackprop.figures import THEORY, blank, legend, style
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.graph import record

ABOUT = "Operations of a gradient as expressions, with shared parts, and by recursion."

DEPTHS = (1, 2, 3, 4, 6, 8)
WIDTHS = (1, 2, 4, 6, 8, 12)
WIDTH, DEPTH = 4, 2  # of the networks whose depth, or whose width, grows
KNOWN = ((4, 4, 2), (8, 8, 4))  # sizes that other texts quote
WAIT = 110_000  # operations that SymPy itself is waited for, some seconds
NAMED = 2_000  # distinct parts among which it is asked for common ones, likewise

# What is drawn, and the field of `Size` that holds it.
LINES = {
    "expressions, written out": "tree",
    "common parts shared": "shared",
    "delta recursion": "recursion",
    "one evaluation": "value",
}


@dataclass(frozen=True)
class Size:
    """The gradient of one network, in operations.

    Attributes:
        parameters: how many slopes.
        value: operations of the objective, each part once.
        tree: of all slopes, written out one by one, as `sympy.count_ops` counts.
        shared: of value and slopes, common parts named by `sympy.cse`; None where no
            one would wait.
        recursion: of value and slopes by the derived equations.
        nodes: distinct parts of the slopes.
        seconds: that `sympy.diff` took for all slopes; None where no one would wait.
        recursion_seconds: that deriving and judging the recursion took.
    """

    parameters: int
    value: int
    tree: int
    shared: int | None
    recursion: int
    nodes: int
    seconds: float | None
    recursion_seconds: float


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Count logistic networks of growing depth and width, and one of yours.

    Source: Griewank and Walther, Evaluating Derivatives, chapter 1; Baydin et al.,
        Automatic differentiation in machine learning: a survey, JMLR 18 (2018).
    """
    data = measured(DEPTHS, WIDTHS, KNOWN, seed, tell)
    if program is not None:
        tell(f"counting {program.name}")
        data["yours"] = {"name": program.name, **vars(counted(program, seed))}
    return Study(
        "expression-swell",
        "Why does nobody write a network's slope as one expression?",
        paragraph(data),
        data,
        partial(drawn, data),
    )


def network(widths: Sequence[int]) -> Program:
    """Logistic layers of these widths under half the squared error."""
    inputs, *units = widths
    layers = [Dense(u, "logistic") for u in units]
    name = "w" + "_".join(map(str, widths))
    return Network(
        inputs=inputs, layers=layers, loss="squared_error", name=name
    ).program


def measured(
    depths: Sequence[int],
    widths: Sequence[int],
    known: Sequence[Sequence[int]],
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """Sizes by depth at one width, by width at one depth, and of known networks."""
    found: dict[str, Any] = {}
    shapes = {
        "by_depth": [(WIDTH,) * (depth + 1) for depth in depths],
        "by_width": [(width,) * (DEPTH + 1) for width in widths],
        "known": [tuple(each) for each in known],
    }
    total = sum(map(len, shapes.values()))
    done = 0
    for key, each in shapes.items():
        found[key] = []
        for shape in each:
            done += 1
            tell(f"network {done} of {total}: widths {'-'.join(map(str, shape))}")
            size = counted(network(shape), seed)
            found[key].append({"widths": list(shape), **vars(size)})
    found["depths"], found["widths"] = list(depths), list(widths)
    return found


def counted(program: Program, seed: int) -> Size:
    """Every slope of one program for one sample, and what it takes."""
    values = draw(program, np.random.default_rng(seed), 1)
    whole = Expanded.of(record(program, values))
    symbols = [s for p in program.parameters for s in whole.symbols[p.name]]
    slopes = [derivative(whole.value, symbol) for symbol in symbols]
    tree = operations(*slopes)
    nodes = shared_nodes(*slopes)
    shared = None
    if nodes <= NAMED:
        named, rest = sympy.cse([whole.value, *slopes])
        shared = operations(*(part for _, part in named), *rest)
    seconds = None
    if tree <= WAIT:
        clear_cache()  # SymPy remembers what an equal network taught it
        start = time.perf_counter()
        for symbol in symbols:
            sympy.diff(whole.value, symbol)
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    derivation = derive(program)
    spent = time.perf_counter() - start
    taken = costs(derivation)
    return Size(
        len(symbols),
        straight([whole.value], whole.symbols, values)[0].operations,
        tree,
        shared,
        (taken.forward + taken.backward).total,
        nodes,
        seconds,
        spent,
    )


def paragraph(data: dict[str, Any]) -> str:
    """Known sizes, the growth by layer, and what the recursion takes instead."""
    known = [
        f"{'-'.join(map(str, each['widths']))} takes {each['tree']:,} operations "
        f"written out and {each['shared']:,} with the value when parts are shared"
        for each in data["known"]
    ]
    deep, layers = data["by_depth"], data["depths"]
    first, last = deep[0], deep[-1]
    factor = (last["tree"] / deep[-2]["tree"]) ** (1 / (layers[-1] - layers[-2]))
    told = [
        "A slope written as one expression repeats whatever several parts read: every "
        "unit repeats the layer below it, and the chain rule repeats it again. Of "
        f"logistic networks with squared error, {'; '.join(known)}.",
        "*Depth.* A path from a parameter to the loss goes through one of "
        f"{WIDTH} units in each layer, and each of l layers has its parameters and its "
        f"factor in the product: expressions grow as $l^2 \\cdot {WIDTH}^l$. From "
        f"{layers[-2]} to {layers[-1]} layers that is {theory(layers[-2:]):.2f} times "
        f"more a layer; counted were {factor:.2f} ({first['tree']:,} operations with "
        f"{layers[0]}, {power(last['tree'])} with {layers[-1]}). The delta recursion "
        f"takes {last['recursion']:,} there, "
        f"{last['recursion'] / last['value']:.1f} times one evaluation: what has a "
        "name is computed once.",
    ]
    wide, widths = data["by_width"], data["widths"]
    grown = np.log(wide[-1]["tree"] / wide[-2]["tree"])
    told.append(
        f"*Width.* Of n units in each of {DEPTH} layers the leading term is "
        f"$n^{{{DEPTH + 3}}}$: so many slopes and paths, and so long a factor. From "
        f"{widths[-2]} to {widths[-1]} units the counted power is "
        f"{grown / np.log(widths[-1] / widths[-2]):.1f}, since shorter terms still "
        "weigh."
    )
    both = [each for each in deep if each["shared"]]
    if both:
        sought = both[-1]
        left = sought["shared"] / sought["recursion"]
        told.append(
            "*Sharing afterwards.* Of the finished expressions with "
            f"{len(sought['widths']) - 1} layers, {power(sought['tree'])} operations, "
            f"{sought['shared']:,} are left when common parts get names, {left:.1f} "
            f"times as many as the {sought['recursion']:,} of the recursion. SymPy "
            "writes products flat, and what is flat has lost where it came from."
        )
    waited = [each for each in _every(data) if each["seconds"]]
    if waited:
        slowest = max(waited, key=lambda each: each["seconds"])
        told.append(
            f"*Time.* SymPy took {duration(slowest['seconds'])} to differentiate the "
            f"network {'-'.join(map(str, slowest['widths']))} slope by slope; its "
            "recursion was derived, proved and judged in "
            f"{duration(slowest['recursion_seconds'])}. The recursion of "
            f"{wide[-1]['parameters']:,} parameters took "
            f"{duration(wide[-1]['recursion_seconds'])}, that of "
            f"{wide[0]['parameters']:,} in as many layers "
            f"{duration(wide[0]['recursion_seconds'])}: its equations do not know "
            "their sizes, and are judged on short axes."
        )
    if "yours" in data:
        yours = data["yours"]
        told.append(
            f"*{yours['name']}*: {power(yours['tree'])} operations written out, "
            f"{yours['recursion']:,} by the recursion, {yours['value']:,} for one "
            "evaluation."
        )
    return "\n\n".join(told)


def theory(layers: Sequence[int]) -> float:
    """How much `l^2 WIDTH^l` grows for each layer between two depths."""
    first, last = (theory_size(layer) for layer in layers)
    return float((last / first) ** (1 / (layers[1] - layers[0])))


def theory_size(layers: Any) -> Any:
    """`l^2 WIDTH^l`, up to a factor."""
    return layers**2 * float(WIDTH) ** layers


def _every(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for key in ("by_depth", "by_width", "known") for each in data[key]]


def drawn(data: dict[str, Any]) -> Any:
    """Operations by depth and by width on log axes, and the time of differentiating."""
    figure, panels = blank(1, 3, width=11, height=4.4)
    for axes, key, at in (
        (panels[0], "by_depth", "depths"),
        (panels[1], "by_width", "widths"),
    ):
        for number, (label, field) in enumerate(LINES.items()):
            pairs = [
                (place, float(each[field]))
                for place, each in zip(data[at], data[key], strict=True)
                if each[field] is not None
            ]
            axes.plot(*zip(*pairs, strict=True), label=label, **style(number).options())
        axes.set_xticks(data[at])
        axes.set_yscale("log")
        axes.set_ylabel("operations of all slopes")
    layers = np.linspace(min(data["depths"]), max(data["depths"]), 50)
    scale = data["by_depth"][-1]["tree"] / theory_size(layers[-1])
    told = f"theory: $l^2 \\cdot {WIDTH}^l$"
    panels[0].plot(layers, scale * theory_size(layers), label=told, **THEORY)
    units = np.linspace(min(data["widths"]), max(data["widths"]), 50)
    scale = data["by_width"][-1]["tree"] / units[-1] ** (DEPTH + 3)
    told = f"theory: $n^{{{DEPTH + 3}}}$ for large n"
    panels[1].plot(
        units[units > 3],
        scale * units[units > 3] ** (DEPTH + 3),
        label=told,
        **THEORY | {"linestyle": "-"},
    )
    for number, field in ((0, "seconds"), (2, "recursion_seconds")):
        pairs = sorted(
            (each["parameters"], each[field])
            for each in _every(data)
            if each[field] is not None
        )
        look = style(number).options() | {"linestyle": "none"}
        panels[2].plot(*zip(*pairs, strict=True), **look)
    panels[0].set_xlabel(f"layers l of {WIDTH} units")
    panels[1].set_xlabel(f"units n in each of {DEPTH} layers")
    panels[2].set_xscale("log")
    panels[2].set_yscale("log")
    panels[2].set_xlabel("parameters")
    panels[2].set_ylabel("time to differentiate (s)")
    for axes, told in zip(panels, ("by depth", "by width", "time"), strict=True):
        axes.set_title(told, fontsize=10)
    legend(figure, panels[:2], columns=6)
    return figure
