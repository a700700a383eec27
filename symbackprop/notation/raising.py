"""One equation in indices -> one in matrices, or none.

A term is a product of factors under a sum. Each factor with two whole indices is an
edge between them, each with one a weight on it, and a sum is done by removing its
index from this graph: without edges it leaves a scalar, with one a vector on the
neighbour, with two a product of matrices. Whatever is not of this kind has no form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Term,
    affine,
    by_rank,
    indices_of,
    is_index,
    reads,
    subscripts_of,
)
from symbackprop.notation.algebra import (
    CHOICES,
    OPPOSITE,
    RELATIONS,
    common,
    holds,
    in_order,
    is_repeated,
    without_choices,
)
from symbackprop.notation.forms import (
    Apply,
    BatchMean,
    Diag,
    Extremum,
    Form,
    Guarded,
    Indicator,
    MatrixEquation,
    Over,
    Power,
    Read,
    Scalar,
    Softmax,
    Unit,
    scaled,
    total,
    transpose,
)
from symbackprop.notation.graph import Graph, NoForm, spread


class Raiser:
    """Raises expressions over one system's names.

    Args:
        system: what the names mean.
        held: the names of the axes whose indices are labels.
        first: tensors that stand first in elementwise products.
    """

    def __init__(
        self, system: System, held: Collection[str], first: Collection[str] = ()
    ) -> None:
        self.system = system
        self.held = frozenset(held)
        self.first = frozenset(first)

    def equation(self, equation: Equation) -> MatrixEquation:
        """`z[i] = sum(W[i, j]*x[j], j)` => `z = W x`.

        Raises:
            NoForm: the equation has none.
        """
        left = self.left(equation)
        free = self.whole(equation.indices)
        if equation.reduction != "sum":
            right = self._extremum(equation, free)
        else:
            parts = [self.term(t, equation, free) for t in equation.terms]
            right = total(parts) if parts else spread(Scalar(sympy.S.Zero), free)
        return MatrixEquation(left, right, (equation,))

    def softmax(
        self, equation: Equation, exponent: Expr, along: Name, denominator: Equation
    ) -> MatrixEquation:
        """`a[i] = exp(z[i])/s, s = sum(exp(z[i]), i)` => `a = softmax(z)`."""
        free = self.whole(equation.indices)
        if along not in free:
            raise NoForm
        last = free[-1] == along
        inside = self.contract(exponent, (), free)
        right = Softmax(inside) if last else transpose(Softmax(transpose(inside)))
        return MatrixEquation(self.left(equation), right, (denominator, equation))

    def left(self, equation: Equation) -> Read:
        """The left-hand side."""
        tensor = self.system.tensors[equation.tensor]
        subscripts = []
        for index, axis in zip(equation.indices, tensor.axes, strict=True):
            if self.system.size(index) != self.system.size(axis):
                raise NoForm
            subscripts.append(index if index.name in self.held else None)
        if subscripts.count(None) > 2:
            raise NoForm
        return Read(tensor.symbol, tuple(subscripts))

    def whole(self, indices: Iterable[Name]) -> tuple[Name, ...]:
        return tuple(i for i in indices if i.name not in self.held)

    # --- terms ------------------------------------------------------------------------

    def term(self, term: Term, equation: Equation, free: tuple[Name, ...]) -> Form:
        """One term of a sum: its labels, guards and mean go around its product."""
        bound = self.whole(term.bound)
        labels = tuple(i for i in term.bound if i not in bound)
        for guard in term.guards:
            self._label(guard.subscript)
        units = self._units(term, equation)
        around = bool(labels or term.guards or term.average)
        number, body = common(without_choices(term.body))
        addends = self._apart(body, bound, around)
        if not around:
            forms = [self.contract(a, bound, free, units) for a in addends]
            return scaled((Scalar(number),), total(forms))
        parts: list[Form] = []
        for addend in addends:
            outer, inner = self._parted(addend)
            form = self.contract(inner, bound, free, units)
            form = Guarded(term.guards, form) if term.guards else form
            form = Over(labels, form) if labels else form
            form = BatchMean(form) if term.average else form
            parts.append(scaled((Scalar(number * outer),), form))
        return total(parts)

    def _apart(self, body: Expr, bound: tuple[Name, ...], around: bool) -> list[Expr]:
        """Addends that are summed apart: those that every bound index stands in."""
        addends = in_order(body)
        if all(set(bound) <= set(indices_of(addend)) for addend in addends):
            return addends if bound or not around else [body]
        return [body]

    @staticmethod
    def _parted(body: Expr) -> tuple[Expr, Expr]:
        """Numbers and constants of a product, and the rest of it."""
        factors = Mul.make_args(body)
        fixed = [f for f in factors if not list(reads(f)) and not indices_of(f)]
        return Mul(*fixed), Mul(*(f for f in factors if f not in fixed))

    def _units(self, term: Term, equation: Equation) -> list[tuple[Name, Form]]:
        """A term that is added at a label is multiplied by that unit vector."""
        found: list[tuple[Name, Form]] = []
        for index, target in zip(
            equation.indices, term.target or equation.indices, strict=True
        ):
            if target == index:
                continue
            if index.name in self.held:
                raise NoForm
            self._label(target)
            found.append((index, Unit(index.name, target)))
        return found

    def _extremum(self, equation: Equation, free: tuple[Name, ...]) -> Form:
        (term,) = equation.terms
        bound = self.whole(term.bound)
        places = equation.reduction.startswith("arg")
        mixed = bool(bound) and len(bound) < len(term.bound)
        if term.guards or term.average or mixed or len(free) + len(bound) > 2:
            raise NoForm
        if places and len(term.bound) > 1:
            raise NoForm
        inside = self.contract(term.body, (), (*free, *bound))
        if not bound:
            return Extremum(equation.reduction, term.bound, inside)
        return Extremum(equation.reduction, (), inside, rows=bool(free))

    # --- products ---------------------------------------------------------------------

    def contract(
        self,
        body: Expr,
        bound: tuple[Name, ...],
        free: tuple[Name, ...],
        units: Iterable[tuple[Name, Form]] = (),
    ) -> Form:
        """The sum over `bound` of a body, as a form over `free`."""
        units = list(units)
        try:
            return self._contract(body, bound, free, units)
        except NoForm:
            expanded = sympy.expand_mul(body)
            if expanded == body or not expanded.is_Add:
                raise
            parts = [self._contract(a, bound, free, units) for a in in_order(expanded)]
            return total(parts)

    def _contract(
        self,
        body: Expr,
        bound: tuple[Name, ...],
        free: tuple[Name, ...],
        units: list[tuple[Name, Form]],
    ) -> Form:
        number, rest = common(body)
        if rest.is_Add and not bound and not units:
            parts = [self.contract(addend, (), free) for addend in in_order(rest)]
            return scaled((Scalar(number),), total(parts))
        graph = Graph(bound, free, self.first)
        scalar = number
        for factor in sorted(Mul.make_args(rest), key=by_rank):
            size, factor = common(factor)
            scalar *= size
            own = self._natural(factor)
            if not own:
                self._plain(factor)
                scalar *= factor
                continue
            base, times = factor, 1
            if is_repeated(factor):
                base, times = factor.base, int(factor.exp)
            graph.add(own, [self.entries(base, own)] * times)
        for index, form in units:
            graph.add((index,), [form])
        return graph.form(Scalar(scalar))

    def _natural(self, factor: Expr) -> tuple[Name, ...]:
        """A factor's whole indices, rows first: as in its first read that has all."""
        own = self.whole(indices_of(factor))
        for read in reads(factor):
            subscripts = tuple(s for s in subscripts_of(read) if s in own)
            if len(own) == 2 and set(subscripts) == set(own) and len(subscripts) == 2:
                return subscripts
        return own

    def entries(self, factor: Expr, own: tuple[Name, ...]) -> Form:
        """A factor in which exactly `own` stand, as a form over them."""
        if len(own) > 2:
            raise NoForm
        if isinstance(factor, Indexed):
            return self._read(factor, own)
        if isinstance(factor, Add | Mul):
            return self.contract(factor, (), own)
        if isinstance(factor, Pow):
            if indices_of(factor.exp) or list(reads(factor.exp)):
                raise NoForm
            if is_repeated(factor):
                return self.contract(factor, (), own)
            if not self.whole(indices_of(factor.base)):
                raise NoForm
            return Power(self.contract(factor.base, (), own), factor.exp)
        name = factor.func.__name__
        if isinstance(factor, holds):
            return self._indicator(factor.args[0], own)
        if not factor.is_Function or name in CHOICES:
            raise NoForm
        return Apply(name, tuple(self._argument(a, own) for a in factor.args))

    def _indicator(self, condition: Expr, own: tuple[Name, ...]) -> Form:
        """`0 < z[i]` => 1 where it holds; a negation swaps both sides."""
        negated = condition.func.__name__ == "negation"
        inner = condition.args[0] if negated else condition
        relation = RELATIONS.get(inner.func.__name__)
        if relation is None:
            raise NoForm
        left, right = (self._side(side, own) for side in inner.args)
        if not negated:
            return Indicator(relation, left, right)
        if relation == "==":
            return Indicator("!=", left, right)
        return Indicator(OPPOSITE[relation], right, left)

    def _side(self, side: Expr, own: tuple[Name, ...]) -> Form:
        if is_index(side) and side.name in self.held:
            return Scalar(side)
        return self._argument(side, own)

    def _argument(self, argument: Expr, own: tuple[Name, ...]) -> Form:
        if self.whole(indices_of(argument)):
            return self.contract(argument, (), own)
        self._plain(argument)
        return Scalar(argument)

    # --- reads ------------------------------------------------------------------------

    def _read(self, read: Indexed, own: tuple[Name, ...]) -> Form:
        tensor = self.system.tensors[read.base.label.name]
        subscripts: list[Expr | None] = []
        order: list[Name] = []
        entry = False
        for subscript, axis in zip(subscripts_of(read), tensor.axes, strict=True):
            if is_index(subscript) and subscript.name not in self.held:
                if self.system.size(subscript) != self.system.size(axis):
                    raise NoForm  # a slice
                order.append(subscript)
                subscripts.append(None)
            else:
                self._label(subscript, axis)
                entry = entry or axis not in self.held
                subscripts.append(subscript)
        form = Read(read.base.label, tuple(subscripts), entry and None in subscripts)
        if len(order) > 2:
            raise NoForm
        if len(set(order)) < len(order):
            return Diag(form)
        return transpose(form) if tuple(order) != own else form

    def _label(self, subscript: Expr, axis: str = "") -> None:
        """Refuse a subscript that is neither whole nor a plain label.

        Plain are a held index with an offset, a number, and a labelled integer.
        """
        if self.whole(indices_of(subscript)):
            raise NoForm
        if isinstance(subscript, Indexed | Name) and not is_index(subscript):
            self._plain(subscript)
            return
        found = affine(subscript)
        if found is None or len(found[0]) > 1 or any(f != 1 for f in found[0].values()):
            raise NoForm
        for index in found[0]:
            if axis and self.system.size(index) != self.system.size(axis):
                raise NoForm

    def _plain(self, expression: Expr) -> None:
        """Refuse a scalar expression with choices, or an index that is a number."""
        if isinstance(expression, Indexed):
            axes = self.system.tensors[expression.base.label.name].axes
            for subscript, axis in zip(expression.indices, axes, strict=True):
                self._label(subscript, axis)
            return
        if is_index(expression) or expression.func.__name__ in CHOICES:
            raise NoForm
        for argument in expression.args:
            self._plain(argument)
