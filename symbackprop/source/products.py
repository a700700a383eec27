"""Terms that are products of matrices, and how their operands lie in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Indexed

from symbackprop.equations import (
    Equation,
    Name,
    System,
    Term,
    is_index,
    subscripts_of,
    tensor_of,
)

# The batch, where a tensor has it, is its first dimension.
SAMPLE = Name("", "index", -1)

Letters = tuple[Name, ...]

# Multiplications that plain loops do while one call of BLAS begins (measured: a call
# takes 60 to 90 ns, a multiplication in short loops a quarter of one).
CALL = 256
# Batches longer than that are left to BLAS in any case.
ROWS = 32


@dataclass(frozen=True)
class Matrix:
    """A tensor seen as one matrix, or one vector, for every value of `shared`.

    `rows` and `columns` are sizes, None for a side that a vector does not have; a
    negative size is to be multiplied by the length of the batch. `transposed` says that
    columns come first in memory, `reshaped` that a side has several indices.
    """

    tensor: str
    shared: Letters
    rows: int | None
    columns: int | None
    transposed: bool = False
    reshaped: bool = False


@dataclass(frozen=True)
class Product:
    """`coefficient * (left @ right)` for every value of the shared indices.

    Attributes:
        coefficient: what is left of the term's body, over the equation's indices.
        left: the first operand.
        right: the second operand.
        out: the result, as it lies in the equation's tensor.
        average: whether the sum runs over the batch.
        term: the same as a term without the coefficient.
    """

    coefficient: Expr
    left: Matrix
    right: Matrix
    out: Matrix
    average: bool
    term: Term

    @property
    def runs_over_batch(self) -> bool:
        """Whether one call multiplies the whole batch."""
        sides = (self.out.rows, self.out.columns)
        return self.average or any(side is not None and side < 0 for side in sides)


def as_product(term: Term, equation: Equation, system: System) -> Product | None:
    """The product of matrices that a term is; None where it is none.

    `sum(W[i, j] * x[j], j)` over a batch => `np.dot(x, W.T)`. A factor without bound
    indices becomes the coefficient. The operands must lie in memory so that they are
    matrices without being copied.
    """
    if term.guards or term.target not in (None, equation.indices):
        return None
    bound = set(term.bound)
    operands: list[Expr] = []
    coefficient: list[Expr] = []
    for factor in sympy.Mul.make_args(term.body):
        over_batch = term.average and _reads_batch(factor, system)
        summed = over_batch or factor.free_symbols & bound
        (operands if summed else coefficient).append(factor)
    if len(operands) != 2:
        return None
    places = [letters_of(operand, system) for operand in operands]
    if places[0] is None or places[1] is None:
        return None
    lhs = system.tensors[equation.tensor]
    letters = ((SAMPLE,) if lhs.batched else ()) + equation.indices
    contracted = bound | ({SAMPLE} if term.average else set())
    for first, second in ((0, 1), (1, 0)):
        a, b = places[first], places[second]
        assert a is not None
        assert b is not None
        shape = match(a, b, letters, contracted)
        if shape is None:
            continue
        names = (tensor_of(operands[first]), tensor_of(operands[second]))
        left, right, out = (
            _matrix(tensor, part, system)
            for tensor, part in zip((*names, equation.tensor), shape, strict=True)
        )
        factor = sympy.Mul(*coefficient)
        plain = replace(term, body=sympy.Mul(*operands))
        return Product(factor, left, right, out, term.average, plain)
    return None


def few(product: Product, equation: Equation, system: System) -> int:
    """The greatest number of rows for which plain loops beat a call of BLAS.

    The rows are the samples, where a product runs over the batch at once; where it does
    not, 1 says that loops win, 0 that they lose.
    """
    letters = (*equation.indices, *product.term.bound)
    return min(ROWS, CALL // math.prod(system.size(letter) for letter in letters))


def _reads_batch(expression: Expr, system: System) -> bool:
    return any(
        system.tensors[str(s)].batched
        for s in expression.free_symbols
        if isinstance(s, Name) and s.kind == "tensor"
    )


def letters_of(operand: Expr, system: System) -> Letters | None:
    """The letters of a plain read, the batch first; None for anything else."""
    scalar = isinstance(operand, Name) and operand.kind == "tensor"
    if not scalar and not isinstance(operand, Indexed):
        return None
    tensor = system.tensors[tensor_of(operand)]
    letters: list[Name] = [SAMPLE] if tensor.batched else []
    for subscript, size in zip(
        subscripts_of(operand), system.shape(tensor.name), strict=True
    ):
        if not is_index(subscript) or system.size(subscript) != size:
            return None
        letters.append(subscript)
    if tensor.integer or len(set(letters)) < len(letters):
        return None
    return tuple(letters)


Part = tuple[Letters, Letters, Letters, bool]  # shared, rows, columns, transposed


def match(
    a: Letters, b: Letters, result: Letters, summed: set[Name]
) -> tuple[Part, Part, Part] | None:
    """How `a @ b` gives the result: the shared letters first, then two groups in each.

    a = shared + rows + inner (or inner + rows), b = shared + inner + columns (or
    columns + inner), result = shared + rows + columns.
    """
    if not summed or not summed <= set(a) & set(b) or summed & set(result):
        return None
    if set(a) | set(b) != set(result) | summed:
        return None
    both = (set(a) & set(b)) - summed
    shared = result[: len(both)]
    if set(shared) != both or shared != a[: len(both)] or shared != b[: len(both)]:
        return None
    a, b, result = a[len(both) :], b[len(both) :], result[len(both) :]
    rows = tuple(letter for letter in result if letter in a)
    columns = tuple(letter for letter in result if letter in b)
    if result != rows + columns or not result:
        return None
    inner = tuple(letter for letter in a if letter in summed)
    if a == rows + inner:
        left = (shared, rows, inner, False)
    elif a == inner + rows:
        left = (shared, rows, inner, True)
    else:
        return None
    if b == inner + columns:
        right = (shared, inner, columns, False)
    elif b == columns + inner:
        right = (shared, inner, columns, True)
    else:
        return None
    return left, right, (shared, rows, columns, False)


def _matrix(tensor: str, part: Part, system: System) -> Matrix:
    shared, rows, columns, transposed = part

    def size(letters: Letters) -> int | None:
        count = math.prod(system.size(s) for s in letters if s != SAMPLE)
        return None if not letters else -count if SAMPLE in letters else count

    reshaped = len(rows) > 1 or len(columns) > 1
    return Matrix(tensor, shared, size(rows), size(columns), transposed, reshaped)
