"""What the oracle says of a whole claim: relations, conditions, flow, matrix form."""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from claims_oracle import (
    FAILS,
    FUNCTIONS,
    HOLDS,
    MISFIT,
    OPERATORS,
    STEP,
    TOLERANCE,
    DoesNotType,
    Model,
    State,
    parsed,
)
from mpmath import mp, mpc, mpf

DRAWS = 2
RATES = {"alpha"}  # names of numbers that an update rule may bring along
POINTS = 60  # at which functions are compared

RELATION = re.compile(r"(<=|>=|<|>|(?<![<>=!])=(?!=))")


def judge(model: Model, claim: str, layout: str = "denominator") -> str:
    """Whether a claim holds, fails or does not type, by numbers alone."""
    try:
        if "->" in claim:
            return _flow(model, [name.strip() for name in claim.split("->")])
        claim, _, condition = claim.partition(" if ")
        sides = _relations(claim.replace("<-", "="))
        asked = "<-" not in claim
        name = re.match(r"\w*", sides[0])
        if model.rules and name and not model.knows(name[0]):  # a name of its own
            asked, sides = False, sides[2:]
        differs = any(
            not _true(relation, left, right)
            for values in _instances(model, sides[::2], condition, layout)
            for (left, right), relation in zip(
                itertools.pairwise(values), sides[1::2], strict=True
            )
        )
        return FAILS if differs and asked else HOLDS
    except DoesNotType:
        return MISFIT


def sides_at(
    declared: Mapping[str, Any] | None,
    claim: str,
    sizes: Mapping[str, int],
    values: Mapping[str, Any],
    place: Mapping[str, int],
    layout: str = "denominator",
) -> list[Any]:
    """What both sides of an equation are at given values: numbers, or full tables."""
    if declared is not None:
        declared = {**declared, "axes": {**declared["axes"], **sizes}}
    model = Model(declared)
    given = {}
    for name, value in values.items():
        entries = np.array(value, dtype=object)
        given[name] = np.vectorize(_number, otypes=[object])(entries)
    state = State(model, given)
    texts = _relations(claim.partition(" if ")[0])[::2]
    if declared is not None and not any("[" in text for text in texts):
        matrix = Matrices(model, state, layout)
        tables = _entries([matrix.value(matrix.parse(text)) for text in texts])
        width = len(tables[0]) if "column" not in place else _width(matrix, texts)
        at = place.get("row", 0) * (width if "column" in place else 1)
        return [table[at + place.get("column", 0)] for table in tables]
    here = {name: value[()] for name, value in given.items() if value.shape == ()}
    here = {**here, **place} if declared is None else dict(place)
    return [model.evaluate(parsed(text), here, state) for text in texts]


def _number(value: Any) -> Any:
    return mpf(value.numerator) / value.denominator if value else mpf(0)


def _width(matrix: Matrices, texts: list[str]) -> int:
    """How many columns the sides have."""
    made = [matrix.value(matrix.parse(text)) for text in texts]
    return max(v.shape[1] for v in made if isinstance(v, np.ndarray))


def _relations(claim: str) -> list[str]:
    """`0 < f(x) < 1` => `0`, `<`, `f(x)`, `<`, `1`; not inside brackets."""
    pieces, depth, last = [], 0, 0
    for found in RELATION.finditer(claim):
        before = claim[: found.start()]
        depth = sum(before.count(c) for c in "([") - sum(before.count(c) for c in ")]")
        if depth == 0:
            pieces += [claim[last : found.start()].strip(), found[0]]
            last = found.end()
    return [*pieces, claim[last:].strip()]


def _true(relation: str, left: Any, right: Any) -> bool:
    if relation == "=":
        return bool(abs(left - right) <= TOLERANCE * (1 + abs(left) + abs(right)))
    if isinstance(left, mpc) or isinstance(right, mpc):
        return True  # no numbers that could be ordered
    return bool(
        {"<": left < right, "<=": left <= right + TOLERANCE}.get(relation, True)
        and {">": left > right, ">=": left >= right - TOLERANCE}.get(relation, True)
    )


def _instances(
    model: Model, sides: list[str], condition: str, layout: str
) -> Iterator[tuple[Any, ...]]:
    """The values of all sides, entry by entry, at a few random points."""
    if model.rules and not any("[" in side for side in sides):
        for seed in range(DRAWS):
            matrix = Matrices(model, model.state(seed), layout)
            values = [matrix.value(matrix.parse(side)) for side in sides]
            yield from zip(*_entries(values), strict=True)
        return
    trees = [parsed(side) for side in sides]
    whole = ast.Tuple([*trees, parsed(condition)] if condition else trees)
    known = {*model.sizes, *model.constants, "pi"}
    names = [
        n for n in model.free(whole) if n not in known and not model.behind_delta(n)
    ]
    letters = [n for n in names if list(model.places(n, whole))]
    variables = [n for n in names if n not in letters]
    if model.rules and set(variables) - RATES:
        raise DoesNotType(variables)
    over = [range(model.size(letter, whole)) for letter in letters]
    rng = random.Random(7)
    for seed in range(DRAWS if model.rules else POINTS):
        state = model.state(seed)
        for place in itertools.product(*over):
            here: dict[str, Any] = dict(zip(letters, place, strict=True))
            here |= {name: mpf(rng.gauss(0, 1.5)) for name in variables}
            if condition and not model.evaluate(parsed(condition), here, state):
                continue
            yield tuple(model.evaluate(tree, here, state) for tree in trees)


def _flow(model: Model, names: list[str]) -> str:
    for before, after in itertools.pairwise(names):
        if {before, after} - model.sizes.keys():
            raise DoesNotType(before)
        right = model.rules[after][1] if after in model.rules else ast.Tuple([])
        if before not in [n.id for n in ast.walk(right) if isinstance(n, ast.Name)]:
            return FAILS
    return HOLDS


# Matrix form. Vectors are columns; every value is a number, a table, or the identity.

UNIT = "I"


def _entries(values: list[Any]) -> list[list[Any]]:
    shapes = {v.shape for v in values if isinstance(v, np.ndarray)}
    if len(shapes) > 1:
        raise DoesNotType(shapes)
    shape = shapes.pop() if shapes else (1, 1)
    return [list(_spread(value, shape).flat) for value in values]


def _spread(value: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(value, np.ndarray):
        return value
    if value is UNIT:
        if shape[0] != shape[1]:
            raise DoesNotType("I of a table that is not square")
        return np.array(
            [[mpf(i == j) for j in range(shape[0])] for i in range(shape[0])]
        )
    return np.full(shape, value, dtype=object)


class Matrices:
    """Evaluates matrix expressions at one point."""

    def __init__(self, model: Model, state: State, layout: str) -> None:
        self.model, self.state, self.layout = model, state, layout

    def parse(self, text: str) -> ast.expr:
        """`@` binds tighter than `o` and `*`: it becomes `**`, a power `a._2`."""
        text = re.sub(r"\*\*\s*(\d+)", r"._\1", text)
        text = re.sub(r"(?<=[\s)])o(?=[\s(])", "*", text.replace("@", "**"))
        return parsed(text)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(int() | float()):
                return mpf(str(node.value))
            case ast.Name("I"):
                return UNIT
            case ast.Name(name) if name in self.model.constants:
                return mpf(str(self.model.constants[name]))
            case ast.Name(name) if name in RATES:
                return mpf(1) / 7
            case ast.Name("pi") if "pi" not in self.model.sizes:
                return +mp.pi
            case ast.Name(name):
                return self.tensor(name)
            case ast.Attribute(inner, "T"):
                value = self.value(inner)
                return value.T if isinstance(value, np.ndarray) else value
            case ast.Attribute(inner, power):
                value = self.value(inner)
                return value ** int(power[1:])
            case ast.UnaryOp(ast.USub(), inner):
                return -self.value(inner)
            case ast.BinOp(left, ast.Pow(), right):
                return self.product(self.value(left), self.value(right))
            case ast.BinOp(left, op, right):
                pair = [self.value(left), self.value(right)]
                shapes = [v.shape for v in pair if isinstance(v, np.ndarray)]
                if len(set(shapes)) > 1:
                    raise DoesNotType(shapes)
                if shapes:
                    pair = [_spread(value, shapes[0]) for value in pair]
                return OPERATORS[type(op)](*pair)
            case ast.Call(ast.Name("diag"), [inner]):
                value = self.value(inner)
                if not isinstance(value, np.ndarray) or value.shape[1] != 1:
                    raise DoesNotType("diag")
                return _spread(UNIT, (len(value), len(value))) * value
            case ast.Call(ast.Name("D"), [of, ast.Name(by)]):
                return self.slope(of, by)
            case ast.Call(ast.Name(name), parts):
                return self.call(name, [self.value(part) for part in parts])
        raise DoesNotType(ast.dump(node))

    def product(self, left: Any, right: Any) -> Any:
        if left is UNIT or right is UNIT:
            return right if left is UNIT else left
        both = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
        if not both or left.shape[1] != right.shape[0]:
            raise DoesNotType("@")
        return left.dot(right)

    def tensor(self, name: str) -> Any:
        behind = self.model.behind_delta(name)
        if behind:
            return self.slope(ast.Name(self.model.objective), behind, "denominator")
        return self.table(name, lambda place: self.state.read(name, place))

    def table(self, name: str, entry: Any) -> Any:
        sizes = self.model.sizes.get(name)
        if sizes is None or len(sizes) > 2:
            raise DoesNotType(name)
        if not sizes:
            return entry(())
        made = np.array([entry(place) for place in np.ndindex(*sizes)], dtype=object)
        return made.reshape(sizes if len(sizes) == 2 else (-1, 1))

    def slope(self, of: ast.expr, by: str, layout: str = "") -> Any:
        """Denominator layout: by a matrix of its shape, by a vector `n` rows."""

        def at(place: tuple[int, ...]) -> Any:
            up, down = (
                Matrices(self.model, self.state.moved(by, place, s), self.layout)
                for s in (STEP, -STEP)
            )
            return (up.value(of) - down.value(of)) / (2 * STEP)

        sizes = self.model.sizes.get(by)
        if sizes is None:
            raise DoesNotType(by)
        first = at((0,) * len(sizes))
        if not isinstance(first, np.ndarray):
            made = self.table(by, at)
        elif first.shape[1] == 1 and len(sizes) < 2:
            made = np.hstack([at(place) for place in np.ndindex(*sizes)]).T
        else:
            raise DoesNotType("a derivative with more than two axes")
        numerator = (layout or self.layout) == "numerator"
        return made.T if numerator and isinstance(made, np.ndarray) else made

    def call(self, name: str, values: list[Any]) -> Any:
        plain = name.removesuffix("_prime")
        own = self.model.activation(plain)
        if not own and plain not in FUNCTIONS:
            raise DoesNotType(name)
        shapes = {v.shape for v in values if isinstance(v, np.ndarray)}
        if len(shapes) > 1:
            raise DoesNotType(shapes)
        shape = next(iter(shapes), (1, 1))
        columns = [_spread(value, shape) for value in values]
        made = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            first, *rest = (column[place] for column in columns)
            where = place[: 1 if shape[1] == 1 else 2]

            def function(x: Any, rest: Any = rest, where: Any = where) -> Any:
                if own:
                    return own(x, self.state, where)
                return FUNCTIONS[plain](x, *rest)

            made[place] = (
                function(first)
                if plain == name
                else (function(first + STEP) - function(first - STEP)) / (2 * STEP)
            )
        return made if shapes else made[0, 0]
