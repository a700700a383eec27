"""One emitted function's body: views, headed blocks, and runs as loops over layers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symbackprop.equations import Equation, System, reads, tensor_of
from symbackprop.formula import formula
from symbackprop.repeats import Run, repeats
from symbackprop.schedule import Item
from symbackprop.source.blocks import Block, Plan, group
from symbackprop.source.layout import Layout, Part, Place
from symbackprop.source.names import Names
from symbackprop.source.nests import Nests, indented


@dataclass(frozen=True)
class Stretch:
    """Blocks of a function that follow one another; in a run, its first repetition."""

    blocks: tuple[Block, ...]
    run: Run | None = None


def arrange(
    items: Sequence[Item], system: System, kinds: Mapping[str, str]
) -> list[Stretch]:
    """Find the runs of repeated equations, and group everything into blocks.

    `z1, a1, z2, a2, ..., z9, a9, L` =>
    `[z1, a1]`, the run of `[z2, a2]` up to `a9`, `[L]`
    """
    starts, place = set(), 0
    for block in group(items, system):
        starts.add(place)
        place += 1 if block.loop is not None else len(block.plans)
    found: list[Stretch] = []
    done = 0
    for run in repeats(items, system, starts, kinds):
        if run.start > done:
            found.append(Stretch(tuple(group(items[done : run.start], system))))
        found.append(Stretch(tuple(group(run.first, system)), run))
        done = run.start + run.length * run.count
    if done < len(items):
        found.append(Stretch(tuple(group(items[done:], system))))
    return found


def parts_of(stretches: Iterable[Stretch], nests: Nests) -> Iterator[Part]:
    """The products that do not lie in their tensor, with their slots."""
    for stretch in stretches:
        for block in stretch.blocks:
            for planned in block.plans:
                named = nests.part_names(planned)
                for slot, (_, name) in enumerate(named):
                    yield Part(name, planned.equation.tensor, slot)


@dataclass
class Writer:
    """Writes the bodies of functions.

    Attributes:
        system: what names mean.
        names: identifiers.
        nests: lowers blocks.
        layout: where tensors lie.
        numbers: each equation's number.
        kinds: the buffer that each tensor lies in.
        layer: the variable that counts the repetitions of a run.
        tables: offsets that are no arithmetic progression, by the table's name.
    """

    system: System
    names: Names
    nests: Nests
    layout: Layout
    numbers: Mapping[str, int]
    kinds: Mapping[str, str]
    layer: str
    tables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _bound: dict[str, str] = field(default_factory=dict)

    def body(self, stretches: Iterable[Stretch]) -> list[str]:
        """The lines of all blocks, each under its numbers and formulas."""
        self._bound = {}
        lines: list[str] = []
        for stretch in stretches:
            if stretch.run is None:
                for block in stretch.blocks:
                    lines += [*self._block(block, None), ""]
            else:
                lines += [*self._run(stretch, stretch.run), ""]
        return lines

    def _block(self, block: Block, run: Run | None) -> list[str]:
        self.nests.heading = lambda equations: self._heading(equations, run)
        shared = [line for p in block.plans for line in self._shared(p, run)]
        views = shared + self._views(self._tensors([block], apart=True), run)
        code = self.nests.block(block)
        heading = [] if block.loop is not None else self._heading(block.equations, run)
        return [*views, *code] if not heading else [*heading, *views, *code]

    def _run(self, stretch: Stretch, run: Run) -> list[str]:
        """A loop over the repetitions, in the names of the first one.

        Views that are the same in every repetition stand before the loop.
        """
        used = self._tensors(stretch.blocks)
        moving = {t for t in used if self._moves(t, run)}
        lines = self._views([t for t in used if t not in moving], None)
        for tensor in moving:
            self._bound.pop(tensor, None)
        body: list[str] = []
        for block in stretch.blocks:
            body += [*self._block(block, run), ""]
        for tensor in moving:
            self._bound.pop(tensor, None)
        head = f"for {self.layer} in range({run.count}):"
        return [*lines, head, *indented(body[:-1])]

    def _shared(self, planned: Plan, run: Run | None) -> list[str]:
        """Sums that are computed once; equal ones of many tensors are one loop.

        The squares of 40 weight matrices => a loop over their offsets.
        """
        if not planned.shared:
            return []
        equation = planned.equation
        terms = [replace(equation, terms=(term,)) for term in planned.shared]
        found = [] if run is not None else repeats(terms, self.system, (), self.kinds)
        starts = {inner.start: inner for inner in found}
        lines = [f"{self.nests.shared_name(equation.tensor)} = real(0.0)"]
        place = 0
        while place < len(terms):
            inner = starts.get(place)
            (term,) = terms[place].terms
            used = [tensor_of(read) for read in reads(term.body)]
            body = self.nests.shared_sum(equation.tensor, term)
            if inner is None or inner.length > 1:
                lines += [*self._views(used, run), *body]
                place += 1
                continue
            moving = [tensor for tensor in used if self._moves(tensor, inner)]
            lines += self._views([t for t in used if t not in moving], None)
            views = self._fresh_views(moving, inner)
            head = f"for {self.layer} in range({inner.count}):"
            lines += [head, *indented([*views, *body])]
            place += inner.count
        return lines

    def _fresh_views(self, moving: Sequence[str], run: Run) -> list[str]:
        """Views inside a loop, which stand no longer after it."""
        for tensor in moving:
            self._bound.pop(tensor, None)
        lines = self._views(moving, run)
        for tensor in moving:
            self._bound.pop(tensor, None)
        return lines

    # --- headings --------------------------------------------------------------------

    def _heading(self, equations: Sequence[Equation], run: Run | None) -> list[str]:
        lines: list[str] = []
        for equation in equations:
            text = formula(equation, self.system)
            number = f"({self.numbers[equation.tensor]})"
            if run is not None:
                number = self._numbers(equation.tensor, run)
                text += f", the same up to {run.renaming[-1][equation.tensor]}"
            lines += textwrap.wrap(
                f"{number}  {text}",
                width=86,
                initial_indent="# ",
                subsequent_indent="#     ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        return lines

    def _numbers(self, tensor: str, run: Run) -> str:
        """`(3) to (80), step 2`: the numbers of one equation in all repetitions."""
        numbers = [self.numbers[renamed[tensor]] for renamed in run.renaming]
        step = _step(numbers)
        if step is None:
            return ", ".join(f"({number})" for number in numbers)
        return f"({numbers[0]}) to ({numbers[-1]}), step {step}:"

    # --- views -----------------------------------------------------------------------

    def _tensors(self, blocks: Iterable[Block], apart: bool = False) -> list[str]:
        """Every tensor and part that some blocks touch, in the order of their need.

        `apart` leaves out what only shared sums touch.
        """
        found: dict[str, None] = {}
        for block in blocks:
            shared = {p.equation.tensor: p.shared for p in block.plans if apart}
            for equation in block.equations:
                left = shared.get(equation.tensor, ())
                terms = tuple(term for term in equation.terms if term not in left)
                for read in replace(equation, terms=terms).reads():
                    found[tensor_of(read)] = None
                found[equation.tensor] = None
            for planned in block.plans:
                for _, name in self.nests.part_names(planned):
                    found[name] = None
        return list(found)

    def _views(self, tensors: Iterable[str], run: Run | None) -> list[str]:
        """A line for each view that does not yet stand."""
        lines = []
        for tensor in tensors:
            place = self.layout.places[tensor]
            if place.buffer == "data":
                continue
            view = self._view(tensor, place, run)
            if self._bound.get(tensor) != view:
                self._bound[tensor] = view
                lines.append(f"{self.names.of[tensor]} = {view}")
        return lines

    def _view(self, tensor: str, place: Place, run: Run | None) -> str:
        start, stop = self._start(tensor, place, run, 0), ""
        stop = self._start(tensor, place, run, place.size)
        batched = place.buffer == "sample"
        buffer = place.buffer if place.buffer in ("theta", "gradient") else "workspace"
        if batched:
            fixed = f"{self.layout.fixed} + " if self.layout.fixed else ""
            batch = self.nests.batch
            start, stop = (
                f"{fixed}{f'({t})' if ' ' in t else t} * {batch}" for t in (start, stop)
            )
        text = f"{buffer}[{start}:{stop}]"
        sizes = [str(size) for size in place.shape]
        if batched:
            sizes.insert(0, self.nests.batch)
        return text if len(sizes) <= 1 else f"{text}.reshape({', '.join(sizes)})"

    def _start(self, tensor: str, place: Place, run: Run | None, more: int) -> str:
        """`2080 + 1056 * layer`, or a number from a table, or just a number."""
        offset = str(place.offset + more)
        if run is None or not self._moves(tensor, run):
            return offset
        offsets = self._offsets(tensor, run)
        step = _step(offsets)
        if step is not None:
            sign = "-" if step < 0 else "+"
            return f"{offset} {sign} {abs(step)} * {self.layer}"
        table = f"{self.names.of[tensor]}_offsets"
        if table not in self.tables:
            self.tables[table] = tuple(offsets)
            self.names.taken.add(table)
        return f"{table}[{self.layer}]" + (f" + {more}" if more else "")

    def _offsets(self, tensor: str, run: Run) -> list[int]:
        return [self.layout.places[r.get(tensor, tensor)].offset for r in run.renaming]

    def _moves(self, tensor: str, run: Run) -> bool:
        return len(set(self._offsets(tensor, run))) > 1


def _step(numbers: Sequence[int]) -> int | None:
    """The common difference of an arithmetic progression."""
    steps = {b - a for a, b in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else None
