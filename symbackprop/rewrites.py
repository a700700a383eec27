"""Rewrites of scalar expressions: stable forms and slopes, each an exact identity.

The rules look at a subexpression as a rational function of u = exp(t). With
s = logistic(t), u = s/(1 - s): what is a polynomial in s is rewritten so, and logs of
products of u and (c + d*u) become sums of t and softplus. Nothing else is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow, Rational

from symbackprop.equations import Name
from symbackprop.scalars import (
    TABLE,
    ScalarFunction,
    exp,
    expm1,
    log,
    log1p,
    logistic,
    softplus,
    tanh,
)

Rule = Callable[[Expr], Expr | None]

DEGREE = 32  # the highest power of u that is looked at


# --- slopes of the table's functions -------------------------------------------------


@cache
def slope(name: str, argument: int = 1) -> tuple[tuple[Expr, ...], Expr]:
    """The derivative of a row's function by its k-th argument, in stable form.

    Returns:
        The symbols that stand for the arguments, and the slope over them. Where the
        slope is a polynomial in the function's own value it is written as one.

    >>> slope("logistic")
    ((x,), (1 - logistic(x))*logistic(x))
    """
    row = TABLE[name]
    symbols = tuple(sympy.Symbol(s) for s in ("x", "r", "q")[: row.arity])
    if row.definition is None or name == "power":
        elementary = row.call if row.definition is None else row.definition
        derived = elementary(*symbols).diff(symbols[argument - 1])
        return symbols, sympy.powsimp(derived)
    from symbackprop.calculus import hide

    definition = row.definition(*symbols)
    derived = reveal(hide(definition).diff(symbols[argument - 1]))
    by_output = _in_output(derived, definition, row.call(*symbols))
    return symbols, near_one(stable(derived)) if by_output is None else by_output


def _in_output(derived: Expr, definition: Expr, output: Expr) -> Expr | None:
    """Search `f' = c0 + c1 f + c2 f^2`, all rational functions of u = exp(t).

    `1/(cosh(x))^2` => `1 - tanh(x)^2`. The equality is solved for exactly, so that
    what is found is proved.
    """
    both = _in_exponentials(derived + sympy.Symbol("marker") * definition)
    if both is None:
        return None
    rational, u, _ = both
    marker = sympy.Symbol("marker")
    value, change = rational.diff(marker), rational.xreplace({marker: sympy.S.Zero})
    c = sympy.symbols("c:3")
    guess = c[0] + c[1] * value + c[2] * value**2 - change
    conditions = sympy.Poly(sympy.fraction(sympy.together(guess))[0], u).coeffs()
    found = sympy.solve(conditions, c, dict=True)
    if not found or any(not found[0].get(k, k).is_Rational for k in c):
        return None
    k0, k1, k2 = (found[0][k] for k in c)
    written = k0 + k1 * output + k2 * output**2 if k0 else output * (k1 + k2 * output)
    return written if written.count_ops() < derived.count_ops() else None


def reveal(expression: Expr) -> Expr:
    """Turn opaque functions and slopes back into what they are.

    `slope_tanh_1(z)` => `1 - tanh(z)**2`, `power(y, 1/2)` => `sqrt(y)`
    """
    if not expression.args or isinstance(expression, Indexed):
        return expression
    arguments = [reveal(argument) for argument in expression.args]
    if isinstance(expression, ScalarFunction):
        name = expression.func.__name__
        if name.startswith("slope_"):
            stem, _, place = name.removeprefix("slope_").rpartition("_")
            symbols, formula = slope(stem, int(place))
            return _open_powers(
                formula.xreplace(dict(zip(symbols, arguments, strict=True)))
            )
        if name == "power":
            return Pow(*arguments)
        if name in TABLE:
            return TABLE[name].call(*arguments)
    return expression.func(*arguments)


def _open_powers(expression: Expr) -> Expr:
    return expression.replace(
        lambda e: isinstance(e, ScalarFunction) and e.func.__name__ == "power",
        lambda e: Pow(*e.args),
    )


def through_saved(slope: Expr, right: Expr, left: Expr) -> Expr:
    """Write a slope with the value that the equation `left = right` has saved.

    `(1 - tanh(z))*(1 + tanh(z))`, right `tanh(z)`, left `a` => `(1 - a)*(1 + a)`;
    `-e/s**2`, right `e/s`, left `p` => `-p/s`
    """
    if isinstance(right, Name | Indexed) or right.is_number:
        return slope
    slope = slope.xreplace({right: left, 1 / right: 1 / left})
    if not slope.has(left) and isinstance(right, Mul | Pow):
        quotient = slope / right
        if quotient.count_ops() + 1 <= slope.count_ops() and _no_new_pole(
            quotient, slope
        ):
            return quotient * left
    return slope


def _no_new_pole(new: Expr, old: Expr) -> bool:
    """Whether every denominator of one expression divides one of the other."""

    def poles(expression: Expr) -> list[tuple[Expr, Expr]]:
        powers = sorted(expression.atoms(Pow), key=sympy.default_sort_key)
        return [(p.base, p.exp) for p in powers if p.exp.could_extract_minus_sign()]

    return all(
        any(base == b and (exponent - e).is_nonnegative for b, e in poles(old))
        for base, exponent in poles(new)
    )


# --- stable forms --------------------------------------------------------------------


def stable(expression: Expr) -> Expr:
    """Rewrite an expression, outermost match first, until no rule applies."""
    return _apply(tuple(RULES.values()), expression)


def near_one(expression: Expr) -> Expr:
    """The last of the rewrites: logs of `1 + x` that no other rule has claimed."""
    return _apply((logarithm_near_one,), expression)


def _apply(rules: tuple[Rule, ...], expression: Expr) -> Expr:
    if not expression.args or isinstance(expression, Indexed):
        return expression
    for rule in rules:
        found = rule(expression)
        if found is not None and found != expression:
            return found
    arguments = [_apply(rules, argument) for argument in expression.args]
    if tuple(arguments) == expression.args:
        return expression
    return expression.func(*arguments)


def quotient_of_exponentials(expression: Expr) -> Expr | None:
    """`1/(1 + exp(-x))` => `logistic(x)`; `(exp(x) - 1)/(exp(x) + 1)` => `tanh(x/2)`"""
    if isinstance(expression, Mul):
        ours = [f for f in expression.args if f.has(exp, logistic) or f.is_number]
        rest = [f for f in expression.args if f not in ours]
        if rest:
            found = quotient_of_exponentials(Mul(*ours)) if len(ours) > 0 else None
            return None if found is None else Mul(found, *(stable(r) for r in rest))
    elif not isinstance(expression, Add | Pow):
        return None
    if not expression.has(exp):
        return None
    form = _in_exponentials(expression)
    if form is None:
        return None
    rational, u, t = form
    denominator = sympy.fraction(rational)[1]
    bases = [f for f, _ in sympy.factor_list(denominator, u)[1] if f != u]
    if len(bases) != 1 or sympy.degree(bases[0], u) != 1:
        return None
    c, d = bases[0].coeff(u, 0), bases[0].coeff(u, 1)
    if not d / c > 0:
        return None
    s = sympy.Symbol("s")
    polynomial = sympy.cancel(rational.xreplace({u: s / (1 - s) * c / d}))
    if not polynomial.is_polynomial(s):
        return None
    return _polynomial_in_logistic(polynomial, s, t + log(d / c))


def _polynomial_in_logistic(polynomial: Expr, s: Expr, t: Expr) -> Expr:
    form = sympy.Poly(polynomial, s)
    if form.degree() == 1:
        slope, constant = form.all_coeffs()
        if 2 * constant == -slope:
            return slope / 2 * tanh(t / 2)
        if constant == -slope:
            return constant * logistic(-t)
        return constant + slope * logistic(t)
    coefficient, product = sympy.factor(polynomial).as_coeff_Mul()
    factors = list(Mul.make_args(product))
    for place, factor in enumerate(factors):
        if coefficient < 0 and factor.is_Add:
            factors[place], coefficient = -factor, -coefficient
    return (coefficient * Mul(*factors)).xreplace({s: logistic(t)})


def logarithm_of_exponentials(expression: Expr) -> Expr | None:
    """`log(1 + exp(x))` => `softplus(x)`; `log(1 - logistic(x))` => `-softplus(x)`"""
    if not isinstance(expression, log) or not expression.has(exp, logistic):
        return None
    form = _in_exponentials(expression.args[0])
    if form is None:
        return None
    rational, u, t = form
    numerator, denominator = sympy.fraction(rational)
    constant, powers = sympy.S.One, []
    for part, sense in ((numerator, 1), (denominator, -1)):
        factor, factors = sympy.factor_list(part, u)
        constant *= factor**sense
        powers += [(f, sense * k) for f, k in factors]
    of_u = sum(k for f, k in powers if f == u)
    total: Expr = sympy.S.Zero
    for f, k in powers:
        if f == u:
            continue
        if sympy.degree(f, u) != 1:
            return None
        c, d = f.coeff(u, 0), f.coeff(u, 1)
        if not (c > 0 and d > 0):
            return None
        constant *= c**k
        shifted = t + log(d / c)
        if of_u == -k and c == d:
            # a t + b softplus(t) = (a + b) t + b softplus(-t)
            total, of_u = total + k * softplus(-shifted), 0
        else:
            total += k * softplus(shifted)
    if not constant > 0:
        return None
    return log(constant) + of_u * t + total


def exponential_less_one(expression: Expr) -> Expr | None:
    """`exp(x) - 1` => `expm1(x)`"""
    if not isinstance(expression, Add):
        return None
    constant, rest = expression.as_coeff_Add()
    for part in Add.make_args(rest):
        factor, function = part.as_coeff_Mul()
        if isinstance(function, exp) and factor == -constant:
            return factor * expm1(stable(function.args[0])) + stable(rest - part)
    return None


def logarithm_near_one(expression: Expr) -> Expr | None:
    """`log(1 + x)` => `log1p(x)`"""
    if isinstance(expression, log) and isinstance(expression.args[0], Add):
        constant, rest = expression.args[0].as_coeff_Add()
        if constant == 1:
            return log1p(near_one(rest))
    return None


RULES: dict[str, Rule] = {
    "quotient of exponentials": quotient_of_exponentials,
    "logarithm of exponentials": logarithm_of_exponentials,
    "exponential less one": exponential_less_one,
}


# --- rational functions of one exponential -------------------------------------------


def _in_exponentials(expression: Expr) -> tuple[Expr, Expr, Expr] | None:
    """Write an expression as a rational function of u = exp(t), over rational numbers.

    Returns:
        `(R(u), u, t)`, cancelled; None where there is no such form.
    """
    opened = expression.replace(logistic, lambda x: exp(x) / (1 + exp(x)))
    opened = opened.replace(tanh, lambda x: (exp(2 * x) - 1) / (exp(2 * x) + 1))
    exponents = sorted(
        {e.args[0] for e in opened.atoms(exp)}, key=sympy.default_sort_key
    )
    if not exponents or opened.count_ops() > 200:
        return None
    base = exponents[0]
    ratios = [_ratio(exponent, base) for exponent in exponents]
    if any(ratio is None for ratio in ratios):
        return None
    numbers = [r for r in ratios if r is not None]
    unit = Rational(
        math.gcd(
            *(abs(r.p) * math.lcm(*(q.q for q in numbers)) // r.q for r in numbers)
        ),
        math.lcm(*(q.q for q in numbers)),
    )
    if any(abs(ratio / unit) > DEGREE for ratio in numbers):
        return None
    t = base * unit
    u = sympy.Symbol("u")
    powers = {exp(e): u ** (r / unit) for e, r in zip(exponents, numbers, strict=True)}
    rational = opened.xreplace(powers)
    if not (rational.free_symbols <= {u, sympy.Symbol("marker")}):
        return None
    if not rational.is_rational_function(u):
        return None
    rational = sympy.cancel(sympy.together(rational))
    parts = [sympy.Poly(p, u) for p in sympy.fraction(rational) if p.has(u)]
    steps = [m[0] for p in parts for m in p.monoms()]
    common = math.gcd(*steps) if steps else 1
    if common > 1:
        rational = sympy.cancel(rational.subs(u, u ** Rational(1, common)))
        rational = sympy.powdenest(rational, force=True)
        t = t * common
    if t.could_extract_minus_sign():
        rational, t = sympy.cancel(rational.xreplace({u: 1 / u})), -t
    return rational, u, t


def _ratio(a: Expr, b: Expr) -> Rational | None:
    """The rational number a/b, where a and b are multiples of one another."""
    parts, units = a.expand().as_coefficients_dict(), b.expand().as_coefficients_dict()
    ratios = {parts.get(k, 0) / units[k] for k in units}
    if len(parts) != len(units) or len(ratios) != 1:
        return None
    ratio = ratios.pop()
    return ratio if ratio != 0 and ratio.is_Rational else None
