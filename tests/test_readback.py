"""The printed index notation read back: it says what the judge holds, to the digit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from programs import programs
from readback import Reader, UnreadableError
from varied import VARIED

import symbackprop as sb
from symbackprop.argument import judge
from symbackprop.argument.lines import Line, partial
from symbackprop.derivation import differentiate
from symbackprop.document import functions, latex
from symbackprop.document.account import Account
from symbackprop.document.chapter import NumberedEquation
from symbackprop.document.derivations import _slopes
from symbackprop.document.latex import Printer
from symbackprop.document.lines import Lines
from symbackprop.document.pieces import Piece
from symbackprop.document.symbols import Symbol
from symbackprop.equations import tensor_of

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.toml"))
CANCELLED = 1e-6
TOLERANCE = 1e-9


def account_of(program: sb.Program) -> Account:
    """An account that prints the sizes at which its judge computes."""
    account = Account(differentiate(program), "en", "index")
    account.lines = Lines(account.judge.system, account.symbols)
    return account


class Readings:
    """Reads every row of an account back."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.points = {"": account.judge.points[0]}
        self.count = 0

    def all(self) -> int:
        """Every row of every equation and proof; how many there were."""
        account = self.account
        derivation = account.derivation
        for equation in (*derivation.forward, *derivation.adjoint):
            if equation.tensor not in derivation.adjoint_of:
                (row,) = account.rows(equation)
                value = self.points[""].value(equation.tensor)
                self.compare([row], [i.name for i in equation.indices], value)
        for proof in self.proofs():
            lines = proof.lines
            for line, row in zip(lines, account.told(proof), strict=True):
                self.line(line, row)
        return self.count

    def proofs(self) -> Iterator[Any]:
        account = self.account
        for equation, tensor in _slopes(account, ()):
            yield account.jacobian(equation, tensor)
        for equation in account.derivation.adjoint:
            if equation.tensor in account.derivation.adjoint_of:
                yield account.proof(equation.tensor)
        found = map(account.recursion, account.kept)
        yield from (proof for proof in found if proof is not None)

    def line(self, line: Line, row: NumberedEquation) -> None:
        if line.fact and line.fact not in self.points:
            self.points[line.fact] = self.points[""].summing_to_one(line.fact)
        point = self.points[line.fact]
        if line.left.func is partial:
            value = point.partial(*map(tensor_of, line.left.args))
        else:
            value = point.value(tensor_of(line.left))
        self.compare([row], [i.name for i in line.free], value, line.fact)

    def compare(self, rows, free: list[str], value: Any, fact: str = "") -> None:
        account = self.account
        reader = Reader(account, self.points[fact])
        for row in rows:
            sides = [side for side in (row.left, *row.addends) if side]
            letters = [account.symbols.index(name) for name in free]
            reader.start([*sides, *letters])
            expected = reader.spread(np.asarray(value, dtype=float), letters)
            told = f"{row.left} = {' '.join(row.addends)}"
            if row.left:
                self.equal(reader.read(row.left), expected, 0.0, told)
            addends = [reader.read(side) for side in row.addends]
            sizes = [float(np.max(np.abs(a), initial=0.0)) for a in addends]
            self.equal(sum(addends), expected, max(sizes), told)
            self.count += 1

    @staticmethod
    def equal(found: Any, expected: Any, size: float, told: str) -> None:
        # Where a sum cancels, its addends say how far rounding reaches; where each of
        # them does, what is left is far below an ordinary slope.
        size = max(size, float(np.max(np.abs(expected), initial=0.0)), CANCELLED)
        shape = np.broadcast_shapes(found.shape, expected.shape)
        assert shape == expected.shape, f"more letters than the left side: {told}"
        off = float(np.max(np.abs(found - expected), initial=0.0))
        assert off <= TOLERANCE * size, f"off by {off:.1e} of {size:.1e}: {told}"


def read_back(program: sb.Program) -> int:
    return Readings(account_of(program)).all()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples(file: Path) -> None:
    assert read_back(sb.load(file).program) > 20


@pytest.mark.parametrize("name", VARIED)
def test_varied_networks(name: str) -> None:
    assert read_back(sb.Program(**VARIED[name])) > 3


# --- small programs, read as the chapter prints them: at their own sizes -------------

DENSE: dict[str, Any] = {
    "equations": "z[i] = sum(W[i, j]*x[j], j) + b[i]\n"
    "a[i] = swish(z[i])\nL = sum((a[i] - y[i])**2, i)/3",
    "axes": {"i": 2, "j": 3},
    "parameters": {"W": "i j", "b": "i"},
    "data": {"x": "j", "y": "i"},
    "batched": ("x", "y"),
}
SMALL: dict[str, dict[str, Any]] = {
    "dense": DENSE,
    "no batch": {**DENSE, "batched": ()},
    "a penalty without batch": {
        **DENSE,
        "equations": DENSE["equations"] + " + lam*sum(W[i, j]**2, i, j)",
        "constants": {"lam": 0.3},
        "batched": (),
    },
    "maxout": {
        "equations": "z[k, i] = sum(W[k, i, j]*x[j], j)\na[i] = max(z[k, i], k)\n"
        "m[j] = min(W[k, i, j]*a[i], k, i)\nL = sum((m[j] - x[j])**2, j)",
        "axes": {"i": 2, "j": 3, "k": 3},
        "parameters": {"W": "k i j"},
        "data": {"x": "j"},
        "batched": ("x",),
    },
    "softmax and label": {
        "equations": "z[k] = sum(W[k, j]*x[j], j)\n"
        "p[k] = exp(z[k]) / sum(exp(z[c]), c)\nL = -log(p[label]) + lam*sum(W[k,j]**2,"
        " k, j)",
        "axes": {"j": 2, "k": 3, "c": 3},
        "parameters": {"W": "k j"},
        "data": {"x": "j", "label": ""},
        "constants": {"lam": 0.01},
        "integers": ("label",),
        "batched": ("x", "label"),
    },
    "softmax and targets": {
        "equations": "z[k] = sum(W[k, j]*x[j], j)\n"
        "p[k] = exp(z[k]) / sum(exp(z[c]), c)\nL = -sum(y[k]*log(p[k]), k)",
        "axes": {"j": 2, "k": 3, "c": 3},
        "parameters": {"W": "k j"},
        "data": {"x": "j", "y": "k"},
        "batched": ("x", "y"),
    },
    "recurrence": {
        "equations": "z[t, i] = sum(U[i, j]*h[t - 1, j], j) + w[i]*x[t]\n"
        "h[t, i] = tanh(z[t, i])\nL = sum((h[t, i] - y[t, i])**2, t, i)/2",
        "axes": {"t": 4, "i": 2, "j": 2},
        "parameters": {"U": "i j", "w": "i"},
        "data": {"x": "t", "y": "t i"},
        "batched": ("x", "y"),
        "zero_outside": ("h",),
    },
    "two steps back": {
        "equations": "h[t] = sin(g*h[t - 2] + x[t])\nL = mean(h[t]*h[t + 1], t)",
        "axes": {"t": 5},
        "parameters": {"g": "", "x": "t"},
        "data": {},
        "zero_outside": ("h",),
    },
    "labels of samples": {
        "equations": "z[i] = sum(W[i, j]*x[j], j)\n"
        "L = sum((z[i] - y[i])**2, i)/2 - z[label] + w[label]*x[0]",
        "axes": {"i": 3, "j": 2},
        "parameters": {"x": "j", "W": "i j", "w": "i"},
        "data": {"y": "i", "label": ""},
        "integers": ("label",),
        "batched": ("label", "y"),
    },
    "counted tokens": {
        "equations": "s = sum(E[token[t]], t)*x\nL = s**2",
        "axes": {"t": 3, "n": 4},
        "parameters": {"E": "n"},
        "data": {"token": "t", "x": ""},
        "integers": ("token",),
        "batched": ("token", "x"),
    },
    "embedding": {
        "equations": "e[t, d] = E[token[t], d]\nc[p] = sum(K[u, d]*e[2*p + u - 1, d],"
        " u, d)\nL = sum(relu(c[p])**2, p)",
        "axes": {"t": 5, "d": 2, "n": 4, "p": 3, "u": 3},
        "parameters": {"E": "n d", "K": "u d"},
        "data": {"token": "t"},
        "integers": ("token",),
        "batched": ("token",),
        "zero_outside": ("e",),
    },
    "strides": {
        "equations": "c[p, q] = sum(K[u, v]*x[2*p + u, 3*q - v + 2], u, v)\n"
        "L = sum(softplus(c[p, q])*y[p, q], p, q)",
        "axes": {"p": 2, "q": 2, "u": 3, "v": 3, "r": 5, "s": 6},
        "parameters": {"K": "u v", "x": "r s"},
        "data": {"y": "p q"},
    },
    "conditions": {
        "equations": "a[t] = where(t >= 2 and not t == 3, w[t]**2, x[t]*w[t])\n"
        "b[t] = where(t <= 1 or a[t] > 0.5 and t < 4, tanh(a[t]), -a[t]/7)\n"
        "c[t] = where(not (b[t] > 0 or t == 1), b[t]**3, 1/(1 + b[t]**2))\n"
        "L = sum(where(u <= t, c[u]*x[t], 0), t, u)",
        "axes": {"t": 5, "u": 5},
        "parameters": {"w": "t"},
        "data": {"x": "t"},
        "batched": ("x",),
    },
    "kinks": {
        "equations": "a[i] = abs(w[i]*x[i]) + hard_tanh(2*w[i]) - elu(x[i]*w[i], 0.3)\n"
        "b[i] = maximum(a[i], minimum(w[i], x[i]/2)) + sign(x[i])*prelu(a[i], r)\n"
        "c[i] = hard_logistic(b[i])*leaky_relu(a[i])\nL = sum(c[i]*exp(-b[i]**2), i)",
        "axes": {"i": 3},
        "parameters": {"w": "i", "r": ""},
        "data": {"x": "i"},
        "batched": ("x",),
    },
    "powers and roots": {
        "equations": "s = sqrt(sum(w1[i]**2, i) + 1e-7)\n"
        "a[i] = w1[i]/s**3 - s**1.5/(3*(1 + w1[i]**2)**2)\n"
        "c[i] = 2**(a[i]/3)*sqrt(1 + a[i]**2)/sqrt(2) + erf(a[i])*gelu(s)\n"
        "L = -3*sum(c[i]**2*(c[i] - s)*(s - 1/7), i)/(5*s**2) - 1e12*expm1(-s**2)/3",
        "axes": {"i": 3},
        "parameters": {"w1": "i"},
        "data": {},
    },
    "a scalar exponential": {
        "equations": "z = w*x\ns = exp(-z)\nL = (s - exp(2*z)/3)**2 + log1p(s)",
        "axes": {},
        "parameters": {"w": ""},
        "data": {"x": ""},
        "batched": ("x",),
    },
    "a quantity called e": {
        "equations": "z = w*x\ne = exp(-z)\nL = (e - 3)**2 + exp(e)*pi + erf(e)",
        "axes": {},
        "parameters": {"w": "", "pi": ""},
        "data": {"x": ""},
        "batched": ("x",),
    },
}


@pytest.fixture
def at_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge computes at the sizes that are declared."""
    monkeypatch.setattr(judge, "shrink", lambda system: system)


@pytest.mark.usefixtures("at_own_size")
@pytest.mark.parametrize("name", SMALL)
def test_small_programs_as_they_are_printed(name: str) -> None:
    program = sb.Program(**{"objective": "L", **SMALL[name]})
    account = account_of(program)
    assert account.judge.system.axes == account.calculus.system.axes
    assert Readings(account).all() > 3


@hypothesis.given(programs())
@hypothesis.settings(max_examples=20, deadline=None, derandomize=True)
def test_random_programs(declared: dict[str, Any]) -> None:
    assert read_back(sb.Program(**declared)) > 1


# --- planted bugs of the printers ----------------------------------------------------

Change = Callable[..., Any]


def text(pattern: str, by: str) -> Change:
    """What a printer returns, with a part of its text replaced."""

    def change(made: Any, *_: Any) -> Any:
        if isinstance(made, Piece):
            return replace(made, latex=re.sub(pattern, by, made.latex))
        return re.sub(pattern, by, made)

    return change


def addends(pattern: str, by: str) -> Change:
    return lambda made, *_: [(m, re.sub(pattern, by, text)) for m, text in made]


# What a printer makes, and what it would make with the bug.
BUGS: dict[str, tuple[Any, str, Change]] = {
    "a factor is dropped": (Printer, "_times", text(r"(.*\S)\\, .*", r"\1")),
    "a minus is lost": (Printer, "signed", lambda made, *_: (False, made[1])),
    "a row's minus is lost": (
        Lines,
        "_addends",
        lambda made, *_: [(False, text) for _, text in made],
    ),
    "a product's minus is lost": (Printer, "piece", text("^-", "")),
    "the sum is forgotten": (Lines, "_addends", addends(r"\\sum_\{[a-z]\} ", "")),
    "the mean is forgotten": (Lines, "_front", lambda *_: ""),
    "the mean is a sum": (Lines, "_front", text(r"\\frac\{1\}\{N\}", "")),
    "one index is not summed over": (Lines, "_below", text(r",\w'?", "")),
    "a condition beside": (Lines, "_conditions", lambda made, *_: (made[0], [], [])),
    "a condition below": (Lines, "_conditions", lambda made, *_: ([], *made[1:])),
    "a bound is off by one": (Lines, "guard", text("< 4", "< 3")),
    "half of a condition": (Lines, "guard", text(r"^0 \\le (.*) < .*", r"\1 \\ge 0")),
    "a delta is lost": (functions, "_kronecker", text(".*", "1")),
    "upside down": (Printer, "product", text(r"^\\frac\{(\w)\}\{(.*)\}$", r"\2")),
    "parentheses are off": (Piece, "bracketed", lambda made, piece: piece.latex),
    "a power without them": (Printer, "power", text(r"^\\bigl\((.*)\\bigr\)", r"\1")),
    "a power is lost": (Printer, "power", text(r"\^\{2\}$", "")),
    "subscripts change places": (Symbol, "at", text(r"_\{(\w) (\w)\}", r"_{\2 \1}")),
    "a subscript's number": (Printer, "subscript", text(" - 1", "")),
    "a label is lost": (Symbol, "at", text(r"delta_\{[a-z],", "delta_{")),
    "a number loses digits": (latex, "decimal", text(r"(\.\d)\d.*", r"\1")),
    "a slope without prime": (functions, "applied", text("^(.*?)'", r"\1")),
    "another slope": (functions, "applied", text(r"'_\{1\}", "'_{2}")),
    "cases change places": (
        functions,
        "_remaining",
        lambda made, *_: made.translate(str.maketrans("<>", "><")),
    ),
    "another comparison": (functions, "condition_side", text("2", "1")),
    "left side": (Printer, "read", text(r"\{(\w) (\w)\}", r"{\2 \1}")),
}


@pytest.mark.usefixtures("at_own_size")
@pytest.mark.parametrize("name", BUGS)
def test_a_bug_of_a_printer_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, attribute, change = BUGS[name]
    right = getattr(owner, attribute)

    def wrong(*arguments: Any) -> Any:
        return change(right(*arguments), *arguments)

    def notices(program: str) -> bool:
        account = account_of(sb.Program(**{"objective": "L", **SMALL[program]}))
        with monkeypatch.context() as patch:
            patch.setattr(owner, attribute, wrong)
            for table in (latex.ARITHMETIC, functions.FUNCTIONS):
                for key, rule in table.items():
                    if rule is right:
                        patch.setitem(table, key, wrong)
            account.lines = Lines(account.judge.system, account.symbols)
            try:
                Readings(account).all()
            except (AssertionError, UnreadableError):
                return True
        return False

    assert any(map(notices, SMALL))
