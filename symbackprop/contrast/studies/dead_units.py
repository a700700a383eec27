"""Dead units: those whose net input is negative on every sample, counted in training.

    silent(l) = share of units with z_i^(l) <= 0 on all samples
    active(l) = share of units and samples with z_i^(l) > 0

A silent relu has the slope 0 everywhere, so that no gradient reaches its weights: it
is dead. A silent leaky_relu has the slope r, and may come back. With weights drawn
symmetrically and biases 0, half of all net inputs are positive.

Source: Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic
    models, ICML 2013.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.trained import (
    after_each,
    compiled,
    spirals,
    started,
)
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import THEORY, blank, legend, style
from symbackprop.kernels import Kernels
from symbackprop.layers.dense import Dense
from symbackprop.program import Program
from symbackprop.witnesses.numbers import Array

ABOUT = "Dead relus counted over a training, and the share of units that are active."


@dataclass(frozen=True)
class Setting:
    """How a network starts and how far a step goes."""

    bias: float
    rate: float

    @property
    def label(self) -> str:
        return f"biases {self.bias:g}, rate {self.rate:g}"


SETTINGS = (Setting(0, 0.03), Setting(0, 0.3), Setting(0, 1), Setting(-1, 0.3))


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Train relu and leaky_relu networks of 4 hidden layers with 32 units each."""
    none_of_yours("dead-units", program)
    data = measure(("relu", "leaky_relu"), SETTINGS, seed=seed, tell=tell)
    return Study(
        name="dead-units",
        title="How many relus die in training, and how many units are active?",
        paragraph=paragraph(data),
        data=data,
        draw=lambda: draw(data),
    )


def measure(
    names: Sequence[str],
    settings: Sequence[Setting],
    hidden: int = 4,
    units: int = 32,
    samples: int = 240,  # small products: threads of BLAS crawl on a busy machine
    epochs: int = 60,
    seeds: int = 5,
    seed: int = 0,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """Silent and active units by epoch and layer, means over several starts.

    Args:
        names: activations of the table.
        settings: starts and rates.
        hidden: layers before the softmax.
        units: of each.
        samples: in the data.
        epochs: of each training.
        seeds: trainings of each kind.
        seed: of the data and of the first start.
        tell: is called with what is being done.

    Returns:
        `runs`: a row for each kind, with `silent[epoch][layer]` and
        `active[epoch][layer]`, epoch 0 before training; the median `loss` by epoch;
        how many trainings `diverged` (they stay as they were); which share of units
        ever `revived`; how many units were `silent_at_end`, and how many of those have
        a gradient of exactly 0 (`unmoved`).
    """
    x, y = spirals(samples, np.random.default_rng(seed))
    runs = []
    for place, name in enumerate(names):
        tell(f"dead units: compiling {name}, {place + 1} of {len(names)}")
        with compiled(f"dead-{name}", [Dense(units, name)] * hidden) as kernels:
            for setting in settings:
                tell(f"dead units: training {name}, {setting.label}")
                trained = [
                    _training(kernels, setting, x, y, hidden, epochs, [seed, number])
                    for number in range(seeds)
                ]
                silent = np.array([one["silent"] for one in trained])
                active = np.array([one["active"] for one in trained])
                runs.append(
                    {
                        "activation": name,
                        "bias": setting.bias,
                        "rate": setting.rate,
                        "label": setting.label,
                        "silent": silent.mean(axis=(0, 3)).tolist(),
                        "active": active.mean(axis=0).tolist(),
                        "loss": np.median(
                            [one["loss"] for one in trained], axis=0
                        ).tolist(),
                        "diverged": sum(one["diverged"] for one in trained),
                        "revived": float(np.mean([o["revived"] for o in trained])),
                        "silent_at_end": int(silent[:, -1].sum()),
                        "unmoved": sum(one["unmoved"] for one in trained),
                    }
                )
    sizes = {"hidden": hidden, "units": units, "samples": samples, "epochs": epochs}
    return {**sizes, "networks": seeds, "seed": seed, "runs": runs}


def _training(
    kernels: Kernels,
    setting: Setting,
    x: Array,
    y: Array,
    hidden: int,
    epochs: int,
    seed: Sequence[int],
) -> dict[str, Any]:
    """One training: silent[epoch][layer][unit], active[epoch][layer], losses."""
    theta = started(kernels, np.random.default_rng(seed), setting.bias)
    looks = [_look(kernels, theta, x, hidden)]
    losses: list[float] = []
    for loss, moved in after_each(kernels, theta, x, y, setting.rate, epochs):
        theta = moved
        losses.append(loss)
        looks.append(_look(kernels, theta, x, hidden))
    diverged = len(losses) < epochs
    while len(losses) < epochs:
        losses.append(losses[-1] if losses else kernels.value(theta, x=x, y=y))
        looks.append(looks[-1])
    silent = np.array([look[0] for look in looks])
    came_back = np.any(silent[:-1] & ~silent[1:], axis=0)
    _, gradient = kernels.value_and_grad(theta, x=x, y=y)
    slopes = kernels.unpack(gradient)
    still = np.array(
        [
            np.all(slopes[f"W{layer}"] == 0, axis=1) & (slopes[f"b{layer}"] == 0)
            for layer in range(1, hidden + 1)
        ]
    )
    return {
        "silent": silent,
        "active": [look[1] for look in looks],
        "loss": losses,
        "diverged": diverged,
        "revived": float(np.mean(came_back)),
        "unmoved": int(np.sum(still & silent[-1])),
    }


def _look(
    kernels: Kernels, theta: Array, x: Array, hidden: int
) -> tuple[list[Array], list[float]]:
    """Which units of each layer are silent, and which share is active."""
    positive = [
        kernels.predict(theta, x=x, tensor=f"z{layer}") > 0
        for layer in range(1, hidden + 1)
    ]
    silent = [np.asarray(~part.any(axis=0)) for part in positive]
    return silent, [float(part.mean()) for part in positive]


def paragraph(data: Mapping[str, Any]) -> str:
    """The share at the start beside one half, then what each setting killed."""
    runs = data["runs"]
    plain = [run for run in runs if run["bias"] == 0]
    said = [
        f"Networks of {data['hidden']} hidden layers with {data['units']} units learn "
        f"{data['samples']} points on three spiral arms for {data['epochs']} epochs, "
        f"{data['networks']} times each. A unit is silent where its net input "
        "is not positive on any sample."
    ]
    if plain:
        first = plain[0]["active"][0]
        said.append(
            f"Before training, with biases 0, {np.mean(first):.1%} of the units are "
            f"active on a sample (from {min(first):.1%} to {max(first):.1%} by layer; "
            "symmetry says 50%)."
        )
    for label in dict.fromkeys(run["label"] for run in runs):
        mine = [run for run in runs if run["label"] == label]
        told = [
            f"from {np.mean(run['silent'][0]):.0%} to {np.mean(run['silent'][-1]):.0%} "
            f"for {run['activation']} (median loss {run['loss'][-1]:.2g}"
            + (f", {run['diverged']} diverged)" if run["diverged"] else ")")
            for run in mine
        ]
        said.append(f"With {label} the share of silent units goes {', '.join(told)}.")
    for name in dict.fromkeys(run["activation"] for run in runs):
        mine = [run for run in runs if run["activation"] == name]
        silent = sum(run["silent_at_end"] for run in mine)
        unmoved = sum(run["unmoved"] for run in mine)
        said.append(
            f"Of the {silent} silent units of {name} at the end, {unmoved} have a "
            "gradient of exactly 0; "
            f"{np.mean([run['revived'] for run in mine]):.0%} of all units were silent "
            "once and came back."
        )
    said.append(
        "A dead relu can come back only where the layers before it move. A network "
        f"that tells nothing apart has the loss log 3 = {np.log(3):.3f}: "
        "that is where one ends when a whole layer is dead."
    )
    return " ".join(said)


def draw(data: Mapping[str, Any]) -> Any:
    """A row for each activation: silent, active by epoch; active by layer."""
    names = list(dict.fromkeys(run["activation"] for run in data["runs"]))
    figure, grid = blank(len(names), 4, width=8.5, height=2.3 * len(names) + 0.9)
    panels = np.reshape(grid, (len(names), 4))
    layers = np.arange(1, data["hidden"] + 1)
    for name, (silent, active, start, end) in zip(names, panels, strict=True):
        runs = [run for run in data["runs"] if run["activation"] == name]
        for number, run in enumerate(runs):
            looks = style(number)
            often = looks.options(max(1, data["epochs"] // 4))
            silent.plot(np.mean(run["silent"], axis=1), **often, label=run["label"])
            active.plot(np.mean(run["active"], axis=1), **often)
            start.plot(layers, run["active"][0], **looks.options())
            end.plot(layers, run["active"][-1], **looks.options())
        for panel in (active, start, end):
            panel.axhline(0.5, **THEORY, label="one half")
        for panel in (silent, active, start, end):
            panel.set_ylim(-0.03, 1.03)
            panel.tick_params(labelsize=8)
        silent.set_ylabel(f"{name}\nshare of units")
    for panel, title in zip(
        panels[0],
        ("silent", "active", "active at the start", "active at the end"),
        strict=True,
    ):
        panel.set_title(title, fontsize=10)
    for panel in panels[-1, :2]:
        panel.set_xlabel("epoch")
    for panel in panels[-1, 2:]:
        panel.set_xlabel("hidden layer")
    for panel in panels[:, 2:].flat:
        panel.set_xticks(layers)
    legend(figure, list(panels.flat), columns=3)
    return figure
