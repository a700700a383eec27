r"""Matrix equations -> left-hand sides and signed addends in LaTeX.

Matrices and vectors are bold, scalars plain; `\odot` and `\oslash` go entry by entry,
and so does a function of a vector. A matrix product binds tighter than `\odot`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy
from sympy import Expr, Indexed

from symbackprop.document.functions import FUNCTIONS, Rule, call
from symbackprop.document.latex import Printer
from symbackprop.document.lines import REDUCTIONS, Lines
from symbackprop.document.pieces import (
    ATOM,
    CALL,
    CLOSE,
    OPEN,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    decimal,
    is_decimal,
    tall,
)
from symbackprop.document.symbols import Symbols
from symbackprop.equations import Name, System, subscripts_of
from symbackprop.notation.forms import (
    Apply,
    BatchMean,
    Diag,
    Extremum,
    Form,
    Guarded,
    Hadamard,
    Indicator,
    MatrixEquation,
    Norm,
    Ones,
    Over,
    Power,
    Product,
    Read,
    Scalar,
    Scaled,
    Softmax,
    Sum,
    Trace,
    Transpose,
    Unit,
)
from symbackprop.scalars import symbol as function

_STEM = re.compile(r"\\math(?:rm|tt)\{(?:[^{}\\]|\\.|\{\})*\}|\\[a-zA-Z]+|[a-zA-Z]")
_SIGNS = {"<": "<", "<=": r"\le", "==": "=", "!=": r"\ne"}
_TURNED = {"<": ">", "<=": r"\ge", "==": "=", "!=": r"\ne"}


def symbol(symbols: Symbols, name: str, labels: Iterable[str], rank: int) -> str:
    r"""A tensor with its labels: bold where `rank` of its axes are whole.

    `W1` => `\mathbf{W}^{(1)}`, `h` at `t - 1` => `\mathbf{h}_{t - 1}`
    """
    plain = symbols.read(name, list(labels))
    return bold(plain) if rank else plain


def bold(latex: str) -> str:
    r"""The letter of a symbol in bold; below the bar, where it is a derivative.

    >>> bold(r"W^{(1)}_{k}"), bold(r"\delta_{z}")
    ('\\mathbf{W}^{(1)}_{k}', '\\boldsymbol{\\delta}_{z}')
    """
    for front in (r"\log ", "(1 - "):
        if latex.startswith(front):
            return front + bold(latex.removeprefix(front))
    for d in (r"}{\partial ", r"}{\mathrm{d} "):
        head, bar, tail = latex.partition(d)
        if bar:
            return head + bar + bold(tail)
    found = _STEM.match(latex)
    if found is None:
        return latex
    stem = found[0]
    if stem.startswith(r"\mathrm"):
        stem = stem.replace(r"\mathrm", r"\mathbf", 1)
    else:
        stem = f"\\boldsymbol{{{stem}}}" if stem[0] == "\\" else f"\\mathbf{{{stem}}}"
    return stem + latex[found.end() :]


class MatrixLines:
    """Prints the matrix equations of one system, as `Lines` prints those in indices."""

    def __init__(
        self,
        system: System,
        symbols: Symbols,
        functions: Mapping[str, Rule] | None = None,
    ) -> None:
        self.symbols = symbols
        self.functions = dict(functions or {})
        self.lines = Lines(system, symbols, functions)
        self.printer = _Entries(symbols, self._read)

    def left(self, equation: MatrixEquation) -> str:
        r"""The left-hand side: `\mathbf{z}^{(1)}`."""
        return self._read(equation.left).latex

    def right(self, equation: MatrixEquation) -> tuple[str, ...]:
        r"""The right-hand side: `("\mathbf{W} \mathbf{x}", "+ \mathbf{b}")`."""
        form = equation.right
        return self._addends(form.terms if isinstance(form, Sum) else (form,))

    def latex(self, form: Form) -> str:
        """A form on its own."""
        return self.piece(form).latex

    # --- sums and scalars -------------------------------------------------------------

    def _addends(self, terms: Iterable[Form]) -> tuple[str, ...]:
        printed: list[str] = []
        for term in terms:
            minus, text = self._signed(term)
            sign = "-" if minus else "+"
            printed.append(f"{sign} {text}" if printed else "-" * minus + text)
        return tuple(printed)

    def _signed(self, form: Form) -> tuple[bool, str]:
        """Whether a minus stands in front of an addend, and what follows it."""
        if isinstance(form, Scalar):
            minus, piece = self.printer.signed(form.value)
            return minus, piece.within(PRODUCT)
        positive = _without_sign(form)
        if positive is not None:
            return True, self._addend(positive)
        return False, self._addend(form)

    def _addend(self, form: Form) -> str:
        piece = self.piece(form)
        return piece.bracketed() if isinstance(form, Sum) else piece.latex

    def piece(self, form: Form) -> Piece:
        """A form, and how tightly it holds together."""
        return _RULES[type(form)](self, form)

    def _sum(self, form: Sum) -> Piece:
        printed = self._addends(form.terms)
        return Piece(" ".join(printed), SUM, tall(printed))

    def _scalar(self, form: Scalar) -> Piece:
        return self.printer.piece(form.value)

    def _scaled(self, form: Scaled) -> Piece:
        positive = _without_sign(form)
        if positive is not None:
            text = self._addend(positive)
            return Piece(f"-{text}", SUM, tall([text]))
        first = form.scalars[0]
        number = first.value if isinstance(first, Scalar) else sympy.S.One
        if number == 0:
            return Piece(r"\mathbf{0}")
        simple = number.is_Rational and not is_decimal(number)
        if isinstance(form.of, BatchMean) and simple and len(form.scalars) == 1:
            return self._mean(form.of, number)
        inside = self.piece(form.of)
        text = inside.bracketed() if isinstance(form.of, Sum) else inside.latex
        front = [
            self.piece(s).within(PRODUCT if isinstance(s, Scalar) else CALL)
            for s in form.scalars
        ]
        close = number.is_Integer and len(front) == 1
        joined = f"{front[0]} {text}" if close else r"\, ".join([*front, text])
        level = SUM if isinstance(form.of, Hadamard) else PRODUCT
        return Piece(joined, level, max(inside.tall, tall(front)))

    def _mean(self, form: BatchMean, number: Expr = sympy.S.One) -> Piece:
        r"""`\frac{1}{N} \sum_{n} \ldots`, with a fraction in front of it."""
        below = self.symbols.samples
        if number.q != 1:
            below = f"{decimal(sympy.Integer(number.q))}\\, {below}"
        above = decimal(sympy.Integer(number.p))
        front = f"\\frac{{{above}}}{{{below}}} \\sum_{{{self.symbols.sample}}}"
        return Piece(f"{front} {self._summand(form.of)}", PRODUCT, 3)

    def _over(self, form: Over) -> Piece:
        letters = ",".join(self.symbols.index(label.name) for label in form.labels)
        return Piece(f"\\sum_{{{letters}}} {self._summand(form.of)}", PRODUCT, 3)

    def _summand(self, form: Form) -> str:
        piece = self.piece(form)
        if isinstance(form, Scalar):
            return piece.within(PRODUCT)
        return piece.bracketed() if piece.latex.startswith("-") else self._addend(form)

    def _guarded(self, form: Guarded) -> Piece:
        texts = dict.fromkeys(self.lines.guard(guard) for guard in form.guards)
        brackets = "".join(f"[{text}]\\, " for text in texts if text)
        return Piece(brackets + self._summand(form.of), PRODUCT, 3)

    # --- products ---------------------------------------------------------------------

    def _product(self, form: Product) -> Piece:
        pieces = [self.piece(factor) for factor in form.factors]
        text = " ".join(piece.within(PRODUCT) for piece in pieces)
        return Piece(text, PRODUCT, max(p.tall for p in pieces))

    def _hadamard(self, form: Hadamard) -> Piece:
        r"""`a \odot b \oslash c`."""
        above = [f for f in form.factors if not _divides(f)]
        pieces = [self.piece(factor) for factor in above]
        text = r" \odot ".join(p.within(PRODUCT) for p in pieces) or r"\mathbf{1}"
        for factor in form.factors:
            if isinstance(factor, Power) and _divides(factor):
                pieces.append(self._inverse(factor))
                text += f" \\oslash {pieces[-1].within(CALL)}"
        return Piece(text, SUM, max(p.tall for p in pieces))

    def _inverse(self, form: Power) -> Piece:
        if form.exponent == -1:
            return self.piece(form.base)
        return self.piece(Power(form.base, -form.exponent))

    def _power(self, form: Power) -> Piece:
        if _divides(form):
            below = self._inverse(form)
            return Piece(
                f"\\mathbf{{1}} \\oslash {below.within(CALL)}", SUM, below.tall
            )
        inside = self.piece(form.base)
        if form.exponent == sympy.Rational(1, 2):
            return Piece(f"\\sqrt{{{inside.latex}}}", ATOM, max(1, inside.tall))
        text = inside.bracketed() if inside.scripted else inside.within(CALL)
        above = self.printer.latex(form.exponent)
        return Piece(f"{text}^{{\\odot {above}}}", POWER, inside.tall, True)

    def _transpose(self, form: Transpose) -> Piece:
        inside = self.piece(form.of)
        simple = inside.level in (CALL, ATOM) and not inside.scripted
        text = inside.latex if simple else inside.bracketed()
        return Piece(f"{text}^{{\\top}}", POWER, inside.tall, True)

    def _diag(self, form: Diag) -> Piece:
        if isinstance(form.of, Power):
            inside = self._called(r"\operatorname{diag}", form.of.base)
            above = self.printer.latex(form.of.exponent)
            return Piece(f"{inside.latex}^{{{above}}}", POWER, inside.tall, True)
        return self._called(r"\operatorname{diag}", form.of)

    # --- functions --------------------------------------------------------------------

    def _called(self, name: str, *forms: Form) -> Piece:
        pieces = [self.piece(form) for form in forms]
        height = max(piece.tall for piece in pieces)
        inside = ", ".join(piece.latex for piece in pieces)
        text = f"{name}{OPEN[height]}{inside}{CLOSE[height]}"
        return Piece(text, CALL, max(1, height))

    def _apply(self, form: Apply) -> Piece:
        """As the printer of scalars prints it, with vectors for its arguments."""
        places = [sympy.Dummy() for _ in form.arguments]
        for place, argument in zip(places, form.arguments, strict=True):
            self.printer.known[place] = self.piece(argument)
        expression = function(form.function, len(places))(*places)
        rule = {**FUNCTIONS, **self.functions}.get(form.function, call)
        printed = (call if form.function in _CALLS else rule)(self.printer, expression)
        for place in places:
            del self.printer.known[place]
        return printed

    def _indicator(self, form: Indicator) -> Piece:
        r"""`[\mathbf{z} > 0]`, with the scalar on the right."""
        left, right, signs = form.left, form.right, _SIGNS
        if isinstance(left, Scalar):
            left, right, signs = right, left, _TURNED
        text = f"{self.latex(left)} {signs[form.relation]} {self.latex(right)}"
        return Piece(f"[{text}]", ATOM, 1)

    def _norm(self, form: Norm) -> Piece:
        inside = self.piece(form.of)
        size = ("", "", r"\big", r"\Big", r"\bigg")[inside.tall]
        left, right = (f"{size}l", f"{size}r") if size else ("", "")
        below = "_F" if form.matrix else ""
        text = f"{left}\\lVert {inside.latex} {right}\\rVert{below}^2"
        return Piece(text, POWER, max(1, inside.tall), True)

    def _trace(self, form: Trace) -> Piece:
        return self._called(r"\operatorname{tr}", form.of)

    def _softmax(self, form: Softmax) -> Piece:
        return self._called(r"\operatorname{softmax}", form.of)

    def _extremum(self, form: Extremum) -> Piece:
        sign = REDUCTIONS[form.reduction]
        if form.labels:
            letters = ",".join(self.symbols.index(i.name) for i in form.labels)
            inside = self.piece(form.of).within(PRODUCT)
            return Piece(f"{sign}_{{{letters}}}\\, {inside}", PRODUCT, 1)
        name = sign.replace("*", "")
        if form.rows:
            name = f"\\operatorname{{row{form.reduction}}}"
        return self._called(name, form.of)

    # --- atoms ------------------------------------------------------------------------

    def _read(self, form: Read) -> Piece:
        labels = [
            ":" if s is None else self.printer.subscript(s)
            for s in form.subscripts
            if s is not None or form.entry
        ]
        name = form.symbol.name
        text = symbol(self.symbols, name, labels, form.rank)
        scripted = self.symbols.scripted(name)
        return Piece(text, scripted=scripted, tall=2 if r"\frac" in text else 0)

    def _ones(self, form: Ones) -> Piece:
        return Piece(r"\mathbf{1}")

    def _unit(self, form: Unit) -> Piece:
        letter = next((c for c in ("e", "u") if self.symbols.is_free(c)), r"\hat{e}")
        return Piece(f"{bold(letter)}_{{{self.printer.subscript(form.label)}}}")


class _Entries(Printer):
    """Prints scalars, whose reads are printed as those of a form are."""

    def __init__(self, symbols: Symbols, read: Callable[[Read], Piece]) -> None:
        super().__init__(symbols)
        self.known: dict[Expr, Piece] = {}
        self._of_form = read

    def piece(self, expression: Expr) -> Piece:
        if expression in self.known:
            return self.known[expression]
        if isinstance(expression, Indexed):
            label = expression.base.label
            return self._of_form(Read(label, subscripts_of(expression)))
        if isinstance(expression, Name) and expression.kind == "tensor":
            return self._of_form(Read(expression))
        return super().piece(expression)


# Functions that are printed as a formula for scalars, with numbers in it.
_CALLS = {"exp", "log1p", "expm1"}


def _without_sign(form: Form) -> Form | None:
    """`-2 x` => `2 x`; None where no minus stands in front."""
    if not isinstance(form, Scaled) or not isinstance(form.scalars[0], Scalar):
        return None
    value = form.scalars[0].value
    if not value.as_coeff_Mul()[0].is_negative:
        return None
    rest = form.scalars[1:] if value == -1 else (Scalar(-value), *form.scalars[1:])
    return Scaled(rest, form.of) if rest else form.of


def _divides(form: Form) -> bool:
    return isinstance(form, Power) and bool(form.exponent.is_negative)


_RULES: dict[type[Form], Callable[[Any, Any], Piece]] = {
    Read: MatrixLines._read,
    Scalar: MatrixLines._scalar,
    Ones: MatrixLines._ones,
    Unit: MatrixLines._unit,
    Transpose: MatrixLines._transpose,
    Diag: MatrixLines._diag,
    Product: MatrixLines._product,
    Hadamard: MatrixLines._hadamard,
    Scaled: MatrixLines._scaled,
    Sum: MatrixLines._sum,
    Apply: MatrixLines._apply,
    Power: MatrixLines._power,
    Indicator: MatrixLines._indicator,
    Norm: MatrixLines._norm,
    Trace: MatrixLines._trace,
    Softmax: MatrixLines._softmax,
    Extremum: MatrixLines._extremum,
    Over: MatrixLines._over,
    Guarded: MatrixLines._guarded,
    BatchMean: MatrixLines._mean,
}
