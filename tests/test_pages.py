"""Chapters of networks of every kind: each can be told, and its pages hold it."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from browser import CHROMIUM, ask
from test_chapter import LANGUAGES, NOTATIONS, OVERFULL, typeset
from varied import VARIED

import symbackprop as sb
from symbackprop.document.chapter import NumberedEquation
from symbackprop.document.page import proofs
from symbackprop.proof import Derivation

# Those whose pages are the hardest to set, in either language.
SET = {
    "gru": "en",
    "multi_head_attention": "zh",
    "all_activations": "en",
    "twenty_layers": "zh",
    "convolution_and_pooling": "en",
    "residual_block": "zh",
}
SHOWN = ("lstm", "multi_head_attention", "all_activations")


@cache
def derivation(name: str) -> Derivation:
    return sb.derive(sb.Program(**VARIED[name]))


@pytest.mark.parametrize("name", VARIED)
def test_every_network_can_be_told(name: str) -> None:
    derived = derivation(name)
    count = len(derived.forward) + len(derived.adjoint)
    for language in LANGUAGES:
        for notation in NOTATIONS:
            told = sb.document(derived, language, notation)
            numbers = {row.number for row in told.chapter.equations()}
            assert numbers <= set(range(1, count + 1))
            assert told.latex
            assert told.markdown


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="xelatex is not installed")
@pytest.mark.parametrize("name", SET)
def test_its_pages_hold_it(name: str, tmp_path: Path) -> None:
    language = SET[name]
    program = "pdflatex" if language == "en" else "xelatex"
    log = typeset(sb.document(derivation(name), language).latex, program, tmp_path)
    assert "undefined" not in log
    assert "has been referenced but does not exist" not in log
    assert "Missing character" not in log
    over = re.findall(r"Overfull \\[hv]box \(([\d.]+)pt too", log)
    assert [points for points in over if float(points) > OVERFULL] == []


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("name", SHOWN)
def test_its_page_in_a_browser(name: str, tmp_path: Path) -> None:
    script = """
      return {
        errors: page.querySelectorAll(".temml-error").length,
        inside: page.documentElement.scrollWidth <= view.innerWidth,
        drawn: page.querySelectorAll("math").length > 20,
      };
    """
    text = sb.document(derivation(name)).html
    for width in (390, 1280):
        folder = tmp_path / str(width)
        folder.mkdir()
        found = ask(text, script, folder, width)
        assert found == {"errors": 0, "inside": True, "drawn": True, "console": []}


def test_two_terms_that_read_the_same_entry_have_each_their_own_slope() -> None:
    rows = sb.document(derivation("quadratic_form"), notation="index").chapter
    (slope,) = (row.latex for row in rows.equations() if row.number == 2)
    assert "- b_{i}" in slope
    assert slope.count("A_") == 2


def test_rows_that_continue_a_proof_stay_with_it() -> None:
    rows = [NumberedEquation(None, left, ("b",)) for left in ("a", "", "", "c")]
    assert [len(proof) for proof in proofs(rows)] == [3, 1]
