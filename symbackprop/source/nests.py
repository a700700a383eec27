"""Blocks as loops: lines of Python for every block, without views or headings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

from symbackprop.equations import Equation, Name, Term, tensor_of
from symbackprop.schedule import Item, Loop, flatten
from symbackprop.source.blocks import Block, Plan, along_rows, is_scattered, plan
from symbackprop.source.contractions import Contractions
from symbackprop.source.expressions import PRODUCT, SUM, enclosed, leaves
from symbackprop.source.loops import Letters, Loops, indented
from symbackprop.source.products import Product

Steps = tuple[tuple[Loop, str], ...]
Heading = Callable[[Sequence[Equation]], list[str]]


@dataclass
class Nests:
    """Lowers blocks to lines.

    Attributes:
        loops: writes loops.
        contractions: writes products of matrices.
        heading: the comment above the code of some equations.
        sums: the name of each tensor's shared sums, see `shared_name`.
        flats: the name of each tensor's view in flat loops.
    """

    loops: Loops
    contractions: Contractions
    heading: Heading = field(default=lambda equations: [])
    sums: dict[str, str] = field(default_factory=dict)
    flats: dict[str, str] = field(default_factory=dict)
    best: str = ""
    place: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        internal = self.loops.printer.names.internal
        self.best, self.place = internal("best"), internal("place")
        self.value = internal("value")

    # --- blocks ----------------------------------------------------------------------

    def block(self, block: Block) -> list[str]:
        """A block by itself, with its own loop over the batch."""
        if block.loop is not None:
            return self._recurrence(block.loop, (), False)
        if block.flat:
            return self._flat(block.plans[0].equation)
        return self._nest(block.plans, {}, False)

    def before(self, block: Block) -> list[str]:
        """What comes before the loop over the batch that a block shares with others."""
        lines: list[str] = []
        for planned in block.plans:
            lines += self.contractions.products(planned)
            if planned.sums_only:
                lines += self._zero(planned.equation, {})
        return lines

    def inside(self, block: Block) -> list[str]:
        """What stands in that loop."""
        if block.loop is not None:
            return self._recurrence(block.loop, (), True)
        if block.sums_only:
            return self._summing(block.plans[0], {})
        return self._visit(block.plans, {}, True)

    def flat_names(self, equation: Equation) -> dict[str, str]:
        """What the tensors of a flat loop are called in it."""
        found = {}
        for name in dict.fromkeys((*map(tensor_of, equation.reads()), equation.tensor)):
            found[name] = self.loops.name(name)
            if self.loops.system.tensors[name].axes:
                if name not in self.flats:
                    self.flats[name] = self.loops.printer.names.internal(f"{name}_flat")
                found[name] = self.flats[name]
        return found

    def _flat(self, equation: Equation) -> list[str]:
        """One loop over all samples and elements."""
        names = self.flat_names(equation)
        count = prod(self.loops.system.shape(equation.tensor))
        times = f"{count} * " if count > 1 else ""
        self.loops.printer.flat = {k: f"{v}[{self.place}]" for k, v in names.items()}
        (term,) = equation.terms
        text = self.loops.printer.real(term.body, dict.fromkeys(equation.indices, ""))
        body = f"{self.loops.printer.flat[equation.tensor]} = {text}"
        self.loops.printer.flat = {}
        head = f"for {self.place} in range({times}{self.loops.batch}):"
        return [head, *indented([body])]

    def _nest(self, plans: Sequence[Plan], letters: Letters, inside: bool) -> list[str]:
        """Products and sums over the batch, then one nest of loops, then scattering.

        Args:
            plans: equations over the same space.
            letters: variables of the loops that are open.
            inside: whether the loop over the batch is open.
        """
        lines: list[str] = []
        for planned in plans:
            lines += self.contractions.products(planned)
            if planned.summed:
                lines += self._zero(planned.equation, letters)
                lines += self.loops.over_batch(self._summing(planned, letters))
        rest = [planned for planned in plans if not planned.sums_only]
        return lines + self._visit(rest, letters, inside)

    def _visit(
        self, plans: Sequence[Plan], letters: Letters, inside: bool
    ) -> list[str]:
        """Sums by rows, one nest of loops, then scattering."""
        lines: list[str] = []
        for planned in plans:
            if planned.outer:
                lines += self._rows(planned, letters, inside)
        passing = [planned for planned in plans if planned.passes]
        if passing:
            lines += self._pass(passing, letters, inside)
        for planned in plans:
            for term in planned.scattered:
                lines += self._scattering(term, planned.equation, letters, inside)
        return lines

    def shared_name(self, tensor: str) -> str:
        """The variable that holds a plan's shared sums: `R_sum`."""
        if tensor not in self.sums:
            self.sums[tensor] = self.loops.printer.names.internal(f"{tensor}_sum")
        return self.sums[tensor]

    def shared_sum(self, tensor: str, term: Term) -> list[str]:
        """The lines that add one shared term to that variable."""
        return self.loops.sum(term, {}, [self.loops.adding(self.shared_name(tensor))])

    def _pass(self, plans: Sequence[Plan], letters: Letters, inside: bool) -> list[str]:
        first = plans[0].equation
        names = self.loops.named(first.indices, letters)
        variables = [names[index] for index in first.indices]
        body: list[str] = []
        for planned in plans:
            own = dict(letters)
            own.update(zip(planned.equation.indices, variables, strict=True))
            body += self._point(planned, own)
        loops = [index for index in first.indices if index not in letters]
        lines = self.loops.over(loops, names, body)
        if self.loops.batched(first.tensor) and not inside:
            lines = self.loops.over_batch(lines)
        return lines

    # --- one element -----------------------------------------------------------------

    def _point(self, planned: Plan, letters: Letters) -> list[str]:
        """The lines that compute one element of a tensor."""
        equation = planned.equation
        here = self.loops.element(equation, letters)
        if equation.reduction != "sum":
            return self._optimum(equation, here, letters)
        if planned.sums_only:
            return self._sampled(planned, here, letters)
        addends = [here] if planned.summed or planned.outer else []
        names = dict(self.contractions.part_names(planned))
        subscripts = [letters[index] for index in equation.indices]
        for number, product in enumerate(planned.products):
            text = here
            if number in names:
                inner = self.loops.printer.element(equation.tensor, subscripts)
                text = names[number] + inner[len(self.loops.name(equation.tensor)) :]
            addends.append(self._scaled(product, text, letters))
        summed = [term for term in planned.here if term.bound or term.guards]
        for term in planned.here:
            if term not in summed:
                written = self.loops.printer.written(term.body, letters)
                addends.append(enclosed(written, SUM))
        lines = self.loops.totalled(summed, letters) if summed else []
        if summed:
            addends.append(self.loops.total)
        if planned.shared:
            addends.append(self.shared_name(equation.tensor))
        return [*lines, f"{here} = {_joined(addends)}"]

    def _sampled(self, planned: Plan, here: str, letters: Letters) -> list[str]:
        """One sample's addends of one element of a sum over the batch."""
        lines: list[str] = []
        for term in planned.summed:
            if term.bound:
                lines += self.loops.totalled([term], letters)
                lines.append(f"{here} += {self.loops.total}")
            else:
                lines += self.loops.sum(term, letters, [f"{here} += {{}}"])
        return lines

    def _scaled(self, product: Product, text: str, letters: Letters) -> str:
        if product.coefficient == 1:
            return text
        if product.coefficient == -1:
            return f"-{text}"
        factor = self.loops.printer.written(product.coefficient, letters)
        return f"{enclosed(factor, PRODUCT)} * {text}"

    def _optimum(self, equation: Equation, here: str, letters: Letters) -> list[str]:
        """`max` and its kin; NaN wins, and the first of equals keeps its place."""
        (term,) = equation.terms
        wanted = equation.reduction
        names = self.loops.named(term.bound, letters)
        sign, worst = (">", "-") if wanted in ("max", "argmax") else ("<", "")
        value, best, place = self.value, self.best, self.place
        start = [f"{best} = real({worst}np.inf)"]
        if wanted in ("max", "min"):
            test = f"{value} {sign} {best} or {value} != {value}"
            body = [f"{value} = {{}}", f"{best} = {value} if {test} else {best}"]
            return [*start, *self.loops.sum(term, letters, body), f"{here} = {best}"]
        where = self._row_major(term.bound, names)
        test = f"{value} {sign} {best} or ({value} != {value} and {best} == {best})"
        chosen = [f"{best} = {value}", f"{place} = {where}"]
        body = [f"{value} = {{}}", f"if {test}:", *indented(chosen)]
        start.append(f"{place} = 0")
        return [*start, *self.loops.sum(term, letters, body), f"{here} = real({place})"]

    def _row_major(self, bound: Sequence[Name], names: Letters) -> str:
        text = "0"
        for number, index in enumerate(bound):
            if number == 0:
                text = names[index]
            else:
                head = f"({text})" if " " in text else text
                text = f"{head} * {self.loops.system.size(index)} + {names[index]}"
        return text

    # --- sums over the batch, scattering ---------------------------------------------

    def _summing(self, planned: Plan, letters: Letters) -> list[str]:
        """Add one sample's terms to a sum over the batch."""
        lines: list[str] = []
        for term in planned.summed:
            if along_rows(term, planned.equation, self.loops.system):
                lines += self._by_rows([term], planned.equation, letters, [])
            else:
                lines += self._scattering(term, planned.equation, letters, True)
        return lines

    # --- sums by rows ----------------------------------------------------------------

    def _rows(self, planned: Plan, letters: Letters, inside: bool) -> list[str]:
        """Zero each row of a tensor, then add to it what is summed over."""
        equation = planned.equation
        names = self.loops.named(equation.indices, letters)
        zero = [f"{self.loops.element(equation, names)} = real(0.0)"]
        start = [] if planned.summed else self._row(equation, names, zero)
        lines = self._by_rows(planned.outer, equation, letters, start)
        alone = self.loops.batched(equation.tensor) and not inside
        return self.loops.over_batch(lines) if alone else lines

    def _by_rows(
        self,
        terms: Sequence[Term],
        equation: Equation,
        letters: Letters,
        start: list[str],
    ) -> list[str]:
        """Rows outermost, then what is summed over, then the elements of a row."""
        names = self.loops.named(equation.indices, letters)
        element = self.loops.element(equation, names)
        last = equation.indices[-1]
        body = list(start)
        for term in terms:
            own = self.loops.named(term.bound, names)
            inner = [g for g in term.guards if last in g.subscript.free_symbols]
            outer = [g for g in term.guards if g not in inner]
            lines = [f"{element} += {self.loops.printer.real(term.body, own)}"]
            lines = self.loops.guarded(inner, own, lines)
            lines = self.loops.guarded(outer, own, self._row(equation, own, lines))
            body += self.loops.over(term.bound, own, lines)
        rows = [index for index in equation.indices[:-1] if index not in letters]
        return self.loops.over(rows, names, body)

    def _row(self, equation: Equation, names: Letters, body: list[str]) -> list[str]:
        return self.loops.over(equation.indices[-1:], names, body)

    def _zero(self, equation: Equation, letters: Letters) -> list[str]:
        names = self.loops.named(equation.indices, letters)
        loops = [index for index in equation.indices if index not in letters]
        element = self.loops.element(equation, names)
        return self.loops.over(loops, names, [f"{element} = real(0.0)"])

    def _scattering(
        self, term: Term, equation: Equation, letters: Letters, inside: bool
    ) -> list[str]:
        """Add a term to the elements that it goes to; `inside` the batch's loop."""
        names = self.loops.named(equation.indices, letters)
        target = term.target if is_scattered(term, equation) else equation.indices
        assert target is not None
        gathered = [
            index
            for index, subscript in zip(equation.indices, target, strict=True)
            if subscript == index and index not in letters
        ]
        bound = self.loops.named(term.bound, names)
        places = [self.loops.printer.whole(subscript, bound) for subscript in target]
        element = self.loops.printer.element(equation.tensor, places)
        scattered = is_scattered(term, equation)
        if term.bound and not scattered:
            lines = self.loops.totalled([term], names)
            lines.append(f"{element} += {self.loops.total}")
        else:
            body = [f"{element} += {{}}"]
            shape = self.loops.system.shape(equation.tensor)
            outside = [
                f"0 <= {place} < {size}"
                for place, subscript, size in zip(places, target, shape, strict=True)
                if leaves(subscript, size, self.loops.system)
                and subscript not in {guard.subscript for guard in term.guards}
            ]
            if scattered and outside:
                body = [f"if {' and '.join(outside)}:", *indented(body)]
            lines = self.loops.sum(term, names, body)
        lines = self.loops.over(gathered, names, lines)
        alone = self.loops.batched(equation.tensor) and not inside
        return self.loops.over_batch(lines) if alone else lines

    # --- recurrences -----------------------------------------------------------------

    def _recurrence(self, loop: Loop, outer: Steps, inside: bool) -> list[str]:
        """The batch outermost where all is batched, then the steps, then each item."""
        equations = flatten([loop])
        if not inside and all(self.loops.batched(e.tensor) for e in equations):
            return self.loops.over_batch(self._recurrence(loop, outer, True))
        steps = {loop.steps[e.tensor] for e in equations}
        taken = {variable for _, variable in outer}
        if len(steps) > 1:  # another equation may use the letter for something else
            taken |= {
                self.loops.name(index.name) for e in equations for index in _all(e)
            }
        first = min(steps, key=lambda index: (index.rank, index.name))
        step = self.loops.unused(self.loops.name(first.name), taken)
        body: list[str] = []
        for item in loop.items:
            body += self._at_step(item, (*outer, (loop, step)), inside)
        count = str(loop.length) if loop.ascending else f"{loop.length - 1}, -1, -1"
        return [f"for {step} in range({count}):", *indented(body)]

    def _at_step(self, item: Item, steps: Steps, inside: bool) -> list[str]:
        loop, step = steps[-1]
        if isinstance(item, Loop):
            lines = self._recurrence(item, steps, inside)
        else:
            letters = {outer.steps[item.tensor]: name for outer, name in steps}
            rows = item.indices[-1] not in letters
            planned = plan(item, self.loops.system, matrices=False, rows=rows)
            lines = self._nest([planned], letters, inside)
            lines = [*self.heading([item]), *lines]
        length = min(
            self.loops.system.size(loop.steps[e.tensor]) for e in flatten([item])
        )
        if length < loop.length:
            lines = [f"if {step} < {length}:", *indented(lines)]
        return lines


def _all(equation: Equation) -> list[Name]:
    return [*equation.indices, *(i for term in equation.terms for i in term.bound)]


def _joined(addends: list[str]) -> str:
    if not addends:
        return "real(0.0)"
    text = addends[0]
    for addend in addends[1:]:
        text += f" - {addend[1:]}" if addend.startswith("-") else f" + {addend}"
    return text
