"""Symbolic differentiation as a textbook warns of it: one expression for each slope.

The objective becomes a single expression in the parameters' entries, without names for
what lies between. In memory equal parts are one object, so that an expression too large
to be written out can still be made, and be counted exactly, part by part.

Source: Griewank and Walther, Evaluating Derivatives, chapter 1 (why expressions swell).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, S, Symbol

from symbackprop.witnesses.graph import CONSTANT, INPUT, Graph, Step

# What a node of a graph is as a SymPy expression; whatever is not here is SymPy's own.
_MADE: Mapping[str, Callable[..., Expr]] = {
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "log1p": lambda a: sympy.log(1 + a),
    "expm1": lambda a: sympy.exp(a) - 1,
}


@dataclass(frozen=True)
class Expanded:
    """An objective as one expression.

    Attributes:
        value: the objective.
        symbols: the symbols of each tensor's entries, in row-major order.
    """

    value: Expr
    symbols: Mapping[str, tuple[Symbol, ...]]

    @classmethod
    def of(cls, graph: Graph) -> Expanded:
        """Write a graph out; its numbers become exact."""

        uses = Counter(k for step in graph.steps for k in (step.left, step.right))
        made: list[Any] = []
        for number, (operation, left, right) in enumerate(graph.steps):
            operands = [made[k] for k in (left, right) if k >= 0]
            if operation == CONSTANT:
                part = sympy.nsimplify(graph.values[number], rational=True)
            elif operation == INPUT:
                # Digits of equal length: SymPy sorts symbols by their names.
                part = Symbol(f"u{number:09d}", real=True)
            elif operation == "add" and uses[number] == 1:
                part = tuple(operands)  # of the sum that reads it
            elif operation == "add":
                part = _summed(tuple(operands))
            else:
                make = _MADE.get(operation) or getattr(sympy, operation)
                part = make(*map(_summed, operands))
            made.append(part)
        symbols = {
            name: tuple(made[number] for number in numbers)
            for name, numbers in graph.inputs.items()
        }
        return cls(_summed(made[graph.output]), symbols)


def _summed(part: Any) -> Expr:
    """`((a, b), c) => a + b + c` at once, for SymPy sorts a sum anew for each term."""
    if not isinstance(part, tuple):
        return part
    terms: list[Expr] = []
    agenda: list[Any] = [part]
    while agenda:
        each = agenda.pop()
        if isinstance(each, tuple):
            agenda.extend(each)
        else:
            terms.append(each)
    return sympy.Add(*terms)


def derivative(expression: Expr, symbol: Symbol) -> Expr:
    """`sympy.diff(expression, symbol)`, with each part differentiated once.

    SymPy goes through a part as often as it occurs, which no one could wait for.

    >>> from sympy.abc import x, y
    >>> derivative(sympy.sin(x * y) ** 2, x)
    2*y*sin(x*y)*cos(x*y)
    """
    memory: dict[Expr, Expr] = {symbol: S.One}  # parts that depend on it

    def slope(part: Expr) -> Expr:
        arguments = part.args
        slopes = [memory.get(a, S.Zero) for a in arguments]
        if part.is_Add:
            return sympy.Add(*slopes)
        if part.is_Mul:
            terms = [
                sympy.Mul(*arguments[:k], d, *arguments[k + 1 :])
                for k, d in enumerate(slopes)
                if d is not S.Zero
            ]
            return sympy.Add(*terms)
        if part.is_Pow and slopes[1] is S.Zero:
            base, exponent = arguments
            return sympy.Mul(exponent, base ** (exponent - 1), slopes[0])
        if part.is_Pow:
            base, exponent = arguments
            inner = slopes[1] * sympy.log(base) + slopes[0] * exponent / base
            return part * inner
        return sympy.Add(
            *(part.fdiff(k) * d for k, d in enumerate(slopes, 1) if d is not S.Zero)
        )

    for part in parts(expression):
        if any(a in memory for a in part.args):
            memory[part] = slope(part)
    return memory.get(expression, S.Zero)


def parts(*expressions: Expr) -> Iterable[Expr]:
    """Every distinct part, operands before what is made of them."""
    seen: set[Expr] = set()
    for expression in expressions:
        agenda: list[tuple[Expr, bool]] = [(expression, False)]
        while agenda:
            part, ready = agenda.pop()
            if part in seen:
                continue
            if ready:
                seen.add(part)
                yield part
            else:
                agenda.append((part, True))
                agenda += [(a, False) for a in part.args if a not in seen]


def nodes(*expressions: Expr) -> int:
    """Nodes of the trees, each part counted as often as it would be written.

    >>> from sympy.abc import x
    >>> nodes((x + 1) ** 2)
    5
    """
    memory: dict[Expr, int] = {}
    for part in parts(*expressions):
        memory[part] = 1 + sum(memory[a] for a in part.args)
    return sum(memory[e] for e in expressions)


def shared_nodes(*expressions: Expr) -> int:
    """Nodes where each distinct part is written once."""
    return sum(1 for _ in parts(*expressions))


def operations(*expressions: Expr) -> int:
    """`sympy.count_ops`, in one visit to each distinct part instead of each node.

    >>> from sympy.abc import x, y
    >>> e = (x - y) ** 2 / (1 + sympy.exp(-x))
    >>> operations(e) == sympy.count_ops(e)
    True
    """
    memory: dict[Expr, int] = {}
    for expression in expressions:
        agenda = [expression]
        while agenda:
            part = agenda[-1]
            if part in memory:
                agenda.pop()
                continue
            own, operands = _counted(part)
            missing = [o for o in operands if o not in memory]
            if missing:
                agenda += missing
            else:
                memory[part] = own + sum(memory[o] for o in operands)
                agenda.pop()
    return sum(memory[e] for e in expressions)


def _counted(part: Expr) -> tuple[int, Sequence[Expr]]:
    """SymPy's conventions: operations of a part itself, and what is counted with it."""
    own = 0
    if part.is_Rational:
        return (0 if part is S.One else int(part.p < 0) + int(part.q != 1)), ()
    if not part.args:
        return int(part is S.Exp1), ()
    if part.is_Mul:
        if _negative(part):
            own, part = 1, -part
        above, below = sympy.fraction(part)
        if above.is_Integer:
            return own + 1 + int(above.p < 0), (below,)
        if below is not S.One:
            kept = (above,) if below.is_Integer else (above, below)
            return own + 1, kept
        if not part.is_Mul:
            inner, operands = _counted(part)
            return own + inner, operands
        return own + len(part.args) - 1, part.args
    if part.is_Add:
        negative = [_negative(a) for a in part.args]
        operands = [-a if n else a for a, n in zip(part.args, negative, strict=True)]
        return len(operands) - 1 + int(all(negative)), operands
    if part.is_Pow:
        if part.exp is S.NegativeOne:
            return 1, (part.base,)
        return 1, part.args
    return 1, part.args


def _negative(part: Expr) -> bool:
    """Whether its leading number is below zero."""
    number = part.as_coeff_Mul()[0] if part.is_Mul else part
    return bool(number.is_Number and number.is_extended_negative)


def straight(
    outputs: Sequence[Expr],
    symbols: Mapping[str, Sequence[Symbol]],
    values: Mapping[str, Any],
    named: Sequence[tuple[Symbol, Expr]] = (),
    expand: bool = False,
) -> tuple[Graph, list[int]]:
    """Expressions as steps that can be replayed, and the node of each output.

    Args:
        outputs: what is computed.
        symbols: the inputs of each tensor.
        values: the tensors, for shapes alone.
        named: parts that come first, under names, as `sympy.cse` gives them.
        expand: write a part as often as it occurs; else once.
    """
    graph, memory = Graph(), dict[Expr, int]()

    def step(operation: str, *operands: int, value: float = 0.0) -> int:
        graph.steps.append(Step(operation, *operands))
        graph.values.append(value)
        return len(graph.steps) - 1

    def number(value: float) -> int:
        return step(CONSTANT, value=value)

    def chain(operation: str, operands: Sequence[int]) -> int:
        made = operands[0]
        for operand in operands[1:]:
            made = step(operation, made, operand)
        return made

    def walk(part: Expr) -> int:
        known = memory.get(part)
        if known is not None:
            return known
        made = write(part)
        if not expand:
            memory[part] = made
        return made

    def write(part: Expr) -> int:
        if part.is_number:
            return number(float(part))
        if part.is_Mul:
            above, below = sympy.fraction(part)
            if below is not S.One and not below.is_number:
                return step("divide", walk(above), walk(below))
        if part.is_Pow and part.exp is S.NegativeOne:
            return step("divide", number(1.0), walk(part.base))
        if part.is_Pow and part.exp == 2:
            base = walk(part.base)
            return step("multiply", base, base)
        if part.is_Pow and part.exp is S.Half:
            return step("sqrt", walk(part.base))
        if part.is_Pow and part.base is S.Exp1:
            return step("exp", walk(part.exp))
        operands = [walk(a) for a in part.args]
        if part.func in (sympy.Abs, sympy.sign):  # what SymPy makes of sqrt(x^2)
            size = step("sqrt", step("multiply", operands[0], operands[0]))
            return size if part.func is sympy.Abs else step("divide", operands[0], size)
        if part.is_Add or part.is_Mul:
            return chain("add" if part.is_Add else "multiply", operands)
        name = "power" if part.is_Pow else part.func.__name__
        return step(name, *operands)

    for name, entries in symbols.items():
        given = values[name].reshape(-1).tolist()
        graph.inputs[name] = [step(INPUT, value=float(v)) for v in given]
        memory.update(zip(entries, graph.inputs[name], strict=True))
    for symbol, part in named:
        memory[symbol] = walk(part)
    return graph, [walk(output) for output in outputs]
