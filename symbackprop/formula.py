"""Equations written in the notation of the grammar, for people, messages and files.

What a program declares reads back as the same equation. What is derived from it needs
three forms more, which the grammar has not: `batch_mean(...)` for a mean over the
batch; `sum(K[u]*d[h - u], u if 0 <= h - u < 8)` for a sum where its guards hold; and
`dE[token[t], d] += e[t, d] over t, d` for a term that is scattered.

The order of addends and factors follows declarations, never the letters of names.
"""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow

from symbackprop.equations import (
    Equation,
    Guard,
    Name,
    System,
    Term,
    by_rank,
    reads,
    tensor_of,
)

# How tightly an operator binds, as in Python.
_OR, _AND, _NOT, _COMPARE, _ADD, _MUL, _NEGATIVE, _POWER, _ATOM = range(9)

_ROLES = {"parameter": 0, "data": 1, "defined": 2}
_COMPARISONS = {"less": "<", "less_equal": "<=", "equal": "=="}
_JOINTS = {"both": ("and", _AND), "either": ("or", _OR)}

_DECIMAL_FROM = 1_000  # denominators from here on are written as decimals, if they can

Written = tuple[str, int]  # a text, and how tightly its loosest operator binds


def formula(equation: Equation, system: System) -> str:
    """`z[i] = sum(W[i, j]*x[j], j) + b[i]`: an equation on one line.

    >>> from symbackprop.formula import formula
    >>> from symbackprop.program import Program
    >>> program = Program(
    ...     equations="L = sum((w[i]*x[i] - y)**2, i) / 2",
    ...     axes={"i": 3},
    ...     parameters={"w": "i"},
    ...     data={"x": "i", "y": ""},
    ...     objective="L",
    ... )
    >>> formula(program.equations[0], program)
    'L = sum((w[i]*x[i] - y)**2/2, i)'
    """
    writer = _Writer(system)
    gathered = [term for term in equation.terms if not _is_scattered(term, equation)]
    scattered = [term for term in equation.terms if _is_scattered(term, equation)]
    own = tuple(equation.indices)
    parts = []
    if gathered or not scattered:
        left = writer.element(equation.tensor, own)
        op = equation.reduction
        right = "0"
        for place, term in enumerate(gathered):
            written = writer.term(term, op)
            right = _append(right, written) if place else written
        parts.append(f"{left} = {right}")
    for term in scattered:
        left = writer.element(equation.tensor, term.target or ())
        body = writer.expression(term.body)
        body = f"batch_mean({body})" if term.average else body
        over = ", ".join(str(index) for index in term.bound)
        over = f" over {over}" if over else ""
        parts.append(f"{left} += {body}{over}{writer.where(term.guards)}")
    return " ; ".join(parts)


def expression(body: Expr, system: System) -> str:
    """`W[i, j]*x[j]`: one expression, as `formula` writes it."""
    return _Writer(system).expression(body)


def _is_scattered(term: Term, equation: Equation) -> bool:
    return term.target is not None and term.target != equation.indices


def _append(left: str, right: str) -> str:
    """`a` and `-b` => `a - b`."""
    return f"{left} - {right[1:]}" if right.startswith("-") else f"{left} + {right}"


def _in_brackets(written: Written, at_least: int) -> str:
    text, tightness = written
    return text if tightness >= at_least else f"({text})"


class _Writer:
    """Writes expressions over one system's names."""

    def __init__(self, system: System) -> None:
        self.system = system

    def expression(self, body: Expr) -> str:
        return self.write(body)[0]

    def element(self, tensor: str, subscripts: tuple[Expr, ...]) -> str:
        inside = ", ".join(self._subscript(subscript) for subscript in subscripts)
        return f"{tensor}[{inside}]" if subscripts else tensor

    def term(self, term: Term, op: str) -> str:
        """`-sum(y[k]*log(p[k]), k)`: a sign stands in front of the sum."""
        body, sign = term.body, ""
        outside = term.bound or term.guards or term.average
        number, core = body.as_coeff_Mul()
        if op == "sum" and outside and number < 0 and not isinstance(body, Add):
            body, sign = -number * core, "-"
        text = self.expression(body)
        condition = self.where(term.guards)
        if term.bound:
            text = f"{op}({text}, {', '.join(map(str, term.bound))}{condition})"
        elif condition:
            text = f"where({condition.removeprefix(' if ')}, {text}, 0)"
        return f"{sign}batch_mean({text})" if term.average else sign + text

    def where(self, guards: tuple[Guard, ...]) -> str:
        """` if 0 <= h - u < 8`, or nothing."""
        conditions = [
            f"0 <= {self._subscript(g.subscript)} < {self.system.size(g.axis)}"
            for g in guards
        ]
        return f" if {' and '.join(conditions)}" if conditions else ""

    def write(self, part: Expr) -> Written:
        if part.is_Rational:
            return _number(part)
        if part is sympy.E:
            return "exp(1)", _ATOM
        if isinstance(part, Indexed):
            return self.element(tensor_of(part), part.indices), _ATOM
        if isinstance(part, Add):
            return self._sum(part), _ADD
        if isinstance(part, Mul) or (isinstance(part, Pow) and _is_divisor(part)):
            return self._product(part)
        if isinstance(part, Pow):
            return self._power(part.base, part.exp)
        if part.is_Function:
            return self._function(part)
        return str(part), _ATOM

    def _subscript(self, subscript: Expr) -> str:
        """`2*p + u - 1`: the number comes last, but `2 - i`."""
        parts = self._positive_first(Add.make_args(subscript))
        parts.sort(key=lambda part: bool(part.is_Number))
        if _is_negative(parts[0]) and not _is_negative(parts[-1]):
            parts = [parts[-1], *parts[:-1]]
        return self._join([self.expression(part) for part in parts])

    def _sum(self, total: Expr) -> str:
        """`a[i] - y[i]`: addends with a minus come last."""
        parts = self._positive_first(total.args)
        return self._join([self.expression(part) for part in parts])

    def _positive_first(self, parts: tuple[Expr, ...]) -> list[Expr]:
        return sorted(sorted(parts, key=self._addend_key), key=_is_negative)

    @staticmethod
    def _join(parts: list[str]) -> str:
        joined = parts[0]
        for part in parts[1:]:
            joined = _append(joined, part)
        return joined

    def _product(self, product: Expr) -> Written:
        """`2*a*b/(3*c)`, a minus in front."""
        number, _ = product.as_coeff_Mul()
        factors = [f for f in Mul.make_args(product) if not f.is_Rational]
        factors.sort(key=self._factor_key)
        above = [f for f in factors if not _is_divisor(f)]
        below = [Pow(f.base, -f.exp) for f in factors if _is_divisor(f)]
        size = abs(number)
        decimal = _decimal(size)
        top = "" if size.p == 1 and not decimal else decimal or str(size.p)
        bottom = "" if size.q == 1 or decimal else str(size.q)

        numerators = [top] if top else []
        numerators += [_in_brackets(self.write(f), _POWER) for f in above]
        text = "*".join(numerators) or "1"
        if len(below) == 1 and isinstance(below[0], Add):
            text += f"/{_in_brackets(self.write(below[0]), _ATOM)}"
            below = []
        divisors = [bottom] if bottom else []
        divisors += [_in_brackets(self.write(f), _POWER) for f in below]
        if divisors:
            joined = "*".join(divisors)
            text += f"/({joined})" if len(divisors) > 1 else f"/{joined}"
        return (f"-{text}", _NEGATIVE) if number < 0 else (text, _MUL)

    def _power(self, base: Expr, exponent: Expr) -> Written:
        if exponent == sympy.Rational(1, 2):
            return f"sqrt({self.expression(base)})", _ATOM
        below = _in_brackets(self.write(base), _ATOM)
        return f"{below}**{_in_brackets(self.write(exponent), _ATOM)}", _POWER

    def _function(self, part: Expr) -> Written:
        name, arguments = part.func.__name__, part.args
        if name in _COMPARISONS:
            return self._comparison(_COMPARISONS[name], part), _COMPARE
        if name in _JOINTS:
            word, tightness = _JOINTS[name]
            left = _in_brackets(self.write(arguments[0]), tightness)
            right = _in_brackets(self.write(arguments[1]), tightness + 1)
            return f"{left} {word} {right}", tightness
        if name == "negation":
            inner = arguments[0]
            if inner.func.__name__ == "equal":
                return self._comparison("!=", inner), _COMPARE
            return f"not {_in_brackets(self.write(inner), _NOT)}", _NOT
        inside = ", ".join(self.expression(argument) for argument in arguments)
        return f"{name}({inside})", _ATOM

    def _comparison(self, sign: str, part: Expr) -> str:
        left, right = (_in_brackets(self.write(side), _ADD) for side in part.args)
        return f"{left} {sign} {right}"

    def _factor_key(self, factor: Expr) -> tuple[object, ...]:
        """Numbers, constants, indices, reads by role and rank, then the rest."""
        return (*self._kind(factor), by_rank(factor))

    def _kind(self, factor: Expr) -> tuple[int, int, int]:
        base = factor.base if isinstance(factor, Pow) else factor
        found = next(reads(base), None)
        if found is None:
            return (_kind_without_reads(base), 0, 0)
        tensor = self.system.tensors.get(tensor_of(found))
        role = _ROLES[tensor.role] if tensor else len(_ROLES)
        rank = tensor.rank if tensor else 0
        return (3 if found == base else 4, role, rank)

    def _addend_key(self, addend: Expr) -> tuple[object, ...]:
        factors = [f for f in Mul.make_args(addend) if not f.is_Rational]
        return (sorted(self._kind(factor) for factor in factors), by_rank(addend))


def _kind_without_reads(part: Expr) -> int:
    kinds = {symbol.kind for symbol in part.free_symbols if isinstance(symbol, Name)}
    if "index" in kinds:
        return 2
    return 1 if part.free_symbols else 0


def _is_negative(part: Expr) -> bool:
    return bool(part.as_coeff_Mul()[0] < 0)


def _is_divisor(part: Expr) -> bool:
    return isinstance(part, Pow) and bool(part.exp.is_Rational and part.exp < 0)


def _number(number: Expr) -> Written:
    size = abs(number)
    text = _decimal(size) or str(size)
    tightness = _MUL if "/" in text else _ATOM
    return (f"-{text}", _NEGATIVE) if number < 0 else (text, tightness)


def _decimal(number: Expr) -> str:
    """`1/100000` => `1e-5`; "" where a quotient is better or there is no decimal."""
    value = Fraction(int(number.p), int(number.q))
    if value.denominator < _DECIMAL_FROM:
        return ""
    places = next((k for k in range(3, 40) if 10**k % value.denominator == 0), None)
    if places is None:
        return ""
    digits = str(value * 10**places)
    scientific = f"{digits}e-{places}"
    fixed = digits.rjust(places + 1, "0")
    fixed = f"{fixed[:-places]}.{fixed[-places:]}"
    choices: list[str] = sorted((fixed, scientific), key=len)
    return choices[0]
