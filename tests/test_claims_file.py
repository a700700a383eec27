"""Files of claims: what they may say, and what is refused and where."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbackprop as sb
from symbackprop.claims.file import Claims, read
from symbackprop.claims.tex import read_tex
from symbackprop.errors import GrammarError

PROGRAM = """
equations = "L = sum((w[i]*x[i] - y)**2, i)"
axes = { i = 3 }
parameters = { w = "i" }
data = { x = "i", y = "" }
objective = "L"
"""

NETWORK = """
name = "small"
inputs = 3
loss = "squared_error"
[[layers]]
type = "dense"
units = 2
"""

WHOLE = """
title = { en = "Notes", zh = "笔记" }
layout = "numerator"
sections = { "1.2" = { en = "Slopes", zh = "斜率" } }

[programs.line]
equations = "L = sum((w[i]*x[i] - y)**2, i)"
axes = { i = 3 }
parameters = { w = "i" }
data = { x = "i", y = "" }
objective = "L"

[programs]
net = { file = "small.toml" }

[[claims]]
section = "1.2"
program = "line"
text = "D(L, w[i]) = x[i]"
tex = '''\\frac{\\partial L}{\\partial w_i} = x_i'''
note = { en = "As it stands.", zh = "原样。" }

[[claims]]
program = "net"
text = "z1 = W1 @ x + b1"
layout = "denominator"

[[claims]]
text = "tanh(x) = x"
"""


def written(folder: Path, text: str, name: str = "claims.toml") -> Path:
    (folder / "small.toml").write_text(NETWORK, encoding="utf-8")
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_whole_schema(tmp_path: Path) -> None:
    found = read(written(tmp_path, WHOLE))
    assert isinstance(found, Claims)
    assert found.title == {"en": "Notes", "zh": "笔记"}
    assert found.sections == {"1.2": {"en": "Slopes", "zh": "斜率"}}
    first, second, third = found.quoted
    assert first.program is not None
    assert first.program.name == "line"
    assert (first.section, first.layout) == ("1.2", "numerator")
    assert first.tex == r"\frac{\partial L}{\partial w_i} = x_i"
    assert first.note["zh"] == "原样。"
    assert second.program is not None
    assert second.program.name == "small"
    assert second.layout == "denominator"
    assert (third.program, third.tex, third.section) == (None, "", "")


def test_files_of_a_program_and_of_a_network(tmp_path: Path) -> None:
    assert isinstance(read(written(tmp_path, PROGRAM)), sb.Program)
    assert read(tmp_path / "small.toml").name == "small"  # type: ignore[union-attr]


def changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


REFUSED = {
    "unknown key": (changed("title", "titel"), "titel is not known.*`title`"),
    "unknown key of a claim": (
        changed('text = "tanh', 'txt = "tanh'),
        r"claims\[3\].txt is not known.*`tex",
    ),
    "unknown key of a program": (
        changed("axes", "axis"),
        "programs.line: axis is not known.*`axes`",
    ),
    "no text": (changed('text = "tanh(x) = x"', ""), r"claims\[3\].text is missing"),
    "no claims": ("claims = []", "claims: write each"),
    "a claim that is no table": ("claims = [3]", r"claims\[1\] is 3"),
    "no relation": (changed("tanh(x) = x", "tanh(x)"), r"claims\[3\].text: line 1"),
    "unknown program": (changed('"net"', '"nett"'), r"claims\[2\].program.*`net`"),
    "unknown layout": (changed('"numerator"', '"numeratr"'), "layout.*`numerator`"),
    "no number of a section": (changed('"1.2"', '"one"'), "sections.*'one'"),
    "language": (changed("zh =", "fr ="), "title.fr is not known"),
    "no English": (changed('en = "Notes", ', ""), "title.en is missing"),
    "Chinese in English": (changed('en = "Notes"', 'en = "笔记"'), "title.en: '笔'"),
    "two lines": (changed('"As it stands."', r'"As it\nstands."'), "note.en: write"),
    "LaTeX": (changed(r"\partial", r"\input"), r"claims\[1\].tex: column 7"),
    "no such file": (changed("small.toml", "smal.toml"), "smal.toml cannot be read"),
    "wrong program": (changed("i = 3", "i = 0"), "programs.line: axes"),
    "of a wrong type": (changed('text = "tanh(x) = x"', "text = 3"), "is 3 .whole"),
    "not TOML": ("claims = ?", "is not TOML"),
}


@pytest.mark.parametrize("flaw", REFUSED)
def test_refused(flaw: str, tmp_path: Path) -> None:
    text, said = REFUSED[flaw]
    with pytest.raises(sb.SymbackpropError, match=said) as caught:
        read(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path))


# --- LaTeX --------------------------------------------------------------------------

SOUND = [
    r"\sigma'(x) = \sigma(x) (1 - \sigma(x))",
    r"\frac{\partial L(\vec{y}, \hat{\vec{y}})}{\partial w_{ij}^{(l)}} = \frac12",
    r"f(x) = \begin{cases} x & \text{if } x > 0 \\ rx & \text{if } x < 0 \end{cases}",
    r"\left( \frac{a}{b} \right)^T \cdot \bigl( c \bigr) \in [0, 1)",
    r"\|W\|_F^2 = \sum_i \sum_j w_{ij}^2",
]

UNSOUND = {
    r"\input{/etc/passwd}": r"`\\input` is not read",
    r"\write18{ls}": "is not read",
    r"\href{javascript:x}{y}": "is not read",
    r"\def\x{\x\x}\x": "is not read",
    r"\partiall": r"`\\partial`",
    r"x%y": "`%` is not read",
    r"$x$": r"`\$` is not read",
    r"x^a^b": r"second `\^`",
    r"f'^2": r"second `\^`",
    r"f^2'": "a prime stands before",
    r"x_1_2": "second `_`",
    r"^2": "is not read",
    r"{x": "expected `}`",
    r"x}": "ends nothing",
    r"\frac{a}": "needs an argument",
    r"\sqrt[3]{x}": "needs an argument",
    r"\left( x": r"expected `\\right`",
    r"\left x \right)": "needs a bracket",
    r"a & b": "`&` is not read",
    r"a \\ b": "is not read",
    r"\begin{cases} a & b & c \end{cases}": "at most 2 columns",
    r"\begin{cases} a \\[9pt] b \end{cases}": "nothing may stand beside",
    r"\begin{cases} a \end{matrix}": "ended by another",
    r"\begin{align} a \end{align}": "`align` is not read",
    r"\begin{cases} \left( a & b \right) \end{cases}": "`&` is not read",
    r"\text{如果}": "behind the words",
    r"\text{$x$}": "behind the words",
    r"α": "`α` is not read",
    "": "no formula",
    "x" * 3_000: "at most 2000 characters",
    "{" * 50 + "}" * 50: "deeper than 20",
}


@pytest.mark.parametrize("latex", SOUND)
def test_latex_is_read(latex: str) -> None:
    assert read_tex(f"  {latex}\n") == latex


@pytest.mark.parametrize("latex", UNSOUND)
def test_latex_is_refused(latex: str) -> None:
    with pytest.raises(GrammarError, match=UNSOUND[latex]):
        read_tex(latex)


@given(st.text("\\{}^_&'xfrac1 ()[]|leftrightbegincasesend%$#~", max_size=40))
def test_whatever_comes_is_read_or_refused(latex: str) -> None:
    try:
        text = read_tex(latex)
    except GrammarError:
        return
    assert not set(text) & set("%$#~")
    assert text.replace(r"\{", "").count("{") == text.replace(r"\}", "").count("}")
