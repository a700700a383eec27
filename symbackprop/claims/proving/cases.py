"""Choices told apart: where every condition of some expressions is decided.

    abs(x) - maximum(x, -x)    =>    x < 0: -x - (-x),  x = 0: 0 - 0,  x > 0: x - x

The line of a variable is cut where a condition that is linear in it changes, at an
exact number; other conditions are cut by the signs of their factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr, Rational, S, Symbol

from symbackprop.claims.proving.quotients import (
    POSITIVE,
    Quotients,
    Sign,
    Signs,
    TooHardError,
)
from symbackprop.equations import Indexed, is_index
from symbackprop.scalars import equal, less, where

MOST = 81  # cases


@dataclass(frozen=True)
class Interval:
    """The numbers between two ends, without them."""

    low: Expr = -sympy.oo
    high: Expr = sympy.oo

    def sign_of(self, number: Expr) -> Sign | None:
        """The sign of `v - number` for every v of it."""
        if number <= self.low:
            return POSITIVE
        return Sign(-1) if number >= self.high else None


@dataclass(frozen=True)
class Case:
    """What is known in one case, and the expressions with their choices made.

    Attributes:
        expressions: without choices.
        values: variables that have but one value.
        intervals: of other variables.
        signs: of parts, by parts that are irreducible.
    """

    expressions: tuple[Expr, ...]
    values: Mapping[Expr, Expr] = field(default_factory=dict)
    intervals: Mapping[Expr, Interval] = field(default_factory=dict)
    signs: Mapping[Expr, Sign] = field(default_factory=dict)

    @property
    def known(self) -> Signs:
        """The signs of atoms and of parts that are known."""
        found = dict(self.signs)
        for variable, interval in self.intervals.items():
            sign = interval.sign_of(S.Zero)
            if sign is not None:
                found[variable] = sign
        return found

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What the case is: conditions that all hold."""
        found = [equal(variable, value) for variable, value in self.values.items()]
        for variable, interval in self.intervals.items():
            if interval.low != -sympy.oo:
                found.append(less(interval.low, variable))
            if interval.high != sympy.oo:
                found.append(less(variable, interval.high))
        for part, sign in self.signs.items():
            if sign.sense == 0:
                found.append(equal(part, S.Zero))
            else:
                ends = (S.Zero, part) if sign.sense > 0 else (part, S.Zero)
                found.append(less(*ends))
        return tuple(found)

    def with_expressions(self, expressions: Sequence[Expr]) -> Case:
        return replace(self, expressions=tuple(expressions))


def cases(expressions: Sequence[Expr], known: Signs | None = None) -> list[Case]:
    """All cases of some expressions that are opened.

    Args:
        known: signs of reads, and of other parts, in all of them.

    Raises:
        TooHardError: too many, or conditions that cannot be told apart.
    """
    found = []
    for case in _split(Case(tuple(expressions), signs=known or {})):
        found.append(case)
        if len(found) > MOST:
            raise TooHardError
    return found


def _split(case: Case) -> Iterator[Case]:
    """Make the choices that a case tells; part it by the first that it does not."""
    choosing = _Choosing(case)
    case = case.with_expressions([choosing.chosen(e) for e in case.expressions])
    if choosing.open is None:
        yield case
        return
    for part in _parted(choosing.open, case):
        yield from _split(part)


@dataclass
class _Choosing:
    """Makes the choices in expressions that a case tells.

    Attributes:
        open: the first comparison that it does not tell.
    """

    case: Case
    open: Expr | None = None

    def chosen(self, expression: Expr) -> Expr:
        """`where(x < 0, a, b)` => `a`, where x is negative."""
        if not expression.args or isinstance(expression, Indexed):
            return expression
        if not isinstance(expression, where):
            return expression.func(*(self.chosen(part) for part in expression.args))
        holds = self.holds(expression.args[0])
        if holds is None:
            return expression
        return self.chosen(expression.args[1 if holds else 2])

    def holds(self, condition: Expr) -> bool | None:
        """Whether a condition holds; None where the case does not tell."""
        name, arguments = condition.func.__name__, condition.args
        if name == "negation":
            inner = self.holds(arguments[0])
            return None if inner is None else not inner
        if name in ("both", "either"):
            decides = name == "either"
            for part in arguments:
                one = self.holds(part)
                if one is None or one == decides:
                    return one
            return not decides
        comparison = condition.func(*(self.chosen(part) for part in arguments))
        if comparison.has(where):
            return None  # a choice inside of it comes first
        truth = _truth(comparison, self.case)
        if truth is None and self.open is None:
            self.open = comparison
        return truth


# --- one condition -------------------------------------------------------------------


def _truth(condition: Expr, case: Case) -> bool | None:
    """Whether a comparison holds in a case; None where the case does not tell."""
    low, high = condition.args
    sign = _sign(high - low, case)
    if sign is None:
        return None
    if isinstance(condition, equal):
        return None if not sign.strict and sign.sense else sign.sense == 0
    if isinstance(condition, less):
        return (sign.sense > 0) if sign.strict or sign.sense < 0 else None
    return (sign.sense >= 0) if sign.strict or sign.sense > 0 else None


def _sign(difference: Expr, case: Case) -> Sign | None:
    quotients = Quotients((difference,), case.known)
    number, powers = quotients.factors(quotients.value(difference))
    if not number.is_real:
        raise TooHardError
    if number == 0:
        return Sign(0)
    found = Sign(1 if number > 0 else -1)
    for factor, power in powers:
        sign = quotients.sign_of_factor(factor) or _linear_sign(
            quotients.polynomial(factor), case
        )
        if power % 2 == 0 and (sign is None or sign.sense):
            sign = Sign(1, power < 0 or (sign is not None and sign.strict))
        if sign is None:
            return None
        found = found * sign
    return found


def _root(part: Expr) -> tuple[Expr, Rational, Rational] | None:
    """`2*x + 3` => `x, 2, -3/2`: the variable, its factor, and where the part is 0."""
    symbols = _variables(part)
    if len(symbols) != 1:
        return None
    (variable,) = symbols
    factor = part.coeff(variable, 1)
    rest = sympy.expand(part - factor * variable)
    if not (factor.is_Rational and factor and rest.is_Rational):
        return None
    return variable, factor, -rest / factor


def _variables(part: Expr) -> list[Expr]:
    """The reads and variables in an expression."""
    found: dict[Expr, None] = {}

    def visit(e: Expr) -> None:
        if isinstance(e, Indexed | Symbol):
            found.setdefault(e)
            return
        for argument in e.args:
            visit(argument)

    visit(part)
    return [*found]


def _linear_sign(part: Expr, case: Case) -> Sign | None:
    linear = _root(part)
    if linear is None:
        return None
    variable, factor, zero = linear
    interval = case.intervals.get(variable, Interval())
    sign = interval.sign_of(zero)
    return None if sign is None else Sign(1 if factor > 0 else -1) * sign


def _parted(condition: Expr, case: Case) -> Iterator[Case]:
    """The case cut by the sign of a factor of a comparison that it does not tell."""
    low, high = condition.args
    quotients = Quotients((high - low,), case.known)
    _, powers = quotients.factors(quotients.value(high - low))
    unknown = [
        quotients.polynomial(factor)
        for factor, _ in powers
        if not _is_strict(quotients.sign_of_factor(factor))
        and not _linear_sign(quotients.polynomial(factor), case)
    ]
    if not unknown:
        raise TooHardError
    part = unknown[0]
    linear = _root(part)
    if linear is not None and not is_index(linear[0]):
        variable, _, zero = linear
        interval = case.intervals.get(variable, Interval())
        rest = {v: i for v, i in case.intervals.items() if v != variable}
        yield replace(case, intervals={**rest, variable: Interval(interval.low, zero)})
        yield _at(replace(case, intervals=rest), variable, zero)
        yield replace(case, intervals={**rest, variable: Interval(zero, interval.high)})
        return
    for sense in (-1, 1):
        yield replace(case, signs={**case.signs, part: Sign(sense)})
    solved = _solved(part, case)
    if solved is None:
        yield replace(case, signs={**case.signs, part: Sign(0)})
    else:
        yield _at(case, *solved)


def _is_strict(sign: Sign | None) -> bool:
    return sign is not None and (sign.strict or sign.sense == 0)


def _solved(part: Expr, case: Case) -> tuple[Expr, Expr] | None:
    """`x - y = 0` => `x, y`; only a variable that nothing is known of."""
    used = {
        v for known in (case.signs, case.values) for e in known for v in _variables(e)
    }
    for variable in _variables(part):
        factor = part.coeff(variable, 1)
        rest = sympy.expand(part - factor * variable)
        free = variable not in {*case.intervals, *used} and not is_index(variable)
        if factor.is_Rational and factor and free and not rest.has(variable):
            return variable, -rest / factor
    return None


def _at(case: Case, variable: Expr, value: Expr) -> Case:
    """The case in which a variable has one value."""
    here = {variable: value}
    signs = {part.xreplace(here): sign for part, sign in case.signs.items()}
    return replace(
        case,
        expressions=tuple(e.xreplace(here) for e in case.expressions),
        values={**{v: e.xreplace(here) for v, e in case.values.items()}, **here},
        signs={part: sign for part, sign in signs.items() if not part.is_number},
    )
