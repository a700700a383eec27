"""scikit-learn: the loss and gradient inside MLPClassifier, and its partial_fit."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from symbackprop.bench.problem import (
    EPOCHS,
    RATE,
    Contestant,
    Outcome,
    Problem,
    UnavailableError,
)


def _started(problem: Problem) -> Any:
    """A classifier that holds the problem's parameters, in layouts of its own."""
    case = problem.case
    if case.widths[-1] < 3:
        raise UnavailableError("it has no softmax for two classes")
    model = MLPClassifier(
        case.widths[1:-1],
        activation="tanh",
        alpha=0.0,
        batch_size=case.batch,
        learning_rate_init=RATE,
        random_state=0,
    )
    # A first step makes the arrays and the labels' encoder; it is forgotten again.
    some = slice(0, min(case.batch, len(problem.x)))
    classes = np.arange(case.widths[-1])
    model.partial_fit(problem.x[some], problem.labels[some], classes=classes)
    del model._optimizer
    for mine, given in zip(model.coefs_, problem.weights, strict=True):
        mine[...] = given.T
    for mine, given in zip(model.intercepts_, problem.biases, strict=True):
        mine[...] = given
    return model


def gradient(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    model = _started(problem)
    activations: list[Any] = [problem.x] + [None] * len(problem.weights)
    deltas: list[Any] = [None] * len(problem.weights)
    slopes = [np.empty_like(w) for w in model.coefs_]
    bias_slopes = [np.empty_like(b) for b in model.intercepts_]
    given = (activations, deltas, slopes, bias_slopes)
    inside = model._backprop
    weighted = "sample_weight" in inspect.signature(inside).parameters
    data = (problem.x, problem.y, None) if weighted else (problem.x, problem.y)

    def call() -> Any:
        return inside(*data, *given)

    yield "scikit-learn", Contestant(call, lambda: _outcome(*call()))


def epoch(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    def train() -> Any:
        model = _started(problem)
        for _ in range(EPOCHS):
            model.partial_fit(problem.x, problem.labels)
        return None, model.coefs_, model.intercepts_

    yield "scikit-learn", Contestant(train, lambda: _outcome(*train()))


def _outcome(value: Any, weights: Any, biases: Any) -> Outcome:
    found = None if value is None else float(value)
    pairs = zip(weights, biases, strict=True)
    return Outcome(found, tuple(array for w, b in pairs for array in (w.T.copy(), b)))
