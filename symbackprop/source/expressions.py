"""Scalar expressions as Python text in one precision: a table from function to text.

Every literal is wrapped in `real(...)`, so that nothing promotes; whole numbers stay
whole only in subscripts and in comparisons of indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import sympy
from sympy import Expr, Indexed

from symbackprop import approximation
from symbackprop.equations import Name, System, by_rank, subscripts_of, tensor_of
from symbackprop.scalars import CONDITIONS, row_of
from symbackprop.source.layout import Near
from symbackprop.source.names import Names

# How tightly text binds, loosest first.
CHOICE, EITHER, BOTH, NOT, COMPARED, SUM, PRODUCT, SIGNED, RAISED, ATOM = range(10)

Text = tuple[str, int]

# Functions that NumPy, or the standard library, computes for one number.
CALLS = {
    "exp": "np.exp({})",
    "log": "np.log({})",
    "sqrt": "np.sqrt({})",
    "sin": "np.sin({})",
    "cos": "np.cos({})",
    "tanh": "np.tanh({})",
    "log1p": "np.log1p({})",
    "expm1": "np.expm1({})",
    "abs": "np.abs({})",
    "Abs": "np.abs({})",
    "sign": "np.sign({})",
    "erf": "real(math.erf({}))",
    "erfc": "real(math.erfc({}))",
}

# NaN passes through, and the first argument takes a tie.
HELPERS = {
    "maximum": "return x if x >= y or x != x else y",
    "minimum": "return x if x <= y or x != x else y",
}

ARGUMENTS = ("x", "y", "z")


def enclosed(text: Text, least: int) -> str:
    """The text, in parentheses where it binds looser than `least`."""
    return text[0] if text[1] >= least else f"({text[0]})"


def leaves(subscript: Expr, size: int, system: System) -> bool:
    """Whether a subscript may lie outside 0 .. size-1, as far as can be seen here."""
    low, high = _span(subscript, system)
    return low is None or high is None or low < 0 or high >= size


def _span(expression: Expr, system: System) -> tuple[int | None, int | None]:
    if expression.is_Integer:
        return int(expression), int(expression)
    if isinstance(expression, Name) and expression.kind == "index":
        return 0, system.size(expression) - 1
    if isinstance(expression, sympy.Add | sympy.Mul):
        spans = [_span(argument, system) for argument in expression.args]
        if any(low is None or high is None for low, high in spans):
            return None, None
        bounds = [(low or 0, high or 0) for low, high in spans]
        if isinstance(expression, sympy.Add):
            return sum(low for low, _ in bounds), sum(high for _, high in bounds)
        return reduce(_times, bounds)
    return None, None


def _times(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    corners = [x * y for x in a for y in b]
    return min(corners), max(corners)


@dataclass
class Printer:
    """Prints scalar expressions and collects the helper functions that they call.

    Attributes:
        system: what names mean.
        names: identifiers.
        sample: the variable that counts the samples of the batch.
        near: tensors that are not kept in memory for every sample.
        flat: texts that stand for the elements of tensors inside a flat loop.
        vectorised: the precision in which functions are computed by code that loops
            take several numbers at once through; "" for NumPy's own functions.
        helpers: text of each helper function, by its identifier.
        called: identifiers of the helpers, by what they compute.
    """

    system: System
    names: Names
    sample: str
    near: Near = Near()  # noqa: RUF009 - a frozen value
    flat: Mapping[str, str] = field(default_factory=dict)
    vectorised: str = ""
    helpers: dict[str, str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    # --- reads -----------------------------------------------------------------------

    def element(self, tensor: str, subscripts: list[str]) -> str:
        """`a1[n, i]`: an element of a tensor's view; scalars are views of length 1.

        Of what is in no memory it is just `a1`, of a row `a1[i]`.
        """
        declared = self.system.tensors[tensor]
        if tensor in self.flat:
            return self.flat[tensor]
        if tensor in self.near.variables:
            return self.names.of[tensor]
        sampled = declared.batched and tensor not in self.near.rows
        inside = [self.sample, *subscripts] if sampled else subscripts
        if not inside:
            inside = ["()" if declared.role == "data" else "0"]
        return f"{self.names.of[tensor]}[{', '.join(inside)}]"

    def read(self, read: Expr, letters: Mapping[Name, str]) -> Text:
        """A read; 0 where a subscript leaves the axes of a `zero_outside` tensor."""
        tensor = self.system.tensors[tensor_of(read)]
        subscripts = subscripts_of(read)
        text = self.element(tensor.name, [self.whole(s, letters) for s in subscripts])
        if tensor.zero_outside:
            inside = self.inside(subscripts, tensor.name, letters)
            if inside:
                zero = "0" if tensor.integer else "real(0.0)"
                return f"{text} if {' and '.join(inside)} else {zero}", CHOICE
        return text, ATOM

    def inside(
        self, subscripts: tuple[Expr, ...], tensor: str, letters: Mapping[Name, str]
    ) -> list[str]:
        """`0 <= t - 1 < 6` for each subscript that may leave its axis."""
        shape = self.system.shape(tensor)
        return [
            f"0 <= {self.whole(s, letters)} < {size}"
            for s, size in zip(subscripts, shape, strict=True)
            if leaves(s, size, self.system)
        ]

    # --- whole numbers ---------------------------------------------------------------

    def whole(self, expression: Expr, letters: Mapping[Name, str]) -> str:
        """A subscript: indices, integers and reads of integer data."""
        return self._whole(expression, letters)[0]

    def _whole(self, expression: Expr, letters: Mapping[Name, str]) -> Text:
        if expression.is_Integer:
            return str(int(expression)), SIGNED if expression < 0 else ATOM
        if isinstance(expression, Name) and expression.kind == "index":
            return letters[expression], ATOM
        if isinstance(expression, Name | Indexed):
            return self.read(expression, letters)
        return self._arithmetic(expression, lambda e: self._whole(e, letters))

    def is_whole(self, expression: Expr) -> bool:
        if isinstance(expression, Name) and expression.kind != "tensor":
            return expression.kind == "index"
        if isinstance(expression, Name | Indexed):
            return self.system.tensors[tensor_of(expression)].integer
        if isinstance(expression, sympy.Symbol):
            return False
        if isinstance(expression, sympy.Add | sympy.Mul):
            return all(self.is_whole(argument) for argument in expression.args)
        return bool(expression.is_Integer)

    # --- real numbers ----------------------------------------------------------------

    def written(self, expression: Expr, letters: Mapping[Name, str]) -> Text:
        """An expression with how tightly its text binds."""
        return self._real(expression, letters)

    def real(self, expression: Expr, letters: Mapping[Name, str]) -> str:
        """An expression whose value is a number of the kernels' precision."""
        return self._real(expression, letters)[0]

    def _real(self, expression: Expr, letters: Mapping[Name, str]) -> Text:
        if isinstance(expression, Name | Indexed):
            return self._named(expression, letters)
        if isinstance(expression, sympy.Symbol):
            return str(expression), ATOM
        if expression.is_number and not expression.args:
            return literal(expression), ATOM

        def inner(part: Expr) -> Text:
            return self._real(part, letters)

        if isinstance(expression, sympy.Add | sympy.Mul):
            return self._arithmetic(expression, inner)
        if isinstance(expression, sympy.Pow):
            return self._power(expression.base, expression.exp, inner)
        name = expression.func.__name__
        if name == "power":
            base, exponent = expression.args
            return self._power(base, exponent, inner)
        if name == "where":
            condition, a, b = expression.args
            chosen = enclosed(inner(a), EITHER)
            asked = enclosed(self._condition(condition, letters), EITHER)
            return f"{chosen} if {asked} else {enclosed(inner(b), CHOICE)}", CHOICE
        arguments = ", ".join(inner(argument)[0] for argument in expression.args)
        if self.vectorised and name in approximation.NAMES:
            return f"{self._approximation(name)}({arguments})", ATOM
        if name in CALLS:
            return CALLS[name].format(arguments), ATOM
        return f"{self._helper(expression)}({arguments})", ATOM

    def _named(self, expression: Expr, letters: Mapping[Name, str]) -> Text:
        if isinstance(expression, Name) and expression.kind == "index":
            return f"real({letters[expression]})", ATOM
        if isinstance(expression, Name) and expression.kind == "constant":
            return self.names.of[str(expression)], ATOM
        text = self.read(expression, letters)
        if self.system.tensors[tensor_of(expression)].integer:
            return f"real({text[0]})", ATOM
        return text

    def _arithmetic(self, expression: Expr, inner: Callable[[Expr], Text]) -> Text:
        """Sums and products: `a - b` for `a + (-1)*b`, `a / b` for `a * b**-1`."""
        if isinstance(expression, sympy.Add):
            text = ""
            addends = arranged(expression.args)
            if addends[0].is_Integer and self.is_whole(expression):
                addends = [*addends[1:], addends[0]]  # `t - 1`, not `-1 + t`
            for addend in addends:
                minus = addend.as_coeff_Mul()[0].is_negative
                part = enclosed(inner(-addend if minus else addend), PRODUCT)
                if text:
                    text += f" - {part}" if minus else f" + {part}"
                else:
                    text = f"-{part}" if minus else part
            return text, SUM
        coefficient, rest = expression.as_coeff_Mul()
        if coefficient == -1:
            return f"-{enclosed(inner(rest), PRODUCT)}", SIGNED
        above, below = [], []
        for factor in arranged(sympy.Mul.make_args(rest)):
            if isinstance(factor, sympy.Pow) and factor.exp.is_negative is True:
                below.append(factor.base ** (-factor.exp))
            else:
                above.append(factor)
        factors = [enclosed(inner(factor), PRODUCT) for factor in above]
        if coefficient != 1 or not factors:
            factors.insert(0, enclosed(inner(coefficient), PRODUCT))
        text = " * ".join(factors)
        for factor in below:
            text += f" / {enclosed(inner(factor), SIGNED)}"
        return text, PRODUCT

    def _power(self, base: Expr, exponent: Expr, inner: Callable[[Expr], Text]) -> Text:
        """Whole powers by products, halves by square roots, all others by `**`."""
        if exponent.is_Rational and exponent < 0:
            below = self._power(base, -exponent, inner)
            return f"real(1.0) / {enclosed(below, SIGNED)}", PRODUCT
        if exponent.is_Rational and exponent.q == 2:
            return self._whole_power(f"np.sqrt({inner(base)[0]})", int(exponent.p), 1)
        if exponent.is_Integer:
            text = inner(base)
            return self._whole_power(
                enclosed(text, ATOM), int(exponent), 3 if text[1] == ATOM else 1
            )
        raised = enclosed(inner(exponent), ATOM)
        return f"{enclosed(inner(base), ATOM)} ** {raised}", RAISED

    def _whole_power(self, base: str, exponent: int, longest: int) -> Text:
        if exponent <= longest:
            loose = ATOM if exponent == 1 else PRODUCT
            return " * ".join([base] * exponent) or "real(1.0)", loose
        name = self._define(f"power_{exponent}", _power_lines(exponent), ("x",))
        inside = base[1:-1] if base.startswith("(") and base.endswith(")") else base
        return f"{name}({inside})", ATOM

    # --- conditions ------------------------------------------------------------------

    def condition(self, expression: Expr, letters: Mapping[Name, str]) -> str:
        return self._condition(expression, letters)[0]

    def _condition(self, expression: Expr, letters: Mapping[Name, str]) -> Text:
        def inner(part: Expr) -> Text:
            return self._condition(part, letters)

        kind = expression.func.__name__
        if kind == "negation":
            return f"not {enclosed(inner(expression.args[0]), COMPARED)}", NOT
        if kind in ("both", "either"):
            level, word = (BOTH, "and") if kind == "both" else (EITHER, "or")
            parts = [enclosed(inner(part), level) for part in expression.args]
            return f" {word} ".join(parts), level
        sign = {"less": "<", "less_equal": "<=", "equal": "=="}[kind]
        whole = all(self.is_whole(side) for side in expression.args)
        written = self._whole if whole else self._real
        left, right = (enclosed(written(s, letters), SUM) for s in expression.args)
        return f"{left} {sign} {right}", COMPARED

    # --- helper functions ------------------------------------------------------------

    def _helper(self, expression: Expr) -> str:
        """The helper that computes a row of the table, printed from its stable form."""
        name = expression.func.__name__
        if name in self.called:
            return self.called[name]
        arguments = ARGUMENTS[: len(expression.args)]
        if name in HELPERS:
            return self._define(name, [HELPERS[name]], arguments)
        row = row_of(expression)
        build = None if row is None else row.stable or row.definition
        assert build is not None, f"no row of scalars.TABLE computes {name}"
        body = build(*(sympy.Symbol(argument) for argument in arguments))
        lines = []
        for number, part in enumerate(_repeated(body), 1):
            place = sympy.Symbol(f"u{number}")
            lines.append(f"u{number} = {self.real(part, {})}")
            body = body.xreplace({part: place})
        return self._define(name, [*lines, f"return {self.real(body, {})}"], arguments)

    def _approximation(self, name: str) -> str:
        """The function's own code, after that of the functions that it calls."""
        called = (*approximation.needs(name, self.vectorised), name)
        for each in called:
            if each not in self.called:
                self.called[each] = self.names.internal(each)
                text = approximation.text_of(each, self.vectorised, self.called)
                self.helpers[self.called[each]] = text
        return self.called[name]

    def _define(self, name: str, lines: list[str], arguments: tuple[str, ...]) -> str:
        if name not in self.called:
            self.called[name] = self.names.internal(name)
            head = f"def {self.called[name]}({', '.join(arguments)}):\n    "
            self.helpers[self.called[name]] = head + "\n    ".join(lines) + "\n"
        return self.called[name]


def literal(number: Expr) -> str:
    """`real(0.5)`: a number in the kernels' precision.

    >>> literal(sympy.Rational(1, 3))
    'real(0.3333333333333333)'
    """
    if number in (sympy.oo, -sympy.oo, sympy.nan):
        text = {sympy.oo: "np.inf", -sympy.oo: "-np.inf"}.get(number, "np.nan")
        return f"real({text})"
    return f"real({float(number)!r})"


def arranged(parts: tuple[Expr, ...]) -> list[Expr]:
    """Addends or factors by the rank of what they read, never by its name."""
    return sorted(parts, key=_order)


def _order(part: Expr) -> tuple[bool, Any]:
    """What is subtracted stands last."""
    return bool(part.as_coeff_Mul()[0].is_negative), by_rank(part)


def _repeated(body: Expr) -> Iterator[Expr]:
    """Applied functions that occur more than once, the largest first."""
    while True:
        counts: dict[Expr, int] = {}
        for node in sympy.preorder_traversal(body):
            if isinstance(node, sympy.Function) and not isinstance(node, CONDITIONS):
                counts[node] = counts.get(node, 0) + 1
        several = [node for node, count in counts.items() if count > 1]
        if not several:
            return
        largest = max(several, key=lambda node: int(node.count_ops()))
        yield largest
        body = body.xreplace({largest: sympy.Symbol("done")})


def _power_lines(exponent: int) -> list[str]:
    """Repeated squaring: 5 => `p = x * x`, `p = p * p`, `p = p * x`."""
    lines, power = [], "x"
    for bit in format(exponent, "b")[1:]:
        lines.append(f"p = {power} * {power}")
        power = "p"
        if bit == "1":
            lines.append("p = p * x")
    return [*lines, "return p"]
