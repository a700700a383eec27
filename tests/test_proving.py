"""Claims proved in symbols: what is proved, how it reads, and what never is."""

from __future__ import annotations

import sys

import pytest

import symbackprop as sb
from symbackprop.claims.claim import Claim
from symbackprop.claims.judging.judge import Judge
from symbackprop.claims.judging.values import FIFTY
from symbackprop.claims.phrases import REASONS
from symbackprop.claims.proving.chains import Chains
from symbackprop.claims.proving.prove import prove
from symbackprop.claims.proving.sums import Terms
from symbackprop.claims.reading.bench import workbench
from symbackprop.claims.reading.forms import read
from symbackprop.claims.reading.text import parse
from symbackprop.claims.verdict import Line
from symbackprop.errors import CheckError, SymbackpropError
from symbackprop.program import Program

SOFTMAX = sb.Network(
    inputs=4,
    layers=[sb.Dense(3, "tanh"), sb.Dense(5, "logistic"), sb.Dense(3, "softmax")],
    loss="cross_entropy",
    name="softmax",
).program
PENALTY = sb.Network(
    inputs=4,
    layers=[sb.Dense(3, "relu"), sb.Dense(2, "identity")],
    loss="squared_error",
    penalty=sb.Frobenius(0.01),
    name="penalty",
).program
RECURRENT = sb.Program(
    equations="z[t, i] = sum(U[i, k]*h[t-1, k], k) + sum(V[i, j]*x[t, j], j) + b[i]\n"
    "h[t, i] = tanh(z[t, i])\nL = sum((h[t, i] - y[t, i])**2, t, i)/2",
    axes={"t": 4, "i": 3, "k": 3, "j": 2},
    parameters={"U": "i k", "V": "i j", "b": "i"},
    data={"x": "t j", "y": "t i"},
    zero_outside=("h",),
    objective="L",
    name="recurrent",
)
CONVOLUTION = sb.Program(
    equations="z[p] = sum(K[u]*x[p+u-1], u) + b\na[p] = relu(z[p])\n"
    "L = sum((a[p] - y[p])**2, p)/2",
    axes={"p": 6, "u": 3},
    parameters={"K": "u", "b": ""},
    data={"x": "p", "y": "p"},
    zero_outside=("x",),
    objective="L",
    name="convolution",
)
CHANNELS = sb.Program(
    equations="a[c, p] = sum(K[c, d, u]*x[d, p+u], d, u) + b[c]\n"
    "s[c] = sum(tanh(a[c, p]), p)\nL = sum(s[c]**2*w[c], c)",
    axes={"p": 4, "q": 6, "u": 3, "c": 2, "d": 3},
    parameters={"K": "c d u", "b": "c", "w": "c"},
    data={"x": "d q"},
    objective="L",
    name="channels",
)
EMBEDDING = sb.Program(
    equations="e[t, d] = E[token[t], d]\ns[d] = sum(e[t, d], t)\nL = sum(s[d]**2, d)/2",
    axes={"t": 4, "d": 3, "v": 5},
    parameters={"E": "v d"},
    data={"token": "t"},
    integers=("token",),
    objective="L",
    name="embedding",
)
MAXOUT = sb.Program(
    equations="z[i, k] = sum(W[i, k, j]*x[j], j)\na[i] = max(z[i, k], k)\n"
    "L = sum(a[i]**2, i)/2",
    axes={"i": 3, "k": 2, "j": 4},
    parameters={"W": "i k j"},
    data={"x": "j"},
    objective="L",
    name="maxout",
)
ATTENTION = sb.Program(
    equations="s[t, u] = sum(q[t, d]*k[u, d], d)\n"
    "p[t, u] = exp(s[t, u])/sum(exp(s[t, w]), w)\no[t, d] = sum(p[t, u]*v[u, d], u)\n"
    "L = sum(o[t, d]*c[t, d], t, d)",
    axes={"t": 3, "u": 3, "w": 3, "d": 2},
    parameters={"q": "t d", "k": "u d", "v": "u d"},
    data={"c": "t d"},
    objective="L",
    name="attention",
)

FUNCTIONS = (
    "tanh(x) = 2*logistic(2*x) - 1",
    "logistic(x) = (1 + tanh(x/2))/2",
    "logistic(-x) = 1 - logistic(x)",
    "D(softplus(x), x) = logistic(x)",
    "D(tanh(x)**2, x) = 2*tanh(x)*tanh'(x)",
    "D(logistic(a*x + b), a) = x*logistic'(a*x + b)",
    "D(x**3, x) = 3*x**2",
    "tanh'(x) = 1 - tanh(x)**2",
    "tanh''(x) = -2*tanh(x)*tanh'(x)",
    "swish'(x) = logistic(x) + swish(x)*(1 - logistic(x))",
    "softplus(x) - softplus(-x) = x",
    "log(logistic(x)) = -softplus(-x)",
    "gelu(x) = x*(1 + erf(x/sqrt(2)))/2",
    "sin(2*x) = 2*sin(x)*cos(x)",
    "relu(x) = maximum(x, 0)",
    "relu(x) - relu(-x) = x",
    "abs(x) = maximum(x, -x)",
    "abs(x*y) = abs(x)*abs(y)",
    "maximum(x, y) = (x + y + abs(x - y))/2",
    "hard_tanh(x) = maximum(-1, minimum(1, x))",
    "hard_logistic(x) = minimum(maximum(x/4 + 1/2, 0), 1)",
    "elu(x, 1) = maximum(x, 0) + minimum(exp(x) - 1, 0)",
    "leaky_relu(x, r) = maximum(x, r*x) if r <= 1",
    "D(relu(x), x) = where(x > 0, 1, 0)",
    "log(x*y) = log(x) + log(y) if x > 0 and y > 0",
)
ORDERS = (
    "0 < logistic(x) < 1",
    "-1 < tanh(x) < 1",
    "logistic'(x) <= 1/4",
    "softplus(x) > maximum(x, 0)",
    "exp(x) >= 1 + x",
    "x - tanh(x) >= 0 if x >= 0",
    "abs(tanh(x)) <= 1",
)
FORMULAS = (
    (SOFTMAX, "D(L, W1[i, j]) = delta1[i]*x[j]"),
    (SOFTMAX, "D(L, b2[i]) = delta2[i]"),
    (SOFTMAX, "D(L, W2) = delta2 @ a1.T"),
    (SOFTMAX, "D(L, x) = W1.T @ delta1"),
    (SOFTMAX, "delta1[i] = tanh'(z1[i])*sum(W2[k, i]*delta2[k], k)"),
    (SOFTMAX, "delta1[i] = (1 - a1[i]**2)*sum(W2[k, i]*delta2[k], k)"),
    (SOFTMAX, "delta1 = f1'(z1) o (W2.T @ delta2)"),
    (SOFTMAX, "delta3[i] = a3[i] - y[i]"),
    (SOFTMAX, "delta3 = a3 - y"),
    (SOFTMAX, "sum(delta3[k], k) = 0"),
    (SOFTMAX, "sum(a3[k], k) = 1"),
    (SOFTMAX, "log(a3[i]) = z3[i] - log(sum(exp(z3[k]), k))"),
    (SOFTMAX, "D(L, a3[k]) = -y[k]/a3[k]"),
    (SOFTMAX, "D(L, W1) = (f1'(z1) o (W2.T @ (f2'(z2) o (W3.T @ delta3)))) @ x.T"),
    (SOFTMAX, "D(z1[k], W1[i, j]) = where(k == i, x[j], 0)"),
    (SOFTMAX, "D(z1[k], W1[i, j]) = 0 if k != i"),
    (SOFTMAX, "D(z2[k], W1[i, j]) = W2[k, i]*tanh'(z1[i])*x[j]"),
    (SOFTMAX, "D(z3[k], a1[i]) = sum(W3[k, j]*f2'(z2[j])*W2[j, i], j)"),
    (SOFTMAX, "D(L, a1[i]) = sum(D(L, z2[k])*D(z2[k], a1[i]), k)"),
    (SOFTMAX, "D(a3[i], z3[j]) = a3[i]*(where(i == j, 1, 0) - a3[j])"),
    (SOFTMAX, "D(a3, z3) = diag(a3) - a3 @ a3.T"),
    (SOFTMAX, "D(log(a3[k]), z3[i]) = where(i == k, 1, 0) - a3[i]"),
    (SOFTMAX, "f2'(z2[i]) = 1/4 - tanh(z2[i]/2)**2/4"),
    (SOFTMAX, "0 < a2[i] < 1"),
    (SOFTMAX, "a3[i] > 0"),
    (PENALTY, "D(R, W1) = delta1 @ x.T + lam*W1"),
    (PENALTY, "delta2 = z2 - y"),
    (PENALTY, "delta1[i] = where(z1[i] > 0, 1, 0)*sum(W2[k, i]*delta2[k], k)"),
    (PENALTY, "delta1[i] = delta_a1[i] if z1[i] > 0"),
    (PENALTY, "delta1[i] = 0 if z1[i] <= 0"),
    (PENALTY, "R >= 0"),
    (RECURRENT, "delta_h[t, i] = h[t, i] - y[t, i] + sum(U[k, i]*delta_z[t+1, k], k)"),
    (
        RECURRENT,
        "delta_z[t, i] = (1 - h[t, i]**2)*(h[t, i] - y[t, i]"
        " + sum(U[k, i]*delta_z[t+1, k], k))",
    ),
    (RECURRENT, "D(L, U[i, k]) = sum(delta_z[t, i]*h[t-1, k], t)"),
    (RECURRENT, "D(L, b[i]) = sum(delta_z[t, i], t)"),
    (CONVOLUTION, "D(L, K[u]) = sum(delta_z[p]*x[p+u-1], p)"),
    (CONVOLUTION, "D(L, x[q]) = sum(K[u]*delta_z[q-u+1], u)"),
    (CONVOLUTION, "delta_z[p] = where(z[p] > 0, a[p] - y[p], 0)"),
    (CHANNELS, "D(L, K[c, d, u]) = sum(delta_a[c, p]*x[d, p+u], p)"),
    (CHANNELS, "D(L, x[d, q]) = sum(K[c, d, u]*delta_a[c, q-u], c, u)"),
    (CHANNELS, "delta_a[c, p] = 2*w[c]*s[c]*(1 - tanh(a[c, p])**2)"),
    (EMBEDDING, "D(L, E[v, d]) = sum(where(token[t] == v, s[d], 0), t)"),
    (MAXOUT, "D(L, W[i, k, j]) = delta_z[i, k]*x[j]"),
    (ATTENTION, "D(L, v[u, d]) = sum(p[t, u]*delta_o[t, d], t)"),
    (
        ATTENTION,
        "delta_s[t, u] = p[t, u]*(delta_p[t, u] - sum(delta_p[t, w]*p[t, w], w))",
    ),
)
# Claims that lack a factor, a sign, a transpose, a condition or a case.
FALSE = (
    (None, "tanh(x) = 2*logistic(x) - 1"),
    (None, "D(softplus(x), x) = logistic(x)**2"),
    (None, "leaky_relu(x, r) = maximum(x, r*x)"),
    (None, "hard_tanh(x) = maximum(-1, minimum(2, x))"),
    (None, "relu(x) = where(x > 0, x, 1)"),
    (None, "D(abs(x), x) = 1"),
    (None, "abs(x) = x if x > -1"),
    (None, "sqrt(x**2) = x"),
    (None, "log(x**2) = 2*log(x)"),
    (None, "(x**2 - 1)/(x - 1) = x + 1"),
    (None, "0 < tanh(x)"),
    (None, "logistic'(x) < 1/4"),
    (None, "exp(x) > 1 + x"),
    (None, "exp(x) >= 2 + x"),
    (None, "1/x > 0"),
    (SOFTMAX, "D(L, W1[i, j]) = delta1[i]*a1[i]*x[j]"),
    (SOFTMAX, "delta1 = f1(z1) o (W2.T @ delta2)"),
    (SOFTMAX, "delta1 = W2.T @ delta2"),
    (SOFTMAX, "delta1[i] = (1 + a1[i]**2)*sum(W2[k, i]*delta2[k], k)"),
    (SOFTMAX, "delta3 = y - a3"),
    (SOFTMAX, "D(z1[k], W1[i, j]) = x[j]"),
    (SOFTMAX, "D(a3[i], z3[j]) = a3[i]*(where(i == j, 1, 0) - a3[i])"),
    (SOFTMAX, "sum(a3[k], k) = 2"),
    (SOFTMAX, "a2[i] > 1/2"),
    (PENALTY, "D(R, W1) = delta1 @ x.T"),
    (PENALTY, "delta1[i] = 0 if z1[i] >= 0"),
    (PENALTY, "R > 1"),
    (RECURRENT, "delta_h[t, i] = h[t, i] - y[t, i] + sum(U[k, i]*delta_z[t, k], k)"),
    (RECURRENT, "D(L, U[i, k]) = sum(delta_z[t, i]*h[t, k], t)"),
    (CONVOLUTION, "D(L, x[q]) = sum(K[u]*delta_z[q-u], u)"),
    (CONVOLUTION, "delta_z[p] = a[p] - y[p]"),
    (EMBEDDING, "D(L, E[v, d]) = sum(s[d], t)"),
    (MAXOUT, "D(L, W[i, k, j]) = a[i]*x[j]"),
    (
        ATTENTION,
        "delta_s[t, u] = p[t, u]*(delta_p[t, u] - sum(delta_p[t, w], w))",
    ),
)


def claim(text: str, program: Program | None = None) -> Claim:
    return read(parse(text), workbench(program), "denominator")


PROOFS: dict[tuple[str, str], tuple[Line, ...] | None] = {}


def proved(text: str, program: Program | None = None) -> tuple[Line, ...] | None:
    key = "" if program is None else program.name, text
    if key not in PROOFS:
        facts = ("y",) if program is SOFTMAX else ()
        PROOFS[key] = prove(claim(text, program), facts=facts)
    return PROOFS[key]


def told(text: str, program: Program | None = None) -> list[str]:
    found = proved(text, program)
    assert found is not None
    return [f"{line.text}: {line.why.text()}" for line in found]


# --- what is proved -------------------------------------------------------------------


@pytest.mark.parametrize("text", [*FUNCTIONS, *ORDERS])
def test_functions(text: str) -> None:
    assert proved(text)


@pytest.mark.parametrize(("program", "text"), FORMULAS)
def test_formulas(program: Program, text: str) -> None:
    assert proved(text, program)


@pytest.mark.parametrize(("program", "text"), FALSE)
def test_what_is_false_is_never_proved(program: Program | None, text: str) -> None:
    assert proved(text, program) is None


def test_facts_are_needed() -> None:
    assert prove(claim("delta3 = a3 - y", SOFTMAX)) is None


def lines() -> list[tuple[Program | None, str]]:
    """Each line of each proof, in words of the claims."""
    found: dict[tuple[str, str], tuple[Program | None, str]] = {}
    proofs = [(None, text) for text in FUNCTIONS]
    for program, text in (*proofs, *FORMULAS):
        for line in proved(text, program) or ():
            name = "" if program is None else program.name
            if "_arg" not in line.text:  # a place of a maximum, which has no name
                found[name, line.text] = program, line.text
    return list(found.values())


def test_every_line_is_a_claim_that_holds() -> None:
    for program, text in lines():
        facts = ("y",) if program is SOFTMAX else ()
        judge = Judge(claim(text, program), facts)
        given, batch = next(judge.draws.digits(judge.small))
        point = judge.at(given, FIFTY, judge.small, batch)
        assert point.exercised, text
        assert not point.fails, text


# --- how it reads ---------------------------------------------------------------------


def test_error_terms() -> None:
    assert told("delta1[i] = (1 - a1[i]**2)*sum(W2[k, i]*delta2[k], k)", SOFTMAX) == [
        "delta1[i] = delta_a1[i]*tanh'(z1[i]): by the chain rule through `a1`",
        "delta1[i] = sum(W2[k, i]*delta2[k], k)*tanh'(z1[i]): by the chain rule "
        "through `z2`",
        "delta1[i] = sum(W2[k, i]*delta2[k], k)*(1 - a1[i]**2): with derivatives "
        "written through saved values",
    ]


def test_softmax_under_cross_entropy() -> None:
    assert told("delta3[i] = a3[i] - y[i]", SOFTMAX) == [
        "delta3[i] = a3[i]*delta_a3[i] + delta_a3_sum*exp(z3[i]): by the chain rule "
        "through `a3_sum`, `a3`",
        "delta3[i] = a3[i]*delta_a3[i] - a3[i]*sum(a3[i3]*delta_a3[i3], i3): by the "
        "chain rule through `a3`",
        "delta3[i] = a3[i]*sum(y[i3], i3) - y[i]: by the chain rule through `L`",
        "delta3[i] = a3[i] - y[i]: the entries of `y` add up to 1",
    ]


def test_matrix_form_is_told_in_indices() -> None:
    assert told("D(L, W2) = delta2 @ a1.T", SOFTMAX) == [
        "D(L, W2[i2, i1]) = a1[i1]*delta2[i2]: by the chain rule through `z2`"
    ]


def test_an_identity_between_functions() -> None:
    assert told("f2'(z2[i]) = 1/4 - tanh(z2[i]/2)**2/4", SOFTMAX)[-1].endswith(
        "by the definition of `logistic'`, `tanh`"
    )
    assert told("tanh(x) = 2*logistic(2*x) - 1")[-1] == (
        "2*logistic(2*x) - 1 = (exp(2*x) - 1)/(1 + exp(2*x)): as one fraction"
    )


def test_cases() -> None:
    assert told("relu(x) = maximum(x, 0)")[-2:] == [
        "relu(x) = x if 0 < x: in this case",
        "maximum(x, 0) = x if 0 < x: in this case",
    ]


def test_numbers_of_equations() -> None:
    derivation = sb.derive(SOFTMAX)
    found = prove(claim("D(L, b2[i]) = delta2[i]", SOFTMAX), derivation)
    assert found is not None
    assert found[0].why.text() == "by the chain rule through `z2` (3)"
    assert found[0].why.text("zh") == "由链式法则，经由 `z2` (3)"


# --- checks ---------------------------------------------------------------------------


def test_a_wrong_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain rule that doubles slopes proves a claim with a factor of 2."""
    rule = Chains.expanded

    def doubled(self: Chains, read: object) -> Terms:
        terms = rule(self, read)  # type: ignore[arg-type]
        return (*terms, *terms)

    monkeypatch.setattr(Chains, "expanded", doubled)
    with pytest.raises(CheckError, match="fails at the line by `by the chain rule`"):
        prove(claim("D(L, W2[i, j]) = 2*delta2[i]*a1[j]", SOFTMAX))


def test_a_wrong_function_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["symbackprop.claims.proving.scalar"]
    monkeypatch.setattr(module, "opened", lambda expression: expression * 0)
    with pytest.raises(CheckError, match="fails at the line by `by definition`"):
        prove(claim("tanh(x) = logistic(x)"))


def test_errors_are_the_projects_own() -> None:
    assert issubclass(CheckError, SymbackpropError)
    assert {"by the chain rule", "by case"} <= set(REASONS)
