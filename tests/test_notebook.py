"""Notebooks: a real one is run, and shows values as mathematics."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from test_document import PROGRAMS

import symbackprop as sb
from symbackprop.derivation import differentiate

CELLS = (
    "import symbackprop as sb",
    """program = sb.Program(
        equations="L = sum((w[i]*x[i] - y)**2, i) / 2",
        axes={"i": 3}, parameters={"w": "i"},
        data={"x": "i", "y": ""}, batched=("x", "y"),
        objective="L", name="line")
program""",
    "program.equations[0]",
    "derivation = sb.derive(program)\nderivation",
    "sb.document(derivation)",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What each cell shows, by media type."""
    # Its libraries warn of one another's versions; that is nothing of ours.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nbformat
        from jupyter_client.kernelspec import KernelSpecManager
        from nbclient import NotebookClient

        book: Any = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
        folder = tmp_path_factory.mktemp("notebook")
        _kernel(folder)
        client = NotebookClient(
            book,
            timeout=120,
            kernel_name="ours",
            resources={"metadata": {"path": str(Path(__file__).parents[1])}},
        )
        client.km = client.create_kernel_manager()
        client.km.kernel_spec_manager = KernelSpecManager(
            kernel_dirs=[str(folder)], ensure_native_kernel=False
        )
        client.execute()
    for cell in book.cells:
        assert all(o.output_type == "execute_result" for o in cell.outputs)
    return [dict(cell.outputs[0].data) for cell in book.cells[1:]]


def _kernel(folder: Path) -> None:
    """A kernel of this very interpreter, whatever else is installed on the machine."""
    spec = folder / "ours"
    spec.mkdir()
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": command, "display_name": "ours", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(described))


def test_notebook_shows_mathematics(outputs: list[dict[str, str]]) -> None:
    program, equation, derivation, document = outputs
    assert program["text/plain"].startswith("Program(name='line'")
    assert r"\begin{align}" in program["text/latex"]
    assert equation["text/plain"] == "L = sum((w[i]*x[i] - y)**2/2, i)"
    assert equation["text/latex"].startswith(r"$\displaystyle L = \frac{1}{2}")
    assert r"\tag{2}" in derivation["text/latex"]
    assert "(2)  dw[i] = batch_mean(" in derivation["text/plain"]
    assert document["text/markdown"].startswith("# Backpropagation derived: line")
    assert set(document) == {"text/plain", "text/markdown"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_equation_can_be_shown_alone(name: str) -> None:
    derivation = differentiate(sb.Program(**PROGRAMS[name]))
    for equation in (*derivation.forward, *derivation.adjoint):
        shown = equation._repr_mimebundle_()
        assert shown["text/plain"].startswith(equation.tensor)
        assert "1073741824" not in "".join(shown.values())
        assert shown["text/latex"].count("{") == shown["text/latex"].count("}")


def test_unknown_sizes_are_named_by_their_axis() -> None:
    derivation = differentiate(sb.Program(**PROGRAMS["recurrence"]))
    shown = derivation.adjoint[0]._repr_mimebundle_()
    assert "if 0 <= t + 1 < size(t)" in shown["text/plain"]
    assert r"t + 1 < \lvert t \rvert" in shown["text/latex"]


def test_media_types_can_be_chosen() -> None:
    program = sb.Program(**PROGRAMS["dense"])
    assert set(program._repr_mimebundle_(include={"text/latex"})) == {"text/latex"}
    assert set(program._repr_mimebundle_(exclude={"text/latex"})) == {"text/plain"}


def test_import_loads_no_printer() -> None:
    code = (
        "import sys, symbackprop; from symbackprop.program import Program;"
        "print([n for n in sys.modules if n.startswith('symbackprop.d')])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.strip() == "[]"
