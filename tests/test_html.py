"""The page: what it says, what it lets in, and how it looks in a browser."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import pytest
from browser import CHROMIUM, ask
from test_document import PROGRAMS, deep

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.document.chapter import (
    Chapter,
    Code,
    Equations,
    Math,
    Node,
    NumberedEquation,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
)
from symbackprop.document.web import flowing
from symbackprop.document.web import html as page_of
from symbackprop.document.web.drawing import placed
from symbackprop.document.web.frame import TEMML, asset
from symbackprop.documents import Document
from symbackprop.source import excerpts

EVIL = (
    "</span></style></script>\"'<script>alert(1)</script><img src=x onerror=alert(1)>"
)

PICTURE = Picture(
    (
        Node("x", "64", "x", "data", 0, 0),
        Node("W^{(1)}", r"32 \times 64", "W1", "parameter", 0, 1),
        Node("z^{(1)}", "32", "z1", "computed", 1, 0),
        Node("L", "", "L", "objective", 2, 0),
    ),
    ((0, 2, ""), (1, 2, ""), (2, 3, r"\tanh"), (0, 3, "")),
    ("A network.",),
)


@cache
def document_of(name: str, language: str = "en") -> Document:
    declared = deep(6) if name == "deep" else PROGRAMS[name]
    return sb.document(differentiate(sb.Program(**declared)), language=language)


def chapter_of(*blocks: object, title: object = "T", language: str = "en") -> Chapter:
    section = Section((title,), blocks)  # type: ignore[arg-type]
    return Chapter((title,), language, (section,))  # type: ignore[arg-type]


# --- text ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PROGRAMS, "deep"])
def test_every_number_has_its_block_of_code(name: str) -> None:
    derivation = document_of(name).derivation
    assert derivation is not None
    code = excerpts(derivation)
    equations = (*derivation.forward, *derivation.adjoint)
    assert list(code) == sorted(derivation.number(e.tensor) for e in equations)
    for number, block in code.items():
        assert "\n\n" not in block
        assert re.search(rf"# .*\({number}\)|# .*, step \d", block), block


def test_code_of_equal_layers_stands_under_their_loop() -> None:
    code = document_of("deep").code
    assert code[3].startswith("for layer in range(6):\n    # (3) to (13), step 2:")
    assert code[3] == code[11]
    assert code[19].startswith("for layer in range(6):\n    # (19)")


def test_each_number_has_a_card_even_where_only_forward_computes_it() -> None:
    code = document_of("softmax").code
    text = document_of("softmax").html
    assert all(f'id="card-{number}"' in text for number in code)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_stands_alone(language: str) -> None:
    text = document_of("dense", language).html
    assert text.count("<script>") == 2
    assert not re.findall(r"""(?:src|href)=["'](?!#)|@import|url\(""", _own(text))
    assert ("zh-Hans" if language == "zh" else "en") in text[:80]
    assert f"Temml {TEMML}" in text
    assert "Permission is hereby granted, free of charge" in text
    for target in re.findall(r'href="#([^"]+)"', _own(text)):
        assert f'id="{target}"' in text


def _own(text: str) -> str:
    """The page without Temml."""
    return text.replace(asset("temml", "temml.min.js").strip(), "")


def test_temml_says_its_version() -> None:
    assert f'"{TEMML}"' in asset("temml", "temml.min.js")
    assert f"Temml {TEMML}" in asset("temml", "README.md")


def test_nothing_that_a_name_says_is_markup() -> None:
    row = NumberedEquation(1, EVIL, (EVIL,), (EVIL, Code(EVIL), Math(EVIL)), EVIL)
    node = Node(EVIL, EVIL, EVIL, "data", 0, 0)
    chapter = chapter_of(
        Paragraph((EVIL, Code(EVIL), Math(EVIL), Ref(1))),
        Equations((row,)),
        Table(((EVIL,),), (((Code(EVIL),),),), (0,)),
        Picture((node, node), ((0, 1, EVIL),), (EVIL,)),
        title=EVIL,
    )
    text = page_of(chapter, {1: EVIL})
    assert text.count("<script>") == 2
    assert "<img" not in _own(text)
    assert text.count("</style>") == 1
    assert html.escape(EVIL) in text


def test_wide_addends_flow() -> None:
    wide = r"+ a^{(1)}\, \exp(" + " + ".join(r"a\, b\, c\, d" for _ in range(9)) + ")"
    pieces = flowing(wide)
    assert len(pieces) > 4
    assert "".join(pieces) == wide
    assert all(piece.startswith("+ ") for piece in pieces)
    assert flowing("- b") == ["- b"]
    cases = r"\begin{cases} " + "a + b & c - d \\\\ " * 9 + r"\end{cases}"
    assert flowing(cases) == [cases]


def test_boxes_keep_apart() -> None:
    boxes, wide, high = placed(PICTURE)
    for place, box in enumerate(boxes):
        assert 0 < box.x - box.wide / 2 < box.x + box.wide / 2 < wide
        assert 0 < box.y - box.high / 2 < box.y + box.high / 2 < high
        for other in boxes[:place]:
            beside = abs(box.x - other.x) > (box.wide + other.wide) / 2
            assert beside or abs(box.y - other.y) > (box.high + other.high) / 2


# --- in a browser --------------------------------------------------------------------

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LOOK = """
  const over = (box) => box.scrollWidth - box.clientWidth;
  const wrong = page.querySelectorAll(".temml-error, merror");
  const found = {
    errors: [...wrong].map((each) => each.textContent),
    waiting: page.querySelectorAll("main .tex").length,
    formulas: page.querySelectorAll("math").length,
    numbers: page.querySelectorAll("button.number").length,
  };
  for (const width of [390, 1280]) {
    frame.style.width = `${width}px`;
    view.dispatchEvent(new view.Event("resize"));
    await wait(300);
    found[width] = {
      width: view.innerWidth,
      overflow: over(page.documentElement),
      cut: [...page.querySelectorAll("main p, main h1, main h2, .eq, .reason")]
        .filter((box) => over(box) > 1).map((box) => box.textContent.slice(0, 80)),
      scrolling: page.querySelectorAll(".math[tabindex]").length,
    };
  }
  return found;
"""


@in_browser
@pytest.mark.parametrize("name", [*PROGRAMS, "deep"])
def test_page_fits_its_window(name: str, tmp_path: Path) -> None:
    document = document_of(name, "zh" if name == "dense" else "en")
    found = ask(document.html, LOOK, tmp_path)
    assert found["console"] == []
    assert found["errors"] == []
    assert found["waiting"] == 0
    assert found["formulas"] > 20
    assert found["numbers"] == len(document.chapter.equations())
    for width in (390, 1280):
        at = found[str(width)]
        assert at["width"] == width
        assert at["overflow"] <= 0
        assert at["cut"] == []
    if name in ("dense", "softmax", "recurrence", "scattered", "deep"):
        assert found["1280"]["scrolling"] == 0


COMMANDS = (
    r"\substack{t \\ u}",
    r"\operatorname*{arg\,max}_{k}",
    r"\operatorname{prelu}(x)",
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\bigl(\Bigl(\biggl(x\biggr)\Bigr)\bigr)^{2}",
    r"\boldsymbol{\delta}^{(1)} \odot \mathbf{W}^{\top}",
    r"\lVert \mathbf{x} \rVert_{F}^{2} + \lvert x \rvert",
    r"\mathcal{R}, \mathtt{a\_b}, \mathrm{sum}, \hat{N}",
    r"\frac{\partial \mathcal{R}}{\partial W_{i j}} \leftarrow 1 \tag{7}",
    r"\sqrt{x} \land \lnot y \lor z, i', \ldots \cdot \times \le \ge \ne \infty",
    r"\left( \begin{matrix} a & b \end{matrix} \right)",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix} \mathbf{1}^{\mathsf{T}}",
    r"\operatorname{diag}(\mathbf{a}) \, \overline{x} \; \mathbb{R} \quad \sum_{n=1}^N",
)


@in_browser
def test_every_command_is_known(tmp_path: Path) -> None:
    rows = tuple(NumberedEquation(None, "x", (text,)) for text in COMMANDS)
    words = tuple(Math(text) for text in COMMANDS if r"\tag" not in text)
    chapter = chapter_of(Equations(rows), Paragraph(words), PICTURE)
    found = ask(page_of(chapter, {}), LOOK, tmp_path)
    assert found["errors"] == []
    assert found["console"] == []


@in_browser
def test_hostile_page_runs_nothing(tmp_path: Path) -> None:
    links = (Math(r"\href{javascript:alert(1)}{x}"), Math(r"\url{javascript:alert(1)}"))
    chapter = chapter_of(Paragraph((EVIL, Code(EVIL), Math(EVIL), *links)), title=EVIL)
    script = """
      return { images: page.querySelectorAll("img").length,
               links: [...page.querySelectorAll("main a, main [href]")].length,
               scripts: page.scripts.length };
    """
    found = ask(page_of(chapter, {}), script, tmp_path)
    assert (found["images"], found["links"], found["scripts"]) == (0, 0, 2)


@in_browser
def test_card_opens_and_closes(tmp_path: Path) -> None:
    script = """
      const number = page.querySelector("#eq-5 button.number");
      const card = page.getElementById("card-5");
      const open = () => card.matches(":popover-open");
      const found = { before: open() };
      number.focus(); await wait(300);
      found.focused = open();
      found.expanded = number.getAttribute("aria-expanded");
      found.code = card.querySelector("pre").textContent;
      found.origins = [...card.querySelectorAll("li a")].map((a) => a.hash);
      found.drawn = card.querySelectorAll("li math").length;
      const box = card.getBoundingClientRect();
      found.inside = box.left >= 0 && box.right <= view.innerWidth
        && box.top >= 0 && box.bottom <= view.innerHeight && box.height > 60;
      number.blur(); await wait(300);
      found.blurred = open();
      number.focus(); number.click(); await wait(300);
      found.clicked = open();
      found.entered = page.activeElement === card;
      card.hidePopover(); await wait(300);
      found.left = open() || page.activeElement !== number;
      number.click(); await wait(300);
      card.querySelector(".close").click(); await wait(300);
      found.closed = open();
      page.querySelector("#eq-4").dispatchEvent(
        new view.PointerEvent("pointerenter", { pointerType: "mouse" }));
      await wait(600);
      found.pointed = page.getElementById("card-4").matches(":popover-open");
      return found;
    """
    for width in (390, 1280):
        folder = tmp_path / str(width)
        folder.mkdir()
        found = ask(document_of("dense").html, script, folder, width)
        assert found.pop("console") == []
        assert "delta_z1[n, i] =" in found.pop("code")
        assert found == {
            "before": False,
            "focused": True,
            "expanded": "true",
            "origins": ["#eq-2"],
            "drawn": 1,
            "inside": True,
            "blurred": False,
            "clicked": True,
            "entered": True,
            "left": False,
            "closed": False,
            "pointed": True,
        }


@in_browser
def test_light_and_dark_can_be_read(tmp_path: Path) -> None:
    script = """
      const light = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
          .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const worst = () => {
        const paper = view.getComputedStyle(page.documentElement).backgroundColor;
        const ground = light(paper);
        const shown = page.querySelectorAll("p, .reason, button.number, a, figcaption");
        return Math.min(...[...shown].map((each) => {
          const ink = light(view.getComputedStyle(each).color);
          return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        }));
      };
      const found = { before: page.documentElement.dataset.theme ?? "system" };
      page.documentElement.dataset.theme = "light"; await wait(50);
      found.light = worst();
      page.getElementById("theme").click(); await wait(50);
      found.after = page.documentElement.dataset.theme;
      found.dark = worst();
      return found;
    """
    found = ask(document_of("dense").html, script, tmp_path)
    assert (found["before"], found["after"]) == ("system", "dark")
    assert found["light"] >= 4.5
    assert found["dark"] >= 4.5
