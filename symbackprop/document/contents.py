"""What a derivation's document says, in textbook order: one function a section."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sympy import Expr

from symbackprop.document.account import Account
from symbackprop.document.activations import functions
from symbackprop.document.chapter import (
    Block,
    Chapter,
    Code,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Ref,
    Section,
    Table,
)
from symbackprop.document.conventions import notation
from symbackprop.document.operations import operations
from symbackprop.document.saturation import saturation
from symbackprop.document.sequence import repeated, told
from symbackprop.schedule import Item, Loop

if TYPE_CHECKING:
    from symbackprop.proof import Derivation


def chapter(derivation: Derivation, language: str) -> Chapter:
    """All of it."""
    account = Account(derivation, language)
    sections = [tell(account) for tell in SECTIONS]
    made = Chapter(
        account.words("title", name=derivation.program.name),
        account.words.language,
        tuple(section for section in sections if section.blocks),
    )
    return made.linked()


def network(account: Account) -> Section:
    """Its name, how large it is, its indices."""
    parameters = account.system.parameters
    size = sum(math.prod(account.system.shape(p.name)) for p in parameters)
    declared = account.words(
        "declared",
        name=Code(account.derivation.program.name),
        equations=len(account.derivation.program.equations),
        parameters=size,
        arrays=len(parameters),
    )
    rows = tuple(
        (
            (Math(account.symbols.index(axis.name)),),
            (Math(_range(axis.size)),),
        )
        for axis in account.system.axes.values()
        if not axis.of
    )
    head = (account.words("index"), account.words("range"))
    indices = (Paragraph(account.words("sizes")), Table(head, rows, (0, 0)))
    return account.section("network", Paragraph(declared), *(indices if rows else ()))


def forward(account: Account) -> Section:
    """Every forward equation; recurrences are announced."""
    rewritten = [
        account.derivation.number(e.tensor)
        for e in account.derivation.forward
        if e.tensor in account.derivation.rewritten
    ]
    blocks: list[Block] = [Paragraph(account.words("forward text"))]
    blocks += told(account, account.derivation.forward_items)
    if rewritten:
        numbers = account.words.numbers(rewritten)
        blocks.append(Paragraph(account.words("rewritten", equations=numbers)))
    return account.section("forward", *blocks)


def objective(account: Account) -> Section:
    """What training makes small."""
    number = (Ref(account.derivation.number(account.system.objective)),)
    value, each = account.symbols.value, Math(account.symbols.objective)
    if not account.symbols.batched:
        text = account.words("objective text", value=each, equation=number)
        return account.section("objective", Paragraph(text))
    row = NumberedEquation(
        None, value, (f"{account.symbols.mean} {account.symbols.objective}",)
    )
    text = account.words("objective of the batch", equation=number, objective=each)
    return account.section("objective", Paragraph(text), Equations((row,)))


def local_derivatives(account: Account) -> Section:
    """The slope of each forward equation by each occurrence on its right."""
    derivation, words = account.derivation, account.words
    declared = {derivation.number(e.tensor): e for e in derivation.forward}
    hidden = {derivation.number(t) for t in repeated(account, derivation.forward_items)}
    found: dict[tuple[int, Expr, Expr], None] = {}
    for equation in derivation.adjoint:
        for step in derivation.steps.get(equation.tensor, ()):
            if step.equation not in hidden:
                found[step.equation, step.read, step.slope] = None
    rows = tuple(
        account.lines.derivative(
            declared[number], read, local, words("from", equations=(Ref(number),))
        )
        for number, read, local in sorted(found, key=lambda key: key[0])
    )
    text = words("local text") + ((" ", *words("left out")) if hidden else ())
    blocks = (Paragraph(text), Equations(rows)) if rows else ()
    return account.section("local", *blocks)


def errors(account: Account) -> Section:
    """Adjoint equations of everything but the parameters."""
    items = [
        item
        for item in account.derivation.adjoint_items
        if isinstance(item, Loop) or item.tensor not in account.gradients
    ]
    text = Paragraph(account.words("errors text"))
    return account.section("errors", *((text, *told(account, items)) if items else ()))


def _of_parameters(account: Account) -> list[Item]:
    return [
        item
        for item in account.derivation.adjoint_items
        if not isinstance(item, Loop) and item.tensor in account.gradients
    ]


def gradients(account: Account) -> Section:
    """Adjoint equations of the parameters."""
    items = _of_parameters(account)
    text = Paragraph(account.words("gradients text"))
    blocks = (text, *told(account, items)) if items else ()
    return account.section("gradients", *blocks)


def update(account: Account) -> Section:
    """One step of gradient descent for each parameter."""
    words, system = account.words, account.system
    hidden = repeated(account, _of_parameters(account))
    rows = []
    for parameter in system.parameters:
        name = account.derivation.slopes[parameter.name]
        if name in hidden:
            continue
        indices = [account.symbols.index(axis) for axis in system.tensors[name].axes]
        read = account.symbols.read(parameter.name, indices)
        change = f"- {account.rate}\\, {account.symbols.read(name, indices)}"
        reason = words("with", equations=(Ref(account.derivation.number(name)),))
        rows.append(NumberedEquation(None, read, (read, change), reason, r"\leftarrow"))
    text = words("update text", rate=Math(account.rate))
    if hidden:
        text = (*words("left out"), " ", *text)
    blocks = (Paragraph(text), Equations(tuple(rows))) if rows else ()
    return account.section("update", *blocks)


def checks(account: Account) -> Section:
    """What the derivation was held against, and how well it agreed."""
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
    table = Table(head, rows, (0.55, 0, 0))
    blocks = (Paragraph(words("checks text")), table) if rows else ()
    return account.section("checks", *blocks)


def _error(account: Account, error: float) -> Inline:
    if error == 0:
        return account.words("exact")
    digits, _, power = f"{error:.1e}".partition("e")
    return (Math(f"{digits} \\cdot 10^{{{int(power)}}}"),)


def _range(size: int) -> str:
    """`0, 1, ..., size - 1`, in full where that is short."""
    if size <= 3:
        return ", ".join(str(n) for n in range(size))
    return f"0, 1, \\ldots, {size - 1}"


SECTIONS = (
    network,
    notation,
    forward,
    functions,
    objective,
    local_derivatives,
    errors,
    gradients,
    saturation,
    update,
    operations,
    checks,
)
