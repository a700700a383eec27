"""From equations to a gradient, stage by stage, in a process of its own.

`python -m symbackprop.contrast.apparatus.stages PROGRAM FOLDER` reads a pickled
program, prints one JSON object and leaves the kernels in the folder. A process that has
derived nothing before shows what a user waits for, and with the folder of an earlier
one, what is waited for a second time.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbackprop.errors import InputError

if TYPE_CHECKING:
    from symbackprop.program import Program

NUMBERED = re.compile(r"\s*# \(\d+")  # `# (7)  delta1_i = ...`
STAGES = ("derive", "judge", "emit", "compile", "check")
LIMIT = 300  # seconds of one process


def staged(program: Program, folder: Path, hash_seed: int) -> dict[str, Any]:
    """What the stages of a program took, in a fresh process.

    Args:
        program: what is derived.
        folder: where kernels go, and are found again by a second call.
        hash_seed: of Python's hashes, on which no emitted byte may depend.

    Raises:
        InputError: the process failed, or took too long.
    """
    declared = folder / f"{program.name}.pickle"
    declared.write_bytes(pickle.dumps(program))
    command = [sys.executable, "-m", __name__, str(declared), str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=LIMIT, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"{program.name}: deriving and compiling it took more than {LIMIT} s. Give "
            "a smaller network."
        ) from error
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise InputError(
            f"{program.name}: the process that compiles it failed: {' '.join(told)}"
        ) from error
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(program: Program, folder: Path) -> dict[str, Any]:
    """Every stage, once, in this process.

    Returns:
        `seconds` by stage, and of the emitted file `lines`, `comments` with numbers of
        equations, and `digest` of its bytes.
    """
    from symbackprop.derivation import differentiate
    from symbackprop.judging import judge
    from symbackprop.kernels import compile as compile_from
    from symbackprop.source import plan_file

    seconds: dict[str, float] = {}
    started = time.perf_counter()
    derivation = differentiate(program)
    seconds["derive"] = time.perf_counter() - started
    started = time.perf_counter()
    derivation = replace(derivation, checks=judge(derivation))
    seconds["judge"] = time.perf_counter() - started
    started = time.perf_counter()
    plan_file(derivation, "float64")
    seconds["emit"] = time.perf_counter() - started
    started = time.perf_counter()
    kernels = compile_from(derivation, "float64", folder)
    rest = time.perf_counter() - started - seconds["emit"]
    seconds["compile"] = kernels.compile_seconds
    seconds["check"] = max(rest - kernels.compile_seconds, 0.0)
    text = kernels.path.read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        "seconds": seconds,
        "equations": len(derivation.forward) + len(derivation.adjoint),
        "parameters": kernels.size,
        "lines": len(lines),
        "comments": sum(bool(NUMBERED.match(line)) for line in lines),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }


if __name__ == "__main__":
    declaration, output = map(Path, sys.argv[1:])
    print(json.dumps(measure(pickle.loads(declaration.read_bytes()), output)))
