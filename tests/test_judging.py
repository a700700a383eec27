"""The judges can fail: a bug planted in any part of a derivation is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import symbackprop as sb
from symbackprop import calculus, derivation, rewrites
from symbackprop.equations import Guard, Indexed, read
from symbackprop.errors import CheckError
from symbackprop.judging import judge

TWO_LAYERS = {
    "equations": """
        z1[h] = sum(W1[h, j]*x[j], j) + b1[h]
        a1[h] = logistic(z1[h])
        z2[k] = sum(W2[k, h]*a1[h], h)
        p[k] = exp(z2[k]) / sum(exp(z2[c]), c)
        L = -sum(y[k]*log(p[k]), k) + lam*sum(W1[h, j]**2, h, j)
    """,
    "axes": {"j": 3, "h": 3, "k": 3, "c": 3},
    "parameters": {"W1": "h j", "b1": "h", "W2": "k h"},
    "data": {"x": "j", "y": "k"},
    "constants": {"lam": 0.1},
    "batched": ("x", "y"),
    "objective": "L",
    "name": "judged",
}
TIED = {
    "equations": """
        h[i] = tanh(sum(W[i, j]*x[j], j))
        r[j] = sum(W[i, j]*h[i], i)
        L = sum((r[j] - x[j])**2, j)
    """,
    "axes": {"i": 3, "j": 3},
    "parameters": {"W": "i j"},
    "data": {"x": "j"},
    "objective": "L",
    "name": "tied",
}
CONVOLUTION = {
    "equations": "z[p] = sum(K[u]*x[p + u - 1], u)\nL = sum(z[p]**3, p)",
    "axes": {"p": 6, "u": 3},
    "parameters": {"K": "u", "x": "p"},
    "data": {},
    "zero_outside": ("x",),
    "objective": "L",
    "name": "convolution",
}


def transposed(expression):
    """Every two-axis read with its subscripts swapped."""
    reads = [r for r in expression.atoms(Indexed) if len(r.indices) == 2]
    return expression.xreplace(
        {r: read(r.base.label, *reversed(r.indices)) for r in reads}
    )


def spoil(made, adjoint, change):
    """A derivation whose named adjoint equation has other terms, in steps too."""

    def changed(equation):
        if equation.tensor != adjoint:
            return equation
        return replace(equation, terms=change(equation.terms))

    spoilt = tuple(changed(e) for e in made.adjoint)
    system = replace(made.system, equations=made.forward + spoilt)
    return replace(made, adjoint=spoilt, system=system)


FINAL = {
    "a flipped sign": lambda terms: (
        replace(terms[0], body=-terms[0].body),
        *terms[1:],
    ),
    "a dropped transpose": lambda terms: tuple(
        replace(t, body=transposed(t.body)) for t in terms
    ),
    "a factor": lambda terms: (replace(terms[0], body=2 * terms[0].body), *terms[1:]),
    "a forgotten term": lambda terms: terms[1:],
    "a forgotten mean": lambda terms: tuple(replace(t, average=False) for t in terms),
}
SPOILT = [
    (TWO_LAYERS, "delta_a1", "a flipped sign"),
    (TWO_LAYERS, "delta_a1", "a dropped transpose"),
    (TWO_LAYERS, "delta_z1", "a flipped sign"),
    (TWO_LAYERS, "delta_z1", "a factor"),
    (TWO_LAYERS, "delta_z2", "a forgotten term"),
    (TWO_LAYERS, "dW1", "a forgotten term"),
    (TWO_LAYERS, "dW1", "a factor"),
    (TWO_LAYERS, "db1", "a flipped sign"),
    (TIED, "dW", "a forgotten term"),
    (TIED, "delta_h", "a dropped transpose"),
    (CONVOLUTION, "dx", "a flipped sign"),
    (CONVOLUTION, "dK", "a factor"),
]


@pytest.mark.parametrize(("declaration", "adjoint", "bug"), SPOILT)
def test_a_spoilt_equation_is_named_by_its_number(declaration, adjoint, bug):
    made = derivation.differentiate(sb.Program(**declaration))
    judge(made)
    spoilt = spoil(made, adjoint, FINAL[bug])
    with pytest.raises(CheckError, match=rf"equation \({made.number(adjoint)}\)"):
        judge(spoilt)


def test_a_wrong_guard_is_found():
    made = derivation.differentiate(sb.Program(**CONVOLUTION))

    def shifted(terms):
        guards = tuple(Guard(g.subscript + 1, g.axis) for g in terms[0].guards)
        return (replace(terms[0], guards=guards),)

    with pytest.raises(CheckError, match="dx"):
        judge(spoil(made, "dx", shifted))


def test_wrong_index_algebra_is_found(monkeypatch):
    honest = calculus.adjoint_term

    def swapped(*arguments):
        term = honest(*arguments)
        return replace(term, body=transposed(term.body))

    monkeypatch.setattr(derivation, "adjoint_term", swapped)
    with pytest.raises(CheckError, match="exact fractions"):
        sb.derive(sb.Program(**TIED))


def test_a_forgotten_occurrence_is_found(monkeypatch):
    honest = derivation.occurrences
    monkeypatch.setattr(derivation, "occurrences", lambda e, a: honest(e, a)[:1])
    with pytest.raises(CheckError, match="exact fractions"):
        sb.derive(sb.Program(**TIED))


def test_a_wrong_slope_is_found(monkeypatch):
    honest = rewrites.slope

    def wrong(name, argument=1):
        symbols, formula = honest(name, argument)
        return symbols, formula * (1 + symbols[0] / 1000)

    monkeypatch.setattr(rewrites, "slope", wrong)
    with pytest.raises(CheckError, match="dual numbers"):
        sb.derive(sb.Program(**TIED))


def test_a_wrong_saved_value_is_found(monkeypatch):
    monkeypatch.setattr(
        derivation,
        "through_saved",
        lambda slope, right, left: slope.xreplace({right: -left}),
    )
    with pytest.raises(CheckError, match="dual numbers"):
        sb.derive(sb.Program(**TWO_LAYERS))


def test_a_wrong_rewrite_is_found(monkeypatch):
    from symbackprop import workbench

    honest = workbench.stable
    monkeypatch.setattr(
        workbench,
        "stable",
        lambda e: honest(e).replace(
            sympy.tanh, lambda t: sympy.tanh(t * (1 + sympy.Rational(1, 10**8)))
        ),
    )
    with pytest.raises(CheckError, match="its declaration"):
        sb.derive(sb.Program(**TIED))
