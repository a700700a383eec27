"""Claims that no honest person makes: refused by the package's own errors."""

# ruff: noqa: E501 - a claim stands on one line

from __future__ import annotations

import pytest
from claims_programs import NETWORKS, TEXTS

import symbackprop as sb
from symbackprop.claims.verdict import KINDS

BROKEN = [
    "", " ", "=", "==", "<", "<-", "->", "a1 ->", "-> a1", "# D(L, b1) = delta1",
    "delta1 =", "= delta1", "delta1", "delta1[i]", "delta1 = = delta1", "if", "= if",
    "delta1 = delta1 if", "if x > 0", "delta1 = if x", "a1 = a1 = a1 if", "a1 <- a1 <- a1",
    "a1 = a1 < a1", "0 < a1[i] > 0", "a1 <- a1 = a1", "a1 -> a1 = a1", "a1 := a1 := a1",
    "D() = 1", "D(L) = 1", "D(L, b1, W1) = 1", "D(L, 3) = 0", "D(3, L) = 0", "D(3, 3) = 0",
    "D(L, W1[i, j] + 1) = 0", "D(L, -b1) = 0", "D(L, tanh) = 0", "D(L, D) = 0", "D = 1",
    "D(L, D(L, b1)) = 0", "D(L, lam) = 0", "D(L, i) = 0", "D(L, alpha) = 0",
    "D(L, delta1) = 0", "D(L, W1.T) = delta1", "D(L, W1[i]) = 0", "D(L, W1[i, j, k]) = 0",
    "D(L, W1[99, 0]) = 0", "D(L, W1[-1, 0]) = 0", "D(L, W1[0.5, 0]) = 0",
    "D(L, W1[1/2, 0]) = 0", "D(L, W1[i*j, 0]) = x[j]*a1[i]", "D(L, W1[i**2, 0]) = a1[i]",
    "D(L, W1[x[0], 0]) = 0", "D(L, W1[tanh(i), 0]) = a1[i]", "D(L, W1[:, 0]) = 0",
    "D(L, W1[..., 0]) = 0", "D(L, W1[None, 0]) = 0", "D(L, W1[()]) = 0", "W1[[0], 0] = 0",
    "D(D(D(L, b1[i]), b1[j]), b1[k]) = 0", "D(D(L, b1), b1) = 0", "tanh''(x) = 0",
    "tanh'''''''(x) = 0", "'tanh(x) = 0", "tanh'(x)' = 0", "tanh' = 0", "f9(z1) = a1",
    "f1' = 0", "f1'() = 0", "f1'(z1, z1) = 0", "f1(f1) = 0", "tanh = tanh", "tanh() = 0",
    "tanh(1, 2) = 0", "delta7 = delta1", "delta_nothing = 0", "delta_delta1 = 0",
    "delta_delta_z1[i] = 0", "delta_[i] = 0", "delta1[] = 0", "delta1[i = 0", "delta1]i[ = 0",
    "nothing[i] = 0", "nothing = nothing", "nothing[i] = nothing[i]", "W1 <- W2 <- W1",
    "x <- x - 1", "z1 <- z1", "1 <- 2", "W1 + 1 <- W1", "L <- L", "f1 <- f1",
    "tanh(W1) <- W1", "a1 -> 3", "a1 -> a1 + a2", "a1 -> D(L, b1)", "nothing -> a1",
    "-> -> ->", "sum(x[i], i, i) = 0", "sum(x[i]) = 0", "sum() = 0", "sum(x[i], 3) = 0",
    "sum(x[i], x) = 0", "sum(x[i], i + 1) = 0", "sum(1, i) = 3", "max(x[i], i, j) = 0",
    "sum(sum(x[i], i), i) = 0", "where(x) = 0", "where(x[j], 1, 2) = 0", "where(1, 2, 3) = 2",
    "(x[j] > 0) = 1", "not x[j] = 0", "x[j] and x[j] = 0", "x[j] = x[j] if x[j]",
    "x[j] = x[j] if W1", "x[j] = x[j] if nothing > 0", "x[j] = x[j] if x[k] > 0 if x[j] > 0",
    "lambda: 0 = 0", "[i for i in x] = 0", "{1: 2} = 0", "(yield) = 0", "(a := 1) = 0",
    "await x = 0", "*x = 0", "f'{x}' = 0", "'x' = 'x'", '"x" = "x"', "b'x' = 0", "1j = 0",
    "x if x else x = 0", "x is x = 0", "x in x = 0", "x[j] % 2 = 0", "x[j] // 2 = 0",
    "x[j] << 2 = 0", "x[j] & 1 = 0", "x[j] | 1 = 0", "x[j] ^ 1 = 0", "~x[j] = 0",
    "x[j]; x[j] = 0", "x[j] = 0; import os", "x[j] = 0\nx[j] = 1", "x[j] = 0 \\", "x\0 = 0",
    "None = None", "True = True", "... = ...", "nan = nan", "inf = inf", "1/0 = 1/0",
    "0**-1 = 0", "log(0) = log(0)", "sqrt(-1) = sqrt(-1)", "(-1)**(1/2) = 0", "0/0 = 1",
    "1e400 = 1e400", "1e-400 = 0", "x[j] = 1e99999", "L = 1e308*1e308*L", "0x10 = 16",
    "1_000 = 1000", "01 = 1", "1.2.3 = 0", "W1 @@ W1 = 0", "W1.T.T = W1", "W1.T.T.T.T = W1",
    "W1.shape = 0", "W1.t = 0", "W1.T() = 0", "W1.T[i, j] = 0", "W1[i, j].T = 0", "L.T = L",
    "3.T = 3", "I = I", "I = 1", "I @ I = I", "I.T = I", "diag(I) = 0", "diag() = 0",
    "diag(W1) = 0", "diag(L) = L", "diag(3) = 3", "diag(diag(a1)) = 0", "I o I = I", "o = o",
    "o o o = o", "a1 o = a1", "o a1 = a1", "a1 o o a1 = a1", "a1 @ = a1", "@ a1 = a1",
    "W1[i, j] @ x[j] = z1[i]", "W1 @ x[j] = z1", "W1[i, j] = W1", "delta1 = delta1[i]",
    "W1 @ 3 = W1", "3 @ W1 = W1", "W1**W1 = W1", "W1**-1 = W1", "W1**(1/2) = W1", "2**W1 = W1",
    "I**2 = I", "sum(W1) = 0", "sum(W1, i) = 0", "max(W1) = 0", "D(W1, W1) = I",
    "D(z1, W1) = x", "D(L, L) = 1", "D(W1, L) = 0", "theta = 0", "gradient = 0",
    "workspace = 0", "symbackprop = 0", "sympy = 0", "self = 0", "L = L" * 3,
]  # fmt: skip

ATTACKS = [
    "__import__('os').system('touch {mark}') = 0",
    "D(L, __import__('os').system('touch {mark}')) = 0",
    "x[j] = x[j] if __import__('os').system('touch {mark}')",
    "W1 <- exec('open(\"{mark}\", \"w\")')",
    "eval('1') = 1", "().__class__.__bases__[0].__subclasses__() = 0", "L.__class__ = 0",
    "W1.T.__class__ = 0", "W1.T.__init__.__globals__ = 0", "L.__dict__ = 0", "x.T.T.__x__ = 0",
    "getattr(L, 'T') = 0", "open('{mark}', 'w') = 0", "print(L) = 0", "lambda_ = 0",
    "S('x') = 0", "Symbol('x') = 0", "Integer(3) = 3", "Rational(1, 2) = 1/2", "oo = oo",
    "zoo = zoo", "pi = pi", "E = E", "diff(L, b1) = 0", "Integral(x, x) = 0", "factorial(9) = 0",
    "f{{L}} = 0", "%s = 0", "{{0.__class__}} = 0", "$L = 0", "`L` = 0", "\\input{{/etc/passwd}} = 0",
    "<script>alert(1)</script> = 0", "L = 0 <!--", "'; DROP TABLE = 0", "../../etc/passwd = 0",
]  # fmt: skip

LOOK_ALIKES = [
    "\u0394(L, b1) = delta1", "\u03b4 = 0", "L\u00a0= L", "L \uff1d L", "L\u200b = L",
    "\u212c = 0", "x\u00b2 = x", "\u0435xp(1) = 1", "\uff21 = 0", "W\u2081 = W1", "a\u0301 = 0",
    "\u202eL = L", "L = L\ufeff", "\ud800 = 0", "\U0001f600 = 0", "L \u2212 L = 0",
    "a1 \u2299 a1 = a1**2", "a1 \u2218 a1 = a1**2", "W1\u1d40 = W1.T", "L \u2190 L",
    "\u0661 = 1", "L \u2264 L", "\x0c = 0", "L\r= L", "L\u2028= L", "L\x85= L", "\x1b[31m = 0",
]  # fmt: skip

LARGE = {
    "long": "x[0]" + " + x[0]" * 2_000 + " = 0",
    "far too long": "x[0]" + " + x[0]" * 300_000 + " = 0",
    "long name": "x" * 100_000 + " = 0",
    "many sides": " < ".join(["L"] * 2_000),
    "many equal sides": " = ".join(["L"] * 500),
    "five sides": "0 < L < L + 1 < L + 2 < L + 3",
    "five equal sides": "L = L = L = L = L",
    "long flow": " -> ".join(["a1", "z2"] * 1_000),
    "deep brackets": "(" * 5_000 + "L" + ")" * 5_000 + " = 0",
    "brackets": "(" * 190 + "L" + ")" * 190 + " = L",
    "deep calls": "tanh(" * 50 + "L" + ")" * 50 + " = 0",
    "deep primes": "tanh'(" * 30 + "L" + ")" * 30 + " = 0",
    "deep D": "D(" * 30 + "L" + ", b1[0])" * 30 + " = 0",
    "deep minus": "-" * 3_000 + "L = L",
    "deep not": "L = L if " + "not " * 3_000 + "L > 0",
    "deep subscripts": "x[" * 50 + "0" + "]" * 50 + " = 0",
    "transposes": "W1" + ".T" * 3_000 + " = W1",
    "products": "I @ " * 1_000 + "a1 = a1",
    "outer products": " @ ".join(["a1 @ a1.T"] * 30) + " = 0",
    "diagonals": "diag(" * 100 + "a1" + ")" * 100 + " = 0",
    "tower": "2**2**2**2**2**2**2 = 0",
    "power": "x[0]**999999999 = 0",
    "negative power": "x[0]**-999999999 = 0",
    "power of a sum": "(x[0] + x[1] + x[2] + x[3])**64 = 0",
    "powers of powers": "(((x[0]**64)**64)**64)**64 = 0",
    "power of a slope": "D(L, b1[0])**64 = 0",
    "digits": "L = " + "9" * 5_000,
    "decimals": "L = 0." + "0" * 5_000 + "1",
    "exponentials": "exp(exp(exp(exp(exp(L))))) = 0",
    "large exponential": "exp(10**9*L) = 0",
    "many letters": "*".join(f"x[i{n}]" for n in range(12)) + " = 0",
    "many bound letters": "sum("
    + "*".join(f"x[i{n}]" for n in range(12))
    + ", "
    + ", ".join(f"i{n}" for n in range(12))
    + ") = 0",
    "nested sums": "sum(" * 20 + "x[0]" + "".join(f"*x[i{n}], i{n})" for n in range(20)) + " = 0",
    "many functions": " + ".join(f"tanh(x[0]*{n})" for n in range(200)) + " = 0",
    "many slopes": " + ".join(f"D(L**{n}, b1[0])" for n in range(1, 60)) + " = 0",
    "many variables": " + ".join(f"v{n}" for n in range(300)) + " = 0",
    "wheres": "where(x[0] > 0, " * 40 + "L" + ", 0)" * 40 + " = 0",
}  # fmt: skip

NO_TEXT = [None, 3, 2.5, b"L = L", ["L = L"], {"L": "L"}, object(), lambda: 0, True]

SUBJECTS = {
    "network": NETWORKS["two"],
    "recurrent": sb.Program(**TEXTS["elman"]),
    "functions": None,
}


def refused_or_judged(subject: object, claim: object) -> None:
    """A verdict that can be told in words, or a readable error."""
    told = []
    try:
        verdict = sb.verify(subject, claim)
        assert verdict.kind in KINDS
        told += [str(verdict), verdict.text("zh"), str(verdict.as_dict())]
    except sb.SymbackpropError as error:
        told += [str(error)]
    assert [text for text in told if not 5 < len(text) < 10_000] == []


each_subject = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


@each_subject
@pytest.mark.parametrize("claim", BROKEN)
def test_broken_text(subject: object, claim: str) -> None:
    refused_or_judged(subject, claim)


@each_subject
@pytest.mark.parametrize("claim", ATTACKS)
def test_nothing_is_executed(subject: object, claim: str, tmp_path) -> None:
    mark = tmp_path / "mark"
    text = claim.format(mark=mark)
    refused_or_judged(subject, text)
    assert not mark.exists()


@each_subject
@pytest.mark.parametrize("claim", LOOK_ALIKES, ids=ascii)
def test_look_alikes(subject: object, claim: str) -> None:
    refused_or_judged(subject, claim)


@each_subject
@pytest.mark.parametrize("claim", LARGE.values(), ids=LARGE)
def test_large_text(subject: object, claim: str) -> None:
    refused_or_judged(subject, claim)


@pytest.mark.parametrize("claim", NO_TEXT, ids=lambda claim: type(claim).__name__)
def test_a_claim_that_is_no_text(claim: object) -> None:
    for subject in SUBJECTS.values():
        with pytest.raises(sb.SymbackpropError):
            sb.verify(subject, claim)


@pytest.mark.parametrize("layout", [None, 3, "", "Denominator", "jacobian", [], {}])
def test_layouts(layout: object) -> None:
    with pytest.raises(sb.SymbackpropError, match="layout"):
        sb.verify(NETWORKS["two"], "D(L, b1) = delta1", layout=layout)


@pytest.mark.parametrize("subject", [3, "two", sb.Program, object(), [], {}])
def test_no_program(subject: object) -> None:
    with pytest.raises(sb.SymbackpropError):
        sb.verify(subject, "D(L, b1) = delta1")
