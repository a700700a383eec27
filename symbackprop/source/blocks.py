"""What each stretch of code does: plans of equations, grouped into blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Term,
    affine,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.schedule import Item, Loop, flatten
from symbackprop.source.products import Product, as_product

# Longer blocks are cut, so that no loop's body grows without bound.
LONGEST = 12
# Innermost loops shorter than that are not worth having.
SHORT = 8


@dataclass(frozen=True)
class Plan:
    """How one equation is computed: each of its terms goes one of six ways.

    Attributes:
        equation: the equation.
        products: terms that are products of matrices.
        summed: terms summed over the batch into the tensor.
        shared: sums that are equal for all samples and elements, computed once before.
        outer: sums that are added to the tensor before that, row by row, since their
            operands do not lie along what is summed over.
        here: terms computed where the tensor's element is written.
        scattered: terms added to other elements afterwards.
    """

    equation: Equation
    products: tuple[Product, ...] = ()
    summed: tuple[Term, ...] = ()
    shared: tuple[Term, ...] = ()
    outer: tuple[Term, ...] = ()
    here: tuple[Term, ...] = ()
    scattered: tuple[Term, ...] = ()

    @property
    def direct(self) -> Product | None:
        """The product that is written into the tensor itself, before all else."""
        return self.products[0] if self.products and not self.summed else None

    @property
    def passes(self) -> bool:
        """Whether the tensor's elements are visited after products and sums."""
        if self.outer:
            return bool(self.here or self.shared or self.products)
        first = self.direct
        if first is None or self.here or self.shared or len(self.products) > 1:
            return True
        return bool(first.coefficient != 1)

    @property
    def sums_only(self) -> bool:
        """Whether the tensor is nothing but sums over the batch."""
        others = self.products, self.shared, self.outer, self.here, self.scattered
        return bool(self.summed) and not any(others)


@dataclass(frozen=True)
class Block:
    """Equations computed together: by one nest of loops, or step by step.

    `plans` holds the equations of a nest, `loop` a recurrence; one of them is empty.
    `flat` says that one loop runs over all samples and all elements at once.
    """

    plans: tuple[Plan, ...] = ()
    loop: Loop | None = None
    flat: bool = False

    @property
    def equations(self) -> tuple[Equation, ...]:
        if self.loop is not None:
            return tuple(flatten([self.loop]))
        return tuple(plan.equation for plan in self.plans)

    @property
    def needs(self) -> set[str]:
        """The tensors that it reads."""
        return {tensor_of(read) for e in self.equations for read in e.reads()}

    @property
    def sums_only(self) -> bool:
        """Whether it is one sum over the batch and nothing else."""
        return len(self.plans) == 1 and self.plans[0].sums_only


def is_scattered(term: Term, equation: Equation) -> bool:
    return term.target is not None and term.target != equation.indices


def plan(
    equation: Equation, system: System, matrices: bool = True, rows: bool = True
) -> Plan:
    """Decide for each term how it is computed.

    Args:
        equation: the equation.
        system: what its names mean.
        matrices: whether products of matrices may be used (not inside a recurrence).
        rows: whether sums may be added up row by row.
    """
    if equation.reduction != "sum":
        return Plan(equation, here=equation.terms)
    products: list[Product] = []
    summed: list[Term] = []
    shared: list[Term] = []
    here: list[Term] = []
    scattered: list[Term] = []
    for term in equation.terms:
        found = as_product(term, equation, system) if matrices else None
        if found is not None:
            products.append(found)
        elif term.average:
            summed.append(term)
        elif is_scattered(term, equation):
            scattered.append(term)
        elif matrices and _is_shared(term, equation, system):
            shared.append(term)
        else:
            here.append(term)
    outer = [t for t in here if rows and along_rows(t, equation, system)]
    if products:  # they may be scaled afterwards
        outer = []
    here = [term for term in here if term not in outer]
    return Plan(
        equation,
        tuple(products),
        tuple(summed),
        tuple(shared),
        tuple(outer),
        tuple(here),
        tuple(scattered),
    )


def along_rows(term: Term, equation: Equation, system: System) -> bool:
    """Whether a sum is better computed for a row of elements at once than one by one.

    `delta[i] = sum(W[k, i]*d[k], k)`: W lies along i, so i is the innermost loop, in
    which neighbours in memory are computed together.
    """
    if not term.bound or not equation.indices or is_scattered(term, equation):
        return False
    row, summed = (
        _pull(letter, term, system) for letter in (equation.indices[-1], term.bound[-1])
    )
    return row > summed


def _pull(letter: Name, term: Term, system: System) -> int:
    """How much speaks for a letter as the innermost loop."""
    points = 0 if system.size(letter) >= SHORT else -2
    for read in reads(term.body):
        subscripts = subscripts_of(read)
        found = [s for s in subscripts if letter in s.free_symbols]
        if found:
            form = affine(subscripts[-1])
            along = form is not None and form[0].get(letter) == 1
            points += 1 if along and len(found) == 1 else -2
    return points


def _is_shared(term: Term, equation: Equation, system: System) -> bool:
    """`L = E + sum(W[i, j]**2, i, j)`: the same sum for every sample."""
    symbols = set(term.body.free_symbols)
    for guard in term.guards:
        symbols |= guard.subscript.free_symbols
    if not term.bound or symbols & set(equation.indices):
        return False
    names = [s.name for s in symbols if isinstance(s, Name) and s.kind == "tensor"]
    return not any(system.tensors[name].batched for name in names)


def group(
    items: Iterable[Item],
    system: System,
    *,
    matrices: bool = True,
    flat: frozenset[str] = frozenset(),
) -> list[Block]:
    """Blocks in order: an equation joins the one before it where their loops agree.

    `z[i] = ...`, `a[i] = tanh(z[i])` => one block.

    Args:
        items: equations and loops.
        system: what their names mean.
        matrices: whether products of matrices may be used.
        flat: tensors whose loop is flat.
    """
    blocks: list[Block] = []
    for item in items:
        if isinstance(item, Loop):
            blocks.append(Block(loop=item))
            continue
        planned = plan(item, system, matrices, rows=matrices)
        if item.tensor in flat:
            blocks.append(Block((planned,), flat=True))
            continue
        if blocks and _joins(planned, blocks[-1], system):
            blocks[-1] = Block((*blocks[-1].plans, planned))
        else:
            blocks.append(Block((planned,)))
    return blocks


def _joins(planned: Plan, block: Block, system: System) -> bool:
    """Whether a plan can be computed in the loops of a block.

    It must read what the block computes, and that only at its own indices.
    """
    if block.loop is not None or block.flat or len(block.plans) >= LONGEST:
        return False
    if planned.products or planned.summed or planned.scattered:
        return False
    if any(p.summed or p.scattered for p in block.plans):
        return False
    first, equation = block.plans[0].equation, planned.equation
    if space(first, system) != space(equation, system):
        return False
    made = {p.equation.tensor for p in block.plans}
    for term in planned.shared:
        if made & {tensor_of(read) for read in reads(term.body)}:
            return False
    if any(tensor_of(r) in made for term in planned.outer for r in reads(term.body)):
        return False
    inside = [read for read in equation.reads() if tensor_of(read) in made]
    return bool(inside) and all(subscripts_of(r) == equation.indices for r in inside)


def space(equation: Equation, system: System) -> tuple[bool, tuple[int, ...]]:
    """Whether an equation has a value for each sample, and the sizes of its indices."""
    sizes = tuple(system.size(index) for index in equation.indices)
    return system.tensors[equation.tensor].batched, sizes
