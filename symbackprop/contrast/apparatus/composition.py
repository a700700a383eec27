"""A scalar objective as a composition of elementary functions h1 .. hn, and its sweeps.

Each function is one operation on variables and functions before it. Its local
derivatives are what SymPy makes of that one operation; the slopes of the objective
follow from them alone, by a sweep forward or by a sweep in reverse.

Source: Griewank and Walther, Evaluating Derivatives, chapters 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from sympy import Add, Expr, Mul, Rational

from symbackprop.calculus import hide
from symbackprop.equations import Equation, Name, System, Tensor, Term, by_rank
from symbackprop.errors import CheckError, InputError
from symbackprop.formula import expression as written
from symbackprop.program import Program
from symbackprop.rewrites import reveal
from symbackprop.scalars import CONDITIONS, TABLE
from symbackprop.witnesses import limits

Number = Any  # a Fraction where it is exact, else an mpmath number of 60 digits
AGREE = 1e-30  # of two numbers of 60 digits, relative to the larger one, or to 1

_JOINED = tuple(c.__name__ for c in CONDITIONS)


@dataclass(frozen=True)
class Step:
    """`h4 = exp(h3)`: one elementary function and its local derivatives.

    Attributes:
        symbol: what it defines.
        function: one operation on what was there before.
        local: its derivative by each variable or function in it.
    """

    symbol: Name
    function: Expr
    local: Mapping[Name, Expr]


@dataclass(frozen=True)
class Composition:
    """An objective as elementary functions, the last of which is its value.

    Attributes:
        system: the variables and the functions as a system of scalar equations.
        variables: the parameters, by which the slopes are taken.
        others: the data, which are held fixed.
        steps: h1 .. hn in an order that can be computed.
        whole: the objective as one expression over variables and data.
        objective: its name.
    """

    system: System
    variables: tuple[Name, ...]
    others: tuple[Name, ...]
    steps: tuple[Step, ...]
    whole: Expr
    objective: str

    @property
    def leaves(self) -> tuple[Name, ...]:
        return (*self.others, *self.variables)

    def text(self, expression: Expr) -> str:
        """`exp(h3)`: an expression in the notation of the grammar."""
        return written(expression, self.system)


@dataclass(frozen=True)
class Sweeps:
    """The numbers of a composition at one point.

    Attributes:
        values: of every variable and function.
        local: each local derivative, by function and operand.
        forward: for each variable, the slope of every function by it.
        paths: for every variable and function, what each function that reads it adds
            to the slope of the objective by it.
        reverse: those slopes, the sums of their paths.
    """

    values: Mapping[Name, Number]
    local: Mapping[tuple[Name, Name], Number]
    forward: Mapping[Name, Mapping[Name, Number]]
    paths: Mapping[Name, Mapping[Name, Number]]
    reverse: Mapping[Name, Number]


def compose(program: Program) -> Composition:
    """Split the objective of a program of scalars into elementary functions.

    Equal parts become one function, from which several paths lead on.

    Raises:
        InputError: the program has axes.

    >>> program = Program(equations="f = 1/(exp(-w*x) + 1)", axes={},
    ...                   parameters={"w": ""}, data={"x": ""}, objective="f")
    >>> made = compose(program)
    >>> [f"{step.symbol} = {made.text(step.function)}" for step in made.steps]
    ['h1 = w*x', 'h2 = -h1', 'h3 = exp(h2)', 'h4 = 1 + h3', 'h5 = 1/h4']
    """
    if program.axes:
        raise InputError(
            f"program {program.name}: it has the axes {', '.join(program.axes)}; its "
            "elementary functions are shown one by one, so give a program whose "
            "parameters, data and tensors are all scalars."
        )
    return _Splitter(program).composition()


class _Splitter:
    """Makes the steps; parts that were seen before are found in its memory."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rank = 1 + max(t.rank for t in program.tensors.values())
        self.steps: list[Step] = []
        self.memory: dict[Expr, Expr] = {
            constant.symbol: Rational(constant.value)
            for constant in program.constants.values()
        }
        self.bodies = {
            program.tensors[equation.tensor].symbol: reveal(
                Add(*(term.body for term in equation.terms))
            )
            for equation in program.equations
        }

    def composition(self) -> Composition:
        program = self.program
        objective = program.tensors[program.objective].symbol
        last = self.node(objective)
        if not self.steps or last != self.steps[-1].symbol:
            self.defined(last)  # a variable, a number or an earlier part
        steps = tuple(self.steps)
        given = (*program.data, *program.parameters)
        tensors = {t.name: t for t in given}
        for step in steps:
            name, rank = step.symbol.name, step.symbol.rank
            tensors[name] = Tensor(name, (), "defined", rank)
        equations = tuple(
            Equation(step.symbol.name, (), (Term(step.function),)) for step in steps
        )
        return Composition(
            System(program.name, {}, tensors, equations, steps[-1].symbol.name),
            tuple(t.symbol for t in program.parameters),
            tuple(t.symbol for t in program.data),
            steps,
            self.whole(objective),
            program.objective,
        )

    def whole(self, part: Expr) -> Expr:
        """A part over variables and data alone."""
        constants = self.program.constants.values()
        over = {c.symbol: Rational(c.value) for c in constants}
        for symbol, body in self.bodies.items():
            over[symbol] = body.xreplace(over)
        return part.xreplace(over)

    def node(self, part: Expr) -> Expr:
        """The number, variable or function that holds the value of a part."""
        if part.is_number:
            return part
        if part not in self.memory:
            if part in self.bodies:
                self.memory[part] = self.node(self.bodies[part])
            else:
                self.memory[part] = part if isinstance(part, Name) else self.made(part)
        return self.memory[part]

    def made(self, part: Expr) -> Expr:
        if part.is_Add:
            return self._sum(part)
        if part.is_Mul:
            return self._product(part)
        if part.is_Pow and part.exp.is_number and part.exp.is_negative:
            return self.step(1 / self.node(1 / part))
        if part.func.__name__ in _JOINED:  # a condition is part of its choice
            return part.func(*(self.node(a) for a in part.args))
        return self.step(part.func(*(self.node(a) for a in part.args)))

    def _sum(self, part: Expr) -> Expr:
        """`h + b - y` => one addition or subtraction after the other, numbers last."""
        number, rest = part.as_coeff_Add()
        addends = sorted(Add.make_args(rest), key=_negative)
        total = self.node(addends[0])
        for addend in addends[1:]:
            if _negative(addend):
                total = self.step(total - self.node(-addend))
            else:
                total = self.step(total + self.node(addend))
        return self.step(total + number) if number else total

    def _product(self, part: Expr) -> Expr:
        """`2*a*b/c` => products, then the number, then one division after another."""
        number, rest = part.as_coeff_Mul()
        factors = sorted(Mul.make_args(rest), key=by_rank)
        below = [f for f in factors if f.is_Pow and _negative(f.exp)]
        above = [self.node(f) for f in factors if f not in below]
        total = above[0] if above else number
        for factor in above[1:]:
            total = self.step(total * factor)
        if above and number != 1:
            total = self.step(total * number)
        for factor in below:
            total = self.step(total / self.node(1 / factor))
        return total

    def step(self, function: Expr) -> Expr:
        """The function's name: a new one, or the one it has already."""
        if function not in self.memory:
            self.memory[function] = self.defined(function)
        return self.memory[function]

    def defined(self, function: Expr) -> Name:
        """One more function, under a new name."""
        taken = {t.name for t in (*self.program.parameters, *self.program.data)}
        place = len(self.steps) + 1
        name = f"h{place}" if f"h{place}" not in taken else f"h{place}_"
        symbol = Name(name, "tensor", self.rank + place)
        operands = sorted(function.atoms(Name), key=by_rank)
        local = {u: derivative(function, u) for u in operands}
        self.steps.append(Step(symbol, function, MappingProxyType(local)))
        return symbol


def _negative(part: Expr) -> bool:
    return bool(part.could_extract_minus_sign())


def derivative(function: Expr, by: Expr) -> Expr:
    """A local derivative, by SymPy; of a function of the table, from its row.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> derivative(1/x, x), derivative(TABLE["logistic"].call(x), x)
    (-1/x**2, (1 - logistic(x))*logistic(x))
    """
    return reveal(hide(function).diff(by))


def sweep(composition: Composition, point: Mapping[Name, Number]) -> Sweeps:
    """Values, then the slopes forward from each variable, and in reverse from the end.

    Args:
        composition: the functions.
        point: a number for every variable and for the data.
    """
    values = dict(point)
    local: dict[tuple[Name, Name], Number] = {}
    for step in composition.steps:
        values[step.symbol] = number(step.function, values)
        for operand, slope in step.local.items():
            local[step.symbol, operand] = number(slope, values)
    forward: dict[Name, dict[Name, Number]] = {}
    for variable in composition.variables:
        tangents = {u: Fraction(u == variable) for u in composition.leaves}
        for step in composition.steps:
            tangents[step.symbol] = _total(
                local[step.symbol, u] * tangents[u] for u in step.local
            )
        forward[variable] = tangents
    paths: dict[Name, dict[Name, Number]] = {u: {} for u in values}
    reverse: dict[Name, Number] = {}
    last = composition.steps[-1].symbol
    for step in reversed(composition.steps):
        h = step.symbol
        reverse[h] = Fraction(1) if h == last else _total(paths[h].values())
        for u in step.local:
            paths[u][h] = reverse[h] * local[h, u]
    for u in composition.leaves:
        reverse[u] = _total(paths[u].values())
    return Sweeps(values, local, forward, paths, reverse)


def _total(numbers: Iterable[Number]) -> Number:
    return sum(numbers, Fraction(0))


def number(expression: Expr, values: Mapping[Name, Number]) -> Number:
    """The value of an expression: a fraction where it is one, else of 60 digits.

    >>> import sympy
    >>> x = Name("x", "tensor", 0)
    >>> number(1 / (sympy.exp(x) + 1), {x: Fraction(0)})
    Fraction(1, 2)
    """
    needed = {u: values[u] for u in expression.atoms(Name)}
    if all(isinstance(value, Fraction) for value in needed.values()):
        exact = _defined(expression).xreplace(
            {u: Rational(v.numerator, v.denominator) for u, v in needed.items()}
        )
        if exact.is_Rational:
            return Fraction(int(exact.p), int(exact.q))
    found = limits.value(expression, needed)
    if not limits.NUMBERS.context.isfinite(found):
        at = ", ".join(f"{u} = {float(v):.4g}" for u, v in needed.items())
        raise InputError(f"`{expression}` has no finite value at {at}.")
    return found


def _defined(expression: Expr) -> Expr:
    """The same without functions of the table: `tanh(x)` by its exponentials."""
    if not expression.args:
        return expression
    arguments = [_defined(a) for a in expression.args]
    row = TABLE.get(expression.func.__name__)
    if row is not None and row.definition is not None:
        return _defined(row.definition(*arguments))
    return expression.func(*arguments)


def check(
    composition: Composition, point: Mapping[Name, Number], sweeps: Sweeps
) -> float:
    """Hold every local derivative and both sweeps against what does not use them.

    A local derivative is held against the limit of difference quotients of its step;
    the slopes by either sweep against the objective as one expression over
    exponentials and logarithms, which SymPy differentiates whole.

    Returns:
        The worst disagreement, relative to the larger number, or to 1.

    Raises:
        CheckError: one of them is refuted; it says which.
    """
    return max(_disagreements(composition, point, sweeps))


def _disagreements(
    composition: Composition, point: Mapping[Name, Number], sweeps: Sweeps
) -> Iterator[float]:
    for step in composition.steps:
        here = {u: limits.NUMBERS.convert(sweeps.values[u]) for u in step.local}
        said = f"{step.symbol} = {composition.text(step.function)}"
        for operand in step.local:
            yield _held(
                f"{said}: the local derivative by {operand}",
                sweeps.local[step.symbol, operand],
                limits.numerical(step.function, operand, here),
            )
    whole = _defined(composition.whole)
    yield _held(
        "the value",
        sweeps.values[composition.steps[-1].symbol],
        number(whole, point),
    )
    last = composition.steps[-1].symbol
    for variable in composition.variables:
        truth = number(whole.diff(variable), point)
        forward = sweeps.forward[variable][last]
        yield _held(f"the forward sweep by {variable}", forward, truth)
        reverse = sweeps.reverse[variable]
        yield _held(f"the reverse sweep by {variable}", reverse, truth)


def _held(what: str, found: Number, truth: Number) -> float:
    exact = [limits.NUMBERS.convert(n) for n in (found, truth)]
    error = abs(exact[0] - exact[1]) / max(abs(exact[0]), abs(exact[1]), 1)
    if not error < AGREE:
        raise CheckError(
            f"{what} is {float(found):.12g}, and {float(truth):.12g} was expected."
        )
    return float(error)


def short_number(value: Number, digits: int = 4) -> str:
    """As a person writes it: `1/4`, `-3`, `0.4621`.

    >>> short_number(Fraction(1, 4)), short_number(Fraction(1, 3001))
    ('1/4', '0.0003332')
    """
    if isinstance(value, Fraction) and value.denominator < 100:
        return str(value)
    return f"{float(value):.{digits}g}"
