"""The appendix: how every equation was checked, and how well it held."""

from __future__ import annotations

from math import log10

from symbackprop.document.account import Account
from symbackprop.document.chapter import Inline, Math, Paragraph, Section, Table
from symbackprop.document.sequence import repeated
from symbackprop.equations import Equation

LEAST, ROUNDING = 1e-20, 1e-12  # double precision's errors lie between them


def checks(account: Account) -> Section:
    """The witnesses of the whole derivation, then equation by equation."""
    words = account.words
    rows = tuple(
        (
            words(check.what) if words.knows(check.what) else (check.what,),
            (str(check.cases),),
            _error(account, check.error),
        )
        for check in account.derivation.checks
        if check.cases
    )
    head = (words("compared"), words("cases"), words("worst"))
    blocks = (
        Paragraph(words("checks text")),
        Table(head, rows, (0.55, 0, 0)),
        Paragraph(words("checks each")),
        _each(account),
    )
    return account.section("checks", *(blocks if rows else blocks[2:]))


def _each(account: Account) -> Table:
    """A row for each equation; those of which the same is to be said share one."""
    words, derivation = account.words, account.derivation
    hidden = {
        *repeated(account, derivation.forward_items),
        *repeated(account, derivation.adjoint_items),
    }
    found: dict[tuple[Inline, Inline], list[int]] = {}
    for equation in (*derivation.forward, *derivation.adjoint):
        told = _told(account, equation, equation.tensor in hidden)
        found.setdefault(told, []).append(derivation.number(equation.tensor))
    rows = tuple(
        (words.numbers(numbers), how, error) for (how, error), numbers in found.items()
    )
    head = (words("equation"), words("how checked"), words("worst"))
    return Table(head, rows, (0.16, 0.48, 0.28))


def _told(account: Account, equation: Equation, hidden: bool) -> tuple[Inline, Inline]:
    """How one equation was checked, and its error."""
    words, derivation = account.words, account.derivation
    if hidden:
        return words("checked as repeated"), ("",)
    if equation.tensor in derivation.adjoint_of:
        proof = account.proof(equation.tensor)
        error = words("not exercised") if not proof.exercised else None
        return words("checked line by line"), error or _error(account, proof.error)
    if equation.tensor in derivation.steps:
        return words("checked as part"), ("",)
    if equation.tensor in derivation.rewritten:
        return words("checked as rewritten"), ("",)
    if equation.reduction in ("argmax", "argmin"):
        return words("checked as place"), ("",)
    return words("checked as declared"), ("",)


def _error(account: Account, error: float) -> Inline:
    """A relative error; of double precision's rounding only a bound.

    How it rounds depends on the processor, and the same declaration is to give the
    same document everywhere.
    """
    if error == 0:
        return account.words("exact")
    if LEAST < error < ROUNDING:
        return (Math(f"< 10^{{{round(log10(ROUNDING))}}}"),)
    digits, _, power = f"{error:.0e}".partition("e")
    return (Math(f"{digits} \\cdot 10^{{{int(power)}}}"),)
