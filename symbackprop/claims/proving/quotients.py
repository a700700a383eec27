"""Exact arithmetic with expressions in exponentials, logarithms and roots.

    exp(x)/(1 + exp(x)) - 1/(1 + exp(-x))    =>    0/(1 + E), E = exp(x)

An expression becomes a quotient of polynomials over atoms: reads and variables,
exponentials of parts that no rational multiples relate, logarithms of factors, roots,
and functions that nothing is known of. Where the numerator is 0, so is the expression;
where all its coefficients have one sign and its atoms are positive, so has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import QQ, QQ_I, Add, Expr, I, Indexed, Mul, Pow, Rational, S, Symbol
from sympy.polys.fields import FracField

from symbackprop.scalars import CONDITIONS, cos, exp, log, sin, where

MOST = 600  # operations in an expression that is looked at
DEGREE = 24  # of a power, and of an exponential

Element = Any  # of SymPy's field of fractions, or of its ring of polynomials


class TooHardError(Exception):
    """An expression beyond this arithmetic."""


@dataclass(frozen=True)
class Sign:
    """1: not negative, -1: not positive; `strict` where it is not 0 either."""

    sense: int
    strict: bool = True

    def __mul__(self, other: Sign) -> Sign:
        return Sign(self.sense * other.sense, self.strict and other.strict)


POSITIVE = Sign(1)
Signs = Mapping[Any, Sign]
Build = Callable[[], Element]


class Quotients:
    """The field of quotients over the atoms of some expressions.

    Args:
        expressions: what it is made for, opened and without choices.
        signs: what is known of the signs of reads and variables.
    """

    def __init__(self, expressions: Iterable[Expr], signs: Signs | None = None) -> None:
        self.signs = dict(signs or {})
        self.units: dict[Expr, int] = {}
        self.roots: dict[Expr, tuple[Build, int]] = {}
        self._atoms: dict[Expr, None] = {}
        self._built: dict[Expr, Build] = {}
        self._complex = False
        given = [*expressions]
        if sum(e.count_ops() for e in given) > MOST:
            raise TooHardError
        for expression in given:
            self._prepare(expression)
        exponentials = [exp(part / unit) for part, unit in self.units.items()]
        self.atoms = [*self._atoms, *exponentials]
        symbols = [Symbol(f"g{n}") for n in range(len(self.atoms))]
        self.field = FracField(symbols or [Symbol("g")], QQ_I if self._complex else QQ)
        self.generator = dict(zip(self.atoms, self.field.gens, strict=False))

    # --- values ----------------------------------------------------------------------

    def value(self, expression: Expr) -> Element:
        """An expression of those that the field was made for, or a part of one."""
        try:
            found = self._prepare(expression)()
        except ZeroDivisionError:
            raise TooHardError from None
        return self._without_roots(found)

    def vanishes(self, expression: Expr) -> bool:
        return not self.value(expression)

    def written(self, element: Element) -> Expr:
        """An element as an expression: one fraction."""
        return self.polynomial(element.numer) / self.polynomial(element.denom)

    def polynomial(self, polynomial: Element) -> Expr:
        places = [*self.atoms, *self.field.symbols[len(self.atoms) :]]
        return polynomial.as_expr(*places)

    def factors(self, element: Element) -> tuple[Rational, list[tuple[Element, int]]]:
        """A number, and irreducible polynomials with their powers."""
        number, found = element.numer.factor_list()
        below, others = element.denom.factor_list()
        powers = [*found, *((f, -k) for f, k in others)]
        field = self.field.domain
        return field.to_sympy(field.quo(number, below)), powers

    def _without_roots(self, element: Element) -> Element:
        """`S**2` => `b` for each root S of b."""
        for _ in range(len(self.roots)):
            for root in self.roots:
                element = self._powers(element.numer, root) / self._powers(
                    element.denom, root
                )
        return element

    def _powers(self, polynomial: Element, root: Expr) -> Element:
        base, degree = self.roots[root]
        place = self.atoms.index(root)
        total = self.field(0)
        for powers, coefficient in polynomial.terms():
            rest = list(powers)
            times, rest[place] = divmod(powers[place], degree)
            part = self.field.ring({tuple(rest): coefficient})
            total += self.field(part) * base() ** times
        return total

    # --- signs -----------------------------------------------------------------------

    def sign(self, element: Element) -> Sign | None:
        """The sign of an element, if the signs of its atoms tell it."""
        number, powers = self.factors(element)
        if not number.is_real:
            return None
        if number == 0:
            return Sign(0)
        # `E**20 + 1` is plainly positive, its factors are not.
        above, below = (
            None if self._complex else self._by_summands(part)
            for part in (element.numer, element.denom)
        )
        if above is not None and below is not None and below.strict:
            return above * below
        found = Sign(1 if number > 0 else -1)
        for factor, power in powers:
            one = self.sign_of_factor(factor)
            if power % 2 == 0:
                strict = power < 0 or (one is not None and one.strict)
                one = Sign(1, strict)
            if one is None:
                return None
            found = found * (Sign(one.sense) if power < 0 else one)
        return found

    def sign_of_factor(self, polynomial: Element) -> Sign | None:
        """The sign of a polynomial that is known, or all of whose summands have one."""
        known = self.signs.get(self.polynomial(polynomial))
        if known is not None:
            return known
        known = self.signs.get(self.polynomial(-polynomial))
        if known is not None:
            return Sign(-1) * known
        return self._by_summands(polynomial) or self._beside_one(polynomial)

    def _by_summands(self, polynomial: Element) -> Sign | None:
        senses: set[int] = set()
        strict = False
        for powers, coefficient in polynomial.terms():
            sense = Sign(1 if self.field.domain.to_sympy(coefficient) > 0 else -1)
            for atom, power in zip(self.atoms, powers, strict=False):
                one = self.sign_of_atom(atom) if power else POSITIVE
                if power % 2 == 0:
                    one = Sign(1, not power or (one is not None and one.strict))
                if one is None:
                    return None
                sense = sense * one
            senses.add(sense.sense)
            strict = strict or sense.strict
        return Sign(senses.pop(), strict) if len(senses) == 1 else None

    def _beside_one(self, polynomial: Element) -> Sign | None:
        """With `1 + F` in the place of exponentials of what is positive.

        `exp(x) - 1` => `F`, x > 0
        """
        places: list[Element] = []
        for atom, generator in zip(self.atoms, self.field.gens, strict=False):
            sign = self._sign_of_exponent(atom)
            known = sign is not None and sign.strict and sign.sense
            above = 1 + generator if known else generator
            places.append(1 / above if known and sign and sign.sense < 0 else above)
        moved = self.field(0)
        for powers, coefficient in polynomial.terms():
            part = self.field(coefficient)
            for place, power in zip(places, powers, strict=False):
                part *= place**power
            moved += part
        below = self._by_summands(moved.denom)
        above = self._by_summands(moved.numer)
        return None if above is None or below is None else above * below

    def _sign_of_exponent(self, atom: Expr) -> Sign | None:
        if not isinstance(atom, exp) or atom.has(I):
            return None
        sign: Sign | None = POSITIVE
        for part in Mul.make_args(atom.args[0]):
            one = self.signs.get(part)
            if part.is_Rational or (part.is_Pow and part.exp.is_even):
                one = Sign(1 if part.is_Pow or part > 0 else -1, not part.is_Pow)
            sign = None if sign is None or one is None else sign * one
        return sign

    def sign_of_atom(self, atom: Expr) -> Sign | None:
        if atom in self.signs:
            return self.signs[atom]
        if isinstance(atom, exp):
            return None if atom.has(I) else POSITIVE
        if atom is sympy.pi:
            return POSITIVE
        if atom in self.roots:
            return Sign(1, atom.base.is_positive is True)
        return None

    # --- from expressions ------------------------------------------------------------

    def _prepare(self, expression: Expr) -> Build:
        if expression not in self._built:
            self._built[expression] = self._build(expression)
        return self._built[expression]

    def _build(self, e: Expr) -> Build:
        """Note the atoms of an expression; return how its value is computed."""
        if e.is_Rational:
            return lambda: self.field(self.field.domain.from_sympy(e))
        if e is I:
            self._complex = True
            return lambda: self.field(self.field.domain.from_sympy(e))
        if isinstance(e, Add | Mul):
            parts = [self._prepare(part) for part in e.args]
            return (lambda: _sum(parts)) if e.is_Add else (lambda: _product(parts))
        if e is sympy.E:
            return self._exponential(S.One)
        if isinstance(e, exp):
            return self._exponential(self._canonical(e.args[0]))
        if isinstance(e, Pow):
            return self._power(e.base, e.exp)
        if isinstance(e, sin | cos):
            inside = I * e.args[0]
            halves = exp(inside), exp(-inside)
            both = (
                (halves[0] + halves[1]) / 2
                if isinstance(e, cos)
                else (halves[0] - halves[1]) / (2 * I)
            )
            return self._prepare(both)
        if isinstance(e, log):
            return self._logarithm(e.args[0])
        if isinstance(e, (where, *CONDITIONS)):
            raise TooHardError
        if e.args and not isinstance(e, Indexed):
            return self._atom(e.func(*(self._canonical(a) for a in e.args)))
        return self._atom(e)

    def _atom(self, atom: Expr) -> Build:
        self._atoms.setdefault(atom)
        return lambda: self.generator[atom]

    def _canonical(self, expression: Expr) -> Expr:
        inner = Quotients((expression,), self.signs)
        return inner.written(inner.value(expression))

    def _power(self, base: Expr, exponent: Expr) -> Build:
        if exponent.is_Integer:
            if abs(exponent) > DEGREE:
                raise TooHardError
            below = self._prepare(base)
            return lambda: below() ** int(exponent)
        base, exponent = self._canonical(base), self._canonical(exponent)
        if isinstance(base, exp):
            return self._exponential(self._canonical(base.args[0] * exponent))
        if not exponent.is_Rational or abs(exponent.p) > DEGREE:
            return self._atom(Pow(base, exponent))
        root = Pow(base, Rational(1, exponent.q))
        if not isinstance(root, Pow) or root.exp != Rational(1, exponent.q):
            return (
                self._prepare(Pow(base, exponent))
                if root.is_Rational
                else (self._atom(Pow(base, exponent)))
            )
        self.roots[root] = self._prepare(root.base), exponent.q
        of = self._atom(root)
        return lambda: of() ** int(exponent.p)

    def _exponential(self, exponent: Expr) -> Build:
        """`exp(a + b/2)` => `A * B`, where A = exp(a), B = exp(b/2)"""
        parts: list[tuple[Expr, Rational]] = []
        others: list[Build] = []
        for part in Add.make_args(sympy.expand(exponent)):
            number, core = part.as_coeff_Mul()
            if not number.is_Rational:
                raise TooHardError
            if isinstance(core, log) and number.is_Integer:
                others.append(self._prepare(Pow(core.args[0], number)))
                continue
            self._complex = self._complex or core.has(I)
            if number:
                unit = math.lcm(self.units.get(core, 1), number.q)
                self.units[core] = unit
                parts.append((core, number))
        return lambda: _product(
            [
                *(self._multiple(core, number) for core, number in parts),
                *others,
            ]
        )

    def _multiple(self, core: Expr, number: Rational) -> Build:
        unit = self.units[core]
        times = int(number * unit)
        if abs(times) > DEGREE:
            raise TooHardError
        return lambda: self.generator[exp(core / unit)] ** times

    def _logarithm(self, inside: Expr) -> Build:
        """`log(2*exp(x)*(1 + exp(x)))` => `log(2) + x + log(1 + exp(x))`

        Factors that are positive go apart; what is left stays together.
        """
        inner = Quotients((inside,), self.signs)
        number, powers = inner.factors(inner.value(inside))
        if not number.is_real or number == 0:
            raise TooHardError
        left = S.One
        parts: list[tuple[Build, int]] = []
        for factor, power in powers:
            sign = inner.sign_of_factor(factor)
            written = inner.polynomial(factor)
            if sign is not None and sign.strict:
                if sign.sense < 0 and power % 2:
                    number = -number
                written = written if sign.sense > 0 else sympy.expand(-written)
                parts.append((self._log_of_positive(written), power))
            else:
                left *= written**power
        if left != 1:
            sense = -1 if number < 0 else 1
            parts.append((self._atom(log(sense * left)), 1))
            number = abs(number)
        if number < 0:
            raise TooHardError
        for prime, power in sympy.factorrat(number).items():
            parts.append((self._atom(log(prime)), power))
        return lambda: _sum([_scaled(part, power) for part, power in parts])

    def _log_of_positive(self, factor: Expr) -> Build:
        if isinstance(factor, exp):
            return self._prepare(factor.args[0])
        return self._atom(log(factor))


def _scaled(part: Build, times: int) -> Build:
    return lambda: part() * times


def _sum(parts: Iterable[Build]) -> Element:
    first, *rest = parts
    total = first()
    for part in rest:
        total = total + part()
    return total


def _product(parts: Iterable[Build]) -> Element:
    first, *rest = parts
    total = first()
    for part in rest:
        total = total * part()
    return total


def vanishes(expression: Expr, signs: Signs | None = None) -> bool:
    """Whether an expression without choices is 0 for formal reasons."""
    return Quotients((expression,), signs).vanishes(expression)


def one_fraction(expression: Expr, signs: Signs | None = None) -> Expr:
    """An expression without choices as a quotient of polynomials over atoms.

    >>> import sympy
    >>> from symbackprop.scalars import exp
    >>> x = sympy.Symbol("x")
    >>> one_fraction(1 / (1 + exp(-x)))
    exp(x)/(exp(x) + 1)
    """
    quotients = Quotients((expression,), signs)
    return quotients.written(quotients.value(expression))
