"""What a function keeps in memory, for how long, and where it lies.

A number that only the loops that make it read stays in a variable. Anything else lies
in the workspace from the sweep that makes it to the last one that reads it; then its
place is free for others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.equations import System, subscripts_of, tensor_of
from symbackprop.source.layout import Buffer, Layout, Near, Place, region_of
from symbackprop.source.nests import Nests
from symbackprop.source.sweeps import Stretch, Sweep


@dataclass(frozen=True)
class Visit:
    """One sweep in one repetition of its run, under the names of that repetition."""

    sweep: Sweep
    renaming: Mapping[str, str]

    def named(self, tensor: str) -> str:
        return self.renaming.get(tensor, tensor)


@dataclass
class Life:
    """Tensors that follow one another in one place, from one visit to another."""

    names: list[str]
    region: Buffer
    shape: tuple[int, ...]
    first: int
    last: int


def visits(stretches: Iterable[Stretch]) -> list[Visit]:
    """All sweeps in the order in which they are computed."""
    return [
        Visit(sweep, renaming)
        for stretch in stretches
        for renaming in stretch.renaming
        for sweep in stretch.sweeps
    ]


def near(stretches: Sequence[Stretch], inputs: Collection[str], system: System) -> Near:
    """Find them; in a run, the first repetition's names stand for all."""
    order = visits(stretches)
    readers: dict[str, set[tuple[int, int]]] = {}
    for number, visit in enumerate(order):
        for place, block in enumerate(visit.sweep.blocks):
            for name in block.needs:
                readers.setdefault(visit.named(name), set()).add((number, place))
    single: dict[str, bool] = {}
    row: dict[str, bool] = {}
    for number, visit in enumerate(order):
        for place, block in enumerate(visit.sweep.blocks):
            visited = {planned.equation.tensor: planned for planned in block.plans}
            for equation in block.equations:
                name, planned = equation.tensor, visited.get(equation.tensor)
                found = readers.get(visit.named(name), set())
                batched = system.tensors[name].batched
                inner = visit.named(name) not in (*inputs, system.objective)
                inner &= planned is None or not (planned.products or planned.summed)
                sampled = visit.sweep.sampled and batched
                in_sweep = all(there == number for there, _ in found)
                in_nest = found <= {(number, place)}
                once = planned is not None
                once &= planned is None or not (planned.scattered or planned.outer)
                once &= in_nest or (sampled and in_sweep and not equation.indices)
                once &= batched or not visit.sweep.sampled
                single[name] = single.get(name, True) and inner and once
                row[name] = row.get(name, True) and inner and sampled and in_sweep
    variables = frozenset(name for name, holds in single.items() if holds)
    rows = frozenset(name for name, holds in row.items() if holds)
    return Near(variables, rows - variables)


def lay_out(
    stretches: Sequence[Stretch],
    inputs: Mapping[str, Place],
    nests: Nests,
    *,
    keep: bool,
) -> Layout:
    """Where the tensors of a function lie.

    Args:
        stretches: the function.
        inputs: places outside the workspace.
        nests: what needs no memory, and the names of the parts of products.
        keep: whether every tensor stays to the end.
    """
    places = dict(inputs)
    tops: dict[Buffer, int] = {"fixed": 0, "sample": 0}
    standing: list[tuple[int, Place]] = []  # until which visit a place is taken
    for life in _lives(visits(stretches), inputs, nests, keep):
        standing = [(last, place) for last, place in standing if last >= life.first]
        place = Place(life.region, 0, life.shape)
        taken = sorted(
            (p.offset, p.offset + p.size)
            for _, p in standing
            if p.buffer == life.region
        )
        for begin, end in taken:
            if place.offset + place.size <= begin:
                break
            place = Place(life.region, max(place.offset, end), life.shape)
        standing.append((life.last, place))
        tops[life.region] = max(tops[life.region], place.offset + place.size)
        places |= dict.fromkeys(life.names, place)
    theta = sum(p.size for p in inputs.values() if p.buffer == "theta")
    return Layout(places, theta, tops["fixed"], tops["sample"])


def _lives(
    order: Sequence[Visit], inputs: Collection[str], nests: Nests, keep: bool
) -> list[Life]:
    """The lives of all that is in the workspace, in the order of their beginning."""
    system = nests.loops.system
    lives: dict[str, Life] = {}
    for number, visit in enumerate(order):
        for block in visit.sweep.blocks:
            for name in block.needs:
                if visit.named(name) in lives:
                    life = lives[visit.named(name)]
                    life.last = max(life.last, number)
            for equation in block.equations:
                made = [visit.named(equation.tensor)]
                if equation.tensor in nests.loops.printer.near.variables:
                    made = []
                made += [
                    name
                    for planned in block.plans
                    if planned.equation is equation
                    for _, name in nests.contractions.part_names(planned)
                ]
                region = region_of(equation.tensor, system)
                if equation.tensor in nests.loops.printer.near.rows:
                    region = "fixed"
                shape = system.shape(equation.tensor)
                for name in made:
                    if name in lives:
                        lives[name].last = max(lives[name].last, number)
                    elif name not in inputs:
                        end = len(order) if keep else number
                        lives[name] = Life([name], region, shape, number, end)
    if system.objective in lives:
        lives[system.objective].last = len(order)
    for number, visit in enumerate(order):
        for old, new in _heirs(visit.sweep):
            before = lives.get(visit.named(old))
            after = lives.get(visit.named(new))
            if before is None or after is None or before is after:
                continue
            same = (before.region, before.shape) == (after.region, after.shape)
            begins = after.names[0] == visit.named(new) and after.first == number
            # What is the same for all samples must not be lost at the first of them.
            same &= (
                before.region == "sample"
                or not visit.sweep.sampled
                or (before.first == number)
            )
            if same and begins and before.last == number:
                before.names += after.names
                before.last = after.last
                lives |= dict.fromkeys(after.names, before)
    unique = {id(life): life for life in lives.values()}
    return sorted(unique.values(), key=lambda life: life.first)


def _heirs(sweep: Sweep) -> Iterator[tuple[str, str]]:
    """Pairs (read, made) of one nest, where an element may replace the one it reads.

    `a[n, i] = tanh(z[n, i])`, and nothing else of the sweep reads z after that.
    """
    count: dict[str, int] = {}
    for block in sweep.blocks:
        for equation in block.equations:
            for read in equation.reads():
                count[tensor_of(read)] = count.get(tensor_of(read), 0) + 1
    for block in sweep.blocks:
        seen: dict[str, int] = {}
        for planned in block.plans:
            equation = planned.equation
            for read in equation.reads():
                if subscripts_of(read) == equation.indices:
                    seen[tensor_of(read)] = seen.get(tensor_of(read), 0) + 1
            if planned.products or planned.summed or planned.outer or planned.scattered:
                continue
            for name in dict.fromkeys(tensor_of(read) for read in equation.reads()):
                if seen.get(name) == count[name]:
                    yield name, equation.tensor
