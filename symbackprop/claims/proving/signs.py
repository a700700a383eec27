"""Whether an expression is positive throughout a case.

1 - tanh(x) = 2/(exp(2*x) + 1) > 0           all its parts are positive
softplus(x) - x = log((1 + E)/E), 1/E > 0    a logarithm of more than 1
exp(x) - 1 - x is 0 at 0 and grows from there on
"""

from __future__ import annotations

import math
from dataclasses import replace

import sympy
from sympy import Add, Dummy, Expr, S, Symbol

from symbackprop.claims.proving.cases import Case, Interval
from symbackprop.claims.proving.domains import domain
from symbackprop.claims.proving.quotients import POSITIVE, Quotients, one_fraction
from symbackprop.scalars import exp, log

DEPTH = 2  # derivatives that are looked at


def is_positive(expression: Expr, case: Case, strict: bool, depth: int = DEPTH) -> bool:
    """Whether an expression without choices is positive, or not negative."""
    return (
        _by_sign(expression, case, strict)
        or _by_logarithm(expression, case, strict)
        or (depth > 0 and _by_growth(expression, case, strict, depth))
    )


def _by_sign(expression: Expr, case: Case, strict: bool) -> bool:
    return any(_by_sign_from(expression, case, strict, low) for low in (True, False))


def _by_sign_from(expression: Expr, case: Case, strict: bool, low: bool) -> bool:
    """By its distance from one end of each interval; `6 - x` from the upper one."""
    signs = dict(case.known)
    for variable, interval in case.intervals.items():
        if low and variable in signs and S.Zero in (interval.low, interval.high):
            continue
        beyond = Dummy(positive=True)
        has_low, has_high = interval.low != -sympy.oo, interval.high != sympy.oo
        if has_low and (low or not has_high):
            expression = expression.xreplace({variable: interval.low + beyond})
        elif has_high:
            expression = expression.xreplace({variable: interval.high - beyond})
        signs[beyond] = POSITIVE
    quotients = Quotients((expression,), signs)
    sign = quotients.sign(quotients.value(expression))
    if sign is None or not strict:
        return sign is not None and sign.sense >= 0
    return sign.sense > 0 and sign.strict


def _by_logarithm(expression: Expr, case: Case, strict: bool) -> bool:
    """`a log(g) + b log(h) + c x > 0` as `g**a h**b exp(c x) > 1`"""
    forms = expression, one_fraction(expression, case.known)
    return any(_of_logarithms(sympy.expand(f), case, strict) for f in forms)


def _of_logarithms(form: Expr, case: Case, strict: bool) -> bool:
    product = S.One
    parts = [part.as_coeff_Mul() for part in Add.make_args(form)]
    if not any(isinstance(core, log) for _, core in parts):
        return False
    if not all(number.is_Rational for number, _ in parts):
        return False
    common = math.lcm(*(number.q for number, _ in parts))
    for number, core in parts:
        times = number * common
        inside = core.args[0] if isinstance(core, log) else None
        product *= exp(times * core) if inside is None else inside**times
    if domain(form, case.known):
        return False
    return _by_sign(product - 1, case, strict)


def _by_growth(expression: Expr, case: Case, strict: bool, depth: int) -> bool:
    """From an end of the interval of its one variable it moves away from 0."""
    variables = [
        s for s in expression.free_symbols if isinstance(s, Symbol) and not s.is_number
    ]
    if len(variables) != 1 or domain(expression, case.known):
        return False
    (variable,) = variables
    interval = case.intervals.get(variable, Interval())
    if interval == Interval():
        below, above = (
            replace(case, intervals={**case.intervals, variable: part})
            for part in (Interval(high=S.Zero), Interval(low=S.Zero))
        )
        at_zero = expression.xreplace({variable: S.Zero})
        return (
            _by_sign(at_zero, case, strict)
            and _by_growth(expression, below, False, depth)
            and _by_growth(expression, above, False, depth)
        )
    slope = expression.diff(variable)
    for end, sense in ((interval.low, 1), (interval.high, -1)):
        if end.is_Rational:
            start = expression.xreplace({variable: end})
            if _by_sign(start, case, False):
                return is_positive(sense * slope, case, strict, depth - 1)
    return False
