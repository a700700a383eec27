"""Logarithms of named tensors: each gets an equation of its own, in stable form."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow

from symbackprop.equations import (
    Equation,
    Name,
    Reduction,
    Term,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.exponentials import stable
from symbackprop.scalars import both, equal, exp, log, where
from symbackprop.workbench import LOWEST, ShiftedSum, Workbench

WHY = "logarithm by name"


def named_logs(body: Expr, work: Workbench) -> Expr:
    """Look through names under every logarithm.

    `log(p[k])` => `log_p[k]`; `log(p[k] / (1 - p[k]))` => `log_p[k] - log_1_minus_p[k]`
    """
    if not body.args or isinstance(body, Indexed):
        return body
    if isinstance(body, log):
        inside = body.args[0]
        inline = _log_of_product(inside, work)
        if inline is not None:
            return inline
        total: Expr = sympy.S.Zero
        for factor in Mul.make_args(inside):
            base, degree = factor.as_base_exp()
            part = log(base) if base.is_positive else _log_of_factor(base, work)
            if part is None or not degree.is_Integer:
                break
            total += degree * part
        else:
            return total
    return body.func(*(named_logs(argument, work) for argument in body.args))


def _log_of_factor(base: Expr, work: Workbench) -> Expr | None:
    """The named logarithm of `p` or `1 - p`, where p is positive by its definition."""
    seen = list(dict.fromkeys(reads(base)))
    outer = [r for r in seen if work.definition(tensor_of(r)) is not None]
    if len(outer) != 1 or set(seen) != set(reads(outer[0])):
        return None
    (read,) = outer
    name = tensor_of(read)
    equation = work.definition(name)
    assert equation is not None
    here = work.tensors[name].read(*equation.indices)
    there = base.xreplace({read: here})
    if there not in (here, 1 - here):
        return None
    stem = f"log_{name}" if there == here else f"log_1_minus_{name}"
    if work.rewritten.get(stem) == WHY:
        return work.tensors[stem].read(*subscripts_of(read))
    formula = _formula(there, here, equation, work)
    if formula is None:
        return None
    made = work.add(
        Equation(stem, equation.indices, (Term(formula),), line=equation.line),
        name,
        WHY,
    )
    return made.read(*subscripts_of(read))


def _formula(
    there: Expr, here: Expr, equation: Equation, work: Workbench
) -> Expr | None:
    """The logarithm of `p` or `1 - p` in stable form, over the indices of p."""
    body = equation.terms[0].body
    opened = there.xreplace({here: body})
    formula = _log_of_product(opened, work)
    if formula is not None:
        return formula
    if there != here:
        others = _log_of_others(equation, work)
        if others is not None:
            return others
    formula = stable(log(opened))
    if any(not part.args[0].is_number for part in formula.atoms(log)):
        return None
    return formula


def _log_of_others(equation: Equation, work: Workbench) -> Expr | None:
    """`log(1 - p[k])` of a softmax: the log of the sum over the other places.

    1 - exp(f[k] - m)/S' = exp(n) T / (exp(m) S'), where n and T are the maximum and
    the shifted sum without the place k. Nothing cancels.
    """
    numerator, denominator = sympy.fraction(equation.terms[0].body)
    for p in work.sums:
        if tensor_of_read(numerator) != p.shifted.name:
            continue
        if tensor_of_read(denominator) != p.total.name:
            continue
        if set(p.bound) & set(equation.indices):
            return None
        return _others(equation, numerator, denominator, p, work)
    return None


def tensor_of_read(expression: Expr) -> str:
    """The tensor that a bare read reads; "" for anything else."""
    return tensor_of(expression) if isinstance(expression, Indexed | Name) else ""


def _others(
    equation: Equation,
    numerator: Expr,
    denominator: Expr,
    p: ShiftedSum,
    work: Workbench,
) -> Expr:
    name, line = equation.tensor, equation.line
    at = subscripts_of(denominator)
    exponent = p.exponent.xreplace(dict(zip(p.indices, at, strict=True)))
    own = subscripts_of(numerator)[len(at) :]
    same = equal(p.bound[0], own[0])
    for index, place in zip(p.bound[1:], own[1:], strict=True):
        same = both(same, equal(index, place))

    def add(stem: str, body: Expr, reduction: Reduction, after: str) -> Expr:
        term = Term(body, p.bound)
        made = Equation(f"{name}_{stem}", equation.indices, (term,), reduction, line)
        return work.add(made, after, WHY).read(*equation.indices)

    highest = add("others_max", where(same, LOWEST, exponent), "max", name)
    work.shifts.add(tensor_of(highest))
    shifted = where(same, sympy.S.Zero, exp(exponent - highest))
    others = add("others", shifted, "sum", tensor_of(highest))
    return highest + log(others) - p.highest.read(*at) - log(p.total.read(*at))


def _log_of_product(inside: Expr, work: Workbench) -> Expr | None:
    """`log(exp(f) * b / c)` => `f + log(b) - log(c)`; None without an exponential."""
    if not isinstance(inside, Mul | exp):
        return None
    exponent, rest = work.exponential_part(inside)
    return None if exponent == 0 else exponent + log_of_quotient(rest)


def log_of_quotient(quotient: Expr) -> Expr:
    """`log(a / s)` => `log(a) - log(s)`, for any single denominators."""
    factors = Mul.make_args(quotient)
    denominators = [f for f in factors if isinstance(f, Pow) and f.exp == -1]
    others = Mul(*(f for f in factors if f not in denominators))
    return log(others) - Add(*(log(f.base) for f in denominators))
