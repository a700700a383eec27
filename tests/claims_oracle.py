"""A judge of claims that shares nothing with the package: numbers, entry by entry.

The program's text and the claim are walked as Python's syntax trees; a derivative is a
central difference of the forward equations at 50 digits. Slow, and hard to get wrong.
"""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

mp.dps = 50
STEP = mpf(10) ** -12
TOLERANCE = mpf(10) ** -16
HUNDREDTH = mpf(1) / 100
HOLDS, FAILS, MISFIT = "holds", "fails", "does not type"

Place = tuple[int, ...]
Letters = Mapping[str, int]


class DoesNotType(Exception):  # noqa: N818 - a verdict, no error
    """Sizes, names or places that do not fit."""


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x),
    "expm1": lambda x: mpmath.exp(x) - 1,
    "sqrt": mpmath.sqrt,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "abs": abs,
    "sign": mpmath.sign,
    "maximum": max,
    "minimum": min,
    "where": lambda condition, a, b: a if condition else b,
    "identity": lambda x: x,
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "hard_logistic": lambda x: min(1, max(0, x / 4 + mpf(1) / 2)),
    "hard_tanh": lambda x: min(1, max(-1, x)),
    "relu": lambda x: max(0, x),
    "leaky_relu": lambda x, r=HUNDREDTH: x if x > 0 else r * x,
    "prelu": lambda x, r: x if x > 0 else r * x,
    "elu": lambda x, r=1: x if x > 0 else r * (mpmath.exp(x) - 1),
    "swish": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
}
FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "sum": lambda values: mpmath.fsum(values),
    "mean": lambda values: mpmath.fsum(values) / len(values),
    "max": max,
    "min": min,
}
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


def parsed(text: str) -> ast.expr:
    """A side of an equation as Python reads it; `f'(z)` is the name `f_prime`."""
    text = re.sub(r"(\w+)'\s*\(", r"\1_prime(", text)
    return ast.parse(f"({text}\n)", mode="eval").body


def lines(text: str) -> Iterator[tuple[str, str]]:
    """The left and right sides of equation text; brackets may go on."""
    held = ""
    for row in text.splitlines():
        held += row.split("#")[0] + "\n"
        if held.strip() and held.count("(") == held.count(")"):
            left, right = re.split(r"(?<![<>=!])=(?!=)", held, maxsplit=1)
            yield left.strip(), right.strip()
            held = ""


@dataclass
class State:
    """Values of all that is given, and what is added to single entries."""

    model: Model
    given: Mapping[str, Any]
    bumps: Mapping[tuple[str, Place], Any] = field(default_factory=dict)
    known: dict[tuple[str, Place], Any] = field(default_factory=dict)

    def moved(self, name: str, place: Place, by: Any) -> State:
        bumps = dict(self.bumps)
        bumps[name, place] = bumps.get((name, place), 0) + by
        return State(self.model, self.given, bumps)

    def read(self, name: str, place: Place, steps: bool = False) -> Any:
        sizes = self.model.sizes[name]
        if len(place) != len(sizes):
            raise DoesNotType(name)
        if not all(0 <= p < n for p, n in zip(place, sizes, strict=True)):
            if steps or name in self.model.zero_outside:
                return mpf(0)
            raise DoesNotType(f"{name} outside")
        if (name, place) not in self.known:
            if name in self.model.rules:
                letters, right = self.model.rules[name]
                here = dict(zip(letters, place, strict=True))
                value = self.model.evaluate(right, here, self)
            else:
                value = self.given[name][place]
            self.known[name, place] = value + self.bumps.get((name, place), 0)
        return self.known[name, place]


class Model:
    """A declared program, as keyword arguments of `Program`; None for functions alone.

    Args:
        declared: the declaration.
        simplex: data that are distributions.
    """

    def __init__(
        self, declared: Mapping[str, Any] | None, simplex: tuple[str, ...] = ()
    ) -> None:
        declared = declared or {"equations": "", "axes": {}}
        self.axes = declared["axes"]
        self.simplex = simplex
        self.objective = declared.get("objective", "")
        self.integers = declared.get("integers", ())
        self.zero_outside = declared.get("zero_outside", ())
        self.constants = declared.get("constants") or {}
        self.rules: dict[str, tuple[list[str], ast.expr]] = {}
        self.states: dict[int, State] = {}
        self.lengths: dict[tuple[str, ast.expr], int] = {}
        self.sizes: dict[str, Place] = {}
        for role in ("parameters", "data"):
            for name, letters in declared.get(role, {}).items():
                self.sizes[name] = tuple(self.axes[a] for a in letters.split())
        for left, right in lines(declared["equations"]):
            name, *letters = re.findall(r"\w+", left)
            self.rules[name] = letters, parsed(right)
            self.sizes[name] = tuple(self.axes[a] for a in letters)

    def state(self, seed: int) -> State:
        """Everything that is given, drawn at random; one state for each seed."""
        if seed not in self.states:
            self.states[seed] = self._drawn(random.Random(seed))
        return self.states[seed]

    def _drawn(self, draw: random.Random) -> State:
        given: dict[str, Any] = {}
        for name, sizes in self.sizes.items():
            if name in self.rules:
                continue
            array = np.empty(sizes, dtype=object)
            for place in np.ndindex(*sizes):
                if name in self.integers:
                    array[place] = draw.randrange(self.labels(name))
                elif name in self.simplex:
                    array[place] = mpf(draw.uniform(0.1, 0.9))
                else:
                    array[place] = mpf(draw.gauss(0, 1))
            if name in self.simplex and sizes:
                array = array / array.sum()
            given[name] = array
        return State(self, given)

    def labels(self, name: str) -> int:
        """How many values an integer has: the size of the axis where it stands."""
        for _, right in self.rules.values():
            for node in ast.walk(right):
                if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                    for axis, part in enumerate(subscripts(node)):
                        base = part.value if isinstance(part, ast.Subscript) else part
                        if isinstance(base, ast.Name) and base.id == name:
                            return self.sizes[node.value.id][axis]
        return 2

    # Names that a claim may use

    def knows(self, name: str) -> bool:
        """Whether a name is the program's, or one of the grammar's own."""
        if re.fullmatch(r"\d*|delta\w*|f\d*|D", name):
            return True
        return name in {*self.sizes, *self.constants, *FUNCTIONS, *FOLDS, "pi"}

    def behind_delta(self, name: str) -> str | None:
        """`delta1` => `z1`, `delta_h` => `h`; None where it is no such name."""
        found = re.fullmatch(r"delta(\d*)|delta_(\w+)", name)
        if not found or name in self.sizes:
            return None
        tensor = found[2] or f"z{found[1]}"
        if tensor not in self.sizes:
            raise DoesNotType(name)
        return tensor

    def activation(self, name: str) -> Callable[[Any, State, Place], Any] | None:
        """`f2` => the function by which `a2` comes from `z2`."""
        found = re.fullmatch(r"f(\d*)", name)
        if not found or name in self.sizes:
            return None
        before, after = f"z{found[1]}", f"a{found[1]}"
        if after not in self.rules:
            raise DoesNotType(name)
        letters, right = self.rules[after]
        if not isinstance(right, ast.Call) or right.func.id not in FUNCTIONS:
            raise DoesNotType(f"{name} is not elementwise")
        argument = "\0"

        class Put(ast.NodeTransformer):
            def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
                if isinstance(node.value, ast.Name) and node.value.id == before:
                    return ast.Name(argument)
                return node

        body = Put().visit(ast.parse(ast.unparse(right), mode="eval").body)

        def apply(value: Any, state: State, place: Place) -> Any:
            here = {**dict(zip(letters, place, strict=True)), argument: value}
            return self.evaluate(body, here, state)

        return apply

    # Values

    def evaluate(self, node: ast.expr, here: Mapping[str, Any], state: State) -> Any:
        """An expression's value; `here` holds letters and variables."""

        def value(part: ast.expr) -> Any:
            return self.evaluate(part, here, state)

        match node:
            case ast.Constant(int() | float()):
                return mpf(str(node.value))
            case ast.Name(name) if name in here:
                return here[name]
            case ast.Name(name) if name in self.constants:
                return mpf(str(self.constants[name]))
            case ast.Name("pi") if "pi" not in self.sizes:
                return +mpmath.pi
            case ast.Name(name):
                return self.entry(name, (), state)
            case ast.UnaryOp(ast.USub(), inner):
                return -value(inner)
            case ast.UnaryOp(ast.UAdd(), inner):
                return value(inner)
            case ast.UnaryOp(ast.Not(), inner):
                return not value(inner)
            case ast.BoolOp(op, parts):
                return (all if isinstance(op, ast.And) else any)(map(value, parts))
            case ast.BinOp(left, op, right):
                return OPERATORS[type(op)](value(left), value(right))
            case ast.Compare(first, ops, rest):
                sides = [value(side) for side in (first, *rest)]
                pairs = zip(ops, itertools.pairwise(sides), strict=True)
                return all(OPERATORS[type(op)](*pair) for op, pair in pairs)
            case ast.Subscript(ast.Name(name)):
                place = tuple(int(value(part)) for part in subscripts(node))
                steps = any(
                    isinstance(part, ast.BinOp)
                    and isinstance(part.op, ast.Add | ast.Sub)
                    for part in subscripts(node)
                )
                return self.entry(name, place, state, steps)
            case ast.Call(ast.Name("D"), [of, by]):
                return self.slope(of, by, here, state)
            case ast.Call(ast.Name(name), [body, *bound]) if name in FOLDS:
                letters = [b.id for b in bound]
                over = [range(self.size(letter, body)) for letter in letters]
                return FOLDS[name](
                    [
                        self.evaluate(
                            body, {**here, **dict(zip(letters, p, strict=True))}, state
                        )
                        for p in itertools.product(*over)
                    ]
                )
            case ast.Call(ast.Name(name), parts):
                return self.call(name, parts, here, state)
        raise DoesNotType(ast.dump(node))

    def call(
        self, name: str, parts: list[ast.expr], here: Mapping[str, Any], state: State
    ) -> Any:
        plain = name.removesuffix("_prime")
        values = [self.evaluate(part, here, state) for part in parts]
        own = self.activation(plain)
        if own:
            reads = [n for n in ast.walk(parts[0]) if isinstance(n, ast.Subscript)]
            place = tuple(int(here[s.id]) for s in subscripts(reads[0]))

            def function(x: Any) -> Any:
                return own(x, state, place)

        elif plain in FUNCTIONS:

            def function(x: Any) -> Any:
                return FUNCTIONS[plain](x, *values[1:])

        else:
            raise DoesNotType(f"no function {plain}")
        if plain == name:
            return function(values[0])
        return (function(values[0] + STEP) - function(values[0] - STEP)) / (2 * STEP)

    def entry(self, name: str, place: Place, state: State, steps: bool = False) -> Any:
        tensor = self.behind_delta(name)
        if tensor is None:
            if name not in self.sizes:
                raise DoesNotType(f"no tensor {name}")
            return state.read(name, place, steps)
        return self.difference(ast.Name(self.objective), tensor, place, {}, state)

    def slope(
        self, of: ast.expr, by: ast.expr, here: Mapping[str, Any], state: State
    ) -> Any:
        if isinstance(by, ast.Name) and by.id in here:  # a variable
            up, down = ({**here, by.id: here[by.id] + s} for s in (STEP, -STEP))
            rise = self.evaluate(of, up, state) - self.evaluate(of, down, state)
            return rise / (2 * STEP)
        name = by.value.id if isinstance(by, ast.Subscript) else by.id
        parts = subscripts(by) if isinstance(by, ast.Subscript) else []
        place = tuple(int(self.evaluate(part, here, state)) for part in parts)
        return self.difference(of, name, place, here, state)

    def difference(
        self,
        of: ast.expr,
        name: str,
        place: Place,
        here: Mapping[str, Any],
        state: State,
    ) -> Any:
        """Central difference of an expression by one entry; 0 by one outside."""
        sizes = self.sizes.get(name)
        if sizes is None or name in self.integers or len(sizes) != len(place):
            raise DoesNotType(name)
        if not all(0 <= p < n for p, n in zip(place, sizes, strict=True)):
            return mpf(0)
        key = (ast.dump(of), tuple(here.items()), name, place)
        if key not in state.known:
            up, down = (
                self.evaluate(of, here, state.moved(name, place, s))
                for s in (STEP, -STEP)
            )
            state.known[key] = (up - down) / (2 * STEP)
        return state.known[key]

    # Letters

    def size(self, letter: str, node: ast.expr) -> int:
        """The size of the axis at whose place a letter stands as plain subscript."""
        if (letter, node) not in self.lengths:
            declared = {self.axes[letter]} if letter in self.axes else set()
            found = set(self.places(letter, node)) or declared
            if len(found) != 1:
                raise DoesNotType(f"{letter} runs over {found or 'nothing'}")
            self.lengths[letter, node] = found.pop()
        return self.lengths[letter, node]

    def places(self, letter: str, node: ast.AST) -> Iterator[int]:
        if isinstance(node, ast.Call) and node.func.id in FOLDS:
            if letter in [b.id for b in node.args[1:]]:
                return
            yield from self.places(letter, node.args[0])
            return
        if isinstance(node, ast.Subscript):
            name = node.value.id
            sizes = self.sizes.get(self.behind_delta(name) or name)
            parts = subscripts(node)
            if sizes is None or len(sizes) != len(parts):
                raise DoesNotType(name)
            for part, size in zip(parts, sizes, strict=True):
                if isinstance(part, ast.Name) and part.id == letter:
                    yield size
        for child in ast.iter_child_nodes(node):
            yield from self.places(letter, child)

    def free(self, node: ast.AST) -> list[str]:
        """Letters and variables that no reduction binds, in order."""
        if isinstance(node, ast.Name):
            return [node.id]
        if isinstance(node, ast.Subscript):
            inside = [name for part in subscripts(node) for name in self.free(part)]
            return list(dict.fromkeys(inside))
        if isinstance(node, ast.Call):
            bound = {b.id for b in node.args[1:]} if node.func.id in FOLDS else set()
            args = node.args[:1] if node.func.id in FOLDS else node.args
            inside = [n for arg in args for n in self.free(arg) if n not in bound]
            return list(dict.fromkeys(inside))
        found = [n for child in ast.iter_child_nodes(node) for n in self.free(child)]
        return list(dict.fromkeys(found))


def subscripts(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
