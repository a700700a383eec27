"""Hard functions against the smooth ones that they approximate.

    hard_logistic(x) = max(min(0.25 x + 0.5, 1), 0)     of logistic
    hard_tanh(x)     = max(min(x, 1), -1)               of tanh
    relu(x)          = max(x, 0)                        of softplus, which came later

The first two are the first-order Taylor expansions at 0, `f(0) + f'(0) x`, cut off at
the ends of the range. So the distance is greatest at the corners. A relu is the limit
of `softplus(k x) / k` for a large k. leaky_relu and elu are no such pair: the distance
of them grows without bound on the left.

Source: Courbariaux, Bengio and David, BinaryConnect, NIPS 2015, for hard_logistic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.contrast.apparatus.activations import FAR, curve
from symbackprop.contrast.apparatus.trained import compiled, spirals, tuned
from symbackprop.contrast.apparatus.wording import listed
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import THEORY, blank, legend, style
from symbackprop.layers.dense import Dense
from symbackprop.program import Program

ABOUT = (
    "Hard functions and the smooth ones they approximate, as curves and in training."
)


@dataclass(frozen=True)
class Pair:
    """A hard function, its smooth one, and how far they are apart by theory."""

    hard: str
    smooth: str
    formula: str
    distance: float


PAIRS = (
    Pair("hard_logistic", "logistic", "1 - logistic(2)", 1 / (1 + math.exp(2))),
    Pair("hard_tanh", "tanh", "1 - tanh(1)", 1 - math.tanh(1)),
    Pair("relu", "softplus", "log 2", math.log(2)),
)
RATES = (0.1, 0.3, 1.0, 3.0, 10.0)


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Hold the curves of each pair together, and train a hidden layer of 32 units."""
    none_of_yours("hard-functions", program)
    data = measure(PAIRS, RATES, seed=seed, tell=tell)
    return Study(
        name="hard-functions",
        title="How far are hard functions from the smooth ones they stand for?",
        paragraph=paragraph(data),
        data=data,
        draw=lambda: draw(data),
    )


def measure(
    pairs: Sequence[Pair],
    rates: Sequence[float],
    units: int = 32,
    epochs: int = 200,
    networks: int = 5,
    tunings: int = 3,
    seed: int = 0,
    tell: Tell = lambda doing: None,
) -> dict[str, Any]:
    """Distances of the curves and of their slopes, and both in training.

    Args:
        pairs: functions of the table.
        rates: tried for each function.
        units: of the hidden layer that is trained.
        epochs: of each training.
        networks: trainings shown of each.
        tunings: trainings that choose the rate, from other starts than the above.
        seed: of everything.
        tell: is called with what is being done.
    """
    rng = np.random.default_rng(seed)
    data, held = spirals(240, rng), spirals(240, rng)
    rows = []
    for place, pair in enumerate(pairs):
        trained = {}
        for name in (pair.hard, pair.smooth):
            tell(f"hard functions: training {name}, pair {place + 1} of {len(pairs)}")
            with compiled(f"hard-{name}", [Dense(units, name)]) as kernels:
                found = tuned(
                    kernels, rates, data, held, epochs, tunings, networks, seed
                )
            trained[name] = {
                "rate": found.rate,
                "tuning": found.trials,
                "loss": found.loss,
                "accuracy": found.accuracy,
            }
        theory = {"formula": pair.formula, "expected": pair.distance}
        rows.append({**apart(pair.hard, pair.smooth), **theory, "trained": trained})
    return {
        "units": units,
        "epochs": epochs,
        "networks": networks,
        "tunings": tunings,
        "rates": list(rates),
        "seed": seed,
        "pairs": rows,
    }


def apart(hard: str, smooth: str) -> dict[str, Any]:
    """The greatest distances of two functions and of their slopes, and where.

    Returns:
        `distance` and `at`, the places where it is reached within rounding;
        `slope_distance`; `value_at_zero` and `slope_at_zero` of both.
    """
    x = np.linspace(-FAR, FAR, 32001)  # holds 0, and corners at whole numbers
    (low, steep), (high, bent) = curve(hard, x), curve(smooth, x)
    distance = np.abs(low - high)
    value, slope = (
        [float(curve(name, np.zeros(1))[part][0]) for name in (hard, smooth)]
        for part in (0, 1)
    )
    return {
        "hard": hard,
        "smooth": smooth,
        "distance": float(distance.max()),
        "at": x[distance > distance.max() - 1e-12].tolist(),
        "slope_distance": float(np.max(np.abs(steep - bent))),
        "value_at_zero": value,
        "slope_at_zero": slope,
    }


def is_tangent(row: Mapping[str, Any]) -> bool:
    """Whether the hard function has the value and the slope of the smooth one at 0."""
    return all(
        abs(row[key][0] - row[key][1]) < 1e-12
        for key in ("value_at_zero", "slope_at_zero")
    )


def paragraph(data: Mapping[str, Any]) -> str:
    """How far each pair is apart, and what that does to training."""
    said = []
    for row in data["pairs"]:
        hard, smooth = row["hard"], row["smooth"]
        places = listed([f"{place:g}" for place in row["at"]])
        said.append(
            f"{hard} is {row['distance']:.4f} away from {smooth} at most, at x = "
            f"{places} ({row['formula']} = {row['expected']:.4f}), and its slope by "
            f"{row['slope_distance']:.2f} at most."
        )
        if is_tangent(row):
            said.append(
                "Near 0 it is the first-order Taylor expansion "
                f"{row['value_at_zero'][1]:g} + {row['slope_at_zero'][1]:g} x."
            )
        said.append(
            f"Trained, a hidden layer of {data['units']} units ends at "
            + " and at ".join(
                _trained(name, row["trained"][name]) for name in (hard, smooth)
            )
            + "."
        )
    said.append(
        f"These are medians of {data['networks']} starts after {data['epochs']} epochs "
        "on three spiral arms, each at the best of the rates "
        + listed([f"{rate:g}" for rate in data["rates"]])
        + f" by {data['tunings']} trial runs; accuracy is on held-out points."
    )
    return " ".join(said)


def _trained(name: str, found: Mapping[str, Any]) -> str:
    if found["loss"] is None:
        return f"no finite loss ({name})"
    return (
        f"a loss of {found['loss'][-1]:.2g} and an accuracy of "
        f"{found['accuracy']:.1%} with {name} (rate {found['rate']:g})"
    )


def draw(data: Mapping[str, Any]) -> Any:
    """A column for each pair: the functions, their slopes, their training."""
    pairs = data["pairs"]
    figure, grid = blank(3, len(pairs), width=2.8 * len(pairs) + 0.4, height=7.0)
    panels = np.reshape(grid, (3, len(pairs)))
    x = np.linspace(-5, 5, 1001)
    for row, (heights, slopes, training) in zip(pairs, panels.T, strict=True):
        for number, role in enumerate(("smooth", "hard")):
            name = row[role]
            looks = style(number).options(0.25) | {"label": role}
            height, slope = curve(name, x)
            heights.plot(x, height, **looks)
            slopes.plot(x, slope, **looks)
            loss = row["trained"][name]["loss"]
            if loss is not None:
                training.plot(np.arange(1, len(loss) + 1), loss, **looks)
        bounds = heights.get_ylim()
        tangent = row["value_at_zero"][1] + row["slope_at_zero"][1] * x
        heights.plot(x, tangent, **THEORY, label="tangent at 0 of the smooth one")
        heights.set_ylim(bounds)
        for place in row["at"]:
            ends = [
                float(curve(row[r], np.array([place]))[0][0])
                for r in ("hard", "smooth")
            ]
            heights.plot(
                [place, place],
                ends,
                color=style(2).colour,
                linewidth=3,
                solid_capstyle="butt",
                label="greatest distance",
            )
        heights.set_title(f"{row['hard']}\nand {row['smooth']}", fontsize=10)
        slopes.set_xlabel("x")
        training.set_xlabel("epoch")
        training.set_yscale("log")
    for panel, label in zip(
        panels[:, 0], ("f(x)", "f'(x)", "loss in training"), strict=True
    ):
        panel.set_ylabel(label)
    for panel in panels.flat:
        panel.tick_params(labelsize=8)
    legend(figure, list(panels.flat), columns=4)
    return figure
