"""Wrong values for every argument: each is refused by the package's own errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import short


class Unshown:
    """A value that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


NASTY: dict[str, Any] = {
    "none": None,
    "object": object(),
    "unshown": Unshown(),
    "nested": nested(3000),
    "minus one": -1,
    "fraction": 2.5,
    "nan": float("nan"),
    "infinite": float("inf"),
    "complex": 1j,
    "huge": 10**400,
    "beyond printing": 10**5000,
    "true": True,
    "empty text": "",
    "long text": "x" * 10**5,
    "nul": "a\0b",
    "surrogate": "\ud800",
    "parent": "..",
    "bytes": b"",
    "bytearray": bytearray(b"x"),
    "list": [],
    "lists": [[]],
    "ragged": [[1], [1, 2]],
    "dict": {},
    "dict of numbers": {1: 2},
    "dict of none": {None: None},
    "set": set(),
    "tuple of none": (None,),
    "twice": ["x", "x"],
    "function": lambda: 0,
    "class": int,
    "range": range(3),
    "objects": np.array([object()] * 3),
    "complex array": np.zeros(3, complex),
    "structured": np.zeros(3, [("a", "f8")]),
    "void": np.zeros(3, "V4"),
    "dates": np.zeros(3, "M8[s]"),
    "strings": np.array(["a"] * 3),
    "no rows": np.zeros((0, 3)),
    "no dimension": np.array(1.0),
    "strided": np.zeros(6)[::2],
    "masked": np.ma.zeros(3),
    "big-endian": np.zeros(3, ">f8"),
    "unsigned": np.full(3, 2**64 - 1, np.uint64),
}
each_nasty = pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())


def refused_or_taken(call: Callable[..., Any], *given: Any, **named: Any) -> None:
    """The call returns, or raises an error of the package with a message to read."""
    said = None
    try:
        call(*given, **named)
    except sb.SymbackpropError as error:
        said = str(error)
    assert said is None or 10 < len(said) < 1500


DECLARED: dict[str, Any] = {
    "equations": "L = sum((w[i]*x[i] - y)**2, i) * c",
    "axes": {"i": 3},
    "parameters": {"w": "i"},
    "data": {"x": "i", "y": ""},
    "objective": "L",
    "constants": {"c": 0.5},
    "integers": (),
    "batched": ("x", "y"),
    "zero_outside": (),
    "name": "hostile",
    "initial": {"w": "zeros"},
    "weights": ("w",),
    "output": "L",
}


@each_nasty
def test_arguments_of_a_program(value: Any) -> None:
    for name, right in DECLARED.items():
        refused_or_taken(sb.Program, **{**DECLARED, name: value})
        if isinstance(right, dict):
            inside: Any = {**right, next(iter(right)): value}
        else:
            inside = (value,)
        if not isinstance(right, str):
            refused_or_taken(sb.Program, **{**DECLARED, name: inside})


@each_nasty
def test_arguments_of_a_network(value: Any) -> None:
    right: dict[str, Any] = {
        "inputs": 3,
        "layers": [sb.Dense(2)],
        "loss": "squared_error",
    }
    for field in fields(sb.Network):
        refused_or_taken(sb.Network, **{**right, field.name: value})
    for name in ("inputs", "layers"):
        refused_or_taken(sb.Network, **{**right, name: [value]})
    refused_or_taken(sb.Frobenius, value)
    refused_or_taken(sb.derive, value)
    refused_or_taken(sb.load, value)


@pytest.mark.parametrize("kind", sb.Layer.registry.values())
@each_nasty
def test_fields_of_layers(kind: type[sb.Layer], value: Any) -> None:
    example, shape = kind.example()
    right = {f.name: getattr(example, f.name) for f in fields(kind)}

    def build(**given: Any) -> None:
        sb.Network(inputs=shape, layers=[kind(**given)], loss="squared_error")

    for name, given in right.items():
        refused_or_taken(build, **{**right, name: value})
        if isinstance(given, dict):
            refused_or_taken(build, **{**right, name: {**given, "i": value}})


OPTIONS = (sb.SGD, sb.AdaGrad, sb.RMSProp, sb.Adam, sb.AdamW, sb.Clip)
RATES = (sb.ConstantRate, sb.StepRate, sb.ExponentialRate, sb.CosineRate)


@pytest.mark.parametrize("kind", [*OPTIONS, *RATES])
@each_nasty
def test_fields_of_optimisers(kind: type[Any], value: Any) -> None:
    needed = {f.name: 0.5 for f in fields(kind) if f.default is MISSING}
    for field in fields(kind):
        refused_or_taken(kind, **{**needed, field.name: value})


@each_nasty
def test_rules(value: Any) -> None:
    refused_or_taken(sb.Rule, value, "theta = g")
    refused_or_taken(sb.Rule, "r", value)
    for text in ("theta = " + "-" * 5000 + "g", "theta = " + "(" * 5000, "a" * 9**6):
        refused_or_taken(sb.Rule, "r", text)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> sb.Kernels:
    folder = tmp_path_factory.mktemp("hostile")
    return sb.compile(sb.Program(**DECLARED), dtype="float64", directory=folder)


X, Y, THETA = np.ones((4, 3)), np.ones(4), np.ones(3)


@each_nasty
def test_arguments_of_kernels(kernels: sb.Kernels, value: Any) -> None:
    for place in range(3):
        given = [THETA, X, Y]
        given[place] = value
        for call in (kernels.value, kernels.value_and_grad, kernels.predict):
            refused_or_taken(call, *given)
        arrays = {"gradient": THETA.copy(), "workspace": kernels.workspace(4)}
        refused_or_taken(kernels.bind, *given, **arrays)
        for name in arrays:
            changed = {**arrays, name: value}
            refused_or_taken(kernels.bind, THETA, X, Y, **changed)
    refused_or_taken(kernels.predict, THETA, X, Y, tensor=value)
    refused_or_taken(kernels.unpack, value)
    refused_or_taken(kernels.pack, value)
    refused_or_taken(kernels.pack, {"w": value})
    refused_or_taken(kernels.initial, value)
    refused_or_taken(kernels.workspace, value)


@each_nasty
def test_arguments_of_compile(
    value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    derivation = sb.derive(sb.Program(**DECLARED))
    with pytest.raises(sb.SymbackpropError):
        sb.compile(value)
    with pytest.raises(sb.SymbackpropError):
        sb.compile(derivation, dtype=value)
    if not isinstance(value, str) or value != "..":
        refused_or_taken(sb.compile, derivation, dtype="float64", directory=value)


@each_nasty
def test_arguments_of_train(
    kernels: sb.Kernels, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    right: dict[str, Any] = {
        "x": X,
        "y": Y,
        "epochs": 1,
        "batch_size": 2,
        "optimiser": None,
        "schedule": None,
        "clip": None,
        "seed": 0,
        "theta": THETA,
        "validation": (X, Y),
        "checkpoint": None,
    }
    refused_or_taken(sb.train, value, **right)
    for name in right:
        refused_or_taken(sb.train, kernels, **{**right, name: value})
    inside = [(value, Y), {"x": X, "y": value}]
    with suppress(TypeError):  # no key of a dictionary
        inside.append({value: X, "y": Y})
    for validation in inside:
        refused_or_taken(sb.train, kernels, **{**right, "validation": validation})


def interrupted(kernels: sb.Kernels, file: Path) -> Callable[..., Any]:
    """The call that makes a checkpoint, to be gone on with."""

    def run(epochs: int) -> sb.History:
        return sb.train(
            kernels,
            X,
            Y,
            epochs=epochs,
            batch_size=2,
            theta=THETA,
            checkpoint=file,
        )

    return run


def test_checkpoints_that_are_damaged(
    kernels: sb.Kernels, tmp_path: Path, rng: np.random.Generator
) -> None:
    file = tmp_path / "state.npz"
    run = interrupted(kernels, file)
    run(1)
    whole = file.read_bytes()
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(len(damaged), size=3):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged[: rng.integers(1, len(damaged) + 1)])
        refused_or_taken(run, 2)
        file.write_bytes(damaged)
        refused_or_taken(run, 2)


@pytest.mark.parametrize(
    "wrong", [np.zeros(2), np.zeros(()), np.array(["a"]), np.full((1, 5), np.inf)]
)
@pytest.mark.parametrize(
    "part",
    ["theta", "epochs", "position", "optimiser_0", "optimiser_1", "parts", "hashes"],
)
def test_checkpoints_with_other_arrays(
    kernels: sb.Kernels, tmp_path: Path, part: str, wrong: Any
) -> None:
    file = tmp_path / "state.npz"
    run = interrupted(kernels, file)
    run(1)
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(file, **{**arrays, part: wrong})
    with pytest.raises(sb.InputError, match=r"checkpoint .*(cannot be read|belongs)"):
        run(2)


def test_checkpoint_that_cannot_be_written_stops_nothing_later(
    kernels: sb.Kernels, tmp_path: Path
) -> None:
    """It is found before the first epoch, not after it."""
    (tmp_path / "file").write_text("")
    seen: list[Any] = []
    for path in (tmp_path, tmp_path / "file" / "x", tmp_path / ("x" * 300)):
        with pytest.raises(sb.InputError):
            sb.train(
                kernels, X, Y, epochs=1, batch_size=2, checkpoint=path,
                progress=seen.append,
            )  # fmt: skip
    assert seen == []


def test_messages_show_what_cannot_be_shown() -> None:
    assert short(Unshown()) == "<Unshown>"
    assert short(10**5000) == "<int>"
