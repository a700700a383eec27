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
from symbackprop.equations import Tensor
from symbackprop.errors import CheckError, InputError, nearest, short
from symbackprop.program import Program
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.numbers import Array

# Unless told otherwise: samples, and seconds for each method.
BATCH, SECONDS = 8, 5.0
LARGE = float(np.finfo(np.float32).max)
LONGEST = 1e6  # seconds
SCALE = 200_000  # numbers at most that one evaluation of the whole batch computes


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
        CheckError: no parameters were found at which the objective has a value and
            slopes, or it has none at the data given.

    >>> import symbackprop as sb
    >>> neuron = sb.Program(equations="L = (tanh(w*x) - y)**2", axes={},
    ...                     parameters={"w": ""}, data={"x": "", "y": ""},
    ...                     objective="L", name="neuron")
    >>> report = sb.contrast(neuron, peers=False)
    >>> report.verdict
    'all 13 methods agree with the truth within their theory'
    """
    program = _checked(source, seed, batch, seconds)
    every = (*methods(), *(other_libraries() if peers else ()))
    given = every if chosen is None else _methods(chosen)
    rng = np.random.default_rng(seed)
    point = _point(program, rng, {} if data is None else data, batch)
    scene = Scene.of(point, rng, tell)
    truth = scene.truths[0]
    if not np.isfinite(truth.norm):
        raise CheckError(
            f"contrast: {program.name} has no finite slopes at the data given and "
            "random parameters; check for a root or a logarithm of 0."
        )
    rows, skipped = measure(given, scene, float(seconds), rng, tell)
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


def _checked(source: Any, seed: Any, batch: Any, seconds: Any) -> Program:
    """The program, where all plain arguments are what they should be."""
    found = source if isinstance(source, Program) else getattr(source, "program", None)
    if not isinstance(found, Program):
        raise InputError(
            f"contrast: expected a Program or a Network, got {short(source)}; load a "
            'file with `symbackprop.load("network.toml")` first.'
        )
    for name, value, least in (("seed", seed, 0), ("batch", batch, 1)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or value < least:
            raise InputError(
                f"contrast: {name} is {short(value)}; give a whole number of at least "
                f"{least}."
            )
    real = isinstance(seconds, int | float | np.number) and not np.iscomplexobj(seconds)
    if isinstance(seconds, bool) or not real or not 0 < seconds < LONGEST:
        raise InputError(
            f"contrast: seconds is {short(seconds)}; give a positive number, the "
            f"seconds for each method, below {LONGEST:g}."
        )
    if not found.parameters:
        raise InputError(
            f"contrast: {found.name} has no parameters to differ by; declare at least "
            "one."
        )
    return found


def _methods(chosen: Any) -> tuple[Method, ...]:
    found = tuple(chosen) if isinstance(chosen, Iterable) else (chosen,)
    for each in found:
        if not isinstance(each, Method):
            raise InputError(
                f"contrast: chosen holds {short(each)}; give methods, as "
                "`symbackprop.contrast.methods.methods()` has them."
            )
    return found


def _point(program: Program, rng: np.random.Generator, data: Any, batch: int) -> Point:
    """Drawn values, or the data given; as many samples as are affordable.

    Raises:
        InputError: the data do not fit the program.
        CheckError: the objective has no value there.
    """
    if not isinstance(data, Mapping):
        raise InputError(
            f"contrast: data is {short(data)}; give arrays by the names of tensors, "
            '`data={"x": array}`.'
        )
    known = {tensor.name: tensor for tensor in program.data}
    for name in data:
        if name not in known:
            raise InputError(
                f"contrast: data has {short(name)}, which {program.name} does not; it "
                f"has {', '.join(known) or 'none'}.{nearest(str(name), known)}"
            )
    arrays = {name: _array(program, known[name], given) for name, given in data.items()}
    lengths = {n: len(array) for n, array in arrays.items() if known[n].batched}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} of `{n}`" for n, length in lengths.items())
        raise InputError(f"contrast: samples differ in number: {told}; give as many.")
    affordable = max(1, SCALE // max(1, Point(program, {}).scale))
    count = min([int(batch), affordable, *lengths.values()])
    values: dict[str, Array] = draw(program, rng, count)
    for name, array in arrays.items():
        values[name] = array[:count] if known[name].batched else array
    integers = {n for n in values if program.tensors[n].integer}
    point = Point(
        program, {n: v if n in integers else _single(v) for n, v in values.items()}
    )
    if not np.isfinite(point.value(point.vector)):
        raise CheckError(
            f"contrast: the objective of {program.name} is not a finite number at the "
            "data given and random parameters; check the data's sizes and signs."
        )
    return point


def _array(program: Program, tensor: Tensor, given: Any) -> Array:
    """Data that were given, as an array that fits their tensor."""
    shape = program.shape(tensor.name)
    wanted = f"({', '.join(['samples'] * tensor.batched + [str(n) for n in shape])})"
    try:
        found = np.asarray(given)
    except ValueError:  # rows of unequal length
        found = np.empty((), dtype=object)
    sample = found.shape[1:] if tensor.batched else found.shape
    numbers = found.dtype.kind in "biuf" and found.ndim == len(shape) + tensor.batched
    if not numbers or sample != shape or 0 in found.shape[:1]:
        raise InputError(
            f"contrast: `{tensor.name}` has the shape {wanted}; got an "
            f"array of {found.dtype} in the shape {found.shape}. Give real numbers in "
            "that shape, at least one sample."
        )
    plain = found.astype(float)
    if not (np.abs(plain) <= LARGE).all():
        raise InputError(
            f"contrast: `{tensor.name}` holds {plain[~(np.abs(plain) <= LARGE)][0]}; "
            f"give finite numbers up to {LARGE:.1e}, which float32 holds too."
        )
    if not tensor.integer:
        return plain
    if (plain != np.rint(plain)).any():
        raise InputError(
            f"contrast: `{tensor.name}` counts entries, but holds "
            f"{plain[plain != np.rint(plain)][0]}; give whole numbers."
        )
    return found.astype(np.int64)


def _single(values: Array) -> Array:
    """Numbers that float32 holds exactly."""
    found: Array = values.astype(np.float32).astype(np.float64)
    return found
