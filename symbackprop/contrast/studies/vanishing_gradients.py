"""Vanishing gradients: the norm of the error term by layer.

    ||delta^(l)|| <= max|f'| ||W^(l+1)||_2 ||delta^(l+1)||

so that a logistic, whose slope is at most 1/4, shrinks it by 0.25 ||W||_2 or more in
each layer. A mean field says what to expect instead of what to fear: for wide layers
the norm falls by `sqrt(n Var(W) E f'(sqrt(q) g)^2)`, g normal and q the variance of z.

Sources: Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen (1991);
    Schoenholz et al., Deep information propagation, ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.activations import (
    curve,
    one_argument,
    saturates,
    steepest,
)
from symbackprop.contrast.apparatus.chain import INITIALISATIONS, Chain, spectral
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import THEORY, beside, blank, spanning, style
from symbackprop.layers.dense import Dense
from symbackprop.program import Program
from symbackprop.witnesses.numbers import Array

ABOUT = "Norm of the error term by layer, for each activation and initialisation."
SLACK = 1e-9  # rounding, as a share of a norm
GROUPS = {
    "flat on both sides": ("both sides",),
    "flat on one side or none": ("one side", "no side"),
}


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Measure chains of 20 layers with 64 neurons each."""
    none_of_yours("vanishing-gradients", program)
    data = measure(one_argument(), depth=20, width=64, seeds=4, seed=seed, tell=tell)
    return Study(
        name="vanishing-gradients",
        title="How fast does the error term vanish with depth?",
        paragraph=paragraph(data),
        data=data,
        draw=lambda: draw(data),
    )


def measure(
    names: Sequence[str],
    depth: int,
    width: int,
    seeds: int,
    seed: int = 0,
    samples: int = 16,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """The norms by layer, relative to the last, for each activation and initialisation.

    Args:
        names: activations of the table.
        depth: layers.
        width: neurons of each.
        seeds: networks of each kind.
        seed: of the first of them.
        samples: in the batch of each.
        tell: is called with what is being done.

    Returns:
        `chains`: a row for each kind, with `norms` (the geometric mean over the
        networks of the root mean square over the samples), the `low`est and `high`est
        of them, the `decay` per layer, the one that a mean field `expected`, and the
        geometric mean of the `bound` per layer.
    """
    rows = []
    for place, name in enumerate(names):
        tell(f"vanishing: {name}, {place + 1} of {len(names)}")
        chain = Chain.of(Dense(width, name), depth, width)
        for initial, draw_weights in INITIALISATIONS.items():
            measured, spectra, kept = [], [], True
            for number in range(seeds):
                # The same data and, up to their scale, fates for every activation.
                rng = np.random.default_rng([seed, number])
                x, error = rng.normal(size=(2, samples, width))
                weights = chain.weights(draw_weights, rng)
                sweep = chain.sweep(weights, x, error)
                norms = [np.linalg.norm(delta, axis=1) for delta in sweep.delta]
                sizes = [spectral(matrix) for matrix in weights]
                kept = kept and not beyond(norms, sizes, steepest(name))
                whole = np.sqrt([np.mean(norm**2) for norm in norms])
                measured.append(whole / whole[-1] if whole[-1] else whole)
                spectra.append(sizes[1:])
            variance = float(np.mean([np.var(w) for w in weights]))
            mean = _geometric(measured)
            rows.append(
                {
                    "activation": name,
                    "ends": saturates(name),
                    "steepest": steepest(name),
                    "initialisation": initial,
                    "norms": mean.tolist(),
                    "low": np.min(measured, axis=0).tolist(),
                    "high": np.max(measured, axis=0).tolist(),
                    "decay": float(mean[0] ** (1 / (depth - 1))),
                    "expected": expected(name, width * variance, depth),
                    "bound": steepest(name) * float(_geometric(np.ravel(spectra))),
                    "spectral": _geometric(spectra).tolist(),
                    "bound_kept": kept,
                }
            )
    sizes_of = {"depth": depth, "width": width, "networks": seeds, "samples": samples}
    return {**sizes_of, "seed": seed, "chains": rows}


def beyond(norms: Sequence[Array], spectra: Sequence[float], slope: float) -> list[int]:
    """The layers, from 0, with a norm over `slope ||W^(l+1)||_2 ||delta^(l+1)||`.

    Shapes:
        norms: those of the samples, for each layer.
    """
    return [
        layer
        for layer, (norm, after) in enumerate(pairwise(norms))
        if np.any(norm > slope * spectra[layer + 1] * after * (1 + SLACK))
    ]


def expected(name: str, gain: float, depth: int) -> float:
    """The decay per layer by a mean field, `sqrt(gain E f'^2)`, over all layers.

    Args:
        name: the activation.
        gain: the width times the variance of a weight.
        depth: layers; the input's entries have the variance 1.
    """
    g = np.linspace(-8, 8, 3201)
    density = np.exp(-(g**2) / 2)
    density /= density.sum()
    variance, decays = gain, []
    for _ in range(depth - 1):
        height, slope = curve(name, np.sqrt(variance) * g)
        decays.append(np.sqrt(gain * np.sum(density * slope**2)))
        variance = gain * float(np.sum(density * height**2))
    return float(_geometric(decays))


def _geometric(numbers: Any) -> Array:
    """The geometric mean over the first axis; 0 where one of them is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(np.mean(np.log(np.asarray(numbers)), axis=0)))


def row_of(data: Mapping[str, Any], name: str, initial: str) -> Mapping[str, Any]:
    """What was measured for one activation and initialisation."""
    found: Mapping[str, Any] = next(
        row
        for row in data["chains"]
        if (row["activation"], row["initialisation"]) == (name, initial)
    )
    return found


def paragraph(data: Mapping[str, Any]) -> str:
    """What was found, for the logistic first and then for all."""
    small, glorot, straight = (
        row_of(data, "logistic", initial)
        for initial in ("small", "Glorot", "orthogonal")
    )
    power = np.log(straight["decay"]) / np.log(0.25)
    steps = data["depth"] - 1
    off = max(abs(r["decay"] / r["expected"] - 1) for r in data["chains"] if r["decay"])
    kept = sum(row["bound_kept"] for row in data["chains"])
    firm = max(
        (row for row in data["chains"] if row["initialisation"] == "He"),
        key=lambda row: -abs(np.log(max(row["decay"], 1e-300))),
    )
    return (
        f"Each network has {data['depth']} layers of {data['width']} neurons; the norm "
        "of delta^(l) is given relative to the last layer's. Since the slope of the "
        f"logistic is at most {straight['steepest']:.2f}, its error term shrinks by "
        f"{straight['steepest']:.2f} ||W||_2 or more in each layer. Orthogonal weights "
        "have the norm 1, so there the bound is 0.25^(L-l) itself: the bound allows "
        f"{0.25**steps:.1e} after {steps} steps, and {straight['norms'][0]:.1e} was "
        f"measured, a factor {straight['decay']:.3f} per layer, which is 0.25 to the "
        f"power {power:.3f}. With Glorot's weights the bound is weaker, "
        f"{glorot['bound']:.2f} per layer, because ||W||_2 is "
        f"{glorot['bound'] / glorot['steepest']:.2f} on average, yet "
        f"{glorot['decay']:.3f} was measured. Small weights make it worse: "
        f"{small['decay']:.4f} per layer, where the bound allows "
        f"{small['bound']:.4f}. The bound held for {kept} of {len(data['chains'])} "
        "kinds of networks, for each sample in each layer. A mean field foretells "
        f"every decay within {off:.0%}. With He's weights the activation whose error "
        f"term keeps its size best is {firm['activation']}, with {firm['decay']:.3f} "
        f"per layer ({firm['expected']:.3f} expected)."
    )


def draw(data: Mapping[str, Any]) -> Any:
    """Norms by layer, a row for each group; below, the decay of each beside theory."""
    initials = list(INITIALISATIONS)
    layers = np.arange(1, data["depth"] + 1)
    figure, grid = blank(3, len(initials), width=8.5, height=7.6)
    for panel, initial in zip(grid[0], initials, strict=True):
        panel.set_title(f"{initial} weights", fontsize=10)
    for (title, ends), panels in zip(GROUPS.items(), grid, strict=False):
        rows = [row for row in data["chains"] if row["ends"] in ends]
        names = list(dict.fromkeys(row["activation"] for row in rows))
        for panel, initial in zip(panels, initials, strict=True):
            for place, name in enumerate(names):
                row = row_of(data, name, initial)
                looks = style(place)
                every = max(1, data["depth"] // 5)
                panel.plot(layers, row["norms"], **looks.options(every), label=name)
                low, high = row["low"], row["high"]
                panel.fill_between(layers, low, high, color=looks.colour, alpha=0.15)
            _bounds(panel, layers, rows, initial)
            panel.set_yscale("log")
            panel.set_xlabel("layer l")
            panel.tick_params(labelsize=8)
        panels[0].set_ylabel(f"{title}\n" r"$\|\delta^{(l)}\|\ /\ \|\delta^{(L)}\|$")
        if names:
            beside(panels[-1])
    _decays(spanning(figure, grid[-1]), data)
    return figure


def _bounds(panel: Any, layers: Array, rows: Sequence[Any], initial: str) -> None:
    """The bound of a group's least steep activation, without norms and with them."""
    mine = [r for r in rows if r["initialisation"] == initial and r["steepest"]]
    if not mine:
        return
    row = min(mine, key=lambda row: row["steepest"])
    slope = row["steepest"]
    steps = layers[-1] - layers
    factors = np.cumprod(np.array([1.0, *row["spectral"][::-1]]))[::-1]
    solid = {**THEORY, "linestyle": "-"}
    power = "$m^{L-l}$"
    panel.plot(layers, slope**steps, **THEORY, label=f"{power}, m = {slope:g}")
    label = rf"{power}$\,\prod\,\|W\|_2$"
    panel.plot(layers, slope**steps * factors, **solid, label=label)


def _decays(panel: Any, data: Mapping[str, Any]) -> None:
    """The decay per layer of every kind of network, the expected one behind it."""
    names = list(dict.fromkeys(row["activation"] for row in data["chains"]))
    told = {"s": 130, "color": "#888888", "zorder": 1, "linewidths": 1.2}
    for place, initial in enumerate(INITIALISATIONS):
        rows = [row_of(data, name, initial) for name in names]
        across = np.arange(len(names)) + 0.18 * (place - 1.5)
        looks = style(place).options() | {"linestyle": "none"}
        panel.plot(across, [row["decay"] for row in rows], **looks, label=initial)
        theory = panel.scatter(
            across, [row["expected"] for row in rows], marker="_", **told
        )
    theory.set_label("mean field")
    panel.axhline(0.25, **THEORY, label="0.25")
    panel.set_yscale("log")
    panel.set_xticks(
        range(len(names)), names, rotation=25, ha="right", rotation_mode="anchor"
    )
    panel.tick_params(labelsize=8)
    panel.set_ylabel("factor per layer")
    beside(panel)
