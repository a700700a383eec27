"""The README tells the truth: its example, its output and its emitted loop."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, after: str) -> str:
    """The first fenced block of a language after a heading."""
    found = re.search(
        rf"```{language}\n(.*?)```", README.split(f"\n## {after}")[1], re.S
    )
    assert found is not None, after
    return found[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def output(folder: Path) -> str:
    """What the README's example prints, run in an empty folder."""
    code = block("python", "An example")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    return subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True)


def test_example_prints_what_the_readme_shows(output: str) -> None:
    assert output == block("text", "An example")


def test_emitted_file_holds_the_loop_that_the_readme_shows(
    output: str, folder: Path
) -> None:
    emitted = (folder / "generated/neuron/kernels_float64.py").read_text()
    for part in block("python", "What is emitted").split("...\n"):
        assert part.rstrip() in emitted


def test_training_of_the_readme_runs(output: str, folder: Path) -> None:
    code = block("python", "An example") + block("python", "How it is trained")
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    assert (folder / "training.npz").is_file()
    emitted = (folder / "generated/neuron/training_float64_adam.py").read_text()
    shown = README.split("without this package:\n")[1].split("```")[1]
    assert shown.removeprefix("python\n") in emitted


def test_formulas_of_the_readme_are_answered_as_shown() -> None:
    section = "Other people's formulas"
    asked = [shlex.split(line)[1:] for line in block("sh", section).splitlines()]
    told = [
        subprocess.run(
            [sys.executable, "-m", "symbackprop", *arguments],
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
        ).stdout
        for arguments in asked
    ]
    assert "\n".join(told) == block("text", section)


def test_judged_gradient_prints_what_the_readme_shows(tmp_path: Path) -> None:
    code = block("python", "For authors of tests")
    found = subprocess.check_output(
        [sys.executable, "-c", code], cwd=tmp_path, text=True
    )
    assert found == block("text", "For authors of tests")


def test_verbs_are_those_of_the_command() -> None:
    from symbackprop.cli.command import command

    told = re.findall(r"^\| `symbackprop (\w+)", README, re.M)
    assert told == list(command.commands)


def test_layer_of_the_readme_derives() -> None:
    from dataclasses import dataclass

    import symbackprop as sb
    from symbackprop.layers import Forward, Layer

    names = {"dataclass": dataclass, "Forward": Forward, "Layer": Layer}
    names["__name__"] = __name__
    code = block("python", "A layer of your own")
    exec(compile(code, "README.md", "exec"), names)
    layer, inputs = names["Bilinear"].example()  # type: ignore[attr-defined]
    try:
        network = sb.Network(inputs=inputs, layers=[layer], loss="squared_error")
        assert "W1" in sb.derive(network).slopes
    finally:
        del Layer.registry["bilinear"]


def test_derivation_that_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    from symbackprop.cli.command import execute

    assert execute(["derive", str(ROOT / "examples/digits.toml")]) == 0
    printed = capsys.readouterr().out.splitlines()
    for line in block("text", "What is derived").splitlines():
        assert line in printed or line.strip() == "..."
