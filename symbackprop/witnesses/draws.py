"""Random values for a system's tensors, and the system itself with small axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import prod

import numpy as np
from sympy import Expr, preorder_traversal

from symbackprop.equations import (
    System,
    Tensor,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import COMPLEX, Array
from symbackprop.witnesses.slopes import STEP

TRIES = 200
DOMAINS = ("normal", "positive", "unit", "simplex", "small", "mask")
UNBOUNDED = (0, 3)  # integers that no subscript limits


# Small axes


def shrink(system: System, *, small: int = 3, varied: int = 3) -> System:
    """The same system with axes of sizes about `small`, none above its own size.

    The sizes are `small - 1` and on, `varied` different ones.

    Axes that index one another, and spare letters of an axis, stay equal; axes that
    other subscripts reach stay long enough for them, and longer than they reach where
    they were. Conditions on indices, such as `t >= 5`, still hold somewhere and fail
    somewhere.
    """
    parent = {name: name for name in system.axes}

    def root(axis: str) -> str:
        while parent[axis] != axis:
            axis = parent[axis]
        return axis

    def rank(axis: str) -> int:
        return system.axes[axis].rank

    for twin in system.axes.values():
        if twin.of in parent:  # it runs as far as the axis that it stands for
            parent[root(twin.name)] = root(twin.of)
    uses = list(dict.fromkeys(_subscripts(system)))
    for subscript, axis, _, _ in uses:
        if is_index(subscript) and system.size(str(subscript)) == system.size(axis):
            first, second = sorted((root(str(subscript)), root(axis)), key=rank)
            parent[second] = first
    sizes: dict[str, int] = {}
    for count, name in enumerate(n for n in sorted(parent, key=rank) if root(n) == n):
        sizes[name] = min(small - 1 + count % varied, system.size(name))
    for name, needed in _conditions(system):
        size = max(sizes[root(name)], min(needed, system.size(name)))
        sizes[root(name)] = size

    def reach(subscript: Expr, size: Callable[[str], int]) -> int:
        """The greatest value of a subscript."""
        linear = _linear(subscript)
        if linear is None:
            return 0
        parts, high = linear
        for part, factor in parts:
            last = size(str(part)) - 1 if is_index(part) else 1
            high += max(factor * last, 0)
        return high

    def inside(subscript: Expr, axis: str) -> int:
        """How long an axis must be for each kind of read that leaves it to stay inside.

        `x[t - 4*k]` => `4*k + 2` for the last k; `x[2*p + u - 1]` => as far as it
        goes, less what it goes too far where it was.
        """
        parts, constant = _linear(subscript) or ([], 0)
        beside = [
            (p, f) for p, f in parts if not is_index(p) or root(str(p)) != root(axis)
        ]
        if len(beside) < len(parts):
            spans = [
                abs(f) * (sizes[root(str(p))] - 1 if is_index(p) else 1)
                for p, f in beside
            ]
            return sum(spans) + abs(constant) + 2
        over = max(reach(subscript, system.size) + 1 - system.size(axis), 0)
        far = reach(subscript, lambda a: sizes[root(a)]) + 1 - over
        return max(far, abs(constant) + 2)

    changed = True
    while changed:
        changed = False
        for subscript, axis, guarded, outside in uses:
            if guarded or (is_index(subscript) and root(str(subscript)) == root(axis)):
                continue
            high = reach(subscript, lambda a: sizes[root(a)])
            spare = reach(subscript, system.size) + 1 < system.size(axis)
            need = inside(subscript, axis) if outside else high + 1 + spare
            need = min(need, system.size(axis))
            if sizes[root(axis)] < need:
                sizes[root(axis)], changed = need, True
    axes = {n: replace(a, size=sizes[root(n)]) for n, a in system.axes.items()}
    return System(
        system.name,
        axes,
        system.tensors,
        system.equations,
        system.objective,
        system.constants,
    )


def _conditions(system: System) -> Iterator[tuple[str, int]]:
    """How long an axis must be for each comparison of indices to go either way.

    `t >= 5` => `("t", 7)`; `u <= t + 1` => `("t", 3), ("u", 3)`
    """
    for equation in system.equations:
        for term in equation.terms:
            for part in preorder_traversal(term.body):
                if part.func.__name__ not in ("less", "less_equal", "equal"):
                    continue
                linear = _linear(part.args[0] - part.args[1])
                if linear is None or not all(is_index(p) for p, _ in linear[0]):
                    continue
                for index, factor in linear[0]:
                    yield str(index), abs(linear[1]) // abs(factor) + 2


def _subscripts(system: System) -> Iterator[tuple[Expr, str, bool, bool]]:
    """Each subscript and the axis it runs on: (subscript, axis, guarded, zero outside).

    Left-hand sides, targets, guards and reads, in the order of the equations.
    """
    for equation in system.equations:
        own = system.tensors[equation.tensor].axes
        for index, axis in zip(equation.indices, own, strict=True):
            yield index, axis, False, False
        for term in equation.terms:
            guards = {(g.subscript, system.size(g.axis)) for g in term.guards}
            parts = [term.body, *(g.subscript for g in term.guards)]
            for guard in term.guards:
                yield guard.subscript, guard.axis, True, False
            for subscript, axis in zip(term.target or (), own, strict=False):
                yield subscript, axis, (subscript, system.size(axis)) in guards, False
                parts.append(subscript)
            for read in (r for part in parts for r in reads(part)):
                tensor = system.tensors[tensor_of(read)]
                for subscript, axis in zip(
                    subscripts_of(read), tensor.axes, strict=True
                ):
                    guarded = (subscript, system.size(axis)) in guards
                    yield subscript, axis, guarded, tensor.zero_outside


def _linear(subscript: Expr) -> tuple[list[tuple[Expr, int]], int] | None:
    """`2*token[t] + u - 1` => ([(token[t], 2), (u, 1)], -1)."""
    parts: list[tuple[Expr, int]] = []
    constant = 0
    for part, factor in subscript.as_coefficients_dict().items():
        if factor.q != 1:
            return None
        if part == 1:
            constant = int(factor)
        else:
            parts.append((part, int(factor)))
    return parts, constant


# Values


def given(system: System) -> tuple[Tensor, ...]:
    """The tensors that no equation of the system defines."""
    defined = {equation.tensor for equation in system.equations}
    return tuple(t for t in system.tensors.values() if t.name not in defined)


def integer_ranges(
    system: System, unbounded: tuple[int, int] = UNBOUNDED
) -> dict[str, tuple[int, int]]:
    """For each given integer tensor the values, both ends included, that fit its uses.

    Args:
        unbounded: the values where no use sets a limit.

    Raises:
        CheckError: no value fits all uses.
    """
    names = {t.name for t in given(system)}
    ranges: dict[str, tuple[int, int]] = {}
    for subscript, axis, guarded, outside in _subscripts(system):
        linear = _linear(subscript)
        if linear is None or guarded:
            continue
        parts, constant = linear
        moving = [(tensor_of(p), f) for p, f in parts if not is_index(p)]
        low = high = 0 if outside else constant
        for part, factor in parts:
            if is_index(part) and not outside:
                step = factor * (system.size(str(part)) - 1)
                low, high = low + min(step, 0), high + max(step, 0)
        for name, factor in moving:
            if name not in names:
                continue
            # factor * v must stay within room[0] .. room[1], shared with the others.
            room = (
                -(low // len(moving)),
                (system.size(axis) - 1 - high) // len(moving),
            )
            ends = room if factor > 0 else (-room[1], -room[0])
            least, most = -(-ends[0] // abs(factor)), ends[1] // abs(factor)
            old = ranges.get(name, (least, most))
            ranges[name] = (max(old[0], least), min(old[1], most))
    for tensor in given(system):
        if tensor.integer:
            ranges.setdefault(tensor.name, unbounded)
    for name, (least, most) in ranges.items():
        if least > most:
            raise CheckError(
                f"no value of `{name}` keeps every subscript that it stands in on its "
                "axis; check those subscripts, or lengthen the axes."
            )
    return ranges


def _shape(system: System, tensor: Tensor, batch: int) -> tuple[int, ...]:
    shape = system.shape(tensor.name)
    return (batch, *shape) if tensor.batched else shape


def draw(
    system: System, rng: np.random.Generator, batch: int, scale: float = 0.7
) -> dict[str, Array]:
    """Parameters and data at which the objective and its slopes are finite.

    The first try draws every tensor from a normal distribution; later ones draw each
    from a domain of its own, since `log(x)` asks for positive numbers, `log(1 - x)`
    for small ones, and `(1 - m) * 1e9` for a mask of zeros and ones. Parameters that
    are summed over get a standard deviation of at most 1 / sqrt(number of summands),
    so that depth neither explodes nor turns chaotic.

    Raises:
        CheckError: no such values were found.
    """
    ranges = integer_ranges(system)
    summed = _summands(system)
    for attempt in range(TRIES):
        values: dict[str, Array] = {}
        plain = 1.0 if attempt == 0 else rng.choice([0.0, 0.5, 0.8])
        for tensor in given(system):
            shape = _shape(system, tensor, batch)
            if tensor.name in ranges:
                low, high = ranges[tensor.name]
                values[tensor.name] = rng.integers(low, high + 1, shape)
                continue
            domain = "normal"
            if rng.random() >= plain:
                domain = str(rng.choice(DOMAINS))
            width = min(scale, 1 / np.sqrt(summed.get(tensor.name, 1)))
            values[tensor.name] = _numbers(domain, shape, width, rng)
        if _finite(system, values, rng):
            return values
    raise CheckError(
        f"the objective `{system.objective}` or its slope was not a finite number at "
        f"any of {TRIES} random choices of parameters and data. Check for a logarithm "
        "or root of negative numbers and for a division by zero, or rewrite the "
        "equation so that it has a value at ordinary arguments."
    )


def _summands(system: System) -> dict[str, int]:
    """How many entries of each parameter one sum runs over, at most."""
    found = {parameter.name: 1 for parameter in system.parameters}
    for equation in system.equations:
        for term in equation.terms:
            for read in reads(term.body):
                name = tensor_of(read)
                if name in found:
                    bound = read.free_symbols & set(term.bound)
                    count = prod(system.size(index) for index in bound)
                    found[name] = max(found[name], count)
    return found


def _numbers(
    domain: str, shape: tuple[int, ...], scale: float, rng: np.random.Generator
) -> Array:
    normal = np.asarray(scale * rng.normal(size=shape))
    if domain == "small":
        return np.asarray(normal / 100)
    if domain == "mask":
        return np.asarray(rng.random(shape) < 0.7, dtype=float)
    if domain == "positive":
        return np.asarray(np.abs(normal) + 0.1)
    if domain == "unit":
        return np.asarray(rng.uniform(0.05, 0.95, size=shape))
    if domain == "simplex":
        positive = np.exp(normal)
        if not shape:
            return np.asarray(positive / (1 + positive))
        return np.asarray(positive / positive.sum(axis=-1, keepdims=True))
    return normal


def _finite(
    system: System, values: Mapping[str, Array], rng: np.random.Generator
) -> bool:
    """Whether the objective and its slope along a random direction are finite."""
    moved = dict(values)
    for parameter in system.parameters:
        if parameter.name in moved:
            along = rng.normal(size=moved[parameter.name].shape)
            moved[parameter.name] = moved[parameter.name] + 1j * STEP * along
    found = evaluate(system, moved, COMPLEX)[system.objective]
    return bool(np.isfinite(found.real).all() and np.isfinite(found.imag / STEP).all())


def draw_exact(
    system: System, rng: np.random.Generator, batch: int
) -> dict[str, Array]:
    """Small random fractions, none of them 0, for every given tensor; integers stay."""
    ranges = integer_ranges(system)
    values: dict[str, Array] = {}
    for tensor in given(system):
        shape = _shape(system, tensor, batch)
        if tensor.name in ranges:
            low, high = ranges[tensor.name]
            values[tensor.name] = rng.integers(low, high + 1, shape)
            continue
        made = np.empty(shape, dtype=object)
        count = made.size
        tops = rng.integers(1, 10, count) * rng.choice([-1, 1], count)
        bottoms = rng.integers(1, 5, count)
        fractions = [
            Fraction(int(p), int(q)) for p, q in zip(tops, bottoms, strict=True)
        ]
        made.reshape(-1)[:] = fractions
        values[tensor.name] = made
    return values
