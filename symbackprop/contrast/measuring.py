"""Each method at one point: judged against the truth, then timed."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from symbackprop.contrast.method import Method, Prepared, UnavailableError
from symbackprop.contrast.point import Floats, Point, Whole
from symbackprop.contrast.row import Accuracy, Row
from symbackprop.contrast.study import Tell
from symbackprop.contrast.truth import Truth, truth
from symbackprop.errors import SymbackpropError

EPSILON = float(np.finfo(np.float64).eps)
EXACT = 8.0  # ulp of the norm that an exact method may be off, beside its rounding
SCATTER = 16.0  # standard deviations of rounding that are allowed
PROBE = 3  # coordinates from which the time of all is estimated
SAMPLED = 8  # coordinates at least where not all are affordable
REPEATS, QUICK = 9, 0.3  # calls to time, while they take no longer than this together


@dataclass(frozen=True)
class Scene:
    """The whole batch and its first sample, each with its truth.

    Attributes:
        whole: the point with its batch.
        one: the same with one sample; `whole` itself where the batch is 1.
        truths: of both.
    """

    whole: Point
    one: Point
    truths: tuple[Truth, Truth]

    @classmethod
    def of(cls, point: Point, rng: np.random.Generator, tell: Tell) -> Scene:
        tell("finding the true slopes with 50 digits")
        whole = truth(point, rng)
        if point.batch == 1:
            return cls(point, point, (whole, whole))
        one = point.first(1)
        return cls(point, one, (whole, truth(one, rng)))


class Chosen(NamedTuple):
    """A method made ready on as much as its budget allows."""

    point: Point
    truth: Truth
    coordinates: Whole
    prepared: Prepared
    setup: float


def measure(
    methods: Iterable[Method],
    scene: Scene,
    budget: float,
    rng: np.random.Generator,
    tell: Tell,
) -> tuple[list[Row], dict[str, str]]:
    """A row for each method that can take part, and why each other cannot.

    A method whose own checks refuse what it made has a row, which says so.

    Args:
        methods: what to measure.
        scene: where.
        budget: seconds for one method; beyond it a sample of its work is measured.
        rng: chooses the sample.
        tell: called with what is being done.
    """
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    every = tuple(methods)
    for number, method in enumerate(every, 1):
        tell(f"measuring, {number} of {len(every)}: {method.name}")
        try:
            chosen = _chosen(method, scene, budget, rng)
            rows.append(_row(method, chosen, scene.whole))
        except UnavailableError as reason:
            skipped[method.name] = str(reason)
        except SymbackpropError as error:  # it found itself wrong
            rows.append(Row(method.name, method.family, refused=str(error)))
    return rows, skipped


def _chosen(
    method: Method, scene: Scene, budget: float, rng: np.random.Generator
) -> Chosen:
    """The whole batch, or one sample where the batch is too large."""
    try:
        return _prepared(method, scene.whole, scene.truths[0], budget, rng)
    except UnavailableError:
        if scene.one is scene.whole:
            raise
        return _prepared(method, scene.one, scene.truths[1], budget, rng)


def _prepared(
    method: Method, point: Point, known: Truth, budget: float, rng: np.random.Generator
) -> Chosen:
    """A method at a point, for as many coordinates as its budget allows."""
    wanted = np.arange(point.size)
    if method.coordinatewise:
        each = _seconds_each(method, point, rng)
        if each * point.size > budget:
            count = min(point.size, max(SAMPLED, int(budget / each)))
            wanted = np.sort(rng.permutation(point.size)[:count])
    counted: Chosen | None = None
    for coordinates in _fewer(wanted, rng, method.coordinatewise):
        start = time.perf_counter()
        prepared = method.prepare(point, coordinates)
        setup = time.perf_counter() - start
        chosen = Chosen(point, known, coordinates, prepared, setup)
        if prepared.gradient is not None:
            return chosen
        counted = counted or chosen
    assert counted is not None
    return counted  # its costs, at least


def _fewer(wanted: Whole, rng: np.random.Generator, shrinks: bool) -> Iterator[Whole]:
    """The coordinates, then an eighth of them, and so on down to one."""
    yield wanted
    while shrinks and len(wanted) > 1:
        wanted = np.sort(rng.permutation(wanted)[: max(1, len(wanted) // 8)])
        yield wanted


def _seconds_each(method: Method, point: Point, rng: np.random.Generator) -> float:
    """What a coordinate costs, from a few: setting up and one gradient.

    What is done once for all coordinates is not counted: the first try pays it.
    """
    some = np.sort(rng.permutation(point.size)[:PROBE])
    _run(method.prepare(point, some[:1]))
    start = time.perf_counter()
    _run(method.prepare(point, some))
    return (time.perf_counter() - start) / len(some)


def _run(prepared: Prepared) -> Floats | None:
    return None if prepared.gradient is None else prepared.gradient()


def _row(method: Method, chosen: Chosen, whole: Point) -> Row:
    """Run it, and scale its costs up to all coordinates and samples."""
    point, known, coordinates, prepared, setup = chosen
    share = point.size / len(coordinates) if method.coordinatewise else 1.0
    times = share * whole.batch / point.batch
    accuracy, seconds, nbytes = None, None, prepared.nbytes
    if prepared.gradient is not None:
        found, seconds = _timed(prepared.gradient)
        accuracy = judge(prepared, point, known, found, coordinates)
        if nbytes is None:
            nbytes = _memory(method, point, coordinates, prepared.gradient, seconds)

    def scaled(figure: int | None, fixed: int, times: float) -> int | None:
        return None if figure is None else round(fixed + (figure - fixed) * times)

    grows = method.family == "symbolic" and method.coordinatewise
    evaluations = prepared.evaluations
    return Row(
        method.name,
        method.family,
        accuracy,
        None if seconds is None else seconds * times,
        setup + prepared.shared,
        round(evaluations * share) if method.family == "numeric" else evaluations,
        scaled(prepared.operations(), prepared.fixed_operations() or 0, times),
        scaled(prepared.nodes, prepared.fixed, times if grows else 1.0),
        nbytes,
        len(coordinates),
        point.batch,
        prepared.allowed is None and prepared.epsilon == EPSILON,
        times != 1.0,
        prepared.note,
    )


def judge(
    prepared: Prepared, point: Point, known: Truth, found: Floats, coordinates: Whole
) -> Accuracy:
    """Whether errors are within theory.

    Theory of an exact method: rounding alone, as stochastic arithmetic scatters it. A
    numeric method adds its own. A slope that is not a number agrees with nothing. The
    slope that is told of is the one nearest to what is allowed, or farthest beyond it.
    """
    norm = max(known.norm, float(np.finfo(float).tiny))
    unit = float(np.spacing(norm))
    judged = np.flatnonzero(np.isin(coordinates, known.known))
    if not len(judged):  # chance: none of them is among those whose truth is known
        raise UnavailableError("the truth is known at none of its coordinates")
    found, coordinates = found[judged], coordinates[judged]
    errors = known.errors(found, coordinates)
    sizes = np.where(np.isnan(errors), np.inf, np.abs(errors))
    exact = prepared.epsilon / EPSILON * (EXACT * unit + SCATTER * known.rounding)
    bounds = np.full(len(found), exact)
    if prepared.allowed is not None:
        bounds += prepared.allowed(found, sizes - exact, coordinates, known.noise)
    agrees = np.isfinite(found) & (sizes <= bounds)
    with np.errstate(all="ignore"):
        shares = sizes / bounds
    worst = int(np.argmax(np.where(np.isnan(shares), np.inf, shares)))
    return Accuracy(
        relative=float(np.sqrt(np.mean(sizes**2) * point.size)) / norm,
        ulp=float(sizes[worst]) / unit,
        worst=point.entry(int(coordinates[worst])),
        found=float(found[worst]),
        expected=float(found[worst] - errors[worst]),
        allowed=float(bounds[worst]) / unit,
        agrees=bool(agrees.all()),
        excused=int(np.isinf(bounds).sum()),
    )


def _timed(call: Callable[[], Floats]) -> tuple[Floats, float]:
    """What a call gives, and the median of some calls; of a long one, that one."""
    times: list[float] = []
    while len(times) < REPEATS and (not times or sum(times) < QUICK):
        start = time.perf_counter()
        found = call()
        times.append(time.perf_counter() - start)
    return found, float(np.median(times))


def _memory(
    method: Method,
    point: Point,
    coordinates: Whole,
    gradient: Callable[[], Floats],
    seconds: float,
) -> int | None:
    """The most that it holds at once; of a long one, on a few coordinates."""
    if seconds < 1:
        return _allocated(gradient)
    if not method.coordinatewise:
        return None
    few = method.prepare(point, coordinates[:PROBE]).gradient
    return None if few is None else _allocated(few)


def _allocated(call: Callable[[], object]) -> int:
    """The most that a call holds at once, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
