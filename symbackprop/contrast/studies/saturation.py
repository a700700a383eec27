"""Saturation maps: where slopes have gone, and what they leave of the network's slope.

    share(l) = share of units and samples with |f'(z^(l))| < 0.01 max |f'|
    left     = ||delta^(1)|| / ||the same with every slope at its maximum||

The second swaps `f'` for `max |f'|` in delta^(l) = f'(z^(l)) o (W^(l+1))^T
delta^(l+1), with the same weights and the same delta^(L), so that it tells what the
slopes do apart from the weights. Were slopes spread at random, it would be the product
of their root mean squares, `prod sqrt(mean (f'(z^(l)) / max |f'|)^2)`, l < L, and that
is at most `prod sqrt(1 - share(l) + 0.01^2 share(l))`.

Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward
    neural networks, AISTATS 2010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.activations import (
    FAINT,
    curve,
    one_argument,
    saturates,
    steepest,
)
from symbackprop.contrast.apparatus.chain import INITIALISATIONS, Chain
from symbackprop.contrast.apparatus.wording import listed
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import THEORY, blank, legend, spanning, style
from symbackprop.layers.dense import Dense
from symbackprop.program import Program
from symbackprop.witnesses.numbers import Array

ABOUT = "Which share of slopes has vanished by layer and weights, and what it costs."
GROUPS = ("both sides", "one side")


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Map chains of 10 layers with 48 neurons each."""
    none_of_yours("saturation", program)
    names = [name for name in one_argument() if saturates(name) != "no side"]
    scales = np.geomspace(0.25, 32, 15)
    data = measure(names, scales.tolist(), 10, 48, seeds=3, seed=seed, tell=tell)
    return Study(
        name="saturation",
        title="Where do activations saturate, and what is left of the slope?",
        paragraph=paragraph(data),
        data=data,
        draw=lambda: draw(data),
    )


def measure(
    names: Sequence[str],
    scales: Sequence[float],
    depth: int,
    width: int,
    seeds: int,
    seed: int = 0,
    samples: int = 16,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """The share of saturated slopes by layer and by the scale of the weights.

    Args:
        names: activations of the table.
        scales: what Glorot's weights are multiplied by.
        depth: layers.
        width: neurons of each.
        seeds: networks of each kind.
        seed: of the first of them.
        samples: in the batch of each.
        tell: is called with what is being done.

    Returns:
        `maps`: a row for each activation, with `share[scale][layer]`, and for each
        scale the part `left` of the slope, the part `expected` of the root mean
        squares, the most that the `shares_allow`, and `through`, the plain
        `||delta^(1)|| / ||delta^(L)||`.
    """
    maps = []
    for place, name in enumerate(names):
        tell(f"saturation: {name}, {place + 1} of {len(names)}")
        chain = Chain.of(Dense(width, name), depth, width)
        found = [_at(chain, name, scale, seeds, seed, samples) for scale in scales]
        maps.append(
            {
                "activation": name,
                "ends": saturates(name),
                "steepest": steepest(name),
                **{key: [at[key] for at in found] for key in found[0]},
            }
        )
    sizes = {"depth": depth, "width": width, "networks": seeds, "samples": samples}
    return {**sizes, "seed": seed, "scales": list(scales), "maps": maps}


def _at(
    chain: Chain, name: str, scale: float, seeds: int, seed: int, samples: int
) -> dict[str, Any]:
    """What was measured at one scale of the weights."""
    slopes, left, through = [], [], []
    for number in range(seeds):
        rng = np.random.default_rng([seed, number])
        x, error = rng.normal(size=(2, samples, chain.width))
        glorot = chain.weights(INITIALISATIONS["Glorot"], rng)
        weights = [scale * matrix for matrix in glorot]
        sweep = chain.sweep(weights, x, error)
        slopes.append([np.abs(curve(name, z)[1]) / steepest(name) for z in sweep.z])
        first, last = sweep.delta[0], sweep.delta[-1]
        whole = full(last, weights, steepest(name))
        left.append(_square_ratio(first, whole))
        through.append(_square_ratio(first, last))
    shares = np.mean(np.asarray(slopes) < FAINT, axis=(0, 2, 3))
    squares = np.mean(np.square(slopes), axis=(0, 2, 3))
    # The last layer's slope stands in delta^(L), which both ways share.
    most = 1 - shares[:-1] + FAINT**2 * shares[:-1]
    return {
        "share": shares.tolist(),
        "left": float(np.sqrt(np.mean(left))),
        "expected": float(np.sqrt(np.prod(squares[:-1]))),
        "shares_allow": float(np.sqrt(np.prod(most))),
        "through": float(np.sqrt(np.mean(through))),
    }


def _square_ratio(one: Array, other: Array) -> float:
    """`||one||^2 / ||other||^2`; 0 where nothing is left of either."""
    above, below = np.linalg.norm(one), np.linalg.norm(other)
    return float((above / below) ** 2) if below else 0.0


def full(last: Array, weights: Sequence[Array], slope: float) -> Array:
    """delta^(1) from delta^(L) were every slope before the last layer's `slope`.

    Shapes:
        last: (samples, width), as the result.
    """
    delta = last
    for matrix in reversed(weights[1:]):
        delta = slope * (delta @ matrix)
    return delta


def half_gone(data: Mapping[str, Any], row: Mapping[str, Any]) -> float | None:
    """The least scale at which half of the slopes or more are saturated."""
    halves = (
        scale
        for scale, share in zip(data["scales"], row["share"], strict=True)
        if np.mean(share) >= 0.5
    )
    return next(halves, None)


def farthest(data: Mapping[str, Any]) -> tuple[float, str, float]:
    """The greatest factor between `left` and `expected`, its activation and scale.

    Where few units of a layer are alive chance decides, and nothing is compared.
    """
    found = [
        (max(left / told, told / left), row["activation"], scale)
        for row in data["maps"]
        for scale, share, left, told in zip(
            data["scales"], row["share"], row["left"], row["expected"], strict=True
        )
        if min(left, told) > 0 and np.max(share) < 0.9
    ]
    return max(found, default=(1.0, "none", 0.0))


def paragraph(data: Mapping[str, Any]) -> str:
    """Where each begins to saturate, and the slope left there."""
    steps = data["depth"] - 1
    said = [
        f"Networks of {data['depth']} layers with {data['width']} neurons start from "
        "Glorot's weights times a scale. A slope counts as saturated under "
        f"{FAINT:.0%} of the activation's steepest one."
    ]
    halves = [
        f"{row['activation']} at the scale {scale:.3g}"
        for row in data["maps"]
        if row["ends"] == "both sides" and (scale := half_gone(data, row)) is not None
    ]
    if halves:
        said.append(f"Half of all slopes are saturated for {listed(halves)}.")
    worst, name, scale = farthest(data)
    said.append(
        "What is left of the network's slope follows the product of the layers' root "
        f"mean square slopes within a factor {worst:.2f} wherever a tenth of each "
        f"layer is alive ({name} at {scale:.3g} is farthest off)."
    )
    for row in data["maps"]:
        place = int(np.argmin(np.abs(np.mean(row["share"], axis=1) - 0.5)))
        if row["ends"] == "both sides" and row is data["maps"][0]:
            said.append(
                f"For {row['activation']} with a share of "
                f"{np.mean(row['share'][place]):.0%} (scale "
                f"{data['scales'][place]:.3g}) {row['left'][place]:.1e} of the slope "
                f"is left, where {row['expected'][place]:.1e} was expected and the "
                f"shares alone would allow {row['shares_allow'][place]:.1e}. The "
                "weights grow meanwhile, so that the norm of delta^(1) is "
                f"{row['through'][place]:.3g} times that of delta^(L): the "
                "slopes that vanish and the weights that grow work against each other."
            )
    ones = [row for row in data["maps"] if row["ends"] == "one side"]
    if ones:
        shares = [float(np.mean(row["share"][-1])) for row in ones]
        lefts = [row["left"][-1] for row in ones]
        said.append(
            "Of those that are flat on one side, "
            f"{np.mean(shares):.0%} of the slopes are saturated at the greatest scale, "
            f"and {min(lefts):.3f} to {max(lefts):.3f} of the slope is left; "
            f"with half of the slopes 0 it is sqrt(1/2)^{steps} = "
            f"{0.5 ** (steps / 2):.3f} of a steepest slope of 1."
        )
    return " ".join(said)


def draw(data: Mapping[str, Any]) -> Any:
    """A row of maps for each group; below, what is left of the slope beside theory."""
    groups = [[r for r in data["maps"] if r["ends"] == ends] for ends in GROUPS]
    columns = max(2, *map(len, groups))
    layers = np.arange(1, data["depth"] + 1)
    figure, grid = blank(len(GROUPS) + 1, columns, width=8.5, height=7.4)
    for panels, rows in zip(grid, groups, strict=False):
        for panel in panels[len(rows) :]:
            panel.set_visible(False)
        for panel, row in zip(panels, rows, strict=False):
            shown = panel.pcolormesh(
                data["scales"],
                layers,
                np.transpose(row["share"]),
                vmin=0,
                vmax=1,
                cmap="Greys",
                shading="nearest",
            )
            panel.set_xscale("log")
            panel.set_title(row["activation"], fontsize=9)
            panel.tick_params(labelsize=8, labelleft=panel is panels[0])
            panel.set_xlabel("scale", fontsize=8)
            panel.grid(visible=False)
        panels[0].set_ylabel("layer l")
    bar = figure.colorbar(shown, ax=grid[:-1].ravel().tolist(), pad=0.01, aspect=30)
    bar.set_label(f"share of slopes under {FAINT:.0%} of the maximum", fontsize=9)
    half = columns // 2
    halves = (
        spanning(figure, grid[-1, :half]),
        spanning(figure, grid[-1, half:]),
    )
    number = 0
    for panel, ends, rows in zip(halves, GROUPS, groups, strict=True):
        for row in rows:
            looks = style(number).options(0.15)
            panel.plot(data["scales"], row["left"], **looks, label=row["activation"])
            panel.plot(data["scales"], row["expected"], **THEORY)
            number += 1
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_ylim(bottom=max(1e-10, panel.get_ylim()[0]))
        panel.set_title(f"flat on {ends}", fontsize=9)
        panel.set_xlabel("scale of the weights (1: Glorot)")
        panel.tick_params(labelsize=8)
    halves[-1].plot([], [], **THEORY, label="product of rms slopes")
    halves[0].set_ylabel("part of the slope left")
    legend(figure, halves, columns=5)
    return figure
