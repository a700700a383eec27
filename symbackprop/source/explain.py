"""The schedule of the emitted code, as a value that can be printed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from symbackprop.equations import Equation
from symbackprop.source.blocks import Block
from symbackprop.source.derived import Derived
from symbackprop.source.emit import Lowered, lower
from symbackprop.source.layout import Layout, Near
from symbackprop.source.products import CALL, Product, few
from symbackprop.source.sweeps import Stretch, Sweep


@dataclass(frozen=True)
class Multiplication:
    """A product of matrices and how it is computed.

    Attributes:
        tensor: what it is part of.
        sides: rows, columns and the length of the sums, as "batch x 10 x 32".
        count: multiplications, for each sample where the batch is a side.
        way: "loops", "BLAS", or "loops up to 25 samples, then BLAS".
    """

    tensor: str
    sides: str
    count: int
    way: str


@dataclass(frozen=True)
class Step:
    """One sweep.

    Attributes:
        numbers: of the equations that it computes.
        layers: how often it is repeated, with other tensors each time.
        products: what comes before its loops.
        loops: the loops around its blocks: over the batch, or over each block alone.
        variables: tensors that are not kept in memory.
        memory: where each tensor begins that it makes, and whose place it takes.
    """

    numbers: tuple[int, ...]
    layers: int
    products: tuple[Multiplication, ...]
    loops: str
    variables: tuple[str, ...]
    memory: Mapping[str, str]


@dataclass(frozen=True)
class Schedule:
    """How `forward` and `backward` are computed.

    Attributes:
        name: of the program.
        forward: the steps of `forward`.
        backward: the steps of `backward`.
        fixed: numbers of the workspace of `backward` for a batch of any length.
        per_sample: and for each sample.
        without_turns: what a sample would take if every tensor had its own place.
    """

    name: str
    forward: tuple[Step, ...]
    backward: tuple[Step, ...]
    fixed: int
    per_sample: int
    without_turns: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        """The schedule as lines for a person to read."""
        lines = [
            f"A product of fewer than some {CALL} multiplications is computed by loops,"
            " since a call of BLAS",
            "takes as long; others by BLAS, on views of the operands, without copies.",
        ]
        for name, steps in (("forward", self.forward), ("backward", self.backward)):
            lines += ["", f"{name} of {self.name}"]
            for step in steps:
                lines += [f"  {line}" for line in _described(step)]
        lines += [
            "",
            f"The workspace of `backward` takes {self.fixed} numbers, and "
            f"{self.per_sample} a sample",
            f"({self.without_turns} a sample if every tensor had its own place).",
        ]
        return "\n".join(lines)


def explain(derivation: Derived) -> Schedule:
    """Say which products, loops and places the emitted code consists of, and why.

    Args:
        derivation: forward and adjoint equations, scheduled.

    >>> import symbackprop as sb
    >>> line = sb.Program(equations="L = (sum(w[i]*x[i], i) - y)**2", axes={"i": 3},
    ...                   parameters={"w": "i"}, data={"x": "i", "y": ""},
    ...                   batched=("x", "y"), objective="L")
    >>> explain(sb.derive(line)).backward[0].products[0].way
    'loops up to 32 samples, then BLAS'
    """
    lowered = lower(derivation)
    plain = lower(derivation, keep=True)
    return Schedule(
        derivation.system.name,
        tuple(
            _steps(
                lowered, lowered.forward, lowered.kept, lowered.near_forward, derivation
            )
        ),
        tuple(
            _steps(
                lowered,
                lowered.backward,
                lowered.turned,
                lowered.near_backward,
                derivation,
            )
        ),
        lowered.turned.fixed,
        lowered.turned.per_sample,
        plain.turned.per_sample,
    )


def _steps(
    lowered: Lowered,
    stretches: tuple[Stretch, ...],
    layout: Layout,
    held: Near,
    derivation: Derived,
) -> Iterator[Step]:
    taken: dict[tuple[str, int], str] = {}
    for stretch in stretches:
        for sweep in stretch.sweeps:
            equations = [e for block in sweep.blocks for e in block.equations]
            origins = [lowered.origins.get(e.tensor, e.tensor) for e in equations]
            memory = {}
            for equation in equations:
                name = equation.tensor
                if name in held.variables:
                    continue
                place = layout.places[name]
                if place.buffer in ("fixed", "sample"):
                    key = (place.buffer, place.offset)
                    before = taken.get(key)
                    row = " (one row)" if name in held.rows else ""
                    where = f"{place.offset}{row}"
                    where += f" after {before}" if before else ""
                    memory[name] = where
                    taken[key] = name
            yield Step(
                tuple(dict.fromkeys(derivation.number(o) for o in origins)),
                1 if stretch.run is None else stretch.run.count,
                tuple(
                    _multiplication(product, planned.equation, lowered)
                    for block in sweep.blocks
                    for planned in block.plans
                    for product in planned.products
                ),
                _loops(sweep),
                tuple(e.tensor for e in equations if e.tensor in held.variables),
                memory,
            )


def _multiplication(
    product: Product, equation: Equation, lowered: Lowered
) -> Multiplication:
    system = lowered.nests.loops.system
    most = few(product, equation, system)
    way = "BLAS"
    if most:
        way = "loops"
        if product.runs_over_batch:
            way += f" up to {most} sample{'s' if most > 1 else ''}, then BLAS"
    letters = (*equation.indices, *product.term.bound)
    inner = product.left.columns
    sides = [_side(s) for s in (product.out.rows, product.out.columns, inner)]
    return Multiplication(
        equation.tensor,
        " x ".join(side for side in sides if side),
        math.prod(system.size(letter) for letter in letters),
        way,
    )


def _side(size: int | None) -> str:
    if size is None:
        return ""
    if size >= 0:
        return str(size)
    return "batch" if size == -1 else f"{-size}*batch"


def _loops(sweep: Sweep) -> str:
    if not any(_passes(block) for block in sweep.blocks):
        return ""
    if sweep.blocks[0].flat:
        return "one loop over all samples and elements"
    if not sweep.sampled:
        return "loops over its indices"
    count = sum(_passes(block) for block in sweep.blocks)
    return f"one loop over the batch around {count} nest{'s' if count > 1 else ''}"


def _passes(block: Block) -> bool:
    return block.loop is not None or any(
        planned.passes or planned.sums_only for planned in block.plans
    )


def _described(step: Step) -> Iterator[str]:
    numbers = " ".join(f"({number})" for number in step.numbers)
    times = f", {step.layers} layers alike" if step.layers > 1 else ""
    yield f"{numbers}{times}"
    for product in step.products:
        yield (
            f"    {product.tensor}: {product.sides} = {product.count} multiplications"
            f"{' a sample' if 'batch' in product.sides else ''}: {product.way}"
        )
    if step.loops:
        yield f"    {step.loops}"
    if step.variables:
        yield f"    in variables: {', '.join(step.variables)}"
    if step.memory:
        places = ", ".join(f"{name} at {where}" for name, where in step.memory.items())
        yield f"    in the workspace: {places}"
