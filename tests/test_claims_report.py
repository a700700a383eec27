"""Verdicts in words, formulas typeset, and the report in every format."""

from __future__ import annotations

import ast
import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from browser import CHROMIUM, ask
from test_chapter import OVERFULL
from test_chapter import typeset as set_by

import symbackprop as sb
from symbackprop import claims as package
from symbackprop.claims.file import Claims, Quoted
from symbackprop.claims.phrases import REASONS
from symbackprop.claims.reports.chapter import arrays_of
from symbackprop.claims.reports.numerals import array, numeral
from symbackprop.claims.reports.report import Report
from symbackprop.claims.reports.typeset import condition, latex, rows
from symbackprop.claims.verdict import (
    CONDITIONAL,
    DEFINITION,
    FAILS,
    HOLDS,
    KINDS,
    MISFIT,
    UNDECIDED,
    UPDATE,
    Counterexample,
    Line,
    Reason,
    Verdict,
)
from symbackprop.document.phrases import LANGUAGES
from symbackprop.document.web import html
from symbackprop.errors import GrammarError
from symbackprop.plain import json_text

AT = Counterexample(
    {"i": 2}, {"W1": [[1, Fraction(1, 2)]], "x": [0, 0]}, {"i": 1}, "0.42", "1/2"
)

# A verdict of every kind, and one with every attribute.
VERDICTS = (
    Verdict("tanh(x) = x", FAILS, counterexample=AT, right=("x = x",)),
    Verdict(
        "x = x",
        HOLDS,
        "proof",
        Reason("proof scalar"),
        (Line("x = x", Reason("as it stands")),),
    ),
    Verdict("abs(x) = x", CONDITIONAL, counterexample=AT, condition="x >= 0"),
    Verdict(
        "W1 = x", MISFIT, reason=Reason("sides misfit", {"first": "1", "second": "2"})
    ),
    Verdict("z = x", DEFINITION),
    Verdict("x <- x - r*D(L, x)", UPDATE),
    Verdict("x < x", UNDECIDED, reason=Reason("no values")),
    Verdict("y[k] = 1", HOLDS, "digits", given=("sum(y[k], k) = 1",)),
)


@pytest.fixture(scope="module")
def report() -> Report:
    quoted = [Quoted(verdict.claim, section="1.1") for verdict in VERDICTS]
    quoted[0] = replace(
        quoted[0],
        section="2",
        tex=r"\tanh(x) = \frac{x}{1} \in (0, 1)",
        note={"en": "100% <wrong>.", "zh": "错。"},
    )
    sections = {"1.1": {"en": "One", "zh": "一"}}
    return Report(Claims(tuple(quoted), {}, sections), VERDICTS)


# --- words ----------------------------------------------------------------------------


def test_verdict_of_every_kind_in_every_language() -> None:
    assert {verdict.kind for verdict in VERDICTS} == set(KINDS)
    for verdict in VERDICTS:
        told = {verdict.text(language) for language in LANGUAGES}
        assert len(told) == len(LANGUAGES)
    assert VERDICTS[0].text().splitlines() == [
        "fails",
        "  counterexample: W1 = [[1, 1/2]], i = 1, all else 0: 0.42 on the left, 1/2 "
        "on the right",
        "  right: x = x",
    ]
    assert VERDICTS[0].text("zh").splitlines()[2] == "  正确：x = x"
    assert VERDICTS[1].text().startswith("holds, proved: both sides")
    assert VERDICTS[2].text("zh").startswith("仅当 x >= 0 时成立")
    assert VERDICTS[7].text().splitlines()[1] == "  given: sum(y[k], k) = 1"


def test_the_other_layout_is_named() -> None:
    verdict = Verdict("a = b", MISFIT, condition="D(z, y): numerator")
    assert "with `D(z, y)` in numerator layout" in verdict.text()
    assert "采用分子布局" in verdict.text("zh")


def keys_of(source: str) -> set[str]:
    """The reasons that a module gives."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    return {
        str(argument.value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in ("Reason", "MisfitError", "UndecidedError")
        for outer in call.args[:1]
        for argument in ast.walk(outer)
        if isinstance(argument, ast.Constant)
    }


def test_every_reason_can_be_said() -> None:
    assert keys_of('Reason("a" if x else "b", {"c": "d"})') == {"a", "b"}
    folder = Path(package.__file__).parent
    given = {key for f in folder.rglob("*.py") for key in keys_of(f.read_text("utf-8"))}
    assert given <= set(REASONS)
    for key, row in REASONS.items():
        assert set(row) == set(LANGUAGES), key
        parts = [set(re.findall(r"\{(\w+)", text)) for text in row.values()]
        assert all(part == parts[0] for part in parts), key


# --- formulas -------------------------------------------------------------------------

TYPESET = {
    "D(L, W1[i, j]) = delta1[i]*x[j]": r"\frac{\partial L}{\partial W^{(1)}_{i j}} = "
    r"\delta^{(1)}_{i}\, x_{j}",
    "delta_a1[i] = delta_h": r"\delta^{(1)}_{a,i} = \delta_{h}",
    "delta = delta_z": r"\delta = \delta",
    "delta1 = f1'(z1) o (W2.T @ delta2)": r"\boldsymbol{\delta}^{(1)} = "
    r"f_{1}'(\mathbf{z}^{(1)}) \odot (\mathbf{W}^{(2)})^{\top} "
    r"\boldsymbol{\delta}^{(2)}",
    "x = W.T @ (a o b)": r"x = \mathbf{W}^{\top} "
    r"(\mathbf{a} \odot \mathbf{b})",
    "-y.T @ v = s": r"-\mathbf{y}^{\top} \mathbf{v} = s",
    "W <- W - r*D(L, W)": r"W \leftarrow W - r\, \frac{\partial L}{\partial W}",
    "a1 -> z2 -> a2": r"a^{(1)} \to z^{(2)} \to a^{(2)}",
    "-1 < tanh(x) <= 1": r"-1 < \tanh(x) \le 1",
    "f(x, r) = maximum(x, r*x) if 0 < r and r < 1": r"f(x, r) = \max(x, r\, x) \quad "
    r"(0 < r \;\land\; r < 1)",
    "y = where(x > 0, x, 2*x)": r"y = \begin{cases} x & x > 0 \\ 2 x & x \le 0 "
    r"\end{cases}",
    "y = where(x < 0, -1, where(x > 0, 1, 0))": r"y = \begin{cases} -1 & x < 0 \\ "
    r"1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    "y[k] = where(k == i, 1, 0)*a[i]": r"y_{k} = [k = i]\, a_{i}",
    "y = x - (a - b) - -c": r"y = x - (a - b) - (-c)",
    "y = (a + b)*c**2": r"y = (a + b)\, c^{2}",
    "y = a1**2": r"y = (a^{(1)})^{2}",
    "y = x*2*3": r"y = x \cdot 2 \cdot 3",
    "y = sqrt(x)/abs(x)": r"y = \frac{\sqrt{x}}{\lvert x \rvert}",
    "y = sum(a[i], i)*b": r"y = \biggl(\sum_{i} a_{i}\biggr)\, b",
    "y = sum(a[i] + b, i)/2": r"y = \frac{1}{2} \sum_{i} (a_{i} + b)",
    "y = max(z[k], k) + mean(z[k], k)": r"y = \max_{k}\, z_{k} + "
    r"\frac{1}{\lvert k \rvert} \sum_{k} z_{k}",
    "D(a + b, c) = 1": r"\frac{\partial}{\partial c} (a + b) = 1",
    "y = hard_tanh(0.25*x)": r"y = \operatorname{hard\mbox{-}tanh}(0.25\, x)",
    "sigma = logistic(x)": r"\sigma = \operatorname{logistic}(x)",
    "y = x[t + 1, i1]": r"y = x_{t + 1,i_{1}}",
}


@pytest.mark.parametrize("claim", TYPESET)
def test_claim_is_typeset(claim: str) -> None:
    assert latex(claim) == TYPESET[claim]


def test_arrays_of_the_program_are_bold() -> None:
    program = sb.Program(
        equations="z = sum(w[i]*x[i], i)\nL = z**2",
        axes={"i": 2},
        parameters={"w": "i"},
        data={"x": "i"},
        objective="L",
    )
    arrays = arrays_of(Quoted("", program=program))
    assert latex("D(L, w) = 2*z*x", arrays) == (
        r"\frac{\partial L}{\partial \mathbf{w}} = 2 z\, \mathbf{x}"
    )
    assert latex("w*x = w/x", arrays) == (
        r"\mathbf{w} \odot \mathbf{x} = \mathbf{w} \oslash \mathbf{x}"
    )
    assert latex("w**2 = delta_w", arrays) == (
        r"\mathbf{w}^{\odot 2} = \boldsymbol{\delta}_{w}"
    )


def test_a_chain_has_a_row_for_each_relation() -> None:
    first, second = rows("y = a - b = c if c > 0")
    assert (first.left, first.addends, second.left) == ("y", ("a", "- b"), "")
    assert second.addends == (r"c \quad (c > 0)",)


def test_what_is_no_formula_is_refused() -> None:
    with pytest.raises(GrammarError):
        latex("x")
    with pytest.raises(GrammarError, match="is no formula"):
        latex("x = [1, 2]")
    assert condition("not x > 0") == r"\lnot (x > 0)"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Fraction(1, 2), r"\frac{1}{2}"),
        ([1, Fraction(-1, 2)], r"(1, -1/2)^{\top}"),
        ([[1], [2]], r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
        ([[[1]]], None),
        ([0] * 99, None),
        ([], None),
    ],
)
def test_values_of_a_counterexample(value: object, printed: str | None) -> None:
    assert array(value) == printed


def test_what_is_no_number_is_no_numeral() -> None:
    assert (numeral("nan"), numeral("-1.5e+07")) == ("", r"-1.5 \cdot 10^{7}")


# --- the report -----------------------------------------------------------------------


def test_table_for_a_terminal(report: Report) -> None:
    assert list(report.lines())[:4] == [
        "section  verdict               claim",
        "2        fails                 tanh(x) = x",
        " " * 33 + "counterexample: W1 = [[1, 1/2]], i = 1, all else 0: 0.42 on the "
        "left, 1/2 on the right",
        " " * 33 + "right: x = x",
    ]
    assert report.counted() == (
        "8 claims: 2 hold, 1 fails, 1 holds under a condition, 1 does not type, 1 is a "
        "definition, 1 is an update rule, 1 cannot be decided"
    )
    assert "  仅当 x >= 0 时成立  abs(x) = x" in list(report.lines("zh"))[5]


def test_data_are_json(report: Report) -> None:
    found = json.loads(json_text(report.data()))
    assert found["counts"] == report.counts
    first = found["claims"][0]
    assert first["counterexample"]["values"]["W1"] == [[1, "1/2"]]
    assert (first["section"], first["kind"], first["holds"]) == ("2", "fails", False)


def test_what_the_verdicts_come_to(report: Report) -> None:
    sound = replace(report, verdicts=(VERDICTS[1],) * len(VERDICTS))
    open_ = replace(report, verdicts=(VERDICTS[6],) * len(VERDICTS))
    found = [(each.refuted, each.undecided) for each in (report, sound, open_)]
    assert found == [(True, True), (False, False), (False, True)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_in_every_format(language: str, report: Report, tmp_path: Path) -> None:
    for suffix in (".tex", ".html", ".md"):
        file = tmp_path / f"report{suffix}"
        report.save(file, language)
        text = file.read_text(encoding="utf-8")
        assert ("概要" in text) == (language == "zh")
        assert ("Summary" in text) == (language == "en")
    numbers = [row.number for row in report.chapter(language).equations()]
    wrong = [n for n, verdict in enumerate(VERDICTS, 1) if not verdict.holds]
    assert numbers == [*wrong, 2]  # the second has a proof


def test_no_words_of_a_note_are_markup(report: Report) -> None:
    document = report.document()
    assert r"100\% <wrong>" in document.latex
    assert "100% &lt;wrong&gt;" in document.html
    assert "100% &lt;wrong&gt;" in document.markdown


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_is_set_on_its_page(
    language: str, report: Report, tmp_path: Path
) -> None:
    program = "pdflatex" if language == "en" else "xelatex"
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    log = set_by(report.document(language).latex, program, tmp_path)
    assert "undefined" not in log
    assert "Missing character" not in log
    over = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)
    assert [points for points in over if float(points) > OVERFULL] == []


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_every_formula_is_drawn(report: Report, tmp_path: Path) -> None:
    page = html(report.chapter("en"), {})
    found = ask(
        page,
        "return {drawn: page.querySelectorAll('math').length,"
        " flawed: page.querySelectorAll('.temml-error').length}",
        tmp_path,
    )
    assert found["console"] == []
    assert found["flawed"] == 0
    assert found["drawn"] > len(VERDICTS)
