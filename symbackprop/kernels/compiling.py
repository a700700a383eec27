"""`compile`: a derivation's file of kernels, written, imported, compiled, checked."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from symbackprop.derivation import HasProgram, derive
from symbackprop.errors import CheckError, DeclarationError
from symbackprop.files import write_atomically
from symbackprop.interrupts import interrupted_afterwards
from symbackprop.kernels.checking import checked
from symbackprop.kernels.kernels import Kernels
from symbackprop.kernels.limits import check_folder, check_memory, check_numbers
from symbackprop.network import path_of
from symbackprop.program import Program
from symbackprop.proof import Derivation
from symbackprop.source import SourceFile, plan_file


def compile(
    source: Derivation | Program | HasProgram,
    dtype: str = "float32",
    directory: str | Path = "generated",
) -> Kernels:
    """Emit, compile and check the kernels of a derivation, a program or a network.

    Writes `<directory>/<name>/kernels_<dtype>.py` and `derivation.tex` beside it, and
    leaves them alone where nothing changed, so that a second process loads what the
    first one compiled.

    Args:
        source: what to compile; what is not derived yet is derived first.
        dtype: "float32" or "float64".
        directory: where generated files go.

    Raises:
        CheckError: the compiled kernel disagrees with the forward equations; its file
            is deleted.
        DeclarationError: numbers that the precision cannot hold, or tensors that the
            machine cannot.
        InputError: another dtype, or a directory that cannot be written or that others
            may write to.
    """
    derivation = source if isinstance(source, Derivation) else derive(source)
    file = plan_file(derivation, dtype)
    path = (
        path_of("directory", directory)
        / derivation.program.name
        / f"kernels_{dtype}.py"
    )
    check_numbers(derivation, dtype)
    check_memory(derivation, file, dtype)
    check_folder(path.parent)
    write_atomically(path, file.text)
    _write_document(derivation, path.with_name("derivation.tex"))
    try:
        kernels = _load(derivation, dtype, path, file)
        return checked(kernels, lambda: _watched(derivation, dtype))
    except MemoryError as error:
        _delete(path)
        raise DeclarationError(
            f"{derivation.program.name}: the kernels or their check do not fit in the "
            "memory of this machine. Make the axes smaller."
        ) from error
    except (CheckError, DeclarationError):
        _delete(path)
        raise


def _write_document(derivation: Derivation, path: Path) -> None:
    """Write the derivation down, unless this version wrote it of this declaration."""
    from symbackprop.documents import document, origin

    with suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as file:
        if file.readline() == f"{origin(derivation)}\n":
            return
    write_atomically(path, document(derivation).latex)


def _load(derivation: Derivation, dtype: str, path: Path, file: SourceFile) -> Kernels:
    """Import the file, and compile both functions by a call on zeros."""
    module = _imported(path, file.text)
    kernels = Kernels(
        derivation,
        dtype,
        path,
        module.forward,
        module.backward,
        module.bound,
        file,
    )
    program = derivation.program
    data = []
    for tensor in program.data:
        shape = ((1,) if tensor.batched else ()) + program.shape(tensor.name)
        kind = np.dtype(np.int64) if tensor.integer else np.dtype(dtype)
        data.append(np.zeros(shape, kind))
    theta, gradient = np.zeros(kernels.size, dtype), np.zeros(kernels.size, dtype)
    workspace = kernels.workspace(1)
    started = time.perf_counter()
    with np.errstate(all="ignore"):
        with interrupted_afterwards():
            kernels.forward(theta, *data, workspace)
        with interrupted_afterwards():
            kernels.backward(theta, *data, gradient, workspace)
    return replace(kernels, compile_seconds=time.perf_counter() - started)


def _watched(derivation: Derivation, dtype: str) -> Kernels:
    """The same kernels once more, which leave every tensor in memory."""
    file = plan_file(derivation, dtype, keep=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"kernels_{dtype}.py"
        write_atomically(path, file.text)
        return _load(derivation, dtype, path, file)


def _imported(path: Path, text: str) -> ModuleType:
    """The file as a module; once in a process for equal path and text."""
    key = hashlib.sha256(f"{path.resolve()}\n{text}".encode()).hexdigest()[:16]
    name = f"symbackprop_kernels_{key}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module


def _delete(path: Path) -> None:
    """Remove a refuted file, and what Python and Numba cached of it."""
    path.unlink(missing_ok=True)
    cache = path.parent / "__pycache__"
    with suppress(OSError):
        for cached in sorted(cache.glob(f"{path.stem}.*")):
            cached.unlink(missing_ok=True)
