r"""A worked example: the same equations on small axes, with numbers in every step.

For each equation the arithmetic of its first entry is written out, and all of its
values stand beneath. The arithmetic is held against the values, and the steepest slope
by each parameter against a difference quotient of the declared program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.document.account import Account
from symbackprop.document.arithmetic import WIDEST, Arithmetic, decimal, entries
from symbackprop.document.chapter import (
    Block,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Ref,
    Section,
)
from symbackprop.document.measure import width
from symbackprop.document.sequence import renamed, repeated
from symbackprop.equations import (
    Equation,
)
from symbackprop.errors import CheckError
from symbackprop.witnesses.draws import draw, shrink
from symbackprop.witnesses.evaluate import evaluate
from symbackprop.witnesses.numbers import PRECISE, REAL
from symbackprop.witnesses.slopes import central_difference

NAMED = 3.0  # em for a name and its sign there
SEED = 20220801
RATE = 0.1
CLOSE = 1e-4  # of a slope and its difference quotient
STEP = 1e-12  # of the quotient: with many digits it may be small, for what changes fast
LONGEST = 8  # entries of an axis that is printed whole

# A parameter, the place of an entry, its difference quotient and its slope.
Slope = tuple[str, tuple[int, ...], float, float]


def example(account: Account) -> Section:
    """The example, or nothing where its values do not fit on a page."""
    worked = _Example(account)
    words, sizes = account.words, worked.sizes()
    blocks: list[Block] = [
        Paragraph(
            words("example text", sizes=sizes) if sizes else words("example numbers")
        ),
        Equations(tuple(side_by_side(worked.given()))),
        Paragraph(words("example forward")),
        *worked.steps(account.derivation.forward),
        Paragraph(words("example backward")),
        *worked.steps(account.derivation.adjoint),
        *worked.check(),
    ]
    return account.section("example", *blocks)


def side_by_side(rows: Iterable[NumberedEquation]) -> Iterator[NumberedEquation]:
    """Short values in one row, as many as fit whatever their names are.

    `a = 1`, `b = 2` => `a = 1, b = 2`
    """
    held: NumberedEquation | None = None
    taken = 0.0
    for row in rows:
        (values,) = row.addends
        needed = NAMED + width(values)
        if held is not None and taken + needed <= WIDEST:
            *before, last = held.addends
            addends = (*before, f"{last},", f"\\quad {row.latex}")
            held, taken = replace(held, addends=addends), taken + needed
            continue
        if held is not None:
            yield held
        held, taken = row, needed
    if held is not None:
        yield held


class _Example:
    """Small values, printed."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._found: list[Slope] = []  # of the inputs, where rounded ones were taken
        derivation = account.derivation
        self.system = shrink(derivation.system)
        self.declared = replace(derivation.program.plain(), axes=self.system.axes)
        self.hidden = {
            *repeated(account, derivation.forward_items),
            *repeated(account, derivation.adjoint_items),
            *renamed(account, derivation.forward_items),
        }

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Parameters and data with few decimals; targets of a sum 1 are one-hot.

        Rounded numbers may meet a kink, or leave a domain; others are then drawn.
        """
        rng = np.random.default_rng(SEED)
        for decimals in (1, 1, 1, 2, 2, 2, 3):
            given = self._rounded(draw(self.declared, rng, 1), decimals)
            found = evaluate(self.declared, given, REAL, 1)[self.declared.objective]
            if not np.all(np.isfinite(found)):
                continue
            slopes = list(self._slopes(given, self._of_the_sample(given)))
            if all(self._agree(quotient, slope) for _, _, quotient, slope in slopes):
                self._found = slopes
                return given
        return dict(draw(self.declared, rng, 1))

    def _rounded(self, drawn: Mapping[str, Any], decimals: int) -> dict[str, Any]:
        rounded = {}
        for name, array in drawn.items():
            if array.dtype.kind in "iu":
                rounded[name] = array
            elif name in self._facts:
                rounded[name] = np.eye(array.shape[-1])[np.argmax(array, axis=-1)]
            else:
                rounded[name] = np.round(array, decimals) + 0.0
        return rounded

    @cached_property
    def _facts(self) -> frozenset[str]:
        proofs = map(self.account.recursion, self.account.kept)
        return frozenset(line.fact for p in proofs if p for line in p.lines)

    @staticmethod
    def _agree(quotient: float, slope: float) -> bool:
        return abs(quotient - slope) <= CLOSE * max(1.0, abs(slope))

    def _slopes(
        self, given: Mapping[str, Any], values: Mapping[str, Any]
    ) -> Iterator[Slope]:
        """Each parameter's steepest entry: its place, the quotient and the slope."""
        for parameter in self.system.parameters:
            slopes = np.asarray(values[self.account.derivation.slopes[parameter.name]])
            steepest = int(np.argmax(np.abs(slopes)))
            place = tuple(map(int, np.unravel_index(steepest, slopes.shape)))
            direction = np.zeros(slopes.shape)
            direction[place] = 1.0
            along = {parameter.name: direction}
            quotient = central_difference(self.declared, given, along, STEP, PRECISE)
            yield parameter.name, place, quotient, float(slopes[place])

    def _of_the_sample(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = evaluate(self.system, given, REAL, 1)
        tensors = self.system.tensors
        return {
            name: np.asarray(array)[0] if tensors[name].batched else np.asarray(array)
            for name, array in found.items()
        }

    @cached_property
    def values(self) -> dict[str, Any]:
        """Every tensor, of the one sample, by the equations of the derivation."""
        return self._of_the_sample(self.inputs)

    def sizes(self) -> Inline:
        """How far the axes run: `i_1 < 2, j < 3`."""
        used = {
            axis
            for name, tensor in self.system.tensors.items()
            if name not in self.hidden
            for axis in tensor.axes
        }
        index = self.account.symbols.index
        return self.account.words.joined(
            [
                (Math(f"{index(name)} < {axis.size}"),)
                for name, axis in self.system.axes.items()
                if name in used and not axis.of
            ]
        )

    # --- rows ------------------------------------------------------------------------

    def given(self) -> Iterator[NumberedEquation]:
        """The values of parameters and data."""
        for name, tensor in self.system.tensors.items():
            if tensor.role != "defined" and name not in self.hidden:
                yield from self._whole(name)

    def steps(self, equations: Sequence[Equation]) -> list[Block]:
        """Each equation's arithmetic and values, those of equal layers once."""
        rows = []
        for equation in equations:
            if equation.tensor in self.hidden:
                continue
            number = self.account.derivation.number(equation.tensor)
            first = list(self._first(equation, number))
            # A number is shown whole by its arithmetic.
            told = bool(first) and not equation.indices
            rows += first if told else [*first, *self._whole(equation.tensor)]
        return [Equations(tuple(rows))] if rows else []

    def _whole(self, name: str) -> Iterator[NumberedEquation]:
        """All values of a tensor; one of three axes slice by slice."""
        values = self.values[name]
        symbols = self.account.symbols
        if values.ndim > 3 or any(size > LONGEST for size in values.shape):
            return
        if values.ndim < 3:
            yield NumberedEquation(None, symbols.read(name), (entries(values),))
            return
        for place, part in enumerate(values):
            left = symbols.read(name, (str(place), *[r"\cdot"] * part.ndim))
            yield NumberedEquation(None, left, (entries(part),))

    def _first(self, equation: Equation, number: int) -> Iterator[NumberedEquation]:
        """The arithmetic of the entry at 0, 0, ..., where it can be written out."""
        text = Arithmetic(self.account, self.system, self.values).written(equation)
        if text is None:
            return
        at = ["0"] * len(equation.indices)
        left = self.account.symbols.read(equation.tensor, at)
        value = self.values[equation.tensor][(0,) * len(at)]
        right = (text,) if text == decimal(value) else (text, f"= {decimal(value)}")
        yield NumberedEquation(None, left, right, (Ref(number),))

    # --- the end ---------------------------------------------------------------------

    def check(self) -> list[Block]:
        """One slope against a difference quotient, and one step of descent."""
        given = self.inputs
        found = self._found or list(self._slopes(given, self.values))
        for name, _, quotient, slope in found:
            if not self._agree(quotient, slope):
                raise CheckError(
                    f"the worked example's slope by `{name}` is {slope}, its "
                    f"difference quotient {quotient}. Please report this program."
                )
        small = [row for row in found if self.values[row[0]].ndim <= 2]
        if not small:
            return []
        name, place, quotient, steepness = max(small, key=lambda row: abs(row[3]))
        slope_name = self.account.derivation.slopes[name]
        at = list(map(str, place))
        symbols = self.account.symbols
        text = self.account.words(
            "example check",
            entry=Math(symbols.read(name, at)),
            quotient=Math(decimal(quotient)),
            slope=Math(decimal(steepness)),
            rate=Math(f"{self.account.rate} = {decimal(RATE)}"),
        )
        moved = self.values[name] - RATE * self.values[slope_name]
        left = symbols.read(name)
        change = f"- {self.account.rate}\\, {symbols.read(slope_name)}"
        right = (left, change, f"= {entries(moved)}")
        row = NumberedEquation(None, left, right, (), r"\leftarrow")
        return [Paragraph(text), Equations((row,))]
