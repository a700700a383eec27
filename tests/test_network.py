"""Networks: layers joined under numbered names, and what cannot be joined."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

import symbackprop as sb
from symbackprop.losses import LOSSES
from symbackprop.optimisers import SGD, Adam


def digits(**changes) -> sb.Network:
    given = {
        "inputs": 64,
        "layers": [sb.Dense(32, "tanh"), sb.Dense(10, "softmax")],
        "loss": "cross_entropy",
        "penalty": sb.Frobenius(1e-4),
        "name": "digits",
    }
    return sb.Network(**{**given, **changes})


def test_text_of_a_network() -> None:
    program = digits().program
    assert program.text.splitlines() == [
        "z1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]",
        "a1[i1] = tanh(z1[i1])",
        "z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]",
        "a2[i2] = exp(z2[i2]) / sum(exp(z2[k2]), k2)",
        "L = -sum(y[i2]*log(a2[i2]), i2)",
        "R = L + lam/2*(sum(W1[i1, i0]**2, i1, i0) + sum(W2[i2, i1]**2, i2, i1))",
    ]
    assert program.objective == "R"
    assert program.output == "a2"
    assert program.weights == ("W1", "W2")
    assert [t.name for t in program.data if t.batched] == ["x", "y"]


def test_equations_alone_say_the_same() -> None:
    dense = sb.Equations(
        "z[i] = sum(W[i, j]*x[j], j) + b[i]\na[i] = tanh(z[i])",
        axes={"i": 32, "j": 64},
        parameters={"W": "i j", "b": "i"},
        weights=("W",),
    )
    softmax = sb.Equations(
        "z[m] = sum(W[m, n]*x[n], n) + b[m]\na[m] = exp(z[m]) / sum(exp(z[k]), k)",
        axes={"m": 10, "n": 32, "k": 10},
        parameters={"W": "m n", "b": "m"},
        weights=("W",),
    )
    ours, theirs = digits(layers=[dense, softmax]).program, digits().program
    # The letters m and n are numbered where the layers' own letter is i.
    assert ours.text.replace("m2", "i2") == theirs.text
    assert [e.terms[0].bound for e in ours.equations][:2] == [
        e.terms[0].bound for e in theirs.equations
    ][:2]


def test_a_layer_of_equations_reads_and_shares_letters() -> None:
    own = sb.Equations("y[i] = x[i]*logistic(beta[i]*x[i])", {"i": 5}, {"beta": "i"})
    text = sb.Network(4, [sb.Dense(5), own], "squared_error").program.text
    assert "y2[i1] = z1[i1]*logistic(beta2[i1]*z1[i1])" in text
    assert "L = sum((y2[i1] - y[i1])**2, i1) / 2" in text


def test_input_letters_need_no_plain_read() -> None:
    own = sb.Equations(
        "y[p] = sum(K[u]*x[2*p + u], u)", axes={"p": 4, "u": 3}, parameters={"K": "u"}
    )
    program = sb.Network(9, [own], "squared_error").program
    assert program.shape("x") == (9,)
    assert program.output == "y1"


def test_names_that_end_in_digits_are_set_apart() -> None:
    own = sb.Equations(
        "h1[i] = w1*x[i]\nh[i] = 2*h1[i]", {"i": 3}, {"w1": ""}, weights=("w1",)
    )
    program = digits(inputs=3, layers=[own, own, sb.Dense(2, "softmax")]).program
    assert program.text.startswith("h1_1[i0] = w1_1*x[i0]\nh1[i0] = 2*h1_1[i0]")
    assert "w1_1**2 + w1_2**2" in program.text


def test_a_numbered_name_does_not_become_a_function() -> None:
    own = sb.Equations("expm[i] = 2*x[i]", {"i": 3})
    program = sb.Network(3, [own], "squared_error").program
    assert program.output == "expm_1"


def test_names_that_clash_when_numbered() -> None:
    own = sb.Equations("W1_[i] = 2*x[i]\nW1[i] = W1_[i]", {"i": 3})
    with pytest.raises(sb.DeclarationError, match=r"layers\[1\].*`W1_1`.*taken"):
        sb.Network(3, [own], "squared_error")


def test_weights_with_a_repeated_letter_are_penalised_whole() -> None:
    own = sb.Equations(
        "y[i] = sum(W[i, j]*x[j], j)",
        {"i": 3, "j": 3},
        {"W": "i i"},
        weights=("W",),
    )
    program = sb.Network(3, [own], "squared_error", sb.Frobenius(0.1)).program
    assert "lam/2*(sum(W1[i1, i1_2]**2, i1, i1_2))" in program.text
    assert program.axes["i1_2"].size == 3


def test_the_identity_adds_no_equation() -> None:
    program = sb.Network(3, [sb.Activation("identity")], "squared_error").program
    assert program.text == "L = sum((x[i0] - y[i0])**2, i0) / 2"


def test_names_in_decimals_are_left_alone() -> None:
    own = sb.Equations("e5[i] = 1.e5*x[i] + 2e5", {"i": 3})
    text = sb.Network(3, [own], "squared_error").program.text
    assert text.startswith("e5_1[i0] = 1.e5*x[i0] + 2e5")


@pytest.mark.parametrize(
    ("text", "axes", "parameters", "said"),
    [
        ("y[i] = q*x[i]", {"i": 4}, {}, r"layers\[2\] \(Equations.*`q`"),
        ("y[i] = x[i] + x[j]", {"i": 4, "j": 4}, {}, r"layers\[2\].*`j`"),
        ("y[i] = W1[i, i]", {"i": 4}, {}, r"layers\[2\].*`W1`"),
        ("y[i] = y[i]", {"i": 4}, {}, r"layers\[2\]"),
        ("x[i] = 2", {"i": 4}, {}, "may not be defined again"),
        ("z[i] = x[i]\ny[i] = (((", {"i": 4}, {}, r"layers\[2\](.|\n)*line 2"),
        ("2*x[i]", {"i": 4}, {}, "the text has no equation"),
        ("y[i] = x[i]", {"i": 7}, {}, r"input of shape \(4,\)"),
        ("y[i] = x[i].real", {"i": 4}, {}, r"layers\[2\]"),
        ("y[i] = __import__('os')", {"i": 4}, {}, r"layers\[2\]"),
        ("y[i] = x[i]", {"i": 0}, {}, r"layers\[2\].*`i`"),
        ("y[i] = x[i]", {"i": 4}, {"x": "i"}, r"layers\[2\].*`x`"),
        ("y[i] = x[i]", {"i": 4}, {"D": "i"}, r"layers\[2\].*D.*reserved"),
    ],
)
def test_equations_that_a_network_refuses(text, axes, parameters, said) -> None:
    own = sb.Equations(text, axes, parameters)
    with pytest.raises(sb.DeclarationError, match=said):
        sb.Network(3, [sb.Dense(4), own], "squared_error")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": 0}, "inputs is 0"),
        ({"inputs": []}, r"inputs is \[\]"),
        ({"inputs": [1] * 20}, "at most 9"),
        ({"inputs": True}, "inputs is True"),
        ({"layers": []}, "layers is empty"),
        ({"layers": 3}, "give a list of layers"),
        ({"layers": [sb.Dense]}, r"layers\[1\] is .* give a layer"),
        ({"loss": "cross_entrpy"}, "Did you mean `cross_entropy`"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"penalty": 1e-4}, "penalty is 0.0001; give Frobenius"),
        ({"layers": [sb.Activation("tanh")]}, "no layer has a weight matrix"),
        ({"name": "../digits"}, "name"),
        (
            {"layers": [sb.Equations("s = sum(x[i], i)", {"i": 64})]},
            "at least one axis",
        ),
        (
            {"layers": [sb.Activation("softmax")], "inputs": [2, 3]}
            | {"loss": "sparse_cross_entropy"},
            "exactly one axis",
        ),
        (
            {"layers": [sb.Equations("y[i] = x[i]", {"i": 64}, weights=("V",))]},
            "`V` is not a parameter",
        ),
    ],
)
def test_networks_that_are_refused(changes, said: str) -> None:
    with pytest.raises(sb.DeclarationError, match=said):
        digits(**changes)


@pytest.mark.parametrize("lam", [-1, float("nan"), float("inf"), "1", True])
def test_penalties_that_are_refused(lam) -> None:
    with pytest.raises(sb.DeclarationError, match="Frobenius: `lam`"):
        sb.Frobenius(lam)


def test_a_hundred_layers_are_joined_at_once() -> None:
    layers = [sb.Dense(32, "tanh")] * 100
    network = sb.Network(32, layers, "squared_error")
    assert len(network.program.equations) == 201


def test_networks_are_values() -> None:
    assert digits() == digits()
    assert digits() != digits(name="other")
    assert replace(digits(), loss="squared_error").program.text != digits().program.text
    assert pickle.loads(pickle.dumps(digits())) == digits()


def test_losses_are_written_over_every_axis() -> None:
    text = LOSSES["cross_entropy"].written("p", ("i", "j"))
    assert text == "L = -sum(y[i, j]*log(p[i, j]), i, j)"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SGD(0), "`rate` is 0; give a number greater than 0"),
        (lambda: SGD(0.1, momentum=1), "`momentum` is 1; .* less than 1"),
        (lambda: SGD(0.1, nesterov=True), "needs a `momentum`"),
        (lambda: Adam(float("nan")), "`rate` is nan"),
        (lambda: Adam(1e-3, beta1=-0.1), "`beta1` is -0.1; give a number at least 0"),
    ],
)
def test_optimisers_that_are_refused(make, said: str) -> None:
    with pytest.raises(sb.DeclarationError, match=said):
        make()
