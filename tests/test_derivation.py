"""What is derived, in which order and form; only names depend on names."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.equations import tensor_of
from symbackprop.formula import formula

DENSE = {
    "equations": """
        z[i] = sum(W[i, j]*x[j], j) + b[i]
        a[i] = tanh(z[i])
        L = sum((a[i] - y[i])**2, i) / 2
    """,
    "axes": {"i": 3, "j": 4},
    "parameters": {"W": "i j", "b": "i"},
    "data": {"x": "j", "y": "i"},
    "batched": ("x", "y"),
    "objective": "L",
    "name": "dense",
}


def texts(derivation):
    equations = derivation.forward + derivation.adjoint
    return {e.tensor: formula(e, derivation.system) for e in equations}


def test_dense_layer_reads_as_in_a_textbook():
    derived = texts(sb.derive(sb.Program(**DENSE)))
    assert derived["delta_a"] == "delta_a[i] = a[i] - y[i]"
    assert derived["delta_z"] == "delta_z[i] = delta_a[i]*(1 - a[i]**2)"
    assert derived["dW"] == "dW[i, j] = batch_mean(x[j]*delta_z[i])"
    assert derived["db"] == "db[i] = batch_mean(delta_z[i])"


def test_numbers_run_through_forward_and_adjoint_equations():
    derivation = sb.derive(sb.Program(**DENSE))
    order = [e.tensor for e in derivation.forward + derivation.adjoint]
    assert [derivation.number(t) for t in order] == list(range(1, len(order) + 1))
    assert derivation.slopes == {"W": "dW", "b": "db"}


def program(equations, **more):
    more.setdefault("data", {})
    return sb.Program(equations=equations, objective="L", name="case", **more)


def test_gather_where_the_subscript_inverts_and_scatter_where_it_does_not():
    shift = program(
        "z[p] = sum(K[u]*x[p + 2*u], u)\nL = sum(z[p]**2, p)",
        axes={"p": 5, "u": 2, "q": 7},
        parameters={"K": "u", "x": "q"},
    )
    (gathered,) = next(e for e in sb.derive(shift).adjoint if e.tensor == "dx").terms
    assert gathered.target is None
    assert [g.axis for g in gathered.guards] == ["p"]
    stride = program(
        "z[p] = sum(K[u]*x[2*p + u], u)\nL = sum(z[p]**2, p)",
        axes={"p": 5, "u": 2, "q": 10},
        parameters={"K": "u", "x": "q"},
    )
    (scattered,) = next(e for e in sb.derive(stride).adjoint if e.tensor == "dx").terms
    assert scattered.target is not None


def test_a_tie_gives_one_term_for_each_occurrence():
    tied = program(
        "h[i] = tanh(sum(W[i, j]*x[j], j))\n"
        "r[j] = sum(W[i, j]*h[i], i)\nL = sum(r[j]**2, j)",
        axes={"i": 2, "j": 3},
        parameters={"W": "i j"},
        data={"x": "j"},
    )
    derivation = sb.derive(tied)
    assert len(derivation.adjoint[-1].terms) == 2


def test_raw_softmax_gets_a_shift_and_a_log_by_name():
    derivation = sb.derive(
        program(
            "p[k] = exp(z[k]) / sum(exp(z[c]), c)\nL = -sum(y[k]*log(p[k]), k)",
            axes={"k": 3, "c": 3},
            parameters={"z": "k"},
            data={"y": "k"},
        )
    )
    names = [e.tensor for e in derivation.forward]
    assert names == ["p_max", "p_exp", "p_sum", "p", "log_p", "L"]
    assert "p_max" not in derivation.adjoint_of.values()
    assert "p" not in derivation.live


def test_a_scatter_into_a_recurrence_gets_an_equation_of_its_own():
    last = program(
        "h[t, i] = tanh(sum(U[i, j]*h[t-1, j], j) + x[t, i])\nL = sum(h[4, i]**2, i)",
        axes={"t": 5, "i": 2, "j": 2},
        parameters={"U": "i j"},
        data={"x": "t i"},
        zero_outside=("h",),
    )
    assert "delta_h_outer" in [e.tensor for e in sb.derive(last).adjoint]


def test_unused_parameters_have_an_empty_slope():
    derivation = sb.derive(
        program("L = w**2", axes={"i": 2}, parameters={"w": "", "idle": "i"})
    )
    slopes = {e.tensor: e.terms for e in derivation.adjoint}
    assert slopes["didle"] == ()


def test_a_slope_whose_name_is_taken_gets_another():
    derivation = sb.derive(
        program("dw = 2*w\nL = dw**2", axes={}, parameters={"w": ""})
    )
    assert derivation.slopes["w"] == "dw_2"


RENAMED = {
    "equations": """
        q[b] = sum(A[b, a]*u[a], a) + k[b]
        Z[b] = tanh(q[b])
        E = sum((Z[b] - t[b])**2, b) / 2
    """,
    "axes": {"b": 3, "a": 4},
    "parameters": {"A": "b a", "k": "b"},
    "data": {"u": "a", "t": "b"},
    "batched": ("u", "t"),
    "objective": "E",
    "name": "other",
}


def test_renaming_changes_names_only():
    """The same program under names that sort the other way: equal up to names."""
    new = {"z": "q", "a": "Z", "L": "E", "W": "A", "b": "k", "x": "u", "y": "t"}
    letters = {"i": "b", "j": "a"}
    ours, theirs = (differentiate(sb.Program(**d)) for d in (DENSE, RENAMED))

    def structure(derivation, names, letters):
        symbols = {}
        for tensor in derivation.system.tensors.values():
            stem = tensor.name
            for prefix in ("delta_", "d", ""):
                if stem.removeprefix(prefix) in names and stem.startswith(prefix):
                    stem = prefix + names[stem.removeprefix(prefix)]
                    break
            symbols[tensor.symbol] = type(tensor.symbol)(stem, "tensor", tensor.rank)
        for axis in derivation.system.axes.values():
            symbols[axis.index] = type(axis.index)(
                letters.get(axis.name, axis.name), "index", axis.rank
            )
        return [
            (
                symbols[derivation.system.tensors[e.tensor].symbol],
                [(t.body.xreplace(symbols), t.average, len(t.guards)) for t in e.terms],
            )
            for e in derivation.forward + derivation.adjoint
        ]

    assert structure(ours, new, letters) == structure(theirs, {}, {})


@pytest.mark.parametrize("depth", [3, 30])
def test_every_layer_is_derived_alike(depth):
    lines = [
        f"z{n}[i] = sum(W{n}[i, j]*a{n - 1}[j], j)\na{n}[i] = logistic(z{n}[i])"
        for n in range(1, depth + 1)
    ]
    derivation = sb.derive(
        program(
            "\n".join([*lines, f"L = sum(a{depth}[i]**2, i)"]),
            axes={"i": 4, "j": 4},
            parameters={f"W{n}": "i j" for n in range(1, depth + 1)},
            data={"a0": "i"},
        )
    )
    assert len(derivation.adjoint) == 3 * depth
    judged = {check.what: check.cases for check in derivation.checks}
    assert judged["adjoint equations, exactly on fractions"] <= 6


def test_every_step_names_the_equation_that_it_passes():
    derivation = sb.derive(sb.Program(**DENSE))
    for adjoint, steps in derivation.steps.items():
        for step in steps:
            passed = derivation.forward[step.equation - 1]
            assert tensor_of(step.read) == derivation.adjoint_of[adjoint]
            assert any(tensor_of(r) == tensor_of(step.read) for r in passed.reads())


def test_hash_seed_changes_nothing():
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_derivation import DENSE, texts\nimport symbackprop as sb\n"
        "print(texts(sb.derive(sb.Program(**DENSE))))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": ".:tests"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("equations", "said"),
    [
        ("L = exp(exp(exp(100)))*w", "too large"),
        (
            f"L = where({' and '.join(f'w < {n}' for n in range(1, 500))}, w, 1)",
            "too large",
        ),
        ("L = 0**w", "line 1: the slope of `L` by `w` is not defined"),
        ("L = log(-1 - w**2)", "not a finite number"),
        ("L = sum(w/i, i)", "not a finite number"),
    ],
)
def test_what_has_no_slope_is_refused(equations, said):
    with pytest.raises(sb.SymbackpropError, match=said):
        sb.derive(program(equations, axes={"i": 2}, parameters={"w": ""}))


@pytest.mark.parametrize("source", [None, "x", 5, sb.Dense(3)])
def test_what_is_no_program_is_refused(source):
    with pytest.raises(sb.DeclarationError, match="expected a Program or a Network"):
        sb.derive(source)


LETTERS = ("abc", "bca", "cab", "acb", "bac", "cba")


@pytest.mark.parametrize("function", ["tanh", "sin", "cos", "erf", "abs", "logistic"])
@pytest.mark.parametrize(
    "text",
    [
        "L = sum(F(a[i] - b[i]), i)",
        "L = sum(F(b[i] - a[i] + 2*c[i] - 1) * F(c[i]*(a[i] - b[i])), i)",
        "c_[i] = F(c_[i-1] - a[i])\nL = sum(F(b[i] - c_[i]) + c[i], i)",
    ],
    ids=["difference", "differences", "recurrence"],
)
def test_letters_do_not_choose_a_sign(text: str, function: str) -> None:
    """`tanh(a - b)` and `-tanh(b - a)` are told apart by rank, never by name."""

    def derived(letters: str) -> list[str]:
        new = dict(zip("abc", letters.upper(), strict=True))
        program = sb.Program(
            equations=re.sub(r"\b[abc]\b|c_", lambda m: new.get(m[0], m[0]),
                             text.replace("F", function)),
            axes={"i": 3},
            parameters={new[n]: "i" for n in "abc"},
            data={},
            zero_outside=("c_",) if "c_" in text else (),
            objective="L",
        )  # fmt: skip
        derivation = sb.derive(program)
        old = {name: letter for letter, name in new.items()}
        return [
            re.sub(
                r"\b(delta_|d)?([ABC])\b",
                lambda m: (m[1] or "") + old[m[2]],
                formula(equation, derivation.system),
            )
            for equation in (*derivation.forward, *derivation.adjoint)
        ]

    first, *others = [derived(letters) for letters in LETTERS]
    assert all(other == first for other in others)


def test_sum_over_an_index_that_only_counts() -> None:
    """`sum(x[n]*2, i)` scatters once for each i, whose letter is a spare one."""
    program = sb.Program(
        equations="L = sum(x[n]*2, i)",
        axes={"i": 4, "j": 5},
        parameters={"x": "i"},
        data={"n": ""},
        integers=("n",),
        objective="L",
    )
    (adjoint,) = sb.derive(program).adjoint
    (index,) = adjoint.terms[0].bound
    assert sb.derive(program).system.size(index) == 4
