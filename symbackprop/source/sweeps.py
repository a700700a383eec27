"""Sweeps: blocks that one loop over the batch computes together, sample by sample.

What belongs to a sample depends on no other sample. So blocks that follow one another
share a loop over the batch, in which a sample's numbers stay in registers and cache;
a product of matrices over the whole batch comes before such a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.equations import System, reads, subscripts_of, tensor_of
from symbackprop.repeats import Run, repeats
from symbackprop.schedule import Item, Loop
from symbackprop.source.blocks import (
    Block,
    along_rows,
    group,
    is_scattered,
    space,
)

# Longer sweeps are cut, so that no loop's body grows without bound.
LONGEST = 16


@dataclass(frozen=True)
class Sweep:
    """Blocks in their order; `sampled` where one loop over the batch runs around them.

    The products of the first block, and what the sums over the batch start from, come
    before that loop; no other block of it has products.
    """

    blocks: tuple[Block, ...]
    sampled: bool


@dataclass(frozen=True)
class Stretch:
    """Sweeps of a function that follow one another; in a run, its first repetition."""

    sweeps: tuple[Sweep, ...]
    run: Run | None = None

    @property
    def renaming(self) -> tuple[Mapping[str, str], ...]:
        """What the tensors are called in each repetition."""
        return ({},) if self.run is None else self.run.renaming


def arrange(
    items: Sequence[Item],
    system: System,
    kinds: Mapping[str, str],
    *,
    plain: bool = False,
    flat: frozenset[str] = frozenset(),
    origins: Mapping[str, str] | None = None,
) -> list[Stretch]:
    """Find the runs of repeated equations, and group everything into sweeps.

    `z1, a1, z2, a2, ..., z9, a9, L` =>
    `[z1, a1]`, the run of `[z2, a2]` up to `a9`, `[L]`

    Args:
        items: equations and loops in their order.
        system: what their names mean.
        kinds: the buffer that each tensor lies in.
        plain: whether each block has a loop of its own, and no product is one of BLAS.
        flat: tensors whose loop over batch and elements is one.
        origins: the tensor of whose equation another tensor's is a part.
    """

    def sweeps(part: Sequence[Item]) -> tuple[Sweep, ...]:
        blocks = group(part, system, matrices=not plain, flat=flat)
        if plain:
            return tuple(Sweep((block,), False) for block in blocks)
        return tuple(join(blocks, system))

    starts, place = set(), 0
    for block in group(items, system, flat=flat):
        starts.add(place)
        place += 1 if block.loop is not None else len(block.plans)
    found: list[Stretch] = []
    done = 0
    for run in _runs(items, system, kinds, starts, origins or {}):
        if run.start > done:
            found.append(Stretch(sweeps(items[done : run.start])))
        found.append(Stretch(sweeps(run.first), run))
        done = run.start + run.length * run.count
    if done < len(items):
        found.append(Stretch(sweeps(items[done:])))
    return found


def _runs(
    items: Sequence[Item],
    system: System,
    kinds: Mapping[str, str],
    starts: set[int],
    origins: Mapping[str, str],
) -> list[Run]:
    """The runs whose repetitions hold equations with all their parts.

    They begin at `starts` if they can.
    """
    owners = [
        None if isinstance(item, Loop) else origins.get(item.tensor, item.tensor)
        for item in items
    ]
    apart = {0, len(items)}
    apart |= {n for n in range(1, len(items)) if owners[n - 1] != owners[n]}
    apart |= {n for n, owner in enumerate(owners) if owner is None}

    def is_whole(run: Run) -> bool:
        places = range(run.start, run.start + len(run.items) + 1, run.length)
        return apart.issuperset(places)

    found = repeats(items, system, starts & apart, kinds)
    if not all(map(is_whole, found)):
        found = repeats(items, system, apart, kinds)
    return [run for run in found if is_whole(run)]


def join(blocks: Iterable[Block], system: System) -> list[Sweep]:
    """Blocks in as few sweeps as their reads allow.

    A sum over the batch goes back to the sweep that makes its last operand, and there
    into the loops that do: `delta[n, i] = ...; db[i] += delta[n, i]`.
    """
    found: list[Sweep] = []
    made: dict[str, int] = {}
    for block in blocks:
        latest = max((made[name] for name in block.needs if name in made), default=-1)
        place = len(found) if not _sampled(block, system) else len(found) - 1
        if block.sums_only:
            place = latest
        if 0 <= place < len(found) and _fits(block, found[place], system):
            found[place] = _with(found[place], block, system)
        else:
            place = len(found)
            found.append(Sweep((block,), _sampled(block, system)))
        made |= dict.fromkeys((e.tensor for e in block.equations), place)
    return found


def _sampled(block: Block, system: System) -> bool:
    """Whether a block is computed sample by sample."""
    if block.flat:
        return False
    batched = all(system.tensors[e.tensor].batched for e in block.equations)
    return batched or block.sums_only


def _fits(block: Block, sweep: Sweep, system: System) -> bool:
    """Whether a block can be computed in a sweep's loop, as far as its reads go."""
    if not sweep.sampled or len(sweep.blocks) >= LONGEST:
        return False
    if any(planned.products for planned in block.plans):
        return False
    made = {e.tensor for b in sweep.blocks for e in b.equations}
    return all(system.tensors[name].batched for name in made & block.needs)


def _with(sweep: Sweep, block: Block, system: System) -> Sweep:
    """The sweep and a block more, inside an earlier block's loops where it can be."""
    blocks = list(sweep.blocks)
    if block.sums_only:
        for number, earlier in enumerate(blocks):
            if _sums_along(block, earlier, blocks[number + 1 :], system):
                blocks[number] = replace(earlier, plans=earlier.plans + block.plans)
                return replace(sweep, blocks=tuple(blocks))
    return replace(sweep, blocks=(*blocks, block))


def _sums_along(
    summing: Block, block: Block, later: Sequence[Block], system: System
) -> bool:
    """Whether a sum over the batch can be taken in the loops of a block.

    They must run over the sum's own indices, and what the sum reads of the block at
    those; nothing that it reads may be made later in the sweep.
    """
    (planned,) = summing.plans
    equation = planned.equation
    if not block.plans or block.flat or any(p.scattered for p in block.plans):
        return False
    for term in planned.summed:
        if is_scattered(term, equation) or along_rows(term, equation, system):
            return False
    first = block.plans[0].equation
    if space(first, system)[1] != space(equation, system)[1]:
        return False
    if any(e.tensor in summing.needs for b in later for e in b.equations):
        return False
    made = {p.equation.tensor for p in block.plans}
    inside = [r for t in planned.summed for r in reads(t.body) if tensor_of(r) in made]
    return bool(inside) and all(subscripts_of(r) == equation.indices for r in inside)
