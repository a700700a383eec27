"""CasADi: the C that it generates, compiled and called through its buffers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import casadi
import numpy as np

from symbackprop.bench.problem import Contestant, Outcome, Problem, UnavailableError

FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC")
MOST = 10_000  # parameters: each is some lines of C, which compile for minutes


def gradient(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    case = problem.case
    if case.batch > 1 or case.dtype != "float64":
        raise UnavailableError("generated C is measured in float64 at batch 1")
    if case.parameters > MOST:
        raise UnavailableError(
            f"more than {MOST:,} parameters: C of that length is not made"
        )
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise UnavailableError("no C compiler on the PATH")
    sizes = [array.size for array in problem.parameters]
    theta = np.concatenate([array.ravel() for array in problem.parameters])
    arrays = (theta, np.ascontiguousarray(problem.x[0]), problem.y[0].copy())
    value, slopes = np.zeros(1), np.zeros(theta.size)
    with tempfile.TemporaryDirectory() as folder:
        library = _compiled(_function(problem), compiler, Path(folder))
    buffer, call = library.buffer()
    for place, array in enumerate(arrays):
        buffer.set_arg(place, array.data)
    buffer.set_res(0, value.data)
    buffer.set_res(1, slopes.data)

    def outcome() -> Outcome:
        call()
        parts = np.split(slopes.copy(), np.cumsum(sizes)[:-1])
        shaped = zip(parts, problem.parameters, strict=True)
        return Outcome(float(value[0]), tuple(g.reshape(p.shape) for g, p in shaped))

    kept = (library, buffer, arrays, value, slopes)  # C knows only their addresses

    def kept_call(kept: object = kept) -> None:
        call()

    yield "CasADi", Contestant(kept_call, outcome)


def _function(problem: Problem) -> Any:
    """(theta, x, y) -> (loss, gradient), as one graph of scalars."""
    theta = casadi.SX.sym("theta", problem.case.parameters)
    x = casadi.SX.sym("x", problem.case.widths[0])
    y = casadi.SX.sym("y", problem.case.widths[-1])
    a, start = x, 0
    for weight in problem.weights:
        rows, columns = weight.shape
        end = start + rows * columns
        matrix = casadi.reshape(theta[start:end], columns, rows).T
        z = casadi.mtimes(matrix, a) + theta[end : end + rows]
        a, start = casadi.tanh(z), end + rows
    shifted = z - casadi.mmax(z)
    value = casadi.log(casadi.sum1(casadi.exp(shifted))) - casadi.dot(y, shifted)
    outputs = [value, casadi.gradient(value, theta)]
    return casadi.Function("f", [theta, x, y], outputs)


def _compiled(function: Any, compiler: str, folder: Path) -> Any:
    generator = casadi.CodeGenerator("f.c")
    generator.add(function)
    generator.generate(f"{folder}/")
    command = [compiler, *FLAGS, str(folder / "f.c"), "-o", str(folder / "f.so")]
    done = subprocess.run([*command, "-lm"], capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError(f"{compiler} failed: {done.stderr.strip()[-200:]}")
    return casadi.external("f", str(folder / "f.so"))
