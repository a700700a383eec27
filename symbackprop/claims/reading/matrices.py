"""A claim in matrix form -> equations in indices.

    D(L, W2) = delta2 @ a1.T    =>    left[r, c] = D_L_W2[r, c],
                                      right[r, c] = delta2[r]*a1[c]

Shapes meet by size, and a number is spread over entries.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, Pow, S, exp

from symbackprop import scalars
from symbackprop.claims.claim import Claim, MisfitError, UndecidedError
from symbackprop.claims.reading.bench import IDENTITY, Workbench, tensor_and_parts
from symbackprop.claims.reading.letters import resolve
from symbackprop.claims.reading.matrix import Index, Matrix, kronecker, laid_out
from symbackprop.claims.reading.operators import Operators
from symbackprop.claims.reading.sides import SIDES, finished
from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.writing import written
from symbackprop.equations import Name, subscripts_of, tensor_of
from symbackprop.grammar.conditions import condition
from symbackprop.grammar.normal import Reduced
from symbackprop.grammar.text import FUNCTIONS, REDUCTIONS

SOFTMAX = "softmax"  # the one function of a whole vector
LAYOUTS = ("denominator", "numerator")


class MatrixReader(Operators):
    """Reads one side in matrix form; what has subscripts is read as an entry."""

    layout: str
    flipped: frozenset[int]
    derivatives: list[ast.Call]

    # --- the whole side --------------------------------------------------------------

    def matrix(self, node: ast.expr, scope: tuple[Name, ...]) -> Matrix:
        """The value of a tree, by its kind."""
        match node:
            case ast.Name(id=name) if self._is_identity(name):
                return Matrix("", "", kronecker, identity=True)
            case ast.Name() | ast.Subscript() if self._is_open(node):
                return self._open(node, scope)
            case ast.Attribute(value=inner, attr="T"):
                of = self.matrix(inner, scope)
                return replace(
                    of,
                    rows=of.columns,
                    columns=of.rows,
                    entry=lambda r, c, s: of.at(c, r, s),
                )
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                of = self.matrix(inner, scope)
                return replace(of, entry=lambda r, c, s: -of.at(r, c, s))
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.matrix(inner, scope)
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                return self.product(
                    node, self.matrix(left, scope), self.matrix(right, scope)
                )
            case ast.BinOp(op=ast.Pow(), left=left):
                base = self.matrix(left, scope)
                power = self.expression(node.right, scope)
                return replace(
                    base,
                    entry=lambda r, c, s: self.power(node, base.at(r, c, s), power),
                )
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _ENTRYWISE:
                parts = [self.matrix(left, scope), self.matrix(right, scope)]
                parts = self.scaled(*parts) if isinstance(op, ast.Mult) else parts
                return self.entrywise(node, _ENTRYWISE[type(op)], parts)
            case ast.Call(func=ast.Name(id=name)):
                return self._called(node, name, scope)
        value = self.expression(node, scope)
        return Matrix("", "", lambda r, c, s: value)

    def _is_identity(self, name: str) -> bool:
        known = name in self.bench.tensors or name in self.system.constants
        return name == IDENTITY and not known

    def _is_open(self, node: ast.expr) -> bool:
        """Whether axes of a tensor have no subscript."""
        name, parts = tensor_and_parts(node)
        return len(parts) < len(self.bench.axes_of(name) or ())

    def _open(self, node: ast.expr, scope: tuple[Name, ...]) -> Matrix:
        """The axes without subscripts: a vector as a column, a matrix as it is."""
        name, parts = tensor_and_parts(node)
        tensor = self.bench.tensors[self._adjoint(name) or name]
        at = self.subscripts(tensor, parts, scope)
        rows, *columns = (self.bench.axes_of(name) or ())[len(at) :]
        if len(columns) > 1:
            count = str(1 + len(columns))
            raise MisfitError("rank misfit", name=written(node), axes=count)
        self.first_reads.setdefault(name, self.tree.place(node))

        def entry(r: Index, c: Index, s: tuple[Name, ...]) -> Expr:
            return tensor.read(*at, *(i for i in (r, c) if i is not None))

        return Matrix(rows, "".join(columns), entry)

    # --- functions -------------------------------------------------------------------

    def _called(self, node: ast.Call, name: str, scope: tuple[Name, ...]) -> Matrix:
        stem = name.rstrip("_")
        arguments = node.args
        if name == "D":
            return self._derivative(node, scope)
        if name == "diag" and len(arguments) == 1:
            return self._diagonal(node, self.matrix(arguments[0], scope))
        if name in REDUCTIONS and len(arguments) == 1:
            return self._reduced(name, self.matrix(arguments[0], scope))
        if name in REDUCTIONS:
            return self._summed(node, name, scope)
        if name == "where" and len(arguments) == 3:
            chosen = self._condition(arguments[0], scope)
            parts = [chosen, *(self.matrix(a, scope) for a in arguments[1:])]
            return self.entrywise(node, scalars.where, parts)
        if name == SOFTMAX and len(arguments) == 1:
            return self._softmax(node, self.matrix(arguments[0], scope))
        known = name in FUNCTIONS or stem in {*FUNCTIONS, *self.bench.functions}
        if not known or name == "where":
            value = self._call(node, scope)  # which refuses it
            return Matrix("", "", lambda r, c, s: value)
        parts = [self.matrix(argument, scope) for argument in arguments]
        whole = self.entrywise(node, lambda *values: S.Zero, parts)

        def entry(r: Index, c: Index, s: tuple[Name, ...]) -> Expr:
            return self.function(node, name, [p.at(r, c, s) for p in parts], s)

        return replace(whole, entry=entry)

    def _softmax(self, node: ast.Call, of: Matrix) -> Matrix:
        """`exp(z[i]) / sum(exp(z[k]), k)` of a column or a row."""
        if of.identity or bool(of.rows) == bool(of.columns):
            raise MisfitError("vector misfit", text=written(node), first=self.shape(of))
        along = self.letter(of.rows or of.columns)
        row, column = (along, None) if of.rows else (None, along)

        def entry(r: Index, c: Index, scope: tuple[Name, ...]) -> Expr:
            all_of_it = exp(of.at(row, column, (*scope, along)))
            return exp(of.at(r, c, scope)) / self.total(all_of_it, along, scope)

        return replace(of, entry=entry)

    def _diagonal(self, node: ast.Call, of: Matrix) -> Matrix:
        """The diagonal matrix of a column or row; the diagonal of a matrix."""
        if of.rows and of.columns:
            if not self.same(of.rows, of.columns):
                raise MisfitError(
                    "diagonal misfit",
                    text=written(node),
                    first=self.shape(of),
                )
            return Matrix(of.rows, "", lambda r, c, s: of.at(r, r, s))
        axis = of.rows or of.columns

        def entry(r: Index, c: Index, scope: tuple[Name, ...]) -> Expr:
            return kronecker(r, c, scope) * of.at(r, r, scope)

        return Matrix(axis, axis, entry)

    def _reduced(self, op: str, of: Matrix) -> Matrix:
        """`sum(x)`: over all entries."""
        row = self.letter(of.rows) if of.rows else None
        column = self.letter(of.columns) if of.columns else None
        bound = tuple(i for i in (row, column) if i is not None)

        def entry(r: Index, c: Index, scope: tuple[Name, ...]) -> Expr:
            body = of.at(row, column, (*scope, *bound))
            if not bound:
                return body
            count = self.size(of.rows) * self.size(of.columns)
            scale = S.One / count if op == "mean" else S.One
            return self.placeholders.add(Reduced(op, bound, body, scope, scale))

        return Matrix("", "", entry)

    def _summed(self, node: ast.Call, op: str, scope: tuple[Name, ...]) -> Matrix:
        """`sum(delta[t] @ x[t].T, t)`: over letters, entry by entry."""
        bound = self.bound(node, op, scope)
        with self.apart():
            of = self.matrix(node.args[0], (*scope, *bound))

        def entry(r: Index, c: Index, s: tuple[Name, ...]) -> Expr:
            return self.reduced(op, bound, of.at(r, c, (*s, *bound)), s)

        return replace(of, entry=entry)

    def _condition(self, node: ast.expr, scope: tuple[Name, ...]) -> Matrix:
        """A condition at each entry."""
        compared: list[Matrix] = []

        def note(side: ast.expr) -> Expr:
            compared.append(self.matrix(side, scope))
            return S.Zero

        condition(node, note, self.refuse)

        def join(*values: Expr) -> Expr:
            left = iter(values)
            return condition(node, lambda side: next(left), self.refuse)

        return self.entrywise(node, join, compared)

    # --- derivatives -----------------------------------------------------------------

    def _derivative(self, node: ast.Call, scope: tuple[Name, ...]) -> Matrix:
        """`D(A, B)` by the layout; B is a tensor, or an entry of one."""
        if len(node.args) != 2:
            self.refuse(node, "`D` takes what is differentiated, and by what.")
        of, by = self.matrix(node.args[0], scope), node.args[1]
        if isinstance(by, ast.Name | ast.Subscript) and self._is_open(by):
            self.check_variable(by.value if isinstance(by, ast.Subscript) else by)
            under = self._open(by, scope)
            name, parts = tensor_and_parts(by)
            at = tuple(self.subscripts(self.bench.tensors[name], parts, scope))
        else:
            read = self.variable(by, scope)
            under = Matrix("", "", lambda r, c, s: read)
            name, at = tensor_of(read), subscripts_of(read)
        source, places = self._source(of, node, scope)
        slope = self.bench.slope(source, name)
        upper = [axis for axis in (of.rows, of.columns) if axis]
        lower = [axis for axis in (under.rows, under.columns) if axis]
        if len(upper) + len(lower) > 2:
            raise MisfitError(
                "derivative misfit",
                text=written(node),
                axes=str(len(upper) + len(lower)),
            )
        denominator = self.layout == "denominator"
        if len(self.derivatives) in self.flipped:
            denominator = not denominator
        self.derivatives.append(node)

        def value(above: list[Index], below: list[Index]) -> Expr:
            inner = [i for i in above if i is not None]
            own = [i for i in below if i is not None]
            return slope.read(*places(inner), *at, *own)

        return laid_out(of, under, value, denominator)

    def _source(
        self, of: Matrix, node: ast.Call, scope: tuple[Name, ...]
    ) -> tuple[str, Callable[[list[Name]], tuple[Expr, ...]]]:
        """The tensor that is differentiated, and where to read it at some letters."""
        row = self.letter(of.rows) if of.rows else None
        column = self.letter(of.columns) if of.columns else None
        own = tuple(i for i in (row, column) if i is not None)
        body = of.at(row, column, (*scope, *own))
        if self.bench.depends_on_slopes(body, self._inside(body)):
            raise UndecidedError("second derivative")
        name, places = self.source(body, (*scope, *own))

        def at(letters: list[Name]) -> tuple[Expr, ...]:
            return tuple(
                p.xreplace(dict(zip(own, letters, strict=True))) for p in places
            )

        return name, at


_ENTRYWISE: dict[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Mod: lambda a, b: a * b,
    ast.Div: lambda a, b: a * Pow(b, -1),
}


def read_matrices(
    parsed: Parsed,
    bench: Workbench,
    layout: str,
    flipped: frozenset[int] = frozenset(),
) -> tuple[Claim, tuple[str, ...]]:
    """Read a claim in matrix form.

    Args:
        flipped: which derivatives, counted from 0, are read in the other layout.

    Returns:
        The claim, and the text of each derivative in it.

    Raises:
        MisfitError: shapes that do not meet.
        GrammarError: text that is not a claim about this program.
    """
    letters = resolve(parsed, bench.system, bench.axes, bench.axes_of, leading=True)
    free = tuple(axis.index for axis in letters.values())
    derivatives: list[ast.Call] = []
    readers, parts = [], []
    for root, tree in zip(parsed.sides, parsed.trees, strict=True):
        reader = MatrixReader(tree, bench.system, bench=bench)
        reader.layout, reader.flipped = layout, flipped
        reader.derivatives = derivatives
        readers.append(reader)
        parts.append(reader.matrix(root, free))
    reader = readers[0]
    sized = [p for p in parts if not (p.is_scalar or p.identity)]
    shape = sized[0] if sized else parts[0]
    for part, root in zip(parts, parsed.sides, strict=True):
        number = part.is_scalar and isinstance(root, ast.Constant | ast.UnaryOp)
        if not number and not (part is shape or reader.fits(part, shape)):
            first, second = (reader.shape(p) for p in parts[:2])
            raise MisfitError("sides misfit", first=first, second=second)
    row = reader.letter(shape.rows) if shape.rows else None
    column = reader.letter(shape.columns) if shape.columns else None
    own = tuple(i for i in (row, column) if i is not None)
    shown = dict(letters)
    for word, index in (("row", row), ("column", column)):
        if index is not None:
            shown[word] = bench.axes[index.name]
    sides = []
    for name, reader, part in zip(SIDES, readers, parts, strict=False):
        body = part.at(row, column, (*free, *own))
        made = bench.define(name, (*free, *own), body, reader.placeholders)
        sides.append(made.name)
    condition = ""
    if parsed.condition is not None and parsed.where is not None:
        reader = MatrixReader(parsed.where, bench.system, bench=bench)
        holds = reader.condition(parsed.condition, free)
        chosen = scalars.where(holds, S.One, S.Zero)
        made = bench.define("condition", (*free, *own), chosen, reader.placeholders)
        condition = made.name
    texts = tuple(written(d) for d in derivatives)
    claim = finished(parsed, "matrix", bench, tuple(sides), condition, shown)
    return claim, texts
