"""The elementary-function graph of a system: every number is a node.

Recorded once from an evaluation, it can be replayed on other values. Choices by value
(`where`, a maximum) are recorded as they fell; each is a guard of the replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

import numpy as np

from symbackprop.equations import System
from symbackprop.witnesses.expressions import Value
from symbackprop.witnesses.numbers import REAL, Array, Comparison, Formula, Objects
from symbackprop.witnesses.slopes import objective

Result = TypeVar("Result")

INPUT, CONSTANT = "input", "constant"
BINARY = ("add", "multiply", "divide", "power")
UNARY = (
    *("exp", "log", "sqrt", "sin", "cos", "tanh"),
    *("erf", "erfc", "log1p", "expm1"),
)
COMPARISONS = ("less", "less_equal", "equal", "greater_equal", "greater")


class Step(NamedTuple):
    """One node: an operation, and the nodes of its operands (-1: none)."""

    operation: str
    left: int = -1
    right: int = -1


class Guard(NamedTuple):
    """A comparison of two nodes, and how it fell when the graph was recorded."""

    comparison: str
    left: int
    right: int
    held: bool


@dataclass
class Graph:
    """Steps in the order of evaluation, operands before what is made of them.

    Attributes:
        steps: the nodes.
        values: the value of each when it was recorded.
        inputs: the nodes of each tensor that was given, in row-major order.
        output: the node of the objective, the mean over the batch.
        guards: the choices by value on which the steps rest.
    """

    steps: list[Step] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    inputs: dict[str, list[int]] = field(default_factory=dict)
    output: int = -1
    guards: list[Guard] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def operations(self) -> int:
        """How many nodes are computed."""
        return sum(step.left >= 0 for step in self.steps)

    def fold(
        self, leaf: Callable[[int], Result], apply: Callable[..., Result]
    ) -> list[Result]:
        """What each node becomes under another meaning of inputs and operations.

        Args:
            leaf: makes the meaning of an input or constant, from its number.
            apply: that of an operation, from its name and its operands.
        """
        made: list[Result] = []
        for number, (operation, left, right) in enumerate(self.steps):
            if left < 0:
                made.append(leaf(number))
            elif right < 0:
                made.append(apply(operation, made[left]))
            else:
                made.append(apply(operation, made[left], made[right]))
        return made


@dataclass(eq=False)
class Node:
    """A number with its place in a graph."""

    value: float
    number: int
    graph: Recording

    def __add__(self, other: Node) -> Node:
        if self.number == self.graph.zero:
            return other
        if other.number == self.graph.zero:
            return self
        return self.graph.step("add", self, other)

    def __mul__(self, other: Node) -> Node:
        if self.number == self.graph.one:
            return other
        if other.number == self.graph.one:
            return self
        return self.graph.step("multiply", self, other)

    def __truediv__(self, other: Node) -> Node:
        return self.graph.step("divide", self, other)


class Recording(Objects):
    """Numbers that write a graph while they are computed."""

    def __init__(self) -> None:
        self.graph = Graph()
        self._constants: dict[Fraction | float, Node] = {}
        self.zero = self._constant(Fraction(0)).number
        self.one = self._constant(Fraction(1)).number

    def node(self, value: float, step: Step) -> Node:
        self.graph.steps.append(step)
        self.graph.values.append(value)
        return Node(value, len(self.graph.steps) - 1, self)

    def _constant(self, number: Fraction | float) -> Node:
        if number not in self._constants:
            self._constants[number] = self.node(float(number), Step(CONSTANT))
        return self._constants[number]

    def step(self, operation: str, *operands: Node) -> Node:
        """A node for an operation; its value in double precision."""
        values = [np.array([o.value]) for o in operands]
        with np.errstate(all="ignore"):
            if operation in ("add", "multiply", "divide"):
                value = getattr(REAL, operation)(*values)
            else:
                value = REAL.apply(operation, *values)
        return self.node(
            float(value[0]), Step(operation, *(o.number for o in operands))
        )

    def given(self, name: str, values: Any) -> Array:
        """A tensor whose entries are inputs of the graph."""
        plain = np.asarray(values, dtype=float)
        nodes = [self.node(float(v), Step(INPUT)) for v in plain.reshape(-1)]
        self.graph.inputs[name] = [node.number for node in nodes]
        return _held(nodes, plain.shape)

    def array(self, values: Any) -> Value:
        plain = np.asarray(values)
        if plain.dtype == object and all(isinstance(v, Node) for v in plain.flat):
            return plain
        return _held(
            [self._constant(v) for v in plain.reshape(-1).tolist()], plain.shape
        )

    def constant(self, number: Fraction, ndim: int) -> Value:
        return _held([self._constant(number)], (1,) * ndim)

    def zeros(self, shape: tuple[int, ...]) -> Value:
        made = np.empty(shape, dtype=object)
        made[...] = self._constant(Fraction(0))
        return made

    def divide(self, a: Value, b: Value) -> Value:
        return a / b

    def own(self, name: str) -> Formula | None:
        if name not in (*UNARY, "power"):
            return None  # by its definition, with its choices
        return lambda *arguments: self.each(
            lambda *nodes: self.step(name, *nodes), *arguments
        )

    def real(self, a: Value) -> Array:
        return np.asarray(self.each(lambda node: node.value, a), dtype=float)

    def compare(self, how: Comparison, a: Value, b: Value) -> Array:
        held = super().compare(how, a, b)
        self._guard(how.__name__, a, b, held)
        return held

    def best(self, value: Value, largest: bool) -> Array:
        """The first extreme place: it is beyond those before it, not below the rest."""
        first = super().best(value, largest)
        chosen = np.take_along_axis(value, first[..., None], -1)
        places = np.arange(value.shape[-1])
        beyond = "greater" if largest else "less"
        for how, these in (
            (beyond, places < first[..., None]),
            (f"{beyond}_equal", places > first[..., None]),
        ):
            winner = np.broadcast_to(chosen, value.shape)[these]
            self._guard(how, winner, value[these], np.ones(winner.shape, dtype=bool))
        return first

    def _guard(self, how: str, a: Value, b: Value, held: Array) -> None:
        for one, other, holds in np.broadcast(a, b, held):
            if self._moves(one) or self._moves(other):
                guard = Guard(how, one.number, other.number, bool(holds))
                self.graph.guards.append(guard)

    def _moves(self, node: Node) -> bool:
        return self.graph.steps[node.number].operation != CONSTANT


def _held(nodes: Iterable[Any], shape: tuple[int, ...]) -> Array:
    made = np.empty(shape, dtype=object)
    made.reshape(-1)[:] = list(nodes)
    return made


def record(system: System, values: Mapping[str, Any]) -> Graph:
    """The graph of the value of a system: the mean of its objective over the batch.

    Integer tensors are fixed, for they choose which numbers are read; all other tensors
    are inputs.

    >>> import symbackprop as sb
    >>> line = sb.Program(equations="L = (w*x - y)**2", axes={},
    ...                   parameters={"w": ""}, data={"x": "", "y": ""}, objective="L")
    >>> graph = record(line, {"w": 2.0, "x": 3.0, "y": 1.0})
    >>> graph.operations, graph.values[graph.output]
    (4, 25.0)
    """
    numbers = Recording()
    given = {
        name: value if system.tensors[name].integer else numbers.given(name, value)
        for name, value in values.items()
    }
    found = objective(system, given, numbers)
    numbers.graph.output = np.asarray(found).reshape(-1)[0].number
    return numbers.graph
