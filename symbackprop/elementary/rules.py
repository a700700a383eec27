"""The rules of differentiation, applied to the outermost derivatives, one at a time.

Source: Spivak, Calculus, chapter 10.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Add, Expr, Mul

from symbackprop.calculus import hide
from symbackprop.equations import by_rank
from symbackprop.rewrites import reveal, slope
from symbackprop.scalars import TABLE, row_of, symbol, where

pending = symbol("derivative", 2)  # what is still to be differentiated, and by what


def step(expression: Expr) -> tuple[Expr, tuple[str, ...]]:
    """Apply one rule to each outermost derivative; then look up known derivatives."""
    rules: dict[str, None] = {}
    if expression.has(pending):
        found = _everywhere(expression, lambda e: _differentiated(e, rules))
    else:
        found = _everywhere(expression, lambda e: _looked_up(e, rules))
    loud = [rule for rule in rules if rule not in SILENT]
    quiet = [rule for rule in reversed(SILENT) if rule in rules]
    return found, tuple(loud or quiet[:1])


def _everywhere(expression: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """Replace what `change` knows, outermost first."""
    changed = change(expression)
    if changed is not None:
        return changed
    if not expression.args:
        return expression
    arguments = [_everywhere(argument, change) for argument in expression.args]
    if tuple(arguments) == expression.args:
        return expression
    return expression.func(*arguments)


def _differentiated(expression: Expr, rules: dict[str, None]) -> Expr | None:
    if not isinstance(expression, pending):
        return None
    inside, x = expression.args
    return _derivative(inside, x, rules)


def _derivative(e: Expr, x: Expr, rules: dict[str, None]) -> Expr:
    """The derivative by one rule; sums and constant factors are passed through."""
    known = _known(e, x)
    if known is not None:
        rules[_name_of(e)] = None
        return known
    if e.is_Add:
        rules["sum rule"] = None
        return Add(*(_derivative(addend, x, rules) for addend in e.args))
    constant, moving = _constant(e, x)
    if constant != 1 and not fraction(moving)[1].has(x):
        rules["constant factor"] = None
        return constant * _derivative(moving, x, rules)
    made, rule = _one_rule(e, x)
    rules[rule] = None
    return made


# What goes without saying where another rule was applied.
SILENT = ("constant", "constant factor", "known derivative", "sum rule", "power rule")


def _looked_up(expression: Expr, rules: dict[str, None]) -> Expr | None:
    """`slope_tanh_1(u)` => `1 - tanh(u)**2`."""
    name = expression.func.__name__
    if not name.startswith("slope_"):
        return None
    stem, _, place = name.removeprefix("slope_").rpartition("_")
    rules[f"derivative of {stem}"] = None
    places, formula = slope(stem, int(place))
    opaque = hide(_told(formula))
    return opaque.xreplace(dict(zip(places, expression.args, strict=True)))


def _told(formula: Expr) -> Expr:
    """`where(less(x, 0), -1, where(less(0, x), 1, 0))` => `sign(x)`, as a row says."""
    for row in TABLE.values():
        if row.definition is not None and row.arity == 1 and formula.has(where):
            for x in sorted(formula.free_symbols, key=by_rank):
                if row.definition(x) == formula:
                    return row.call(x)
    return formula


def _known(e: Expr, x: Expr) -> Expr | None:
    """A derivative that is written down at once; None where a rule is due."""
    if not e.has(x):
        return sympy.S.Zero
    if e == x:
        return sympy.S.One
    if e.is_Add:
        parts = [_known(addend, x) for addend in e.args]
        return None if any(p is None for p in parts) else Add(*parts)
    if e.is_Mul:
        constant, moving = _constant(e, x)
        inner = _known(moving, x) if constant != 1 else None
        return None if inner is None else constant * inner
    if e.is_Pow and e.args[0] == x and not e.args[1].has(x):
        return None if e.args[1].is_negative else e.diff(x)
    if len(e.args) == 1 and e.args[0] == x:
        return _outer(e)[0]
    return None


def _name_of(e: Expr) -> str:
    """Under which rule a derivative is known at once."""
    if e.is_Add:
        return "sum rule"
    if e.is_Mul or not e.free_symbols:
        return "constant factor" if e.free_symbols else "constant"
    return "power rule" if e.is_Pow else "known derivative"


def _constant(e: Expr, x: Expr) -> tuple[Expr, Expr]:
    still = [factor for factor in Mul.make_args(e) if not factor.has(x)]
    moving = [factor for factor in Mul.make_args(e) if factor.has(x)]
    return Mul(*still), Mul(*moving)


def _outer(e: Expr) -> list[Expr]:
    """The slopes of an applied function by its arguments, at its arguments.

    Of functions with a definition they stay opaque until the inner work is done.
    """
    row = row_of(e)
    assert row is not None, e
    if row.definition is not None:
        name = e.func.__name__
        places = range(1, len(e.args) + 1)
        return [symbol(f"slope_{name}_{k}", len(e.args))(*e.args) for k in places]
    (u,) = e.args
    t = sympy.Dummy()
    return [hide(row.call(t).diff(t)).xreplace({t: u})]


def _one_rule(e: Expr, x: Expr) -> tuple[Expr, str]:
    """The derivative by one rule, with the parts still to be differentiated in it."""

    def d(part: Expr) -> Expr:
        known = _known(part, x)
        return pending(part, x) if known is None else known

    if isinstance(e, where):
        return where(e.args[0], *(_branch(b, x) for b in e.args[1:])), "by cases"
    if e.is_Mul or (e.is_Pow and e.args[1].could_extract_minus_sign()):
        constant, moving = _constant(e, x)
        n, m = fraction(moving)
        if m.has(x):
            if not n.has(x):
                return -constant * n * d(m) / m**2, "quotient rule"
            return constant * (d(n) * m - n * d(m)) / m**2, "quotient rule"
        factors = Mul.make_args(moving)
        products = (
            Mul(*factors[:k], d(factor), *factors[k + 1 :])
            for k, factor in enumerate(factors)
        )
        return constant * Add(*products), "product rule"
    if e.is_Pow or e.func.__name__ == "power":
        base, exponent = e.args
        if not exponent.has(x):
            return exponent * type(e)(base, exponent - 1) * d(base), "chain rule"
        return e * d(exponent * hide(sympy.log(base))), "power of e"
    inner = zip(_outer(e), e.args, strict=True)
    return Add(*(f * d(u) for f, u in inner if u.has(x))), "chain rule"


def fraction(product: Expr) -> tuple[Expr, Expr]:
    """`x/(1 + y)**2` => `(x, (1 + y)**2)`, as it is written."""
    below = [
        1 / factor
        for factor in Mul.make_args(product)
        if factor.is_Pow and factor.args[1].could_extract_minus_sign()
    ]
    return product * Mul(*below), Mul(*below)


def _branch(e: Expr, x: Expr) -> Expr:
    if isinstance(e, where):
        return where(e.args[0], *(_branch(b, x) for b in e.args[1:]))
    known = _known(e, x)
    return pending(e, x) if known is None else known


def shown(expression: Expr) -> Expr:
    """Turn the table's functions back into SymPy's own; derivatives stay what they are.

    `power(y, 1/2)*slope_tanh_1(x)` => `sqrt(y)*slope_tanh_1(x)`
    """
    parts = {p for p in sympy.preorder_traversal(expression) if _is_slope(p)}
    hidden = {part: sympy.Dummy() for part in sorted(parts, key=by_rank)}
    return reveal(expression.xreplace(hidden)).xreplace(
        {dummy: part.func(*map(shown, part.args)) for part, dummy in hidden.items()}
    )


def _is_slope(part: Expr) -> bool:
    return part.func.__name__.startswith("slope_") or isinstance(part, pending)
