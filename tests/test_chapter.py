"""The chapter as a whole: its numbers, names, languages and pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from programs import programs

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.document import arithmetic
from symbackprop.document.chapter import (
    Chapter,
    Equations,
    Math,
    Paragraph,
    Picture,
    Ref,
    Table,
)
from symbackprop.document.page import latex
from symbackprop.formula import formula
from symbackprop.proof import Derivation
from symbackprop.source import emit

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.toml"))
NAMES = [file.stem for file in EXAMPLES]
LANGUAGES, NOTATIONS = ("en", "zh"), ("index", "matrix", "both")
OVERFULL = 5.0  # points


@cache
def derivation(name: str) -> Derivation:
    return sb.derive(sb.load(next(f for f in EXAMPLES if f.stem == name)))


@cache
def chapter(name: str, language: str, notation: str) -> Chapter:
    return sb.document(derivation(name), language, notation).chapter


# --- one numbering -------------------------------------------------------------------

# `# (7)  formula`, which may go on in lines that are indented further.
HEADER = re.compile(r"^ *# \((\d+)\)  (.*(?:\n *#   +\S.*)*)$", re.MULTILINE)


def headers(code: str) -> list[tuple[int, str]]:
    """The numbers and formulas that stand above the blocks of an emitted file."""
    return [
        (int(number), re.sub(r"\n *# +", " ", text))
        for number, text in HEADER.findall(code)
    ]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_document_and_code_share_one_numbering(name: str, notation: str) -> None:
    derived = derivation(name)
    code: dict[int, str] = {}
    for number, text in headers(emit(derived, "float64")):
        assert code.setdefault(number, text) == text
    rows = chapter(name, "en", notation).equations()
    assert sorted(row.number for row in rows) == sorted(code)
    assert len({row.left for row in rows}) == len(rows)
    for equation in (*derived.forward, *derived.adjoint):
        number = derived.number(equation.tensor)
        assert code[number] == formula(equation, derived.system)


def test_a_number_that_moves_is_noticed() -> None:
    derived = derivation("digits")
    code = emit(derived, "float64").replace("# (9) ", "# (8) ")
    stated = {derived.number(e.tensor): formula(e, derived.system)
              for e in (*derived.forward, *derived.adjoint)}  # fmt: skip
    assert any(stated[number] != text for number, text in headers(code))


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_is_to_an_equation_that_is_printed(name: str) -> None:
    told = chapter(name, "en", "both")
    printed = {row.number for row in told.equations()}
    refs = [
        part.number
        for section in told.sections
        for block in section.blocks
        if isinstance(block, Equations)
        for row in block.rows
        for part in row.reason
        if isinstance(part, Ref)
    ]
    assert refs
    assert set(refs) <= printed
    for row in told.equations():
        assert set(row.uses) <= printed


# --- names and languages -------------------------------------------------------------


def outline(told: Chapter) -> list:
    """What a chapter says, without the names in it."""
    found: list = []
    for section in told.sections:
        found.append(("section", section.level))
        for block in section.blocks:
            if isinstance(block, Equations):
                for row in block.rows:
                    words = tuple(p for p in row.reason if isinstance(p, str | Ref))
                    found.append((row.number, row.uses, len(row.addends), words))
            elif isinstance(block, Table):
                found.append(("table", len(block.rows), len(block.head)))
            elif isinstance(block, Picture):
                places = tuple((n.kind, n.column, n.row) for n in block.nodes)
                found.append(("picture", places, block.arrows))
            else:
                assert isinstance(block, Paragraph)
                found.append(("text", sum(isinstance(p, Math) for p in block.text)))
    return found


RENAMED = {
    "equations": """
        pre[r] = sum(Kernel[r, c] * inp[c], c) + shift[r]
        out[r] = tanh(pre[r])
        q[s] = sum(Other[s, r] * out[r], r) + offset[s]
        prob[s] = exp(q[s]) / sum(exp(q[v]), v)
        E = -sum(goal[s] * log(prob[s]), s)
        All = E + mu/2*(sum(Kernel[r, c]**2, r, c) + sum(Other[s, r]**2, s, r))
    """,
    "axes": {"c": 5, "r": 4, "s": 3, "v": 3},
    "parameters": {"Kernel": "r c", "shift": "r", "Other": "s r", "offset": "s"},
    "data": {"inp": "c", "goal": "s"},
    "constants": {"mu": 0.01},
    "batched": ("inp", "goal"),
    "objective": "All",
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_network_and_its_restatement_as_text_have_one_chapter(notation: str) -> None:
    layers = [sb.Dense(4, "tanh"), sb.Dense(3, "softmax")]
    network = sb.Network(5, layers, "cross_entropy", penalty=sb.Frobenius(0.01))
    first = sb.document(differentiate(network.program), notation=notation).chapter
    text = sb.document(differentiate(sb.Program(**RENAMED)), notation=notation).chapter
    # The names carry numbers in the one, and none in the other.
    ours, theirs = outline(first), outline(text)
    assert [o for o in ours if o[0] != "text"] == [t for t in theirs if t[0] != "text"]


@pytest.mark.parametrize("name", NAMES)
def test_languages_say_the_same(name: str) -> None:
    def bare(told: Chapter) -> list:
        return [o[:3] if isinstance(o[0], int | None) else o for o in outline(told)]

    assert bare(chapter(name, "en", "both")) == bare(chapter(name, "zh", "both"))


def test_a_chapter_has_its_parts() -> None:
    titles = [
        "".join(map(str, s.title)) for s in chapter("digits", "en", "both").sections
    ]
    for wanted in (
        "The network",
        "Notation",
        "Forward equations",
        "Functions and their derivatives",
        "Local derivatives",
        "Error terms",
        "The recursion of error terms",
        "A general layer",
        "Gradients",
        "In matrix form",
        "The update rule",
        "A worked example",
        "How this was checked",
    ):
        assert wanted in titles


def test_the_matrix_form_of_the_recursion() -> None:
    """The textbook's formulas, each raised from its index form."""
    text = latex(chapter("digits", "en", "both"))
    for formula_ in (
        r"\mathbf{z}^{(1)} &= \mathbf{W}^{(1)} \mathbf{x} + \mathbf{b}^{(1)}",
        r"\mathbf{a}^{(2)} &= \operatorname{softmax}(\mathbf{z}^{(2)})",
        r"\boldsymbol{\delta}^{(2)} &= \mathbf{a}^{(2)} - \mathbf{y}",
        r"\boldsymbol{\delta}^{(l)} &= (\mathbf{W}^{(l + 1)})^{\top} "
        r"\boldsymbol{\delta}^{(l + 1)} \odot f_{l}'(\mathbf{z}^{(l)})",
        r"\frac{\partial \mathbf{z}^{(2)}}{\partial \mathbf{a}^{(1)}} &= "
        r"(\mathbf{W}^{(2)})^{\top}",
        r"\frac{\partial \mathbf{z}^{(1)}}{\partial \mathbf{b}^{(1)}} &= \mathbf{I}",
        r"\frac{\partial \mathbf{z}^{(1)}}{\partial W^{(1)}_{i_{1} i_{0}}} &= "
        r"x_{i_{0}}\, \mathbf{e}_{i_{1}}",
        r"\frac{\partial \mathbf{a}^{(1)}}{\partial \mathbf{z}^{(1)}} &= "
        r"\operatorname{diag}",
    ):
        assert formula_ in text


def text_of(equations: str, axes: dict[str, int], **declared) -> str:
    given = {"parameters": {}, "data": {}, "objective": "L", **declared}
    program = sb.Program(equations, axes, **given)
    return latex(sb.document(differentiate(program)).chapter)


def test_a_slope_between_axes_of_two_sizes_is_no_identity() -> None:
    text = text_of(
        "b[j] = 2*w[j]\na[i] = b[i]\nL = sum(a[i]**2*x[i], i)",
        {"i": 3, "j": 5},
        parameters={"w": "j"},
        data={"x": "i"},
    )
    assert r"&= 2\, \mathbf{I}" in text
    assert r"\frac{\partial \mathbf{a}}{\partial \mathbf{b}}" not in text


def test_a_declared_log_is_not_taken_for_a_logarithm() -> None:
    text = text_of(
        "L = sum(log_s[i]**2*x[i] + log(1 + s[i]**2), i)",
        {"i": 3},
        parameters={"log_s": "i", "s": "i"},
        data={"x": "i"},
    )
    assert r"\mathrm{log\_s}_{i}^{2}" in text


def test_letters_of_the_general_layer_are_free_ones() -> None:
    layers = "\n".join(
        f"z{n}[r] = sum(f{n}[r, c]*i{n - 1}[c], c) + j{n}[r]\ni{n}[r] = tanh(z{n}[r])"
        for n in (1, 2, 3)
    )
    text = text_of(
        f"{layers}\nL = sum(i3[r]**2, r)",
        {"r": 3, "c": 3},
        parameters={f"{name}{n}": axes for n in (1, 2, 3)
                    for name, axes in (("f", "r c"), ("j", "r"))},
        data={"i0": "c"},
    )  # fmt: skip
    general = text.split(r"\section{A general layer}")[1].split(r"\section")[0]
    assert "i_{" not in general.replace(r"i^{", "")
    assert "f_{l}" not in general
    assert re.search(r"(g|h|varphi|psi)_\{l\}'?\(", general)


def test_an_activation_of_one_number_for_all_has_no_bound_by_its_entries() -> None:
    text = text_of(
        "z = sum(w[j]*x[j], j)\na[i] = tanh(z)\nq[k] = sum(W[k, i]*a[i], i)\n"
        "L = sum(q[k]**2, k)",
        {"i": 16, "k": 3, "j": 4},
        parameters={"w": "j", "W": "k i"},
        data={"x": "j"},
    )
    assert r"\section{Saturation}" not in text


@hypothesis.given(programs(kinks=True, integers=True))
@hypothesis.settings(max_examples=15, deadline=None, derandomize=True)
def test_every_random_program_has_a_chapter(declared) -> None:
    derived = differentiate(sb.Program(**declared))
    for notation in ("both", "matrix"):
        told = sb.document(derived, notation=notation).chapter
        numbers = [row.number for row in told.equations()]
        assert sorted(numbers) == sorted(derived.numbers.values())


def test_arithmetic_of_the_example_is_held_against_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = arithmetic.substituted

    def spoilt(body, values):
        return original(body, values) * 2

    monkeypatch.setattr(arithmetic, "substituted", spoilt)
    with pytest.raises(sb.CheckError, match="arithmetic for equation \\(1\\)"):
        sb.document(derivation("digits"))


# --- typesetting ---------------------------------------------------------------------


def typeset(text: str, program: str, folder: Path) -> str:
    """The log of a run of TeX that had no error."""
    (folder / "chapter.tex").write_text(text, encoding="utf-8")
    for _ in range(2):  # the second run knows the widths of tables
        done = subprocess.run(
            [program, "-interaction=nonstopmode", "-halt-on-error", "chapter.tex"],
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=300,
        )
        log = (folder / "chapter.log").read_text(errors="replace")
        assert done.returncode == 0, log[-2000:]
    return log


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="xelatex is not installed")
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_chapter_fits_its_pages(
    name: str, language: str, notation: str, tmp_path: Path
) -> None:
    program = "pdflatex" if language == "en" else "xelatex"
    log = typeset(latex(chapter(name, language, notation)), program, tmp_path)
    assert "undefined" not in log
    assert "has been referenced but does not exist" not in log
    assert "Missing character" not in log
    over = re.findall(r"Overfull \\[hv]box \(([\d.]+)pt too", log)
    assert [points for points in over if float(points) > OVERFULL] == []
