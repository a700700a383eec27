"""A verdict in words, in each language: its kind, its reason and what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbackprop.document.words import Words

if TYPE_CHECKING:
    from symbackprop.claims.verdict import Counterexample, Verdict

# Why a claim holds, does not type or cannot be decided; `Reason` fills in the parts.
# Names and formulas stand in backticks.
REASONS: dict[str, dict[str, str]] = {
    "proof scalar": {
        "en": "proved: both sides are one function",
        "zh": "已证明：两边是同一个函数",
    },
}


def told(verdict: Verdict, language: str = "en") -> str:
    """A verdict in a few lines: kind and reason, counterexample, right formulas, proof.

    >>> from symbackprop.claims.verdict import FAILS, Counterexample, Verdict
    >>> at = Counterexample({}, {"x": 1}, {}, "1", "2")
    >>> print(told(Verdict("x = 2*x", FAILS, counterexample=at, right=("x = x",))))
    fails
      counterexample: x = 1: 1 on the left, 2 on the right
      right: x = x
    """
    words = Words(language)
    lines = [headline(verdict, language)]
    if verdict.counterexample is not None:
        lines.append(instance(verdict.counterexample, language))
    lines += [_said(words, "right formula", formula=text) for text in verdict.right]
    width = max((len(line.text) for line in verdict.proof), default=0)
    lines += [f"{line.text:<{width}}  {line.why}".rstrip() for line in verdict.proof]
    lines += [_said(words, "given fact", fact=fact) for fact in verdict.given]
    return "\n  ".join(lines)


def headline(verdict: Verdict, language: str = "en") -> str:
    """Kind and reason on one line: `holds, proved: both sides are one function`."""
    words = Words(language)
    called = _said(words, f"verdict {verdict.kind}", condition=verdict.condition)
    if verdict.reason is None:
        return called
    key = "verdict, shown" if verdict.holds else "verdict, because"
    return _said(words, key, verdict=called, reason=verdict.reason.text(language))


def instance(example: Counterexample, language: str = "en") -> str:
    """A counterexample on one line."""
    return _said(
        Words(language),
        "counterexample",
        values=example.place() or Words(language).text("everywhere"),
        left=example.left,
        right=example.right,
    )


def _said(words: Words, key: str, **parts: str) -> str:
    return "".join(map(str, words(key, **parts)))
