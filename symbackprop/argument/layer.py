"""A general layer, derived: what backpropagation is for any activation and any depth.

A window of three layers is cut out of a network where two of its layers state the same
equations: `z = W a + b` and `a = f(z)`. What comes after the window is known by its
error term alone. The activation is abstract: the proof comes out the same for several
activations of the table, and is judged for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Function, Indexed

from symbackprop.argument.chain import Calculus
from symbackprop.argument.expansion import Expansion
from symbackprop.argument.judge import Judge
from symbackprop.argument.lines import Line, Proof
from symbackprop.canonical import rename_equation, standard_names
from symbackprop.derivation import differentiate
from symbackprop.equations import (
    Axis,
    Equation,
    Name,
    System,
    Tensor,
    Term,
    defined_by,
    is_index,
    read,
    reads,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import CheckError
from symbackprop.formula import formula
from symbackprop.program import Program
from symbackprop.proof import Derivation
from symbackprop.scalars import TABLE, symbol

STAND_INS = ("tanh", "logistic", "softplus")  # activations that the proof is judged for
ABSTRACT = "f"  # what the activation is called in the lines
LETTERS = "ijkpqrstuvmnhcdw"


@dataclass(frozen=True)
class GeneralLayer:
    """The window and its proofs.

    Attributes:
        system: its tensors and letters.
        origins: for each tensor the network's tensor that it stands for, and its layer
            as counted from the general one: -1, 0 or 1.
        forward: the equations of pre-activation, activation and next pre-activation.
        recursion: the error term from the next layer's.
        proofs: the chain rule for the activation, the error term and the parameters.
        adjoint_of: the tensor that each adjoint belongs to.
        slopes: the adjoints of parameters.
    """

    system: System
    origins: Mapping[str, tuple[str, int]]
    forward: tuple[Line, ...]
    recursion: Proof
    proofs: tuple[Proof, ...]
    adjoint_of: Mapping[str, str]
    slopes: frozenset[str]


def general_layer(derivation: Derivation) -> GeneralLayer | None:
    """The general layer of a network; None where no two layers are of one form.

    Raises:
        CheckError: the proof depends on the activation, or a witness refutes it.
    """
    window = _window(derivation)
    if window is None:
        return None
    found = [_proved(derivation, window, name) for name in STAND_INS]
    first = found[0]
    for other in found[1:]:
        if _lines(other) != _lines(first):
            raise CheckError(
                f"{derivation.name}: the recursion of a general layer came out "
                "differently for different activations. Please report this program."
            )
    return first


def _lines(layer: GeneralLayer) -> list[tuple[Line, ...]]:
    return [layer.forward, *(p.lines for p in (layer.recursion, *layer.proofs))]


# --- the window ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Window:
    """The equations of a layer and the next one's pre-activation."""

    linear: Equation
    activation: Equation
    following: Equation


def _window(derivation: Derivation) -> _Window | None:
    """The first layer that is followed by one of the same form."""
    system = derivation.system
    equations = defined_by(replace(system, equations=derivation.forward))
    for following in derivation.forward:
        for tensor in dict.fromkeys(tensor_of(r) for r in following.reads()):
            activation = equations.get(tensor)
            linear = activation and equations.get(_applied_to(activation) or "")
            if (
                activation is None
                or linear is None
                or not _is_plain(following)
                or _form(linear, system) != _form(following, system)
                or not _reads_whole(following, activation)
                or not _reads_one_defined(linear, system)
                or not _reads_one_defined(following, system)
            ):
                continue
            return _Window(linear, activation, following)
    return None


def _is_plain(equation: Equation) -> bool:
    """Whether it is a sum over whole axes, read by plain letters."""
    return equation.reduction == "sum" and not any(
        term.guards
        or term.target is not None
        or not all(is_index(s) for r in reads(term.body) for s in subscripts_of(r))
        for term in equation.terms
    )


def _reads_one_defined(equation: Equation, system: System) -> bool:
    """Whether all else that it reads are parameters and data.

    Weights that are computed, as normalised ones are, would be cut off from what
    computes them.
    """
    names = {tensor_of(read) for read in equation.reads()}
    return sum(system.tensors[name].role == "defined" for name in names) <= 1


def _form(equation: Equation, system: System) -> Equation:
    return rename_equation(equation, standard_names([equation], system))


def _applied_to(equation: Equation) -> str | None:
    """The tensor that the equation is an elementwise activation of."""
    body = equation.terms[0].body
    if len(equation.terms) != 1 or equation.terms[0].bound or not body.args:
        return None
    row = TABLE.get(body.func.__name__)
    inside = body.args[0]
    whole = isinstance(inside, Indexed) and subscripts_of(inside) == equation.indices
    # An activation that learns has parameters that f alone would hide.
    alone = all(argument.is_number for argument in body.args[1:])
    return tensor_of(inside) if row and row.activation and whole and alone else None


def _reads_whole(following: Equation, activation: Equation) -> bool:
    """Whether the activation is read once, summed over all of its axes."""
    found = {r for r in following.reads() if tensor_of(r) == activation.tensor}
    if len(found) != 1:
        return False
    subscripts = subscripts_of(found.pop())
    bound = {b for term in following.terms for b in term.bound}
    return set(subscripts) <= bound and len(set(subscripts)) == len(subscripts)


# --- the window as a program ---------------------------------------------------------


class _Cut:
    """The window under names of its own; after it stands a sum weighted by `g`.

    The slope of that sum by the next layer's pre-activation is `g`: whatever its error
    term is.
    """

    def __init__(self, derivation: Derivation, window: _Window, name: str) -> None:
        self.system = derivation.system
        self.tensors: dict[str, Tensor] = {}
        self.origins: dict[str, tuple[str, int]] = {}
        self.axes: dict[str, Axis] = {}
        # What the network's tensors are called, but for their numbers.
        self.stems = {name.rstrip("0123456789_") for name in self.system.tensors}
        linear, activation, following = (
            window.linear,
            window.activation,
            window.following,
        )
        self.inner = (linear.tensor, activation.tensor)
        own = [self._letter(index) for index in linear.indices]
        pre = activation.terms[0].body.args[0]
        applied = replace(activation, terms=(Term(TABLE[name].call(pre)),))
        seen = next(r for r in following.reads() if tensor_of(r) == activation.tensor)
        self.equations = [
            self._equation(linear, 0, dict(zip(linear.indices, own, strict=True))),
            self._equation(applied, 0, dict(zip(applied.indices, own, strict=True))),
            self._equation(
                following, 1, dict(zip(subscripts_of(seen), own, strict=True))
            ),
        ]

    def _letter(self, index: Name) -> Axis:
        """A new letter with the size of an index."""
        place = len(self.axes)
        letters = [letter for letter in LETTERS if letter not in self.stems]
        name = letters[place] if place < len(letters) else f"i{place}"
        self.axes[name] = Axis(name, self.system.size(index), place)
        return self.axes[name]

    def _equation(
        self, equation: Equation, layer: int, letters: dict[Expr, Axis]
    ) -> Equation:
        """An equation of the network in the window's names; some letters are known."""
        bound = [b for term in equation.terms for b in term.bound]
        for index in (*equation.indices, *bound):
            if index not in letters:
                letters[index] = self._letter(index)
        moved = {old: axis.index for old, axis in letters.items()}
        places = {}
        for r in equation.reads():
            at = tuple(letters[s] for s in subscripts_of(r))
            tensor = self._tensor(tensor_of(r), layer, at)
            places[r] = tensor.read(*(axis.index for axis in at))
        terms = tuple(
            Term(t.body.xreplace(places), tuple(moved[b] for b in t.bound))
            for t in equation.terms
        )
        own = tuple(letters[index] for index in equation.indices)
        left = self._tensor(equation.tensor, layer, own).name
        return Equation(left, tuple(axis.index for axis in own), terms)

    def _tensor(self, old: str, layer: int, axes: tuple[Axis, ...]) -> Tensor:
        """The tensor that stands for one of the network's, seen from a layer."""
        was = self.system.tensors[old]
        outside = old not in self.inner and was.role != "parameter"
        role = "data" if outside and layer < 1 else was.role
        at = 0 if old in self.inner else layer - 1 if role == "data" else layer
        for name, origin in self.origins.items():
            if origin == (old, at):
                return self.tensors[name]
        name, rank = f"t{len(self.tensors)}", len(self.tensors)
        letters = tuple(axis.name for axis in axes)
        made = Tensor(name, letters, role, rank, was.batched)
        self.tensors[name], self.origins[name] = made, (old, at)
        return made

    def program(self) -> Program:
        """The window declared."""
        last = self.equations[-1]
        weights = replace(
            self.tensors[last.tensor], name="g", role="data", rank=len(self.tensors)
        )
        output = self.tensors[last.tensor]
        total = weights.read(*last.indices) * output.read(*last.indices)
        tensors = {**self.tensors, "g": weights}
        tensors["L"] = Tensor("L", (), "defined", len(tensors))
        objective = Equation("L", (), (Term(total, last.indices),))
        system = System("layer", self.axes, tensors, (), "L")

        def declared(role: str) -> dict[str, str]:
            return {n: " ".join(t.axes) for n, t in tensors.items() if t.role == role}

        return Program(
            equations="\n".join(
                formula(e, system) for e in (*self.equations, objective)
            ),
            axes={name: axis.size for name, axis in self.axes.items()},
            parameters=declared("parameter"),
            data=declared("data"),
            batched=[n for n in declared("data") if tensors[n].batched],
            objective="L",
            name="layer",
        )


# --- its proofs ----------------------------------------------------------------------


def _proved(derivation: Derivation, window: _Window, name: str) -> GeneralLayer:
    """The proofs for one activation, its name then replaced by an abstract one."""
    cut = _Cut(derivation, window, name)
    program, origins = cut.program(), cut.origins
    derived = differentiate(program)
    calculus = replace(Calculus.of(derived), slopes={})
    opaque = {
        adjoint: tuple(step.opaque for step in steps)
        for adjoint, steps in derived.steps.items()
    }
    adjoint = [
        replace(e, terms=opaque[e.tensor])
        for e in derived.adjoint
        if e.tensor in derived.adjoint_of
    ]
    judge = Judge(derived, calculus.system)
    parts = [equation.tensor for equation in cut.equations]
    linear, activation, following = parts
    kept = {calculus.adjoint[following], calculus.adjoint[linear]}
    recursion = Expansion(calculus, adjoint, kept).of(calculus.adjoint[linear])
    assert recursion is not None
    parameters = [p.name for p in program.parameters if origins[p.name][1] == 0]
    equations = {e.tensor: e for e in adjoint}
    proofs = []
    for tensor in (activation, linear, *parameters):
        made = equations[calculus.adjoint[tensor]]
        proofs.append(calculus.chain(tensor, made.terms, made))
    forward = tuple(
        Line(read(derived.system.tensors[t].symbol, *e.indices), e.indices, e.terms, "")
        for t, e in ((t, calculus.forward[t]) for t in parts)
    )

    def judged(proof: Proof) -> Proof:
        return _abstract(judge.judged(proof), name)

    return GeneralLayer(
        calculus.system,
        origins,
        _abstract(Proof(forward), name).lines,
        judged(recursion),
        tuple(map(judged, proofs)),
        derived.adjoint_of,
        frozenset(derived.slopes.values()),
    )


def _abstract(proof: Proof, name: str) -> Proof:
    """`tanh(z)`, `slope_tanh_1(z)` => `f(z)`, `slope_f_1(z)`."""
    renamed = {name: ABSTRACT, f"slope_{name}_1": f"slope_{ABSTRACT}_1"}

    def walk(expression: Expr) -> Expr:
        if not expression.args or isinstance(expression, Indexed):
            return expression
        arguments = [walk(argument) for argument in expression.args]
        called = expression.func.__name__
        if isinstance(expression, Function) and called in renamed:
            return symbol(renamed[called], 1)(*arguments)
        return expression.func(*arguments)

    lines = tuple(
        replace(
            line,
            terms=tuple(replace(t, body=walk(t.body)) for t in line.terms),
            uses=(),
            number=None,
        )
        for line in proof.lines
    )
    return replace(proof, lines=lines)
