"""Emitted text: right when interpreted, readable, equal for equal declarations."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreted import call

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.source import emit, plan_file
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.slopes import complex_step, value

DENSE: dict[str, Any] = {
    "equations": """
        z[i] = sum(W[i, j] * x[j], j) + b[i]
        a[i] = tanh(z[i])
        L = sum((a[i] - y[i])**2, i) / 2
    """,
    "axes": {"i": 3, "j": 4},
    "parameters": {"W": "i j", "b": "i"},
    "data": {"x": "j", "y": "i"},
    "batched": ("x", "y"),
    "objective": "L",
}


def one(equations: str, **more: Any) -> dict[str, Any]:
    return {"equations": equations, "data": {}, "objective": "L", **more}


PROGRAMS = {
    "dense": DENSE,
    "gather": one(
        "z[p] = sum(K[u] * x[p + 2*u - 2], u)\nL = sum(z[p]**2, p)",
        axes={"p": 8, "u": 3},
        parameters={"K": "u", "x": "p"},
        zero_outside=("x",),
    ),
    "strided": one(
        "z[p] = sum(K[u] * x[2*p + u], u)\nL = sum(z[p]**3, p)",
        axes={"p": 4, "u": 3, "h": 9},
        parameters={"K": "u", "x": "h"},
    ),
    "scatter": one(
        "e[t, d] = E[token[t], d]\nL = sum(e[t, d]**2 * y[d], t, d)",
        axes={"t": 7, "d": 3, "n": 4},
        parameters={"E": "n d"},
        data={"token": "t", "y": "d"},
        integers=("token",),
        batched=("token", "y"),
    ),
    "scatter_shared": one(
        "e[t, d] = E[token[t], d]\nL = sum(e[t, d]**2 * y[d], t, d)",
        axes={"t": 7, "d": 3, "n": 4},
        parameters={"E": "n d"},
        data={"token": "t", "y": "d"},
        integers=("token",),
        batched=("y",),
    ),
    "recurrence": one(
        """z[t, i] = sum(U[i, j] * h[t - 2, j], j) + x[t, i]
        h[t, i] = tanh(z[t, i]) * s
        L = sum(h[t, i]**2, t, i)""",
        axes={"t": 6, "i": 3, "j": 3},
        parameters={"U": "i j", "s": ""},
        data={"x": "t i"},
        batched=("x",),
        zero_outside=("h",),
    ),
    "backward_in_time": one(
        """h[t] = logistic(w * h[t + 1] + x[t])
        L = sum(h[t] * x[t], t)""",
        axes={"t": 5},
        parameters={"w": ""},
        data={"x": "t"},
        zero_outside=("h",),
    ),
    "shared_recurrence": one(
        """g[t] = w * g[t - 1] + v
        a[t] = g[t] * x[t]
        L = sum(a[t]**2, t)""",
        axes={"t": 5},
        parameters={"w": "", "v": ""},
        data={"x": "t"},
        batched=("x",),
        zero_outside=("g",),
    ),
    "grid_recurrence": one(
        """h[s, t] = tanh(w*h[s - 1, t] + v*h[s, t - 1] + x[s, t])
        L = sum(h[s, t]**2, s, t)""",
        axes={"s": 3, "t": 4},
        parameters={"w": "", "v": ""},
        data={"x": "s t"},
        batched=("x",),
        zero_outside=("h",),
    ),
    "attention": one(
        """s[t, u] = sum(Q[t, d] * x[u, d], d)
        p[t, u] = exp(s[t, u]) / sum(exp(s[t, v]), v)
        o[t, d] = sum(p[t, u] * x[u, d], u)
        L = sum(o[t, d]**2, t, d)""",
        axes={"t": 4, "u": 5, "v": 5, "d": 3},
        parameters={"Q": "t d"},
        data={"x": "u d"},
        batched=("x",),
    ),
    "matrices": one(
        """a[i] = sum(W[i, j] * x[j], j)
        c[i] = 2 * sum(W[i, j] * x[j], j) - sum(V[i, j] * a[j], j)
        L = sum(c[i]**2, i) + sum(W[i, j]**2, i, j) + sum(V[i, j]**2, i, j)""",
        axes={"i": 4, "j": 4},
        parameters={"W": "i j", "V": "i j"},
        data={"x": "j"},
        batched=("x",),
    ),
    "maxima": one(
        """a[i] = max(W[i, j] * x[j], j) * w[i]
        m = min(a[i] + W[i, j], i, j)
        L = sum(a[i], i) + m**2""",
        axes={"i": 3, "j": 4},
        parameters={"W": "i j", "w": "i"},
        data={"x": "j"},
        batched=("x",),
    ),
    "diagonal": one(
        "L = sum(W[i, i]**2 * i, i) + W[0, 1] / (1 + W[1, 0]**2)",
        axes={"i": 3},
        parameters={"W": "i i"},
    ),
    "clashing_names": one(
        """np[n] = sum(theta_[n, real] * batch[real], real)
        total[n] = tanh(np[n]) * range
        value = sum(total[n]**2, n)
        L = value + share * float**2""",
        axes={"n": 3, "real": 4},
        parameters={"theta_": "n real", "range": "", "float": ""},
        data={"batch": "real"},
        constants={"share": 0.5},
        batched=("batch",),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_interpreted_text_is_the_gradient(name: str, rng: np.random.Generator) -> None:
    program = sb.Program(**PROGRAMS[name], name=name)
    file = plan_file(differentiate(program), "float64")
    values = draw(program, rng, 3)
    found, forward, gradient = call(program, file, values)
    assert found == pytest.approx(value(program, values), rel=1e-13)
    assert forward == found
    along = {t.name: rng.normal(size=program.shape(t.name)) for t in program.parameters}
    flat = np.concatenate([np.ravel(along[t.name]) for t in program.parameters])
    assert gradient @ flat == pytest.approx(
        complex_step(program, values, along), rel=1e-11
    )


def test_single_precision_stays_single_and_near(
    rng: np.random.Generator,
) -> None:
    program = sb.Program(**DENSE)
    derivation = differentiate(program)
    values = draw(program, rng, 3)
    found = {}
    for dtype in ("float32", "float64"):
        file = plan_file(derivation, dtype)
        found[dtype] = call(program, file, values)
        assert found[dtype][2].dtype == dtype
    np.testing.assert_allclose(found["float32"][2], found["float64"][2], rtol=1e-4)


def test_contractions_are_matrix_products() -> None:
    text = emit(differentiate(sb.Program(**DENSE)), "float32")
    assert "np.dot(x, W.T, z)" in text
    assert "np.dot(delta_z.T, x, dW)" in text


def test_blocks_are_headed_by_numbers_and_formulas_each_once() -> None:
    derivation = differentiate(sb.Program(**DENSE))
    _, backward = emit(derivation, "float32").split("def backward")
    for equation in (*derivation.forward, *derivation.adjoint):
        assert backward.count(f"# ({derivation.number(equation.tensor)})  ") == 1
    assert "# (1)  z[i] = sum(W[i, j]*x[j], j) + b[i]" in backward


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(sb.InputError, match=r"float16.*Did you mean"):
        emit(differentiate(sb.Program(**DENSE)), "float16")


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    root = Path(sb.__file__).parent.parent
    script = (
        "import symbackprop as sb\nfrom symbackprop.source import emit\n"
        "from symbackprop.derivation import differentiate\n"
        f"print(emit(differentiate(sb.Program(**{PROGRAMS['matrices']!r}))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_renaming_changes_names_only() -> None:
    equations = "Q[u] = sum(Z[u, A] * c[A], A) + Y[u]\nr[u] = tanh(Q[u])\n"
    other = sb.Program(
        equations + "N = sum((r[u] - B[u])**2, u) / 2",
        axes={"u": 3, "A": 4},
        parameters={"Z": "u A", "Y": "u"},
        data={"c": "A", "B": "u"},
        batched=("c", "B"),
        objective="N",
    )
    renamed = {"W": "Z", "b": "Y", "x": "c", "y": "B", "z": "Q", "a": "r", "L": "N"}
    renamed |= {f"d{name}": f"d{new}" for name, new in renamed.items()}
    renamed |= {f"delta_{name}": f"delta_{renamed[name]}" for name in "za"}
    renamed |= {f"{name}_flat": f"{renamed[name]}_flat" for name in "za"}
    renamed |= {"i": "u", "j": "A"}
    codes = []
    for program in (sb.Program(**DENSE), other):
        _, code = emit(differentiate(program), "float32").split("\ndef forward", 1)
        codes.append(_no_words(code))
    expected = re.sub(r"\w+", lambda m: renamed.get(m[0], m[0]), codes[0])
    assert codes[1] == expected


def _no_words(code: str) -> str:
    """Code without comments, which are wrapped by their length, and docstrings."""
    return re.sub(r'""".*?"""', "", re.sub("#.*", "", code), flags=re.DOTALL)


def test_factors_follow_declaration_not_letters() -> None:
    """Three tensors in a product, whose letters sort the other way."""

    def body(a: str, b: str, c: str) -> str:
        program = sb.Program(
            f"u[i] = {a}[i]*{b}[i]*{c}[i]*x[i]\nL = sum(tanh(u[i]), i)",
            axes={"i": 3},
            parameters={a: "i", b: "i", c: "i"},
            data={"x": "i"},
            batched=("x",),
            objective="L",
        )
        text = emit(differentiate(program), "float64").split("def forward")[1]
        text = _no_words(text)
        for number, name in enumerate((a, b, c)):
            text = re.sub(
                rf"\b(d?){name}(?=\b|_offsets|_product)", rf"\1t{number}", text
            )
        return re.sub(r"\s+", " ", text)

    assert body("a", "b", "c") == body("zz", "Bb", "aa") == body("Q", "a", "P")
