"""The nearest formula that holds: found for one mistake, and judged before told."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.claims.reading.text import parse
from symbackprop.claims.repairs import repairs, search
from symbackprop.claims.repairs.oddities import oddities

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

GATED = sb.Program(
    equations="""g[i] = logistic(w[i]*x)
                 c[i] = v[i]*x
                 h[i] = g[i]*tanh(c[i]) + (1 - g[i])*u[i]
                 q = mean(h[i], i)
                 L = (q - y)**2/2""",
    axes={"i": 3},
    parameters={"w": "i", "v": "i", "u": "i"},
    data={"x": "", "y": ""},
    objective="L",
    name="gated",
)
NORMED = sb.Program(
    equations="""x[i] = v[i]/sqrt(s + eps)
                 p[i] = exp(x[i])/sum(exp(x[k]), k)
                 L = -log(p[c])""",
    axes={"i": 4, "k": 4},
    parameters={"v": "i"},
    data={"s": "", "c": ""},
    constants={"eps": 0.1},
    integers=("c",),
    objective="L",
    name="normed",
)
ROOTED = "where(i == j, 1/sqrt(s + eps), 0)"
SQUASHED = "D(L, h[i])*g[i]*(1 - tanh(c[i])**2)"
TWICE = "logistic'(x)*(1 - 2*logistic(x))"
PENALTY = "delta3[i]*a2[j] + lam*W3[i, j]"

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
    # one change of what textbooks get wrong: a function, `1 - z`, a size, a letter
    (GATED, "D(L, c[i]) = D(L, h[i])*g[i]*(1 - c[i]**2)", SQUASHED),
    (GATED, "D(L, u[i]) = D(L, h[i])*g[i]", "D(L, h[i])*(1 - g[i])"),
    (GATED, "D(L, h[i]) = q - y", "(q - y)/3"),
    (GATED, "D(L, h[i]) = 1 - y/3", "q/3 - y/3"),
    (NORMED, "D(x[i], v[j]) = where(i == j, 1/(s + eps), 0)", ROOTED),
    (NORMED, "D(p[i], x[j]) = p[i]*(1 - p[j])", "p[i]*(where(i == j, 1, 0) - p[j])"),
    (None, "tanh''(x) = 2*tanh(x)*tanh'(x)", "-2*tanh(x)*tanh'(x)"),
    (None, "logistic''(x) = logistic'(x)*(1 - logistic(x))", TWICE),
    (None, "log(exp(x) + exp(y)) = x + softplus(x - y)", "x + softplus(y - x)"),
    # shorter before longer
    (NETWORK, "D(L, W2) = delta2 @ a1.T + 3*W2", "delta2 @ a1.T"),
    (NETWORK, "D(L, a1) = (W2.T @ delta2) o f1'(z1)", "W2.T @ delta2"),
    (NETWORK, "D(R, W3[i, j]) = delta3[i]*a2[j] + 2*lam*W3[i, j]", PENALTY),
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


# Each has a coincidence near it, which a search without taste would offer.
PLANTED = [
    (NETWORK, "D(L, W2) = delta2 @ a1.T + 3*W2"),
    (NETWORK, "D(L, b2[i]) = 2*delta2[i]"),
    (NETWORK, "delta3 = y - a3"),
    (ELMAN, "D(L, W[i, k]) = sum(delta_s[t, i]*x[t - 1, k], t)"),
    (ELMAN, "D(L, h[t, i]) = h[t, i] - y[t, i]"),
    (GATED, "q = sum(h[i], i)"),
    (GATED, "D(L, q) = -(q - y)"),
    (NORMED, "D(L, x[i]) = p[i] - where(i == 1, 1, 0)"),
    (NORMED, "x[i] = v[i]/sqrt(sqrt(s + eps))"),
    (None, "log(exp(x)) = 2*x"),
    (None, "sqrt(x**2) = x"),
]
SILLY = [
    *("0*w + z", "w**0*z", "z - (-w)", "z*(-w)", "z/(-2)", "2*w/2", "2*(3*w)"),
    *("z - 0", "1*z", "z/1", "identity(z)", "sqrt(z)**2", "sqrt(z**2)", "log(exp(z))"),
    *("sum(mean(z[t], t), t)", "sum(w, t)", "where(z < 1, w, w)", "z - z", "(z**2)**2"),
]
PLAIN = [
    *("z - w", "-z*w", "2*w/3", "2*w + w/2", "z**2", "exp(-z)", "1 - z", "2*(z - 1)"),
    *("sum(z[t]*w[t], t)", "sqrt(z**2 + 1)", "where(z < 1, w, 0)", "log(1 + exp(z))"),
    *("sum(sum(z[t, i], i), t)", "z**(-2)", "2/z", "mean(2*z[t] - 1, t)"),
]


@pytest.mark.parametrize("text", SILLY)
def test_what_nobody_writes_is_seen(text: str) -> None:
    assert oddities(parse(f"a = {text}").sides[1]) > 0


@pytest.mark.parametrize("text", PLAIN)
def test_what_people_write_is_no_oddity(text: str) -> None:
    assert oddities(parse(f"a = {text}").sides[1]) == 0


@pytest.mark.parametrize(("program", "claim"), PLANTED, ids=str)
def test_nothing_silly_is_offered(
    program: sb.Program | sb.Network | None, claim: str
) -> None:
    before = sum(map(oddities, parse(claim).sides))
    for text in sb.verify(program, claim).right:
        found = parse(text)
        assert sum(map(oddities, found.sides)) <= before, text
        assert found.text.split(" = ")[0] not in found.text.split(" = ")[1]


def test_signs_of_an_equation_in_another_order_are_told_once() -> None:
    claim = "D(L, W2[i, j]) = delta2[i]"
    texts = [sorted(text) for text in sb.verify(NETWORK, claim).right]
    assert len({*map(tuple, texts)}) == len(texts) == 1


BOUNDS = [
    (None, "exp(x) <= 1 + x", "exp(x) >= 1 + x"),
    (None, "logistic'(x) <= 1/5", "logistic'(x) <= 1/4"),
    (None, "x*y <= (x**2 + y**2)/4", "x*y <= (x**2 + y**2)/2"),
    (None, "softplus(x) < relu(x) + log(2)", "softplus(x) <= relu(x) + log(2)"),
    (None, "softplus(b*x)/b > relu(x)", None),
    (NETWORK, "delta1[i] < 1", None),
]


@pytest.mark.parametrize(("program", "claim", "right"), BOUNDS, ids=str)
def test_an_inequality_stays_about_what_it_was(
    program: sb.Program | sb.Network | None, claim: str, right: str | None
) -> None:
    assert sb.verify(program, claim).right == ((right,) if right else ())


def test_names_that_were_split_off_are_not_told() -> None:
    """The reader never declared `h_sum`, in whose slopes the derivation speaks."""
    program = sb.Program(
        equations="""h[t, i] = tanh(sum(U[i, j]*h[t - 1, j], j) + w[i]*x[t])
                     L = sum((h[t, i] - y[t, i])**2, t, i) / 2""",
        axes={"t": 5, "i": 3, "j": 3},
        parameters={"U": "i j", "w": "i"},
        data={"x": "t", "y": "t i"},
        zero_outside=("h",),
        objective="L",
    )
    assert program.split
    for claim in ("D(L, w[i]) = 0", "D(L, U[i, j]) = sum(x[t], t)"):
        (right,) = sb.verify(program, claim).right
        assert not any(name in right for name in program.split)
        assert sb.verify(program, right).holds


def is_true(text: str) -> bool:
    try:
        return sb.verify(NETWORK, text).holds
    except sb.GrammarError:
        return False


def test_what_is_told_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that trusts its sieve, and a sieve that lets all pass, tell untruths."""
    claim = "D(L, b2[i]) = 2*delta2[i]"
    asked = parse(claim), NETWORK.program, "denominator"
    monkeypatch.setattr(search.Search, "is_near", False)
    monkeypatch.setattr(search.Sieve, "passes", lambda self, candidate: True)
    assert all(map(is_true, repairs(*asked)))
    monkeypatch.setattr(search, "holds", lambda *asked: True)
    assert not all(map(is_true, repairs(*asked)))
