"""The notation section: how things are written, and a table of every symbol."""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Indexed

from symbackprop.document.account import Account
from symbackprop.document.chapter import Code, Inline, Math, Paragraph, Section, Table
from symbackprop.document.functions import operator
from symbackprop.document.pieces import decimal
from symbackprop.document.sequence import renamed
from symbackprop.equations import Name, Tensor, tensor_of
from symbackprop.scalars import TABLE


def notation(account: Account) -> Section:
    """How things are written, and a table of every symbol."""
    paragraphs = [Paragraph(text) for text in _conventions(account)]
    tensors = sorted(account.system.tensors.values(), key=lambda t: t.rank)
    told = meanings(account)
    hidden = renamed(account, account.derivation.forward_items)
    if hidden:
        paragraphs.append(Paragraph(account.words("left out")))
    rows = [
        _row(account, tensor, told[tensor.name])
        for tensor in tensors
        if tensor.name not in {*account.derivation.steps, *hidden}
    ]
    constants = sorted(account.system.constants.values(), key=lambda c: c.rank)
    for constant in constants:
        value = Math(decimal(sympy.Rational(constant.value)))
        symbol = Math(account.symbols.scalar(constant.name).at())
        meaning = account.words("constant", value=value)
        rows.append(
            ((symbol,), (Code(constant.name),), meaning, account.words("scalar"))
        )
    head = tuple(account.words(k) for k in ("symbol", "name", "meaning", "shape"))
    table = Table(head, tuple(rows), (0, 0.24, 0.32, 0))
    return account.section("notation", *paragraphs, table)


def _conventions(account: Account) -> Iterable[Inline]:
    words, symbols = account.words, account.symbols
    tensors = sorted(account.system.tensors.values(), key=lambda t: t.rank)
    plain = [t for t in tensors if t.name not in account.derivation.steps]
    numbered = next((t for t in plain if symbols.scalar(t.name).number), None)
    if numbered is not None:
        example = Math(symbols.scalar(numbered.name).at())
        yield words("superscripts", example=example, name=Code(numbered.name))
    letter = next((symbols.index(name) for name in account.system.axes), "i")
    yield words("twins", example=Math(f"{letter}'"))
    if symbols.batched:
        yield words(
            "batch",
            N=Math(symbols.samples),
            n=Math(symbols.sample),
            mean=Math(symbols.mean),
        )
    outside = [t for t in plain if t.zero_outside]
    if outside:
        names = (Math(symbols.scalar(t.name).at()) for t in outside)
        yield words("zero outside", tensors=words.listed(names))
    yield words(
        "brackets",
        example=Math(r"[\,\cdots\,]"),
        delta=Math(f"[{letter} = {letter}']"),
        letter=Math(letter),
        prime=Math(f"{letter}'"),
    )
    # In the proofs a partial derivative is that of one equation alone.
    derivative = f"\\mathrm{{d}} {symbols.objective} / \\mathrm{{d}} T"
    yield words(
        "deltas of the batch" if symbols.batched else "deltas",
        T=Math("T"),
        delta=Math(r"\delta_{T}"),
        derivative=Math(derivative),
        R=Math(symbols.value),
    )
    yield words(
        "total derivative",
        T=Math("T"),
        L=Math(symbols.objective),
        total=Math(derivative),
        partial=Math(f"\\partial {symbols.objective} / \\partial T"),
    )


def _row(account: Account, tensor: Tensor, meaning: Inline) -> tuple[Inline, ...]:
    indices = [account.symbols.index(axis) for axis in tensor.axes]
    symbol = Math(account.symbols.read(tensor.name, indices))
    shape = r" \times ".join(str(n) for n in account.system.shape(tensor.name))
    parts = [meaning]
    if tensor.role == "data":
        parts += [account.words("whole numbers")] * tensor.integer
        parts += [account.words("each sample")] * tensor.batched
    text: Inline = ()
    for place, part in enumerate(parts):
        text += (account.words("comma") if place else ()) + part
    shown: Inline = (Math(shape),) if shape else account.words("scalar")
    return (symbol,), (Code(tensor.name),), text, shown


def meanings(account: Account) -> dict[str, Inline]:
    """What each tensor that is not an adjoint is, told from its equation alone."""
    words, derivation = account.words, account.derivation
    applied = _activations(account)
    before = {read for _, read in applied.values()}
    found: dict[str, Inline] = {}
    for tensor in derivation.system.tensors.values():
        if tensor.role != "defined":
            found[tensor.name] = words(tensor.role)
    for equation in derivation.forward:
        name = equation.tensor
        if name == derivation.system.objective:
            kind = words("objective of")
        elif equation.reduction in ("argmax", "argmin"):
            kind = words("place")
        elif name in applied:
            sign = operator(account.symbols, applied[name][0])
            kind = words("activation by", function=Math(sign))
        elif name in derivation.program.split:
            kind = words("split")
        elif name in before or name in account.pre_activations:
            kind = words("pre-activation")
        else:
            kind = words("intermediate")
        found[name] = (*kind, f" ({derivation.number(name)})")
    return found


def _activations(account: Account) -> dict[str, tuple[str, str]]:
    """Tensors that are one activation of one tensor: which activation, which tensor."""
    found = {}
    for equation in account.derivation.forward:
        body = equation.terms[0].body
        if len(equation.terms) == 1 and not equation.terms[0].bound and body.args:
            row = TABLE.get(body.func.__name__)
            inside = body.args[0]
            if row and row.activation and isinstance(inside, Indexed | Name):
                found[equation.tensor] = (row.name, tensor_of(inside))
    return found
