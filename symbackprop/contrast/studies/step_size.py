"""Step size: what a difference formula gains by a smaller step, and what it loses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from symbackprop.contrast.study import Study, Tell
from symbackprop.errors import CheckError
from symbackprop.figures import STYLES, THEORY, blank, legend
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program
from symbackprop.witnesses.differences import (
    EPS,
    FORMULAS,
    Formula,
    coefficients,
    complex_step,
    noise,
    richardson,
    slope,
)
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.numbers import COMPLEX, REAL, Array, Numbers, Precise
from symbackprop.witnesses.slopes import dual_slope, value

ABOUT = "Error of each difference formula by its step: truncation against rounding."
BATCH = 3
DIGITS = 120  # that the truth is computed with
AGREED = 50  # of them that two ways of computing it must share
PER_DECADE, DECADES = 3, (1, 18)
NEAR = 6  # steps whose errors are averaged at each place: rounding errors are random
SPREAD = 0.1  # how far those lie from each other, relative

# The extrapolation to h = 0 of central differences with the steps h, 2h, 4h and 8h is
# the formula through all of their points.
OFFSETS = (-8, -4, -2, -1, 1, 2, 4, 8)
EXTRAPOLATED = Formula("Richardson extrapolation", OFFSETS, coefficients(OFFSETS))
STUDIED = (*FORMULAS.values(), EXTRAPOLATED)
COMPLEX_STEP = "complex step"


@dataclass(frozen=True)
class Line:
    """A program's value along a direction through its parameters: t -> V(theta + t v).

    Attributes:
        program: whose value it is.
        values: of parameters and data.
        direction: v, of length 1, by parameter.
    """

    program: Program
    values: Mapping[str, Array]
    direction: Mapping[str, Array]

    def at(self, t: Any, numbers: Numbers = REAL) -> Any:
        """V(theta + t v), in any kind of number."""
        moved = {
            name: numbers.array(self.values[name]) + t * numbers.array(along)
            for name, along in self.direction.items()
        }
        return value(self.program, {**self.values, **moved}, numbers)

    def function(self, numbers: Numbers = REAL) -> Callable[[Any], Any]:
        """The same as a function of a vector of one entry."""
        return lambda vector: self.at(vector[0], numbers)


def run(program: Program | None, seed: int, tell: Tell) -> Study:
    """Measure the error of each formula along one random direction.

    Source: Nocedal and Wright, Numerical Optimization (2006), section 8.1; Press et
        al., Numerical Recipes, section 5.7.
    """
    program = example() if program is None else program
    data = measured(program, seed, tell)
    return Study(
        "step-size",
        "How does the error of a numeric slope depend on the step?",
        paragraph(data),
        data,
        partial(draw_figure, data),
    )


def example() -> Program:
    """Two tanh layers and softmax with cross-entropy."""
    layers = [Dense(5, "tanh"), Dense(4, "tanh"), Dense(3, "softmax")]
    network = Network(inputs=3, layers=layers, loss="cross_entropy", name="two_tanh")
    return network.program


def line_of(program: Program, seed: int) -> Line:
    """Drawn values, and a drawn direction of length 1."""
    rng = np.random.default_rng(seed)
    values = draw(program, rng, BATCH)
    drawn = {t.name: rng.normal(size=values[t.name].shape) for t in program.parameters}
    length = math.sqrt(sum(float((v**2).sum()) for v in drawn.values()))
    return Line(program, values, {n: np.asarray(v / length) for n, v in drawn.items()})


# Truth


def truth(line: Line, numbers: Precise) -> Any:
    """The slope to 50 digits: by dual numbers, confirmed by a difference quotient.

    Raises:
        CheckError: the two share less.
    """
    exact = dual_slope(line.program, line.values, line.direction, numbers)
    context = numbers.context
    x, v = np.array([context.mpf(0)]), np.array([context.mpf(1)])
    central = FORMULAS["central difference"]
    step = context.mpf(10) ** (-DIGITS // 3)
    quotient = slope(line.function(numbers), x, v, central, step)
    if not abs(quotient - exact) <= context.mpf(10) ** -AGREED * max(1, abs(exact)):
        raise CheckError(
            f"{line.program.name}: along a random direction the slope is "
            f"{context.nstr(exact, 20)} by dual numbers and "
            f"{context.nstr(quotient, 20)} by a difference quotient of {DIGITS} "
            "digits. It sits at a corner; take another seed."
        )
    return exact


def derivative(line: Line, order: int, numbers: Precise) -> float:
    """`sum over k of (-1)^k C(n, k) V((n/2 - k) h) / h^n`, n the order."""
    context = numbers.context
    h = context.mpf(10) ** (-DIGITS // (order + 3))
    total = context.mpf(0)
    for k in range(order + 1):
        sample = line.at((context.mpf(order) / 2 - k) * h, numbers)
        total += (-1) ** k * math.comb(order, k) * sample
    found = total / h**order
    # What cancellation left of nothing is nothing.
    left = context.mpf(10) ** (-DIGITS + 10) / h**order
    return 0.0 if abs(found) < left else float(found)


def exponent(line: Line, formula: Formula, exact: Any, numbers: Precise) -> float:
    """The power of h in the truncation error without rounding; NaN if it is 0."""
    context = numbers.context
    x, v = np.array([context.mpf(0)]), np.array([context.mpf(1)])
    errors = [
        abs(slope(line.function(numbers), x, v, formula, h) - exact)
        for h in (context.mpf(10) ** -4, context.mpf(10) ** -5)
    ]
    if min(errors) < context.mpf(10) ** -(DIGITS * 3 // 4):
        return math.nan
    return float(context.log(errors[0] / errors[1], 10))


# Measuring


def steps() -> list[float]:
    """From 1e-1 down to 1e-18, evenly on a logarithmic axis."""
    first, last = DECADES
    count = PER_DECADE * (last - first) + 1
    return [float(10.0 ** -(first + k / PER_DECADE)) for k in range(count)]


def measured(program: Program, seed: int, tell: Tell) -> dict[str, Any]:
    """All that the figure and the paragraph show, as JSON takes it."""
    tell(f"{program.name}: the slope to {AGREED} digits")
    line, numbers = line_of(program, seed), Precise(DIGITS)
    exact = truth(line, numbers)
    scale = abs(exact) if exact != 0 else numbers.context.mpf(1)
    f, x, v = line.function(), np.zeros(1), np.ones(1)
    # The noise of values as all parameters move, as they do with any step.
    # Rounding to the nearest number alone has the deviation ulp / sqrt(12).
    rounding = max(noise(f, x, v), EPS * abs(line.at(0.0)) / math.sqrt(12))

    def error(found: float) -> float:
        return float(abs(found - exact) / scale)

    def near(h: float) -> list[float]:
        return [float(h * (1 + SPREAD * (k / NEAR - 0.5))) for k in range(NEAR)]

    def mean(errors: list[float]) -> float:
        return float(np.sqrt(np.mean(np.square(errors))))

    methods = []
    for formula in STUDIED:
        tell(f"{program.name}: {formula.name}")
        errors = [
            mean([error(slope(f, x, v, formula, h)) for h in near(each)])
            for each in steps()
        ]
        power = formula.order
        high = derivative(line, power + 1, numbers) / float(scale)
        theory = [formula.theory(h, high, rounding / float(scale)) for h in steps()]
        best = formula.best_step(high, rounding / float(scale)) if high else None
        methods.append(
            {
                "name": formula.name,
                "evaluations": formula.evaluations,
                "order": power,
                "derivative": high * float(scale),
                "errors": errors,
                "theory": theory,
                "measured": _least(errors),
                "predicted": best
                and {
                    "step": best,
                    "error": formula.theory(best, high, rounding / float(scale)),
                },
                "truncation_exponent": _number(exponent(line, formula, exact, numbers)),
                "rounding_exponent": _number(_rising(errors)),
            }
        )
    tell(f"{program.name}: {COMPLEX_STEP}")
    g = line.function(COMPLEX)
    errors = [error(complex_step(g, x, v, h)) for h in steps()]
    cubic = derivative(line, 3, numbers) / float(scale)
    methods.append(
        {
            "name": COMPLEX_STEP,
            "evaluations": 1,
            "order": 2,
            "derivative": cubic * float(scale),
            "errors": errors,
            "theory": [abs(cubic) / 6 * h**2 + EPS for h in steps()],
            "measured": _least(errors),
            "predicted": None,
            "truncation_exponent": _number(_complex_exponent(line, exact, numbers)),
            "rounding_exponent": 0.0,
        }
    )
    calls: list[float] = []

    def counted(vector: Any) -> float:
        calls.append(1)
        return float(f(vector))

    found, estimate = richardson(counted, x, v)
    return {
        "program": program.name,
        "parameters": sum(int(np.size(d)) for d in line.direction.values()),
        "batch": BATCH,
        "seed": seed,
        "value": float(line.at(0.0)),
        "slope": str(numbers.context.nstr(exact, AGREED)),
        "noise": rounding,
        "steps": steps(),
        "methods": methods,
        "extrapolation": {
            "error": error(found),
            "estimate": float(estimate / scale),
            "evaluations": len(calls),
        },
    }


def _complex_exponent(line: Line, exact: Any, numbers: Precise) -> float:
    """That of `V''' h^2 / 6`, where complex numbers of 16 digits still show it.

    Complex step has no rounding to disturb it: steps of 1e-2 and 1e-3 are enough.
    """
    f, x, v = line.function(COMPLEX), np.zeros(1), np.ones(1)
    errors = [float(abs(complex_step(f, x, v, h) - exact)) for h in (10**-2, 10**-2.5)]
    if min(errors) < 1e3 * EPS * float(abs(exact)):
        return math.nan
    return 2 * math.log10(errors[0] / errors[1])


def _least(errors: list[float]) -> dict[str, float]:
    place = int(np.argmin(errors))
    return {"step": steps()[place], "error": errors[place]}


def _rising(errors: list[float]) -> float:
    """The exponent on the left arm: between the best step and where x + h v is x."""
    place = int(np.argmin(errors))
    chosen = [
        (math.log10(h), math.log10(e))
        for h, e in zip(steps()[place + 2 :], errors[place + 2 :], strict=True)
        if 0 < e < 0.1
    ]
    if len(chosen) < PER_DECADE:
        return math.nan
    left, right = zip(*chosen, strict=True)
    return float(np.polyfit(left, right, 1)[0])


def _number(found: float) -> float | None:
    """As JSON takes it."""
    return found if math.isfinite(found) else None


# Telling


def paragraph(data: Mapping[str, Any]) -> str:
    """What the figure shows, with the figures measured."""
    parts = [
        f"The slope of `{data['program']}` ({data['parameters']} parameters) along one "
        f"random direction, held against its value to {AGREED} digits. A large step "
        "errs by truncation, `C h^p`; a small one by rounding, `noise / h`, since "
        "almost equal values are subtracted. The best step lies between."
    ]
    parts += map(_sentence, data["methods"][:-1])
    exact = data["methods"][-1]
    below = [e for h, e in zip(data["steps"], exact["errors"], strict=True) if h < 1e-9]
    own, forward = data["extrapolation"], data["methods"][0]
    parts.append(
        "The complex step subtracts nothing: from h = 1e-9 down to "
        f"{data['steps'][-1]:.0e} its error is at most {max(below):.0e}, "
        f"{max(below) / EPS:.1f} times the machine epsilon. Extrapolation that chooses "
        f"its own steps and order takes {own['evaluations']} evaluations, errs by "
        f"{own['error']:.0e}, and says itself that it errs by at most "
        f"{own['estimate']:.0e}."
    )
    if forward["errors"][-1] == 1:
        parts.append(
            f"At h = {data['steps'][-1]:.0e} nothing of `h v` is left in "
            "`theta + h v`: the forward difference finds a slope of 0, and its "
            "relative error is 1."
        )
    return " ".join(parts)


def _sentence(method: Mapping[str, Any]) -> str:
    least, theory = method["measured"], method["predicted"]
    text = (
        f"The {method['name']} ({method['evaluations']} evaluations, "
        f"p = {method['order']}) is best at h = {least['step']:.0e}, with a relative "
        f"error of {least['error']:.0e}"
    )
    if not theory:
        return f"{text}; its truncation is 0 here, so that the largest step is best."
    text += f"; theory says h = {theory['step']:.0e} and {theory['error']:.0e}"
    falls, rises = method["truncation_exponent"], method["rounding_exponent"]
    if falls is not None and rises is not None:
        text += f". Its arms have the slopes {falls:.2f} and {rises:.2f}"
    if least["step"] < theory["step"] / 3 and least["error"] > 3 * theory["error"]:
        text += " (the program is not smooth as far as that step reaches)"
    return f"{text}."


def draw_figure(data: Mapping[str, Any]) -> Any:
    """The V curves as they were measured, with theory in grey."""
    figure, axes = blank(height=4.8)
    line, best = r"theory: $C h^p + \mathrm{noise}/h$", "predicted best step"
    for method, style in zip(data["methods"], STYLES, strict=False):
        # The complex step has the arm of the central difference: leave room for both.
        every = 2 if method["name"] == COMPLEX_STEP else None
        look = {**style.options(every), "linewidth": 0.6}
        axes.plot(data["steps"], method["errors"], label=method["name"], **look)
        axes.plot(data["steps"], method["theory"], label=line, **THEORY)
        if method["predicted"]:
            step, error = method["predicted"]["step"], method["predicted"]["error"]
            ring = {"color": "#666666", "markerfacecolor": "none", "markersize": 11}
            axes.plot(step, error, "o", label=best, zorder=5, **ring)
            if step < data["steps"][0] / 3:
                _mark(axes, data["steps"], method)
    left = data["methods"][0]
    place = next(k for k, h in enumerate(data["steps"]) if h < 1e-11)
    axes.annotate(
        "rounding, slope $-1$",
        (data["steps"][place], left["theory"][place]),
        xytext=(12, 8),
        textcoords="offset points",
        fontsize=9,
        color="#444444",
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(data["steps"][-1] / 3, data["steps"][0] * 15)
    axes.set_ylim(1e-17, 100)
    axes.set_xlabel("step $h$ along a direction of length 1")
    axes.set_ylabel("relative error of the slope")
    legend(figure, [axes])
    return figure


def _mark(axes: Any, steps: list[float], method: Mapping[str, Any]) -> None:
    """Write the power at the end of the right arm."""
    axes.annotate(
        f"$p = {method['order']}$",
        (steps[0], method["theory"][0]),
        xytext=(6, 0),
        textcoords="offset points",
        verticalalignment="center",
        fontsize=9,
        color="#444444",
    )
