"""The section on saturation: how far each activation lets an error through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import sympy
from sympy import Expr

from symbackprop.document.account import Account
from symbackprop.document.chapter import (
    Block,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Ref,
    Section,
    Table,
)
from symbackprop.document.functions import operator
from symbackprop.document.matrices import bold
from symbackprop.document.matrix_form import row
from symbackprop.elementary import steps
from symbackprop.elementary.saturation import SMALL, Saturation, Stretch
from symbackprop.equations import indices_of
from symbackprop.passages import Applied, Passage, activations, chains, passages

SHOWN_PLACES = 2
SHOWN = 3  # norms in a product that is not shortened


def saturation(account: Account) -> Section:
    """Bounds of the slopes, and what they make of an error on its way back."""
    applied = activations(account.derivation, account.pre_activations)
    bounds = list(dict.fromkeys(one.saturation for one in applied.values()))
    if not bounds:
        return account.section("saturation")
    text = account.words(
        "saturation text", f=Math("f"), small=Math(_number(account, SMALL))
    )
    blocks: list[Block] = [Paragraph(text), _table(account, bounds)]
    found = passages(account.derivation, account.pre_activations)
    if found:
        blocks += _passage(account, found[0])
    longest = max(chains(found), key=len, default=[])
    if len(longest) > 1:
        blocks += _depth(account, longest)
    blocks += [Paragraph(text) for text in _verdicts(account, bounds)]
    return account.section("saturation", *blocks)


# --- the table -----------------------------------------------------------------------


def _table(account: Account, bounds: Sequence[Saturation]) -> Table:
    x = "x"
    head: tuple[Inline, ...] = (
        account.words("function"),
        (Math(r"\sup \lvert f' \rvert"),),
        account.words("attained"),
        (Math(f"{x} \\to -\\infty"),),
        (Math(f"{x} \\to \\infty"),),
        (Math(f"\\lvert f' \\rvert < {_number(account, SMALL)}"),),
    )
    rows = tuple(
        (
            (Math(_called(account, bound)),),
            (Math(_bound(account, bound)),),
            _attained(account, bound),
            *(_limit(account, limit) for limit in bound.limits),
            _small(account, bound),
        )
        for bound in bounds
    )
    return Table(head, rows, (0,) * len(head))


def _called(account: Account, bound: Saturation) -> str:
    """The function's name; with the numbers that it is given, where there are some."""
    name = operator(account.symbols, bound.name)
    if not bound.others:
        return name
    inside = ", ".join(account.lines.printer.latex(other) for other in bound.others)
    return f"{name}(\\cdot, {inside})"


def _bound(account: Account, bound: Saturation) -> str:
    sign = "" if bound.exact else r"\approx "
    return sign + _at_most(account, bound.bound)


def _at_most(account: Account, number: Expr) -> str:
    """A bound; one that is not exact is rounded upwards to six digits."""
    if not number.is_Float:
        return _number(account, number)
    digits = 5 - sympy.floor(sympy.log(number, 10))
    scale = sympy.Integer(10) ** digits
    return f"{sympy.Float(sympy.ceiling(number * scale) / scale, 6)}"


def _number(account: Account, number: Expr) -> str:
    if number.is_infinite:
        return r"\infty" if number > 0 else r"-\infty"
    if number.is_Float:
        return f"{sympy.Float(number, 6)}".rstrip("0").rstrip(".")
    return account.lines.printer.latex(number)


def _attained(account: Account, bound: Saturation) -> Inline:
    if not bound.attained:
        letters = sorted({s for o in bound.others for s in o.free_symbols}, key=str)
        if not letters:
            return account.words("nowhere")
        return account.words("depends", r=Math(", ".join(map(str, letters))))
    # Of many places, the two that are nearest to 0.
    near = sorted(bound.attained, key=lambda s: (abs(s.low), s.low))[:SHOWN_PLACES]
    near = [stretch for stretch in bound.attained if stretch in near]
    dots: list[Inline] = [("…",)] * (len(near) < len(bound.attained))
    return account.words.joined([_stretch(account, s) for s in near] + dots)


def _stretch(account: Account, stretch: Stretch) -> Inline:
    low, high = stretch.low, stretch.high
    if low == high:
        if not low.is_finite:
            return (Math(f"x \\to {_number(account, low)}"),)
        sign = r"\approx" if low.is_Float else "="
        return (Math(f"x {sign} {_number(account, low)}"),)
    if low.is_infinite and high.is_infinite:
        return account.words("everywhere", x=Math("x"))
    if high.is_infinite:
        return (Math(f"x > {_number(account, low)}"),)
    if low.is_infinite:
        return (Math(f"x < {_number(account, high)}"),)
    return (Math(f"{_number(account, low)} < x < {_number(account, high)}"),)


def _limit(account: Account, limit: Expr | None) -> Inline:
    if limit is None:
        return account.words("no limit")
    return (Math(_number(account, limit)),)


def _small(account: Account, bound: Saturation) -> Inline:
    low, high = bound.small_until, bound.small_from
    if low is None and high is None:
        learnt = any(other.free_symbols for other in bound.others)
        return ("–",) if learnt else account.words("nowhere")
    if low is not None and high is not None and abs(low + high) < SMALL**2:
        return (Math(f"\\lvert x \\rvert > {_short(account, high)}"),)
    parts: list[Inline] = []
    if low is not None:
        parts.append((Math(f"x < {_short(account, low)}"),))
    if high is not None:
        parts.append((Math(f"x > {_short(account, high)}"),))
    return account.words.joined(parts)


def _short(account: Account, number: Expr) -> str:
    """Three digits, rounded away from 0, so that what is said beyond it holds."""
    if not number.is_Float:
        return _number(account, number)
    scale = sympy.Integer(10) ** (2 - sympy.floor(sympy.log(abs(number), 10)))
    away = sympy.ceiling(abs(number) * scale) / scale
    return f"{float(away if number > 0 else -away):.3g}"


# --- the way back --------------------------------------------------------------------


def _adjoint(account: Account, tensor: str) -> tuple[str, str]:
    """The name of a tensor's error term, and its symbol without indices."""
    name = next(a for a, of in account.derivation.adjoint_of.items() if of == tensor)
    return name, bold(account.symbols.scalar(name).at())


def _weights(account: Account, passage: Passage) -> str:
    return bold(account.symbols.scalar(passage.weights).at())


def _norm(latex: str) -> str:
    return f"\\lVert {latex} \\rVert"


def _factor(account: Account, applied: Applied) -> str:
    """The bound of a slope in a product; a learnt argument by its own symbol."""
    found = applied.saturation
    printer = account.lines.printer
    symbols = steps(found.name).arguments[1:]
    learnt = dict(zip(symbols, applied.others, strict=True))
    if not found.bound.free_symbols:
        text = _at_most(account, found.bound)
        return (
            f"\\tfrac{{{found.bound.p}}}{{{found.bound.q}}}"
            if (found.bound.is_Rational and found.bound.q > 1)
            else text
        )
    bound = found.bound.xreplace(learnt)
    letters = ",".join(account.symbols.index(i.name) for i in indices_of(bound))
    return (
        f"\\max_{{{letters}}} {printer.latex(bound)}"
        if letters
        else printer.latex(bound)
    )


def _passage(account: Account, passage: Passage) -> list[Block]:
    words = account.words
    name, here = _adjoint(account, passage.before)
    _, there = _adjoint(account, passage.after)
    weights = _weights(account, passage)
    turned = f"({weights})^{{\\top}} {there}"
    factor = _factor(account, passage.applied)
    shrunk = "" if factor == "1" else f"{factor}\\, "
    proof = account.recursion(name)
    sides = proof and account.matrix.line(proof.lines[-1])
    known = [row(sides, (Ref(account.derivation.number(name)),))] if sides else []
    rows = (
        *known,
        NumberedEquation(
            None,
            _norm(here),
            (f"{shrunk}{_norm(turned)}",),
            words("slope at most"),
            r"\le",
        ),
        NumberedEquation(
            None,
            "",
            (f"{shrunk}{_norm(weights)}\\, {_norm(there)}",),
            words("norm at most"),
            r"\le",
        ),
    )
    return [Paragraph(words("passage")), Equations(rows)]


def _depth(account: Account, chain: Sequence[Passage]) -> list[Block]:
    """The product of the bounds over all layers that follow one another."""
    words = account.words
    _, first = _adjoint(account, chain[0].before)
    _, last = _adjoint(account, chain[-1].after)
    factors = Counter(_factor(account, passage.applied) for passage in chain)
    del factors["1"]
    slopes = r" \cdot ".join(
        text if count == 1 else f"\\bigl({text}\\bigr)^{{{count}}}"
        for text, count in factors.items()
    )
    norms = [_norm(_weights(account, p)) for p in chain]
    if len(norms) > SHOWN:
        norms = [norms[0], norms[1], r"\cdots", norms[-1]]
    product = r"\, ".join([*([slopes] if slopes else []), *norms, _norm(last)])
    text = words("depth", count=len(chain), first=Math(first), last=Math(last))
    row = NumberedEquation(None, _norm(first), (product,), (), r"\le")
    blocks: list[Block] = [Paragraph(text), Equations((row,))]
    bounds = [passage.applied.saturation.bound for passage in chain]
    total = sympy.prod(bounds)
    if not total.free_symbols and total < 1:
        share = Math(_share(total))
        blocks.append(Paragraph(words("shrinks", share=share)))
    return blocks


def _share(number: Expr) -> str:
    """`1/1024` => `0.00098`, rounded upwards to two digits."""
    power = sympy.floor(sympy.log(number, 10))
    digits = sympy.ceiling(number / sympy.Integer(10) ** (power - 1))
    if power >= -4:
        return f"{float(digits * sympy.Integer(10) ** (power - 1)):.{1 - power}f}"
    return f"{float(digits) / 10:.1f} \\cdot 10^{{{power}}}"


def _verdicts(account: Account, bounds: Sequence[Saturation]) -> Iterator[Inline]:
    """One sentence for each kind of activation, naming those that are used."""

    def left(b: Saturation) -> bool:
        return b.limits[0] == 0 and b.limits[1] != 0

    kinds: dict[str, Callable[[Saturation], bool]] = {
        "saturates both": lambda b: b.limits == (0, 0),
        "saturates left": lambda b: left(b) and b.small_until != 0,
        "dead left": lambda b: left(b) and b.small_until == 0,
        "keeps": lambda b: b.keeps,
    }
    for kind, belongs in kinds.items():
        names = dict.fromkeys(
            operator(account.symbols, b.name) for b in bounds if belongs(b)
        )
        if names:
            functions = account.words.listed(map(Math, names))
            yield account.words(kind, functions=functions)
