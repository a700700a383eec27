"""PyTorch, eager and compiled."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear

from symbackprop.bench.problem import EPOCHS, RATE, Contestant, Outcome, Problem

torch.set_num_threads(1)
logging.getLogger("torch").setLevel(logging.ERROR)  # that there is no GPU


def loss(parameters: Any, x: Any, labels: Any) -> Any:
    """Cross-entropy by class numbers, which takes PyTorch's fastest path."""
    a = x
    for k in range(0, len(parameters), 2):
        z = linear(a, parameters[k], parameters[k + 1])
        a = torch.tanh(z)
    return cross_entropy(z, labels)


def gradient(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    x, labels = torch.tensor(problem.x), torch.tensor(problem.labels)
    parameters = [torch.tensor(p, requires_grad=True) for p in problem.parameters]

    def eager() -> Any:
        value = loss(parameters, x, labels)
        return torch.autograd.grad(value, parameters), value

    yield "PyTorch", Contestant(eager, lambda: _outcome(*eager()))

    # Forward and backward as one graph: for small networks several times faster than
    # a compiled forward pass under eager autograd.
    detached = tuple(p.detach() for p in parameters)
    torch._dynamo.reset()  # else the limit of recompilations falls back to eager
    whole = torch.compile(torch.func.grad_and_value(loss), dynamic=False)

    def compiled() -> Any:
        with torch.no_grad():
            return whole(detached, x, labels)

    yield "PyTorch compiled", Contestant(compiled, lambda: _outcome(*compiled()))


def epoch(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    """The usual loop over shuffled minibatches, with the fused optimiser."""
    x, labels = torch.tensor(problem.x), torch.tensor(problem.labels)
    batch = problem.case.batch

    def train() -> Any:
        parameters = [torch.tensor(p, requires_grad=True) for p in problem.parameters]
        adam = torch.optim.Adam(parameters, lr=RATE, fused=True)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(x)).split(batch):
                adam.zero_grad()
                loss(parameters, x[rows], labels[rows]).backward()
                adam.step()
        return [p.detach() for p in parameters]

    yield "PyTorch", Contestant(train, lambda: _outcome(train(), None))


def _outcome(arrays: Any, value: Any) -> Outcome:
    found = None if value is None else value.item()
    return Outcome(found, tuple(array.numpy() for array in arrays))
