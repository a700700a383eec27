"""Rules: how one component of theta moves, as equations.

    m = beta1*m + (1 - beta1)*g

What stands here once is evaluated by NumPy, printed for people, and emitted as a
compiled loop. Text is parsed and walked by a whitelist; it is never run.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.errors import DeclarationError, nearest, short

GIVEN = ("g", "theta", "t")  # the slope, the parameter, and the number of the step

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.USub: lambda a: -a,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


@dataclass(frozen=True)
class Rule:
    """Equations that hold one after another, for each component of theta.

    `g` is the component's slope, `t` the number of the step from 1, and `rate` the
    step's rate. A name that is read before it is assigned is carried from step to
    step, and is 0 at first; a name that is never assigned is an option.

    Args:
        name: of the rule, and of its emitted file.
        text: one equation a line, or several with `;` between; the last one assigns
            theta.

    Raises:
        DeclarationError: text that is no such rule.

    >>> rule = Rule("momentum", "v = momentum*v + g; theta = theta - rate*v")
    >>> rule.state, rule.options
    (('v',), ('momentum', 'rate'))
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        for part in (self.name, self.text):
            if not isinstance(part, str):
                raise DeclarationError(f"rule: {short(part)} is no text.")
        if not (self.name.isidentifier() and self.name.isascii()):
            raise DeclarationError(f"rule: {short(self.name)} is no identifier.")
        assigned = [name for name, _ in self.equations]
        if assigned[-1:] != ["theta"] or len(set(assigned)) < len(assigned):
            raise DeclarationError(
                f"rule {self.name}: assign each name once, and theta last."
            )
        for name in {*assigned, *self.options}:
            if name in ("g", "t", *FUNCTIONS) or not name.isascii():
                raise DeclarationError(
                    f"rule {self.name}: `{name}` cannot be a name here."
                )

    @cached_property
    def equations(self) -> tuple[tuple[str, ast.expr], ...]:
        """(name, right-hand side) in their order."""
        try:
            return tuple(self._read())
        except RecursionError as error:
            raise DeclarationError(
                f"rule {self.name}: nested too deeply; split it into more equations."
            ) from error

    def _read(self) -> Iterator[tuple[str, ast.expr]]:
        try:
            rows = self.text.replace(";", "\n").split("\n")
            lines = ast.parse("\n".join(row.strip() for row in rows)).body
        except (SyntaxError, ValueError, MemoryError) as error:
            told = str(error)[:200]
            raise DeclarationError(f"rule {self.name}: {told}.") from error
        for line in lines:
            match line:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._check(value)
                    yield name, value
                case _:
                    raise DeclarationError(
                        f"rule {self.name}: write `name = expression`, not "
                        f"`{ast.unparse(line)[:60]}`."
                    )

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Name(id=name) if not keyword.iskeyword(name):
                return
            case ast.Constant(value=int() | float() as value) if value is not True:
                return
            case ast.BinOp(left=left, op=operator, right=right):
                if type(operator) in _OPERATORS:
                    self._check(left)
                    self._check(right)
                    return
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._check(operand)
                return
            case ast.Call(func=ast.Name(id=name), args=[*arguments], keywords=[]):
                if name not in FUNCTIONS:
                    raise DeclarationError(
                        f"rule {self.name}: `{name}` is no function here; known are "
                        f"{', '.join(FUNCTIONS)}.{nearest(name, FUNCTIONS)}"
                    )
                for argument in arguments:
                    self._check(argument)
                return
        raise DeclarationError(
            f"rule {self.name}: `{ast.unparse(node)[:60]}` cannot stand here; there "
            f"are numbers, names, + - * / ** and {', '.join(FUNCTIONS)}."
        )

    @cached_property
    def state(self) -> tuple[str, ...]:
        """The names that are carried from step to step."""
        found: list[str] = []
        assigned = {name for name, _ in self.equations} - {"theta"}
        later = set(assigned)
        for name, right in self.equations:
            found += [n for n in names_in(right) if n in later and n not in found]
            later -= {name}
        return tuple(n for n, _ in self.equations if n in found)

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The numbers that are read and never assigned, in the order of reading."""
        known = {*GIVEN, *(name for name, _ in self.equations)}
        read = (n for _, right in self.equations for n in names_in(right))
        return tuple(dict.fromkeys(n for n in read if n not in known))

    @property
    def lines(self) -> tuple[str, ...]:
        """The equations as text, one each.

        >>> Rule("sgd", "theta = theta-rate*g").lines
        ('theta = theta - rate*g',)
        """
        return tuple(f"{name} = {written(right)}" for name, right in self.equations)

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The names after one step, on numbers of any kind.

        Args:
            values: g, theta, t, the state and the options.

        >>> Rule("sgd", "theta = theta - rate*g").evaluate(
        ...     {"theta": 1.0, "rate": 0.5, "g": 0.5}
        ... )["theta"]
        0.75
        """
        found = dict(values)
        for name, right in self.equations:
            found[name] = _value(right, found)
        return found


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=operator, right=right):
            combine = _OPERATORS[type(operator)]
            return combine(_value(left, values), _value(right, values))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, values)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return FUNCTIONS[name](*(_value(a, values) for a in arguments))
    raise AssertionError(ast.dump(node))


def names_in(node: ast.expr) -> list[str]:
    """The names that an expression reads, from left to right; no functions."""
    called = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    names.sort(key=lambda n: (n.lineno, n.col_offset))
    return [n.id for n in names if id(n) not in called]


def written(node: ast.expr) -> str:
    """`beta1*m + (1 - beta1)*g`: products close together, sums apart."""
    text = ast.unparse(node)
    return text.replace(" * ", "*").replace(" / ", "/").replace(" ** ", "**")
