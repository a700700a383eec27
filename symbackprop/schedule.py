"""The order of computation: equations, and loops of equations tied in a recurrence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from symbackprop.equations import (
    Equation,
    Name,
    System,
    affine,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import DeclarationError


@dataclass(frozen=True)
class Loop:
    """Items computed together, step by step along one index of each equation.

    Attributes:
        steps: for each equation below (in any depth), by its tensor's name, the one
            of its own indices that is the step.
        length: the number of steps; an equation whose own index is shorter is
            skipped at the steps beyond it.
        ascending: whether the steps run 0, 1, 2, ... or from the last to the first.
    """

    items: tuple[Equation | Loop, ...]
    steps: dict[str, Name]
    length: int
    ascending: bool

    def equations(self) -> tuple[Equation, ...]:
        return tuple(flatten(self.items))


Item = Equation | Loop


def flatten(items: Iterable[Item]) -> list[Equation]:
    """The equations of a schedule in their order.

    `[e1, Loop([e2, e3])]` => `[e1, e2, e3]`
    """
    found: list[Equation] = []
    for item in items:
        found.extend([item] if isinstance(item, Equation) else flatten(item.items))
    return found


def schedule(system: System) -> tuple[Item, ...]:
    """Put the system's equations in order; the given order is kept where it can be.

    Raises:
        DeclarationError: a cycle that no step along one index unties.
    """
    return _order(list(system.equations), lambda reader, read: True, system, set())


def _order(
    equations: list[Equation],
    counts: Callable[[Equation, Sequence[object]], bool],
    system: System,
    used: set[Name],
) -> tuple[Item, ...]:
    items: list[Item] = []
    for component, cyclic in _components(equations, counts):
        items.append(_loop(component, counts, system, used) if cyclic else component[0])
    return tuple(items)


def _components(
    equations: list[Equation], counts: Callable[..., bool]
) -> list[tuple[list[Equation], bool]]:
    """Strongly connected components in an order that respects every read."""
    place = {equation.tensor: n for n, equation in enumerate(equations)}
    needs = [
        sorted(
            {
                place[tensor_of(read)]
                for read in equation.reads()
                if tensor_of(read) in place and counts(equation, read)
            }
        )
        for equation in equations
    ]
    # Tarjan's algorithm, iterative so that a deep network does not exhaust the stack.
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    waiting: set[int] = set()
    found: list[tuple[list[Equation], bool]] = []
    for root in range(len(equations)):
        if root in number:
            continue
        work = [(root, iter(needs[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        waiting.add(root)
        while work:
            here, rest = work[-1]
            for there in rest:
                if there not in number:
                    number[there] = low[there] = len(number)
                    stack.append(there)
                    waiting.add(there)
                    work.append((there, iter(needs[there])))
                    break
                if there in waiting:
                    low[here] = min(low[here], number[there])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == number[here]:
                    members = []
                    while True:
                        member = stack.pop()
                        waiting.discard(member)
                        members.append(member)
                        if member == here:
                            break
                    members.sort()
                    cyclic = len(members) > 1 or here in needs[here]
                    found.append(([equations[m] for m in members], cyclic))
    return found


def _loop(
    equations: list[Equation],
    counts: Callable[..., bool],
    system: System,
    used: set[Name],
) -> Loop:
    """Find one index of each equation along which every tie is a lag of one sign."""
    by_tensor = {equation.tensor: equation for equation in equations}
    first = equations[0]
    for position in range(len(first.indices)):
        places = {first.tensor: position}
        lags: list[int] = []
        if not _place(first, by_tensor, counts, places, lags):
            continue
        steps = {t: by_tensor[t].indices[p] for t, p in places.items()}
        if len(steps) < len(equations) or used & set(steps.values()):
            continue
        if not any(lags) or (min(lags) < 0 < max(lags)):
            continue

        length = max(system.size(index) for index in steps.values())
        inside = _at_the_same_step(counts, places)
        items = _order(equations, inside, system, used | set(steps.values()))
        return Loop(items, steps, length, ascending=min(lags) < 0)
    names = ", ".join(f"`{e.tensor}`" for e in equations)
    line = f"line {first.line}: " if first.line else ""
    raise DeclarationError(
        f"{line}{names} depend on one another in a cycle. A recurrence must read an "
        "earlier (or always a later) step along one index, as in `h[t - 1, i]`; "
        "read such a step, or break the cycle with a new tensor."
    )


def _at_the_same_step(
    counts: Callable[..., bool], places: dict[str, int]
) -> Callable[..., bool]:
    """Of the reads that count, those without a lag still order a loop's inside."""

    def same_step(reader: Equation, read: object) -> bool:
        return counts(reader, read) and not _lag(reader, read, places)

    return same_step


def _place(
    start: Equation,
    by_tensor: dict[str, Equation],
    counts: Callable[..., bool],
    places: dict[str, int],
    lags: list[int],
) -> bool:
    """Spread the position of the step from one equation to all that it ties to."""
    agenda = [start]
    while agenda:
        equation = agenda.pop()
        for read in equation.reads():
            tensor = tensor_of(read)
            if tensor not in by_tensor or not counts(equation, read):
                continue
            step = equation.indices[places[equation.tensor]]
            if any(
                term.target is not None and term.target[places[equation.tensor]] != step
                for term in equation.terms
            ):
                return False
            known = places.get(tensor)
            subscripts = subscripts_of(read)
            candidates = range(len(subscripts)) if known is None else [known]
            place = next(
                (p for p in candidates if _offset(subscripts[p], step) is not None),
                None,
            )
            if place is None:
                return False
            if known is None:
                places[tensor] = place
                agenda.append(by_tensor[tensor])
            lag = _offset(subscripts[place], step)
            assert lag is not None
            lags.append(lag)
    return True


def _offset(subscript: object, step: Name) -> int | None:
    """`t - 2` => -2 for the step `t`; None where the subscript is something else."""
    form = affine(subscript)
    return form[1] if form is not None and form[0] == {step: 1} else None


def _lag(reader: Equation, read: object, places: dict[str, int]) -> int:
    step = reader.indices[places[reader.tensor]]
    lag = _offset(subscripts_of(read)[places[tensor_of(read)]], step)
    assert lag is not None
    return lag
