"""The section on a general layer: the recursion for any activation and any depth."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Indexed

from symbackprop.argument.layer import ABSTRACT, GeneralLayer, general_layer
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
from symbackprop.document.functions import Rule, applied
from symbackprop.document.lines import Lines
from symbackprop.document.matrix_form import MatrixForm, row
from symbackprop.document.symbols import Symbols
from symbackprop.equations import tensor_of
from symbackprop.scalars import TABLE

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
        *teller.matrix(layer.recursion),
        Paragraph(words("general parameters")),
        *(Equations(teller.rows(proof)) for proof in layer.proofs[2:]),
        *teller.matrix(*layer.proofs[2:]),
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
        symbols.value, symbols.slope = account.symbols.value, account.symbols.slope
        letter = symbols.unused("f", "g", "h", r"\varphi", r"\psi")
        self.f = f"{letter}_{{l}}"
        # Matrix forms are judged with functions that there are in the place of f, f'.
        self.stand_ins = {ABSTRACT: "cos", f"slope_{ABSTRACT}_1": "sin"}
        signs: dict[str, Rule] = {}
        for (name, other), sign in zip(
            self.stand_ins.items(), (self.f, f"{self.f}'"), strict=True
        ):
            signs[name] = signs[other] = self._written(sign)
        self.lines = Lines(layer.system, symbols, signs)
        self.matrices = MatrixForm(layer.system, symbols, layer.adjoint_of, signs)

    @staticmethod
    def _written(sign: str) -> Rule:
        return lambda printer, e: applied(printer, sign, e.args)

    def matrix(self, *proofs: Proof) -> tuple[Block, ...]:
        """The last line of each proof in matrix form."""
        words = self.account.words
        if self.account.notation == "index":
            return ()
        found = [self.matrices.line(self._judgeable(p.lines[-1])) for p in proofs]
        shown = tuple(row(sides) for sides in found if sides is not None)
        if not shown:
            return ()
        return (Paragraph(words("matrix again")), Equations(shown))

    def _judgeable(self, line: Line) -> Line:
        def walk(e: Expr) -> Expr:
            if not e.args or isinstance(e, Indexed):
                return e
            arguments = [walk(argument) for argument in e.args]
            other = self.stand_ins.get(e.func.__name__)
            return TABLE[other].call(*arguments) if other else e.func(*arguments)

        terms = tuple(replace(t, body=walk(t.body)) for t in line.terms)
        return replace(line, terms=terms)

    def row(self, line: Line) -> NumberedEquation:
        return self.lines.line(line)

    def rows(self, proof: Proof) -> tuple[NumberedEquation, ...]:
        words = self.account.words
        return tuple(
            self.lines.line(line, words(f"general {line.rule}"), first=not place)
            for place, line in enumerate(proof.lines)
        )
