"""Jacobians by both modes: a column for each pass, or a row for each sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symbackprop.contrast.point import Floats
from symbackprop.contrast.tally import ARITHMETIC
from symbackprop.errors import CheckError
from symbackprop.program import Program
from symbackprop.witnesses.counting import Counting
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.duals import DualNumbers
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import REAL, Array, Numbers
from symbackprop.witnesses.tape import gradient_by_tape

AGREE = 1e-13  # of the norm: some hundred roundings of 1e-16


def declared(inputs: int, outputs: int, hidden: int) -> Program:
    """`y = tanh(B tanh(A x))` from R^inputs to R^outputs; the objective is one `y[i]`.

    One evaluation takes about `2 hidden (inputs + outputs)` operations.
    """
    return Program(
        equations="h[k] = tanh(sum(A[k, j] * x[j], j))\n"
        "y[i] = tanh(sum(B[i, k] * h[k], k))\n"
        "L = y[component]",
        axes={"j": inputs, "k": hidden, "i": outputs},
        parameters={"x": "j"},
        data={"A": "k j", "B": "i k", "component": ""},
        integers=("component",),
        objective="L",
        name=f"from_{inputs}_to_{outputs}",
    )


def drawn(program: Program, seed: int) -> dict[str, Array]:
    """Values at which no tanh is saturated: matrices with rows of length about 1."""
    values = draw(program, np.random.default_rng(seed), batch=1)
    for name in ("A", "B"):
        values[name] = values[name] / np.linalg.norm(values[name], axis=1)[:, None]
    return values


def forward_pass(
    program: Program, values: Mapping[str, Any], direction: Any, numbers: Numbers = REAL
) -> Array:
    """`J direction`: the value and one tangent travel from the inputs to `y`.

    Shapes:
        direction: (inputs,). Result: (outputs,).
    """
    duals = DualNumbers(numbers, 1)
    moving = duals.dual(values["x"], np.asarray(direction)[:, None])
    tangent: Array = evaluate(program, {**values, "x": moving}, duals)["y"].tangent
    return tangent[:, 0]


def reverse_sweep(
    program: Program, values: Mapping[str, Any], output: int, numbers: Numbers = REAL
) -> Array:
    """One row of J: the value onto a tape, and one sweep back from `y[output]`.

    Shapes:
        Result: (inputs,).
    """
    at = {**values, "component": np.array(output)}
    return gradient_by_tape(program, at, ("x",), numbers)["x"]


def by_forward(program: Program, values: Mapping[str, Any]) -> Floats:
    """The Jacobian, a column for each pass.

    Shapes:
        (outputs, inputs)
    """
    units = np.eye(program.shape("x")[0])
    return np.stack([forward_pass(program, values, unit) for unit in units], axis=1)


def by_reverse(program: Program, values: Mapping[str, Any]) -> Floats:
    """The Jacobian, a row for each sweep.

    Shapes:
        (outputs, inputs)
    """
    outputs = range(program.shape("y")[0])
    return np.stack([reverse_sweep(program, values, output) for output in outputs])


def agree(found: Mapping[str, Floats]) -> float:
    """The largest difference of Jacobians from the first of them, of its norm.

    Raises:
        CheckError: two of them differ by more than their rounding.
    """
    (first, expected), *others = found.items()
    norm = float(np.linalg.norm(expected))
    worst = 0.0
    for name, jacobian in others:
        gaps = np.abs(jacobian - expected)
        gaps[~np.isfinite(gaps)] = np.inf
        i, j = (int(k) for k in np.unravel_index(np.argmax(gaps), gaps.shape))
        if not gaps[i, j] <= AGREE * norm:
            raise CheckError(
                f"dy[{i}]/dx[{j}] is {expected[i, j]:.17g} by {first} and "
                f"{jacobian[i, j]:.17g} by {name}; the modes may differ by "
                f"{AGREE * norm:.1e}. One of the two applies a wrong local slope."
            )
        worst = max(worst, float(gaps[i, j]) / norm)
    return worst


def counted(inputs: int, outputs: int, hidden: int, seed: int = 0) -> dict[str, int]:
    """Operations of one `evaluation`, of one `pass` and of one `sweep`.

    Each pass takes as many as the others do, and so does each sweep: neither profits
    from the zeros of the unit vector that it starts with.
    """
    program = declared(inputs, outputs, hidden)
    values = drawn(program, seed)

    def of(run: Callable[[Mapping[str, Any], Counting], Any]) -> int:
        numbers = Counting()
        run(
            {n: v if n == "component" else numbers.array(v) for n, v in values.items()},
            numbers,
        )
        return sum(numbers.tally[kind] for kind in ARITHMETIC)

    unit = np.eye(inputs)[0]
    return {
        "evaluation": of(lambda at, numbers: evaluate(program, at, numbers)),
        "pass": of(lambda at, numbers: forward_pass(program, at, unit, numbers)),
        "sweep": of(lambda at, numbers: reverse_sweep(program, at, 0, numbers)),
    }
