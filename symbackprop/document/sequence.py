"""Equations in their order: recurrences are announced, equal layers are said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Ref,
    Table,
)
from symbackprop.equations import Equation, tensor_of
from symbackprop.repeats import Run, repeats
from symbackprop.schedule import Item, Loop, flatten

SHOWN = 4  # names in a list that is not shortened


def told(account: Account, items: Sequence[Item]) -> list[Block]:
    """Items as aligned blocks; of a run the first repetition, then what changes."""
    found = {run.start: run for run in runs(account, items)}
    blocks: list[Block] = []
    rows: list[NumberedEquation] = []

    def close() -> None:
        if rows:
            blocks.append(Equations(tuple(rows)))
            rows.clear()

    place = 0
    while place < len(items):
        run = found.get(place)
        group = run.first if run else (items[place],)
        for item in group:
            if isinstance(item, Loop):
                close()
                blocks.append(_recurrence(account, item))
            for equation in flatten([item]):
                printed = account.rows(equation)
                if len(printed) > 1:
                    close()
                    blocks.append(Equations(printed))
                else:
                    rows += printed
            if isinstance(item, Loop):
                close()
        if run:
            close()
            blocks += _repetition(account, run)
        place += len(run.items) if run else 1
    close()
    return blocks


def repeated(account: Account, items: Sequence[Item]) -> frozenset[str]:
    """Tensors whose equations `told` leaves to a run's first repetition."""
    return frozenset(
        equation.tensor
        for run in runs(account, items)
        for equation in flatten(run.items[run.length :])
    )


def twins(account: Account, items: Sequence[Item]) -> dict[str, str]:
    """What each tensor of a later layer is called in the first of equal ones."""
    found: dict[str, str] = {}
    for run in filter(chained, runs(account, items)):
        for mapping in run.renaming[1:]:
            found |= {there: here for here, there in mapping.items() if there != here}
    return {there: here for there, here in found.items() if there not in found.values()}


def chained(run: Run) -> bool:
    """Whether each repetition reads the one before it, as layers do; else they stand
    side by side."""
    first = {equation.tensor for equation in flatten(run.first)}
    second = flatten(run.repetition(1))
    return any(tensor_of(r) in first for e in second for r in e.reads())


def runs(account: Account, items: Sequence[Item]) -> list[Run]:
    """Runs that begin where a layer does, if they can: at its first parameters."""
    parameters = {parameter.name for parameter in account.system.parameters}
    uses = [
        any(tensor_of(r) in parameters for e in flatten([item]) for r in e.reads())
        for item in items
    ]
    starts = [n for n, use in enumerate(uses) if use and not (n and uses[n - 1])]
    return repeats(items, account.system, starts)


def renamed(account: Account, items: Sequence[Item]) -> frozenset[str]:
    """Tensors that only the later repetitions of a run name, parameters too."""
    found: set[str] = set()
    for run in runs(account, items):
        later = {name for mapping in run.renaming[1:] for name in mapping.values()}
        found |= later - set(run.renaming[0])
    return frozenset(found)


def _recurrence(account: Account, loop: Loop) -> Paragraph:
    equations = loop.equations()
    numbers = [account.derivation.number(equation.tensor) for equation in equations]
    step = loop.steps[equations[0].tensor]
    return Paragraph(
        account.words(
            "recurrence up" if loop.ascending else "recurrence down",
            equations=account.words.numbers(numbers),
            index=Math(account.symbols.index(step.name)),
            first=Math("0"),
            last=Math(str(loop.length - 1)),
        )
    )


def _repetition(account: Account, run: Run) -> list[Block]:
    words = account.words
    first = flatten(run.first)
    others = [flatten(run.repetition(n)) for n in range(1, run.count)]
    text = words(
        "repeated" if chained(run) else "repeated beside",
        equations=words.numbers(account.derivation.number(e.tensor) for e in first),
        others=words.numbers(
            account.derivation.number(e.tensor) for part in others for e in part
        ),
        count=run.count,
    )
    rows = [_numbers(account, place, first, others) for place in range(len(first))]
    for name, there in _renamed(account, run.renaming).items():
        symbols = [Math(account.symbols.scalar(other).at()) for other in there]
        rows.append(((Math(account.symbols.scalar(name).at()),), _short(symbols)))
    head = (words("here"), words("there"))
    return [Paragraph(text), Table(head, tuple(rows), (0, 0.7))]


def _numbers(
    account: Account,
    place: int,
    first: Sequence[Equation],
    others: Sequence[Sequence[Equation]],
) -> tuple[Inline, Inline]:
    number = account.derivation.number
    there = [f"({number(part[place].tensor)})" for part in others]
    return (Ref(number(first[place].tensor)),), _short(there)


def _renamed(
    account: Account, renaming: Sequence[Mapping[str, str]]
) -> dict[str, list[str]]:
    """What the first repetition's tensors are called in the others, adjoints aside."""
    origin = account.derivation.adjoint_of
    found: dict[str, list[str]] = {}
    for name in renaming[0]:
        there = [mapping[name] for mapping in renaming[1:]]
        if any(other != name for other in there):
            here = origin.get(name, name)
            found.setdefault(here, [origin.get(other, other) for other in there])
    return found


def _short(parts: Sequence[str | Math]) -> Inline:
    """`a, b, ..., z`."""
    shown: list[str | Math] = list(parts)
    if len(parts) > SHOWN:
        shown = [parts[0], parts[1], Math(r"\ldots"), parts[-1]]
    filled: list[str | Math] = []
    for place, part in enumerate(shown):
        filled += [", ", part] if place else [part]
    return tuple(filled)
