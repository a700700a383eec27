"""What is derived, told with its proofs: slopes, error terms, recursions, gradients."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    NumberedEquation,
    Paragraph,
    Section,
)
from symbackprop.document.sequence import repeated, told
from symbackprop.equations import tensor_of
from symbackprop.schedule import Item, Loop


def local_derivatives(account: Account) -> Section:
    """The slope of each forward equation by each quantity that it reads."""
    derivation, words = account.derivation, account.words
    hidden = repeated(account, derivation.forward_items)
    rows: list[NumberedEquation] = []
    for equation in derivation.forward:
        flows = equation.tensor in account.calculus.adjoint
        if equation.tensor in hidden or equation.reduction in ("argmax", "argmin"):
            continue
        if not flows and equation.tensor != account.system.objective:
            continue
        for name in dict.fromkeys(tensor_of(read) for read in equation.reads()):
            if name in account.calculus.adjoint:
                rows += account.told(account.jacobian(equation, name))
    text = words("local text") + ((" ", *words("left out")) if hidden else ())
    blocks = (Paragraph(text), Equations(tuple(rows))) if rows else ()
    return account.section("local", *blocks)


def errors(account: Account) -> Section:
    """Adjoint equations of everything but the parameters."""
    items = [
        item
        for item in account.derivation.adjoint_items
        if isinstance(item, Loop) or item.tensor not in account.gradients
    ]
    return _proved(account, "errors", items)


def of_parameters(account: Account) -> list[Item]:
    """Adjoint equations of parameters."""
    return [
        item
        for item in account.derivation.adjoint_items
        if not isinstance(item, Loop) and item.tensor in account.gradients
    ]


def gradients(account: Account) -> Section:
    """Adjoint equations of the parameters."""
    return _proved(account, "gradients", of_parameters(account))


def _proved(account: Account, key: str, items: Sequence[Item]) -> Section:
    text = Paragraph(account.words(f"{key} text"))
    blocks = (text, *told(account, items)) if items else ()
    return account.section(key, *blocks)


def recursions(account: Account) -> Section:
    """Each layer's error term from the next layer's, other adjoints eliminated."""
    hidden = repeated(account, account.derivation.adjoint_items)
    blocks: list[Block] = []
    facts: list[str] = []
    for adjoint in account.kept:
        found = None if adjoint in hidden else account.recursion(adjoint)
        if found is None:
            continue
        facts += [line.fact for line in found.lines if line.fact]
        blocks.append(Equations(account.told(found)))
    if not blocks:
        return account.section("recursion")
    return account.section(
        "recursion", Paragraph(account.words("recursion text")), *blocks
    )
