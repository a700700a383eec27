"""A report on claims in words and formulas: a `Chapter`, which prints anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from symbackprop.claims.file import Quoted, Texts
from symbackprop.claims.phrases import entry, hint, kind_of
from symbackprop.claims.reports.numerals import array, numeral
from symbackprop.claims.reports.printer import index_letter, symbol
from symbackprop.claims.reports.typeset import RELATIONS, condition, rows
from symbackprop.claims.verdict import CONDITIONAL, HOLDS, Counterexample, Verdict
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
from symbackprop.document.matrices import bold
from symbackprop.document.measure import tokens, width
from symbackprop.document.words import Words
from symbackprop.errors import GrammarError

if TYPE_CHECKING:
    from symbackprop.claims.reports.report import Report

_SIGNS = {*RELATIONS.values(), r"\longrightarrow", r"\rightarrow", r"\in", r"\leq"}
LINE = 32.0  # em; a longer chain stands on several lines

_OPENING = ("{", r"\begin", r"\left", "(", "[")
_CLOSING = ("}", r"\end", r"\right", ")", "]")

Judged = tuple[int, Quoted, Verdict]


def chapter(report: Report, language: str) -> Chapter:
    """Summary, the table of verdicts, what does not hold, proofs."""
    teller = _Teller(report, language)
    sections = (
        teller.summary(),
        teller.verdicts(),
        *teller.parts("claims refuted", teller.refuted, teller.refutation),
        *teller.parts("claims proofs", teller.proved, teller.proof),
    )
    return Chapter(teller.title(), language, sections).linked()


class _Teller:
    """Tells one report in one language."""

    def __init__(self, report: Report, language: str) -> None:
        self.report = report
        self.language = language
        self.words = Words(language)
        numbered = enumerate(report.judged, 1)
        self.judged = [(number, *judged) for number, judged in numbered]
        self.refuted = [judged for judged in self.judged if not judged[2].holds]
        self.proved = [j for j in self.judged if j[2].holds and j[2].proof]

    def text(self, texts: Texts) -> str:
        """Words in the language, or else in English."""
        return texts.get(self.language, texts["en"])

    def title(self) -> Inline:
        claims = self.report.claims
        if claims.title:
            return (self.text(claims.title),)
        names = {quoted.program.name for quoted in claims.quoted if quoted.program}
        if len(names) == 1:
            return self.words("claims of", program=Code(names.pop()))
        return self.words("claims")

    # --- sections ---------------------------------------------------------------------

    def summary(self) -> Section:
        """How many claims there are of each kind, and what the kinds mean."""
        words, total = self.words, len(self.judged)
        sound = total - len(self.refuted)
        counted = words("claims counted", n=total, sound=sound, rest=total - sound)
        keys = ("verdict", "count", "meaning")
        head = tuple(words(f"column {key}") for key in keys)
        kinds = tuple(
            (
                words(f"verdict {kind}", condition="…"),
                (str(count),),
                words(f"meaning {kind}"),
            )
            for kind, count in self.report.counts.items()
        )
        blocks: list[Block] = [Paragraph(counted), Table(head, kinds, (0, 0, 0))]
        layouts = {quoted.layout for _, quoted, _ in self.judged if quoted.program}
        if len(layouts) == 1:
            sizes = {"m": Math("m"), "n": Math("n")}
            blocks.append(Paragraph(words(f"claims {layouts.pop()}", **sizes)))
        return Section(words("claims summary"), tuple(blocks))

    def verdicts(self) -> Section:
        """The table: number, section, formula, verdict."""
        named = any(quoted.section for _, quoted, _ in self.judged)
        keys = ("number", *(["section"] if named else []), "formula", "verdict")
        head = tuple(self.words(f"column {key}") for key in keys)
        listed: tuple[tuple[Inline, ...], ...] = tuple(
            (
                (Ref(number),),
                *([(quoted.section,)] if named else []),
                (shown(formula_rows(quoted)),),
                self.verdict(quoted, verdict),
            )
            for number, quoted, verdict in self.judged
        )
        widths = (0.0, *([0.0] if named else []), 0.58, 0.2)
        return Section(self.words("claims verdicts"), (Table(head, listed, widths),))

    def parts(
        self,
        title: str,
        judged: Sequence[Judged],
        told: Callable[[Judged], Iterator[Block]],
    ) -> Iterator[Section]:
        """A section with a part for each section of the source; nothing of none."""
        if not judged:
            return
        grouped = [
            (number, [block for each in group for block in told(each)])
            for number, group in groupby(judged, lambda each: each[1].section)
        ]
        opening = Paragraph(self.words(f"{title} text"))
        if len(grouped) == 1 and not grouped[0][0]:
            yield Section(self.words(title), (opening, *grouped[0][1]))
            return
        yield Section(self.words(title), (opening,))
        for number, blocks in grouped:
            yield Section(self.section(number), tuple(blocks), 2)

    def section(self, number: str) -> Inline:
        """The title of a section of the source."""
        titles = self.report.claims.sections
        if not number:
            return self.words("section none")
        if number not in titles:
            return self.words("section numbered", number=number)
        title = self.text(titles[number])
        return self.words("section named", title=title, number=number)

    # --- one claim --------------------------------------------------------------------

    def verdict(self, quoted: Quoted, verdict: Verdict) -> Inline:
        """Kind, how it was shown, on which facts; a note that stands nowhere else."""
        told = self.kind(verdict)
        if verdict.kind == HOLDS and verdict.shown:
            told = self.words(f"shown {verdict.shown}", verdict=told)
        for fact in verdict.given:
            told = self.words("shown given", verdict=told, fact=formula(fact))
        if quoted.note and verdict.holds:
            told = self.words("noted", verdict=told, note=self.text(quoted.note))
        return told

    def kind(self, verdict: Verdict) -> Inline:
        if verdict.kind != CONDITIONAL:
            return (kind_of(verdict, self.language),)
        try:
            under: Math | Code = Math(condition(verdict.condition))
        except GrammarError:
            under = Code(verdict.condition)
        return self.words(f"verdict {CONDITIONAL}", condition=under)

    def refutation(self, judged: Judged) -> Iterator[Block]:
        """The claim, what is wrong with it, and what holds instead."""
        number, quoted, verdict = judged
        words = self.words
        kind = self.kind(verdict)
        yield Paragraph(words("claim of kind", number=(Ref(number),), kind=kind))
        yield numbered(formula_rows(quoted), number)
        if quoted.tex:
            read = shown(rows(quoted.text, arrays_of(quoted)))
            yield Paragraph(words("claim read as", formula=read))
        if quoted.note:
            yield Paragraph((self.text(quoted.note),))
        if verdict.reason is not None:
            reason = coded(verdict.reason.text(self.language))
            but = coded(hint(verdict, self.language))
            key = "claim because, but" if but else "claim because"
            yield Paragraph(words(key, reason=reason, hint=but))
        if verdict.counterexample is not None:
            yield Paragraph(self.instance(verdict.counterexample, quoted))
        if verdict.right:
            yield Paragraph(words("claim right"))
            yield from displayed(verdict.right, quoted)

    def instance(self, example: Counterexample, quoted: Quoted) -> Inline:
        """`for x = 2 the left side is 1, the right one 3`"""
        whole = arrays_of(quoted) or ()
        places: list[Inline] = []
        for name, value in example.told.items():
            printed = array(value)
            letter = symbol(name).at()
            if printed is None:
                places.append((Code(f"{name} = {value}"),))
            else:
                letter = bold(letter) if name in whole else letter
                places.append((Math(f"{letter} = {printed}"),))
        places += [
            entry(self.words, index, at, Math(f"{index_letter(index)} = {at}"))
            for index, at in example.indices.items()
        ]
        if example.rest:
            places.append(self.words(example.rest))
        sides: dict[str, Inline] = {
            "left": _side(example.left),
            "right": _side(example.right),
        }
        return self.words("claim differs", values=self.words.joined(places), **sides)

    def proof(self, judged: Judged) -> Iterator[Block]:
        """The lines of a proof, each with its reason."""
        number, quoted, verdict = judged
        kind = self.kind(verdict)
        yield Paragraph(self.words("claim of kind", number=(Ref(number),), kind=kind))
        yield numbered(formula_rows(quoted), number)
        head = tuple(self.words(f"column {key}") for key in ("line", "why"))
        lines: tuple[tuple[Inline, ...], ...] = tuple(
            (
                (formula(line.text, arrays_of(quoted)),),
                coded(line.why.text(self.language)),
            )
            for line in verdict.proof
        )
        yield Table(head, lines, (0.6, 0.3))


# --- formulas -------------------------------------------------------------------------


def arrays_of(quoted: Quoted) -> frozenset[str] | None:
    """The tensors with axes of the program that a claim is about; None without one."""
    if quoted.program is None:
        return None
    return frozenset(n for n, t in quoted.program.tensors.items() if t.axes)


def formula_rows(quoted: Quoted) -> tuple[NumberedEquation, ...]:
    """A claim as its author wrote it, or else typeset from its text."""
    if quoted.tex:
        return cut(quoted.tex)
    return rows(quoted.text, arrays_of(quoted))


def cut(latex: str) -> tuple[NumberedEquation, ...]:
    r"""LaTeX as equations, one for each relation outside of brackets.

    >>> [row.latex.strip() for row in cut(r"f(x) = \frac{1}{x} > 0")]
    ['f(x) = \\frac{1}{x}', '> 0']
    """
    parts, signs, depth = [""], [], 0
    for token in tokens(latex):
        depth += (token in _OPENING) - (token in _CLOSING)
        if depth == 0 and token in _SIGNS and parts[-1].strip():
            signs.append(token)
            parts.append("")
        else:
            parts[-1] += token
    if not signs:
        return (NumberedEquation(None, "", (latex,), (), ""),)
    lefts = [parts[0].strip(), *[""] * (len(signs) - 1)]
    return tuple(
        NumberedEquation(None, left, (part.strip(),), (), sign)
        for left, sign, part in zip(lefts, signs, parts[1:], strict=True)
    )


def one_line(equations: Sequence[NumberedEquation]) -> str:
    """Equations that continue each other, side by side."""
    return " ".join(row.latex.strip() for row in equations)


def shown(equations: Sequence[NumberedEquation]) -> Math:
    """Equations within a line, in their full height."""
    return Math(rf"\displaystyle {one_line(equations)}")


def joined(equations: Sequence[NumberedEquation]) -> tuple[NumberedEquation, ...]:
    """A chain on one line where there is room for it."""
    first, *rest = equations
    if not rest or width(one_line(equations)) > LINE:
        return tuple(equations)
    behind = " ".join(row.latex.strip() for row in rest)
    return (replace(first, addends=(*first.addends, behind)),)


def numbered(equations: Sequence[NumberedEquation], number: int) -> Equations:
    """The number stands at the last line."""
    *first, last = joined(equations)
    return Equations((*first, replace(last, number=number)))


def displayed(texts: Sequence[str], quoted: Quoted) -> Iterator[Block]:
    """Formulas one below the other; one that cannot be typeset as it is written."""
    found: list[NumberedEquation] = []
    for text in texts:
        try:
            found += joined(rows(text, arrays_of(quoted)))
        except GrammarError:
            yield Paragraph((Code(text),))
    if found:
        yield Equations(tuple(found))


def formula(text: str, arrays: frozenset[str] | None = None) -> Math | Code:
    """A formula within a line, or as it is written where it cannot be typeset."""
    try:
        return shown(rows(text, arrays))
    except GrammarError:
        return Code(text)


def coded(text: str) -> Inline:
    """Words in which names stand in backticks.

    >>> coded("by `x`")
    ('by ', Code(text='x'))
    """
    parts = re.split(r"`([^`]*)`", text)
    return tuple(
        Code(part) if place % 2 else part for place, part in enumerate(parts) if part
    )


def _side(text: str) -> Inline:
    """A value: a number as mathematics, anything else in words."""
    printed = numeral(text)
    return (Math(printed),) if printed else (text,)
