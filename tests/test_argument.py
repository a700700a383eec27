"""Proofs: every line of every kind is judged, and a planted mistake is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
import sympy
from programs import programs
from sympy import Expr

import symbackprop as sb
from symbackprop.argument.chain import Calculus
from symbackprop.argument.expansion import Expansion
from symbackprop.argument.judge import Judge
from symbackprop.argument.layer import general_layer
from symbackprop.argument.lines import Line, Proof, kronecker, partial
from symbackprop.derivation import differentiate
from symbackprop.document.account import Account, pre_activations
from symbackprop.equations import Indexed, Name, Term, is_index, reads, tensor_of
from symbackprop.formula import expression
from symbackprop.proof import Derivation

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.toml"))

RECURRENCE = {
    "equations": """
        z[t, i] = sum(U[i, j] * h[t - 1, j], j) + w[i] * x[t]
        h[t, i] = tanh(z[t, i])
        L = sum((h[t, i] - y[t, i])**2, t, i) / 2
    """,
    "axes": {"t": 5, "i": 3, "j": 3},
    "parameters": {"U": "i j", "w": "i"},
    "data": {"x": "t", "y": "t i"},
    "batched": ("x", "y"),
    "zero_outside": ("h",),
    "objective": "L",
}
STRIDED = {
    "equations": """
        e[t, d] = E[token[t], d]
        c[p] = sum(K[u, d] * e[2*p + u - 1, d], u, d)
        L = sum(relu(c[p])**2, p)
    """,
    "axes": {"t": 8, "d": 3, "n": 4, "p": 4, "u": 3},
    "parameters": {"E": "n d", "K": "u d"},
    "data": {"token": "t"},
    "integers": ("token",),
    "batched": ("token",),
    "zero_outside": ("e",),
    "objective": "L",
}
DECLARED = {"recurrence": RECURRENCE, "strided": STRIDED}


def derivations() -> list[pytest.param]:
    found = [
        pytest.param(lambda f=file: differentiate(sb.load(f).program), id=file.stem)
        for file in EXAMPLES
    ]
    return found + [
        pytest.param(lambda p=p: differentiate(sb.Program(**p)), id=name)
        for name, p in DECLARED.items()
    ]


def proofs(derivation: Derivation) -> list[Proof]:
    """Every proof of a derivation: slopes, chain rules and recursions."""
    calculus = Calculus.of(derivation)
    found = []
    for equation in derivation.forward:
        flows = equation.tensor in calculus.adjoint
        last = equation.tensor == derivation.system.objective
        if equation.reduction in ("argmax", "argmin") or not (flows or last):
            continue
        for name in dict.fromkeys(tensor_of(r) for r in equation.reads()):
            if name in calculus.adjoint:
                found.append(calculus.jacobian(equation, name))
    for equation in derivation.adjoint:
        if equation.tensor in derivation.adjoint_of:
            opaque = tuple(s.opaque for s in derivation.steps[equation.tensor])
            origin = derivation.adjoint_of[equation.tensor]
            found.append(calculus.chain(origin, opaque, equation))
    kept = [calculus.adjoint[t] for t in pre_activations(derivation)
            if t in calculus.adjoint]  # fmt: skip
    expansion = Expansion(calculus, derivation.adjoint, kept)
    recursions = [expansion.of(name) for name in kept]
    return found + [proof for proof in recursions if proof is not None]


def judge_of(derivation: Derivation) -> Judge:
    return Judge(derivation, Calculus.of(derivation).system)


@pytest.mark.parametrize("make", derivations())
def test_every_line_holds(make) -> None:
    derivation = make()
    judge = judge_of(derivation)
    for proof in proofs(derivation):
        assert judge.judged(proof).error < 1e-12


@hypothesis.given(programs(kinks=False))
@hypothesis.settings(max_examples=25, deadline=None, derandomize=True)
def test_every_line_of_random_programs_holds(declared) -> None:
    derivation = differentiate(sb.Program(**declared))
    judge = judge_of(derivation)
    for proof in proofs(derivation):
        judge.judged(proof)


# --- planted mistakes ----------------------------------------------------------------


def flipped(term: Term) -> Term:
    return replace(term, body=-term.body)


def doubled(term: Term) -> Term:
    return replace(term, body=2 * term.body)


def without_delta(term: Term) -> Term:
    return replace(
        term,
        body=term.body.replace(lambda e: e.func is kronecker, lambda e: sympy.S.One),
    )


def transposed(term: Term) -> Term:
    """The subscripts of the first read of a square matrix exchanged."""
    for read in reads(term.body):
        if isinstance(read, Indexed) and len(read.indices) == 2:
            other = read.func(read.base, *reversed(read.indices))
            return replace(term, body=term.body.xreplace({read: other}))
    return term


def other_slope(term: Term) -> Term:
    """f'(z) read as f(z)."""
    body = term.body.replace(
        lambda e: e.func.__name__.startswith("slope_"),
        lambda e: sympy.tanh(*e.args[:1]),
    )
    return replace(term, body=body)


MISTAKES = (flipped, doubled, without_delta, transposed, other_slope)

SQUARE = {
    "equations": """
        z1[i] = sum(W1[i, j] * x[j], j) + b1[i]
        a1[i] = logistic(z1[i])
        z2[i] = sum(W2[i, j] * a1[j], j) + b2[i]
        a2[i] = exp(z2[i]) / sum(exp(z2[j]), j)
        L = -sum(y[i] * log(a2[i]), i)
    """,
    "axes": {"i": 3, "j": 3},
    "parameters": {"W1": "i j", "b1": "i", "W2": "i j", "b2": "i"},
    "data": {"x": "j", "y": "i"},
    "batched": ("x", "y"),
    "objective": "L",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.__name__)
def test_a_mistake_in_any_line_is_refused(mistake) -> None:
    derivation = differentiate(sb.Program(**SQUARE))
    judge = judge_of(derivation)
    planted = 0
    for proof in proofs(derivation):
        for place, line in enumerate(proof.lines):
            for number, term in enumerate(line.terms):
                wrong = mistake(term)
                if wrong == term:
                    continue
                terms = (*line.terms[:number], wrong, *line.terms[number + 1 :])
                lines = list(proof.lines)
                lines[place] = replace(line, terms=terms)
                with pytest.raises(sb.CheckError, match=line.rule):
                    judge.judged(Proof(tuple(lines)))
                planted += 1
    assert planted >= 3


def test_a_wrong_layer_is_refused() -> None:
    """The weight gradient with the activation of the wrong layer."""
    derivation = differentiate(sb.Program(**SQUARE))
    calculus = Calculus.of(derivation)
    made = next(e for e in derivation.adjoint if e.tensor == "dW2")
    (term,) = made.terms
    tensors = derivation.system.tensors
    wrong = term.body.xreplace(
        {
            r: tensors["x"].read(*r.indices)
            for r in reads(term.body)
            if tensor_of(r) == "a1"
        }
    )
    assert wrong != term.body
    left = tensors["dW2"].read(*made.indices)
    line = Line(left, made.indices, (replace(term, body=wrong),), "chain rule")
    with pytest.raises(sb.CheckError, match="dW2"):
        Judge(derivation, calculus.system).judged(Proof((line,)))


def test_a_fact_is_needed_for_its_line() -> None:
    """`a - y` holds where the entries of y add up to 1, and not elsewhere."""
    derivation = differentiate(sb.Program(**SQUARE))
    judge = judge_of(derivation)
    found = [p for p in proofs(derivation) if p.lines[-1].fact]
    assert found
    for proof in found:
        assert proof.lines[-1].fact == "y"
        judge.judged(proof)
        careless = (*proof.lines[:-1], replace(proof.lines[-1], fact=""))
        with pytest.raises(sb.CheckError):
            judge.judged(Proof(careless))


# --- what comes out ------------------------------------------------------------------


def last_line(file_or_program, adjoint: str) -> str:
    derivation = differentiate(file_or_program)
    account = Account(derivation, "en")
    proof = account.recursion(adjoint)
    assert proof is not None
    system = account.calculus.system
    parts = []
    for term in proof.lines[-1].terms:
        body = expression(term.body, system)
        over = ", ".join(map(str, term.bound))
        parts.append(f"sum({body}, {over})" if over else body)
    return " + ".join(parts)


@pytest.mark.parametrize(
    ("loss", "activation", "expected"),
    [
        ("cross_entropy", "softmax", "a1[i1] + -y[i1]"),
        ("binary_cross_entropy", "logistic", "a1[i1] + -y[i1]"),
        ("squared_error", "tanh", "(a1[i1] - y[i1])*(1 - a1[i1]**2)"),
    ],
)
def test_slope_of_the_loss(loss: str, activation: str, expected: str) -> None:
    network = sb.Network(3, [sb.Dense(2, activation)], loss)
    assert last_line(network.program, "delta_z1") == expected


def test_recursion_of_a_hidden_layer() -> None:
    layers = [sb.Dense(3, "logistic"), sb.Dense(2, "softmax")]
    network = sb.Network(4, layers, "cross_entropy")
    found = last_line(network.program, "delta_z1")
    assert found == "sum(W2[i2, i1]*a1[i1]*delta_z2[i2]*(1 - a1[i1]), i2)"


def test_the_general_layer_is_derived_from_the_networks_own_equations() -> None:
    layers = [sb.Dense(3, "elu"), sb.Dense(2, "softmax")]
    network = sb.Network(4, layers, "cross_entropy")
    layer = general_layer(differentiate(network.program))
    assert layer is not None
    last = layer.recursion.lines[-1]
    (term,) = last.terms
    names = {layer.origins[tensor_of(r)] for r in reads(term.body)
             if tensor_of(r) in layer.origins}  # fmt: skip
    assert names == {("z1", 0), ("W2", 1)}
    assert "slope_f_1" in str(term.body)
    assert layer.recursion.error < 1e-12


def test_no_general_layer_where_no_two_layers_are_alike() -> None:
    network = sb.Network(4, [sb.Maxout(3, 2), sb.Dense(2)], "squared_error")
    assert general_layer(differentiate(network.program)) is None


def names_apart(line: Line) -> tuple:
    """A line with every tensor and letter replaced by its rank."""

    def shape(e: Expr):
        if isinstance(e, Name):
            return (e.kind, e.rank)
        if not e.args:
            return e
        return (e.func.__name__, *map(shape, e.args))

    return (
        line.rule,
        line.uses,
        line.number,
        tuple((shape(t.body), tuple(map(shape, t.bound))) for t in line.terms),
    )


def test_renaming_changes_names_alone() -> None:
    other = {
        "equations": """
            q[r] = sum(zz[r, c] * data[c], c) + A[r]
            B[r] = logistic(q[r])
            k[r] = sum(M[r, c] * B[c], c) + K[r]
            h[r] = exp(k[r]) / sum(exp(k[c]), c)
            R = -sum(target[r] * log(h[r]), r)
        """,
        "axes": {"r": 3, "c": 3},
        "parameters": {"zz": "r c", "A": "r", "M": "r c", "K": "r"},
        "data": {"data": "c", "target": "r"},
        "batched": ("data", "target"),
        "objective": "R",
    }
    first, second = (
        [
            names_apart(line)
            for p in proofs(differentiate(sb.Program(**d)))
            for line in p.lines
        ]
        for d in (SQUARE, other)
    )
    assert first == second


def test_partial_derivatives_are_of_the_equation_alone() -> None:
    """In a recurrence, d z[t] / d h[s] does not follow h through time."""
    derivation = differentiate(sb.Program(**RECURRENCE))
    calculus = Calculus.of(derivation)
    proof = calculus.jacobian(calculus.forward["z"], "h")
    assert proof.lines[0].left.func is partial
    assert any(is_index(s) for s in proof.lines[0].free)
    assert judge_of(derivation).judged(proof).error < 1e-12


# --- what the judge must not miss ----------------------------------------------------

HIDDEN = {
    "a branch for late steps": {
        "equations": "z[t] = where(t >= 5, w[t]**2 * x[t], w[t] * x[t])\n"
        "L = sum(z[t]**2, t)",
        "axes": {"t": 8},
        "parameters": {"w": "t"},
        "data": {"x": "t"},
        "objective": "L",
    },
    "a branch for large values": {
        "equations": "z[i] = w[i] * x[i]\n"
        "a[i] = where(z[i] > 2, z[i]**2, tanh(z[i]))\nL = sum(a[i]**2, i)",
        "axes": {"i": 6},
        "parameters": {"w": "i"},
        "data": {"x": "i"},
        "batched": ("x",),
        "objective": "L",
    },
    "a small constant": {
        "equations": "L = (w * x - y)**2 + lam * w**2",
        "axes": {},
        "parameters": {"w": ""},
        "data": {"x": "", "y": ""},
        "constants": {"lam": 1e-11},
        "objective": "L",
    },
    "a small literal": {
        "equations": "L = 1e-13 * (w * x)**2",
        "axes": {},
        "parameters": {"w": ""},
        "data": {"x": ""},
        "objective": "L",
    },
}


def spoilt_branch(term: Term) -> Term:
    """The first branch of a choice a hundredfold, or the last factor of a product."""
    body = term.body.replace(
        lambda e: e.func.__name__ == "where",
        lambda e: e.func(e.args[0], 100 * e.args[1], e.args[2]),
    )
    return replace(term, body=7 * body if body == term.body else body)


@pytest.mark.parametrize("name", HIDDEN)
def test_the_judge_sees_what_is_rare_or_small(name: str) -> None:
    derivation = differentiate(sb.Program(**HIDDEN[name]))
    judge = judge_of(derivation)
    calculus = Calculus.of(derivation)
    made = derivation.adjoint[-1]
    opaque = tuple(s.opaque for s in derivation.steps[made.tensor])
    proof = calculus.chain(derivation.adjoint_of[made.tensor], opaque, made)
    assert judge.judged(proof).exercised
    last = proof.lines[-1]
    for place, term in enumerate(last.terms):
        terms = (*last.terms[:place], spoilt_branch(term), *last.terms[place + 1 :])
        with pytest.raises(sb.CheckError):
            judge.judged(Proof((replace(last, terms=terms),)))


def test_a_slope_that_is_zero_everywhere_is_not_called_exact() -> None:
    program = sb.Program(
        "a[i] = relu(w[i] * x[i] - 1000)\nL = sum(a[i], i)",
        axes={"i": 3},
        parameters={"w": "i"},
        data={"x": "i"},
        objective="L",
    )
    told = sb.document(differentiate(program)).latex
    assert "not exercised" in told


CORNERS = {
    "one class": {
        "equations": "z[i] = sum(W[i, j]*x[j], j)\np[i] = exp(z[i])/sum(exp(z[k]), k)\n"
        "L = -sum(y[i]*log(p[i]), i)",
        "axes": {"i": 1, "k": 1, "j": 1},
        "parameters": {"W": "i j"},
        "data": {"x": "j", "y": "i"},
        "objective": "L",
    },
    "slopes that cancel": {
        "equations": "z[i] = sum(W[i, j]*x[j], j)\na[i] = z[i]\nb[i] = -z[i]\n"
        "L = sum(a[i] + b[i], i)",
        "axes": {"i": 3, "j": 2},
        "parameters": {"W": "i j"},
        "data": {"x": "j"},
        "objective": "L",
    },
    "a literal subscript": {
        "equations": "z[i] = sum(W[i, j]*x[j], j)\ne[i] = exp(z[i])\n"
        "r[j] = 1 + z[j]**2\np[i] = e[i]/r[0]\nL = sum(e[i]/r[i], i) + sum(p[i]**2, i)",
        "axes": {"i": 3, "j": 3},
        "parameters": {"W": "i j"},
        "data": {"x": "j"},
        "objective": "L",
    },
}


@pytest.mark.parametrize("name", CORNERS)
def test_corner_cases_have_a_chapter(name: str) -> None:
    derivation = sb.derive(sb.Program(**CORNERS[name]))
    for notation in ("both", "matrix"):
        assert sb.document(derivation, notation=notation).latex


def test_no_general_layer_of_weights_that_are_computed() -> None:
    """A layer cut out of the network must not be cut off from its weights."""
    lines, parameters = [], {}
    for n in range(1, 4):
        before = f"a{n - 1}" if n > 1 else "x"
        lines += [
            f"n{n}[i] = sum(V{n}[i, j]**2, j)",
            f"U{n}[i, j] = V{n}[i, j] / sqrt(n{n}[i])",
            f"z{n}[i] = sum(U{n}[i, j]*{before}[j], j)",
            f"a{n}[i] = tanh(z{n}[i])",
        ]
        parameters[f"V{n}"] = "i j"
    program = sb.Program(
        equations="\n".join([*lines, "L = sum((a3[i] - y[i])**2, i)"]),
        axes={"i": 3, "j": 3},
        parameters=parameters,
        data={"x": "j", "y": "i"},
        batched=("x", "y"),
        objective="L",
    )
    assert general_layer(differentiate(program)) is None


def test_sample_weights_are_not_taken_for_a_target() -> None:
    program = sb.Program(
        "z[i] = sum(W[i, j]*x[j], j)\nL = sum(m[k]*(z[i] - y[i])**2, i, k)",
        axes={"i": 3, "j": 2, "k": 4},
        parameters={"W": "i j"},
        data={"x": "j", "y": "i", "m": "k"},
        objective="L",
    )
    derivation = differentiate(program)
    assert all(not line.fact for p in proofs(derivation) for line in p.lines)


@pytest.mark.parametrize(
    ("equations", "parameters", "data"),
    [
        (
            "z = 30*w*x + 50\na = logistic(z)\nL = (a - y)**2",
            {"w": ""},
            {"x": "", "y": ""},
        ),
        ("L = sin(1000000*w*x)", {"w": ""}, {"x": ""}),
    ],
    ids=["saturated", "fast"],
)
def test_what_double_precision_cannot_tell_is_not_refused(
    equations: str, parameters: dict[str, str], data: dict[str, str]
) -> None:
    """`1 - a` of a saturated unit, a difference quotient of what changes fast."""
    program = sb.Program(
        equations=equations, axes={}, parameters=parameters, data=data, objective="L"
    )
    assert sb.document(sb.derive(program)).chapter.equations()
