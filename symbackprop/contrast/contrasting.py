"""`contrast`: a program or network in, a report out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symbackprop.bench.machine import machine
from symbackprop.contrast import tally
from symbackprop.contrast.measuring import Scene, measure
from symbackprop.contrast.method import Method
from symbackprop.contrast.methods import methods
from symbackprop.contrast.peers import peers as other_libraries
from symbackprop.contrast.point import Point
from symbackprop.contrast.report import Report
from symbackprop.contrast.study import Tell
from symbackprop.derivation import HasProgram
from symbackprop.errors import InputError, short
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.numbers import Array

# Unless told otherwise: samples, and seconds for each method.
BATCH, SECONDS = 8, 5.0
SCALE = 1_000_000  # numbers at most that one evaluation of the whole batch computes


def contrast(
    source: Program | HasProgram,
    *,
    seed: int = 0,
    data: Mapping[str, Any] | None = None,
    batch: int = BATCH,
    seconds: float = SECONDS,
    peers: bool = True,
    tell: Tell = lambda doing: None,
    chosen: Iterable[Method] | None = None,
) -> Report:
    """Differentiate one program by every method, at random parameters.

    Each method is judged against the slopes to 50 digits, within what its own theory
    allows, and measured. The point is a float32 number in every entry, so that both
    precisions stand at the same one.

    Args:
        source: a program, or a network.
        seed: of parameters, of data that are not given, and of samples.
        data: tensors by name, whose first samples are taken.
        batch: the number of samples; fewer where one evaluation would be very large.
        seconds: for each method; beyond, it is measured on a sample of the slopes.
        peers: whether JAX, PyTorch and CasADi take part where they are installed.
        tell: is called with what is being done.
        chosen: methods to contrast instead of all.

    Raises:
        InputError: an argument that does not fit.
        CheckError: no parameters were found at which the objective has a value.

    >>> import symbackprop as sb
    >>> neuron = sb.Program(equations="L = (tanh(w*x) - y)**2", axes={},
    ...                     parameters={"w": ""}, data={"x": "", "y": ""},
    ...                     objective="L", name="neuron")
    >>> report = sb.contrast(neuron, peers=False)
    >>> report.verdict
    'all 13 methods agree with the truth within their theory'
    """
    program = source if isinstance(source, Program) else source.program
    for name, value, least in (("seed", seed, 0), ("batch", batch, 1)):
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(
                f"contrast: {name} is {short(value)}; give a whole number of at least "
                f"{least}."
            )
    if not isinstance(seconds, int | float) or not seconds > 0:
        raise InputError(
            f"contrast: seconds is {short(seconds)}; give a positive number."
        )
    if not program.parameters:
        raise InputError(f"contrast: {program.name} has no parameters to differ by.")
    rng = np.random.default_rng(seed)
    point = _point(program, rng, dict(data or {}), batch)
    scene = Scene.of(point, rng, tell)
    every = (*methods(), *(other_libraries() if peers else ()))
    given = every if chosen is None else tuple(chosen)
    rows, skipped = measure(given, scene, float(seconds), rng, tell)
    truth = scene.truths[0]
    return Report(
        name=program.name,
        parameters=point.size,
        batch=point.batch,
        seed=int(seed),
        norm=truth.norm,
        truth=truth.how,
        confirmed=truth.confirmed,
        value_operations=tally.of_value(point),
        rows=tuple(rows),
        skipped=skipped,
        machine=machine(),
    )


def _point(
    program: Program, rng: np.random.Generator, data: dict[str, Any], batch: int
) -> Point:
    """Drawn values, or the data given; as many samples as are affordable."""
    known = {tensor.name: tensor for tensor in program.data}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise InputError(
            f"contrast: data has `{unknown[0]}`, which {program.name} does not; it has "
            f"{', '.join(known) or 'none'}."
        )
    affordable = max(1, SCALE // max(1, Point(program, {}).scale))
    given = [len(np.asarray(v)) for n, v in data.items() if known[n].batched]
    count = min([batch, affordable, *given])
    values: dict[str, Array] = draw(program, rng, count)
    for name, array in data.items():
        taken = np.asarray(array)[:count] if known[name].batched else np.asarray(array)
        if taken.shape != values[name].shape or taken.dtype.kind not in "biuf":
            raise InputError(
                f"contrast: `{name}` has the shape {values[name].shape}; got an array "
                f"of {taken.dtype} in the shape {taken.shape}."
            )
        values[name] = taken
    return Point(program, {n: _single(v) for n, v in values.items()})


def _single(values: Array) -> Array:
    """Numbers that float32 holds exactly; whole numbers as they are."""
    if values.dtype.kind in "biu":
        return values.astype(np.int64)
    found: Array = values.astype(np.float32).astype(np.float64)
    return found
