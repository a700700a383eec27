"""How well does one hidden layer of growing width approximate given functions?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.contrast.study import Study, Tell, none_of_yours
from symbackprop.figures import STYLES, THEORY, blank, legend
from symbackprop.program import Program

if TYPE_CHECKING:
    from symbackprop.kernels import Kernels

ABOUT = "One hidden layer of growing width fitted to given functions."

NAME = "universal-approximation"
TITLE = "Universal approximation: the error of one hidden layer against its width"
WIDTHS = (1, 2, 4, 8, 16, 32)
DRAWN = (2, 16)  # widths whose fits are shown
RESTARTS = 4
ITERATIONS = 1000
POINTS, HELD_OUT = 301, 961  # of the interval: to fit to, and to judge by

Array = NDArray[np.float64]

# None of them is a sum of a few tanh.
FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "smooth: sin(8x)": lambda x: np.sin(8 * x),
    "corners: 2 ||x| - 1/2|": lambda x: 2 * np.abs(np.abs(x) - 0.5),
    "nearly a step: 20x cut off at -1 and 1": lambda x: np.clip(20 * x, -1, 1),
}


@dataclass(frozen=True)
class Fit:
    """The best fit of some restarts: its mean squared error where it was not fitted."""

    width: int
    error: float
    theta: Array


def declared(widest: int) -> Program:
    """`f(x) = sum(v_k m_k tanh(u_k x + c_k), k) + d` at mean squared error.

    The mask `m` is 1 for the units that there are and 0 for others, so that one
    program serves every width.
    """
    return Program(
        equations=(
            "a[k] = tanh(u[k]*x + c[k])\nf = sum(v[k]*m[k]*a[k], k) + d\nL = (f - y)**2"
        ),
        axes={"k": widest},
        parameters={"u": "k", "c": "k", "v": "k", "d": ""},
        data={"x": "", "y": "", "m": "k"},
        batched=("x", "y"),
        objective="L",
        output="f",
        name="approximation",
    )


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Fit every function at every width, some times."""
    none_of_yours(NAME, program)
    data = measured(FUNCTIONS, WIDTHS, DRAWN, RESTARTS, ITERATIONS, seed, tell)
    return Study(NAME, TITLE, paragraph(data), data, lambda: picture(data))


def measured(
    functions: Mapping[str, Callable[[Array], Array]],
    widths: Sequence[int],
    drawn: Sequence[int],
    restarts: int,
    iterations: int,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """The error of the best fit by function and width; the curves of some widths."""
    from symbackprop.kernels import compile as compile_from

    tell("compiling one layer of the largest width")
    grid = np.linspace(-1, 1, HELD_OUT)
    rows = []
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        kernels = compile_from(declared(max(widths)), "float64", folder)
        for name, function in functions.items():
            found: list[Fit] = []
            for width in widths:
                tell(f"fitting {width} units to {name}")
                grown = found[-1] if found else None
                found.append(
                    fit(kernels, function, width, grown, restarts, iterations, seed)
                )
            curves = {
                str(each.width): predicted(kernels, each, grid[::8]).tolist()
                for each in found
                if each.width in drawn
            }
            rows.append(
                {
                    "function": name,
                    "errors": [each.error for each in found],
                    "exponent": exponent(widths, [each.error for each in found]),
                    "variance": float(np.var(function(grid))),
                    "truth": function(grid[::8]).tolist(),
                    "fits": curves,
                }
            )
    return {
        "widths": list(widths),
        "restarts": restarts,
        "x": grid[::8].tolist(),
        "functions": rows,
    }


def mask(kernels: Kernels, width: int) -> Array:
    """1 for the first units, 0 for the rest."""
    widest = kernels.derivation.program.size("k")
    return np.asarray(np.arange(widest) < width, dtype=float)


def first(kernels: Kernels, width: int, rng: np.random.Generator) -> Array:
    """Units whose steepest places are spread over the interval."""
    widest = kernels.derivation.program.size("k")
    slopes = rng.choice([-1.0, 1.0], widest) * rng.uniform(1, 2 + width, widest)
    places = rng.uniform(-1, 1, widest)
    outer = rng.normal(0, 1 / np.sqrt(width), widest)
    parameters = {"u": slopes, "c": -slopes * places, "v": outer, "d": 0.0}
    return np.asarray(kernels.pack(parameters))


def fit(
    kernels: Kernels,
    function: Callable[[Array], Array],
    width: int,
    grown: Fit | None,
    restarts: int,
    iterations: int,
    seed: int,
) -> Fit:
    """The restart with the least error on the points that it is fitted to.

    One more start is the best fit of the width before, to which units are added that
    do nothing yet: with it, no width fits worse than a smaller one.
    """
    from scipy.optimize import minimize

    rng = np.random.default_rng((seed, width))
    x = np.linspace(-1, 1, POINTS)
    data = (x, function(x), mask(kernels, width))
    starts = [first(kernels, width, rng) for _ in range(restarts)]
    if grown is not None:
        idle = kernels.unpack(starts[0].copy())
        before = kernels.unpack(grown.theta)
        old = mask(kernels, grown.width) == 1
        for name in ("u", "c", "v"):
            idle[name][old] = before[name][old]
        idle["v"][~old] = 0
        starts.append(kernels.pack({**idle, "d": before["d"]}))
    found = [
        minimize(
            kernels.value_and_grad,
            start,
            args=data,
            jac=True,
            method="BFGS",
            options={"maxiter": iterations, "gtol": 1e-9},
        )
        for start in starts
    ]
    best = min(found, key=lambda each: float(each.fun))
    fitted = Fit(width, 0.0, best.x)
    grid = np.linspace(-1, 1, HELD_OUT)
    error = np.mean((predicted(kernels, fitted, grid) - function(grid)) ** 2)
    return Fit(width, float(error), best.x)


def predicted(kernels: Kernels, fitted: Fit, x: Array) -> Array:
    found = kernels.predict(fitted.theta, x=x, m=mask(kernels, fitted.width))
    return np.asarray(found)


def exponent(widths: Sequence[int], errors: Sequence[float]) -> float:
    """The p of an error that falls as width^-p, by least squares of logarithms.

    >>> round(exponent([1, 2, 4], [1.0, 0.5, 0.25]), 6)
    1.0
    """
    return -float(np.polyfit(np.log(widths), np.log(errors), 1)[0])


def paragraph(data: Mapping[str, Any]) -> str:
    """Errors at the ends, their rate, and what the theorems promise."""
    widths, rows = data["widths"], data["functions"]
    told = [
        f"`{row['function']}` from {row['errors'][0]:.2g} with "
        f"{_units(widths[0])} to {row['errors'][-1]:.2g} with {_units(widths[-1])} "
        f"(about $n^{{{-row['exponent']:.1f}}}$)"
        for row in rows
    ]
    under = sum(
        e <= row["errors"][0] * widths[0] / n
        for row in rows
        for n, e in zip(widths[1:], row["errors"][1:], strict=True)
    )
    count = len(widths[1:]) * len(rows)
    return (
        f"One hidden layer of n tanh units, fitted by BFGS through the compiled "
        f"gradient: the best of {data['restarts']} random starts and of one that adds "
        f"units to the fit before. Its mean squared error on points "
        f"that were not fitted goes: {'; '.join(told)}. The universal approximation "
        "theorem says that it can be made as small as one likes. It does not say how "
        "many units that takes, nor that training finds them.\n\n"
        f"Barron's theorem bounds the best squared error by a constant over n, for "
        f"functions whose Fourier transform has a finite first moment. {under} of "
        f"{count} wider fits lie on or below the line through the error of "
        f"{_units(widths[0])}. The bound is one for all such functions, in any number "
        "of dimensions: a single function of one variable may be much easier. What is "
        "measured is an upper bound of the best error, since an optimiser may stop "
        "short of what its units could do.\n\n"
        "Sources: Cybenko 1989; Hornik 1991; Barron 1993 (IEEE Transactions on "
        "Information Theory 39)."
    )


def _units(count: int) -> str:
    return "one unit" if count == 1 else f"{count} units"


def picture(data: Mapping[str, Any]) -> Any:
    """Error against width, and for each function two fits beside the truth."""
    widths, rows = data["widths"], data["functions"]
    figure, grid = blank(2, 2, width=8.5, height=6.6)
    top, *panels = grid.flat
    styles = [STYLES[k] for k in (1, 2, 3)]
    for row, style in zip(rows, styles, strict=False):
        top.loglog(widths, row["errors"], label=row["function"], **style.options())
    worst = max(row["errors"][0] for row in rows) * widths[0]
    line = [worst / n for n in widths]
    top.loglog(widths, line, label="theory: 1/n (Barron 1993)", **THEORY)
    top.set_xticks(widths, [str(n) for n in widths])
    top.minorticks_off()
    top.set_xlabel("hidden units n")
    top.set_ylabel("mean squared error")
    top.set_title("error of the best fit", fontsize=10)
    for row, axes, style in zip(rows, panels, styles, strict=False):
        axes.plot(
            data["x"], row["truth"], color="#bbbbbb", linewidth=4, label="the function"
        )
        for (width, curve), dash in zip(row["fits"].items(), (":", "-"), strict=False):
            axes.plot(
                data["x"],
                curve,
                color="#000000",
                linestyle=dash,
                linewidth=1.2,
                label=f"fit with {_units(int(width))}",
            )
        axes.set_title(row["function"], fontsize=10, color=style.colour)
        axes.set_xlabel("x")
        axes.set_ylabel("f(x)")
    legend(figure, grid.flat, 3)
    return figure
