"""PyTorch: `torch.autograd.grad` of the forward equations, eagerly."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from symbackprop.contrast.method import Prepared
from symbackprop.contrast.peers.arrays import Foreign, Held
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.slopes import objective

FUNCTIONS = {
    name: getattr(torch, name)
    for name in (
        *("exp", "log", "sqrt", "sin", "cos", "tanh", "log1p", "expm1"),
        *("erf", "erfc"),
    )
} | {"power": torch.pow}
torch.set_num_threads(1)  # like every other method
COMPARISONS = {"less": torch.lt, "less_equal": torch.le, "equal": torch.eq}


def _made(values: Any) -> Any:
    return torch.as_tensor(np.ascontiguousarray(values))


class TorchNumbers(Foreign):
    """The forward equations in arrays that PyTorch watches."""

    contracts = True

    def __init__(self) -> None:
        super().__init__(torch, _made, FUNCTIONS)

    def compare(self, how: np.ufunc, a: Value, b: Value) -> Any:
        return COMPARISONS[how.__name__](a.array, b.array)

    def mask(self, chosen: Any) -> Any:
        return torch.as_tensor(np.asarray(chosen))

    def whole(self, a: Value) -> Any:
        return np.rint(a.array.detach().numpy()).astype(np.int64)

    def best(self, value: Value, largest: bool) -> Any:
        """The first extreme place, which PyTorch itself does not promise."""
        plain = value.array.detach().numpy()
        return np.argmax(plain, -1) if largest else np.argmin(plain, -1)

    def take(self, a: Value, places: tuple[Any, ...]) -> Value:
        return Held(a.array[_places(places)])

    def put(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        changed = a.array.clone()
        changed[places] = changed[places] + b.array
        a.array = changed

    def scatter(self, a: Value, places: tuple[Any, ...], b: Value) -> None:
        a.array = a.array.index_put(_places(places), b.array, accumulate=True)

    def sum(self, a: Value, axes: tuple[int, ...]) -> Value:
        return Held(torch.sum(a.array, dim=axes, keepdim=True)) if axes else a

    def broadcast(self, a: Value, shape: tuple[int, ...]) -> Value:
        return Held(torch.broadcast_to(a.array, shape))


def _places(places: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(p if isinstance(p, slice) else torch.as_tensor(p) for p in places)


def prepare(point: Point, coordinates: Whole) -> Prepared:
    """The graph is made anew by every call, as PyTorch does."""
    system, numbers = point.system, TorchNumbers()
    parameters = {
        name: _made(np.asarray(point.values[name], float)).requires_grad_(True)
        for name in point.shapes
    }
    data = {n: v for n, v in point.values.items() if n not in parameters}
    given = {**data, **{name: Held(array) for name, array in parameters.items()}}

    def slopes() -> Floats:
        value = objective(system, given, numbers).array.reshape(())
        found = torch.autograd.grad(
            value, list(parameters.values()), allow_unused=True, materialize_grads=True
        )
        arrays = {n: f.numpy() for n, f in zip(parameters, found, strict=True)}
        return np.asarray(point.flat(arrays)[coordinates])

    note = f"version {torch.__version__}, eager; our evaluator's calls included"
    return Prepared(slopes, evaluations=1, note=note)
