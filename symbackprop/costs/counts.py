"""What a derivation costs: operations and numbers stored, forward and backward.

Source: Griewank and Walther, Evaluating Derivatives, chapter 4 (the cost of a gradient
is a small multiple of the cost of the function).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from symbackprop.costs.hoisting import Written, written
from symbackprop.costs.tallies import Cost, cost
from symbackprop.equations import Name, defined_by
from symbackprop.errors import CheckError
from symbackprop.formula import formula
from symbackprop.proof import Derivation
from symbackprop.schedule import Item, Loop
from symbackprop.witnesses.counting import count
from symbackprop.witnesses.draws import draw, shrink

BATCHES = (1, 3)  # lengths at which the counts are checked


@dataclass(frozen=True)
class Costs:
    """What a derivation's equations take for one sample, or for a batch.

    Attributes:
        each: the cost of each equation, by its tensor's name.
        stored: the numbers that each equation leaves, likewise.
        forward: all forward equations together.
        backward: all adjoint equations together.
        parameters: how many there are.
        workspace: numbers stored for one sample: values and error terms, without the
            parameters and their slopes.
    """

    each: Mapping[str, Cost]
    stored: Mapping[str, int]
    forward: Cost
    backward: Cost
    parameters: int
    workspace: int

    @property
    def ratio(self) -> float:
        """Backward operations for each forward one."""
        return self.backward.total / max(self.forward.total, 1)


def costs(derivation: Derivation, batch: int = 1) -> Costs:
    """Count the operations of every equation, and check the counts on small axes.

    Args:
        derivation: its equations.
        batch: the samples for which operations are counted; numbers stored are those
            of one.

    Raises:
        CheckError: a count that the counting numbers refute.
    """
    hold(derivation)
    system = derivation.system
    each = _each(derivation, written(system), batch)
    stored = {name: prod(system.shape(name)) for name in each}
    slopes = set(derivation.slopes.values())
    return Costs(
        each,
        stored,
        sum((each[e.tensor] for e in derivation.forward), Cost()),
        sum((each[e.tensor] for e in derivation.adjoint), Cost()),
        sum(prod(system.shape(p.name)) for p in system.parameters),
        sum(size for name, size in stored.items() if name not in slopes),
    )


def _each(derivation: Derivation, system: Written, batch: int) -> dict[str, Cost]:
    """The cost of each equation of a derivation, in a system of its written parts."""
    steps = steps_of((*derivation.forward_items, *derivation.adjoint_items))
    found = {e.tensor: Cost() for e in (*derivation.forward, *derivation.adjoint)}
    for equation in system.system.equations:
        origin = system.origin.get(equation.tensor, equation.tensor)
        along = tuple(i for i in steps.get(origin, ()) if i in equation.indices)
        found[origin] += cost(equation, system.system, along, batch)
    return found


def steps_of(items: Iterable[Item]) -> dict[str, tuple[Name, ...]]:
    """For each equation in a recurrence, the indices along which it steps."""
    found: dict[str, tuple[Name, ...]] = {}
    for item in items:
        if isinstance(item, Loop):
            for tensor, index in item.steps.items():
                found[tensor] = (index, *found.get(tensor, ()))
            for tensor, inner in steps_of(item.items).items():
                found[tensor] = (*found[tensor], *inner)
    return found


# --- the judge -----------------------------------------------------------------------


def hold(derivation: Derivation) -> None:
    """Hold the counts against numbers that count, on small axes and two batches.

    Raises:
        CheckError: it names the equation, what was counted and what was expected.
    """
    parts = written(derivation.system)
    small = replace(parts, system=shrink(parts.system))
    rng = np.random.default_rng(20220801)
    for batch in BATCHES if small.system.batched else BATCHES[:1]:
        counted = count(small.system, draw(small.system, rng, batch), batch)
        met: dict[str, Counter[str]] = {}
        for name, tally in counted.items():
            met.setdefault(small.origin.get(name, name), Counter()).update(tally)
        for name, ours in _each(derivation, small, batch).items():
            theirs = Cost(**met[name])
            if ours != theirs:
                equation = defined_by(derivation.system)[name]
                raise CheckError(
                    f"{derivation.name}, equation ({derivation.number(name)}): "
                    f"{formula(equation, derivation.system)} was said to take {ours}, "
                    f"and takes {theirs} on small axes and {batch} samples. Please "
                    "report this program."
                )
