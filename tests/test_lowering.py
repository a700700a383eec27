"""From equations to loops: what is joined, what is kept, where, and that it shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreted import call

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.kernels import compiling
from symbackprop.source import SourceFile, emit, excerpts, explain, plan_file, storage
from symbackprop.source.adjoints import averaged
from symbackprop.source.emit import lower
from symbackprop.source.layout import Layout
from symbackprop.source.storage import visits
from symbackprop.witnesses.draws import draw


def classifier(units: int = 6, classes: int = 3) -> sb.Network:
    layers = [sb.Dense(units, "tanh"), sb.Dense(classes, "softmax")]
    return sb.Network(5, layers, "cross_entropy", name="classifier")


def backward_of(source: Any, dtype: str = "float64") -> str:
    text = emit(sb.derive(source), dtype)
    return text.split("\ndef backward(")[1].split("\n\n\n")[0]


def test_the_mean_is_taken_where_the_backward_pass_begins() -> None:
    text = backward_of(classifier())
    assert "share" in text
    assert re.search(r"dW1\[\w+, \w+\] \* share", text) is None
    derivation = sb.derive(classifier())
    items = averaged(derivation.adjoint_items, derivation.system, "share")
    scaled = [
        item.tensor
        for item in items
        if any(str(s) == "share" for t in item.terms for s in t.body.free_symbols)
    ]
    assert scaled == ["delta_log_a2"]  # the others are linear in it


def test_one_loop_over_the_batch_computes_many_equations() -> None:
    derivation = sb.derive(classifier())
    sweeps = [visit.sweep for visit in visits(lower(derivation).backward)]
    assert len(sweeps) < len(derivation.forward) + len(derivation.adjoint) - 6
    assert max(len(sweep.blocks) for sweep in sweeps if sweep.sampled) >= 4
    plain = [visit.sweep for visit in visits(lower(derivation, plain=True).backward)]
    assert all(len(sweep.blocks) == 1 for sweep in plain)


def test_costly_functions_of_few_neurons_have_flat_loops_and_of_many_do_not() -> None:
    few, many = (backward_of(classifier(units)) for units in (6, 48))
    assert "a1_flat[place] = tanh(z1_flat[place])" in few
    assert "a1[n, i1] = tanh(z1[n, i1])" in many
    for text in (few, many):
        assert "for place in range(3 * batch):" in text  # exp of the softmax


def test_no_number_is_computed_by_a_function_of_numpy() -> None:
    functions = ("exp", "log", "log1p", "expm1", "tanh", "erf", "logistic", "softplus")
    for name in (*functions, "elu", "swish", "gelu"):
        program = sb.Program(
            equations=f"L = sum({name}(w[i] * x[i]) * x[i], i)",
            axes={"i": 4},
            parameters={"w": "i"},
            data={"x": "i"},
            batched=("x",),
            objective="L",
        )
        text = emit(differentiate(program), "float32")
        assert re.search(r"np\.(exp|log|tanh|expm1|log1p)\(|math\.erf", text) is None
        plain = plan_file(differentiate(program), "float32", plain=True).text
        assert re.search(r"np\.(exp|log|tanh|expm1|log1p)\(|math\.erf", plain)


@pytest.mark.parametrize("batch", [1, 2, 5, 32, 33, 40])
def test_short_and_long_batches_take_their_way(batch: int) -> None:
    program = classifier().program
    derivation = sb.derive(program)
    file = plan_file(derivation, "float64")
    assert 0 < file.longest_few <= 32
    values = draw(program, np.random.default_rng(batch), batch)
    found, forward, gradient = call(program, file, values, batch)
    slow = plan_file(derivation, "float64", plain=True)
    expected, _, slope = call(program, slow, values, batch)
    assert found == pytest.approx(expected, rel=1e-12)
    assert forward == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-11, atol=1e-14)


def test_memory_is_used_in_turn() -> None:
    derivation = sb.derive(classifier(64, 10))
    schedule = explain(derivation)
    activations = 2 * 64 + 3 * 10  # z, a and exponentials: forward alone needs them
    assert schedule.per_sample <= activations
    assert schedule.without_turns > 1.5 * schedule.per_sample


def test_what_stands_at_once_lies_apart() -> None:
    """Two tensors share a place only where one is not read after the other is made."""
    network = sb.Network(
        8,
        [sb.Dense(8, name) for name in ("tanh", "swish", "gelu", "elu")] * 3,
        "squared_error",
    )
    lowered = lower(sb.derive(network))
    order = list(visits(lowered.backward))
    made: dict[str, int] = {}
    last: dict[str, int] = {}
    for number, visit in enumerate(order):
        for block in visit.sweep.blocks:
            for equation in block.equations:
                made.setdefault(visit.named(equation.tensor), number)
                for read in equation.reads():
                    name = str(getattr(read, "base", read))
                    last[visit.named(name)] = number
    places = {
        name: lowered.turned.places[name]
        for name in made
        if name in lowered.turned.places
        and lowered.turned.places[name].buffer == "sample"
    }
    assert len(places) > 20
    for one, a in places.items():
        for other, b in places.items():
            apart = a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
            in_turn = last.get(one, made[one]) <= made[other]
            in_turn |= last.get(other, made[other]) <= made[one]
            assert one == other or apart or in_turn, (one, other)


def test_a_place_given_away_too_early_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = storage.lay_out

    def planted(*arguments: Any, keep: bool) -> Layout:
        layout = right(*arguments, keep=keep)
        if keep:
            return layout
        places = dict(layout.places)
        places["delta_a1"] = places["a1"]
        return Layout(places, layout.theta, layout.fixed, layout.per_sample)

    monkeypatch.setitem(lower.__globals__, "lay_out", planted)
    with pytest.raises(sb.CheckError, match="does not agree with its equations"):
        sb.compile(classifier(), "float64", tmp_path)


def test_a_long_batch_that_goes_wrong_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way that long batches take is checked too, and its equation named."""
    right = plan_file

    def planted(derivation: Any, dtype: str, **options: bool) -> Any:
        file = right(derivation, dtype, **options)
        wrong = file.text.replace("np.dot(delta_z2.T, a1, dW2)", "dW2[:] = 0")
        assert wrong != file.text
        return replace(file, text=wrong)

    derivation = sb.derive(classifier())
    monkeypatch.setattr(compiling, "plan_file", planted)
    number = derivation.number("dW2")
    with pytest.raises(sb.CheckError, match=rf"equation \({number}\), .* `dW2`"):
        sb.compile(derivation, "float64", tmp_path)


def test_a_long_batch_of_which_the_value_alone_is_wrong_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = plan_file

    def planted(derivation: Any, dtype: str, **options: bool) -> Any:
        file = right(derivation, dtype, **options)
        head, forward = file.text.split("\ndef forward(")
        wrong = forward.replace("np.dot(x, W1.T, z1)", "z1[:] = 0", 1)
        assert wrong.find("z1[:] = 0") < wrong.find("\ndef backward(")
        return replace(file, text=f"{head}\ndef forward({wrong}")

    monkeypatch.setattr(compiling, "plan_file", planted)
    with pytest.raises(sb.CheckError, match=r"equation \(1\), .* `z1`"):
        sb.compile(classifier(), "float64", tmp_path)


def test_the_schedule_is_a_value_that_can_be_printed() -> None:
    derivation = sb.derive(classifier(40, 3))
    schedule = explain(derivation)
    numbers = {n for step in schedule.backward for n in step.numbers}
    live = {derivation.number(name) for name in derivation.live}
    assert numbers == live | {derivation.number(e.tensor) for e in derivation.adjoint}
    ways = {p.tensor: p.way for step in schedule.backward for p in step.products}
    assert ways["z1"] == "loops up to 1 sample, then BLAS"
    assert ways["z2"] == "loops up to 2 samples, then BLAS"
    assert json.loads(json.dumps(schedule.as_dict()))["name"] == "classifier"
    text = schedule.text()
    assert "dW2: 3 x 40 x batch = 120 multiplications a sample" in text
    assert "delta_z1 at" in text


def test_equal_layers_stay_a_loop() -> None:
    layers = [sb.Dense(8, "tanh") for _ in range(12)]
    text = backward_of(sb.Network(8, layers, "squared_error"))
    assert text.count("for layer in range(") == 2
    assert "tanh(" in text
    assert "a6" not in re.sub("#.*", "", text)


def chain(i: int, j: int, k: int) -> sb.Program:
    return sb.Program(
        equations="""y[i] = sum(W[i, j]*V[j, k]*x[k], j, k)
        z[i] = sum(c*s*T[i, j, k]*x[j]*x[k], j, k) / 3 + y[i]
        L = sum(z[i]**2, i)""",
        axes={"i": i, "j": j, "k": k},
        parameters={"W": "i j", "V": "j k", "T": "i j k", "s": ""},
        data={"x": "k"},
        constants={"c": 0.5},
        batched=("x",),
        objective="L",
    )


def test_three_factors_are_multiplied_in_the_cheapest_order() -> None:
    """The first two where their product is small, else the last two."""
    first = backward_of(chain(20, 30, 30))
    assert "np.dot(W, V, y_product)" in first
    assert "np.dot(x, y_product.T, y)" in first
    assert "z_product" in first  # constants and scalars stand in no one's way
    last = backward_of(chain(200, 30, 30))
    assert "np.dot(x, V.T, y_product)" in last
    assert "np.dot(y_product, W.T, y)" in last


@pytest.mark.parametrize("batch", [1, 3, 33])
def test_factors_in_any_order_make_the_same(batch: int) -> None:
    program = chain(4, 5, 5)
    derivation = sb.derive(program)
    values = draw(program, np.random.default_rng(batch), batch)
    fast, slow = (
        call(program, plan_file(derivation, "float64", plain=plain), values, batch)
        for plain in (False, True)
    )
    assert "product" in plan_file(derivation, "float64").text
    assert fast[0] == pytest.approx(slow[0], rel=1e-12)
    np.testing.assert_allclose(fast[2], slow[2], rtol=1e-10, atol=1e-12)


def agrees(program: sb.Program, batches: tuple[int, ...] = (1, 2, 7)) -> SourceFile:
    """The fast file, which computes what the plain one does."""
    derivation = differentiate(program)
    fast, slow = (plan_file(derivation, "float64", plain=p) for p in (False, True))
    for batch in batches if program.batched else (1,):
        values = draw(program, np.random.default_rng(batch), batch)
        found, forward, slope = call(program, fast, values, batch)
        expected, _, gradient = call(program, slow, values, batch)
        assert found == pytest.approx(expected, rel=1e-11)
        assert forward == pytest.approx(expected, rel=1e-11)
        np.testing.assert_allclose(slope, gradient, rtol=1e-9, atol=1e-11)
    return fast


def test_a_row_of_a_sample_takes_no_place_of_what_all_samples_read() -> None:
    program = sb.Program(
        equations="""u[i] = w[i]**3
        r[i] = u[i] + x[i]
        m = sum(r[i]**2, i)
        q[i] = r[i]*m
        L = sum(q[i]**2, i)""",
        axes={"i": 5},
        parameters={"w": "i"},
        data={"x": "i"},
        batched=("x",),
        objective="L",
    )
    assert "\n    r = view(workspace, 5, (5,))" in agrees(program).text


@pytest.mark.parametrize("batched", [("x",), ()])
@pytest.mark.parametrize("function", ["tanh", "sin"])
def test_the_objective_may_be_made_like_all_before_it(
    function: str, batched: tuple[str, ...]
) -> None:
    """A loop over layers of scalars ends before the objective, which is returned."""
    rows = [f"s{n} = {function}(w{n}*s{n - 1})" for n in range(2, 9)]
    program = sb.Program(
        equations="\n".join(
            [f"s1 = {function}(w1*x)", *rows, f"L = {function}(w9*s8)"]
        ),
        axes={},
        parameters={f"w{n}": "" for n in range(1, 10)},
        data={"x": ""},
        batched=batched,
        objective="L",
    )
    assert "for layer in range(" in agrees(program).text


@pytest.mark.parametrize(
    "row",
    [
        "a{n}[i] = tanh(u{n}[i]*a{m}[i])*v{n}[i] + tanh(w{n}[i]*a{m}[i])",
        "a{n}[i] = exp(u{n}[i]*a{m}[i]) / sum(exp(u{n}[j]*a{m}[j]), j)",
        "a{n}[i] = tanh(a{m}[i]*u{n}[i])*tanh(a{m}[i]*v{n}[i])*tanh(a{m}[i]*w{n}[i])",
    ],
)
def test_a_loop_over_layers_holds_whole_equations(row: str) -> None:
    """No repetition begins among the parts of an equation."""
    program = sb.Program(
        equations="\n".join(row.format(n=n, m=n - 1) for n in range(1, 7))
        + "\nL = sum(a6[i]**2, i)",
        axes={"i": 3, "j": 3},
        parameters={f"{s}{n}": "i" for n in range(1, 7) for s in "uvw"},
        data={"a0": "i"},
        batched=("a0",),
        objective="L",
    )
    text = agrees(program).text
    assert "for layer in range(" in text
    derivation = differentiate(program)
    body = text.split("\ndef backward(")[1]
    heads = list(excerpts(derivation, "float64"))
    assert heads == list(range(1, len(heads) + 1))
    assert "the same up to" in body


def test_factors_seen_as_vectors_have_shapes() -> None:
    program = sb.Program(
        equations="z = sum(A[i, r]*B[j, r]*C[k, r]*x[i, j, k], i, j, k, r)\nL = z**2",
        axes={"i": 4, "j": 5, "k": 6, "r": 3},
        parameters={"A": "i r", "B": "j r", "C": "k r"},
        data={"x": "i j k"},
        batched=("x",),
        objective="L",
    )
    assert ", 0, (120,))" in agrees(program, (1, 3, 40)).text


def test_names_of_the_file_give_way_to_those_of_a_constant(tmp_path: Path) -> None:
    program = sb.Program(
        equations="L = sum(compiled_view*w[i]*market_share[i], i)",
        axes={"i": 3},
        parameters={"w": "i"},
        data={"market_share": "i"},
        constants={"compiled_view": 0.5},
        objective="L",
    )
    kernels = sb.compile(program, "float64", tmp_path)
    assert kernels.value(np.ones(3), np.ones(3)) == 1.5
    assert "    share = " not in kernels.path.read_text()


def test_code_under_another_heading_is_headed_again() -> None:
    """`delta_a` is computed in parts, and its rest together with a sum over it."""
    program = sb.Program(
        equations="""z[i] = sum(W[i, j]*x[j], j)
        a[i] = maximum(0, z[i]) + r[i]*minimum(0, z[i])
        L = sum(softplus(a[i])*y[i], i)""",
        axes={"i": 6, "j": 4},
        parameters={"W": "i j", "r": "i"},
        data={"x": "j", "y": "i"},
        batched=("x", "y"),
        objective="L",
    )
    text = agrees(program).text
    assert "# more of (4)\n    # (5)  dr[i]" in text
    derivation = differentiate(program)
    blocks = excerpts(derivation, "float64")
    for equation in derivation.adjoint:
        code = re.sub("#.*", "", blocks[derivation.number(equation.tensor)])
        pattern = rf"\b{equation.tensor}(\[.*\])? \+?= "
        assert re.search(pattern, code), equation.tensor
