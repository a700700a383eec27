"""What a precision, a machine and a folder cannot hold is refused, not tried."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import symbackprop as sb
from symbackprop.kernels import limits


def line(equations: str = "L = (w*c)**2", **more: Any) -> sb.Program:
    given: dict[str, Any] = {
        "axes": {},
        "parameters": {"w": ""},
        "data": {},
        "objective": "L",
        "name": "line",
    }
    return sb.Program(equations=equations, **{**given, **more})


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (lambda: line(constants={"c": 1e60}), "`c` is 1.000e.60; float32 holds"),
        (lambda: line(constants={"c": 1e-60}), "`c` is 1.000e-60; float32 holds"),
        (lambda: line("L = w*1e-42"), r"line 1: equation \(1\), .* holds 1.000e-42"),
        (lambda: line("L = w*1e60"), 'float64", or rescale'),
        # The literal itself fits, its square in the slope does not.
        (lambda: line("a = (w*1e30)\nL = a**2 * 1e30"), "reaches .* float32 cannot"),
    ],
)
def test_numbers_beyond_single_precision(
    program: Any, said: str, tmp_path: Path
) -> None:
    derivation = sb.derive(program())
    with pytest.raises(sb.DeclarationError, match=said):
        sb.compile(derivation, directory=tmp_path)
    assert not list(tmp_path.rglob("*.py"))
    assert sb.compile(derivation, dtype="float64", directory=tmp_path).size == 1


def test_numbers_beyond_double_precision(tmp_path: Path) -> None:
    with pytest.raises(sb.DeclarationError, match=r"float64 holds .* Rescale"):
        sb.compile(line(constants={"c": 5e-324}), "float64", tmp_path)


@pytest.mark.parametrize(
    ("i", "j", "largest"), [(10**9, 1, "z"), (10**5, 10**6, "W"), (2**31, 2**31, "W")]
)
def test_tensors_beyond_memory(i: int, j: int, largest: str, tmp_path: Path) -> None:
    program = sb.Program(
        equations="z[i] = sum(W[i, j]*x[j], j)\nL = sum(z[i]**2, i)",
        axes={"i": i, "j": j},
        parameters={"W": "i j"},
        data={"x": "j"},
        batched=("x",),
        objective="L",
    )
    derivation = sb.derive(program)  # sizes alone are no obstacle
    with pytest.raises(sb.DeclarationError, match=f"`{largest}` has .* bytes"):
        sb.compile(derivation, directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2**26 < limits.memory() <= 2**48
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert limits.memory() == 2**48


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no owner here")
@pytest.mark.parametrize("inside", ["", "__pycache__"])
def test_folders_that_others_may_write_to(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = sb.derive(line(constants={"c": 2}))
    sb.compile(derivation, directory=tmp_path)  # a folder of one's own
    folder = tmp_path / "line" / inside
    folder.mkdir(exist_ok=True)
    before = folder.stat().st_mode
    folder.chmod(0o777)
    with pytest.raises(sb.InputError, match=r"by everyone.*`chmod o-w"):
        sb.compile(derivation, directory=tmp_path)
    folder.chmod(before & 0o777)
    sb.compile(derivation, directory=tmp_path)
    if os.geteuid() == 0:
        os.chown(folder, 12345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(sb.InputError, match="belongs to another user"):
        limits.check_folder(tmp_path / "line")
