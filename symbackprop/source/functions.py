"""One emitted function's body: views, headed blocks, and runs as loops over layers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symbackprop.equations import Equation, System, reads, tensor_of
from symbackprop.formula import formula
from symbackprop.repeats import Run, repeats
from symbackprop.source.blocks import Block, Plan
from symbackprop.source.layout import Layout, Place
from symbackprop.source.loops import indented
from symbackprop.source.nests import Nests
from symbackprop.source.sweeps import Stretch, Sweep


@dataclass
class Writer:
    """Writes the bodies of functions.

    Attributes:
        system: what names mean.
        nests: lowers blocks.
        layout: where tensors lie in the function that is written; at first the one
            that says how long the workspace's first part is in every function.
        numbers: each equation's number.
        declared: each tensor's equation as it was derived, for the headings.
        origins: the tensor of whose equation another tensor's is a part.
        kinds: the buffer that each tensor lies in.
        tables: names of the tables of offsets that are no arithmetic progression.
    """

    system: System
    nests: Nests
    layout: Layout
    numbers: Mapping[str, int]
    declared: Mapping[str, Equation]
    origins: Mapping[str, str]
    kinds: Mapping[str, str]
    tables: dict[tuple[int, ...], str] = field(default_factory=dict)
    _bound: dict[str, str] = field(default_factory=dict)
    _headed: set[str] = field(default_factory=set)
    _last: set[str] = field(default_factory=set)  # what the last heading is about

    def __post_init__(self) -> None:
        self.names = self.nests.loops.printer.names
        self.layer = self.names.internal("layer")
        self.fixed = self.layout.fixed

    def body(self, stretches: Iterable[Stretch]) -> list[str]:
        """The lines of all sweeps, each block under its numbers and formulas.

        What has no heading belongs to the last one, and follows it at once.
        """
        self._bound, self._headed, self._last = {}, set(), set()
        lines: list[str] = []
        for stretch in stretches:
            if stretch.run is None:
                lines = self._apart(lines, self._sweeps(stretch.sweeps, None))
            else:
                lines = [*lines, "", *self._run(stretch, stretch.run)]
        return [*lines[1:], ""] if lines and not lines[0] else [*lines, ""]

    def _sweeps(self, sweeps: Iterable[Sweep], run: Run | None) -> list[str]:
        lines: list[str] = []
        for sweep in sweeps:
            lines = self._apart(lines, self._sweep(sweep, run))
        return lines

    def _apart(self, lines: list[str], more: list[str]) -> list[str]:
        headed = any(line.lstrip().startswith("#") for line in more[:1])
        return [*lines, *([""] if lines and headed else []), *more]

    def _sweep(self, sweep: Sweep, run: Run | None) -> list[str]:
        """The first block's heading, views, products, then the loop over the batch."""
        self.nests.heading = lambda equations: self._heading(equations, run)
        first, *others = sweep.blocks
        lines = self._head(first, run)
        for block in sweep.blocks:
            lines += [line for p in block.plans for line in self._shared(p, run)]
        if first.flat:
            lines += self._flat_views(first.plans[0].equation, run)
            return [*lines, *self.nests.block(first)]
        lines += self._views(self._tensors(sweep.blocks, apart=True), run)
        if not sweep.sampled:
            return [*lines, *self.nests.block(first)]
        body = self.nests.inside(first)
        for block in sweep.blocks:
            lines += self.nests.before(block)
        for block in others:
            inner = [*self._head(block, run), *self.nests.inside(block)]
            body = self._apart(body, inner) if block.loop is None else [*body, *inner]
        return [*lines, *self.nests.loops.over_batch(body)] if body else lines

    def _head(self, block: Block, run: Run | None) -> list[str]:
        """A block's heading; the equations of a recurrence have their own, inside."""
        return [] if block.loop is not None else self._heading(block.equations, run)

    def _run(self, stretch: Stretch, run: Run) -> list[str]:
        """A loop over the repetitions, in the names of the first one.

        Views that are the same in every repetition stand before the loop.
        """
        blocks = [b for sweep in stretch.sweeps for b in sweep.blocks]
        used = self._tensors([b for b in blocks if not b.flat])
        moving = {t for t in used if self._moves(t, run)}
        lines = self._views([t for t in used if t not in moving], None)
        for tensor in moving:
            self._bound.pop(tensor, None)
        body = self._sweeps(stretch.sweeps, run)
        for tensor in [t for t in self._bound if self._moves(t, run)]:
            del self._bound[tensor]  # also what flat loops alone have seen
        head = f"for {self.layer} in range({run.count}):"
        return [*lines, head, *indented(body)]

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
        """Numbers and formulas; `# more of (3)` where other code has come between."""
        owners = [self.origins.get(e.tensor, e.tensor) for e in equations]
        again = dict.fromkeys(owner for owner in owners if owner in self._headed)
        fresh = dict.fromkeys(owner for owner in owners if owner not in self._headed)
        lines: list[str] = []
        if again and (fresh or not self._last.issuperset(again)):
            numbers = (self._numbers(tensor, run) for tensor in again)
            lines += _comment(f"more of {', '.join(numbers)}")
        for tensor in fresh:
            text = formula(self.declared[tensor], self.system)
            number = self._numbers(tensor, run)
            if run is not None:
                number += ":" if " step " in number else ""
                text += f", the same up to {run.renaming[-1][tensor]}"
            lines += _comment(f"{number}  {text}")
        if lines:
            self._last = {*again, *fresh}
        self._headed |= fresh.keys()
        return lines

    def _numbers(self, tensor: str, run: Run | None) -> str:
        """`(3) to (80), step 2`: the numbers of one equation in all repetitions."""
        if run is None:
            return f"({self.numbers[tensor]})"
        numbers = [self.numbers[renamed[tensor]] for renamed in run.renaming]
        step = _step(numbers)
        if step is None:
            return ", ".join(f"({number})" for number in numbers)
        return f"({numbers[0]}) to ({numbers[-1]}), step {step}"

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
                for _, name in self.nests.contractions.part_names(planned):
                    found[name] = None
        return list(found)

    def _views(self, tensors: Iterable[str], run: Run | None) -> list[str]:
        """A line for each view that does not yet stand."""
        lines = []
        for tensor in tensors:
            if tensor in self.nests.loops.printer.near.variables:
                continue
            place = self.layout.places[tensor]
            if place.buffer == "data":
                continue
            view = self._view(tensor, place, run)
            if self._bound.get(tensor) != view:
                self._bound[tensor] = view
                lines.append(f"{self.names.of[tensor]} = {view}")
        return lines

    def _flat_views(self, equation: Equation, run: Run | None) -> list[str]:
        """`z_flat = view(workspace, 64 * batch, (10 * batch,))` for a flat loop."""
        lines = []
        for tensor, name in self.nests.flat_names(equation).items():
            place = self.layout.places[tensor]
            if place.buffer == "data":
                if name != self.names.of[tensor]:
                    shape = f"({place.size} * {self.nests.loops.batch},)"
                    lines.append(
                        f"{name} = {self.nests.loops.view}"
                        f"({self.names.of[tensor]}, 0, {shape})"
                    )
            elif name == self.names.of[tensor]:
                lines += self._views([tensor], run)
            else:
                lines.append(f"{name} = {self._view(tensor, place, run, flat=True)}")
        return lines

    def _view(
        self, tensor: str, place: Place, run: Run | None, flat: bool = False
    ) -> str:
        """`view(workspace, 64 * batch, (batch, 10))`."""
        start = self._start(tensor, place, run)
        batched = place.buffer == "sample"
        buffer = place.buffer if place.buffer in ("theta", "gradient") else "workspace"
        sizes = [str(size) for size in place.shape or (() if batched else (1,))]
        if batched:
            batch = self.nests.loops.batch
            fixed = f"{self.fixed} + " if self.fixed else ""
            start = f"({start})" if " " in start else start
            start = f"{fixed}{start} * {batch}" if start != "0" else str(self.fixed)
            sizes = [f"{place.size} * {batch}"] if flat else [batch, *sizes]
        shape = ", ".join(sizes) + ("," if len(sizes) == 1 else "")
        return f"{self.nests.loops.view}({buffer}, {start}, ({shape}))"

    def _start(self, tensor: str, place: Place, run: Run | None) -> str:
        """`2080 + 1056 * layer`, or a number from a table, or just a number."""
        offset = str(place.offset)
        if run is None or not self._moves(tensor, run):
            return offset
        offsets = tuple(self._offsets(tensor, run))
        step = _step(offsets)
        if step is not None:
            sign = "-" if step < 0 else "+"
            return f"{offset} {sign} {abs(step)} * {self.layer}"
        if offsets not in self.tables:
            self.tables[offsets] = self.names.internal(f"{tensor}_offsets")
        return f"{self.tables[offsets]}[{self.layer}]"

    def _offsets(self, tensor: str, run: Run) -> list[int]:
        return [self.layout.places[r.get(tensor, tensor)].offset for r in run.renaming]

    def _moves(self, tensor: str, run: Run) -> bool:
        if tensor in self.nests.loops.printer.near.variables:
            return False
        return len(set(self._offsets(tensor, run))) > 1


def _step(numbers: Sequence[int]) -> int | None:
    """The common difference of an arithmetic progression."""
    steps = {b - a for a, b in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else None


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=86,
        initial_indent="# ",
        subsequent_indent="#     ",
        break_long_words=False,
        break_on_hyphens=False,
    )
