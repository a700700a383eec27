"""The normal form of an equation: at most one reduction a term, none nested.

`p[k] = exp(z[k]) / sum(exp(z[c]), c)` => `p_sum = sum(exp(z[c]), c)` and
`p[k] = exp(z[k]) / p_sum`.

While text is read, each reduction is an opaque placeholder in its surroundings, so
that SymPy never sees a bound index and can capture none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sympy
from sympy import Add, Dummy, Expr, Mul, Rational

from symbackprop.equations import Equation, Name, Reduction, Tensor, Term


@dataclass(frozen=True)
class Reduced:
    """`op(body, *bound)` inside an equation.

    Attributes:
        scope: the indices open where it stands: those of the left side, then the
            ones that enclosing reductions bind, outermost first.
        scale: what a sum's body is multiplied by: 1, or 1/n for a mean.
    """

    op: str
    bound: tuple[Name, ...]
    body: Expr
    scope: tuple[Name, ...]
    scale: Rational

    @property
    def is_sum(self) -> bool:
        return self.op in ("sum", "mean")


@dataclass
class Placeholders:
    """The reductions of one equation; equal ones share a placeholder."""

    reductions: dict[Dummy, Reduced] = field(default_factory=dict)
    _known: dict[tuple[object, ...], Dummy] = field(default_factory=dict)

    def add(self, reduced: Reduced) -> Dummy:
        key = (reduced.op, reduced.bound, reduced.body)
        if key not in self._known:
            place = Dummy(f"reduction{len(self._known)}")
            self._known[key] = place
            self.reductions[place] = reduced
        return self._known[key]


def normal_form(
    lhs: Tensor,
    indices: tuple[Name, ...],
    rhs: Expr,
    placeholders: Placeholders,
    line: int,
    new_tensor: Callable[[str, tuple[str, ...]], Tensor],
) -> list[Equation]:
    """Equations in computing order, of which the last defines `lhs`.

    Args:
        new_tensor: makes a tensor, given a stem for its name and its axes.
    """
    table = placeholders.reductions
    places = {place: number for number, place in enumerate(table)}
    found: list[Equation] = []
    reads: dict[Dummy, Expr] = {}

    def inside(expression: Expr) -> list[Dummy]:
        met = expression.atoms(Dummy) & table.keys()
        return sorted(met, key=lambda place: places[place])

    def settle(expression: Expr) -> Expr:
        """Put reads of split tensors in the place of reductions."""
        met = inside(expression)
        for place in met:
            if place not in reads:
                split(place)
        return expression.xreplace({place: reads[place] for place in met})

    def split(place: Dummy) -> None:
        reduced = table[place]
        body = settle(reduced.body)
        free = body.free_symbols - set(reduced.bound)
        own = tuple(index for index in reduced.scope if index in free)
        tensor = new_tensor(f"{lhs.name}_{reduced.op}", tuple(str(i) for i in own))
        term = Term(reduced.scale * body, reduced.bound)
        found.append(Equation(tensor.name, own, (term,), _reduction(reduced), line))
        reads[place] = tensor.read(*own)

    if rhs in table and not table[rhs].is_sum:
        reduced = table[rhs]
        term = Term(settle(reduced.body), reduced.bound)
        found.append(
            Equation(lhs.name, indices, (term,), _reduction(reduced), line),
        )
        return found

    sums: dict[Dummy, Expr] = {}
    rest: list[Expr] = []
    _collect(rhs, sympy.S.One, table, sums, rest)
    terms = []
    for place in sorted(sums, key=lambda place: places[place]):
        reduced = table[place]
        body = sums[place] * reduced.scale * settle(reduced.body)
        terms.append(Term(body, reduced.bound))
    terms = _merge(terms)
    alone = settle(Add(*rest))
    if alone != 0 or not terms:
        terms.append(Term(alone))
    found.append(Equation(lhs.name, indices, tuple(terms), line=line))
    return found


def _reduction(reduced: Reduced) -> Reduction:
    if reduced.is_sum:
        return "sum"
    return "max" if reduced.op == "max" else "min"


def _collect(
    expression: Expr,
    factor: Expr,
    table: dict[Dummy, Reduced],
    sums: dict[Dummy, Expr],
    rest: list[Expr],
) -> None:
    """Part `factor * expression` into sums with constant factors, and the rest."""
    if expression in table and table[expression].is_sum:
        sums[expression] = sums.get(expression, sympy.S.Zero) + factor
    elif isinstance(expression, Add) and (
        factor == 1 or any(_has_sum(part, table) for part in expression.args)
    ):
        for part in expression.args:
            _collect(part, factor, table, sums, rest)
    elif isinstance(expression, Mul) and _has_sum(expression, table):
        fixed, core = _part(expression)
        _collect(core, factor * fixed, table, sums, rest)
    else:
        rest.append(factor * expression)


def _has_sum(expression: Expr, table: dict[Dummy, Reduced]) -> bool:
    """Whether a sum stands in an expression linearly, with constant factors."""
    if isinstance(expression, Add):
        return any(_has_sum(part, table) for part in expression.args)
    if isinstance(expression, Mul):
        core = _part(expression)[1]
        return not isinstance(core, Mul) and _has_sum(core, table)
    return expression in table and table[expression].is_sum


def _part(product: Expr) -> tuple[Expr, Expr]:
    """`lam*sqrt(2)*x*y` => `(lam*sqrt(2), x*y)`: the constant factors apart."""
    fixed = [factor for factor in product.args if _is_constant(factor)]
    core = [factor for factor in product.args if not _is_constant(factor)]
    return Mul(*fixed), Mul(*core)


def _is_constant(expression: Expr) -> bool:
    return all(
        isinstance(symbol, Name) and symbol.kind == "constant"
        for symbol in expression.free_symbols
    )


def _merge(terms: list[Term]) -> list[Term]:
    """Add up sums that differ by a number alone: `sum(2*a, i) + 2*sum(a, i)`."""
    merged: dict[tuple[object, ...], Expr] = {}
    for term in terms:
        number, core = term.body.as_coeff_Mul()
        key = (term.bound, core)
        merged[key] = merged.get(key, sympy.S.Zero) + number
    return [
        Term(number * core, bound)  # type: ignore[arg-type]
        for (bound, core), number in merged.items()
        if number != 0
    ]
