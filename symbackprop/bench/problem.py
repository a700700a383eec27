"""One case with numbers: parameters, a batch, and its declaration as layers or text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.bench.cases import Case
from symbackprop.errors import SymbackpropError
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program

Array = NDArray[Any]

EPOCHS = 5  # of one training that is timed: what starting it costs is shared by them
RATE = 1e-3  # of Adam


class UnavailableError(SymbackpropError):
    """A contestant that cannot take part in a case; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What a contestant computed, for the judge.

    Attributes:
        value: the loss, or None where it computes none.
        arrays: the gradient by W1, b1, W2, b2, ...; of a training, the parameters.
    """

    value: float | None
    arrays: tuple[Array, ...]


@dataclass(frozen=True)
class Contestant:
    """A call to be timed, and what it computes.

    Attributes:
        call: computes loss and gradient, or trains for EPOCHS.
        outcome: what the same call computed.
    """

    call: Callable[[], Any]
    outcome: Callable[[], Outcome]


@dataclass(frozen=True)
class Problem:
    """Parameters and data of a case, equal for all contestants.

    Shapes:
        weights: (outputs, inputs) of each layer.
        biases: (outputs,).
        x: (batch, inputs); an epoch's data hold all its samples.
        y: (batch, classes), one-hot rows of `labels`.
    """

    case: Case
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    x: Array
    y: Array
    labels: Array

    @classmethod
    def of(cls, case: Case, seed: int = 0) -> Problem:
        """Draw one; the classes lie around random centres, so that they can be learnt.

        >>> Problem.of(Case((4, 8, 3), 32)).x.shape
        (32, 4)
        """
        rng = np.random.default_rng(seed)
        pairs = list(zip(case.widths, case.widths[1:], strict=False))
        length = case.samples or case.batch
        labels = rng.integers(0, case.widths[-1], length)
        centres = rng.uniform(0, 1, (case.widths[-1], case.widths[0]))
        x = centres[labels] + rng.normal(0, 0.3, (length, case.widths[0]))
        y = np.eye(case.widths[-1])[labels]
        return cls(
            case,
            tuple(
                (rng.normal(size=(outputs, inputs)) / inputs**0.5).astype(case.dtype)
                for inputs, outputs in pairs
            ),
            tuple(
                rng.normal(0, 0.1, outputs).astype(case.dtype) for _, outputs in pairs
            ),
            x.astype(case.dtype),
            y.astype(case.dtype),
            labels,
        )

    @property
    def parameters(self) -> tuple[Array, ...]:
        """W1, b1, W2, b2, ..."""
        pairs = zip(self.weights, self.biases, strict=True)
        return tuple(array for pair in pairs for array in pair)


def layers(case: Case) -> Network:
    """The case as layers."""
    *hidden, last = case.widths[1:]
    return Network(
        inputs=case.widths[0],
        layers=[*(Dense(units, "tanh") for units in hidden), Dense(last, "softmax")],
        loss="cross_entropy",
        dtype=case.dtype,
        name="bench",
    )


def text(case: Case) -> Program:
    """The case as equations alone, under names of its own.

    >>> print(text(Case((4, 8, 3), 1)).text)
    u1[n1] = sum(A1[n1, n0]*s0[n0], n0) + c1[n1]
    s1[n1] = tanh(u1[n1])
    u2[n2] = sum(A2[n2, n1]*s1[n1], n1) + c2[n2]
    q[n2] = exp(u2[n2])/sum(exp(u2[m]), m)
    E = -sum(t[n2]*log(q[n2]), n2)
    """
    lines: list[str] = []
    parameters: dict[str, str] = {}
    last = len(case.widths) - 1
    for k in range(1, last + 1):
        i, j = f"n{k}", f"n{k - 1}"
        parameters |= {f"A{k}": f"{i} {j}", f"c{k}": i}
        lines.append(f"u{k}[{i}] = sum(A{k}[{i}, {j}]*s{k - 1}[{j}], {j}) + c{k}[{i}]")
        if k < last:
            lines.append(f"s{k}[{i}] = tanh(u{k}[{i}])")
    i, u = f"n{last}", f"u{last}"
    lines.append(f"q[{i}] = exp({u}[{i}])/sum(exp({u}[m]), m)")
    lines.append(f"E = -sum(t[{i}]*log(q[{i}]), {i})")
    sizes = {f"n{k}": width for k, width in enumerate(case.widths)}
    return Program(
        equations="\n".join(lines),
        axes={**sizes, "m": case.widths[-1]},
        parameters=parameters,
        data={"s0": "n0", "t": i},
        batched=("s0", "t"),
        objective="E",
        name="bench",
    )
