"""A recorded graph as compiled code: one loop over its steps, and one back.

The graph is data of the loops, so that any graph is replayed by what is compiled once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from symbackprop.interrupts import interrupted_afterwards
from symbackprop.witnesses.graph import BINARY, COMPARISONS, UNARY, Graph

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

OPERATIONS = ("input", "constant", *BINARY, *UNARY)
ADD, MULTIPLY, DIVIDE, POWER = (OPERATIONS.index(name) for name in BINARY)
EXP, LOG, SQRT, SIN, COS, TANH, ERF, ERFC, LOG1P, EXPM1 = (
    OPERATIONS.index(name) for name in UNARY
)
LESS, LESS_EQUAL, EQUAL, GREATER_EQUAL, GREATER = range(len(COMPARISONS))
BELL = 2 / math.sqrt(math.pi)


def _forward(code: Whole, left: Whole, right: Whole, value: Floats) -> None:
    """Every step, from its operands; inputs and constants stand already."""
    for k in range(len(code)):
        step = code[k]
        if step < ADD:
            continue
        a = value[left[k]]
        if step == ADD:
            value[k] = a + value[right[k]]
        elif step == MULTIPLY:
            value[k] = a * value[right[k]]
        elif step == DIVIDE:
            value[k] = a / value[right[k]]
        elif step == POWER:
            value[k] = a ** value[right[k]]
        elif step == EXP:
            value[k] = math.exp(a)
        elif step == LOG:
            value[k] = math.log(a)
        elif step == SQRT:
            value[k] = math.sqrt(a)
        elif step == SIN:
            value[k] = math.sin(a)
        elif step == COS:
            value[k] = math.cos(a)
        elif step == TANH:
            value[k] = math.tanh(a)
        elif step == ERF:
            value[k] = math.erf(a)
        elif step == ERFC:
            value[k] = math.erfc(a)
        elif step == LOG1P:
            value[k] = math.log1p(a)
        elif step == EXPM1:
            value[k] = math.expm1(a)


def _backward(
    code: Whole, left: Whole, right: Whole, value: Floats, adjoint: Floats, output: int
) -> None:
    """The slope of one step by each, from the last step to the first."""
    adjoint[:] = 0.0
    adjoint[output] = 1.0
    for k in range(output, -1, -1):
        step, d = code[k], adjoint[k]
        if step < ADD or d == 0.0:
            continue
        i, j = left[k], right[k]
        a, v = value[i], value[k]
        if step == ADD:
            adjoint[i] += d
            adjoint[j] += d
        elif step == MULTIPLY:
            b = value[j]
            adjoint[i] += d * b
            adjoint[j] += d * a
        elif step == DIVIDE:
            q = d / value[j]
            adjoint[i] += q
            adjoint[j] -= q * v
        elif step == POWER:
            b = value[j]
            adjoint[i] += d * b * a ** (b - 1.0)
            if code[j] != 1:  # the exponent is no constant
                adjoint[j] += d * v * math.log(a)
        elif step == EXP:
            adjoint[i] += d * v
        elif step == LOG:
            adjoint[i] += d / a
        elif step == SQRT:
            adjoint[i] += d / (2.0 * v)
        elif step == SIN:
            adjoint[i] += d * math.cos(a)
        elif step == COS:
            adjoint[i] -= d * math.sin(a)
        elif step == TANH:
            adjoint[i] += d * (1.0 - v) * (1.0 + v)
        elif step == ERF:
            adjoint[i] += d * BELL * math.exp(-a * a)
        elif step == ERFC:
            adjoint[i] -= d * BELL * math.exp(-a * a)
        elif step == LOG1P:
            adjoint[i] += d / (1.0 + a)
        elif step == EXPM1:
            adjoint[i] += d * (v + 1.0)


def _flipped(how: Whole, left: Whole, right: Whole, held: Whole, value: Floats) -> int:
    """How many choices fall otherwise than when the graph was recorded."""
    count = 0
    for k in range(len(how)):
        a, b = value[left[k]], value[right[k]]
        if how[k] == LESS:
            now = a < b
        elif how[k] == LESS_EQUAL:
            now = a <= b
        elif how[k] == EQUAL:
            now = a == b
        elif how[k] == GREATER_EQUAL:
            now = a >= b
        else:
            now = a > b
        count += now != (held[k] == 1)
    return count


@cache
def loops() -> tuple[Callable[..., Any], ...]:
    """The three loops, compiled when a graph is first replayed.

    They serve every graph after that; `loops.cache_clear()` has them compiled anew.
    """
    made = njit(error_model="numpy")
    return tuple(made(function) for function in (_forward, _backward, _flipped))


@dataclass(frozen=True)
class Replay:
    """A graph in arrays, ready to run on new inputs.

    Attributes:
        graph: what was recorded.
        value: one number a node.
        adjoint: likewise, the slope of the output by it.

    >>> import symbackprop as sb
    >>> from symbackprop.witnesses.graph import record
    >>> line = sb.Program(equations="L = (w*x - y)**2", axes={},
    ...                   parameters={"w": ""}, data={"x": "", "y": ""}, objective="L")
    >>> replay = Replay.of(record(line, {"w": 2.0, "x": 3.0, "y": 1.0}))
    >>> replay.gradient({"w": 1.0}, ("w",))
    (4.0, {'w': array([12.])})
    """

    graph: Graph
    code: Whole
    left: Whole
    right: Whole
    guards: tuple[Whole, Whole, Whole, Whole]
    value: Floats
    adjoint: Floats

    @classmethod
    def of(cls, graph: Graph) -> Replay:
        """Lay a graph out, and compile the loops if this is the first one."""
        numbers = {name: number for number, name in enumerate(OPERATIONS)}
        steps = graph.steps
        comparisons = {name: number for number, name in enumerate(COMPARISONS)}
        made = cls(
            graph,
            np.array([numbers[s.operation] for s in steps], dtype=np.int64),
            np.array([s.left for s in steps], dtype=np.int64),
            np.array([s.right for s in steps], dtype=np.int64),
            (
                np.array([comparisons[g.comparison] for g in graph.guards], np.int64),
                np.array([g.left for g in graph.guards], np.int64),
                np.array([g.right for g in graph.guards], np.int64),
                np.array([g.held for g in graph.guards], np.int64),
            ),
            np.array(graph.values, dtype=np.float64),
            np.zeros(len(steps)),
        )
        with interrupted_afterwards():
            made.evaluate()
            made.sweep_back()
        return made

    @property
    def nbytes(self) -> int:
        """Bytes of the graph and of what it is replayed in."""
        arrays = (self.code, self.left, self.right, *self.guards, self.value)
        return sum(a.nbytes for a in (*arrays, self.adjoint))

    def evaluate(self) -> float:
        """The value at the inputs that stand in `value`."""
        loops()[0](self.code, self.left, self.right, self.value)
        return float(self.value[self.graph.output])

    def flipped(self) -> int:
        """How many choices fell otherwise: 0 where the replay is right."""
        return int(loops()[2](*self.guards, self.value))

    def sweep_back(self) -> None:
        """Fill `adjoint`."""
        loops()[1](
            *(self.code, self.left, self.right, self.value, self.adjoint),
            self.graph.output,
        )

    def give(self, inputs: Mapping[str, Any]) -> None:
        """Set inputs; those left out keep their values."""
        for name, values in inputs.items():
            self.value[self.graph.inputs[name]] = np.reshape(values, -1)

    def gradient(
        self, inputs: Mapping[str, Any], names: tuple[str, ...]
    ) -> tuple[float, dict[str, Floats]]:
        """The value, and the slope by each entry of the tensors named, flat."""
        self.give(inputs)
        value = self.evaluate()
        self.sweep_back()
        return value, {name: self.adjoint[self.graph.inputs[name]] for name in names}
