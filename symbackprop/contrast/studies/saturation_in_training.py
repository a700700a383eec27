"""Saturation by epoch: where slopes vanish while a network learns.

    share(l, epoch) = share of units and samples with |f'(z^(l))| < 0.01 max |f'|

Before training a mean field foretells it. With weights of the variance v the net
inputs of one sample are normal with the variance q^(1) = v ||x||^2 and q^(l+1) =
n v E f(sqrt(q^(l)) g)^2, g normal, so that share(l, 0) is the probability that
|f'(sqrt(q^(l)) g)| is so small, averaged over the samples.

Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward
    neural networks, AISTATS 2010, figures 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.activations import FAINT, curve, saturated
from symbackprop.contrast.apparatus.trained import after_each, compiled, spirals
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import THEORY, blank, legend, spanning, style
from symbackprop.kernels import Kernels
from symbackprop.layers.dense import Dense
from symbackprop.program import Program
from symbackprop.witnesses.numbers import Array

ABOUT = "Which share of slopes vanishes by layer and epoch while a network learns."

NAME = "saturation-in-training"
SCALES = (4.0, 8.0)  # of Glorot's weights
RATES = {"logistic": 1.0, "tanh": 0.1}


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Train logistic and tanh networks of 4 hidden layers with 32 units each."""
    none_of_yours(NAME, program)
    data = measure(RATES, SCALES, seed=seed, tell=tell)
    return Study(
        name=NAME,
        title="Where do activations saturate while a network learns?",
        paragraph=paragraph(data),
        data=data,
        draw=lambda: draw(data),
    )


def measure(
    rates: Mapping[str, float],
    scales: Sequence[float],
    hidden: int = 4,
    units: int = 32,
    samples: int = 240,
    epochs: int = 100,
    networks: int = 3,
    seed: int = 0,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """The share of saturated slopes by layer and epoch, means over some networks.

    Args:
        rates: of gradient descent, by activation of the table.
        scales: what Glorot's weights are multiplied by at the start.
        hidden: layers before the softmax.
        units: of each.
        samples: in the data.
        epochs: of each training.
        networks: trainings of each kind.
        seed: of everything.
        tell: is called with what is being done.

    Returns:
        `runs`: a row for each kind, with `share[epoch][layer]`, epoch 0 before
        training, the share `expected` at the start by layer, the median `loss` by
        epoch, and how many trainings `diverged` (they stay as they were).
    """
    x, y = spirals(samples, np.random.default_rng(seed))
    runs = []
    for place, (name, rate) in enumerate(rates.items(), 1):
        tell(f"{NAME}: compiling {name}, {place} of {len(rates)}")
        with compiled(f"saturated-{name}", [Dense(units, name)] * hidden) as kernels:
            for scale in scales:
                tell(f"{NAME}: training {name} from {scale:g} times Glorot's weights")
                shares, losses, diverged = [], [], 0
                for number in range(networks):
                    rng = np.random.default_rng([seed, number])
                    theta = started(kernels, scale, rng)
                    share = [_share(kernels, name, theta, x, hidden)]
                    loss = [kernels.value(theta, x=x, y=y)]
                    for now, moved in after_each(kernels, theta, x, y, rate, epochs):
                        share.append(_share(kernels, name, moved, x, hidden))
                        loss.append(now)
                    missing = epochs + 1 - len(loss)
                    diverged += missing > 0
                    shares.append(share + share[-1:] * missing)
                    losses.append(loss + loss[-1:] * missing)
                runs.append(
                    {
                        "activation": name,
                        "rate": rate,
                        "scale": scale,
                        "share": np.mean(shares, axis=0).tolist(),
                        "expected": expected(name, scale, x, units, hidden),
                        "loss": np.median(losses, axis=0).tolist(),
                        "diverged": diverged,
                    }
                )
    sizes = {"hidden": hidden, "units": units, "samples": samples, "epochs": epochs}
    return {**sizes, "networks": networks, "seed": seed, "runs": runs}


def started(kernels: Kernels, scale: float, rng: np.random.Generator) -> Array:
    """Glorot's weights times a scale, normal; biases are 0."""
    theta = np.zeros(kernels.size)
    for view in kernels.unpack(theta).values():
        if view.ndim > 1:
            deviation = scale * math.sqrt(2 / sum(view.shape))
            view[...] = deviation * rng.normal(size=view.shape)
    return theta


def _share(
    kernels: Kernels, name: str, theta: Array, x: Array, hidden: int
) -> list[float]:
    """The share of saturated slopes in each hidden layer."""
    return [
        float(saturated(name, kernels.predict(theta, x=x, tensor=f"z{layer}")).mean())
        for layer in range(1, hidden + 1)
    ]


def expected(name: str, scale: float, x: Array, units: int, hidden: int) -> list[float]:
    """The share by layer before training, by a mean field.

    Shapes:
        x: (samples, inputs).
    """
    g = np.linspace(-8, 8, 801)
    density = np.exp(-(g**2) / 2)
    density /= density.sum()
    variance = scale**2 * 2 / (x.shape[1] + units) * np.sum(x**2, axis=1)
    shares = []
    for _ in range(hidden):
        z = np.sqrt(variance)[:, None] * g
        shares.append(float(np.mean(saturated(name, z) @ density)))
        variance = scale**2 * (curve(name, z)[0] ** 2 @ density)
    return shares


def paragraph(data: Mapping[str, Any]) -> str:
    """Each kind at its start, beside theory, and at its end."""
    runs = data["runs"]
    off = max(
        abs(found - told)
        for run in runs
        for found, told in zip(run["share"][0], run["expected"], strict=True)
    )
    said = [
        f"Networks of {data['hidden']} hidden layers with {data['units']} units learn "
        f"{data['samples']} points on three spiral arms by gradient descent for "
        f"{data['epochs']} epochs, {data['networks']} times each. A slope counts as "
        f"saturated under {FAINT:.0%} of the activation's steepest one. A mean field "
        f"foretells the shares before training within {off:.2f}."
    ]
    for run in runs:
        first, last = np.array(run["share"][0]), np.array(run["share"][-1])
        fullest = int(np.argmax(last))
        said.append(
            f"From {run['scale']:g} times Glorot's weights, {first.mean():.0%} of the "
            f"slopes of {run['activation']} are saturated before training and "
            f"{last.mean():.0%} after it, and in layer {fullest + 1}, which has most "
            f"of them, {last[fullest]:.0%}; the median loss goes from "
            f"{run['loss'][0]:.2g} to {run['loss'][-1]:.2g} (rate {run['rate']:g}"
            + (f", {run['diverged']} diverged)." if run["diverged"] else ").")
        )
    return " ".join(said)


def draw(data: Mapping[str, Any]) -> Any:
    """A map for each kind; below, the shares at the start beside theory, and losses."""
    runs = data["runs"]
    columns = max(2, len(runs))
    figure, grid = blank(2, columns, width=8.5, height=5.6)
    layers = np.arange(1, data["hidden"] + 1)
    epochs = np.arange(data["epochs"] + 1)
    for panel in grid[0, len(runs) :]:
        panel.set_visible(False)
    for panel, run in zip(grid[0], runs, strict=False):
        shown = panel.pcolormesh(
            epochs,
            layers,
            np.transpose(run["share"]),
            vmin=0,
            vmax=1,
            cmap="Greys",
            shading="nearest",
        )
        panel.set_title(_label(run), fontsize=9)
        panel.set_xlabel("epoch", fontsize=9)
        panel.set_yticks(layers)
        panel.tick_params(labelsize=8)
        panel.grid(visible=False)
    grid[0, 0].set_ylabel("hidden layer")
    bar = figure.colorbar(shown, ax=grid[0].tolist(), pad=0.01, aspect=15)
    bar.set_label(f"share of slopes under\n{FAINT:.0%} of the maximum", fontsize=9)
    half = columns // 2
    start, loss = spanning(figure, grid[1, :half]), spanning(figure, grid[1, half:])
    for number, run in enumerate(runs):
        looks, label = style(number), _label(run).replace("\n", " ")
        start.plot(layers, run["share"][0], **looks.options(), label=label)
        start.plot(layers, run["expected"], **THEORY, label="theory: mean field")
        loss.plot(epochs, run["loss"], **looks.options(0.15))
    start.set_xticks(layers)
    start.set_xlabel("hidden layer")
    start.set_ylabel("share saturated")
    start.set_title("before training", fontsize=10)
    loss.set_yscale("log")
    loss.set_xlabel("epoch")
    loss.set_ylabel("median loss")
    loss.set_title("training", fontsize=10)
    legend(figure, [start], columns=3)
    return figure


def _label(run: Mapping[str, Any]) -> str:
    return f"{run['activation']},\n{run['scale']:g} x Glorot"
