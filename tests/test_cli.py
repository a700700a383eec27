"""The command: what it prints where, and its exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from symbackprop.cli import verbs
from symbackprop.cli.command import execute
from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import table
from symbackprop.errors import CheckError, DivergenceError

TOML = """
name = "tiny"
inputs = 3
loss = "cross_entropy"
dtype = "float64"

[[layers]]
type = "dense"
units = 4
activation = "tanh"

[[layers]]
type = "dense"
units = 2
activation = "softmax"

[data]
file = "tiny.npz"
target = "one_hot"
validation = 0.25

[training]
optimiser = { sgd = 0.5 }
epochs = 3
batch_size = 8
seed = 1
"""

HEAVY = ("sympy", "numpy", "numba", "scipy", "rich")


@pytest.fixture
def file(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A small network's file beside its data, in the current folder."""
    x = rng.normal(size=(40, 3))
    np.savez(tmp_path / "tiny.npz", x=x, y=(x[:, 0] > 0).astype(int))
    path = tmp_path / "tiny.toml"
    path.write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return path


def symbackprop(*arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "symbackprop", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize("verb", ["", "run", "derive", "emit", "check", "train"])
def test_help_loads_nothing_heavy(verb: str) -> None:
    code = (
        "import sys; from symbackprop.cli.command import execute;"
        f"assert execute(['{verb}', '--help'][{not verb}:]) == 0;"
        f"print(sorted(set(sys.modules) & set({HEAVY})))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.splitlines()[-1] == "[]"
    assert f"symbackprop {verb or 'run'} examples/digits.toml" in out


def test_run_prints_a_summary(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", str(file)]) == 0
    out, err = capsys.readouterr()
    for label in ("equations", "derived in", "compiled in", "complex step", "accuracy"):
        assert label in out
    assert "generated/tiny/kernels_float64.py" in out
    assert Path("generated/tiny/kernels_float64.py").is_file()
    assert Path("generated/tiny/derivation.tex").is_file()
    assert err == ""  # nobody watches


def test_run_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", str(file), "--json", "--dtype", "float32", "-o", "out"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert found["verb"] == "run"
    assert found["network"] == "tiny"
    assert found["dtype"] == "float32"
    assert found["parameters"] == 4 * 3 + 4 + 2 * 4 + 2
    assert found["forward_equations"] > 4
    assert found["adjoint_equations"] > 4
    assert 0 <= found["worst_disagreement_with_complex_step"] < 1e-3
    assert 0 <= found["accuracy"] <= 1
    assert found["held_out"] == 10
    assert found["files"] == [
        "out/tiny/kernels_float32.py",
        "out/tiny/derivation.tex",
        "out/tiny/training_float32_sgd.py",
    ]


def test_derive_lists_numbered_equations(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["derive", str(file)]) == 0
    out = capsys.readouterr().out
    assert "(1)  z1[" in out
    assert "dW1[" in out
    assert not Path("generated").exists()


def test_derive_writes_latex(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["derive", str(file), "-o", "tiny.tex"]) == 0
    assert "tiny.tex" in capsys.readouterr().out
    assert execute(["derive", str(file), "-o", "-"]) == 0
    assert capsys.readouterr().out.strip() == Path("tiny.tex").read_text().strip()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("suffix", [".html", ".md", ".tex"])
def test_derive_writes_what_the_suffix_says(
    suffix: str, language: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["derive", str(file), "-o", f"tiny{suffix}", "--language", language]
    assert execute([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [f"tiny{suffix}"]
    text = Path(f"tiny{suffix}").read_text(encoding="utf-8")
    assert ("梯度" in text) == (language == "zh")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is missing")
def test_derive_writes_pdf(file: Path) -> None:
    assert execute(["derive", str(file), "-o", "tiny.pdf", "-q"]) == 0
    assert Path("tiny.pdf").read_bytes().startswith(b"%PDF-")


def test_derive_refuses_what_it_cannot_write(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["derive", str(file), "-o", "tiny.docx"]) == 2
    assert ".tex, .html, .md, .pdf, not as .docx" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert execute(["derive", str(file), "-o", "tiny.pdf"]) == 2
    err = capsys.readouterr().err
    assert "apt install" in err
    assert "Traceback" not in err
    assert not list(Path().glob("tiny.[dp]*"))


def test_emit_writes_the_kernels(file: Path) -> None:
    assert execute(["emit", str(file), "-o", "out", "--dtype", "float32", "-q"]) == 0
    assert "def backward" in Path("out/tiny/kernels_float32.py").read_text()
    assert "def update" in Path("out/tiny/training_float32_sgd.py").read_text()


def test_check_says_what_it_measured(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["check", str(file)]) == 0
    assert "complex step" in capsys.readouterr().out


def test_train_is_reproducible_and_saves(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    losses = []
    for name in ("a.npz", "b.npz"):
        line = ["train", str(file), "--seed", "7", "--json", "--save", name]
        assert execute(line) == 0
        found = json.loads(capsys.readouterr().out)
        losses.append([epoch["loss"] for epoch in found["epochs"]])
    assert losses[0] == losses[1]
    assert len(losses[0]) == 3
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    with np.load("a.npz") as saved:
        assert saved["W1"].shape == (4, 3)


def test_quiet_prints_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["derive", str(file), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


MISTAKES = {
    "no such file": (None, "does not exist"),
    "not TOML": ("name = ?", "line 1"),
    "not text": (b"\xff\xfe\x00", "utf-8"),
    "unknown key": (TOML.replace("units = 4", "unit = 4"), "units"),
    "unknown layer": (TOML.replace('"dense"', '"dens"', 1), "dense"),
    "wrong type": (TOML.replace("units = 4", 'units = "4"'), "units"),
    "unknown loss": (TOML.replace("cross_entropy", "cross_entropi"), "cross_entropy"),
    "no data file": (TOML.replace("tiny.npz", "tinny.npz"), "tinny.npz"),
    "path as a name": (TOML.replace('"tiny"', '"../tiny"', 1), "name"),
    "shapes do not meet": (TOML.replace("inputs = 3", "inputs = 5"), "5"),
    "no epochs": (TOML.replace("epochs = 3", "epochs = 0"), "epochs"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_refused_without_a_traceback(
    mistake: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = MISTAKES[mistake]
    file.unlink()
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert execute(["run", str(file), "--json"]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    found = json.loads(out)
    assert found["schema"] == 1
    assert found["error"]["exit"] == 2
    assert said in found["error"]["message"]
    assert not Path("generated").exists()


@pytest.mark.parametrize(
    "line", [["rnu"], ["run"], ["run", "x", "--dtype", "int8"], ["run", "--sed"], []]
)
def test_wrong_command_line(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(line) == 2
    assert "Usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CheckError("equation (7) is wrong"), 1, "equation (7) is wrong"),
        (DivergenceError("epoch 3: `z1`"), 1, "epoch 3"),
        (PermissionError(13, "Permission denied", "generated"), 2, "denied"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("boom"), 70, "report"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exit_codes(
    error: BaseException,
    code: int,
    said: str,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(**given: object) -> None:
        raise error

    monkeypatch.setattr(verbs, "check", fails)
    assert execute(["check", str(file)]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verbs, "check", lambda **given: 1 / 0)
    assert execute(["check", str(file), "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_reader_of_a_pipe_may_leave(file: Path) -> None:
    process = symbackprop("derive", file)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 130
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_interrupt_ends_training(file: Path) -> None:
    file.write_text(TOML.replace("epochs = 3", "epochs = 100000000"))
    process = symbackprop("train", file, "--save", "never.npz")
    kernels = Path("generated/tiny/kernels_float64.py")
    started = time.monotonic()
    while not kernels.exists() and time.monotonic() - started < 60:
        time.sleep(0.1)
    time.sleep(2)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not Path("never.npz").exists()


@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_progress_is_for_terminals(
    rich: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    with Progress(shown=True) as progress:
        progress.say("unseen")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(shown=True) as progress:
        progress.say("deriving [z1]")
    if not rich:
        assert capsys.readouterr().err == "deriving [z1]\n"


def test_table_aligns() -> None:
    assert list(table(("a", "bb"), [("10", "2")])) == [" a  bb", "10   2"]
