"""Studies: how they are listed, run, refused, and written as files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from symbackprop.cli.command import execute
from symbackprop.contrast import outputs, studies
from symbackprop.contrast.page import page
from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.errors import InputError
from symbackprop.figures import blank, legend
from symbackprop.program import Program

PARAGRAPH = "It takes **3** times `n` *steps*, $n < 4$ & more. " * 4 + "\n\n- a\n- b"


def drawn() -> Any:
    figure, axes = blank()
    axes.plot([1, 2], [3, 4], label="measured")
    legend(figure, [axes])
    return figure


def made(name: str, latex: str = "") -> Study:
    data = {"steps": (1, 2), "error": float("nan")}
    return Study(name, f"What does {name} cost?", PARAGRAPH, data, drawn, latex)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two small studies in the place of all; what they were asked for."""
    asked: list[str] = []

    def module(name: str, latex: str) -> ModuleType:
        def run(program: Program | None, seed: int, tell: Tell) -> Study:
            none_of_yours(name, program)
            tell("measuring")
            asked.append(f"{name} {seed}")
            return made(name, latex)

        found = ModuleType(name)
        found.ABOUT, found.run = f"what {name} costs", run  # type: ignore[attr-defined]
        return found

    known = {"tall-tree": module("tall-tree", "$x$"), "wide": module("wide", "")}
    monkeypatch.setattr(studies, "names", lambda: sorted(known))
    monkeypatch.setattr(studies, "import_module", lambda name: known[_called(name)])
    return asked


def _called(module: str) -> str:
    return module.rsplit(".", 1)[1].replace("_", "-")


def test_every_study_says_what_it_is_about() -> None:
    for name in studies.names():
        assert studies.about(name)
        assert "\n" not in studies.about(name)
        assert studies.about(name)[0].isupper(), name
        assert studies.about(name).endswith("."), name


def test_help_loads_nothing_heavy() -> None:
    heavy = {"sympy", "numpy", "numba", "scipy", "matplotlib"}
    code = (
        "import sys; from symbackprop.cli.command import execute;"
        "assert execute(['study', '--help']) == 0;"
        f"print(sorted(set(sys.modules) & {heavy}))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "[NAME]" in out
    assert out.splitlines()[-1] == "[]"


def test_studies_are_listed(
    registry: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["study"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "tall-tree  what tall-tree costs",
        "wide       what wide costs",
    ]
    assert execute(["study", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["studies"]
    assert listed[1] == {"name": "wide", "about": "what wide costs"}
    assert registry == []


def test_study_is_printed_as_wide_as_the_terminal(
    registry: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert execute(["study", "wide", "--seed", "7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "What does wide cost?"
    assert 40 < max(map(len, lines)) <= 50
    assert "- b" in lines
    assert registry == ["wide 7"]


def test_study_as_json(registry: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["study", "wide", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert found["verb"] == "study"
    assert found["name"] == "wide"
    assert found["data"] == {"steps": [1, 2], "error": None}


def test_files_are_what_their_suffixes_say(
    registry: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / f"a{suffix}" for suffix in outputs.FORMATS]
    line = ["study", "tall-tree", *(part for p in paths for part in ("-o", str(p)))]
    assert execute([*line, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == [str(path) for path in paths]
    beginnings = {
        ".png": b"\x89PNG",
        ".svg": b"<?xml",
        ".json": b"{",
        ".html": b"<!doctype html>",
        ".md": b"## What does",
        ".tex": b"$x$",
    }
    for path in paths:
        assert path.read_bytes().startswith(beginnings[path.suffix])
    assert json.loads((tmp_path / "a.json").read_text())["data"] == found["data"]


def test_equal_studies_are_equal_files() -> None:
    for suffix, form in outputs.FORMATS.items():
        assert form(made("wide", "$x$")) == form(made("wide", "$x$")), suffix


def test_latex_is_refused_where_there_is_none(
    registry: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tex, data = tmp_path / "a.tex", tmp_path / "a.json"
    assert execute(["study", "wide", "-o", str(tex), "-o", str(data)]) == 2
    assert "no table or formula in LaTeX" in capsys.readouterr().err
    assert data.is_file()  # what was measured is not lost
    assert not tex.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wid"], "Did you mean `wide`?"),
        (["wide", "-o", "a.jpg"], "not as .jpg"),
        (["wide", "-o", "a"], "without a suffix"),
        (["wide", "--file", "none.toml"], "does not exist"),
        (["-o", "a.png"], "say its NAME"),
        (["--all"], "give it one folder"),
        (["--all", "wide", "-o", "a"], "no NAME"),
        (["--all", "-o", "a", "-o", "b"], "give it one folder"),
        (["--all", "-o", __file__], "is a file"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_mistake_is_refused_before_anything_is_measured(
    arguments: list[str],
    said: str,
    registry: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert execute(["study", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert registry == []


def test_file_is_passed_on(
    registry: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'name = "own"\ninputs = 1\nloss = "squared_error"\n'
        '[[layers]]\ntype = "dense"\nunits = 1\n'
    )
    assert execute(["study", "wide", "--file", str(file)]) == 2
    assert "leave `own` away" in capsys.readouterr().err


def test_all_are_written_with_one_page(
    registry: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    assert execute(["study", "--all", "-o", str(folder), "--seed", "2"]) == 0
    assert registry == ["tall-tree 2", "wide 2"]
    found = {path.name for path in folder.iterdir()}
    each = {f"{n}{s}" for n in ("tall-tree", "wide") for s in (".svg", ".png", ".json")}
    assert found == each | {"index.html", "README.md"}
    assert "index.html" in capsys.readouterr().out


class Reader(HTMLParser):
    """Every id, image and tag of a page; its text."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if "href" in given else []
        self.images += [given] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_stands_alone() -> None:
    text = page([made("wide"), made("tall-tree")])
    read = Reader()
    read.feed(text)
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert len(read.images) == 2
    for image in read.images:
        assert str(image["src"]).startswith("data:image/svg+xml;base64,")
        assert image["alt"]
    assert "<strong>3</strong> times <code>n</code> <em>steps</em>" in text
    assert '<span class="tex">n &lt; 4</span> &amp; more' in text
    assert "<ul><li>a</li><li>b</li></ul>" in text
    assert "http" not in text.split("<main")[1].split("</main>")[0]
    assert "img-src data:" in text


def test_studies_work_on_one_thread(
    registry: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    monkeypatch.delenv("XLA_FLAGS", raising=False)

    def threads() -> set[int]:
        found = threadpoolctl.threadpool_info()
        return {each["num_threads"] for each in found if each["user_api"] == "blas"}

    seen: list[tuple[set[int], bool]] = []

    def tell(doing: str) -> None:
        seen.append((threads(), "XLA_FLAGS" in os.environ))

    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        studies.study("wide", tell=tell)
        assert seen == [({1}, True)]
        assert threads() == {2}
    assert "XLA_FLAGS" not in os.environ


def test_unknown_suffix_is_refused_without_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Did you mean `\.html`"):
        outputs.write(made("wide"), tmp_path / "a.htm")
    assert list(tmp_path.iterdir()) == []


def test_committed_studies_are_those_that_there_are() -> None:
    """`symbackprop study --all -o studies` has been run since the last one came."""
    folder = Path(__file__).parent.parent / "studies"
    told = re.findall(r"\((.+)\.svg\)", (folder / "README.md").read_text("utf-8"))
    assert told == studies.names()
    for name in [*told, "contrast"]:
        assert (folder / f"{name}.svg").is_file()
