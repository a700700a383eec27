"""`symbackprop verify`: what it takes, prints and writes, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.claims.verdict import UNDECIDED, Reason, Verdict
from symbackprop.cli import verdicts
from symbackprop.cli.command import execute
from symbackprop.cli.options import EXITS

PROGRAM = """
equations = '''
z[i] = sum(W[i, j]*x[j], j)
L = sum(tanh(z[i]), i)
'''
axes = { i = 2, j = 3 }
parameters = { W = "i j" }
data = { x = "j" }
objective = "L"
"""

CLAIMS = """
[programs.p]
file = "program.toml"
[[claims]]
section = "1"
program = "p"
text = "D(L, W[i, j]) = tanh'(z[i])*x[j]"
[[claims]]
section = "2"
program = "p"
text = "D(L, W) = tanh(z) @ x.T"
[[claims]]
text = "abs(x) = x"
"""

RIGHT = "D(L, W[i, j]) = tanh'(z[i])*x[j]"
WRONG = "D(L, W[i, j]) = tanh(z[i])*x[j]"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program's file beside a file of claims, in the current folder."""
    (tmp_path / "program.toml").write_text(PROGRAM)
    (tmp_path / "claims.toml").write_text(CLAIMS)
    monkeypatch.chdir(tmp_path)
    return "program.toml"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from symbackprop.cli.command import execute;"
        "assert execute(['verify', '--help']) == 0;"
        "print(sorted(set(sys.modules) & {'sympy', 'numpy', 'numba'}))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.splitlines()[-1] == "[]"
    assert 'symbackprop verify "D(softplus(x), x) = logistic(x)"' in out
    assert "3    whether a formula holds cannot be decided" in EXITS


def test_a_claim_about_a_program(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["verify", program, RIGHT]) == 0
    assert capsys.readouterr().out.startswith("holds")
    assert execute(["verify", program, WRONG]) == 1
    out = capsys.readouterr().out
    assert out.startswith("fails\n  counterexample: ")
    assert f"right: {RIGHT}" in out


def test_several_claims(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["verify", program, RIGHT, WRONG, "--language", "zh"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == RIGHT
    assert lines[1].startswith("成立")
    assert WRONG in lines


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["D(softplus(x), x) = logistic(x)"], 0),
        (["tanh(x) = 2*logistic(2*x) - 1", "exp(x) > 0"], 0),
        (["abs(x) = x"], 1),
        (["--", "-1 < tanh(x) < 1"], 0),
        (["D(L, W2) = delta2 @ a1.T"], 0),
        (["D(z2, a1) = W2.T", "--layout", "numerator"], 1),
        (["D(z2, a1) = W2", "--layout", "numerator"], 0),
    ],
)
def test_claims_without_a_file(line: list[str], code: int) -> None:
    assert execute(["verify", "-q", *line]) == code


def test_a_file_of_claims(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["verify", "claims.toml"]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["section", "verdict", "claim"]
    assert "counterexample: x = -1: 1 on the left, -1 on the right" in out
    assert "3 claims: 1 holds, 1 fails, 1 holds under a condition" in out


def test_as_json(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["verify", "claims.toml", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["verb"]) == (1, "verify")
    kinds = [claim["kind"] for claim in found["claims"]]
    assert kinds == ["holds", "fails", "holds only if"]
    assert found["counts"]["fails"] == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_reports(
    language: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"report{suffix}" for suffix in (".tex", ".html", ".md")]
    options = [word for name in names for word in ("-o", name)]
    line = ["verify", program, WRONG, *options, "--language", language, "--json"]
    assert execute(line) == 1
    assert json.loads(capsys.readouterr().out)["files"] == names
    for name in names:
        text = Path(name).read_text(encoding="utf-8")
        assert ("概要" in text) == (language == "zh")


def test_what_cannot_be_decided(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def undecided(program: object, claim: str, layout: str) -> Verdict:
        return Verdict(claim, UNDECIDED, reason=Reason("no values"))

    monkeypatch.setattr(verdicts, "judge", undecided)
    assert execute(["verify", program, RIGHT]) == 3
    assert "cannot be decided: the sides have no values" in capsys.readouterr().out


REFUSED = {
    "no such file": (["nosuch.toml", RIGHT], "neither a file nor a claim"),
    "no claim": (["program.toml"], "say what is claimed"),
    "claims beside claims": (["claims.toml", RIGHT], "claims of its own"),
    "no relation": (["program.toml", "D(L, W)"], "expected a claim"),
    "unknown name": (["program.toml", "D(L, V[i]) = z[i]"], "V"),
    "unknown format": (["program.toml", RIGHT, "-o", "x.doc"], ".tex, .html, .md"),
    "nothing": ([], "Missing argument"),
}


@pytest.mark.parametrize("flaw", REFUSED)
def test_refused(flaw: str, program: str, capsys: pytest.CaptureFixture[str]) -> None:
    line, said = REFUSED[flaw]
    assert execute(["verify", *line, "--json"]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert json.loads(out)["error"]["exit"] == 2


def test_a_claim_that_cannot_be_read_is_named(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("claims.toml").write_text(CLAIMS.replace("abs(x) = x", "abs(x, y) = x"))
    assert execute(["verify", "claims.toml"]) == 2
    assert "claims[3]: " in capsys.readouterr().err
