"""What does each activation cost to compute, and its slope?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Expr

from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.equations import Equation, System, Tensor, Term
from symbackprop.figures import STYLES, blank, legend
from symbackprop.program import Program
from symbackprop.rewrites import slope
from symbackprop.scalars import ACTIVATIONS, TABLE
from symbackprop.witnesses.counting import count

if TYPE_CHECKING:
    from symbackprop.bench.timing import Times

ABOUT = "Operations and nanoseconds of each activation and of its slope."

NAME = "activation-cost"
TITLE = "What each activation costs to compute"
ELEMENTS = 8192  # of one call: they fit in the cache, and hide what a call costs
SECONDS = 8.0  # of timing, shared by all
SPREAD = 2.0  # standard deviation of the arguments

Counts = dict[str, dict[str, int]]


def activations() -> tuple[str, ...]:
    """The activations that take one argument; others may have defaults."""
    return tuple(n for n in ACTIVATIONS if TABLE[n].arity - len(TABLE[n].defaults) == 1)


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Count and time every activation of one argument."""
    none_of_yours(NAME, program)
    names = activations()
    data = measured(names, seed, tell, ELEMENTS, SECONDS)
    return Study(NAME, TITLE, paragraph(data), data, lambda: picture(data))


def measured(
    names: Sequence[str], seed: int, tell: Tell, elements: int, seconds: float
) -> dict[str, Any]:
    """Counts and times of some activations, the quickest first."""
    times = timed(names, seed, tell, elements, seconds)
    rows: list[dict[str, Any]] = []
    for name in names:
        value, both = times[name], times[name + "'"]
        rows.append(
            {
                "name": name,
                "operations": operations(name),
                "value_ns": _nanoseconds(value, elements),
                "value_and_slope_ns": _nanoseconds(both, elements),
            }
        )
    rows.sort(key=lambda row: row["value_and_slope_ns"]["median"])
    return {"elements": elements, "dtype": "float32", "activations": rows}


def _nanoseconds(times: Times, elements: int) -> dict[str, float]:
    scale = 1e9 / elements
    return {
        "median": times.median * scale,
        "low": times.low * scale,
        "high": times.high * scale,
    }


def declared(name: str, elements: int) -> Program:
    """`L = sum(f(x[i]), i)`: its gradient is the slope at every element."""
    return Program(
        equations=f"a[i] = {name}(x[i])\nL = sum(a[i], i)",
        axes={"i": elements},
        parameters={"x": "i"},
        data={},
        objective="L",
        name=name,
    )


def timed(
    names: Sequence[str], seed: int, tell: Tell, elements: int, seconds: float
) -> dict[str, Times]:
    """Times of `f` by its name and of `f` with its slope by its name and a prime."""
    from symbackprop.bench.timing import measure  # loads nothing else of `bench`
    from symbackprop.kernels import compile as compile_from

    x = np.random.default_rng(seed).normal(0, SPREAD, elements).astype("float32")
    calls: dict[str, Callable[[], Any]] = {}
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        for place, name in enumerate(names, 1):
            tell(f"compiling {name}, {place} of {len(names)}")
            kernels = compile_from(declared(name, elements), "float32", folder)
            gradient, workspace = np.empty_like(x), kernels.workspace(1)
            calls[name] = _call(kernels.forward, x, workspace)
            calls[name + "'"] = _call(kernels.backward, x, gradient, workspace)
        tell(f"timing for {seconds:g} s")
        return measure(calls, seconds)


def _call(function: Callable[..., float], *arrays: Any) -> Callable[[], float]:
    return lambda: function(*arrays)


def operations(name: str) -> dict[str, dict[str, int]]:
    """What the value takes, and what the slope takes beyond it, for one element.

    Functions are counted down to those of a library: exp, log1p, expm1, erfc, tanh.
    """
    row = TABLE[name]
    x = Tensor("x", (), "data", 0)
    value = Tensor("a", (), "defined", 1)
    derived = Tensor("d", (), "defined", 2)
    arguments = (x.symbol, *row.defaults)
    symbols, formula = slope(name)
    at = dict(zip(symbols, arguments, strict=True))
    through_value = formula.xreplace(at).xreplace({row.call(*arguments): value.symbol})
    bodies = {
        value: _opened(row.call(*arguments)),
        derived: _opened(through_value),
    }
    system = System(
        name,
        {},
        {t.name: t for t in (x, value, derived)},
        tuple(Equation(t.name, (), (Term(body),)) for t, body in bodies.items()),
        "d",
    )
    counted = count(system, {"x": np.array(0.3)}, batch=1)
    return {
        "value": dict(sorted(counted["a"].items())),
        "slope": dict(sorted(counted["d"].items())),
    }


def _opened(expression: Expr) -> Expr:
    """The form that is computed, in functions that libraries have."""
    if not expression.args:
        return expression
    arguments = [_opened(a) for a in expression.args]
    row = TABLE.get(expression.func.__name__)
    if row is None or row.primitive:
        return expression.func(*arguments)
    form = row.stable or row.definition
    assert form is not None
    return _opened(form(*arguments))


def paragraph(data: Mapping[str, Any]) -> str:
    """The cheapest, the dearest, and what counting says of it."""
    rows = data["activations"]
    of = {row["name"]: row for row in rows}
    first, last = rows[0], rows[-1]

    def both(row: Mapping[str, Any]) -> float:
        found: float = row["value_and_slope_ns"]["median"]
        return found

    calling = [row for row in rows if _calls(row)]
    plain = [row for row in rows if not _calls(row)]
    told = (
        f"One element in {data['dtype']}, value and slope together, takes "
        f"{both(first):.2f} ns for `{first['name']}` and {both(last):.2f} ns for "
        f"`{last['name']}`, in arrays of {data['elements']:,} that stay in the cache."
    )
    if calling and plain:
        cheap = float(np.median([both(row) for row in plain]))
        dear = float(np.median([both(row) for row in calling]))
        told += (
            f" The {len(plain)} that only compare, add and multiply take "
            f"{cheap:.2f} ns in the median, the {len(calling)} that call an "
            f"exponential or another function take {dear:.2f} ns, "
            f"{dear / cheap:.1f} times as much."
        )
    if {"relu", "tanh", "identity"} <= of.keys():
        relu = both(of["relu"])
        told += (
            f" A `relu` takes {relu / both(of['identity']):.2f} times as long as a "
            f"plain copy (`identity`), and `tanh` {both(of['tanh']) / relu:.1f} times "
            "as long as `relu`."
        )
    extra = [both(row) / row["value_ns"]["median"] for row in rows if both(row) > 0]
    return told + (
        f" The slope comes with the value at {float(np.median(extra)):.1f} times the "
        "time of the value alone in the median."
    )


def _calls(row: Mapping[str, Any]) -> bool:
    return any("functions" in counts for counts in row["operations"].values())


def picture(data: Mapping[str, Any]) -> Any:
    """Left the counted operations, right the measured time, one row an activation."""
    rows = data["activations"]
    figure, (left, right) = blank(1, 2, width=8.5, height=1.6 + 0.36 * len(rows))
    places = np.arange(len(rows))[::-1]
    names = [row["name"] for row in rows]
    plain, calls = STYLES[6].colour, STYLES[1].colour
    for kind, shift in (("value", 0.2), ("slope", -0.2)):
        hatch = "" if kind == "value" else "////"
        arithmetic = [
            sum(n for what, n in row["operations"][kind].items() if what != "functions")
            for row in rows
        ]
        functions = [row["operations"][kind].get("functions", 0) for row in rows]
        more = {"height": 0.36, "hatch": hatch, "edgecolor": "white", "linewidth": 0.6}
        left.barh(
            places + shift,
            arithmetic,
            color=plain,
            label=f"{kind}: arithmetic and choices",
            **more,
        )
        left.barh(
            places + shift,
            functions,
            left=arithmetic,
            color=calls,
            label=f"{kind}: calls of functions",
            **more,
        )
    for key, shift, label, style in (
        ("value_ns", 0.2, "value", STYLES[0]),
        ("value_and_slope_ns", -0.2, "value with slope", STYLES[2]),
    ):
        found = [row[key] for row in rows]
        middle = np.array([entry["median"] for entry in found])
        spread = np.array(
            [[m - e["low"], e["high"] - m] for m, e in zip(middle, found, strict=True)]
        ).T
        right.barh(
            places + shift,
            middle,
            height=0.36,
            color=style.colour,
            hatch="" if shift > 0 else "////",
            edgecolor="white",
            linewidth=0.6,
            label=f"time: {label}",
            xerr=spread,
            error_kw={"ecolor": "#888888", "elinewidth": 1.2, "capsize": 2},
        )
    left.set_yticks(places, names)
    right.set_yticks(places, [])
    left.set_xlabel("operations for one element")
    right.set_xlabel("nanoseconds for one element")
    left.set_title("counted", fontsize=10)
    right.set_title("measured, with quartiles", fontsize=10)
    for axes in (left, right):
        axes.grid(axis="y", visible=False)
        axes.set_ylim(-0.6, len(rows) - 0.4)
    legend(figure, [left, right], 3)
    return figure
