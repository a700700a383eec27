"""The committed files in generated/ are what the code emits now.

`python -m pytest tests/test_generated.py --update` rewrites them.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.files import write_atomically
from symbackprop.source import emit
from symbackprop.source.descent import emit_training

ROOT = Path(__file__).parent.parent
CHAPTERS = ("digits",)  # written down in every form that a repository can show
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_generated_files_are_up_to_date(file: Path, update: bool) -> None:
    network = sb.load(file)
    derivation = sb.derive(network)
    folder = ROOT / "generated" / network.name
    kernels, rule = emit(derivation, network.dtype), network.training.optimiser.rule
    training = emit_training(network.program, network.dtype, rule, kernels)
    wanted = {
        folder / f"kernels_{network.dtype}.py": kernels,
        folder / f"training_{network.dtype}_{rule.name}.py": training,
        folder / "derivation.tex": sb.document(derivation).latex,
    }
    if network.name in CHAPTERS:
        wanted[folder / "derivation.md"] = sb.document(derivation).markdown
        wanted[folder / "derivation_zh.tex"] = sb.document(derivation, "zh").latex
    for path, text in wanted.items():
        if update:
            write_atomically(path, text)
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        changes = difflib.unified_diff(
            before.splitlines(),
            text.splitlines(),
            str(path),
            "emitted now",
            lineterm="",
        )
        assert before == text, "\n".join(["run pytest --update", *changes][:60])
