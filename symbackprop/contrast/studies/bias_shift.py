"""Bias shift: what activations whose mean is not zero do to gradients and to training.

    dL/dW_ij = delta_i a_j

Where all inputs a_j of a neuron are positive, all slopes by its weights have the sign
of delta_i on a sample: they grow together or shrink together. Of n random signs the
more frequent one holds `1/2 + sqrt(1 / (2 pi n))`. `logistic - 1/2` has the slopes of
the logistic and its curve, and differs by the shift alone.

Sources: LeCun, Bottou, Orr and Müller, Efficient backprop (1998), sections 4.3, 4.4;
    Clevert, Unterthiner and Hochreiter, ELU, ICLR 2016, for the word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.activations import curve_of
from symbackprop.contrast.apparatus.chain import INITIALISATIONS, Chain
from symbackprop.contrast.apparatus.trained import compiled, spirals, tuned
from symbackprop.contrast.apparatus.wording import listed
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import THEORY, blank, legend, style
from symbackprop.layers import Layer
from symbackprop.layers.equations import Equations
from symbackprop.program import Program
from symbackprop.witnesses.numbers import Array

ABOUT = "Activations off zero: their means, tied signs of slopes, slower training."
CENTRED = "logistic - 1/2"
KINDS = {
    "logistic": "logistic(z)",
    CENTRED: "logistic(z) - 1/2",
    "tanh": "tanh(z)",
    "relu": "relu(z)",
    "elu": "elu(z)",
}
TWIN = "2*logistic(2*z) - 1"  # the same function as tanh
GOAL = 0.01  # a loss that counts as learnt
RATES = (0.1, 0.3, 1.0, 3.0, 10.0)


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Look at chains of 8 layers, and train two hidden layers of 24 units."""
    none_of_yours("bias-shift", program)
    data = measure(tuple(KINDS), RATES, seed=seed, tell=tell)
    return Study(
        name="bias-shift",
        title="What do activations do whose mean is not zero?",
        paragraph=paragraph(data),
        data=data,
        draw=lambda: draw(data),
    )


def measure(
    kinds: Sequence[str],
    rates: Sequence[float],
    depth: int = 8,
    width: int = 48,
    hidden: int = 2,
    units: int = 24,
    epochs: int = 150,
    networks: int = 5,
    tunings: int = 3,
    seed: int = 0,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """Means and signs in fresh chains, then training at the best of some rates.

    Args:
        kinds: keys of `KINDS`.
        rates: tried for each kind.
        depth: layers of a chain.
        width: neurons of each.
        hidden: layers before the softmax of the networks that are trained.
        units: of each of those.
        epochs: of each training.
        networks: chains, and trainings, of each kind.
        tunings: trainings that choose the rate, from other starts than the above.
        seed: of everything.
        tell: is called with what is being done.
    """
    rng = np.random.default_rng(seed)
    data, held = spirals(240, rng), spirals(240, rng)
    rows = []
    for place, kind in enumerate(kinds):
        counted = f"{kind}, {place + 1} of {len(kinds)}"
        tell(f"bias shift: chains of {counted}")
        row = {"kind": kind, **fresh(kind, depth, width, networks, seed)}
        tell(f"bias shift: compiling {counted}")
        inputs = [2, *[units] * (hidden - 1)]
        layers = [_layer(kind, size, units) for size in inputs]
        with compiled(f"shift-{place}", layers) as kernels:
            tell(f"bias shift: training {counted}")
            found = tuned(kernels, rates, data, held, epochs, tunings, networks, seed)
        rows.append(
            {**row, "rate": found.rate, "tuning": found.trials, "loss": found.loss}
        )
    grid = np.linspace(-20, 20, 4001)
    apart = np.max(np.abs(curve_of(KINDS["tanh"], grid)[0] - curve_of(TWIN, grid)[0]))
    return {
        "depth": depth,
        "width": width,
        "hidden": hidden,
        "units": units,
        "epochs": epochs,
        "networks": networks,
        "tunings": tunings,
        "seed": seed,
        "rates": list(rates),
        "random_signs": 0.5 + float(np.sqrt(1 / (2 * np.pi * width))),
        "tanh_twin": float(apart),
        "kinds": rows,
    }


def _layer(kind: str, inputs: int, units: int) -> Layer:
    """A dense layer whose activation is any function of z."""
    activation = KINDS[kind].replace("z", "z[i]")
    return Equations(
        text=f"z[i] = sum(W[i, j]*x[j], j) + b[i]\na[i] = {activation}",
        axes={"i": units, "j": inputs},
        parameters={"W": "i j", "b": "i"},
    )


def fresh(
    kind: str, depth: int, width: int, networks: int, seed: int, samples: int = 64
) -> dict[str, Any]:
    """What a chain with Glorot's weights does before it learns.

    Returns:
        `mean`: of the activations by layer; `mean_field`: the same as foretold;
        `one_sample` and `batch`: how coherent the signs of a neuron's slopes are on a
        sample and on the batch; `stretch`: the greatest eigenvalue of the activations'
        second moments over their mean one, which bounds the step from above.
    """
    chain = Chain.of(_layer(kind, width, width), depth, width)
    means, one, whole, stretch = [], [], [], []
    for number in range(networks):
        rng = np.random.default_rng([seed, number])
        x, error = rng.normal(size=(2, samples, width))
        weights = chain.weights(INITIALISATIONS["Glorot"], rng)
        sweep = chain.sweep(weights, x, error)
        means.append([float(a.mean()) for a in sweep.a])
        for before, delta in zip(sweep.a[:-1], sweep.delta[1:], strict=True):
            one.append(coherence(delta[:, :, None] * before[:, None, :]))
            whole.append(coherence(delta.T @ before))
            moments = np.linalg.eigvalsh(before.T @ before)
            stretch.append(moments[-1] / moments.mean())
    return {
        "mean": np.mean(means, axis=0).tolist(),
        "mean_field": mean_field(KINDS[kind], depth),
        "one_sample": float(np.mean(one)),
        "batch": float(np.mean(whole)),
        "stretch": float(np.mean(stretch)),
    }


def coherence(slopes: Array) -> float:
    """The share of a neuron's slopes that have their more frequent sign, on average.

    Slopes that are 0 do not count, nor neurons that have no other.

    Shapes:
        slopes: (..., neurons, their inputs).

    >>> coherence(np.array([[1.0, 2.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    0.6666666666666666
    """
    up = np.sum(slopes > 0, axis=-1)
    down = np.sum(slopes < 0, axis=-1)
    live = up + down > 0
    return float(np.mean(np.maximum(up, down)[live] / (up + down)[live]))


def mean_field(text: str, depth: int) -> list[float]:
    """`E f(sqrt(q) g)` by layer, q of the layer before, for Var(W) = 1 / width."""
    g = np.linspace(-8, 8, 3201)
    density = np.exp(-(g**2) / 2)
    density /= density.sum()
    means, q = [], 1.0
    for _ in range(depth):
        height = curve_of(text, np.sqrt(q) * g)[0]
        means.append(float(np.sum(density * height)))
        q = float(np.sum(density * height**2))
    return means


def epochs_to(row: Mapping[str, Any], goal: float) -> int | None:
    """The first epoch, from 1, whose loss is at most the goal."""
    losses = row["loss"] or []
    return next((n for n, loss in enumerate(losses, 1) if loss <= goal), None)


def paragraph(data: Mapping[str, Any]) -> str:
    """The means, the signs, and the training, kind by kind."""
    rows = {row["kind"]: row for row in data["kinds"]}
    off = max(
        abs(mean - told)
        for row in rows.values()
        for mean, told in zip(row["mean"], row["mean_field"], strict=True)
    )
    said = [
        f"In fresh chains of {data['depth']} layers with {data['width']} neurons and "
        "Glorot's weights the activations have the mean "
        + listed(
            [
                f"{round(row['mean'][-1], 2) + 0:.2f} ({kind})"
                for kind, row in rows.items()
            ]
        )
        + f" in the last layer; a mean field foretells all means within {off:.2f}.",
        "Of the slopes by one neuron's weights on one sample, "
        + listed([f"{row['one_sample']:.0%} ({kind})" for kind, row in rows.items()])
        + " have the more frequent sign; of random signs it would be "
        f"{data['random_signs']:.0%}. Over a batch it is "
        + listed([f"{row['batch']:.0%} ({kind})" for kind, row in rows.items()])
        + ".",
        "The greatest eigenvalue of the activations' second moments is "
        + listed([f"{row['stretch']:.0f} ({kind})" for kind, row in rows.items()])
        + " times the mean one; it limits the rate.",
        f"Networks of {data['hidden']} hidden layers with {data['units']} units were "
        "then trained on three spiral arms by plain gradient descent, each at the best "
        "of the rates "
        + listed([f"{rate:g}" for rate in data["rates"]])
        + f" by {data['tunings']} trial runs, and shown with {data['networks']} other "
        "starts, the same for all.",
        f"The median loss after {data['epochs']} epochs is "
        + listed([_trained(row) for row in rows.values()])
        + ".",
    ]
    if {"logistic", CENTRED} <= set(rows):
        plain, centred = (epochs_to(rows[kind], GOAL) for kind in ("logistic", CENTRED))
        said.append(
            f"A loss of {GOAL:g} is reached by the logistic {_after(plain)}, by the "
            f"same curve less one half {_after(centred)}; the two differ by the shift "
            "and by the rate that it allows."
        )
    said.append(
        "tanh(x) and 2 logistic(2x) - 1 are the same function: they differ by at most "
        f"{data['tanh_twin']:.1e}."
    )
    return " ".join(said)


def _after(epochs: int | None) -> str:
    return "in none of these epochs" if epochs is None else f"after {epochs} epochs"


def _trained(row: Mapping[str, Any]) -> str:
    end = "not finite" if row["loss"] is None else f"{row['loss'][-1]:.1e}"
    return f"{end} ({row['kind']}, rate {row['rate']:g})"


def draw(data: Mapping[str, Any]) -> Any:
    """Means by layer, coherent signs, loss by epoch, loss by rate."""
    figure, ((means, signs), (curves, tuning)) = blank(2, 2, width=7.5, height=6.4)
    layers = np.arange(1, data["depth"] + 1)
    kinds = [row["kind"] for row in data["kinds"]]
    for number, row in enumerate(data["kinds"]):
        looks, kind = style(number), row["kind"]
        means.plot(layers, row["mean"], **looks.options(), label=kind)
        means.plot(layers, row["mean_field"], **THEORY)
        if row["loss"] is not None:
            epochs = np.arange(1, len(row["loss"]) + 1)
            curves.plot(epochs, row["loss"], **looks.options(0.12))
        tried = [np.nan if loss is None else loss for loss in row["tuning"]]
        tuning.plot(data["rates"], tried, **looks.options())
    for number, key, label in (
        (5, "one_sample", "signs on one sample"),
        (6, "batch", "signs on a batch"),
    ):
        marks = style(number).options() | {"linestyle": "none", "markersize": 7}
        signs.plot(kinds, [row[key] for row in data["kinds"]], **marks, label=label)
    signs.axhline(data["random_signs"], **THEORY)
    signs.axhline(1, **THEORY, label="theory")
    signs.set_ylim(0.48, 1.04)
    signs.tick_params(axis="x", rotation=20)
    for panel, title, across, up in (
        (means, "mean activation", "layer", "mean"),
        (signs, "slopes of the same sign", "", "share by neuron"),
        (curves, "training at the best rate", "epoch", "loss"),
        (tuning, "choice of the rate", "rate", f"loss after {data['epochs']} epochs"),
    ):
        panel.set_title(title, fontsize=10)
        panel.set_xlabel(across)
        panel.set_ylabel(up)
        panel.tick_params(labelsize=8)
    curves.set_yscale("log")
    tuning.set_xscale("log")
    tuning.set_yscale("log")
    legend(figure, [means, signs], columns=4)
    return figure
