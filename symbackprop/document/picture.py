"""The network drawn: a box for each tensor, an arrow to whatever reads it.

Computed tensors stand in columns by the longest way to them; what is given stands
beside the first tensor that reads it, data above and parameters beneath. Sums that were
split off and all but the first of equal layers are left out; an arrow with dots passes
through the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from symbackprop.document.account import Account
from symbackprop.document.chapter import Node, Picture
from symbackprop.document.sequence import twins
from symbackprop.equations import Tensor, tensor_of

COLUMNS = 9  # a longer network is folded like a line of text
ASIDE = 0.56  # of a column, between two parameters of one equation
DOTS = r"\cdots"

Kind = Literal["data", "parameter", "computed", "objective"]
Arrow = tuple[str, str, str]


def picture(account: Account) -> Picture:
    """The picture of a network."""
    graph = _Graph(account)
    order = {tensor.name: place for place, tensor in enumerate(graph.shown)}
    places = graph.places()
    nodes = tuple(graph.node(tensor, *places[tensor.name]) for tensor in graph.shown)
    arrows = tuple((order[s], order[e], label) for s, e, label in graph.arrows)
    caption = account.words("picture")
    if not graph.whole:
        caption += (" ", *account.words("penalty not drawn"))
    return Picture(nodes, arrows, caption)


class _Graph:
    """What is drawn: tensors in their order, and arrows between them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.program = account.derivation.program
        self.equations = {e.tensor: e for e in self.program.equations}
        self.split = set(self.program.split)
        self.first = twins(account, account.derivation.forward_items)
        drawn = [
            name
            for name in self.equations
            if name not in self.split and name not in self.first
        ]
        arrows = list(dict.fromkeys(self._arrows(drawn)))
        self.arrows = [arrow for arrow in arrows if not self._is_penalty(arrow, arrows)]
        self.whole = len(self.arrows) == len(arrows)
        read = {start for start, _, _ in self.arrows}
        given = [t for t in self.program.tensors.values() if t.role != "defined"]
        self.computed = [self.program.tensors[name] for name in drawn]
        self.given = [tensor for tensor in given if tensor.name in read]
        self.shown = [*self.given, *self.computed]

    def _arrows(self, drawn: list[str]) -> Iterator[Arrow]:
        for name in drawn:
            for source in self._sources(name, frozenset()):
                here = self.first.get(source, source)
                if here != name and (here == source or here in drawn):
                    yield here, name, "" if here == source else DOTS

    def _is_penalty(self, arrow: Arrow, arrows: list[Arrow]) -> bool:
        """Whether a parameter that has another use enters the objective itself."""
        start, end, _ = arrow
        return (
            end == self.program.objective
            and self.program.tensors[start].role == "parameter"
            and any(s == start and e != end for s, e, _ in arrows)
        )

    def _sources(self, name: str, seen: frozenset[str]) -> Iterator[str]:
        """What an equation reads, looking through sums that were split off."""
        for source in dict.fromkeys(tensor_of(r) for r in self.equations[name].reads()):
            if source in self.split and source not in seen:
                yield from self._sources(source, seen | {source})
            elif source not in self.split:
                yield source

    # --- where things stand ----------------------------------------------------------

    def places(self) -> dict[str, tuple[float, int]]:
        """A column and a row for each tensor."""
        columns = self._columns()
        readers = {tensor.name: self._reader(tensor.name) for tensor in self.given}
        at: dict[str, tuple[float, int]] = {}
        filled: dict[int, int] = {}
        above: dict[str, int] = {}
        for tensor in self.computed:
            column = columns[tensor.name]
            row = filled.get(column, 0)
            at[tensor.name] = column, row
            own = [
                given.name
                for given in self.given
                if readers[given.name] == tensor.name and given.role == "parameter"
            ]
            for place, name in enumerate(own):
                pair = len(own) > 1 and (place < len(own) - 1 or place % 2)
                shift = (place % 2 - 0.5) * ASIDE if pair else 0.0
                at[name] = column + shift, row + 1 + place // 2
            filled[column] = row + 1 + (len(own) + 1) // 2
        for tensor in self.given:
            if tensor.role == "parameter":
                continue
            reader = readers[tensor.name]
            column, row = columns[reader], int(at[reader][1])
            above[reader] = above.get(reader, 0) + 1
            enters = column == 1
            step = above[reader] - 1 if enters else -above[reader]
            at[tensor.name] = (column - 1 if enters else column), row + step
        return self._folded(at)

    @staticmethod
    def _folded(at: dict[str, tuple[float, int]]) -> dict[str, tuple[float, int]]:
        """Columns beyond the width of the page stand in bands below."""
        rows = [row for _, row in at.values()]
        highest, band = min(rows), max(rows) - min(rows) + 2
        widest = 1 + round(max(column for column, _ in at.values()))
        bands = -(-widest // COLUMNS)
        width = -(-widest // bands)
        return {
            name: (
                column - width * (round(column) // width),
                row - highest + band * (round(column) // width),
            )
            for name, (column, row) in at.items()
        }

    def _columns(self) -> dict[str, int]:
        """The longest way to each computed tensor, along arrows that lead forwards."""
        columns: dict[str, int] = {}
        for tensor in self.computed:
            before = [s for s, e, _ in self.arrows if e == tensor.name and s in columns]
            columns[tensor.name] = 1 + max((columns[s] for s in before), default=0)
        return columns

    def _reader(self, name: str) -> str:
        """The first that reads a given tensor."""
        return next(e for s, e, _ in self.arrows if s == name)

    def node(self, tensor: Tensor, column: float, row: int) -> Node:
        kind: Kind = "computed" if tensor.role == "defined" else tensor.role
        if tensor.name == self.account.system.objective:
            kind = "objective"
        symbol = self.account.symbols.scalar(tensor.name).at()
        shape = r" \times ".join(map(str, self.account.system.shape(tensor.name)))
        return Node(symbol, shape, tensor.name, kind, column, row)
