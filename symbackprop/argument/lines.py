"""The lines of a proof, and the collapse of Kronecker's deltas in them.

A line states `left = sum of terms`. Beside what equations hold, its terms may hold
partial derivatives `partial(A[i], X[k])` of one forward equation and Kronecker's deltas
`kronecker(i, k)`, which is 1 where its arguments are equal, else 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Indexed, Mul, Pow

from symbackprop.equations import Guard, Name, System, Term, reads, tensor_of
from symbackprop.rewrites import reveal
from symbackprop.scalars import TABLE, ScalarFunction, symbol

partial = symbol("partial", 2)
kronecker = symbol("kronecker", 2)


@dataclass(frozen=True)
class Line:
    """`left = terms`, for all values of its free indices.

    Attributes:
        left: a read of a tensor, or a partial derivative.
        free: the indices that it holds for.
        terms: the right-hand side.
        rule: why it equals the line before it, by the rule's name.
        uses: the numbers of the equations that were used.
        number: the number of the equation that it states; None within a proof.
        fact: data whose entries add up to 1 along the last axis, which it relies on.
    """

    left: Expr
    free: tuple[Name, ...]
    terms: tuple[Term, ...]
    rule: str
    uses: tuple[int, ...] = ()
    number: int | None = None
    fact: str = ""


@dataclass(frozen=True)
class Proof:
    """Lines of which each continues the one before it; all have the same left side.

    Attributes:
        lines: the lines.
        error: the worst relative disagreement of a line with the witness.
        exercised: whether anything but zeros was compared.
    """

    lines: tuple[Line, ...]
    error: float = 0.0
    exercised: bool = True


def proof(lines: Iterable[Line]) -> Proof:
    """The lines without those that only repeat the one before them.

    Of two equal lines the first stays, with the later one's number; a line that relies
    on a fact is never equal to one that does not.
    """
    kept: list[Line] = []
    for line in lines:
        if kept and (kept[-1].terms, kept[-1].fact) == (line.terms, line.fact):
            before = kept[-1]
            kept[-1] = replace(
                before,
                number=line.number or before.number,
                uses=before.uses or line.uses,
            )
        else:
            kept.append(line)
    return Proof(tuple(kept))


def deltas(left: Iterable[Expr], right: Iterable[Expr]) -> Expr:
    """`[i = k] [j = l]` for pairs of subscripts; equal ones add nothing."""
    pairs = zip(left, right, strict=True)
    return Mul(*(kronecker(a, b) for a, b in pairs if a != b))


def opened(expression: Expr) -> Expr:
    """Write out slopes, but not those of activations: `log'(x)` => `1/x`, `f'(z)`."""
    if not expression.args or isinstance(expression, Indexed):
        return expression
    if isinstance(expression, ScalarFunction):
        name = expression.func.__name__
        stem = (
            name.removeprefix("slope_").rpartition("_")[0] if "slope_" in name else ""
        )
        if stem and (stem not in TABLE or TABLE[stem].activation):
            return expression.func(*map(opened, expression.args))
        if name in ("partial", "kronecker"):
            return expression
        if stem or name in TABLE:
            inner = expression.func(*map(opened, expression.args))
            return reveal(inner)
    return expression.func(*map(opened, expression.args))


def collapse(term: Term, system: System, bound: Collection[Name]) -> Term:
    """Carry out the sums over `bound` that a Kronecker delta leaves one summand of.

    `sum over j, k of W[i, j] [j = k] x[k]` => `sum over j of W[i, j] x[j]`

    An index is replaced where it stands alone in a delta with coefficient 1 or -1; the
    widest goes first, so that what remains to be summed is the smaller range.
    """
    while True:
        found = [
            (index, value, factor)
            for factor in Mul.make_args(term.body)
            if factor.func is kronecker
            for index, value in _solved(factor, [b for b in term.bound if b in bound])
        ]
        if not found:
            return term
        index, value, factor = max(
            found, key=lambda f: (system.size(f[0]), isinstance(f[1], Name), f[0].rank)
        )
        term = substituted(
            replace(term, body=_without(term.body, factor)), {index: value}, system
        )


def _solved(delta: Expr, bound: Iterable[Name]) -> list[tuple[Name, Expr]]:
    """`[2*j - i = k]` => `(i, 2*j - k)`: each bound index with coefficient 1 or -1."""
    difference = delta.args[0] - delta.args[1]
    found = []
    for index in bound:
        inside = {s for r in reads(difference) for s in r.free_symbols}
        coefficient = difference.coeff(index)
        if coefficient not in (1, -1) or index in inside:
            continue
        rest = sympy.expand(difference - coefficient * index)
        if not rest.has(index):
            found.append((index, sympy.expand(-coefficient * rest)))
    return found


def _without(body: Expr, factor: Expr) -> Expr:
    return Mul(*(part for part in Mul.make_args(body) if part != factor))


def substituted(term: Term, values: Mapping[Name, Expr], system: System) -> Term:
    """A term with bound indices replaced; a value that may leave its axis is guarded.

    A delta that then equates an index with itself is 1.
    """
    guards = [Guard(g.subscript.xreplace(values), g.axis) for g in term.guards]
    for index, value in values.items():
        axis = system.axes[index.name]
        plain = isinstance(value, Name) and value.kind == "tensor"
        same = isinstance(value, Name) and value.kind == "index"
        if same and system.size(value) == axis.size:
            continue
        if not (plain or isinstance(value, Indexed)):
            guards.append(Guard(value, axis.of or axis.name))
    body = term.body.xreplace(values)
    equal = {f: sympy.S.One for f in Mul.make_args(body) if _is_one(f)}
    return replace(
        term,
        body=body.xreplace(equal),
        bound=tuple(b for b in term.bound if b not in values),
        guards=tuple(dict.fromkeys(guards)),
    )


def _is_one(factor: Expr) -> bool:
    return factor.func is kronecker and factor.args[0] == factor.args[1]


def averages(body: Expr, target: str, system: System) -> bool:
    """Whether a term's mean over the batch is taken: its target has none."""
    names = {tensor_of(read) for read in reads(body)}
    return not system.tensors[target].batched and any(
        system.tensors[name].batched for name in names
    )


def bases(body: Expr) -> list[Expr]:
    """The factors of a product, powers as their bases."""
    return [f.base if isinstance(f, Pow) else f for f in Mul.make_args(body)]
