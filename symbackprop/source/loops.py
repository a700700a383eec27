"""The loops that code is made of: over indices, bound indices and the batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.equations import Equation, Guard, Name, System, Term, fresh
from symbackprop.source.expressions import Printer

Letters = Mapping[Name, str]


def indented(lines: Iterable[str]) -> list[str]:
    return ["    " + line if line else line for line in lines]


@dataclass
class Loops:
    """Writes loops, and chooses the variables in them.

    Attributes:
        system: what names mean.
        printer: prints scalar expressions.
        batch: the variable that holds the length of the batch.
        add: the function that adds in any order.
        view: the function that sees a part of a buffer as an array.
        total: the variable of a sum.
    """

    system: System
    printer: Printer
    batch: str
    add: str = ""
    view: str = ""
    total: str = ""

    def __post_init__(self) -> None:
        internal = self.printer.names.internal
        self.add, self.view = internal("add"), internal("view")
        self.total = internal("total")

    def over_batch(self, body: list[str]) -> list[str]:
        return [f"for {self.printer.sample} in range({self.batch}):", *indented(body)]

    def sum(self, term: Term, letters: Letters, body: list[str]) -> list[str]:
        """Loops over a term's bound indices, where its guards hold."""
        names = self.named(term.bound, letters)
        text = self.printer.real(term.body, names)
        lines = self.guarded(term.guards, names, [line.format(text) for line in body])
        return self.over(term.bound, names, lines)

    def guarded(
        self, guards: Iterable[Guard], names: Letters, body: list[str]
    ) -> list[str]:
        """The lines where all guards hold."""
        tests = [
            f"0 <= {self.printer.whole(guard.subscript, names)} < "
            f"{self.system.size(guard.axis)}"
            for guard in guards
        ]
        return [f"if {' and '.join(tests)}:", *indented(body)] if tests else body

    def adding(self, variable: str) -> str:
        """`total = add(total, {})`: a sum whose order is the compiler's to choose."""
        return f"{variable} = {self.add}({variable}, {{}})"

    def totalled(self, terms: Iterable[Term], letters: Letters) -> list[str]:
        """Some sums, in the variable `total`."""
        lines = [f"{self.total} = real(0.0)"]
        for term in terms:
            lines += self.sum(term, letters, [self.adding(self.total)])
        return lines

    def name(self, declared: str) -> str:
        return self.printer.names.of[declared]

    def batched(self, tensor: str) -> bool:
        return self.system.tensors[tensor].batched

    def element(self, equation: Equation, letters: Letters) -> str:
        subscripts = [letters[index] for index in equation.indices]
        return self.printer.element(equation.tensor, subscripts)

    def named(self, indices: Iterable[Name], letters: Letters) -> dict[Name, str]:
        """Variables for further loops; one that is in use gives a new one."""
        names = dict(letters)
        for index in indices:
            if index not in names:
                wanted = self.name(index.name)
                names[index] = self.unused(wanted, set(names.values()))
        return names

    def unused(self, wanted: str, taken: set[str]) -> str:
        if wanted not in taken:
            return wanted
        return fresh(wanted, taken | self.printer.names.taken)

    def over(
        self, indices: Sequence[Name], names: Letters, body: list[str]
    ) -> list[str]:
        for index in reversed(indices):
            size = self.system.size(index)
            body = [f"for {names[index]} in range({size}):", *indented(body)]
        return body
