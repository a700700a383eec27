"""Stable forward equations: the rewrites that look through names.

Sums of exponentials get a shift, logs of named tensors a named equation of their own.
Nothing is inlined: each rewrite adds equations and redirects reads to them. Every
stabilised system is held against the declared one before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Term,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.exponentials import near_one, stable
from symbackprop.logarithms import log_of_quotient, named_logs
from symbackprop.scalars import exp, log
from symbackprop.workbench import ShiftedSum, Workbench, is_quotient, parts

SHIFT = "shift of a sum of exponentials"


@dataclass(frozen=True)
class Stabilised:
    """A system that computes the same objective without overflow.

    Attributes:
        shifts: tensors that every value is independent of, by construction, so that
            no slope flows to them.
        rewritten: for each tensor whose equation is new or changed, the rewrite's name.
    """

    system: System
    shifts: frozenset[str]
    rewritten: dict[str, str]


def stabilise(system: System, split: tuple[str, ...] = ()) -> Stabilised:
    """Apply every rewrite in turn.

    `s = sum(exp(z[k]), k); p[k] = exp(z[k]) / s; L = log(p[label])`
    => `s_max = max(z[k], k); s_exp[k] = exp(z[k] - s_max); s_sum = sum(s_exp[k], k);
    p[k] = s_exp[k] / s_sum; log_p[k] = z[k] - s_max - log(s_sum); L = log_p[label]`

    Args:
        split: tensors that are the parser's own, whose names may be taken over.
    """
    work = Workbench(system, list(system.equations), dict(system.tensors))
    work.rewrite_each("stable form", lambda e, body: work.stable_through(body))
    # Twice: a numerator is shifted once it is seen that its denominator was.
    for equation in [*work.equations, *work.equations]:
        _shift_exponentials(equation.tensor, work, equation.tensor in split)
    for equation in list(work.equations):
        work.rewrite_one(
            equation, "logarithm by name", lambda e, b: named_logs(b, work)
        )
    work.rewrite_each("logarithm near one", lambda e, body: near_one(body))
    result = replace(system, equations=tuple(work.equations), tensors=work.tensors)
    return Stabilised(result, frozenset(work.shifts), work.rewritten)


# --- sums of exponentials ------------------------------------------------------------


def _shift_exponentials(name: str, work: Workbench, ours: bool) -> None:
    """Give `S = sum(c exp(f))` the shift `m = max(f)`: S = exp(m) sum(c exp(f - m)).

    `log(S)` => `m + log(S')`, `exp(g)/S` => `exp(g - m)/S'`. Each is equal for any m,
    so that no slope flows through the shift. Only sums that stand in a log or a
    denominator need it.
    """
    equation = next((e for e in work.equations if e.tensor == name), None)
    if equation is None or equation.reduction != "sum" or len(equation.terms) != 1:
        return
    (term,) = equation.terms
    exponent, weight = work.exponential_part(term.body)
    if exponent == 0 or not term.bound or work.rewritten.get(name) == SHIFT:
        return
    positive = weight.is_positive is True
    users = [e for e in work.equations if _needs_shift(e, name, positive, work)]
    if not users or work.tensors[name].zero_outside:
        return
    why, stem = SHIFT, name
    if ours:
        stem = name.removesuffix("_sum").removesuffix("_mean")
    reduced = Term(exponent, term.bound)
    highest = work.add(
        Equation(f"{stem}_max", equation.indices, (reduced,), "max", equation.line),
        name,
        why,
    )
    shift = highest.read(*equation.indices)
    work.shifts.add(highest.name)
    indices = (*equation.indices, *term.bound)
    shifted = work.add(
        Equation(
            f"{stem}_exp", indices, (Term(exp(exponent - shift)),), line=equation.line
        ),
        highest.name,
        why,
    )
    summand = Term(weight * shifted.read(*indices), term.bound)
    total = work.add(
        Equation(f"{stem}_sum", equation.indices, (summand,), line=equation.line),
        shifted.name,
        why,
    )
    pattern = ShiftedSum(
        name, equation.indices, term.bound, exponent, highest, shifted, total, positive
    )
    for user in users:
        work.rewrite_one(user, why, lambda e, body: _shifted(body, pattern, work))
    if ours and not any(
        tensor_of(read) == name for e in work.equations for read in e.reads()
    ):
        _take_over(name, total.name, work)
        pattern = replace(pattern, total=work.tensors[name])
    if weight == 1:
        work.sums.append(pattern)


def _take_over(old: str, new: str, work: Workbench) -> None:
    """Drop a split-off sum that nothing reads any more; the new one takes its name."""
    work.equations = [e for e in work.equations if e.tensor != old]
    before, after = work.tensors[new], work.tensors[old]
    work.tensors = {n: t for n, t in work.tensors.items() if n != new}

    def rename(expression: Expr) -> Expr:
        return expression.xreplace(
            {
                r: after.read(*subscripts_of(r))
                for r in reads(expression)
                if tensor_of(r) == before.name
            }
        )

    work.equations = [
        replace(
            e,
            tensor=old if e.tensor == new else e.tensor,
            terms=tuple(replace(t, body=rename(t.body)) for t in e.terms),
        )
        for e in work.equations
    ]
    work.rewritten[old] = work.rewritten.pop(new)


def _needs_shift(
    equation: Equation, name: str, positive: bool, work: Workbench
) -> bool:
    """Whether an equation reads `S` in a log, a denominator or a shifted quotient."""
    return any(
        tensor_of(read) == name
        for term in equation.terms
        for part in parts(term.body)
        for read in (*_factors(part, work), *(_addends(part) if positive else ()))
    )


def _factors(part: Expr, work: Workbench) -> list[Expr]:
    """Reads that are a factor in a log, a denominator or a shifted quotient."""
    inside = part.args[0] if isinstance(part, log) else part
    if inside is part and not is_quotient(part) and not _is_shifted(part, work):
        return []
    bases = [f.base if isinstance(f, Pow) else f for f in Mul.make_args(inside)]
    return [base for base in bases if isinstance(base, Indexed | Name)]


def _is_shifted(product: Expr, work: Workbench) -> bool:
    """Whether a product has a factor `exp(g - m)` with a shift m."""
    return isinstance(product, Mul) and any(
        isinstance(factor, exp)
        and any(tensor_of(read) in work.shifts for read in reads(factor.args[0]))
        for factor in product.args
    )


def _addends(part: Expr) -> list[Expr]:
    """Reads that are an addend in a log or a denominator, as in `log(1 + S)`."""
    if not isinstance(part, log) and not is_quotient(part):
        return []
    inside = part.args[0] if isinstance(part, log) else part
    found: list[Expr] = []
    for factor in Mul.make_args(inside):
        base = factor.base if isinstance(factor, Pow) else factor
        if isinstance(base, Add):
            functions = [addend.as_coeff_Mul()[1] for addend in base.args]
            found += [f for f in functions if isinstance(f, Indexed | Name)]
    return found


def _shifted(expression: Expr, p: ShiftedSum, work: Workbench) -> Expr:
    """Redirect the reads of `S` in logs and denominators, inner expressions first."""
    if not expression.args or isinstance(expression, Indexed):
        return expression
    opened = _opened_sum(expression, p, work) if p.positive else None
    if opened is not None:
        return opened
    if isinstance(expression, log):
        product = _shifted_product(expression.args[0], p, work, in_log=True)
        if product is not None:
            exponent, rest = product
            return exponent + log_of_quotient(rest)
    if isinstance(expression, Mul | Pow):
        product = _shifted_product(expression, p, work)
        if product is not None:
            exponent, rest = product
            return _named_exponential(exponent, p) * rest
    arguments = [_shifted(argument, p, work) for argument in expression.args]
    return expression.func(*arguments)


def _opened_sum(expression: Expr, p: ShiftedSum, work: Workbench) -> Expr | None:
    """`log(1 + S)` => `softplus(m + log(S'))`; `exp(g)/(1 + S)` likewise."""
    sums = [
        read
        for part in (expression, *expression.args)
        for read in _addends(part)
        if tensor_of(read) == p.name
    ]
    if not sums or not isinstance(expression, log | Mul | Pow):
        return None
    places: dict[Expr, Expr] = {}
    for read in reads(expression):
        exponent = work.exponent(read)
        if exponent is not None:
            places[read] = exp(exponent)
    back: dict[Expr, Expr] = {}
    for read in sums:
        at = subscripts_of(read)
        exponent = sympy.Dummy()  # SymPy would turn exp(m + log(S')) into S' exp(m)
        back[exponent] = p.highest.read(*at) + log(p.total.read(*at))
        places[read] = exp(exponent)
    opened = expression.xreplace(places)
    found = stable(opened)
    return None if found == opened else found.xreplace(back)


def _shifted_product(
    product: Expr, p: ShiftedSum, work: Workbench, in_log: bool = False
) -> tuple[Expr, Expr] | None:
    """A product with powers of `S` as `exp(exponent) * rest`; else None."""
    factors = [_base_and_degree(factor) for factor in Mul.make_args(product)]
    anywhere = in_log or _is_shifted(product, work)
    ours = [
        isinstance(base, Indexed | Name)
        and tensor_of(base) == p.name
        and (anywhere or degree.is_negative is True)
        for base, degree in factors
    ]
    if not any(ours):
        return None
    exponent: Expr = sympy.S.Zero
    rest: list[Expr] = []
    for (base, degree), shifted in zip(factors, ours, strict=True):
        inner = work.exponent(base)
        if shifted:
            subscripts = subscripts_of(base)
            exponent += degree * p.highest.read(*subscripts)
            rest.append(p.total.read(*subscripts) ** degree)
        elif inner is not None:
            exponent += degree * inner
        else:
            rest.append(_shifted(base, p, work) ** degree)
    return exponent, Mul(*rest)


def _base_and_degree(factor: Expr) -> tuple[Expr, Expr]:
    """`x**2` => `x, 2`; an exponential is its own base."""
    if isinstance(factor, exp):
        return factor, sympy.S.One
    base, degree = factor.as_base_exp()
    return base, degree


def _named_exponential(exponent: Expr, p: ShiftedSum) -> Expr:
    """`exp(g - m)` by its name, where g is f at some subscripts."""
    for read in reads(exponent):
        if tensor_of(read) != p.highest.name:
            continue
        places: dict[Expr, Expr] = dict(
            zip(p.indices, subscripts_of(read), strict=True)
        )
        target = exponent + read
        wild = {b: sympy.Wild(f"w{n}") for n, b in enumerate(p.bound)}
        matched = target.match(p.exponent.xreplace(places).xreplace(wild))
        if matched is not None and all(w in matched for w in wild.values()):
            subscripts = [places[i] for i in p.indices] + [
                matched[wild[b]] for b in p.bound
            ]
            named = p.exponent.xreplace(
                {**places, **{b: matched[wild[b]] for b in p.bound}}
            )
            if sympy.expand(named - target) == 0:
                return p.shifted.read(*subscripts)
    return exp(exponent)
