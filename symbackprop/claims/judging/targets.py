"""The targets of a cross-entropy: data whose entries add up to 1."""

from __future__ import annotations

from sympy import preorder_traversal

from symbackprop.equations import Equation, System, Tensor, reads, tensor_of


def targets(base: System) -> tuple[Tensor, ...]:
    """Data that only weigh logarithms: the targets of a cross-entropy.

    `L = -sum(y[k]*log(p[k]), k)` => y; its entries are the chances of the classes.
    """
    readers: dict[str, list[Equation]] = {}
    for equation in base.equations:
        for name in dict.fromkeys(tensor_of(r) for r in equation.reads()):
            readers.setdefault(name, []).append(equation)
    return tuple(
        tensor
        for tensor in base.data
        if tensor.axes
        and not tensor.integer
        and tensor.name in readers
        and all(_weighs_logs(tensor.name, e) for e in readers[tensor.name])
    )


def _weighs_logs(name: str, equation: Equation) -> bool:
    for term in equation.terms:
        mine = [r for r in reads(term.body) if tensor_of(r) == name]
        if not mine:
            continue
        rest = term.body / mine[0]
        if len(set(mine)) > 1 or rest.has(mine[0]):
            return False
        if not any(p.func.__name__ == "log" for p in preorder_traversal(rest)):
            return False
    return True
