"""The derivative of one function of the table, in steps that a person would write.

A step applies the rules of differentiation once to everything that is still to be
differentiated, from the outside in; the last steps bring the result into the shortest
form. Nothing is known of a function but its row's definition, and each line is held
against a numerical derivative of that definition before it is returned.

Source: Spivak, Calculus, chapter 10 (the rules); Griewank and Walther, Evaluating
Derivatives, chapter 2 (a function through its own value).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

import sympy
from sympy import Expr, Mul, Symbol

from symbackprop.calculus import hide
from symbackprop.elementary.corners import solve_conditions
from symbackprop.elementary.rules import pending, shown, step
from symbackprop.equations import by_rank
from symbackprop.rewrites import slope
from symbackprop.scalars import (
    TABLE,
    Row,
    absolute,
    row_of,
    sign,
    symbol,
    where,
)

PLACES = ("x", "r", "q")  # what a function's arguments are called
STEPS = 40  # a derivative with more lines than this helps nobody


@dataclass(frozen=True)
class Line:
    """`left = right`, by rules such as "chain rule".

    `left` is the function or its derivative applied to its arguments; a line whose
    left side is that of the line above it continues that line.
    """

    left: Expr
    right: Expr
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Steps:
    """A function's definition and, line by line, its derivative by one argument.

    Attributes:
        name: the row's name.
        arguments: what its arguments are called.
        argument: the one that it is differentiated by.
        lines: the definition's, and the derivative's, in order.
    """

    name: str
    arguments: tuple[Symbol, ...]
    argument: Symbol
    lines: tuple[Line, ...]

    @property
    def value(self) -> Expr:
        """The definition, its conditions solved."""
        return self._last(0)

    @property
    def slope(self) -> Expr:
        """The derivative in its last form."""
        return self._last(1)

    def _last(self, order: int) -> Expr:
        lefts = list(dict.fromkeys(line.left for line in self.lines))
        return [line.right for line in self.lines if line.left == lefts[order]][-1]


def steps(name: str, argument: int = 1) -> Steps:
    """Differentiate a row's definition by its k-th argument, and check every line.

    >>> for line in steps("softplus").lines:
    ...     print(line.right, line.rules)
    log(exp(x) + 1) ('definition',)
    exp(x)/(exp(x) + 1) ('chain rule',)
    1/(1 + exp(-x)) ('rearranged',)
    logistic(x) ('definition of logistic',)

    Raises:
        CheckError: a line that the numerical derivative refutes.
    """
    return _checked(TABLE[name], argument)


@cache
def _checked(row: Row, argument: int) -> Steps:
    from symbackprop.witnesses.limits import hold

    derived = derive(row, argument)
    for line in derived.lines:
        hold(row.name, derived.arguments, derived.argument, line.left, line.right)
    return derived


def derive(row: Row, argument: int = 1) -> Steps:
    """The steps, unchecked."""
    assert row.definition is not None, row.name
    places = tuple(Symbol(place) for place in PLACES[: row.arity])
    x = places[argument - 1]
    function = symbol(row.name, row.arity)(*places)
    definition = row.definition(*places)
    lines = [Line(function, definition, ("definition",))]
    if (solved := solve_conditions(definition, x)) != definition:
        lines.append(Line(function, solved, ("conditions solved",)))
    left = symbol(f"slope_{row.name}_{argument}", row.arity)(*places)
    now: Expr = pending(hide(solved), x)
    for _ in range(STEPS):
        following, rules = step(now)
        if not rules:
            break
        now = following
        lines.append(Line(left, shown(now), rules))
    lines += [
        Line(left, right, rules)
        for right, rules in _shortened(row, argument, lines[-1].right, places)
    ]
    return Steps(row.name, places, x, tuple(_without_repetition(lines)))


def _without_repetition(lines: list[Line]) -> Iterator[Line]:
    for place, line in enumerate(lines):
        if not place or (line.left, line.right) != (
            lines[place - 1].left,
            lines[place - 1].right,
        ):
            yield line


# --- the last steps ------------------------------------------------------------------


def _shortened(
    row: Row, argument: int, derived: Expr, places: tuple[Symbol, ...]
) -> Iterator[tuple[Expr, tuple[str, ...]]]:
    """From the derivative as the rules give it to the one that is used."""
    named, target = slope(row.name, argument)
    target = target.xreplace(dict(zip(named, places, strict=True)))
    own = row.call(*places)
    assert row.definition is not None
    if target.has(own) and not derived.has(own):
        definition = row.definition(*places)
        yield _by_factors(target, own, definition), ("rearranged",)
        yield target, ("through its own value",)
        return
    target = written_out(target, ("expm1", "log1p"))
    names = sorted(_calls(target) - _calls(derived))
    if names and not _calls(derived) - _calls(target):
        yield written_out(target, names), ("rearranged",)
        yield target, tuple(f"definition of {name}" for name in names)
        derived = target
    x = places[argument - 1]
    candidates = [derived, solve_conditions(target, x)]
    candidates += [_collected(candidate) for candidate in candidates]
    candidates += [_of_magnitudes(candidate) for candidate in candidates]
    best = min(candidates, key=lambda e: e.count_ops() + 10 * e.count(where))
    yield best, ("rearranged",)


def written_out(expression: Expr, names: Collection[str]) -> Expr:
    """Put the definitions of some functions in their place."""

    def definition(call: Expr) -> Expr:
        build = TABLE[call.func.__name__].definition
        assert build is not None
        return build(*call.args)

    found: Expr = expression.replace(lambda e: e.func.__name__ in names, definition)
    return found


def _calls(expression: Expr) -> set[str]:
    """The functions of the table in an expression that have a definition."""
    found = set()
    for part in sympy.preorder_traversal(expression):
        row = row_of(part)
        if row is not None and row.definition is not None and row.name != "power":
            found.add(row.name)
    return found


def _by_factors(target: Expr, own: Expr, definition: Expr) -> Expr:
    """The target with the definition in it, each factor of it on its own.

    `(1 - f)*f`, f = 1/(1 + exp(-x)) => `(1/(1 + exp(-x))) (exp(-x)/(1 + exp(-x)))`
    """
    factors = Mul.make_args(target)
    if len(factors) == 1:
        return target.xreplace({own: definition})
    powers = {
        e: sympy.Dummy() for e in sorted(definition.atoms(sympy.exp), key=by_rank)
    }
    back = {dummy: e for e, dummy in powers.items()}
    made = []
    for factor in sorted(factors, key=lambda factor: factor != own):
        opened = factor.xreplace({own: definition.xreplace(powers)})
        made.append(sympy.cancel(sympy.together(opened)).xreplace(back))
    return Mul(*made, evaluate=False)


def _collected(expression: Expr) -> Expr:
    """`s + x*s` => `s*(1 + x)`; branches one by one, and no numbers alone."""
    if isinstance(expression, where):
        condition, a, b = expression.args
        return where(condition, _collected(a), _collected(b))
    found: Expr = sympy.factor_terms(expression)
    return expression if found.as_coeff_Mul()[1].is_Add else found


def _of_magnitudes(expression: Expr) -> Expr:
    """`x*sign(x)` => `abs(x)`, and what then cancels."""
    if not expression.has(sign):
        return expression
    told = expression.replace(
        lambda e: e.is_Mul and any(isinstance(f, sign) for f in e.args),
        lambda e: _magnitude(*e.args),
    )
    found: Expr = told
    return found


def _magnitude(*factors: Expr) -> Expr:
    product = list(factors)
    for factor in factors:
        if isinstance(factor, sign) and factor.args[0] in product:
            product.remove(factor)
            product.remove(factor.args[0])
            product.append(absolute(factor.args[0]))
    return Mul(*product)
