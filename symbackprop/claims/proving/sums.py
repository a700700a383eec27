"""Sums of products in a normal form in which equal ones are literally equal.

    sum over m of (a + b[m])*W[m, i]  =>  sum over k of a*W[k, i] + sum over k of ...

Products are multiplied out, Kronecker's deltas collapsed, choices between indices made
into deltas, bounds that cannot be left dropped, and bound letters named by where they
stand. A sum over all entries of data that add up to 1 is 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations, product

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow, S

from symbackprop.argument.lines import collapse, kronecker
from symbackprop.claims.claim import Claim
from symbackprop.claims.proving.choices import indicated
from symbackprop.claims.proving.quotients import TooHardError
from symbackprop.claims.proving.statements import free
from symbackprop.equations import (
    Axis,
    Guard,
    Name,
    System,
    Term,
    affine,
    by_rank,
    can_leave,
    fresh,
    is_index,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.witnesses.draws import shrink

MOST_ADDENDS, MOST_NAMINGS = 60, 48
MOST = 3_000  # operations in a product that is multiplied out

PLACES = ("argmax", "argmin")

Terms = tuple[Term, ...]


@dataclass
class Sums:
    """Normal forms over the system of one claim.

    Attributes:
        claim: the claim.
        system: the claim's, with letters to spare.
    """

    claim: Claim
    system: System = field(init=False)

    def __post_init__(self) -> None:
        self.system = self.claim.system
        small = shrink(self.claim.system)
        self.kinds = {
            name: (axis.size, small.size(name))
            for name, axis in self.system.axes.items()
        }
        self.integers = {n for n, t in self.system.tensors.items() if t.integer}
        self.integers |= {
            e.tensor for e in self.system.equations if e.reduction in PLACES
        }
        self.free = frozenset(free(self.claim))
        self.pools: dict[tuple[int, int], list[Name]] = {}
        count = len(self.claim.base.equations)
        bound = [
            index
            for equation in self.claim.system.equations[count:]
            for term in equation.terms
            for index in term.bound
        ]
        declared = [axis.index for axis in self.claim.base.axes.values()]
        for index in dict.fromkeys([*bound, *declared]):
            if index not in self.free:
                self.pools.setdefault(self.kinds[index.name], []).append(index)

    # --- letters ---------------------------------------------------------------------

    def letter(self, like: Name, taken: Collection[Name]) -> Name:
        """A letter over the same axis that is not taken."""
        kind = self.kinds[like.name]
        for index in self.pools.setdefault(kind, []):
            if index not in taken:
                return index
        axis = self.system.axes[like.name]
        root = axis.of or axis.name
        names = {*self.system.axes, *self.system.tensors, *self.system.constants}
        rank = 1 + max(a.rank for a in self.system.axes.values())
        made = Axis(fresh(root, names), axis.size, rank, root)
        self.system = replace(self.system, axes={**self.system.axes, made.name: made})
        self.kinds[made.name] = kind
        self.pools[kind].append(made.index)
        return made.index

    def apart(self, bound: Iterable[Name], taken: set[Name]) -> dict[Name, Name]:
        """New letters for bound ones; they are taken from then on."""
        found: dict[Name, Name] = {}
        for index in bound:
            found[index] = self.letter(index, taken)
            taken.add(found[index])
        return found

    def whole(self, read: Expr) -> bool:
        """Whether a read is a whole number: integer data, or where a maximum is."""
        return tensor_of(read) in self.integers

    # --- normal form -----------------------------------------------------------------

    def normal(self, terms: Iterable[Term]) -> Terms:
        """The normal form of a sum of terms; () where it is formally 0."""
        sums: dict[Term, Expr] = {}
        for term in terms:
            body = indicated(term.body, self.whole)
            if body.count_ops() > MOST:
                raise TooHardError
            multiplied = sympy.expand(
                body, power_base=False, power_exp=False, log=False
            )
            for addend in Add.make_args(multiplied):
                for part in self._settled(replace(term, body=addend)):
                    number, core = part.body.as_coeff_Mul()
                    key = replace(part, body=core)
                    sums[key] = sums.get(key, S.Zero) + number
                    if len(sums) > MOST_ADDENDS:
                        raise TooHardError
        found = [replace(t, body=n * t.body) for t, n in sums.items() if n != 0]
        return tuple(sorted(found, key=lambda t: (len(t.bound), by_rank(t.body))))

    def _settled(self, term: Term) -> Iterator[Term]:
        """One product with its deltas collapsed and its letters named; none if 0."""
        body = Mul(
            *(f.base if _is_power_of_delta(f) else f for f in Mul.make_args(term.body))
        )
        term = collapse(replace(term, body=body), self.system, term.bound)
        settled = self._free_deltas(term)
        if settled is None or settled.body == 0:
            return
        if settled.body.is_Add or _undone(settled.body):
            yield from self._again(settled)
            return
        guards = self._guards(settled)
        if guards is None:
            return
        yield self._named(replace(settled, guards=guards))

    def _again(self, term: Term) -> Iterator[Term]:
        for addend in Add.make_args(sympy.expand_mul(term.body)):
            yield from self._settled(replace(term, body=addend))

    def _free_deltas(self, term: Term) -> Term | None:
        """Deltas between free letters: one letter stands for the other beside them."""
        factors = list(Mul.make_args(term.body))
        kept: list[Expr] = []
        while True:
            delta = next((f for f in factors if f.func is kronecker), None)
            if delta is None:
                return replace(term, body=Mul(*factors, *kept))
            factors.remove(delta)
            difference = sympy.expand(delta.args[0] - delta.args[1])
            if difference == 0:
                continue
            if difference.is_number:
                return None
            letter, value = self._solved(difference)
            if letter is None or value is None:
                kept.append(_delta(difference))
                continue
            here = {letter: value}
            factors = [
                f for part in factors for f in Mul.make_args(part.xreplace(here))
            ]
            kept = [part.xreplace(here) for part in kept]
            guards = tuple(
                replace(g, subscript=g.subscript.xreplace(here)) for g in term.guards
            )
            term = replace(term, guards=guards)
            kept.append(kronecker(letter, value))

    def _solved(self, difference: Expr) -> tuple[Name | None, Expr | None]:
        """A letter and what it is, where that never leaves its axis."""
        inside = {s for r in reads(difference) for s in r.free_symbols}
        letters = [
            s for s in difference.free_symbols if is_index(s) and s not in inside
        ]
        for letter in sorted(letters, key=lambda s: (s.rank, s.name), reverse=True):
            factor = difference.coeff(letter)
            if factor not in (1, -1):
                continue
            value = sympy.expand(-factor * (difference - factor * letter))
            if affine(value) is None:
                continue
            if is_index(value) and self.kinds[value.name] == self.kinds[letter.name]:
                return letter, value
            if value.is_Integer and 0 <= value < self.kinds[letter.name][1]:
                return letter, value
        return None, None

    def _guards(self, term: Term) -> tuple[Guard, ...] | None:
        """The guards that can fail, those of factors too; None where one never holds.

        `h[t + 1]*a` => `h[t + 1]*a` where t + 1 is a step
        """
        found: dict[tuple[Expr, int], Guard] = {}
        for guard in (*term.guards, *guards_of(term.body, self.system)):
            axis = self.system.axes[guard.axis]
            subscript = sympy.expand(guard.subscript)
            if subscript.is_Integer and not 0 <= subscript < axis.size:
                return None
            if can_leave(subscript, axis, self.system):
                key = subscript, axis.size
                found.setdefault(key, Guard(subscript, axis.of or axis.name))
        return tuple(sorted(found.values(), key=lambda g: by_rank(g.subscript)))

    def known(self, term: Term, facts: Collection[str]) -> Term:
        """`sum over k of y[k]*a` => `a`, where the entries of y add up to 1.

        Args:
            facts: data whose entries add up to 1 along their last axis.
        """
        for index in term.bound:
            holders = [f for f in Mul.make_args(term.body) if index in f.free_symbols]
            if len(holders) != 1 or not isinstance(holders[0], Indexed):
                continue
            (factor,) = holders
            *others, last = subscripts_of(factor)
            guarded = any(index in g.subscript.free_symbols for g in term.guards)
            if (
                tensor_of(factor) in facts
                and last == index
                and not any(index in s.free_symbols for s in others)
                and not guarded
            ):
                bound = tuple(b for b in term.bound if b != index)
                less = replace(term, body=term.body / factor, bound=bound)
                return self.known(less, facts)
        return term

    def _named(self, term: Term) -> Term:
        """Bound letters in the names that make the term come first."""
        groups: dict[tuple[int, int], list[Name]] = {}
        for index in term.bound:
            groups.setdefault(self.kinds[index.name], []).append(index)
        taken = {*self.free}
        choices: list[list[dict[Name, Name]]] = []
        for members in groups.values():
            letters: list[Name] = []
            for index in members:
                letters.append(self.letter(index, {*taken, *letters}))
            choices.append(
                [
                    dict(zip(order, letters, strict=True))
                    for order in permutations(members)
                ]
            )
        best: tuple[object, Term] | None = None
        for number, chosen in enumerate(product(*choices)):
            if number >= MOST_NAMINGS:
                raise TooHardError
            names = {old: new for one in chosen for old, new in one.items()}
            renamed = self._renamed(term, names)
            key = (
                by_rank(renamed.body),
                *(by_rank(g.subscript) for g in renamed.guards),
            )
            if best is None or key < best[0]:  # type: ignore[operator]
                best = key, renamed
        assert best is not None
        return best[1]

    def _renamed(self, term: Term, names: Mapping[Name, Name]) -> Term:
        guards = sorted(
            (
                replace(g, subscript=sympy.expand(g.subscript.xreplace(names)))
                for g in term.guards
            ),
            key=lambda g: by_rank(g.subscript),
        )
        bound = sorted((names[b] for b in term.bound), key=lambda b: (b.rank, b.name))
        return Term(term.body.xreplace(names), tuple(bound), tuple(guards))

    # --- substitution ----------------------------------------------------------------

    def joined(
        self,
        term: Term,
        factor: Expr,
        indices: Sequence[Name],
        inner: Iterable[Term],
        guarded: bool = True,
    ) -> Iterator[Term]:
        """A term in which a factor is replaced by what it is: a sum over its indices.

        `W[k, i]*z[k]`, `z[i] = sum(V[i, j]*x[j], j)` => `W[k, i]*V[k, j]*x[j]`

        Args:
            guarded: whether the factor is 0 outside of its axes, and `inner` is not.
        """
        outside = self._outside(factor) if guarded else ()
        for part in inner:
            symbols = {s for s in term.body.free_symbols if is_index(s)}
            taken = {*self.free, *term.bound, *symbols, *part.bound}
            taken |= {s for s in part.body.free_symbols if is_index(s)}
            names: dict[Expr, Expr] = {**self.apart(part.bound, taken)}
            at = zip(indices, subscripts_of(factor), strict=True) if indices else ()
            places = {**names, **dict(at)}
            guards = tuple(
                replace(g, subscript=g.subscript.xreplace(places)) for g in part.guards
            )
            yield Term(
                (term.body / factor) * part.body.xreplace(places),
                (*term.bound, *(b.xreplace(names) for b in part.bound)),
                (*term.guards, *guards, *outside),
            )

    def _outside(self, read: Expr) -> tuple[Guard, ...]:
        """Where a read that is 0 outside of its axes stays inside."""
        tensor = self.system.tensors[tensor_of(read)]
        return tuple(
            Guard(subscript, axis)
            for subscript, axis in zip(subscripts_of(read), tensor.axes, strict=True)
            if can_leave(subscript, self.system.axes[axis], self.system)
        )

    def leaves(self, read: Expr) -> bool:
        """Whether a read may leave the axes of its tensor."""
        return bool(self._outside(read))


def _delta(difference: Expr) -> Expr:
    """`token[t] - v` => `delta(token[t], v)`, whichever sign it has."""
    if difference.could_extract_minus_sign():
        difference = -difference
    parts = Add.make_args(difference)
    below = [part for part in parts if part.could_extract_minus_sign()]
    above = [part for part in parts if part not in below]
    return kronecker(Add(*above), -Add(*below))


def guards_of(body: Expr, system: System) -> list[Guard]:
    """Where the factors of a product that are 0 outside of their axes stay inside."""
    found = []
    for factor in Mul.make_args(body):
        if not isinstance(factor, Indexed):
            continue
        tensor = system.tensors[tensor_of(factor)]
        if tensor.zero_outside:
            places = zip(subscripts_of(factor), tensor.axes, strict=True)
            found += [Guard(subscript, axis) for subscript, axis in places]
    return found


def _is_power_of_delta(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.base.func is kronecker


def _undone(body: Expr) -> bool:
    """Whether a factor of a product is a sum."""
    return any(factor.is_Add for factor in Mul.make_args(body))
