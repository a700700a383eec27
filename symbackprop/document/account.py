"""What every section of a document needs: the derivation, its symbols, its words."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sympy import Indexed, Mul

from symbackprop.document.chapter import Block, Inline, NumberedEquation, Section
from symbackprop.document.lines import Lines
from symbackprop.document.symbols import Symbols
from symbackprop.document.words import Words
from symbackprop.equations import Equation, Name, Term, tensor_of

if TYPE_CHECKING:
    from symbackprop.proof import Derivation


class Account:
    """One derivation, to be told in one language.

    Attributes:
        symbols: how its names are written.
        lines: prints its equations.
        gradients: the adjoints of parameters.
        pre_activations: what activations are applied to.
        rate: the letter of the learning rate.
    """

    def __init__(self, derivation: Derivation, language: str) -> None:
        self.derivation = derivation
        self.system = derivation.system
        self.words = Words(language)
        self.gradients = frozenset(derivation.slopes.values())
        self.pre_activations = pre_activations(derivation)
        self.symbols = Symbols(
            derivation.system,
            derivation.adjoint_of,
            self.gradients,
            self.pre_activations,
        )
        self.lines = Lines(derivation.system, self.symbols)
        self.rate = self.symbols.unused(r"\alpha", r"\eta", r"\epsilon")

    @cached_property
    def equations(self) -> tuple[NumberedEquation, ...]:
        """Every equation of the derivation, printed once."""
        equations = (*self.derivation.forward, *self.derivation.adjoint)
        return tuple(
            self.lines.equation(
                equation,
                self.derivation.number(equation.tensor),
                self._reason(equation),
            )
            for equation in equations
        )

    def printed(self, equation: Equation) -> NumberedEquation:
        """One of them."""
        return self.equations[self.derivation.number(equation.tensor) - 1]

    def _reason(self, equation: Equation) -> Inline:
        """Why an equation holds; () for what was declared."""
        derivation, words = self.derivation, self.words
        if equation.tensor in derivation.steps:
            steps = derivation.steps.get(equation.tensor, ())
            if not steps:
                return words("unused")
            numbers = words.numbers(step.equation for step in steps)
            return words("chain rule", equations=numbers)
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
