"""A Hypothesis strategy for small random programs, as keyword arguments of `Program`.

Whatever it draws is a valid declaration, and its objective is finite for parameters
and data drawn from a normal distribution.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PAIRS = (("i", "p"), ("j", "q"), ("k", "r"), ("t", "u"))  # two letters for each size

SMOOTH = (
    "tanh({})",
    "logistic({})",
    "softplus({})",
    "sin({})",
    "cos({}) / 2",
    "erf({})",
    "gelu({})",
    "swish({})",
    "exp(-({})**2)",
    "sqrt(1 + ({})**2)",
    "log(1 + ({})**2)",
    "log1p(({})**2)",
    "expm1(-({})**2)",
    "1 / (1 + ({})**2)",
    "tanh({})**3",
    "-0.25 * ({})",
)
KINKED = (
    "relu({})",
    "leaky_relu({})",
    "elu({})",
    "hard_tanh({})",
    "hard_logistic({})",
    "abs({})",
    "maximum({}, 0.1)",
    "minimum(0.2, {})",
)


class _Declaration:
    """A declaration that grows by one block after another.

    `value` is the tensor that the next block reads; `pair` its axis, in two letters.
    """

    def __init__(self, draw: st.DrawFn, kinks: bool, integers: bool) -> None:
        self.draw = draw
        self.functions = SMOOTH + KINKED if kinks else SMOOTH
        self.kinks = kinks
        self.use_integers = integers
        self.axes = {a: draw(st.integers(1, 4)) for a, _ in PAIRS}
        self.axes |= {b: self.axes[a] for a, b in PAIRS}
        self.parameters: dict[str, str] = {}
        self.data: dict[str, str] = {}
        self.integers: list[str] = []
        self.zero_outside: list[str] = []
        self.lines: list[str] = []
        self.matrices: list[tuple[str, tuple[str, str], tuple[str, str]]] = []
        self.pair = draw(st.sampled_from(PAIRS))
        self.value = self.given("x", self.pair[0])

    def given(self, stem: str, letters: str) -> str:
        """New data, or now and then a new parameter."""
        role = self.draw(st.sampled_from(("data", "data", "parameters")))
        return self.new(role, stem, letters)

    def new(self, role: str, stem: str, letters: str) -> str:
        name = f"{stem}{len(self.parameters) + len(self.data)}"
        getattr(self, role)[name] = letters
        return name

    def define(self, stem: str, letters: str, right: str) -> str:
        name = f"{stem}{len(self.lines)}"
        self.lines.append(f"{name}[{letters}] = {right}")
        return name

    def dense(self) -> None:
        old, new = self.pair, self.draw(st.sampled_from(PAIRS))
        if new == old:
            a, b = old
        else:
            a, b = new[0], old[0]
        tied = [m for m in self.matrices if m[1:] == (old, new)]
        if tied and self.draw(st.booleans()):
            weight = f"{tied[0][0]}[{b}, {a}]"
        else:
            name = self.new("parameters", "W", f"{a} {b}")
            self.matrices.append((name, new, old))
            weight = f"{name}[{a}, {b}]"
        right = f"sum({weight} * {self.value}[{b}], {b})"
        if self.draw(st.booleans()):
            bias = self.new("parameters", "b", new[0])
            right += f" + {bias}[{a}]"
        self.value, self.pair = self.define("z", a, right), new

    def elementwise(self) -> None:
        a = self.draw(st.sampled_from(self.pair))
        function = self.draw(st.sampled_from(self.functions))
        right = function.format(f"{self.value}[{a}]")
        self.value = self.define("a", a, right)

    def softmax(self) -> None:
        a, b = self.pair
        right = f"exp(tanh({self.value}[{a}])) / sum(exp(tanh({self.value}[{b}])), {b})"
        self.value = self.define("p", a, right)

    def normalise(self) -> None:
        a, b = self.pair
        mean = f"m{len(self.lines)}"
        self.lines.append(f"{mean} = mean({self.value}[{a}], {a})")
        scale = f"1 + mean({self.value}[{b}]**2, {b})"
        right = f"({self.value}[{a}] - {mean}) / ({scale})"
        self.value = self.define("n", a, right)

    def maxout(self) -> None:
        a, (c, _) = (
            self.pair[0],
            self.draw(st.sampled_from([pair for pair in PAIRS if pair != self.pair])),
        )
        name = self.new("parameters", "M", f"{c} {a}")
        op = self.draw(st.sampled_from(("max", "min")))
        inner = f"{name}[{c}, {a}] * {self.value}[{a}] + {name}[{c}, {a}]"
        self.value = self.define("o", a, f"{op}({inner}, {c})")

    def choose(self) -> None:
        a, value = self.pair[0], f"{self.value}[{self.pair[0]}]"
        slope = self.new("parameters", "s", "")
        choices = [f"{a} <= 1", f"{a} != 0 and not {a} > 2", f"{a} == 0 or {a} >= 2"]
        if self.kinks:
            choices.append(f"{value} > 0.1")
        condition = self.draw(st.sampled_from(choices))
        self.value = self.define(
            "c", a, f"where({condition}, {value}, {slope} * {value})"
        )

    def shift(self) -> None:
        a, _ = self.pair
        if self.value not in self.zero_outside:
            self.zero_outside.append(self.value)
        step = self.draw(st.sampled_from((f"{a} - 1", f"{a} + 2", f"2*{a} - 1")))
        right = f"{self.value}[{a}] / 2 + {self.value}[{step}]"
        self.value = self.define("v", a, right)

    def convolve(self) -> None:
        a, (c, _) = (
            self.pair[0],
            self.draw(st.sampled_from([pair for pair in PAIRS if pair != self.pair])),
        )
        if self.value not in self.zero_outside:
            self.zero_outside.append(self.value)
        kernel = self.new("parameters", "K", c)
        right = f"sum({kernel}[{c}] * {self.value}[{a} + {c} - 1], {c})"
        self.value = self.define("v", a, right)

    def recur(self) -> None:
        a, _ = self.pair
        gain = self.new("parameters", "g", "")
        name = f"h{len(self.lines)}"
        step = self.draw(st.sampled_from((f"{a} - 1", f"{a} - 2", f"{a} + 1")))
        right = f"tanh({gain} * {name}[{step}] + {self.value}[{a}])"
        self.zero_outside.append(self.define("h", a, right))
        self.value = name

    def recur_in_matrices(self) -> None:
        a, b = self.pair
        step, _ = self.draw(st.sampled_from([p for p in PAIRS if p != self.pair]))
        weight = self.new("parameters", "U", f"{a} {b}")
        here, state = f"z{len(self.lines)}", f"h{len(self.lines) + 1}"
        self.lines += [
            f"{here}[{step}, {a}] = sum({weight}[{a}, {b}] * {state}[{step} - 1, {b}], "
            f"{b}) + {self.value}[{a}]",
            f"{state}[{step}, {a}] = tanh({here}[{step}, {a}])",
        ]
        self.zero_outside.append(state)
        self.value = self.define("v", a, f"mean({state}[{step}, {a}], {step})")

    def gather(self) -> None:
        a, (c, _) = self.pair[0], self.draw(st.sampled_from(PAIRS))
        table = self.new("parameters", "E", c)
        token = self.new("data", "token", a)
        self.integers.append(token)
        right = f"{self.value}[{a}] * {table}[{token}[{a}]]"
        self.value = self.define("e", a, right)

    def tie(self) -> None:
        a, _ = self.pair
        scale = self.new("parameters", "s", "")
        self.value = self.define(
            "w", a, f"{scale} * {self.value}[{a}] + {scale}**2 - lam / 3"
        )

    def objective(self) -> None:
        a, b = self.pair
        value = f"{self.value}[{a}]"
        target = self.new("data", "y", a)
        losses = [
            f"sum(({value} - {target}[{a}])**2, {a}) / 2",
            f"-mean({target}[{a}] * {value}, {a})",
            f"log(sum(exp({value}), {a}) + sum({target}[{b}]**2, {b}))",
        ]
        loss = self.draw(st.sampled_from(losses))
        if self.use_integers and self.draw(st.booleans()):
            label = self.new("data", "label", "")
            self.integers.append(label)
            loss += f" - {self.value}[{label}]"
        if self.matrices and self.draw(st.booleans()):
            name, (c, _), (d, e) = self.matrices[0]
            d = e if c == d else d
            loss += f" + lam / 2 * sum({name}[{c}, {d}]**2, {c}, {d})"
        self.lines.append(f"L = {loss}")


@st.composite
def programs(
    draw: st.DrawFn,
    *,
    blocks: int = 4,
    kinks: bool = True,
    integers: bool = True,
    batched: bool = True,
) -> dict[str, Any]:
    """Keyword arguments of a small valid `Program`.

    Args:
        blocks: the most layers that are put upon one another.
        kinks: whether functions with kinks and max reductions may come.
        integers: whether integer data may be gathered by.
        batched: whether data may be batched.
    """
    made = _Declaration(draw, kinks, integers)
    steps = [
        made.dense,
        made.elementwise,
        made.softmax,
        made.normalise,
        made.choose,
        made.shift,
        made.convolve,
        made.recur,
        made.recur_in_matrices,
        made.tie,
    ]
    steps += [made.maxout] if kinks else []
    steps += [made.gather] if integers else []
    for step in draw(st.lists(st.sampled_from(steps), min_size=1, max_size=blocks)):
        step()
    made.objective()
    names = sorted(made.data)
    return {
        "equations": "\n".join(made.lines),
        "axes": made.axes,
        "parameters": made.parameters,
        "data": made.data,
        "constants": {"lam": 0.3},
        "integers": tuple(made.integers),
        "batched": tuple(
            name for name in names if batched and draw(st.sampled_from((1, 1, 0)))
        ),
        "zero_outside": tuple(made.zero_outside),
        "objective": "L",
        "name": "random",
    }
