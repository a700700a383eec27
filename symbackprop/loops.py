"""Loops: the training loop of some kernels by some rule, emitted and imported."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from symbackprop.errors import InputError
from symbackprop.files import write_atomically
from symbackprop.kernels.limits import check_folder
from symbackprop.optimisers import Optimiser, Rule
from symbackprop.source.descent import emit_training

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

_importing = threading.Lock()
_texts: dict[tuple[str, Rule], str] = {}  # what was emitted for kernels and rule


@dataclass(frozen=True)
class Loop:
    """A compiled training loop.

    Attributes:
        path: the emitted file.
        text: what stands in it.
        module: it as a module, with `update`, `gather`, `clip_value`, `clip_norm`,
            `finite` and `epoch`, which other compiled code can call.
    """

    path: Path
    text: str
    module: ModuleType

    @property
    def epoch(self) -> Callable[..., tuple[float, int, int]]:
        """Runs a range of minibatches of an epoch."""
        found: Callable[..., tuple[float, int, int]] = self.module.epoch
        return found


def loop_of(kernels: Kernels, optimiser: Optimiser) -> Loop:
    """Emit the training loop beside the kernels, and import it.

    Raises:
        InputError: the kernels' file is gone, or the folder cannot be written.
    """
    path = loop_path(kernels, optimiser)
    check_folder(path.parent)
    try:
        written = Path(kernels.path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{kernels.path} cannot be read: {error.strerror or error}. Compile the "
            "kernels again."
        ) from error
    program, dtype = kernels.derivation.program, kernels.dtype
    key = (written, optimiser.rule)
    text = _texts.get(key)
    if text is None:
        text = emit_training(program, dtype, optimiser.rule, written)
        _texts.clear()  # who trains again and again needs the last one alone
        _texts[key] = text
    write_atomically(path, text)
    return Loop(path, text, _imported(path, text, kernels))


def loop_path(kernels: Kernels, optimiser: Optimiser) -> Path:
    """`<folder of the kernels>/training_<dtype>_<rule>.py`"""
    name = f"training_{kernels.dtype}_{optimiser.rule.name}.py"
    return Path(kernels.path).with_name(name)


def _imported(path: Path, text: str, kernels: Kernels) -> ModuleType:
    """The file as a module; once in a process for the same text and kernels.

    It says `from kernels_float32 import backward`, which anybody's Python finds in the
    file's own folder. Here it finds the kernels that are loaded already: they have that
    name for as long as the import lasts.
    """
    key = hashlib.sha256(f"{path.resolve()}\n{text}".encode()).hexdigest()[:16]
    name, beside = f"symbackprop_training_{key}", f"kernels_{kernels.dtype}"
    with _importing:
        found = sys.modules.get(name)
        if found is not None and found.backward is kernels.backward:
            return found
        spec = importlib.util.spec_from_file_location(
            name, path, loader=_Text(name, str(path.resolve()), text)
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        stand_in = ModuleType(beside)
        stand_in.backward = kernels.backward  # type: ignore[attr-defined]
        before = sys.modules.get(beside)
        sys.modules[beside] = stand_in
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules[beside]
            if before is not None:
                sys.modules[beside] = before
        sys.modules[name] = module
    return module


class _Text(SourceFileLoader):
    """Takes the text that was written, not bytecode that looks as old as it.

    Python tells bytecode that is out of date by size and second of the source.
    """

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:
        code: Any = self.source_to_code(self.text.encode(), self.path)
        assert isinstance(code, CodeType)
        return code
