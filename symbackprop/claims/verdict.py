"""What is found out about a claim: the verdict, its grounds, and what holds instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

HOLDS = "holds"
FAILS = "fails"
CONDITIONAL = "holds only if"
MISFIT = "does not type"
DEFINITION = "definition"
UPDATE = "update rule"
UNDECIDED = "cannot be decided"

KINDS = (HOLDS, FAILS, CONDITIONAL, MISFIT, DEFINITION, UPDATE, UNDECIDED)

# How a claim was shown to hold.
PROOF, EXACT, DIGITS = "proof", "exact", "digits"


@dataclass(frozen=True)
class Reason:
    """Why a claim holds, does not type or cannot be decided, as a phrase with parts.

    Attributes:
        key: of a phrase, so that it can be said in each language.
        parts: what is filled in.
    """

    key: str
    parts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def text(self, language: str = "en") -> str:
        """The reason in words.

        >>> Reason("proof scalar").text("en")
        'proved: both sides are one function'
        """
        from symbackprop.claims.phrases import REASONS

        return REASONS[self.key][language].format(**self.parts)


@dataclass(frozen=True)
class Line:
    """One line of a proof: an equation in the grammar, and why it follows.

    Attributes:
        text: the line.
        why: by which equations or rules, as in `by (18)`.
    """

    text: str
    why: Reason


@dataclass(frozen=True)
class Counterexample:
    """Values at which both sides of a claim differ, as small as they were found.

    Attributes:
        sizes: of the axes, by the letters of the claim or of the program.
        values: what each tensor and variable holds that matters, nested as its axes.
        indices: where the sides differ, by letter (in matrix form `row`, `column`).
        left: the value of the left side there, in 6 digits, or as a fraction.
        right: that of the right side.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    indices: Mapping[str, int]
    left: str
    right: str

    @property
    def told(self) -> Mapping[str, Any]:
        """The values that tell something; a network's many zeros tell little."""
        if not self.sizes:
            return self.values
        return {name: v for name, v in self.values.items() if not _zero(v)}

    @property
    def rest(self) -> str:
        """What is said of the others: "all else 0", "all 0", or nothing.

        "all values" where the sides differ whatever the values are.
        """
        if not (self.values or self.indices):
            return "all values"
        if len(self.told) == len(self.values):
            return ""
        return "all else 0" if self.told else "all 0"

    def places(self) -> tuple[str, ...]:
        """What stands where the sides differ: `W = [[1]]`, `x = [2]`."""
        return tuple(f"{name} = {_shown(value)}" for name, value in self.told.items())

    def text(self, language: str = "en") -> str:
        """`counterexample: W = [[1]], i = 0, all else 0: 1 on the left, ...`"""
        from symbackprop.claims.phrases import instance

        return instance(self, language)


@dataclass(frozen=True)
class Verdict:
    """What was found out about a claim.

    `bool(verdict)` says whether the claim holds as it stands; so do definitions and
    update rules, of which there is nothing to prove.

    Attributes:
        claim: the text of the claim.
        kind: one of `KINDS`.
        shown: how it was shown to hold: "proof", "exact" (on random fractions, with
            random functions in the place of the network's own) or "digits" (at random
            points, to 50 digits); "" where it does not hold.
        reason: in words: how it was shown, what does not fit, or why nothing is said.
        proof: the lines of a proof.
        counterexample: where it fails.
        right: formulas that hold instead, the nearest first, in the claim's notation.
        condition: under which it holds, as in `r <= 1`.
        given: facts about the data that it relies on, as in `sum(y[k], k) = 1`.
        program: the name of the program that it was judged on; "" for functions.
        seconds: how long that took.
    """

    claim: str
    kind: str
    shown: str = ""
    reason: Reason | None = None
    proof: tuple[Line, ...] = ()
    counterexample: Counterexample | None = None
    right: tuple[str, ...] = ()
    condition: str = ""
    given: tuple[str, ...] = ()
    program: str = ""
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with the claim as it stands."""
        return self.kind in (HOLDS, DEFINITION, UPDATE)

    @property
    def other_layout(self) -> tuple[str, str] | None:
        """The derivatives that fit in the other layout, and which that is."""
        if self.kind != MISFIT or not self.condition:
            return None
        derivatives, _, layout = self.condition.rpartition(": ")
        return derivatives, layout

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        """The verdict in a few lines."""
        return self.text()

    def text(self, language: str = "en") -> str:
        """The verdict in a few lines of one language, "en" or "zh"."""
        from symbackprop.claims.phrases import told

        return told(self, language)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every attribute, the reason in words, fractions as text."""
        made: dict[str, Any] = _plain(asdict(replace(self, reason=None, proof=())))
        made["proof"] = [{"text": n.text, "why": n.why.text()} for n in self.proof]
        made["holds"] = self.holds
        made["reason"] = self.reason.text() if self.reason else ""
        return made


def _shown(value: Any) -> str:
    """`[[1, 1/2]]` without quotes."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(v) for v in value)}]"
    return str(value) if isinstance(value, int | Fraction) else f"{value}"


def _plain(value: Any) -> Any:
    """Dicts, lists, numbers and text: `[1/2, 3]` => `["1/2", 3]`."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Fraction) else value


def _zero(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_zero(v) for v in value)
    return bool(value == 0)
