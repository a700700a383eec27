"""A measurement in a process of its own: one thread, and nothing loaded before it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from symbackprop.bench.cases import Case
from symbackprop.bench.machine import ONE_THREAD
from symbackprop.errors import SymbackpropError


class BenchError(SymbackpropError):
    """The measuring process ended before it had measured."""


def bench(
    cases: Sequence[Case],
    seconds: float = 3.0,
    as_text: bool = False,
    tell: Callable[[str], None] = lambda doing: None,
) -> dict[str, Any]:
    """Measure cases in a new process, whose libraries are told to use one thread.

    They read that when they are loaded, which is too late in this process.

    Raises:
        BenchError: the process failed; its own words stand on stderr.
    """
    options = {
        "cases": [asdict(case) for case in cases],
        "seconds": seconds,
        "as_text": as_text,
    }
    command = [sys.executable, "-m", "symbackprop.bench", json.dumps(options)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}
    ) as process:
        assert process.stdout is not None
        try:
            report = None
            for line in process.stdout:
                said = json.loads(line)
                if "doing" in said:
                    tell(said["doing"])
                else:
                    report = said
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
    if process.returncode or report is None:
        raise BenchError(
            f"bench: the measuring process ended with code {process.returncode}; see "
            "above what it said."
        )
    found: dict[str, Any] = report
    return found


def main(argument: str) -> None:
    """The new process: options as JSON in, lines of JSON out."""
    from symbackprop.bench.measuring import run

    # What libraries print goes to stderr, so that stdout holds our lines alone.
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    options = json.loads(argument)
    cases = [Case(**{**c, "widths": tuple(c["widths"])}) for c in options["cases"]]

    def tell(doing: str) -> None:
        print(json.dumps({"doing": doing}), file=lines)

    with tempfile.TemporaryDirectory() as folder:
        report = run(cases, options["seconds"], options["as_text"], folder, tell)
    print(json.dumps(report), file=lines)
