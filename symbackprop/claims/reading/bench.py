"""What a claim is read over: its program's equations, and the names beside them.

`delta1`, `delta_z1` and `dW1` name slopes of the objective, `f1` the activation of a
layer; new tensors, axes and equations are added while a claim is read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr

from symbackprop import scalars
from symbackprop.claims.claim import Slope, UndecidedError
from symbackprop.claims.reading.text import Parsed
from symbackprop.equations import (
    Axis,
    Equation,
    Name,
    System,
    Tensor,
    fresh,
    subscripts_of,
    tensor_of,
)
from symbackprop.grammar.normal import Placeholders, normal_form
from symbackprop.grammar.text import PI, flaw_of_name
from symbackprop.program import Program

IDENTITY = "I"
MOST_SLOPES = 16  # in one claim

SCALAR = System("", {}, {}, (), "")

Activation = tuple[str, tuple[Expr, ...], str]


@dataclass
class Workbench:
    """The system of a claim while it is read.

    Attributes:
        base: the program's forward equations, without a batch.
        names: of adjoints and gradients, `delta_z`, `delta1` or `dW`, and their
            tensors.
        functions: the activation of each layer: `f1` is a function of the table, its
            further arguments, and the tensor that it makes.
        split: tensors that were split off others when the program was read.
        means: whether a mean stands in the program.
        slopes: what each given tensor of slopes is.
        derived: slopes that were also written out, and the tensors that hold that.
    """

    base: System
    names: Mapping[str, str]
    functions: Mapping[str, Activation] = field(default_factory=dict)
    split: frozenset[str] = frozenset()
    means: bool = False
    axes: dict[str, Axis] = field(init=False)
    tensors: dict[str, Tensor] = field(init=False)
    equations: list[Equation] = field(init=False)
    slopes: dict[str, Slope] = field(init=False, default_factory=dict)
    derived: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.axes = dict(self.base.axes)
        self.tensors = dict(self.base.tensors)
        self.equations = list(self.base.equations)

    @property
    def system(self) -> System:
        """What is known so far; later tensors and axes appear in it."""
        return replace(self.base, axes=self.axes, tensors=self.tensors)

    def axes_of(self, name: str) -> tuple[str, ...] | None:
        """The axes of the tensor, or of the adjoint, that a name means."""
        tensor = self.tensors.get(name) or self.tensors.get(self.names.get(name, ""))
        return None if tensor is None else tensor.axes

    def tensor(self, stem: str, axes: tuple[str, ...], role: str = "defined") -> Tensor:
        """A new tensor; batched where the variables are, of a scalar claim."""
        name = fresh(stem, {*self.axes, *self.tensors, *self.base.constants})
        rank = 1 + max((t.rank for t in self.tensors.values()), default=-1)
        made = Tensor(name, axes, role, rank, self.base.batched)  # type: ignore[arg-type]
        self.tensors[name] = made
        return made

    def slope(self, of: str, by: str) -> Tensor:
        """The given tensor of `D(of, by)`; zero outside its axes.

        Raises:
            UndecidedError: there are too many of them.
        """
        for name, known in self.slopes.items():
            if known == Slope(of, by):
                return self.tensors[name]
        if len(self.slopes) == MOST_SLOPES:
            raise UndecidedError("many derivatives", most=str(MOST_SLOPES))
        axes = (*self.tensors[of].axes, *self.tensors[by].axes)
        made = self.tensor(f"D_{of}_{by}", axes, "data")
        self.tensors[made.name] = replace(made, zero_outside=True)
        self.slopes[made.name] = Slope(of, by)
        return self.tensors[made.name]

    def define(
        self, stem: str, indices: tuple[Name, ...], body: Expr, table: Placeholders
    ) -> Tensor:
        """A new tensor with its equation."""
        made = self.tensor(stem, tuple(str(index) for index in indices))
        self.equations += normal_form(made, indices, body, table, 0, self.tensor)
        return made

    def depends_on_slopes(self, expression: Expr, table: Placeholders) -> bool:
        """Whether a slope is read, in a reduction or not."""
        symbols = set(expression.free_symbols)
        for reduced in table.reductions.values():
            symbols |= reduced.body.free_symbols
        return any(str(symbol) in self.slopes for symbol in symbols)


def workbench(program: Program | None) -> Workbench:
    """The program without its batch, and the names that claims know beside its own."""
    if program is None:
        return Workbench(SCALAR, {})
    tensors = {n: replace(t, batched=False) for n, t in program.tensors.items()}
    base = replace(program.plain(), tensors=tensors)
    names: dict[str, str] = {}
    for tensor in tensors.values():
        if tensor.integer:
            continue
        names[f"delta_{tensor.name}"] = tensor.name
        if tensor.name.startswith("z"):
            names.setdefault(f"delta{tensor.name[1:]}", tensor.name)
        if tensor.role == "parameter":
            names.setdefault(f"d{tensor.name}", tensor.name)
    names = {n: t for n, t in names.items() if n not in tensors}
    means = re.search(r"\bmean\b", program.text) is not None
    split = frozenset(program.split)
    return Workbench(base, names, _activations(base), split, means)


def _activations(base: System) -> dict[str, Activation]:
    """`a2[i] = tanh(z2[i])` => `f2` is tanh."""
    found: dict[str, Activation] = {}
    for equation in base.equations:
        body = equation.terms[0].body
        row = scalars.row_of(body)
        alone = equation.reduction == "sum" and len(equation.terms) == 1
        if row is None or not row.activation or not alone or equation.terms[0].bound:
            continue
        source = body.args[0]
        plain = source.is_Indexed or isinstance(source, Name)
        if plain and subscripts_of(source) == equation.indices:
            name = tensor_of(source)
            if name.startswith("z"):
                found[f"f{name[1:]}"] = row.name, tuple(body.args[1:]), equation.tensor
    return found


def _names(sides: Iterable[ast.expr]) -> tuple[list[str], list[str]]:
    """The names that stand alone in some sides, and those of functions."""
    functions: dict[str, None] = {}
    found: dict[str, None] = {}
    for root in sides:
        names = [n for n in ast.walk(root) if isinstance(n, ast.Name)]
        calls = {id(n.func) for n in ast.walk(root) if isinstance(n, ast.Call)}
        for name in sorted(names, key=lambda n: (n.lineno, n.col_offset)):
            (functions if id(name) in calls else found)[name.id] = None
    return list(found), list(functions)


def variables(parsed: Parsed, sides: Sequence[ast.expr] = ()) -> list[str]:
    """The names in a claim, or in some sides, in the order of the text."""
    condition = [] if parsed.condition is None else [parsed.condition]
    return _names(sides or (*parsed.sides, *condition))[0]


def called(parsed: Parsed) -> list[str]:
    """The functions that a claim names, without primes."""
    return [name.rstrip("_") for name in _names(parsed.sides)[1]]


def form_of(parsed: Parsed, bench: Workbench) -> tuple[str, Workbench]:
    """The form of a claim, and what it is read over.

    "scalar": no subscript, no matrix, nothing of the program but given tensors that a
    function is taken of, and so about numbers;
    "matrix": an operator of matrix form, or a tensor with axes that stands whole;
    else "index".
    """
    base, names = bench.base, {*variables(parsed)}
    own = {e.tensor for e in base.equations} | {*bench.names} | {*base.constants}
    own |= {tensor.name for tensor in base.data if tensor.integer}
    functions = any(name in scalars.TABLE for name in called(parsed))
    unknown = bool(names - {*base.tensors, IDENTITY, PI})
    numbers = not (parsed.subscripted or parsed.matrix or own & names)
    numbers = numbers and (functions or unknown)
    if numbers or not bench.base.equations:
        return "scalar", _scalar_workbench(parsed)
    if parsed.relations[0] == "<-":
        _add_rates(parsed, bench)
    read = [tensor_and_parts(n) for side in parsed.sides for n in _reads(side)]
    whole = any(len(parts) < len(bench.axes_of(name) or ()) for name, parts in read)
    return ("matrix" if whole or parsed.matrix else "index"), bench


def _reads(side: ast.expr) -> Iterator[ast.expr]:
    """Names with the subscripts that they have."""
    owners = {id(n.value) for n in ast.walk(side) if isinstance(n, ast.Subscript)}
    for node in ast.walk(side):
        if isinstance(node, ast.Name | ast.Subscript) and id(node) not in owners:
            yield node


def tensor_and_parts(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """`h[t, i]` => `h` and its subscripts; "" for anything else."""
    match node:
        case ast.Name(id=name):
            return name, []
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=parts)):
            return name, parts
        case ast.Subscript(value=ast.Name(id=name), slice=part):
            return name, [part]
    return "", []


def _add_rates(parsed: Parsed, bench: Workbench) -> None:
    """The names of an update rule that nothing declares, such as the rate: numbers."""
    inside = {
        node.id
        for side in parsed.sides
        for outer in ast.walk(side)
        if isinstance(outer, ast.Subscript)
        for node in ast.walk(outer.slice)
        if isinstance(node, ast.Name)
    }
    known = {*bench.base.constants, *bench.base.axes, *inside, PI}
    for name in variables(parsed, parsed.sides[1:]):
        if bench.axes_of(name) is None and name not in known and not flaw_of_name(name):
            rank = 1 + max(t.rank for t in bench.tensors.values())
            bench.tensors[name] = Tensor(name, (), "data", rank)


def _scalar_workbench(parsed: Parsed) -> Workbench:
    """Each name a real variable; many points at once are the batch."""
    names = [n for n in variables(parsed) if n != PI and not flaw_of_name(n)]
    tensors = {
        name: Tensor(name, (), "data", rank, batched=True)
        for rank, name in enumerate(names)
    }
    if not tensors:  # a claim about numbers alone is judged at one all the same
        tensors = {"any": Tensor("any", (), "data", 0, batched=True)}
    return Workbench(replace(SCALAR, tensors=tensors), {})
