"""Laws of claims: names steer nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from claims_programs import TEXTS

import symbackprop as sb

CLAIMS = {
    "elman": [
        "D(L, z[t, i]) = D(L, h[t, i])*(1 - h[t, i]**2)",
        "D(L, z[t, i]) = D(L, h[t, i])*(1 + h[t, i]**2)",
        "D(L, U[i, j]) = sum(D(L, z[t, i])*h[t, j], t)",
    ],
    "padded": [
        "D(L, K[u]) = sum(D(L, z[p])*x[p + u - 1], p)",
        "D(L, K[u]) = sum(D(L, z[p])*x[p + u], p)",
    ],
    "labels": [
        "D(L, z[k]) = p[k] - where(label == k, 1, 0)",
        "D(L, z[k]) = p[k] + where(label == k, 1, 0)",
        "D(L, W[k, j]) = D(L, z[j])*x[k]",
    ],
    "capped": [
        "D(L, z[i]) = where(z[i] > 0, a[i] - y[i], 0)",
        "a[i] = minimum(relu(z[i]), 6)",
    ],
    "layer_normalisation": [
        "D(L, x[i]) = (D(L, n[i]) - mean(D(L, n[i]), i))/sqrt(v + 0.1)",
        "D(L, g[i]) = (o[i] - y[i])*n[i]",
    ],
}
CASES = [(program, claim) for program, claims in CLAIMS.items() for claim in claims]


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Every word that names something by another name."""
    return re.sub(r"[A-Za-z_]\w*", lambda w: names.get(w[0], w[0]), text)


def declared_again(
    declared: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """A declaration in which everything has another name."""

    def again(value: Any) -> Any:
        if isinstance(value, str):
            return renamed(value, names)
        if isinstance(value, Mapping):
            return {renamed(k, names): again(v) for k, v in value.items()}
        return tuple(map(again, value)) if isinstance(value, tuple | list) else value

    return {key: again(value) for key, value in declared.items()}


def names_of(declared: Mapping[str, Any]) -> dict[str, str]:
    """`q0`, `q1`, ... for tensors, axes and constants, in the order of the text."""
    text = declared["equations"] + " ".join(declared["axes"])
    words = dict.fromkeys(re.findall(r"[A-Za-z_]\w*(?!\w*\s*\()", text))
    known = {"sum", "mean", "max", "where", "and", "abs"}
    return {w: f"q{n}" for n, w in enumerate(words) if w not in known}


@pytest.mark.parametrize(("program", "claim"), CASES)
def test_names_steer_nothing(program: str, claim: str) -> None:
    declared = {"objective": "L", **TEXTS[program]}
    names = names_of(declared)
    first = sb.verify(sb.Program(**declared), claim)
    other = sb.Program(**declared_again(declared, names))
    second = sb.verify(other, renamed(claim, names))
    assert second.kind == first.kind
    assert second.shown == first.shown
    assert second.right == tuple(renamed(text, names) for text in first.right)


@pytest.mark.parametrize(
    "claim",
    [
        "delta1[i] = sum(W2[k, i]*delta2[k], k)*f1'(z1[i])",
        "delta1[i] = sum(W2[k, i]*delta2[k], k)*f2'(z1[i])",
        "D(L, W2) = delta2 @ a1.T",
        "D(L, W2) = delta2 @ x.T",
        "delta1 = (W2 @ delta2) o f1'(z1)",
    ],
)
def test_a_network_is_its_equations(claim: str) -> None:
    layers = [sb.Dense(3, "tanh"), sb.Dense(2, "logistic")]
    network = sb.Network(4, layers, "squared_error")
    program = network.program
    text = sb.Program(
        equations=program.text,
        axes={name: axis.size for name, axis in program.axes.items()},
        parameters={t.name: " ".join(t.axes) for t in program.parameters},
        data={t.name: " ".join(t.axes) for t in program.data},
        constants={name: c.value for name, c in program.constants.items()},
        batched=[t.name for t in program.data if t.batched],
        objective=program.objective,
    )
    first, second = sb.verify(network, claim), sb.verify(text, claim)
    assert (first.kind, first.shown, first.right) == (
        second.kind,
        second.shown,
        second.right,
    )
