"""The judge of accuracy, what it finds in what is emitted, and mistakes planted for it.

`symbackprop accuracy --all` tries every number of float32; here are drawn ones.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vector import FASTMATH, loop

from symbackprop.approximation import NAMES
from symbackprop.approximation.functions import ULPS
from symbackprop.approximation.targets import BITS
from symbackprop.cli.command import execute
from symbackprop.errors import InputError
from symbackprop.kernels.accuracy import (
    EVERY,
    LIMIT,
    accuracy,
    drawn,
    every_float32,
    measure,
    worst,
)
from symbackprop.kernels.truths import SUBJECTS

TABLES = Path(np.__file__).parent / "_core" / "tests" / "data"
REPORT = Path(__file__).parent.parent / "benchmarks" / "accuracy_float32.json"


def some(dtype: str) -> Iterator[np.ndarray[Any, Any]]:
    (x,) = drawn(dtype, 1000)
    yield x[:: 1 if dtype == "float32" else 9]


# --- the judge -----------------------------------------------------------------------


def ulps(dtype: str, value: float, high: float, low: float = 0.0, unit: float = 0.0):
    bits, least = {"float32": (24, -126), "float64": (53, -1022)}[dtype]
    found, true, rest, whole = (np.array([v]) for v in (value, high, low, unit))
    return worst(found, true, rest, whole, bits, least)[0]


@pytest.mark.parametrize(
    ("dtype", "value", "high", "low", "unit", "error"),
    [
        ("float32", 1 + 2.0**-23, 1.0, 0.0, 0.0, 1.0),
        ("float32", 0.75 + 2.0**-24, 0.75, 0.0, 0.0, 1.0),
        ("float64", 1.0, 1.0, 2.0**-54, 0.0, 0.25),
        ("float64", 3 * 5e-324, 5e-324, 0.0, 0.0, 2.0),
        ("float32", 2.0**-149, 2.0**-150, 0.0, 0.0, 0.5),
        ("float32", 1e-9, 0.0, 0.0, 1.0, 1e-9 * 2**23),
        ("float32", np.inf, 2.0**128, 0.0, 0.0, 0.0),
        ("float32", np.inf, 2.0**128 - 2.0**104, 0.0, 0.0, 1.0),
        ("float32", 2.0**128 - 2.0**104, 1e300, 0.0, 0.0, 1.0),
        ("float64", np.inf, 1.7976931348623157e308, 0.0, 0.0, 1.0),
        ("float64", np.inf, np.inf, 0.0, 0.0, 0.0),
        ("float64", np.inf, -np.inf, 0.0, 0.0, np.inf),
        ("float64", np.inf, 1.0, 0.0, 0.0, 2.0**53),
        ("float64", -0.0, 0.0, 0.0, 0.0, np.inf),
        ("float64", -0.0, 1e-320, 0.0, 0.0, np.inf),
        ("float64", np.nan, np.nan, 0.0, 0.0, 0.0),
        ("float64", np.nan, 0.0, 0.0, 0.0, np.inf),
        ("float64", 0.0, np.nan, 0.0, 0.0, np.inf),
    ],
)
def test_units_in_the_last_place(
    dtype: str, value: float, high: float, low: float, unit: float, error: float
) -> None:
    found = ulps(dtype, value, high, low, unit)
    assert found == pytest.approx(error)


def test_every_number_is_tried_once() -> None:
    chunks = every_float32()
    first = next(chunks)
    assert first[0] == 0
    assert first.view(np.uint32)[-1] == first.size - 1
    assert EVERY % first.size == 0


@pytest.mark.parametrize(
    ("name", "dtype", "pattern", "replacement"),
    [
        ("exp", "float32", r"real\(0\.166\d+\)", "real(0.16668)"),
        ("log", "float64", r"real\(0\.3999\d+\)", "real(0.39999999999)"),
        ("erf", "float32", r"real\(0\.1128\d+\)", "real(0.11284)"),
        ("erfc", "float64", r"real\(0\.5107\d+\)", "real(0.5107913526210)"),
        ("tanh", "float32", r"np\.copysign\((e / .*), x\)", r"\1"),
        ("log1p", "float64", r"else least", "else real(0.0)"),
        ("exp", "float64", r"real\(710\.0\)", "real(709.0)"),
        ("exp", "float32", r"real\(-104\.0\)", "real(-100.0)"),
    ],
)
def test_planted_mistake_is_found(
    name: str, dtype: str, pattern: str, replacement: str
) -> None:
    def edit(text: str) -> str:
        return re.sub(pattern, replacement, text)

    assert not measure(
        SUBJECTS[name], dtype, loop(name, dtype, False, edit), some(dtype)
    ).holds


# --- the vector functions ------------------------------------------------------------


@pytest.mark.parametrize("fastmath", FASTMATH, ids=str)
@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_stated_bound_holds(name: str, dtype: str, fastmath: Any) -> None:
    """With products and sums fused, where the machine can, and without."""
    found = measure(SUBJECTS[name], dtype, loop(name, dtype, fastmath), some(dtype))
    assert found.ulps <= ULPS[name][dtype], found


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("name", sorted(NAMES - {"erf", "erfc"}))
def test_numpys_own_tables(name: str, dtype: str) -> None:
    path = TABLES / f"umath-validation-set-{name}.csv"
    if not path.exists():
        pytest.skip(f"this NumPy was installed without {path.name}")
    lines = [t for t in path.read_text().splitlines() if not t.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["dtype"] == f"np.{dtype}"]
    whole = np.dtype(dtype.replace("float", "uint"))
    x, truth = (
        np.array([int(row[key], 16) for row in rows], whole).view(dtype)
        for key in ("input", "output")
    )
    assert len(x) > 50
    y = loop(name, dtype, FASTMATH[0])(x)
    number = ~np.isnan(truth)
    assert (np.isnan(y) == ~number).all()
    # The tables are rounded, by half a unit.
    most = np.ceil(ULPS[name][dtype] + 0.5)
    np.testing.assert_array_max_ulp(y[number], truth[number], maxulp=most)


# --- what is emitted -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("tanh", "float32"),
        ("logistic", "float64"),
        ("gelu", "float32"),
        ("logistic_slope", "float32"),
        ("elu_slope", "float64"),
        ("tanh_slope_saved", "float32"),
    ],
)
def test_emitted_function_holds(name: str, dtype: str) -> None:
    (found,) = accuracy([name], [dtype], samples=100)
    assert (found.name, found.dtype) == (name, dtype)
    assert found.holds, found


def test_unknown_functions_and_endless_work_are_refused() -> None:
    with pytest.raises(InputError, match="Did you mean `tanh`"):
        next(accuracy(["tahn"]))
    with pytest.raises(InputError, match="float64 has too many numbers"):
        next(accuracy(["tanh"], ["float64"], samples=None))


def test_command_prints_where_a_function_is_worst(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["accuracy", "--function", "exp", "--dtype", "float32", "--samples", "50"]
    assert execute(line) == 0
    printed = capsys.readouterr().out
    assert re.search(r"exp  float32 +\d\d,\d\d\d +\d\.\d\d\d ", printed)
    assert "within 4 ulp" in printed

    judged = "symbackprop.kernels.accuracy.emitted"
    monkeypatch.setattr(judged, lambda *_: lambda x: np.exp(x) * np.float32(1.000001))
    assert execute([*line, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["failed"] == ["exp"]
    assert {"processor", "numba", "numpy"} <= set(found["versions"])


def test_stored_report_is_of_every_number() -> None:
    report = json.loads(REPORT.read_text())
    assert {f["name"] for f in report["functions"]} == set(SUBJECTS)
    for found in report["functions"]:
        assert found["count"] == EVERY
        assert found["ulps"] <= LIMIT
        stated = ULPS.get(found["name"], {"float32": LIMIT})
        assert found["ulps"] <= stated["float32"]
