"""The section on a general layer: the recursion for any activation and any depth."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.argument.layer import GeneralLayer, general_layer
from symbackprop.argument.lines import Line, Proof
from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    Math,
    NumberedEquation,
    Paragraph,
    Section,
)
from symbackprop.document.functions import applied
from symbackprop.document.lines import Lines
from symbackprop.document.symbols import Symbols
from symbackprop.equations import tensor_of

LAYERS = {-1: "l - 1", 0: "l", 1: "l + 1"}


def general(account: Account) -> Section:
    """The window of three layers and what is derived in it."""
    layer = general_layer(account.derivation)
    if layer is None:
        return account.section("general layer")
    teller = _Teller(account, layer)
    words = account.words
    blocks: list[Block] = [
        Paragraph(
            words(
                "general text", layer=Math("l"), before=Math("l - 1"), f=Math(teller.f)
            )
        ),
        Equations(tuple(teller.row(line) for line in layer.forward)),
        Paragraph(words("general proof")),
        *(Equations(teller.rows(proof)) for proof in layer.proofs[:2]),
        Paragraph(words("general recursion")),
        Equations(teller.rows(layer.recursion)),
        Paragraph(words("general parameters")),
        *(Equations(teller.rows(proof)) for proof in layer.proofs[2:]),
    ]
    return account.section("general layer", *blocks)


class _Teller:
    """Prints the window's lines with superscripts l - 1, l and l + 1."""

    def __init__(self, account: Account, layer: GeneralLayer) -> None:
        self.account = account
        linear, activation, following = (tensor_of(line.left) for line in layer.forward)
        # What comes into the layer is the activation of the one before it.
        given = {
            name: replace(
                account.symbols.scalar(
                    layer.origins[activation][0] if at < 0 else origin
                ),
                number=LAYERS[at],
            )
            for name, (origin, at) in layer.origins.items()
        }
        symbols = Symbols(
            layer.system, layer.adjoint_of, layer.slopes, (linear, following), given
        )
        symbols.value = account.symbols.value
        self.f = f"{layer.function}_{{l}}"
        slope = f"slope_{layer.function}_1"
        self.lines = Lines(
            layer.system,
            symbols,
            {
                layer.function: lambda printer, e: applied(printer, self.f, e.args),
                slope: lambda printer, e: applied(printer, f"{self.f}'", e.args),
            },
        )

    def row(self, line: Line) -> NumberedEquation:
        return self.lines.line(line)

    def rows(self, proof: Proof) -> tuple[NumberedEquation, ...]:
        words = self.account.words
        return tuple(
            self.lines.line(line, words(f"general {line.rule}"), first=not place)
            for place, line in enumerate(proof.lines)
        )
