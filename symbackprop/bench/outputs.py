"""A report as a file: what its suffix says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from symbackprop import figures
from symbackprop.bench.picture import picture
from symbackprop.bench.tables import markdown
from symbackprop.files import write_atomically

Report = Mapping[str, Any]

# The data are one case a line, so that a difference between two runs can be read.
FORMATS: dict[str, Callable[[Report], str | bytes]] = {
    ".json": lambda report: _lines(report),
    ".md": markdown,
    ".svg": lambda report: picture(report, "svg"),
    ".png": lambda report: picture(report, "png"),
}
PICTURES = (".svg", ".png")


def writable(path: Path) -> None:
    """Refuse a file of no known kind before hours are spent on what it should hold.

    Raises:
        InputError: the suffix is not known, or Matplotlib is not installed.
    """
    figures.writable(path, "a benchmark", FORMATS, PICTURES)


def write(report: Report, path: Path) -> None:
    """Write a report, or one that was read back from its .json."""
    writable(path)
    write_atomically(path, FORMATS[path.suffix](report))


def _lines(report: Report) -> str:
    """
    >>> print(_lines({"machine": {"cores": 2}, "cases": [{"batch": 1}]}))
    {"schema": 1, "machine": {"cores": 2}, "cases": [
    {"batch": 1}
    ]}
    <BLANKLINE>
    """
    cases = ",\n".join(json.dumps(case) for case in report["cases"])
    machine = json.dumps(report["machine"])
    return f'{{"schema": 1, "machine": {machine}, "cases": [\n{cases}\n]}}\n'
