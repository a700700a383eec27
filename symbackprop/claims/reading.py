"""A claim's text -> equations over its program, by the grammar of equation texts.

    D(L, W[i, j]) = delta[i] * x[j]
    => left[i, j] = D_L_W[i, j] ; right[i, j] = delta_z[i]*x[j]

Slopes are given tensors, filled in by a witness. What is differentiated becomes a
tensor of its own, where it is not one already.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Dummy, Expr, S, Symbol

from symbackprop import scalars
from symbackprop.claims.claim import Claim, MisfitError, Slope, UndecidedError
from symbackprop.claims.letters import resolve
from symbackprop.claims.text import Parsed
from symbackprop.equations import (
    Axis,
    Equation,
    Name,
    System,
    Tensor,
    fresh,
    indices_of,
    subscripts_of,
    tensor_of,
)
from symbackprop.errors import ShapeError, nearest
from symbackprop.grammar.expressions import Reader
from symbackprop.grammar.normal import Placeholders, normal_form
from symbackprop.grammar.text import FUNCTIONS, flaw_of_name

SCALAR = System("", {}, {}, (), "")


@dataclass
class Workbench:
    """The system of a claim while it is read.

    Attributes:
        base: the program's forward equations, without a batch.
        names: of adjoints and gradients, `delta_z`, `delta1` or `dW`, and their
            tensors.
        functions: the activation of each layer: `f1` is a function of the table and
            its further arguments, over the indices of the tensor it makes.
    """

    base: System
    names: Mapping[str, str]
    functions: Mapping[str, tuple[str, tuple[Expr, ...], tuple[Name, ...]]]
    axes: dict[str, Axis] = field(init=False)
    tensors: dict[str, Tensor] = field(init=False)
    equations: list[Equation] = field(init=False)
    slopes: dict[str, Slope] = field(default_factory=dict)

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
        """The given tensor of `D(of, by)`; zero outside its axes."""
        for name, known in self.slopes.items():
            if known == Slope(of, by):
                return self.tensors[name]
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


@dataclass
class ClaimReader(Reader):
    """Reads one side: the grammar, `D(A, B)`, `f'(x)`, and names of error terms."""

    bench: Workbench = field(kw_only=True)

    def _name(self, node: ast.Name, scope: tuple[Name, ...]) -> Expr:
        slope = self._adjoint(node.id)
        return (
            self._tensor(node, slope, [], scope)
            if slope
            else super()._name(node, scope)
        )

    def _read(self, node: ast.Subscript, scope: tuple[Name, ...]) -> Expr:
        slope = self._adjoint(node.value.id) if isinstance(node.value, ast.Name) else ""
        if not slope:
            return super()._read(node, scope)
        inside = node.slice
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        return self._tensor(node, slope, list(parts), scope)

    def _adjoint(self, name: str) -> str:
        """The tensor of slopes that `delta1` or `dW` means; "" where it is neither."""
        if name in self.bench.base.tensors or name not in self.bench.names:
            return ""
        objective = self.bench.base.objective
        return self.bench.slope(objective, self.bench.names[name]).name

    def _known(self) -> set[str]:
        return super()._known() | {*self.bench.names} - {*self.bench.slopes}

    def _call(self, node: ast.Call, scope: tuple[Name, ...]) -> Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        stem = name.rstrip("_")
        if name == "D":
            if len(node.args) != 2:
                self.refuse(node, "`D` takes what is differentiated, and by what.")
            of = self.expression(node.args[0], scope)
            return self.derivative(of, self.variable(node.args[1], scope), node, scope)
        if name not in FUNCTIONS and stem in {*FUNCTIONS, *self.bench.functions}:
            values = [self.expression(argument, scope) for argument in node.args]
            return self.function(node, name, values, scope)
        return super()._call(node, scope)

    def variable(self, node: ast.expr, scope: tuple[Name, ...]) -> Expr:
        """What a derivative is taken by: an entry of a tensor."""
        self.check_variable(node.value if isinstance(node, ast.Subscript) else node)
        return self.expression(node, scope)

    def check_variable(self, node: ast.expr) -> None:
        """Refuse what nothing can be differentiated by."""
        name = node.id if isinstance(node, ast.Name) else ""
        tensor = self.bench.base.tensors.get(name)
        if tensor is None:
            self.refuse(
                node,
                "a derivative is taken by an entry of a tensor, as in `D(L, W[i, j])`, "
                f"or by a variable.{nearest(name, self._known())}",
            )
        if tensor.integer:
            self.refuse(node, f"`{name}` is whole numbers; it has no slopes.")

    def derivative(
        self, of: Expr, by: Expr, node: ast.AST, scope: tuple[Name, ...]
    ) -> Expr:
        """`D(of, by)`, read from a tensor of slopes."""
        if self.bench.depends_on_slopes(of, self._inside(of)):
            raise UndecidedError("second derivative")
        source, places = self.source(of, scope)
        slope = self.bench.slope(source, tensor_of(by))
        return slope.read(*places, *subscripts_of(by))

    def source(self, of: Expr, scope: tuple[Name, ...]) -> tuple[str, tuple[Expr, ...]]:
        """The tensor of an expression and where to read it; a new one if need be."""
        plain = of.is_Indexed or isinstance(of, Name)
        if plain and not isinstance(of, Dummy) and tensor_of(of) in self.bench.tensors:
            return tensor_of(of), subscripts_of(of)
        letters = self._letters(of, scope)
        made = self.bench.define("part", letters, of, self.placeholders)
        return made.name, letters

    def _inside(self, expression: Expr) -> Placeholders:
        """The reductions in an expression, with those inside of them."""
        found = Placeholders()
        agenda = [expression]
        while agenda:
            for place in agenda.pop().atoms(Dummy) & {*self.placeholders.reductions}:
                if place not in found.reductions:
                    found.reductions[place] = self.placeholders.reductions[place]
                    agenda.append(found.reductions[place].body)
        return found

    def _letters(self, expression: Expr, scope: tuple[Name, ...]) -> tuple[Name, ...]:
        """The open indices that an expression depends on."""
        free: set[Symbol] = set(indices_of(expression))
        for reduced in self._inside(expression).reductions.values():
            free |= set(indices_of(reduced.body)) - set(reduced.bound)
        return tuple(index for index in scope if index in free)

    def function(
        self, node: ast.Call, name: str, values: list[Expr], scope: tuple[Name, ...]
    ) -> Expr:
        """`tanh(z[i])`, `tanh'(z[i])`, `f2(z2[i])` and `f2'(z2[i])`, of values."""
        stem = name.rstrip("_")
        function = stem
        if stem in self.bench.functions:
            function, others, indices = self.bench.functions[stem]
            if len(values) != 1:
                self.refuse(node, f"`{stem}` is a function of one argument.")
            places = dict(zip(indices, subscripts_of(values[0]), strict=False))
            values = values + [other.xreplace(places) for other in others]
            if any(set(indices_of(v)) - set(scope) for v in values):
                self.refuse(node, f"`{stem}` has parameters; name the function itself.")
        elif stem not in scalars.TABLE:
            self.refuse(node, f"`{stem}` is no function of one number.")
        else:
            self.check_count(node, stem, len(values))
        return self.primed(node, function, len(name) - len(stem), values, scope)

    def primed(
        self,
        node: ast.Call,
        function: str,
        primes: int,
        values: list[Expr],
        scope: tuple[Name, ...],
    ) -> Expr:
        """A function of values, or its slope by the first of them."""
        if primes > 1:
            raise UndecidedError("second derivative")
        if not primes:
            return self.applied(node, function, values)
        if self.bench.depends_on_slopes(values[0], self._inside(values[0])):
            raise UndecidedError("second derivative")
        # The argument becomes a tensor, and the slope one by that.
        letters = self._letters(sum(values, S.Zero), scope)
        inner = self.bench.define("argument", letters, values[0], self.placeholders)
        at = [inner.read(*letters), *values[1:]]
        outer = self.applied(node, function, at)
        made = self.bench.define("applied", letters, outer, self.placeholders)
        slope = self.bench.slope(made.name, inner.name)
        return slope.read(*letters, *letters)


# --- what a claim is read over ----------------------------------------------------------


def workbench(program: System | None) -> Workbench:
    """The program without its batch, and the names that claims know beside its own."""
    if program is None:
        return Workbench(SCALAR, {}, {})
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
    return Workbench(base, names, _activations(base))


def _activations(
    base: System,
) -> dict[str, tuple[str, tuple[Expr, ...], tuple[Name, ...]]]:
    """`a2[i] = tanh(z2[i])` => `f2` is tanh."""
    found: dict[str, tuple[str, tuple[Expr, ...], tuple[Name, ...]]] = {}
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
                others = tuple(body.args[1:])
                found[f"f{name[1:]}"] = row.name, others, equation.indices
    return found


def variables(parsed: Parsed) -> list[str]:
    """The names in a claim that stand for numbers, in the order of the text."""
    found: dict[str, None] = {}
    called: set[int] = set()
    roots = [*parsed.sides, *([parsed.condition] if parsed.condition else [])]
    for root in roots:
        for node in ast.walk(root):
            if isinstance(node, ast.Call):
                called.add(id(node.func))
    for root in roots:
        names = [n for n in ast.walk(root) if isinstance(n, ast.Name)]
        names.sort(key=lambda n: (n.lineno, n.col_offset))
        found.update((n.id, None) for n in names if id(n) not in called)
    return list(found)


def scalar_workbench(parsed: Parsed) -> Workbench:
    """Each name a real variable; many points at once are the batch."""
    tensors = {
        name: Tensor(name, (), "data", rank, batched=True)
        for rank, name in enumerate(n for n in variables(parsed) if not flaw_of_name(n))
    }
    return Workbench(replace(SCALAR, tensors=tensors), {}, {})


def read_sides(parsed: Parsed, bench: Workbench) -> Claim:
    """Read a claim in index form, or one about functions of numbers.

    Raises:
        MisfitError: shapes that do not meet.
        UndecidedError: derivatives of derivatives.
        GrammarError: text that is not a claim about this program.
    """
    letters = resolve(parsed, bench.system, bench.axes, bench.axes_of)
    free = tuple(axis.index for axis in letters.values())
    sides = []
    for name, root, tree in zip(
        ("left", "right", "third", "fourth"), parsed.sides, parsed.trees, strict=False
    ):
        reader = ClaimReader(tree, bench.system, bench=bench)
        sides.append(_side(reader, name, root, free))
    condition = ""
    if parsed.condition is not None and parsed.where is not None:
        reader = ClaimReader(parsed.where, bench.system, bench=bench)
        holds = reader.condition(parsed.condition, free)
        chosen = scalars.where(holds, S.One, S.Zero)
        condition = bench.define("condition", free, chosen, reader.placeholders).name
    form = "index" if bench.base.equations else "scalar"
    return finished(parsed, form, bench, tuple(sides), condition, letters)


def _side(
    reader: ClaimReader, name: str, root: ast.expr, free: tuple[Name, ...]
) -> str:
    try:
        body = reader.right_side(free, root)
    except ShapeError as error:
        raise MisfitError("shape misfit", what=first_line(error)) from None
    return reader.bench.define(name, free, body, reader.placeholders).name


def first_line(error: Exception) -> str:
    """An error's message without its place and the picture of it."""
    told = str(error).split("\n")[0]
    return told.partition(": ")[2] or told


def finished(
    parsed: Parsed,
    form: str,
    bench: Workbench,
    sides: tuple[str, ...],
    condition: str,
    letters: Mapping[str, Axis],
    layout: str = "",
) -> Claim:
    """What was read, as a value."""
    system = replace(bench.system, equations=tuple(bench.equations))
    return Claim(
        parsed,
        form,
        system,
        dict(bench.slopes),
        sides,
        condition,
        dict(letters),
        bench.base,
        layout,
    )
