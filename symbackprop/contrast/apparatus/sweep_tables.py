r"""A composition in LaTeX: its functions, and both sweeps, as two tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.contrast.apparatus.composition import (
    Composition,
    Number,
    Step,
    Sweeps,
    short_number,
)
from symbackprop.document.latex import Printer
from symbackprop.document.symbols import Symbol, Symbols, spell
from symbackprop.equations import Name


class Notation:
    """How a composition is written: its functions are h_1 .. h_n."""

    def __init__(self, composition: Composition) -> None:
        self._steps = {step.symbol: step for step in composition.steps}
        given = {
            symbol.name: Symbol("h", label=str(place))
            for place, symbol in enumerate(self._steps, 1)
        }
        self._objective = spell(composition.objective).at()
        self._printer = Printer(Symbols(composition.system, given=given))

    def name(self, node: Name) -> str:
        return self._printer.latex(node)

    def function(self, node: Name) -> str:
        """What a function is of those before it."""
        return self._printer.latex(self._steps[node].function)

    def local(self, node: Name, operand: Name) -> str:
        """The local derivative of a function by an operand."""
        return self._printer.latex(self._steps[node].local[operand])

    @property
    def objective(self) -> str:
        return self._objective


def tables(composition: Composition, sweeps: Sweeps) -> str:
    r"""Two tables for `\input`; the packages amsmath and booktabs set them.

    Local derivatives are partial ones; slopes through all paths are written with d.
    """
    notation = Notation(composition)
    return (
        "% needs amsmath and booktabs\n"
        + _tabular(
            "lll",
            ("function", "local derivatives", "value"),
            _functions(composition, sweeps, notation),
        )
        + "\n\n\\bigskip\n\n"
        + _tabular(
            "ll",
            ("forward mode", "reverse mode"),
            _sweeps(composition, sweeps, notation),
        )
    )


def _tabular(columns: str, head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [" & ".join(head) + r" \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in rows]
    body = "\n".join(lines)
    return (
        "{\\renewcommand{\\arraystretch}{2.3}%\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\n\\bottomrule\n"
        "\\end{tabular}}"
    )


def _functions(
    composition: Composition, sweeps: Sweeps, notation: Notation
) -> Iterator[Sequence[str]]:
    for step in composition.steps:
        h = notation.name(step.symbol)
        local = ", \\quad ".join(
            f"{_partial(h, notation.name(u))} = {notation.local(step.symbol, u)}"
            for u in step.local
        )
        found = _number(sweeps.values[step.symbol])
        function = notation.function(step.symbol)
        yield (
            f"$\\displaystyle {h} = {function}$",
            f"$\\displaystyle {local}$",
            f"$\\displaystyle {h} = {found}$",
        )


def _sweeps(
    composition: Composition, sweeps: Sweeps, notation: Notation
) -> Iterator[Sequence[str]]:
    """Forward from the first function, and in reverse from the last, side by side."""
    forward = [
        _forward_line(step, variable, sweeps, notation)
        for variable in composition.variables
        for step in composition.steps
        if any(sweeps.forward[variable][u] != 0 for u in step.local)
    ]
    last = composition.steps[-1].symbol
    backward = [
        _reverse_line(node, last, sweeps, notation)
        for node in (
            *(step.symbol for step in reversed(composition.steps)),
            *composition.variables,
        )
    ]
    for place in range(max(len(forward), len(backward))):
        yield tuple(
            f"$\\displaystyle {lines[place]}$" if place < len(lines) else ""
            for lines in (forward, backward)
        )


def _forward_line(
    step: Step, variable: Name, sweeps: Sweeps, notation: Notation
) -> str:
    r"""`dh_2/dw = (local by h_1) dh_1/dw = 1`, over all operands that w moves."""
    h, by = notation.name(step.symbol), notation.name(variable)
    factors = [
        _partial(h, notation.name(u))
        + ("" if u == variable else r"\, " + _total(notation.name(u), by))
        for u in step.local
        if sweeps.forward[variable][u] != 0
    ]
    found = _number(sweeps.forward[variable][step.symbol])
    return f"{_total(h, by)} = {' + '.join(factors)} = {found}"


def _reverse_line(node: Name, last: Name, sweeps: Sweeps, notation: Notation) -> str:
    r"""`df/dh_1 = df/dh_2 (local of h_2 by h_1) = 1/4`, over all that read h_1."""
    f, u = notation.objective, notation.name(node)
    factors = [
        f"{_total(f, notation.name(h))}\\, {_partial(notation.name(h), u)}"
        for h in sweeps.paths[node]
    ]
    found = _number(sweeps.reverse[node])
    return " = ".join(filter(None, (_total(f, u), " + ".join(factors), found)))


def _partial(above: str, below: str) -> str:
    """A local derivative."""
    return f"\\frac{{\\partial {above}}}{{\\partial {below}}}"


def _total(above: str, below: str) -> str:
    """A slope through all that lies between."""
    return f"\\frac{{\\mathrm{{d}} {above}}}{{\\mathrm{{d}} {below}}}"


def _number(value: Number) -> str:
    r"""`\frac{1}{4}`, `-3`, `0.4621`."""
    text = short_number(value)
    minus = "-" if text.startswith("-") else ""
    above, _, below = text.removeprefix("-").partition("/")
    return f"{minus}\\frac{{{above}}}{{{below}}}" if below else minus + above
