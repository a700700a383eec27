"""The section on operations and memory: what each equation costs, for one sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from symbackprop.costs import Costs, costs
from symbackprop.costs.tallies import Cost
from symbackprop.document.account import Account
from symbackprop.document.chapter import Block, Inline, Math, Paragraph, Section, Table
from symbackprop.document.sequence import runs
from symbackprop.schedule import Item, flatten


def operations(account: Account) -> Section:
    """A table for each direction, then the totals, their ratio and the memory."""
    words, derivation = account.words, account.derivation
    counted = costs(derivation)
    blocks: list[Block] = [Paragraph(words("operations text"))]
    shown = False
    for title, items, total in (
        ("forward operations", derivation.forward_items, counted.forward),
        ("backward operations", derivation.adjoint_items, counted.backward),
    ):
        groups = _groups(account, items)
        if not groups:
            continue
        blocks += [Paragraph(words(title)), _table(account, counted, groups, total)]
        shown = shown or any(len(group) > 1 for group in groups)
    if shown:
        blocks.append(Paragraph(words("equal layers counted")))
    text = words(
        "totals",
        forward=Math(grouped(counted.forward.total)),
        backward=Math(grouped(counted.backward.total)),
        ratio=Math(f"{counted.ratio:.2f}"),
    )
    memory = words(
        "memory",
        workspace=Math(grouped(counted.workspace)),
        parameters=Math(grouped(counted.parameters)),
    )
    blocks += [Paragraph(text), Paragraph(memory)]
    if account.symbols.batched:
        samples = words("batch cost", N=Math(account.symbols.samples))
        blocks.append(Paragraph(samples))
    return account.section("operations", *blocks)


def _groups(account: Account, items: Sequence[Item]) -> list[list[str]]:
    """Tensors in their order; those of equal layers together, the first one first."""
    groups: list[list[str]] = []
    found = {run.start: run for run in runs(account, items)}
    place = 0
    while place < len(items):
        run = found.get(place)
        if run is None:
            groups += [[equation.tensor] for equation in flatten([items[place]])]
            place += 1
            continue
        layers = [flatten(run.repetition(n)) for n in range(run.count)]
        groups += [
            [equation.tensor for equation in same] for same in zip(*layers, strict=True)
        ]
        place += len(run.items)
    return groups


def _table(
    account: Account, counted: Costs, groups: Sequence[Sequence[str]], total: Cost
) -> Table:
    words = account.words
    head: tuple[Inline, ...] = (
        words("equation"),
        words("computes"),
        (Math(r"+\;-"),),
        (Math(r"\times"),),
        (Math(r"\div"),),
        words("choices"),
        words("calls"),
        words("stored"),
    )
    rows = []
    for group in groups:
        first = group[0]
        tensor = account.system.tensors[first]
        indices = [account.symbols.index(axis) for axis in tensor.axes]
        symbol = Math(_inline(account.symbols.read(first, indices)))
        numbers = words.numbers(account.derivation.number(name) for name in group)
        rows.append(
            (
                numbers,
                (symbol,),
                *_cells(counted.each[first]),
                _cell(counted.stored[first]),
            )
        )
    stored = sum(counted.stored[name] for group in groups for name in group)
    rows.append((words("total"), (), *_cells(total), _cell(stored)))
    # A kind of operation that none of the equations has needs no column.
    kept = [True, True, *(number > 0 for number in total.counts()), True]
    table = [tuple(compress(row, kept)) for row in (head, *rows)]
    return Table(table[0], tuple(table[1:]), (0,) * len(table[0]))


def _inline(latex: str) -> str:
    r"""A slope as it stands in running text: `\partial R / \partial W`."""
    if not latex.startswith((r"\frac{\partial ", r"\frac{\mathrm{d} ")):
        return latex
    above, below = latex.removeprefix(r"\frac{").removesuffix("}").split("}{", 1)
    return f"{above} / {below}"


def _cells(cost: Cost) -> tuple[Inline, ...]:
    return tuple(_cell(number) for number in cost.counts())


def _cell(number: int) -> Inline:
    return (Math(grouped(number)),) if number else ("–",)


def grouped(number: int) -> str:
    r"""`12345` => `12\,345`."""
    return f"{number:,}".replace(",", r"\,")
