"""Loops: the training loop of some kernels by some rule, emitted, imported, checked."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import CheckError, InputError
from symbackprop.files import write_atomically
from symbackprop.interrupts import interrupted_afterwards
from symbackprop.kernels.limits import check_folder
from symbackprop.optimisers import Optimiser, Rule
from symbackprop.source.descent import emit_training

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

Array = NDArray[Any]

STEPS, LENGTH = 3, 71  # of the check; a vector loop leaves a remainder

_importing = threading.Lock()
# What was emitted and checked, by its path, the kernels' text and the rule.
_texts: dict[tuple[Path, str, Rule], str] = {}


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
    """Emit the training loop beside the kernels, import it, and check its update.

    Raises:
        CheckError: the compiled update is not what the rule says; the file is deleted.
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
    program, dtype, rule = kernels.derivation.program, kernels.dtype, optimiser.rule
    key = (path, written, rule)
    checked = _texts.get(key)
    text = checked or emit_training(program, dtype, rule, written)
    write_atomically(path, text)
    module = _imported(path, text, kernels)
    if checked is not None:
        return Loop(path, text, module)
    apart = disagreement(module.update, rule, dtype, optimiser.options)
    if apart > math.sqrt(np.finfo(dtype).eps):
        path.unlink(missing_ok=True)
        raise CheckError(
            f"{path}: the compiled update does not agree with the rule `{rule.name}` "
            f"(relative error {apart:.1e}). The file was deleted. This is an error of "
            "symbackprop, or of the compiler: please report the rule."
        )
    _texts.clear()  # who trains again and again needs the last one alone
    _texts[key] = text
    return Loop(path, text, module)


def disagreement(
    update: Callable[..., bool], rule: Rule, dtype: str, options: Mapping[str, float]
) -> float:
    """How far a compiled update is from its rule in NumPy, relatively, in some steps.

    Each option has a number of its own, so that none can stand in another's place;
    where the rule is not finite at these numbers, they are the given ones.
    """
    spread = dict(zip(rule.options, np.linspace(0.3, 0.7, len(options)), strict=True))
    carried = (*rule.state, "theta")
    drawn = np.random.default_rng(0).normal(size=(STEPS + 1, LENGTH)).astype(dtype)
    for numbers in ({n: float(v) for n, v in spread.items()}, options):
        expected = {name: np.zeros_like(drawn[0]) for name in rule.state}
        expected["theta"] = drawn[0].copy()
        found = {name: vector.copy() for name, vector in expected.items()}
        others = [value for name, value in numbers.items() if name != "rate"]
        with np.errstate(all="ignore"):
            for step, g in enumerate(drawn[1:], 1):
                values = rule.evaluate({**expected, **numbers, "g": g, "t": step})
                expected = {n: np.asarray(values[n], dtype) for n in carried}
                state = [found[name] for name in rule.state]
                with interrupted_afterwards():
                    update(
                        found["theta"],
                        g,
                        *state,
                        step,
                        numbers.get("rate", 0.0),
                        *others,
                    )
        if all(np.isfinite(vector).all() for vector in expected.values()):
            return max(
                _relative(found[name], vector) for name, vector in expected.items()
            )
    return 0.0  # a rule of which nothing can be said


def _relative(found: Array, expected: Array) -> float:
    scale = np.maximum(np.abs(expected), np.abs(expected).mean() or 1.0)
    error = float((np.abs(found - expected) / scale).max())
    return error if np.isfinite(error) else np.inf


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
