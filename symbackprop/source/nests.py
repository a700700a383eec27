"""Blocks as loops: lines of Python for every block, without views or headings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.equations import Equation, Name, System, Term, fresh
from symbackprop.schedule import Item, Loop, flatten
from symbackprop.source.blocks import Block, Plan, is_scattered, plan
from symbackprop.source.expressions import (
    PRODUCT,
    SUM,
    Printer,
    enclosed,
    leaves,
)
from symbackprop.source.products import SAMPLE, Matrix, Product

Letters = Mapping[Name, str]
Steps = tuple[tuple[Loop, str], ...]
Heading = Callable[[Sequence[Equation]], list[str]]


def indented(lines: Iterable[str]) -> list[str]:
    return ["    " + line if line else line for line in lines]


@dataclass
class Nests:
    """Lowers blocks to lines.

    Attributes:
        system: what names mean.
        printer: prints scalar expressions.
        batch: the variable that holds the length of the batch.
        share: the variable that holds 1/batch.
        heading: the comment above the code of some equations.
        parts: the name of each product after a tensor's first, see `part_name`.
        sums: the name of each tensor's shared sums, see `shared_name`.
    """

    system: System
    printer: Printer
    batch: str
    share: str
    heading: Heading = field(default=lambda equations: [])
    parts: dict[tuple[str, int], str] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    total: str = ""
    best: str = ""
    place: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        internal = self.printer.names.internal
        self.total, self.best = internal("total"), internal("best")
        self.place, self.value = internal("place"), internal("value")

    def part_name(self, tensor: str, number: int) -> str:
        """The name of a tensor's product that is added later: `z1_product`."""
        key = (tensor, number)
        if key not in self.parts:
            self.parts[key] = self.printer.names.internal(f"{tensor}_product")
            self.printer.names.of[self.parts[key]] = self.parts[key]
        return self.parts[key]

    def part_names(self, planned: Plan) -> list[tuple[int, str]]:
        """Names of the products that do not lie in the tensor itself, by place."""
        first = 1 if planned.direct is not None else 0
        return [
            (number, self.part_name(planned.equation.tensor, number))
            for number in range(first, len(planned.products))
        ]

    # --- blocks ----------------------------------------------------------------------

    def block(self, block: Block) -> list[str]:
        if block.loop is not None:
            return self._recurrence(block.loop, (), False)
        return self._nest(block.plans, {}, False)

    def _nest(self, plans: Sequence[Plan], letters: Letters, inside: bool) -> list[str]:
        """Products and sums over the batch, then one nest of loops, then scattering.

        Args:
            plans: equations over the same space.
            letters: variables of the loops that are open.
            inside: whether the loop over the batch is open.
        """
        lines: list[str] = []
        for planned in plans:
            lines += self._products(planned)
            if planned.summed:
                lines += self._sums(planned, letters)
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
            self.sums[tensor] = self.printer.names.internal(f"{tensor}_sum")
        return self.sums[tensor]

    def shared_sum(self, tensor: str, term: Term) -> list[str]:
        """The lines that add one shared term to that variable."""
        return self._sum(term, {}, [f"{self.shared_name(tensor)} += {{}}"])

    def _pass(self, plans: Sequence[Plan], letters: Letters, inside: bool) -> list[str]:
        first = plans[0].equation
        names = self._named(first.indices, letters)
        variables = [names[index] for index in first.indices]
        body: list[str] = []
        for planned in plans:
            own = dict(letters)
            own.update(zip(planned.equation.indices, variables, strict=True))
            body += self._point(planned, own)
        loops = [index for index in first.indices if index not in letters]
        lines = self._over(loops, names, body)
        if self._batched(first.tensor) and not inside:
            lines = self._over_batch(lines)
        return lines

    # --- one element -----------------------------------------------------------------

    def _point(self, planned: Plan, letters: Letters) -> list[str]:
        """The lines that compute one element of a tensor."""
        equation = planned.equation
        here = self._element(equation, letters)
        if equation.reduction != "sum":
            return self._optimum(equation, here, letters)
        addends = [f"{here} * {self.share}"] if planned.summed else []
        names = dict(self.part_names(planned))
        subscripts = [letters[index] for index in equation.indices]
        for number, product in enumerate(planned.products):
            text = here
            if number in names:
                inner = self.printer.element(equation.tensor, subscripts)
                text = names[number] + inner[len(self._name(equation.tensor)) :]
            addends.append(self._scaled(product, text, letters))
        lines: list[str] = []
        for term in planned.here:
            if term.bound or term.guards:
                body = [f"{self.total} += {{}}"]
                lines += self._sum(term, letters, body)
            else:
                written = self.printer.written(term.body, letters)
                addends.append(enclosed(written, SUM))
        if lines:
            lines.insert(0, f"{self.total} = real(0.0)")
            addends.append(self.total)
        if planned.shared:
            addends.append(self.shared_name(equation.tensor))
        return [*lines, f"{here} = {_joined(addends)}"]

    def _scaled(self, product: Product, text: str, letters: Letters) -> str:
        if product.average:
            text = f"{text} * {self.share}"
        if product.coefficient == 1:
            return text
        if product.coefficient == -1:
            return f"-{text}"
        factor = self.printer.written(product.coefficient, letters)
        return f"{enclosed(factor, PRODUCT)} * {text}"

    def _sum(self, term: Term, letters: Letters, body: list[str]) -> list[str]:
        """Loops over a term's bound indices, where its guards hold."""
        names = self._named(term.bound, letters)
        text = self.printer.real(term.body, names)
        lines = [line.format(text) for line in body]
        guards = [
            f"0 <= {self.printer.whole(guard.subscript, names)} < {size}"
            for guard in term.guards
            for size in (self.system.size(guard.axis),)
        ]
        if guards:
            lines = [f"if {' and '.join(guards)}:", *indented(lines)]
        return self._over(term.bound, names, lines)

    def _optimum(self, equation: Equation, here: str, letters: Letters) -> list[str]:
        """`max` and its kin; NaN wins, and the first of equals keeps its place."""
        (term,) = equation.terms
        wanted = equation.reduction
        names = self._named(term.bound, letters)
        sign, worst = (">", "-") if wanted in ("max", "argmax") else ("<", "")
        value, best, place = self.value, self.best, self.place
        chosen = [f"{best} = {value}"]
        start = [f"{best} = real({worst}np.inf)"]
        result = best
        if wanted in ("argmax", "argmin"):
            chosen.append(f"{place} = {self._row_major(term.bound, names)}")
            start.append(f"{place} = 0")
            result = f"real({place})"
        test = f"{value} {sign} {best} or ({value} != {value} and {best} == {best})"
        body = [f"{value} = {{}}", f"if {test}:", *indented(chosen)]
        return [*start, *self._sum(term, letters, body), f"{here} = {result}"]

    def _row_major(self, bound: Sequence[Name], names: Letters) -> str:
        text = "0"
        for number, index in enumerate(bound):
            if number == 0:
                text = names[index]
            else:
                head = f"({text})" if " " in text else text
                text = f"{head} * {self.system.size(index)} + {names[index]}"
        return text

    # --- sums over the batch, scattering ---------------------------------------------

    def _sums(self, planned: Plan, letters: Letters) -> list[str]:
        """Zero a tensor, then add its averaged terms, sample by sample."""
        lines = self._zero(planned.equation, letters)
        body: list[str] = []
        for term in planned.summed:
            body += self._scattering(term, planned.equation, letters, True)
        return lines + self._over_batch(body)

    def _zero(self, equation: Equation, letters: Letters) -> list[str]:
        names = self._named(equation.indices, letters)
        loops = [index for index in equation.indices if index not in letters]
        element = self._element(equation, names)
        return self._over(loops, names, [f"{element} = real(0.0)"])

    def _scattering(
        self, term: Term, equation: Equation, letters: Letters, inside: bool
    ) -> list[str]:
        """Add a term to the elements that it goes to; `inside` the batch's loop."""
        names = self._named(equation.indices, letters)
        target = term.target if is_scattered(term, equation) else equation.indices
        assert target is not None
        gathered = [
            index
            for index, subscript in zip(equation.indices, target, strict=True)
            if subscript == index and index not in letters
        ]
        bound = self._named(term.bound, names)
        places = [self.printer.whole(subscript, bound) for subscript in target]
        element = self.printer.element(equation.tensor, places)
        scattered = is_scattered(term, equation)
        if term.bound and not scattered:
            lines = [
                f"{self.total} = real(0.0)",
                *self._sum(term, names, [f"{self.total} += {{}}"]),
                f"{element} += {self.total}",
            ]
        else:
            body = [f"{element} += {{}}"]
            shape = self.system.shape(equation.tensor)
            outside = [
                f"0 <= {place} < {size}"
                for place, subscript, size in zip(places, target, shape, strict=True)
                if leaves(subscript, size, self.system)
                and subscript not in {guard.subscript for guard in term.guards}
            ]
            if scattered and outside:
                body = [f"if {' and '.join(outside)}:", *indented(body)]
            lines = self._sum(term, names, body)
        lines = self._over(gathered, names, lines)
        alone = self._batched(equation.tensor) and not inside
        return self._over_batch(lines) if alone else lines

    # --- products of matrices --------------------------------------------------------

    def _products(self, planned: Plan) -> list[str]:
        names = dict(self.part_names(planned))
        lines: list[str] = []
        for number, product in enumerate(planned.products):
            out = self._name(planned.equation.tensor)
            if number in names:
                out = names[number]
            shared = product.out.shared
            letters = self._named([s for s in shared if s != SAMPLE], {})
            prefix = [
                self.printer.sample if s == SAMPLE else letters[s] for s in shared
            ]
            left, right, result = (
                self._matrix(matrix, name, prefix)
                for matrix, name in (
                    (product.left, self._name(product.left.tensor)),
                    (product.right, self._name(product.right.tensor)),
                    (product.out, out),
                )
            )
            body = [f"np.dot({left}, {right}, {result})"]
            body = self._over([s for s in shared if s != SAMPLE], letters, body)
            lines += self._over_batch(body) if SAMPLE in shared else body
        return lines

    def _matrix(self, matrix: Matrix, name: str, prefix: list[str]) -> str:
        """`W1.T`, `x[n].reshape(4, 6)`: a view, never a copy."""
        text = f"{name}[{', '.join(prefix)}]" if prefix else name
        sides = [self._size(s) for s in (matrix.rows, matrix.columns) if s is not None]
        if matrix.transposed:
            sides.reverse()
        if matrix.reshaped:
            text += f".reshape({', '.join(sides)})"
        return text + (".T" if matrix.transposed else "")

    def _size(self, size: int) -> str:
        if size >= 0:
            return str(size)
        return self.batch if size == -1 else f"{-size} * {self.batch}"

    # --- recurrences -----------------------------------------------------------------

    def _recurrence(self, loop: Loop, outer: Steps, inside: bool) -> list[str]:
        """The batch outermost where all is batched, then the steps, then each item."""
        equations = flatten([loop])
        if not inside and all(self._batched(e.tensor) for e in equations):
            return self._over_batch(self._recurrence(loop, outer, True))
        steps = {loop.steps[e.tensor] for e in equations}
        taken = {variable for _, variable in outer}
        if len(steps) > 1:  # another equation may use the letter for something else
            taken |= {self._name(index.name) for e in equations for index in _all(e)}
        first = min(steps, key=lambda index: (index.rank, index.name))
        step = self._unused(self._name(first.name), taken)
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
            planned = plan(item, self.system, matrices=False)
            lines = self._nest([planned], letters, inside)
            lines = [*self.heading([item]), *lines]
        length = min(self.system.size(loop.steps[e.tensor]) for e in flatten([item]))
        if length < loop.length:
            lines = [f"if {step} < {length}:", *indented(lines)]
        return lines

    # --- loops and names -------------------------------------------------------------

    def _name(self, declared: str) -> str:
        return self.printer.names.of[declared]

    def _batched(self, tensor: str) -> bool:
        return self.system.tensors[tensor].batched

    def _element(self, equation: Equation, letters: Letters) -> str:
        subscripts = [letters[index] for index in equation.indices]
        return self.printer.element(equation.tensor, subscripts)

    def _named(self, indices: Iterable[Name], letters: Letters) -> dict[Name, str]:
        """Variables for further loops; one that is in use gives a new one."""
        names = dict(letters)
        for index in indices:
            if index not in names:
                wanted = self._name(index.name)
                names[index] = self._unused(wanted, set(names.values()))
        return names

    def _unused(self, wanted: str, taken: set[str]) -> str:
        if wanted not in taken:
            return wanted
        return fresh(wanted, taken | self.printer.names.taken)

    def _over(
        self, indices: Sequence[Name], names: Letters, body: list[str]
    ) -> list[str]:
        for index in reversed(indices):
            size = self.system.size(index)
            body = [f"for {names[index]} in range({size}):", *indented(body)]
        return body

    def _over_batch(self, body: list[str]) -> list[str]:
        return [f"for {self.printer.sample} in range({self.batch}):", *indented(body)]


def _all(equation: Equation) -> list[Name]:
    return [*equation.indices, *(i for term in equation.terms for i in term.bound)]


def _joined(addends: list[str]) -> str:
    if not addends:
        return "real(0.0)"
    text = addends[0]
    for addend in addends[1:]:
        text += f" - {addend[1:]}" if addend.startswith("-") else f" + {addend}"
    return text
