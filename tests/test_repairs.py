"""The nearest formula that holds: found for one mistake, and judged before told."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.claims.reading.text import parse
from symbackprop.claims.repairs import repairs, search

NETWORK = sb.Network(
    inputs=5,
    layers=[sb.Dense(4, "tanh"), sb.Dense(3, "logistic"), sb.Dense(2, "softmax")],
    loss="cross_entropy",
    penalty=sb.Frobenius(0.01),
    name="apart",
)
ELMAN = sb.Program(
    equations="""s[t, i] = sum(U[i, j]*h[t - 1, j], j) + sum(W[i, k]*x[t, k], k)
                 h[t, i] = tanh(s[t, i])
                 L = sum((h[t, i] - y[t, i])**2, t, i) / 2""",
    axes={"t": 5, "i": 3, "j": 3, "k": 2},
    parameters={"U": "i j", "W": "i k"},
    data={"x": "t k", "y": "t i"},
    zero_outside=("h",),
    objective="L",
    name="elman",
)
CONVOLUTION = sb.Program(
    equations="z[p] = sum(K[u]*x[p + u - 1], u) + c\nL = sum(tanh(z[p])*y[p], p)",
    axes={"p": 6, "u": 3},
    parameters={"K": "u", "c": ""},
    data={"x": "p", "y": "p"},
    zero_outside=("x",),
    objective="L",
    name="convolution",
)

SPOILT = [
    (NETWORK, "delta1 = f2'(z1) o (W2.T @ delta2)", "f1'(z1) o (W2.T @ delta2)"),
    (NETWORK, "delta1 = f1(z1) o (W2.T @ delta2)", "f1'(z1) o (W2.T @ delta2)"),
    (NETWORK, "delta2 = f2'(z2) o (W3 @ delta3)", "f2'(z2) o (W3.T @ delta3)"),
    (NETWORK, "D(L, W2) = delta2 @ a2.T", "delta2 @ a1.T"),
    (NETWORK, "D(L, W2) = a1 @ delta2.T", "delta2 @ a1.T"),
    (NETWORK, "D(L, W2[i, j]) = delta2[i]*a2[j]", "delta2[i]*a1[j]"),
    (NETWORK, "delta3 = y - a3", "a3 - y"),
    (
        NETWORK,
        "D(R, W2[i, j]) = delta2[i]*a1[j]",
        "delta2[i]*a1[j] + lam*W2[i, j]",
    ),
    (
        NETWORK,
        "D(logistic(z1), z1) = diag(logistic(z1)) o (1 - logistic(z1))",
        "diag(logistic(z1) o (1 - logistic(z1)))",
    ),
    (
        ELMAN,
        "D(L, U[i, j]) = sum(delta_s[t, i]*h[t + 1, j], t)",
        "sum(delta_s[t, i]*h[t - 1, j], t)",
    ),
    (
        CONVOLUTION,
        "D(L, K[u]) = sum(delta_z[p]*x[p - u + 1], p)",
        "sum(delta_z[p]*x[p + u - 1], p)",
    ),
    (CONVOLUTION, "D(L, c) = delta_z[p]", "sum(delta_z[p], p)"),
    (None, "logistic(w*x + b) = 1/(exp(-w*x + b) + 1)", "1/(exp(-(w*x + b)) + 1)"),
    (None, "tanh(x) = 2*logistic(x) - 1", "2*logistic(2*x) - 1"),
    (None, "D(tanh(x), x) = 1 + tanh(x)**2", "1 - tanh(x)**2"),
]


@pytest.mark.parametrize(("program", "claim", "right"), SPOILT, ids=lambda a: str(a))
def test_one_mistake_is_mended(
    program: sb.Program | sb.Network | None, claim: str, right: str
) -> None:
    left = claim.partition(" = ")[0]
    found = sb.verify(program, claim)
    assert not found.holds
    assert f"{left} = {right}" in found.right
    assert all(sb.verify(program, text).holds for text in found.right)


def is_true(text: str) -> bool:
    try:
        return sb.verify(NETWORK, text).holds
    except sb.GrammarError:
        return False


def test_what_is_told_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that trusts its sieve, and a sieve that lets all pass, tell untruths."""
    claim = "D(L, b2[i]) = 2*delta2[i]"
    asked = parse(claim), NETWORK.program, "denominator"
    monkeypatch.setattr(search.Sieve, "passes", lambda self, candidate: True)
    assert all(map(is_true, repairs(*asked)))
    monkeypatch.setattr(search, "holds", lambda *asked: True)
    assert not all(map(is_true, repairs(*asked)))
