"""Markdown: what GitHub and notebooks need of it; PDF: what LaTeX makes of a file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from test_document import PROGRAMS
from test_html import EVIL, PICTURE, chapter_of, document_of

import symbackprop as sb
from symbackprop.document import typesetting
from symbackprop.document.chapter import (
    Code,
    Equations,
    Math,
    NumberedEquation,
    Paragraph,
    Table,
)
from symbackprop.document.markdown import allowed, code, escaped, markdown
from symbackprop.documents import FORMATS

FORBIDDEN = (r"\operatorname", r"\mbox", r"\llap", r"\resizebox", r"\phantom", "|")


def formulas(text: str) -> list[str]:
    """Every formula in GitHub's dialect, without the signs around it."""
    fences = re.findall(r"^```math\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    return fences + re.findall(r"\$`([^`]+)`\$", text)


@pytest.mark.parametrize("name", [*PROGRAMS, "deep"])
def test_formulas_are_as_github_allows(name: str) -> None:
    text = document_of(name).markdown
    found = formulas(text)
    assert len(found) > 10
    for formula in found:
        assert not any(command in formula for command in FORBIDDEN), formula
        assert formula.count("{") == formula.count("}")
    numbers = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", text)]
    rows = document_of(name).chapter.equations()
    assert numbers == [row.number for row in rows]


def test_tables_have_as_many_cells_in_every_row() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", document_of("dense").markdown, re.M):
        assert len({line.count(" |") for line in table.splitlines()}) == 1


def test_nothing_that_a_name_says_is_markup() -> None:
    names = (EVIL, "a|b", "`x`", "__init__", "# no title", "- no item\n\n# no", "$x$")
    head = tuple((name,) for name in names)
    cells = tuple((Code(name), Math(name)) for name in names)
    row = NumberedEquation(1, "x", ("y",), (EVIL,))
    chapter = chapter_of(
        *(Paragraph((name,)) for name in names),
        Table(head, (cells,), (0,) * len(names)),
        Equations((row,)),
        PICTURE,
    )
    text = markdown(chapter)
    bare = re.sub(r"`+[^`]+`+", "", text)
    assert "<img" not in bare
    assert "<script" not in bare
    assert "__init__" not in bare
    assert [line for line in text.splitlines() if re.match(r"#+ ", line)] == [
        "# T",
        "## T",
    ]


def test_escapes() -> None:
    assert escaped("1. a*b") == r"1\. a\*b"
    assert code("a|b", table=True) == r"`a\|b`"
    assert code("`") == "`` ` ``"
    assert allowed(r"\operatorname*{arg\,max}_{k}") == (
        r"\mathop{\mathrm{arg\,max}}\limits _{k}"
    )


def test_picture_is_a_graph_of_names() -> None:
    text = markdown(chapter_of(PICTURE))
    assert 'n1[/"W1"/]' in text
    assert "n0 --> n2" in text


def test_notebooks_take_dollars() -> None:
    text = markdown(document_of("dense").chapter, "notebook")
    assert "```math" not in text
    assert "$`" not in text
    assert text.count("$$\n") % 2 == 0


# --- files ---------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tex", ".html", ".md"])
def test_suffix_says_what_is_written(suffix: str, tmp_path: Path) -> None:
    document = document_of("dense")
    document.save(tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").read_text(encoding="utf-8") == (
        FORMATS[suffix](document)
    )


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match=r"not as \.pfd.*Did you mean `\.pdf`"):
        document_of("dense").save(tmp_path / "a.pfd")
    with pytest.raises(sb.InputError, match="without a suffix"):
        document_of("dense").save(str(tmp_path / "a"))
    assert list(tmp_path.iterdir()) == []


def needs(program: str) -> pytest.MarkDecorator:
    missing = shutil.which(program) is None
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


@pytest.mark.parametrize(
    "language",
    [
        pytest.param("en", marks=needs("pdflatex")),
        pytest.param("zh", marks=needs("xelatex")),
    ],
)
def test_pdf(language: str, tmp_path: Path) -> None:
    document_of("dense", language).save(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


def test_missing_latex_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(sb.InputError, match=r"xelatex, which is not.*texlive-xetex"):
        typesetting.pdf("", "zh")


@needs("pdflatex")
def test_refused_file_shows_the_first_error() -> None:
    bad = r"\documentclass{article}\begin{document}\nosuchcommand\end{document}"
    with pytest.raises(sb.InputError, match="Undefined control sequence"):
        typesetting.pdf(bad, "en")


@needs("pdflatex")
def test_file_of_latex_runs_no_program(tmp_path: Path) -> None:
    made = tmp_path / "made"
    text = (
        r"\documentclass{article}\begin{document}x"
        rf"\immediate\write18{{touch {made}}}\end{{document}}"
    )
    assert typesetting.pdf(text, "en").startswith(b"%PDF-")
    assert not made.exists()


def test_latex_that_does_not_end_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pdflatex"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(typesetting, "SECONDS", 0.2)
    with pytest.raises(sb.InputError, match="did not end"):
        typesetting.pdf("", "en")


def test_equal_layers_are_said_once() -> None:
    assert "equal layers" in document_of("deep").markdown
    assert "equal layers" in document_of("deep").html
