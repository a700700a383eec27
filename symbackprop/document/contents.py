"""What a derivation's document says, in textbook order: one function a section."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from symbackprop.document.account import Account
from symbackprop.document.activations import functions
from symbackprop.document.appendix import checks
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
from symbackprop.document.derivations import (
    errors,
    gradients,
    local_derivatives,
    matrices,
    of_parameters,
    recursions,
)
from symbackprop.document.example import example
from symbackprop.document.general import general
from symbackprop.document.operations import operations
from symbackprop.document.picture import picture
from symbackprop.document.saturation import saturation
from symbackprop.document.sequence import renamed, repeated, told
from symbackprop.equations import Axis

if TYPE_CHECKING:
    from symbackprop.proof import Derivation


def chapter(derivation: Derivation, language: str, notation: str) -> Chapter:
    """All of it."""
    account = Account(derivation, language, notation)
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
    letters: dict[int, list[Inline]] = {}
    for axis in _axes(account):
        shown = (Math(account.symbols.index(axis.name)),)
        letters.setdefault(axis.size, []).append(shown)
    rows = tuple(
        (account.words.joined(same), (Math(_range(size)),))
        for size, same in letters.items()
    )
    head = (account.words("index"), account.words("range"))
    indices = (Paragraph(account.words("sizes")), Table(head, rows, (0, 0)))
    drawn = (Paragraph(declared), picture(account))
    return account.section("network", *drawn, *(indices if rows else ()))


def _axes(account: Account) -> list[Axis]:
    """The declared axes, but for those that only hidden equal layers have."""
    tensors = account.system.tensors
    hidden = renamed(account, account.derivation.forward_items)
    later = {axis for name in hidden for axis in tensors[name].axes}
    for name, tensor in tensors.items():
        if account.derivation.adjoint_of.get(name, name) not in hidden:
            later -= set(tensor.axes)
    return [a for a in account.system.axes.values() if not a.of and a.name not in later]


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


def update(account: Account) -> Section:
    """One step of gradient descent for each parameter."""
    words, system = account.words, account.system
    hidden = repeated(account, of_parameters(account))
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
    recursions,
    general,
    gradients,
    matrices,
    saturation,
    update,
    example,
    operations,
    checks,
)
