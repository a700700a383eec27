"""The notes in examples/chapter4: what is printed of them, and the committed reports.

`python -m pytest tests/test_chapter_notes.py --update` rewrites them.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

from symbackprop.claims import verify
from symbackprop.claims.file import Claims, read
from symbackprop.claims.reports.report import Report
from symbackprop.files import write_atomically

FOLDER = Path(__file__).parent.parent / "examples/chapter4"
README = FOLDER / "README.md"


@pytest.fixture(scope="module")
def report() -> Report:
    claims = read(FOLDER / "claims.toml")
    assert isinstance(claims, Claims)
    verdicts = (verify(q.program, q.text, q.layout) for q in claims.quoted)
    return Report(claims, tuple(verdicts))


def same(path: Path, text: str, update: bool) -> None:
    """A committed file holds a text, or is made to."""
    if update:
        write_atomically(path, text)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    changes = difflib.unified_diff(
        before.splitlines(), text.splitlines(), str(path), "found now", lineterm=""
    )
    assert before == text, "\n".join(["run pytest --update", *changes][:60])


def test_readme_shows_what_is_printed(report: Report, update: bool) -> None:
    shown = "\n".join(report.lines())
    told = README.read_text(encoding="utf-8")
    text = re.sub(
        r"```text\n.*?```", lambda found: f"```text\n{shown}\n```", told, flags=re.S
    )
    same(README, text, update)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_committed_report(language: str, report: Report, update: bool) -> None:
    text = report.document(language).markdown
    same(FOLDER / f"verdicts.{language}.md", text, update)


def test_every_formula_is_given_as_it_was_written(report: Report) -> None:
    numbers = [
        tuple(map(int, q.section.split("."))) for q in report.claims.quoted if q.tex
    ]
    assert len(numbers) == len(report.verdicts)
    assert numbers == sorted(numbers)
    assert {quoted.section for quoted in report.claims.quoted} == {
        *report.claims.sections
    }


# A formula that is known to be right or wrong, and what must be found.
KNOWN = {
    "logistic'(x) = logistic(x)*(1 - logistic(x))": "holds",
    "D(logistic(x), x) = diag(logistic(x)) o (1 - logistic(x))": "does not type",
    "tanh(x) = 2*logistic(2*x) - 1": "holds",
    "leaky_relu(x, r) = maximum(x, r*x) if r < 1": "holds",
    "elu(x, r) = maximum(0, x) + minimum(0, r*(exp(x) - 1))": "holds only if",
    "a2 -> z2 -> a2": "fails",
    "D(L, W2[i, j]) = D(z2, W2[i, j]).T @ D(L, z2)": "does not type",
    "D(L, b2) = D(z2, b2).T @ D(L, z2)": "holds",
    "delta1 = diag(f1'(z1)) @ W2.T @ delta2": "holds",
    "delta1 = f2'(z1) o (W2.T @ delta2)": "fails",
    "D(L, W2[i, j]) = delta2[i]*a2[j]": "does not type",
    "D(L, W2) = delta2 @ a2.T": "does not type",
    "f = 1/(exp(-w*x + b) + 1)": "fails",
    "delta1 = f1(z1) o (W2.T @ delta2)": "fails",
}


@pytest.mark.parametrize("claim", KNOWN)
def test_known_formula(claim: str, report: Report) -> None:
    found = {verdict.claim: verdict.kind for verdict in report.verdicts}
    assert found[claim] == KNOWN[claim]


# What the notes should have said.
MEANT = {
    "a2 -> z2 -> a2": "a1 -> z2 -> a2",
    "delta1 = f2'(z1) o (W2.T @ delta2)": "delta1 = f1'(z1) o (W2.T @ delta2)",
    "D(L, W2[i, j]) = delta2[i]*a2[j]": "D(L, W2[i, j]) = delta2[i]*a1[j]",
    "D(L, W2) = delta2 @ a2.T": "D(L, W2) = delta2 @ a1.T",
    "f = 1/(exp(-w*x + b) + 1)": "f = 1/(exp(-(w*x + b)) + 1)",
    "delta1 = f1(z1) o (W2.T @ delta2)": "delta1 = f1'(z1) o (W2.T @ delta2)",
}


@pytest.mark.parametrize("claim", MEANT)
def test_the_formula_that_holds_is_told(claim: str, report: Report) -> None:
    found = {verdict.claim: verdict.right for verdict in report.verdicts}
    assert found[claim][0] == MEANT[claim]


def test_another_text_than_the_committed_one_is_found() -> None:
    other = README.read_text(encoding="utf-8").replace("holds", "fails", 1)
    with pytest.raises(AssertionError, match="run pytest --update"):
        same(README, other, update=False)
