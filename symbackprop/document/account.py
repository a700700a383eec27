"""What every section of a document needs: the derivation, its symbols, its words."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from sympy import Indexed, Mul

from symbackprop.argument.chain import Calculus
from symbackprop.argument.expansion import Expansion
from symbackprop.argument.judge import Judge
from symbackprop.argument.lines import Line, Proof
from symbackprop.document.chapter import (
    Block,
    Inline,
    Math,
    NumberedEquation,
    Section,
)
from symbackprop.document.lines import Lines
from symbackprop.document.matrix_form import MatrixForm, Sides
from symbackprop.document.symbols import Symbols
from symbackprop.document.words import Words
from symbackprop.equations import Equation, Name, Term, tensor_of
from symbackprop.logarithms import WHY as LOGARITHM

if TYPE_CHECKING:
    from symbackprop.proof import Derivation


class Account:
    """One derivation, to be told in one language and notation.

    Attributes:
        symbols: how its names are written.
        lines: prints its equations.
        gradients: the adjoints of parameters.
        pre_activations: what activations are applied to.
        rate: the letter of the learning rate.
    """

    def __init__(
        self, derivation: Derivation, language: str, notation: str = "both"
    ) -> None:
        self.derivation = derivation
        self.notation = notation
        self.system = derivation.system
        self.calculus = Calculus.of(derivation)
        self.judge = Judge(derivation, self.calculus.system)
        self.words = Words(language)
        self.gradients = frozenset(derivation.slopes.values())
        self.pre_activations = pre_activations(derivation)
        self.symbols = Symbols(
            self.calculus.system,
            derivation.adjoint_of,
            self.gradients,
            self.pre_activations,
            logarithms=[
                name
                for name, why in derivation.rewritten.items()
                if why == LOGARITHM and name not in derivation.program.tensors
            ],
        )
        self.lines = Lines(self.calculus.system, self.symbols)
        self._proofs: dict[str, Proof] = {}
        self._recursions: dict[str, Proof | None] = {}
        self.rate = self.symbols.unused(r"\alpha", r"\eta", r"\epsilon")

    # --- equations and proofs --------------------------------------------------------

    def rows(self, equation: Equation) -> tuple[NumberedEquation, ...]:
        """An equation as it is printed; an adjoint with the proof that ends in it."""
        sides = self.matrix.equation(equation.tensor) if self.matrices_alone else None
        if sides is not None:
            return (self.matrix_row(equation, sides),)
        if equation.tensor in self.derivation.adjoint_of:
            return self.told(self.proof(equation.tensor))
        number = self.derivation.number(equation.tensor)
        row = self.lines.equation(equation, number, self._reason(equation))
        return (replace(row, uses=self._uses(equation)),)

    def _uses(self, equation: Equation) -> tuple[int, ...]:
        """The numbers of the equations whose tensors an equation reads."""
        names = {tensor_of(read) for read in equation.reads()}
        numbers = self.derivation.numbers
        return tuple(sorted(numbers[name] for name in names if name in numbers))

    # --- matrices --------------------------------------------------------------------

    @property
    def matrices_alone(self) -> bool:
        """Whether an equation that has a matrix form is written in no other."""
        return self.notation == "matrix"

    @cached_property
    def matrix(self) -> MatrixForm:
        """The equations of the derivation in matrix form."""
        return MatrixForm(
            self.calculus.system, self.symbols, self.derivation.adjoint_of
        )

    @cached_property
    def declared(self) -> MatrixForm:
        """The equations of the program, as it was declared, in matrix form."""
        program = self.derivation.program.plain()
        axes = {**self.calculus.system.axes, **program.axes}
        return MatrixForm(replace(program, axes=axes), self.symbols, ())

    def matrix_row(self, equation: Equation, sides: Sides) -> NumberedEquation:
        """An equation's matrix form under its number."""
        number = self.derivation.number(equation.tensor)
        return NumberedEquation(
            number,
            sides.left,
            sides.right,
            self._reason(equation),
            uses=self._uses(equation),
        )

    def proof(self, adjoint: str) -> Proof:
        """The proof of an adjoint equation, judged."""
        if adjoint not in self._proofs:
            derived = next(e for e in self.derivation.adjoint if e.tensor == adjoint)
            opaque = tuple(step.opaque for step in self.derivation.steps[adjoint])
            origin = self.derivation.adjoint_of[adjoint]
            made = self.calculus.chain(origin, opaque, derived)
            self._proofs[adjoint] = self.judge.judged(made)
        return self._proofs[adjoint]

    def jacobian(self, equation: Equation, tensor: str) -> Proof:
        """The proof of a local derivative, judged."""
        return self.judge.judged(self.calculus.jacobian(equation, tensor))

    def recursion(self, adjoint: str) -> Proof | None:
        """The proof of an error term's recursion, judged; None where there is none."""
        if adjoint not in self._recursions:
            found = self._expansion.of(adjoint)
            self._recursions[adjoint] = found and self.judge.judged(found)
        return self._recursions[adjoint]

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The error terms of pre-activations, in the order of their numbers."""
        names = self.calculus.adjoint
        found = [names[t] for t in self.pre_activations if t in names]
        return tuple(sorted(found, key=self.derivation.number))

    @cached_property
    def _expansion(self) -> Expansion:
        return Expansion(self.calculus, self.derivation.adjoint, self.kept)

    def told(self, proof: Proof) -> tuple[NumberedEquation, ...]:
        """A proof's lines, aligned; an equation's own number stands at the last."""
        used = tuple(sorted({number for line in proof.lines for number in line.uses}))
        rows = (
            self.lines.line(line, self._rule(line), first=not place)
            for place, line in enumerate(proof.lines)
        )
        return tuple(
            row if row.number is None else replace(row, uses=used) for row in rows
        )

    def _rule(self, line: Line) -> Inline:
        words = self.words
        fact: Math | str = (
            Math(self.symbols.scalar(line.fact).at()) if line.fact else ""
        )
        if not line.terms:
            return words("unused")
        return words(
            f"rule {line.rule}",
            equations=words.numbers(line.uses),
            data=fact,
        )

    def _reason(self, equation: Equation) -> Inline:
        """Why a forward equation, or a part of an adjoint one, holds."""
        derivation, words = self.derivation, self.words
        if equation.tensor in derivation.steps:
            steps = derivation.steps[equation.tensor]
            return words(
                "rule chain rule", equations=words.numbers(s.equation for s in steps)
            )
        why = derivation.rewritten.get(equation.tensor, "")
        return words(why) if words.knows(why) else (why,) if why else ()

    def section(self, title: str, *blocks: Block) -> Section:
        """A section whose title is a phrase."""
        return Section(self.words(title), blocks)


def pre_activations(derivation: Derivation) -> tuple[str, ...]:
    """Tensors that sum products of a parameter with something else, as W x + b does."""
    parameters = {tensor.name for tensor in derivation.system.parameters}

    def weighted(term: Term) -> bool:
        factors = [
            factor
            for factor in Mul.make_args(term.body)
            if isinstance(factor, Indexed | Name)
        ]
        names = {tensor_of(factor) for factor in factors}
        return bool(term.bound and names & parameters and names - parameters)

    return tuple(e.tensor for e in derivation.forward if any(map(weighted, e.terms)))
