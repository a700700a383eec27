"""Documents: names, the printer, what is said, and whether pdflatex can set it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.document.latex import Printer
from symbackprop.document.measure import width
from symbackprop.document.page import packed
from symbackprop.document.phrases import LANGUAGES, PARTS, PHRASES
from symbackprop.document.pieces import decimal
from symbackprop.document.symbols import Symbols, escape, spell
from symbackprop.equations import Axis, Constant, System, Tensor
from symbackprop.program import Program
from symbackprop.proof import Derivation
from symbackprop.scalars import less, less_equal, log1p, logistic, where

OVERFULL = 5.0  # points

PROGRAMS = {
    "dense": {
        "equations": """
            z1[i] = sum(W1[i, j] * x[j], j) + b1[i]
            a1[i] = tanh(z1[i])
            L = sum((a1[i] - y[i])**2, i) / 2
        """,
        "axes": {"i": 3, "j": 4},
        "parameters": {"W1": "i j", "b1": "i"},
        "data": {"x": "j", "y": "i"},
        "batched": ("x", "y"),
        "objective": "L",
    },
    "softmax": {
        "equations": """
            z[k] = sum(W[k, j] * x[j], j)
            p[k] = exp(z[k]) / sum(exp(z[c]), c)
            L = -log(p[label]) + lam * sum(W[k, j]**2, k, j)
        """,
        "axes": {"j": 3, "k": 4, "c": 4},
        "parameters": {"W": "k j"},
        "data": {"x": "j", "label": ""},
        "constants": {"lam": 0.01},
        "integers": ("label",),
        "batched": ("x", "label"),
        "objective": "L",
    },
    "recurrence": {
        "equations": """
            h[t, i] = tanh(sum(U[i, j] * h[t - 1, j], j) + w[i] * x[t])
            L = sum(h[t, i]**2, t, i)
        """,
        "axes": {"t": 5, "i": 3, "j": 3},
        "parameters": {"U": "i j", "w": "i"},
        "data": {"x": "t"},
        "zero_outside": ("h",),
        "objective": "L",
    },
    "scattered": {
        "equations": """
            e[t, d] = E[token[t], d]
            m[d] = max(e[t, d], t)
            L = sum(where(m[d] < 0 and d > 0, relu(m[d]), prelu(m[d], r[d])), d)
        """,
        "axes": {"t": 7, "d": 3, "n": 4},
        "parameters": {"E": "n d", "r": "d"},
        "data": {"token": "t"},
        "integers": ("token",),
        "batched": ("token",),
        "objective": "L",
    },
    "hostile_names_long_enough_to_leave_the_page_if_let_alone": {
        "equations": """
            a_very_long_name_of_a_pre_activation_which_somebody_wrote[row_index] = (
                sum(weight_[row_index, column_index] * x__y[column_index], column_index)
                + alpha1 + alpha_1 + 1e-5 + 123456789.25 + N**2 + sigma)
            n = sum(logistic(a_very_long_name_of_a_pre_activation_which_somebody_wrote[
                row_index])**(1/3), row_index)
        """,
        "axes": {"row_index": 3, "column_index": 4},
        "parameters": {
            "weight_": "row_index column_index",
            "alpha1": "",
            "alpha_1": "",
            "N": "",
            "sigma": "",
        },
        "data": {"x__y": "column_index"},
        "batched": ("x__y",),
        "objective": "n",
    },
    "wide": {
        "equations": "L = "
        + " + ".join(f"sin(a{n} * b{n}) / (1 + c{n}**2)" for n in range(12))
        + " + a1 * exp("
        + " + ".join(f"a{n} * b{n} * c{n}" for n in range(12))
        + ") * "
        + " * ".join(f"a{n}" for n in range(12))
        + " + sqrt("
        + " + ".join(f"a{n}**2 * b{n}**4" for n in range(12))
        + ")",
        "axes": {},
        "parameters": {f"{s}{n}": "" for s in "abc" for n in range(12)},
        "data": {},
        "objective": "L",
    },
}


def deep(layers: int) -> dict:
    """Equal layers after a first and before a last one."""
    rows = ["a0[i] = tanh(sum(V[i, k] * x[k], k))"]
    for n in range(1, layers + 1):
        rows.append(f"z{n}[i] = sum(W{n}[i, j] * a{n - 1}[j], j)")
        rows.append(f"a{n}[i] = tanh(z{n}[i])")
    rows.append(f"L = sum(a{layers}[i]**2, i)")
    return {
        "equations": "\n".join(rows),
        "axes": {"i": 3, "j": 3, "k": 4},
        "parameters": {"V": "i k"} | {f"W{n}": "i j" for n in range(1, layers + 1)},
        "data": {"x": "k"},
        "batched": ("x",),
        "objective": "L",
        "name": "deep",
    }


def derivation_of(name: str) -> Derivation:
    return differentiate(Program(**{"name": name, **PROGRAMS[name]}))


# --- names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "subscripts", "latex"),
    [
        ("W", ["i", "j"], "W_{i j}"),
        ("W1", ["i", "j"], "W^{(1)}_{i j}"),
        ("W_1", ["i"], "W^{(1)}_{i}"),
        ("beta12", [], r"\beta^{(12)}"),
        ("h", ["t - 1", "j"], "h_{t - 1,j}"),
        ("p2_sum", ["t"], r"p^{(2)}_{\mathrm{sum},t}"),
        ("weight", ["i"], r"\mathrm{weight}_{i}"),
        ("log_p", ["k"], r"\mathrm{log\_p}_{k}"),
        ("a__b", [], r"\mathtt{a\_\_b}"),
        ("a" * 60, [], rf"\mathtt{{{'a' * 18}\ldots 1}}"),
    ],
)
def test_name(name: str, subscripts: list[str], latex: str) -> None:
    assert spell(name).at(subscripts) == latex


def test_names_that_would_look_the_same_are_told_apart() -> None:
    names = ["W1", "W_1", "epsilon", "lam", "n", "N", "a" * 50 + "b", "a" * 50 + "c"]
    tensors = {
        n: Tensor(n, (), "parameter", rank) for rank, n in enumerate([*names, "L"])
    }
    symbols = Symbols(System("s", {}, tensors, (), "L"))
    shown = [symbols.read(name) for name in names]
    assert len(set(shown)) == len(names)
    assert symbols.sample not in shown
    assert symbols.samples not in shown


@pytest.mark.parametrize("text", ["a_b", "100% & #1 $x$ {~^\\}", "层 – …"])
def test_escaped_text_has_no_bare_special_character(text: str) -> None:
    printed = escape(text)
    commands = re.sub(r"\\(text\w+|ldots)\{\}|\\.", "", printed)
    assert not set(commands) & set("#$%&_{}~^\\")
    assert printed.isascii()


# --- the printer ---------------------------------------------------------------------

ROW, COLUMN = Axis("i", 3, 0).index, Axis("j1", 4, 1).index
TENSORS = {
    name: Tensor(name, axes, "parameter", rank)
    for rank, (name, axes) in enumerate(
        [("a", ("i",)), ("y", ("i",)), ("W1", ("i", "j1")), ("s", ()), ("L", ())]
    )
}
AXES = {"i": Axis("i", 3, 0), "j1": Axis("j1", 4, 1)}
CONSTANTS = {"lam": Constant("lam", sympy.Rational(1, 2), 0)}
SYSTEM = System("s", AXES, TENSORS, (), "L", CONSTANTS)
A, Y = TENSORS["a"].read(ROW), TENSORS["y"].read(ROW)
W, S = TENSORS["W1"].read(ROW, COLUMN), TENSORS["s"].read()
LAM = CONSTANTS["lam"].symbol
PRINTER = Printer(Symbols(SYSTEM))


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        (A - Y, "a_{i} - y_{i}"),
        (-A - Y, "-a_{i} - y_{i}"),
        (1 - A**2, "1 - a_{i}^{2}"),
        (A - 1, "a_{i} - 1"),
        (2 * A - 2 * Y, "2 (a_{i} - y_{i})"),
        (-A * (1 - A), r"-a_{i}\, (1 - a_{i})"),
        (W**2, r"(W^{(1)}_{i j_{1}})^{2}"),
        (A / 2, r"\frac{a_{i}}{2}"),
        (LAM * A / S, r"\frac{\lambda\, a_{i}}{s}"),
        (1 / S**2, r"\frac{1}{s^{2}}"),
        (sympy.sqrt(S + sympy.Rational(1, 100000)), r"\sqrt{s + 10^{-5}}"),
        (S ** sympy.Rational(-3, 2), r"\frac{1}{s^{3/2}}"),
        ((A + Y) ** 2, r"(a_{i} + y_{i})^{2}"),
        (sympy.exp(A), r"\exp(a_{i})"),
        (logistic(A) * (1 - logistic(A)), r"\sigma(a_{i})\, (1 - \sigma(a_{i}))"),
        (log1p(S), r"\log(1 + s)"),
        (A * Y / 100, r"0.01\, a_{i}\, y_{i}"),
        (sympy.exp(A / 2) / S / 100, r"\frac{0.01}{s}\, \exp(\frac{a_{i}}{2})"),
        (TENSORS["a"].read(ROW - 1) * S, r"a_{i - 1}\, s"),
        (
            where(less(A, 0), Y, where(less(0, A), A, S)),
            r"\begin{cases} y_{i} & a_{i} < 0 \\ a_{i} & a_{i} > 0 \\ "
            r"s & a_{i} = 0 \end{cases}",
        ),
        (
            where(less_equal(A, Y), A, Y),
            r"\begin{cases} a_{i} & a_{i} \le y_{i} \\ y_{i} & a_{i} > y_{i} "
            r"\end{cases}",
        ),
        (
            where(less(A, Y), A, where(less(S, A), S, 0)),
            r"\begin{cases} a_{i} & a_{i} < y_{i} \\ s & s < a_{i} \\ "
            r"0 & \text{otherwise} \end{cases}",
        ),
        (
            where(less(0, A), A, where(less_equal(A, -1), 0, Y)),
            r"\begin{cases} a_{i} & a_{i} > 0 \\ 0 & a_{i} \le -1 \\ "
            r"y_{i} & -1 < a_{i} \le 0 \end{cases}",
        ),
    ],
)
def test_expression(expression: sympy.Expr, latex: str) -> None:
    bare = re.sub(r"\\[bB]igg?[lr]", "", PRINTER.latex(expression))
    assert bare == latex


@pytest.mark.parametrize(
    ("number", "latex"),
    [
        (sympy.Rational(1, 100), "0.01"),
        (sympy.Integer(1234567), "1234567"),
        (sympy.Integer(10) ** 20, "10^{20}"),
        (sympy.Rational(123456789, 8), "15432098.625"),
        (sympy.Rational(44715, 1000000), "0.044715"),
        (sympy.Integer(2) ** 100, r"1.26765060022\ldots \cdot 10^{30}"),
    ],
)
def test_number(number: sympy.Rational, latex: str) -> None:
    assert decimal(number) == latex


def test_functions_can_be_added() -> None:
    from symbackprop.document.pieces import Piece

    printer = Printer(Symbols(SYSTEM), {"relu": lambda printer, e: Piece("(x)_+")})
    from symbackprop.scalars import TABLE

    assert printer.latex(TABLE["relu"].call(A)) == "(x)_+"


# --- measuring -----------------------------------------------------------------------


def test_width_grows_with_what_is_written() -> None:
    rising = ["x", "x_{i}", "x_{i j}", r"\sum_{j} x_{i j}", r"\sum_{j} x_{i j} + 1"]
    widths = [width(latex) for latex in rising]
    assert widths == sorted(widths)
    assert width(r"\frac{a + b}{c}") < width("a + b + c")


def test_lines_are_broken_between_addends() -> None:
    addends = ("aaaa", "+ bbbb", "- cccc")
    assert packed(addends, 100) == ["aaaa + bbbb - cccc"]
    assert packed(addends, 6.5) == ["aaaa + bbbb", "- cccc"]


# --- what is said --------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_equation_is_said_once_under_its_number(name: str) -> None:
    derivation = derivation_of(name)
    numbers = [row.number for row in sb.document(derivation).chapter.equations()]
    count = len(derivation.forward) + len(derivation.adjoint)
    assert sorted(numbers) == list(range(1, count + 1))


def test_dense_layer() -> None:
    rows = {
        row.number: row.latex
        for row in sb.document(derivation_of("dense")).chapter.equations()
    }
    bare = {n: re.sub(r"\\[bB]igg?[lr]", "", latex) for n, latex in rows.items()}
    assert bare == {
        1: r"z^{(1)}_{i} = \sum_{j} W^{(1)}_{i j}\, x_{j} + b^{(1)}_{i}",
        2: r"a^{(1)}_{i} = \tanh(z^{(1)}_{i})",
        3: r"L = \frac{1}{2}\, \sum_{i} (a^{(1)}_{i} - y_{i})^{2}",
        4: r"\delta^{(1)}_{a,i} = a^{(1)}_{i} - y_{i}",
        5: r"\delta^{(1)}_{i} = \delta^{(1)}_{a,i}\, (1 - (a^{(1)}_{i})^{2})",
        6: r"\frac{\partial \mathcal{R}}{\partial W^{(1)}_{i j}} = "
        r"\frac{1}{N} \sum_{n} x_{j}\, \delta^{(1)}_{i}",
        7: r"\frac{\partial \mathcal{R}}{\partial b^{(1)}_{i}} = "
        r"\frac{1}{N} \sum_{n} \delta^{(1)}_{i}",
    }


def test_conditions_of_gathered_and_scattered_terms() -> None:
    text = sb.document(derivation_of("recurrence")).latex
    assert "[t + 1 < 5]" in text
    assert "is a recurrence" in text
    assert "is read as 0" in text
    text = sb.document(derivation_of("scattered")).latex
    assert r"\substack{t \\ \mathrm{token}_{t} = n}" in text
    assert r"\operatorname*{arg\,max}" in text
    assert "the first of them takes the whole slope" in text


def test_equal_layers_are_said_once() -> None:
    few, many = (
        sb.document(differentiate(Program(**deep(layers)))) for layers in (5, 30)
    )
    assert len(few.chapter.equations()) == len(many.chapter.equations())
    assert "equal layers" in many.latex
    assert len(many.latex) < 1.1 * len(few.latex)


def test_another_language_or_notation_is_refused() -> None:
    derivation = derivation_of("dense")
    with pytest.raises(sb.DeclarationError, match="'fr' is not spoken"):
        sb.document(derivation, language="fr")
    with pytest.raises(sb.DeclarationError, match="'tensor' is not written"):
        sb.document(derivation, notation="tensor")


def test_no_phrase_is_told_twice() -> None:
    keys = [key for part in PARTS for key in part.PHRASES]
    assert len(keys) == len(set(keys)) == len(PHRASES)


def test_every_phrase_is_said_in_every_language() -> None:
    for key, row in PHRASES.items():
        assert set(row) == set(LANGUAGES), key
        parts = [set(re.findall(r"\{(\w+)", text)) for text in row.values()]
        assert all(part == parts[0] for part in parts), key


# --- on the page ---------------------------------------------------------------------


@pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed"
)
@pytest.mark.parametrize("name", [*PROGRAMS, "deep"])
def test_pdflatex_sets_it_on_the_page(name: str, tmp_path: Path) -> None:
    if name == "deep":
        derivation = differentiate(Program(**deep(12)))
    else:
        derivation = derivation_of(name)
    (tmp_path / "derivation.tex").write_text(sb.document(derivation).latex)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    log = (tmp_path / "derivation.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "undefined" not in log
    over = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)
    assert [points for points in over if float(points) > OVERFULL] == []
