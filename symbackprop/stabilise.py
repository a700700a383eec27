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
    Tensor,
    Term,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.rewrites import near_one, stable
from symbackprop.scalars import exp, log
from symbackprop.workbench import Workbench, is_quotient, parts


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
    for equation in list(work.equations):
        _shift_exponentials(equation, work, equation.tensor in split)
    for equation in list(work.equations):
        work.rewrite_one(
            equation, "logarithm by name", lambda e, b: _named_logs(b, work)
        )
    work.rewrite_each("logarithm near one", lambda e, body: near_one(body))
    result = replace(system, equations=tuple(work.equations), tensors=work.tensors)
    return Stabilised(result, frozenset(work.shifts), work.rewritten)


# --- sums of exponentials ------------------------------------------------------------


def _shift_exponentials(equation: Equation, work: Workbench, ours: bool) -> None:
    """Give `S = sum(c exp(f))` the shift `m = max(f)`: S = exp(m) sum(c exp(f - m)).

    `log(S)` => `m + log(S')`, `exp(g)/S` => `exp(g - m)/S'`. Each is equal for any m,
    so that no slope flows through the shift. Only sums that stand in a log or a
    denominator need it.
    """
    name = equation.tensor
    if equation.reduction != "sum" or len(equation.terms) != 1:
        return
    (term,) = equation.terms
    exponent, weight = _exponential_part(term.body, work)
    if exponent == 0 or not term.bound:
        return
    users = [e for e in work.equations if _needs_shift(e, name)]
    if not users or work.tensors[name].zero_outside:
        return
    why, stem = "shift of a sum of exponentials", name
    if ours:
        stem = name.removesuffix("_sum").removesuffix("_mean")
    reduced = Term(exponent, term.bound)
    highest = work.add(
        Equation(f"{stem}_max", equation.indices, (reduced,), "max", equation.line),
        name,
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
        name,
        highest.name,
        why,
    )
    summand = Term(weight * shifted.read(*indices), term.bound)
    total = work.add(
        Equation(f"{stem}_sum", equation.indices, (summand,), line=equation.line),
        name,
        shifted.name,
        why,
    )
    pattern = _Pattern(
        name, equation.indices, term.bound, exponent, highest, shifted, total
    )
    for user in users:
        work.rewrite_one(user, why, lambda e, body: _shifted(body, pattern, work))
    if ours and not any(
        tensor_of(read) == name for e in work.equations for read in e.reads()
    ):
        _take_over(name, total.name, equation.line, work)


def _exponential_part(body: Expr, work: Workbench) -> tuple[Expr, Expr]:
    """`c[k] * exp(f)` => `f` and `c[k]`; 0 and the body without an exponential."""
    exponent: Expr = sympy.S.Zero
    weight: list[Expr] = []
    for factor in Mul.make_args(body):
        inner = work.exponent(factor)
        if inner is None:
            weight.append(factor)
        else:
            exponent += inner
    return exponent, Mul(*weight)


def _take_over(old: str, new: str, line: int, work: Workbench) -> None:
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


@dataclass(frozen=True)
class _Pattern:
    """What is needed to redirect the reads of one shifted sum."""

    name: str
    indices: tuple[Name, ...]
    bound: tuple[Name, ...]
    exponent: Expr
    highest: Tensor
    shifted: Tensor
    total: Tensor


def _needs_shift(equation: Equation, name: str) -> bool:
    return any(
        tensor_of(read) == name
        for term in equation.terms
        for part in parts(term.body)
        for read in _summed(part)
    )


def _summed(part: Expr) -> list[Expr]:
    """Reads that stand as a factor in a log, or alone in a denominator."""
    inside = (
        part.args[0] if isinstance(part, log) else part if is_quotient(part) else None
    )
    if inside is None:
        return []
    factors = [f.base if isinstance(f, Pow) else f for f in Mul.make_args(inside)]
    return [f for f in factors if isinstance(f, Indexed | Name)]


def _shifted(expression: Expr, p: _Pattern, work: Workbench) -> Expr:
    """Redirect the reads of `S` in logs and denominators, inner expressions first."""
    if not expression.args or isinstance(expression, Indexed):
        return expression
    if isinstance(expression, log):
        product = _shifted_product(expression.args[0], p, work, in_log=True)
        if product is not None:
            exponent, rest = product
            return exponent + _log_of_quotient(rest)
    if isinstance(expression, Mul | Pow):
        product = _shifted_product(expression, p, work)
        if product is not None:
            exponent, rest = product
            return _named_exponential(exponent, p) * rest
    arguments = [_shifted(argument, p, work) for argument in expression.args]
    return expression.func(*arguments)


def _shifted_product(
    product: Expr, p: _Pattern, work: Workbench, in_log: bool = False
) -> tuple[Expr, Expr] | None:
    """A product with powers of `S` as `exp(exponent) * rest`; else None."""
    factors = [_base_and_degree(factor) for factor in Mul.make_args(product)]
    ours = [
        isinstance(base, Indexed | Name)
        and tensor_of(base) == p.name
        and (in_log or degree.is_negative is True)
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


def _named_exponential(exponent: Expr, p: _Pattern) -> Expr:
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


# --- logarithms of named tensors -----------------------------------------------------


def _named_logs(body: Expr, work: Workbench) -> Expr:
    """`log(p[k])`, `p` a quotient of exponentials => `log_p[k]`, an added equation."""
    if not body.args or isinstance(body, Indexed):
        return body
    if isinstance(body, log):
        inside = body.args[0]
        inline = _log_of_product(inside, work)
        if inline is not None:
            return inline
        seen = list(dict.fromkeys(reads(inside)))
        outer = [r for r in seen if work.definition(tensor_of(r)) is not None]
        if len(outer) == 1 and set(seen) == set(reads(outer[0])):
            named = _log_by_name(inside, outer[0], work)
            if named is not None:
                return named
    return body.func(*(_named_logs(argument, work) for argument in body.args))


def _log_by_name(inside: Expr, read: Expr, work: Workbench) -> Expr | None:
    name = tensor_of(read)
    equation = work.definition(name)
    assert equation is not None
    here = work.tensors[name].read(*equation.indices)
    there = inside.xreplace({read: here})
    stem = f"log_{name}" if there == here else f"log_1_minus_{name}"
    if there not in (here, 1 - here):
        return None
    for known in work.equations:
        if known.tensor == stem and work.rewritten.get(stem):
            return work.tensors[stem].read(*subscripts_of(read))
    body = equation.terms[0].body
    opened = there.xreplace({here: body})
    formula = _log_of_product(opened, work)
    if formula is None:
        formula = stable(log(opened))
        if formula.has(log) and not _log_free_of(formula, body):
            return None
    made = work.add(
        Equation(stem, equation.indices, (Term(formula),), line=equation.line),
        name,
        name,
        "logarithm by name",
    )
    return made.read(*subscripts_of(read))


def _log_free_of(formula: Expr, body: Expr) -> bool:
    """Whether only logs of numbers are left, not the log of what was looked through."""
    return all(part.args[0].is_number for part in formula.atoms(log))


def _log_of_product(inside: Expr, work: Workbench) -> Expr | None:
    """`log(exp(f) * b / c)` => `f + log(b) - log(c)`; None without an exponential."""
    if not isinstance(inside, Mul | exp):
        return None
    exponent, rest = _exponential_part(inside, work)
    return None if exponent == 0 else exponent + _log_of_quotient(rest)


def _log_of_quotient(quotient: Expr) -> Expr:
    """`log(a / s)` => `log(a) - log(s)`, for any single denominators."""
    factors = Mul.make_args(quotient)
    denominators = [f for f in factors if isinstance(f, Pow) and f.exp == -1]
    others = Mul(*(f for f in factors if f not in denominators))
    return log(others) - Add(*(log(f.base) for f in denominators))
