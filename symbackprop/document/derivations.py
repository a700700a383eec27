"""What is derived, told with its proofs: slopes, error terms, recursions, gradients."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    NumberedEquation,
    Paragraph,
    Ref,
    Section,
)
from symbackprop.document.matrix_form import row
from symbackprop.document.sequence import repeated, told
from symbackprop.equations import Equation, tensor_of
from symbackprop.schedule import Item, Loop


def local_derivatives(account: Account) -> Section:
    """The slope of each forward equation by each quantity that it reads."""
    derivation, words = account.derivation, account.words
    hidden = repeated(account, derivation.forward_items)
    rows: list[NumberedEquation] = []
    for equation, name in _slopes(account, hidden):
        rows += account.told(account.jacobian(equation, name))
    text = words("local text") + ((" ", *words("left out")) if hidden else ())
    blocks = (Paragraph(text), Equations(tuple(rows))) if rows else ()
    return account.section("local", *blocks)


def _slopes(
    account: Account, hidden: Collection[str]
) -> Iterator[tuple[Equation, str]]:
    """Each forward equation that slopes flow through, with each tensor they flow to."""
    adjoint = account.calculus.adjoint
    for equation in account.derivation.forward:
        flows = equation.tensor in adjoint
        if equation.tensor in hidden or equation.reduction in ("argmax", "argmin"):
            continue
        if flows or equation.tensor == account.system.objective:
            for name in dict.fromkeys(tensor_of(read) for read in equation.reads()):
                if name in adjoint:
                    yield equation, name


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


def matrices(account: Account) -> Section:
    """What was derived, in matrix form: slopes, error terms, recursions, gradients."""
    words, derivation = account.words, account.derivation
    if account.notation == "index":
        return account.section("matrix")
    declared = {e.tensor for e in derivation.program.equations}
    declared -= set(derivation.program.split)
    hidden = {
        *repeated(account, derivation.forward_items),
        *repeated(account, derivation.adjoint_items),
    }
    blocks: list[Block] = []

    def tell(key: str, found: Iterator[NumberedEquation]) -> None:
        shown = tuple(found)
        if shown:
            blocks.extend((Paragraph(words(key)), Equations(shown)))

    def forward() -> Iterator[NumberedEquation]:
        for equation in derivation.program.equations:
            sides = account.declared.equation(equation.tensor)
            if sides is not None and equation.tensor in declared - hidden:
                number = derivation.number(equation.tensor)
                yield row(sides, (Ref(number),))

    def slopes() -> Iterator[NumberedEquation]:
        for equation, name in _slopes(account, hidden):
            if {equation.tensor, name} & account.calculus.forward.keys() <= declared:
                sides = account.matrix.jacobian(
                    account.jacobian(equation, name).lines[-1]
                )
                if sides is not None:
                    number = derivation.number(equation.tensor)
                    yield row(sides, (Ref(number),))

    def errors_again() -> Iterator[NumberedEquation]:
        for equation in derivation.adjoint:
            origin = derivation.adjoint_of.get(equation.tensor)
            if origin not in declared - hidden or equation.tensor in hidden:
                continue
            proof = (
                account.recursion(equation.tensor)
                if equation.tensor in account.kept
                else None
            )
            sides = account.matrix.equation(equation.tensor)
            number = Ref(derivation.number(equation.tensor))
            if sides is not None:
                yield row(sides, (number,))
            if proof is not None:
                last = proof.lines[-1]
                sides = account.matrix.line(last)
                fact = last.fact and account.told(proof)[-1].reason
                if sides is not None:
                    yield row(sides, fact or ())

    def slopes_of_parameters() -> Iterator[NumberedEquation]:
        for item in of_parameters(account):
            assert not isinstance(item, Loop)
            sides = account.matrix.equation(item.tensor)
            if sides is not None and item.tensor not in hidden:
                yield row(sides, (Ref(derivation.number(item.tensor)),))

    if not account.matrices_alone:
        tell("matrix forward", forward())
    tell("matrix slopes", slopes())
    tell("matrix errors", errors_again())
    if not account.matrices_alone:
        tell("matrix gradients", slopes_of_parameters())
    if not blocks:
        return account.section("matrix")
    return account.section("matrix", Paragraph(words("matrix text")), *blocks)


def _proved(account: Account, key: str, items: Sequence[Item]) -> Section:
    text = Paragraph(account.words(f"{key} text"))
    blocks = (text, *told(account, items)) if items else ()
    return account.section(key, *blocks)


def recursions(account: Account) -> Section:
    """Each layer's error term from the next layer's, other adjoints eliminated."""
    hidden = repeated(account, account.derivation.adjoint_items)
    blocks: list[Block] = []
    for adjoint in account.kept:
        found = None if adjoint in hidden else account.recursion(adjoint)
        if found is None:
            continue
        blocks.append(Equations(account.told(found)))
    if not blocks:
        return account.section("recursion")
    return account.section(
        "recursion", Paragraph(account.words("recursion text")), *blocks
    )
