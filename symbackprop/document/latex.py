r"""The printer: a SymPy expression over reads of tensors -> LaTeX.

One dispatch table for arithmetic (by class) and one for functions (by name); both can
be extended by the caller. Parentheses are printed only where precedence needs them,
with fixed sizes (`\bigl(`), so that TeX may break a long line inside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy
from sympy import Add, Expr, Indexed, Integer, Mul, Pow, Rational

from symbackprop.document.functions import FUNCTIONS, Rule, call
from symbackprop.document.pieces import (
    ATOM,
    CALL,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    decimal,
    is_decimal,
    tall,
)
from symbackprop.document.symbols import Symbols, escape
from symbackprop.equations import Name, is_index, subscripts_of, tensor_of


class Printer:
    r"""Prints expressions with the symbols of one derivation.

    Args:
        symbols: how names are written.
        functions: rules for functions, by name, beside or instead of `FUNCTIONS`.

    `exp(z[i])/s` => `\frac{\exp(z_{i})}{s}`
    """

    def __init__(
        self, symbols: Symbols, functions: Mapping[str, Rule] | None = None
    ) -> None:
        self.symbols = symbols
        self._functions = {**FUNCTIONS, **(functions or {})}

    def latex(self, expression: Expr) -> str:
        """An expression on its own."""
        return self.piece(expression).latex

    def piece(self, expression: Expr) -> Piece:
        """An expression, and how tightly it holds together."""
        for kind, rule in ARITHMETIC.items():
            if isinstance(expression, kind):
                return rule(self, expression)
        name = expression.func.__name__
        return self._functions.get(name, call)(self, expression)

    def read(self, tensor: str, subscripts: Iterable[Expr]) -> str:
        """A tensor at subscripts."""
        printed = [self.subscript(subscript) for subscript in subscripts]
        return self.symbols.read(tensor, printed)

    def subscript(self, expression: Expr) -> str:
        """A subscript: indices before numbers, as in `2u + p - 1`."""
        if isinstance(expression, Add):
            number, rest = expression.as_coeff_Add()
            ordered = sorted(
                Add.make_args(rest), key=lambda e: e.could_extract_minus_sign()
            )
            addends = [*ordered, number] if number else ordered
            return self._added(addends).latex
        return self.piece(expression).latex

    def signed(self, expression: Expr) -> tuple[bool, Piece]:
        """Whether a minus stands in front, and what follows it."""
        coefficient, rest = expression.as_coeff_Mul()
        if coefficient.is_extended_negative:
            return True, self.piece(-coefficient * rest)
        return False, self.piece(expression)

    def addends(self, expression: Expr) -> tuple[str, ...]:
        """Addends with their signs: `("W_{i j}", "- 1")`; `2*a - 2*y` is one."""
        if common(expression) != 1:
            return (self.latex(expression),)
        return self._with_signs(in_order(expression))

    def _with_signs(self, addends: Iterable[Expr]) -> tuple[str, ...]:
        printed: list[str] = []
        for addend in addends:
            minus, piece = self.signed(addend)
            sign = "- " if minus and printed else "-" if minus else ""
            plus = "+ " if printed and not minus else ""
            printed.append(sign + plus + piece.within(PRODUCT))
        return tuple(printed)

    def _added(self, addends: Iterable[Expr]) -> Piece:
        printed = self._with_signs(addends)
        return Piece(" ".join(printed), SUM, tall(printed))

    def product(self, coefficient: Rational, factors: Iterable[Expr]) -> Piece:
        r"""`3/2, [x, 1/s]` => `\frac{3\, x}{2\, s}`; coefficient not negative."""
        above: list[Piece] = []
        below: list[Piece] = []
        coefficient, factors = _radicals(coefficient, factors)
        for factor in in_place(factors):
            base, exponent = factor.as_base_exp()
            if not isinstance(factor, Pow) or not exponent.could_extract_minus_sign():
                above.append(self.piece(factor))
            elif self.piece(base).wide:
                # What is too wide to stand below a bar can be broken as a power.
                above.append(self.power(base, exponent))
            else:
                below.append(self.piece(Pow(base, -exponent)))
        p, q = coefficient.p, coefficient.q
        if is_decimal(coefficient):
            front, p, q = [decimal(coefficient)], 1, 1
        else:
            front = [decimal(Integer(p))] if p != 1 or not above else []
        if not below and q == 1:
            return self._times(front or ([] if above else ["1"]), above)
        bottom = self._times([decimal(Integer(q))] if q != 1 else [], below)
        apart = any(p.tall > 1 for p in above) or (len(above) > 1 and not below)
        if apart or any(piece.tall > 3 or piece.wide for piece in above):
            number = f"\\frac{{{front[0] if front else 1}}}{{{bottom.latex}}}"
            return self._times([number], above, 2)
        upper = self._times(front, above)
        return Piece(f"\\frac{{{upper.latex}}}{{{bottom.latex}}}", PRODUCT, 2)

    def power(self, base: Expr, exponent: Expr) -> Piece:
        """`base^{exponent}`, whatever the exponent's sign."""
        inside = self.piece(base)
        simple = inside.level in (CALL, ATOM) and not inside.scripted
        text = inside.latex if simple else inside.bracketed()
        above = str(exponent) if exponent.is_Rational else self.latex(exponent)
        return Piece(f"{text}^{{{above}}}", POWER, inside.tall, True)

    def _times(self, front: list[str], factors: list[Piece], height: int = 0) -> Piece:
        """Put factors side by side; a cross only where two numbers would touch."""
        if not front and len(factors) == 1:
            return factors[0]
        printed = list(front)
        for place, factor in enumerate(factors):
            last = place == len(factors) - 1
            text = factor.within(PRODUCT)
            if factor.tall == 4 and not last:
                text = factor.bracketed()
            if printed and text[0].isdigit():
                text = f"\\cdot {text}"
            printed.append(text)
        heights = [p.tall if p.level > SUM else max(p.tall, 1) for p in factors]
        # A number stands close to what it multiplies.
        close = len(front) == 1 and front[0].isdigit() and len(printed) > 1
        joined = r"\, ".join(printed[close:])
        text = f"{printed[0]} {joined}" if close else joined
        return Piece(text, PRODUCT, max([height, *heights]))


HALF = Rational(1, 2)

# --- arithmetic ----------------------------------------------------------------------


def in_order(expression: Expr) -> list[Expr]:
    """Addends as a person orders them: whole numbers, then plus, then minus.

    `-y + a`, `-a**2 + 1`, `x + 1/100` => `a - y`, `1 - a**2`, `x + 0.01`
    """

    def rank(addend: Expr) -> tuple[bool, bool]:
        late = addend.is_Number and not addend.is_Integer
        return addend.could_extract_minus_sign(), late

    return sorted(Add.make_args(expression), key=rank)


def in_place(factors: Iterable[Expr]) -> list[Expr]:
    """Factors as a person orders them; a sum follows a call that it holds.

    `(1 - s(x)), s(x)` => `s(x), (1 - s(x))`
    """
    factors = list(factors)
    calls = [f for f in factors if f.is_Function]

    def rank(factor: Expr) -> tuple[int, int]:
        late = factor.is_Add and any(factor.has(f) for f in calls)
        return (5, 0) if late else _place(factor)

    return sorted(factors, key=rank)


def _place(factor: Expr) -> tuple[int, int]:
    """Where a factor stands: numbers, constants, reads, powers, sums, calls, cases."""
    base = factor.as_base_exp()[0] if isinstance(factor, Pow) else factor
    if base.is_Number:
        return 0, 0
    if isinstance(base, Indexed | Name):
        symbol = base.base.label if isinstance(base, Indexed) else base
        return (1 if symbol.kind == "constant" else 2), symbol.rank
    if base.is_Symbol:
        return 2, 0  # an argument of a definition
    last = {"where": 6, "kronecker": 7}.get(base.func.__name__, 4)
    return (3 if isinstance(base, Add) else last), 0


def common(expression: Expr) -> Rational:
    """The number that every addend has, but for its sign.

    `2*a - 2*y` => 2; `a - 2*y` => 1; `2*a` => 1
    """
    if not expression.is_Add:
        return sympy.S.One
    found = {
        Mul(*(abs(f) for f in Mul.make_args(addend) if f.is_number))
        for addend in expression.args
    }
    number = found.pop()
    alone = any(addend.is_number for addend in expression.args)
    return number if number.is_Rational and not found and not alone else sympy.S.One


def _sum(printer: Printer, expression: Expr) -> Piece:
    if common(expression) != 1:
        return printer.product(*factored(expression))
    return printer._added(in_order(expression))


def factored(expression: Expr) -> tuple[Rational, list[Expr]]:
    """A number and factors: `d*(2*x/7 - 2*m/7)` => `2/7, [d, x - m]`."""
    coefficient, rest = expression.as_coeff_Mul()
    factors = []
    for factor in Mul.make_args(rest):
        number = common(factor)
        coefficient *= number
        if number != 1:
            factor = Add(*(addend / number for addend in factor.args))
        factors.append(factor)
    return coefficient, [factor for factor in factors if factor != 1]


def _product(printer: Printer, expression: Expr) -> Piece:
    if any(factor.is_Mul for factor in expression.args):
        # A product that was kept as it is: `(1/s) (x/s)`, factor by factor.
        parts = [printer.piece(factor) for factor in expression.args]
        joined = r" \cdot ".join(part.within(PRODUCT) for part in parts)
        return Piece(joined, PRODUCT, max(part.tall for part in parts))
    coefficient, factors = factored(expression)
    negative = bool(coefficient.is_extended_negative)
    piece = printer.product(abs(coefficient), factors)
    if negative:
        return Piece(f"-{piece.within(PRODUCT)}", SUM, piece.tall)
    return piece


def _radicals(
    coefficient: Rational, factors: Iterable[Expr]
) -> tuple[Rational, list[Expr]]:
    """Square roots of numbers, joined below the bar where that is all that they are.

    `1/2, [sqrt(2), 1/sqrt(pi), x]` => `1, [1/sqrt(2*pi), x]`
    """
    factors = list(factors)
    roots = [f for f in factors if f.is_Pow and f.is_number and 2 * f.exp in (1, -1)]
    square = coefficient**2 * Mul(*(root**2 for root in roots))
    above, below = sympy.fraction(square)
    if not roots or (len(roots) == 1 and above != 1):
        return coefficient, factors
    joined = (
        Pow(below, -1 * HALF, evaluate=False)
        if above == 1
        else Pow(Mul(above, 1 / below), HALF, evaluate=False)
    )
    return sympy.S.One, [*(f for f in factors if f not in roots), joined]


def _power(printer: Printer, expression: Expr) -> Piece:
    base, exponent = expression.args
    if exponent == HALF and not printer.piece(base).wide:
        inside = printer.piece(base)
        return Piece(f"\\sqrt{{{inside.latex}}}", ATOM, max(1, inside.tall))
    if exponent.could_extract_minus_sign():
        return printer.product(sympy.S.One, [expression])
    return printer.power(base, exponent)


def _number(printer: Printer, expression: Expr) -> Piece:
    if expression.is_extended_negative:
        inner = _number(printer, -expression)
        return Piece(f"-{inner.latex}", SUM, inner.tall)
    if expression.q == 1 or is_decimal(expression):
        text = decimal(expression)
        return Piece(text, POWER if "^" in text else ATOM, 0, "^" in text)
    return Piece(f"\\frac{{{expression.p}}}{{{expression.q}}}", PRODUCT, 2)


def _constant(printer: Printer, expression: Expr) -> Piece:
    return Piece({"E": "e"}.get(str(expression), f"\\{expression}"))


def _read(printer: Printer, expression: Expr) -> Piece:
    if is_index(expression):
        return Piece(printer.symbols.index(expression.name))
    if not isinstance(expression, Name):
        return Piece(escape(str(expression)))  # the x of a definition
    text = printer.symbols.read(expression.name)
    return Piece(text, scripted=printer.symbols.scripted(expression.name))


def _indexed(printer: Printer, expression: Expr) -> Piece:
    name = tensor_of(expression)
    text = printer.read(name, subscripts_of(expression))
    return Piece(text, scripted=printer.symbols.scripted(name))


ARITHMETIC: dict[type, Rule] = {
    Indexed: _indexed,
    sympy.Symbol: _read,
    Add: _sum,
    Mul: _product,
    Pow: _power,
    Rational: _number,
    sympy.core.numbers.NumberSymbol: _constant,
}
