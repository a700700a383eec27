"""The recursion of error terms: other adjoints eliminated, equation by equation.

    delta_a[i] = sum over k of W[k, i] delta[k],   delta[i] = f'(z[i]) delta_a[i]
    => delta[i] = f'(z[i]) sum over k of W[k, i] delta[k]

Beyond the last layer no error term is left, and what remains is the slope of the loss:
a softmax under a cross-entropy comes down to `a[i] - y[i]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import sympy
from sympy import Add, Expr, Function, Indexed, Mul

from symbackprop.argument.chain import Calculus
from symbackprop.argument.lines import (
    Line,
    Proof,
    bases,
    collapse,
    deltas,
    proof,
)
from symbackprop.equations import (
    Axis,
    Equation,
    Name,
    Term,
    is_index,
    read,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.flow import closure
from symbackprop.rewrites import mirrored

# Beyond these a formula explains nothing any more.
MOST_TERMS, MOST_BOUND, MOST_STEPS = 5, 2, 12


class Expansion:
    """Eliminates adjoints from one derivation's adjoint equations.

    Args:
        calculus: the forward equations and the names of adjoints.
        adjoint: the adjoint equations.
        kept: adjoints that are not eliminated: the error terms of layers.
    """

    def __init__(
        self, calculus: Calculus, adjoint: Collection[Equation], kept: Collection[str]
    ) -> None:
        self.calculus = calculus
        self.system = calculus.system
        self.equations = {e.tensor: e for e in adjoint if e.tensor not in kept}
        self.all = {e.tensor: e for e in adjoint}

    def of(self, adjoint: str) -> Proof | None:
        """The proof of an error term's recursion; None where it is no shorter."""
        equation = self.all[adjoint]
        left = read(self.system.tensors[adjoint].symbol, *equation.indices)
        free = equation.indices
        number = self.calculus.numbers[adjoint]
        terms = tuple(_gathered(term, free) for term in equation.terms)
        lines = [Line(left, free, terms, "equation", (number,))]
        done: set[str] = {adjoint}
        uses: list[int] = []
        while (name := self._next(terms, done)) is not None:
            if len(done) > MOST_STEPS:
                return None
            done.add(name)
            used = self.equations[name]
            expanded = self._without(name, terms, free)
            if expanded is None or len(expanded) > MOST_TERMS:
                return None
            if any(len(term.bound) > MOST_BOUND for term in expanded):
                return None
            terms = expanded
            uses.append(self.calculus.numbers[name])
            if self._next(terms, done) is not None and _is_trivial(used):
                continue
            lines.append(Line(left, free, terms, "substitute", tuple(uses)))
            uses = []
            for number, folded in self._folded(terms):
                terms = folded
                lines.append(Line(left, free, terms, "substitute", (number,)))
        for rule, number, simpler in self._simplified(terms):
            terms = simpler
            lines.append(Line(left, free, terms, rule, (number,) if number else ()))
        origin = next(t for t, name in self.calculus.adjoint.items() if name == adjoint)
        for fact, known in self._facts(terms, origin):
            terms = known
            lines.append(Line(left, free, terms, "entries add up to 1", fact=fact))
        found = proof(lines)
        return found if len(found.lines) > 1 else None

    def _next(self, terms: tuple[Term, ...], done: Collection[str]) -> str | None:
        """The adjoint computed last among those that can be eliminated."""
        names = {
            tensor_of(r)
            for term in terms
            for r in reads(term.body)
            if tensor_of(r) in self.equations and tensor_of(r) not in done
        }
        return max(names, key=lambda n: self.calculus.numbers[n], default=None)

    # --- one elimination -------------------------------------------------------------

    def _without(
        self, name: str, terms: tuple[Term, ...], free: tuple[Name, ...]
    ) -> tuple[Term, ...] | None:
        """The terms with an adjoint replaced by its equation."""
        found: list[Term] = []
        for term in terms:
            factors = [
                factor
                for factor in Mul.make_args(term.body)
                if isinstance(factor, Indexed | Name) and tensor_of(factor) == name
            ]
            if not factors:
                if any(tensor_of(r) == name for r in reads(term.body)):
                    return None
                found.append(term)
                continue
            for inner in self.equations[name].terms:
                joined = self._joined(term, factors[0], inner, name, free)
                if joined is None:
                    return None
                found.append(joined)
        return _added(found)

    def _joined(
        self, term: Term, factor: Expr, inner: Term, name: str, free: tuple[Name, ...]
    ) -> Term | None:
        """`W[k, i]*delta_z[k]` with one term of `delta_z[k] = ...` in it."""
        if inner.average:
            return None
        equation = self.equations[name]
        inner = _gathered(inner, equation.indices)
        taken = {index.name for index in (*free, *term.bound, *_letters(term.body))}
        apart: dict[Expr, Expr] = {}
        for index in inner.bound:
            axis = self._letter(self.system.axes[index.name], taken)
            taken.add(axis.name)
            apart[index] = axis.index
        at = dict(zip(equation.indices, subscripts_of(factor), strict=True))
        moved = {**apart, **at}
        body = (term.body / factor) * inner.body.xreplace(moved)
        guards = tuple(
            replace(g, subscript=g.subscript.xreplace(moved)) for g in inner.guards
        )
        bound = (*term.bound, *(b.xreplace(apart) for b in inner.bound))
        whole = replace(term, body=body, bound=bound, guards=(*term.guards, *guards))
        return collapse(whole, self.system, bound)

    def _letter(self, axis: Axis, taken: Collection[str]) -> Axis:
        """A letter over the same axis that is not taken: its own where it is free."""
        origin = axis.of or axis.name
        return next(
            other
            for other in self.system.axes.values()
            if (other.of or other.name) == origin and other.name not in taken
        )

    # --- what is recognised ----------------------------------------------------------

    def _folded(
        self, terms: tuple[Term, ...]
    ) -> Iterator[tuple[int, tuple[Term, ...]]]:
        """Quotients and products that a forward equation has saved, by their name.

        `p[k] = e[k]/s`, term `e[i]*y[k]/s` => `p[i]*y[k]`
        """
        for equation in self.calculus.forward.values():
            if equation.reduction != "sum" or len(equation.terms) != 1:
                continue
            (whole,) = equation.terms
            parts = [b for b in bases(whole.body) if isinstance(b, Indexed | Name)]
            if whole.bound or whole.guards or len(parts) < 2:
                continue
            if len(parts) < len(bases(whole.body)):
                continue
            folded = tuple(self._fold(t, equation, whole.body, parts) for t in terms)
            if folded != terms:
                terms = folded
                yield self.calculus.numbers[equation.tensor], terms

    def _simplified(
        self, terms: tuple[Term, ...]
    ) -> Iterator[tuple[str, int, tuple[Term, ...]]]:
        """Functions of mirrored arguments, then functions that have been saved.

        `(1 - y)*f(z) - y*f(-z)` => `f(z) - y` => `a - y`, f the logistic function
        """
        first = replace(terms[0], body=sympy.S.Zero) if terms else None
        if any(replace(t, body=sympy.S.Zero) != first or t.bound for t in terms):
            return
        if first is None or first.guards:
            return
        whole = mirrored(Add(*(term.body for term in terms)))
        simpler = _added([replace(terms[0], body=sympy.expand(whole))])
        if whole != Add(*(term.body for term in terms)):
            terms = simpler
            yield "mirror", 0, terms
        for equation in self.calculus.forward.values():
            body = equation.terms[0].body
            if equation.reduction != "sum" or len(equation.terms) > 1:
                continue
            if equation.terms[0].bound or not isinstance(body, Function):
                continue
            saved = read(self.system.tensors[equation.tensor].symbol, *equation.indices)
            named = tuple(
                replace(t, body=t.body.xreplace({body: saved})) for t in terms
            )
            if named != terms:
                terms = named
                yield "substitute", self.calculus.numbers[equation.tensor], terms

    def _fold(
        self, term: Term, equation: Equation, body: Expr, parts: list[Expr]
    ) -> Term:
        places: dict[Expr, Expr] = {}
        here = bases(term.body)
        for part in parts:
            twin = next(
                (
                    b
                    for b in here
                    if isinstance(b, Indexed | Name) and tensor_of(b) == tensor_of(part)
                ),
                None,
            )
            if twin is None:
                return term
            for own, there in zip(
                subscripts_of(part), subscripts_of(twin), strict=True
            ):
                known = places.setdefault(own, there) if is_index(own) else own
                if known != there:
                    return term
        if not set(equation.indices) <= places.keys():
            return term
        rest = term.body / body.xreplace(places)
        names = {tensor_of(part) for part in parts}
        if any(tensor_of(r) in names for r in reads(rest)):
            return term
        saved = read(self.system.tensors[equation.tensor].symbol, *equation.indices)
        return replace(term, body=rest * saved.xreplace(places))

    @staticmethod
    def _read_freely(name: str, terms: tuple[Term, ...]) -> bool:
        """Whether a term reads one entry of the data: `p[k]*sum(y[m], m) - y[k]`.

        Nothing is gained by a sum of 1 where it stands alone.
        """
        return any(
            tensor_of(read) == name and not set(subscripts_of(read)) & set(term.bound)
            for term in terms
            for read in reads(term.body)
        )

    def _facts(
        self, terms: tuple[Term, ...], origin: str
    ) -> Iterator[tuple[str, tuple[Term, ...]]]:
        """Sums over all entries of a target, which may be known to be 1."""
        upstream = _upstream(origin, self.calculus.forward)
        for place, term in enumerate(terms):
            factors = Mul.make_args(term.body)
            for index in term.bound:
                inside = [f for f in factors if index in f.free_symbols]
                if len(inside) != 1 or not isinstance(inside[0], Indexed):
                    continue
                tensor = self.system.tensors[tensor_of(inside[0])]
                last = subscripts_of(inside[0])[-1] == index
                others = subscripts_of(inside[0])[:-1]
                data = tensor.role == "data" and tensor.name not in upstream
                if not (last and data) or any(index in s.free_symbols for s in others):
                    continue
                if term.guards or tensor.zero_outside or tensor.integer:
                    continue
                if not self._read_freely(tensor.name, terms):
                    continue
                bound = tuple(b for b in term.bound if b != index)
                known = replace(term, body=term.body / inside[0], bound=bound)
                terms = _added([*terms[:place], known, *terms[place + 1 :]])
                yield tensor.name, terms
                return


def _letters(expression: Expr) -> list[Name]:
    return [s for s in expression.free_symbols if isinstance(s, Name)]


def _gathered(term: Term, indices: tuple[Name, ...]) -> Term:
    """A scattered term with Kronecker's deltas instead of a target.

    `-1` added at `[y]` => `-[y = k]` for all k
    """
    if term.target is None:
        return term
    return replace(term, body=term.body * deltas(term.target, indices), target=None)


def _is_trivial(equation: Equation) -> bool:
    """Whether it only copies: one read, or a number."""
    if len(equation.terms) != 1:
        return False
    (term,) = equation.terms
    plain = isinstance(term.body, Indexed | Name) or term.body.is_Number
    return plain and not (term.bound or term.guards or term.target)


def _added(terms: list[Term]) -> tuple[Term, ...]:
    """Terms that differ in their bodies alone added up, those with a minus last."""
    sums: dict[Term, Expr] = {}
    for term in terms:
        key = replace(term, body=sympy.S.Zero)
        if term.bound or term.guards:
            key = term  # nothing is drawn together under a sum
        sums[key] = sums.get(key, sympy.S.Zero) + term.body
    found = [replace(key, body=body) for key, body in sums.items() if body != 0]
    opened: list[Term] = []
    for term in found:
        separate = term.body.is_Add and not term.bound and not term.guards
        parts = sympy.Add.make_args(term.body) if separate else (term.body,)
        opened += [replace(term, body=part) for part in parts]
    return tuple(sorted(opened, key=lambda t: t.body.could_extract_minus_sign()))


def _upstream(tensor: str, forward: Mapping[str, Equation]) -> set[str]:
    needs = {name: [tensor_of(r) for r in e.reads()] for name, e in forward.items()}
    return closure([tensor], needs)
