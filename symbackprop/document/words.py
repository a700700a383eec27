"""Every phrase that a document can say, in each language that it speaks.

A phrase is a template; what stands in braces is filled with mathematics, names or
words. A new language adds its column to the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from symbackprop.document.chapter import Code, Inline, Math, Ref
from symbackprop.errors import DeclarationError, nearest

LANGUAGES = ("en",)
MANY = 8  # equation numbers in a list that is not shortened

PHRASES: dict[str, dict[str, str]] = {
    "title": {"en": "Backpropagation derived: {name}"},
    # what is derived
    "network": {"en": "The network"},
    "declared": {
        "en": "The network {name} is declared by {equations} equations. It has "
        "{parameters} parameters in {arrays} arrays. This document derives the "
        "slope of its objective by each of them. Every equation from the first to "
        "the last has a number; the code that is emitted for the network carries "
        "the same numbers."
    },
    "sizes": {
        "en": "Indices count from 0. A sum over an index runs over its whole range, "
        "unless a condition stands below it."
    },
    "index": {"en": "Index"},
    "range": {"en": "Range"},
    "notation": {"en": "Notation"},
    "superscripts": {
        "en": "A number that ends a name is written above it: {example} is {name}."
    },
    "twins": {
        "en": "A primed index, such as {example}, runs over the same range as the one "
        "without the prime."
    },
    "batch": {
        "en": "There are {N} samples. What depends on the sample is written for one "
        "sample, without its index {n}; the mean of such a quantity over all of them "
        "is {mean}."
    },
    "zero outside": {
        "en": "Where a subscript leaves its range, {tensors} is read as 0.",
    },
    "brackets": {
        "en": "A bracket {example} is 1 where its condition holds; where it fails, "
        "what it stands before is 0."
    },
    "deltas": {
        "en": "The error term of a quantity {T} is written {delta}: it is the partial "
        "derivative {derivative}.",
    },
    "deltas of the batch": {
        "en": "The error term of a quantity {T} is written {delta}: it is the partial "
        "derivative {derivative} for one sample, or, where {T} does not depend on the "
        "sample, that of the mean {R}."
    },
    "symbol": {"en": "Symbol"},
    "name": {"en": "Name"},
    "meaning": {"en": "Meaning"},
    "shape": {"en": "Shape"},
    "scalar": {"en": "number"},
    "parameter": {"en": "parameter"},
    "data": {"en": "data"},
    "whole numbers": {"en": "whole numbers"},
    "each sample": {"en": "one for each sample"},
    "constant": {"en": "constant, {value}"},
    "objective of": {"en": "objective"},
    "pre-activation": {"en": "pre-activation"},
    "activation by": {"en": "activation, by {function}"},
    "intermediate": {"en": "intermediate"},
    "split": {"en": "split off as an equation of its own"},
    "place": {"en": "where the extremum is taken"},
    "see": {"en": "see {equations}"},
    # forward
    "forward": {"en": "Forward equations"},
    "forward text": {"en": "In the order in which they are computed:"},
    "recurrence up": {
        "en": "Equations {equations} form a recurrence: they are computed together, "
        "for one value of {index} after the other, from {first} up to {last}."
    },
    "recurrence down": {
        "en": "Equations {equations} form a recurrence: they are computed together, "
        "for one value of {index} after the other, from {last} down to {first}."
    },
    "rewritten": {
        "en": "Equations {equations} are not written as they were declared, "
        "but in an equal form that neither overflows nor cancels."
    },
    "repeated": {
        "en": "Equations {equations} are the first of {count} equal layers. Equations "
        "{others} are the same with other names, each layer with its own indices:"
    },
    "here": {"en": "Here"},
    "there": {"en": "In the other layers"},
    "left out": {"en": "Equal layers are shown once, by the first of them."},
    "stable form": {"en": "stable form"},
    "shift of a sum of exponentials": {"en": "shifted by the maximum"},
    "logarithm by name": {"en": "logarithm by an equation of its own"},
    # activations
    "functions": {"en": "Functions and their derivatives"},
    "functions text": {
        "en": "The derivatives are derived from the definitions. Where one is written "
        "with the value of the function itself, that value has already been computed: "
        "the form is exact, and small in absolute error, but has little relative "
        "accuracy where the function saturates."
    },
    "values": {"en": "{function} has its values in {range}."},
    "kink": {"en": "Convention at its kinks: {convention}."},
    "slope 0 at both corners": {"en": "slope 0 at both corners"},
    "the left slope at 0": {"en": "the left slope at 0"},
    "the first argument takes a tie": {"en": "the first argument takes a tie"},
    "extrema": {
        "en": "Where several places share the extremum of {sign}, the first of them "
        "takes the whole slope."
    },
    "definition": {"en": "definition"},
    "derivative": {"en": "derivative"},
    # objective
    "objective": {"en": "The objective"},
    "objective text": {"en": "Training makes {value} small, equation {equation}."},
    "objective of the batch": {
        "en": "Equation {equation} gives the objective {objective} of one sample. "
        "Training makes its mean over the samples small:"
    },
    # derivatives
    "local": {"en": "Local derivatives"},
    "local text": {
        "en": "The chain rule needs the slope of each forward equation by each "
        "quantity that it reads. Under a sum it is the slope of one summand, by one "
        "occurrence; what has been computed already is used by its name."
    },
    "from": {"en": "from {equations}"},
    "errors": {"en": "Error terms"},
    "errors text": {
        "en": "Backwards from the objective, each quantity collects one term for each "
        "place where a forward equation reads it: the error term of what that "
        "equation computes, times the local derivative."
    },
    "chain rule": {"en": "chain rule through {equations}"},
    "unused": {"en": "the objective does not depend on it"},
    "gradients": {"en": "Gradients"},
    "gradients text": {
        "en": "The same step at a parameter gives its slope, which is what training "
        "needs."
    },
    "update": {"en": "The update rule"},
    "update text": {
        "en": "Gradient descent with learning rate {rate} replaces each parameter by"
    },
    "with": {"en": "with {equations}"},
    # checks
    "checks": {"en": "How this was checked"},
    "checks text": {
        "en": "Before this derivation was returned, it was compared with witnesses "
        "that know the forward equations alone."
    },
    "compared": {"en": "Compared"},
    "cases": {"en": "Cases"},
    "worst": {"en": "Largest relative error"},
    "exact": {"en": "none"},
    "and": {"en": " and "},
    "comma": {"en": ", "},
}


def check_language(language: object) -> str:
    """The language, if documents speak it.

    Raises:
        DeclarationError: it is not spoken.
    """
    if language not in LANGUAGES:
        spoken = ", ".join(f'"{each}"' for each in LANGUAGES)
        raise DeclarationError(
            f"document: language {language!r} is not spoken; there is {spoken}."
            f"{nearest(str(language), LANGUAGES)} Pass one of these as `language`."
        )
    return str(language)


class Words:
    """The phrases of one language.

    >>> Words("en")("chain rule", equations="(3)")
    ('chain rule through ', '(3)')
    """

    def __init__(self, language: str) -> None:
        self.language = check_language(language)

    def __call__(self, key: str, **parts: str | int | Math | Code | Inline) -> Inline:
        """A phrase with its parts filled in."""
        filled: list[str | Math | Code | Ref] = []
        for piece in re.split(r"(\{\w+\})", PHRASES[key][self.language]):
            if not piece.startswith("{"):
                filled.append(piece)
                continue
            part = parts[piece[1:-1]]
            if isinstance(part, tuple):
                filled.extend(part)
            else:
                filled.append(str(part) if isinstance(part, int) else part)
        return tuple(piece for piece in filled if piece != "")

    def knows(self, key: str) -> bool:
        """Whether there is such a phrase."""
        return key in PHRASES

    def text(self, key: str) -> str:
        """A phrase without parts."""
        return PHRASES[key][self.language]

    def numbers(self, numbers: Iterable[int]) -> str:
        """Equation numbers in order: `(1)-(3), (7)`; very many are shortened."""
        found: list[list[int]] = []
        for number in sorted(set(numbers)):
            if found and found[-1][-1] + 1 == number:
                found[-1].append(number)
            else:
                found.append([number])
        shown = []
        for run in found:
            shown += (
                [f"({run[0]})–({run[-1]})"] if len(run) > 2 else [f"({n})" for n in run]
            )
        if len(shown) > MANY:
            shown = [*shown[:2], "…", shown[-1]]
        return self.text("comma").join(shown)

    def listed(self, parts: Iterable[Math | Code]) -> Inline:
        """Several things: `a, b and c`."""
        everything = list(parts)
        filled: list[str | Math | Code | Ref] = []
        for place, part in enumerate(everything):
            if place:
                last = place == len(everything) - 1
                filled.append(self.text("and" if last else "comma"))
            filled.append(part)
        return tuple(filled)
