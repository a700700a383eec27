"""Stable forms of expressions in exponentials: rules, each an exact identity.

The rules look at a subexpression as a rational function of u = exp(t). With
s = logistic(t), u = s/(1 - s): what is a polynomial in s is rewritten so, and logs of
products of u and (c + d*u) become sums of t and softplus. Nothing else is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow, Rational

from symbackprop.equations import by_rank
from symbackprop.scalars import exp, expm1, log, log1p, logistic, softplus, tanh

Rule = Callable[[Expr], Expr | None]

DEGREE = 32  # the highest power of u that is looked at
SUMMANDS = 4  # the longest sum of exponentials that is taken one after another


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
    form = in_exponentials(expression)
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
    inside = _inside_log(expression)
    if inside is None or not inside.has(exp, logistic, tanh):
        return None
    form = in_exponentials(inside)
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
        n = sympy.degree(f, u)
        c, d = f.coeff(u, 0), f.coeff(u, n)
        if f != c + d * u**n or not (c > 0 and d > 0):
            return None
        constant *= c**k
        shifted = n * t + log(d / c)
        if of_u == -n * k and c == d:
            # a t + b softplus(t) = (a + b) t + b softplus(-t)
            total, of_u = total + k * softplus(-shifted), 0
        else:
            total += k * softplus(shifted)
    if not constant > 0:
        return None
    return log(constant) + of_u * t + total


def _inside_log(expression: Expr) -> Expr | None:
    """`x` of `log(x)`, `1 + x` of `log1p(x)`."""
    if isinstance(expression, log):
        return expression.args[0]
    if isinstance(expression, log1p):
        return 1 + expression.args[0]
    return None


def logarithm_of_sum(expression: Expr) -> Expr | None:
    """`log(exp(a) + exp(b))` => `a + softplus(b - a)`, and so on for a few more."""
    inside = _inside_log(expression)
    return None if inside is None else _log_of_sum(inside)


def quotient_by_sum(expression: Expr) -> Expr | None:
    """`exp(a)/(exp(a) + exp(b))` => `logistic(a - b)`, else `exp(a - log(sum))`"""
    if not isinstance(expression, Mul | Pow):
        return None
    exponent: Expr = sympy.S.Zero
    rest: list[Expr] = []
    sums: list[Expr] = []
    for factor in Mul.make_args(expression):
        base, degree = factor.as_base_exp()
        inside = _log_of_sum(base) if degree.is_negative else None
        if inside is not None:
            sums.append(degree * inside)
        elif isinstance(factor, exp):
            exponent += factor.args[0]
        else:
            rest.append(factor)
    if not sums:
        return None
    exponent, rest = exponent + Add(*sums), [stable(factor) for factor in rest]
    exponent = sympy.expand(exponent)
    if isinstance(-exponent, softplus):
        return logistic(-(-exponent).args[0]) * Mul(*rest)
    return exp(exponent) * Mul(*rest)


def _log_of_sum(total: Expr) -> Expr | None:
    """The log of a sum of 2 to 4 positive multiples of exponentials, one after another.

    log(c exp(f) + d exp(g)) = l + softplus(log(d) + g - l), where l = log(c) + f
    """
    parts = Add.make_args(total)
    if not (1 < len(parts) <= SUMMANDS and total.has(exp)):
        return None
    logs: list[Expr] = []
    for part in parts:
        factor, function = part.as_coeff_Mul()
        if not factor > 0 or not (function == 1 or isinstance(function, exp)):
            return None
        exponent = sympy.S.Zero if function == 1 else stable(function.args[0])
        logs.append(log(factor) + exponent)
    result = logs[0]
    for following in logs[1:]:
        result = result + softplus(sympy.expand(following - result))
    return result


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
    "logarithm of a sum of exponentials": logarithm_of_sum,
    "quotient by a sum of exponentials": quotient_by_sum,
    "exponential less one": exponential_less_one,
}


# --- rational functions of one exponential -------------------------------------------


def in_exponentials(expression: Expr) -> tuple[Expr, Expr, Expr] | None:
    """Write an expression as a rational function of u = exp(t), over rational numbers.

    Returns:
        `(R(u), u, t)`, cancelled; None where there is no such form.
    """
    opened = expression.replace(logistic, lambda x: exp(x) / (1 + exp(x)))
    opened = opened.replace(tanh, lambda x: (exp(2 * x) - 1) / (exp(2 * x) + 1))
    exponents = sorted({e.args[0] for e in opened.atoms(exp)}, key=by_rank)
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
