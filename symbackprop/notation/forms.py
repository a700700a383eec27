r"""Forms: the syntax of matrix expressions, as frozen values.

A vector is a column. Every form is a scalar, a column, a row or a matrix; a sum and an
elementwise product join forms of one shape, and nothing is spread silently: a number
added to a vector is written `s \mathbf{1}`.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr

from symbackprop.equations import Equation, Guard, Name, Reduction


@dataclass(frozen=True)
class Form:
    """An expression in matrices, vectors and scalars."""


@dataclass(frozen=True)
class Read(Form):
    """A tensor: a subscript stands where it is labelled, None where it is whole.

    `W[k, i, j]` with `k` held is `W_k`, a matrix: `Read(W, (k, None, None))`.
    `entry` says that a label picks out of an axis which elsewhere is whole, so that
    the whole axes must be shown: `A[i, 0]` is `A_{:,0}`.
    """

    symbol: Name
    subscripts: tuple[Expr | None, ...] = ()
    entry: bool = False

    @property
    def rank(self) -> int:
        return self.subscripts.count(None)


@dataclass(frozen=True)
class Scalar(Form):
    """A scalar expression over numbers, constants and scalar or labelled reads."""

    value: Expr


@dataclass(frozen=True)
class Ones(Form):
    """A column of ones, as long as an axis."""

    axis: str


@dataclass(frozen=True)
class Unit(Form):
    """The column `e_label`: 1 at one place of an axis, else 0."""

    axis: str
    label: Expr


@dataclass(frozen=True)
class Transpose(Form):
    """`X^T`."""

    of: Form


@dataclass(frozen=True)
class Diag(Form):
    """The diagonal matrix of a column, or the column on a matrix's diagonal."""

    of: Form


@dataclass(frozen=True)
class Product(Form):
    """The matrix product of two or more factors."""

    factors: tuple[Form, ...]


@dataclass(frozen=True)
class Hadamard(Form):
    """The elementwise product of two or more factors of one shape."""

    factors: tuple[Form, ...]


@dataclass(frozen=True)
class Scaled(Form):
    """Scalars times a form."""

    scalars: tuple[Form, ...]
    of: Form


@dataclass(frozen=True)
class Sum(Form):
    """The sum of two or more forms of one shape."""

    terms: tuple[Form, ...]


@dataclass(frozen=True)
class Apply(Form):
    """A function at each entry; scalar arguments are the same at every entry."""

    function: str
    arguments: tuple[Form, ...]


@dataclass(frozen=True)
class Power(Form):
    """Each entry to a power."""

    base: Form
    exponent: Expr


@dataclass(frozen=True)
class Indicator(Form):
    """1 at each entry where a comparison holds, else 0.

    `relation` is `<`, `<=`, `==` or `!=`; a scalar side is the same at every entry.
    """

    relation: str
    left: Form
    right: Form


@dataclass(frozen=True)
class Norm(Form):
    """The sum of squares of a vector's entries, or of a matrix's."""

    of: Form
    matrix: bool


@dataclass(frozen=True)
class Trace(Form):
    """`tr(X)`."""

    of: Form


@dataclass(frozen=True)
class Softmax(Form):
    """`softmax(x)` of a column, or of each row of a matrix."""

    of: Form


@dataclass(frozen=True)
class Extremum(Form):
    """`max`, `min`, `argmax` or `argmin`: over labels entry by entry, else of entries.

    `rows` takes it of each row of a matrix, as a column.
    """

    reduction: Reduction
    labels: tuple[Name, ...]
    of: Form
    rows: bool = False


@dataclass(frozen=True)
class Over(Form):
    """The sum over labels."""

    labels: tuple[Name, ...]
    of: Form


@dataclass(frozen=True)
class Guarded(Form):
    """A form where guards on labels hold, else 0."""

    guards: tuple[Guard, ...]
    of: Form


@dataclass(frozen=True)
class BatchMean(Form):
    """The mean over the samples of a batch."""

    of: Form


@dataclass(frozen=True)
class MatrixEquation:
    """`left = right`, and the index equations that it says the same as.

    The last of `equations` is the one of the tensor on the left; those before it were
    absorbed, as the denominator of a softmax is.
    """

    left: Read
    right: Form
    equations: tuple[Equation, ...]

    @property
    def tensor(self) -> str:
        return str(self.left.symbol.name)


# Builders: the few simplifications that every form obeys.


def product(*factors: Form) -> Form:
    """A matrix product: nested products are one, a single factor is itself."""
    flat: list[Form] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else [factor]
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def hadamard(*factors: Form) -> Form:
    """An elementwise product: nested ones are one, a single factor is itself."""
    flat: list[Form] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Hadamard) else [factor]
    return flat[0] if len(flat) == 1 else Hadamard(tuple(flat))


def transpose(form: Form) -> Form:
    """`(A B)^T` => `B^T A^T`, `(A^T)^T` => `A`."""
    if isinstance(form, Transpose):
        return form.of
    if isinstance(form, Diag):
        return form
    if isinstance(form, Product):
        return Product(tuple(transpose(f) for f in reversed(form.factors)))
    return Transpose(form)


def scaled(scalars: tuple[Form, ...], form: Form) -> Form:
    """Scalars in front of a form, all plain ones in one; a factor 1 is left out."""
    if isinstance(form, Scaled):
        scalars, form = (*scalars, *form.scalars), form.of
    number = sympy.Mul(*(s.value for s in scalars if isinstance(s, Scalar)))
    kept = [s for s in scalars if not isinstance(s, Scalar)]
    if isinstance(form, Scalar):
        number *= form.value
        if not kept:
            return Scalar(number)
        form = kept.pop()
    if number != 1:
        kept.insert(0, Scalar(number))
    return Scaled(tuple(kept), form) if kept else form


def total(terms: list[Form]) -> Form:
    """A sum; one term is itself, none is 0; the first one with a plus leads.

    `-A B + X` => `X - A B`
    """
    flat: list[Form] = []
    for term in terms:
        flat += term.terms if isinstance(term, Sum) else [term]
    lead = next((term for term in flat if not _is_negative(term)), None)
    if lead is not None:
        flat.remove(lead)
        flat.insert(0, lead)
    if not flat:
        return Scalar(sympy.S.Zero)
    return flat[0] if len(flat) == 1 else Sum(tuple(flat))


def _is_negative(form: Form) -> bool:
    first = form.scalars[0] if isinstance(form, Scaled) else form
    return isinstance(first, Scalar) and bool(first.value.as_coeff_Mul()[0] < 0)
