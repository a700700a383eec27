"""Claims: how they are read, how they are judged, and that each judge can fail."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from claims_programs import TEXTS

import symbackprop as sb
from symbackprop.claims import verifying
from symbackprop.claims.judging import counterexamples, finding, judge, order, values
from symbackprop.claims.judging.draws import Draws
from symbackprop.claims.judging.judge import Judge
from symbackprop.claims.judging.targets import targets
from symbackprop.claims.reading import sides
from symbackprop.claims.reading.bench import workbench
from symbackprop.claims.reading.text import parse
from symbackprop.claims.verdict import KINDS
from symbackprop.errors import CheckError, DeclarationError, GrammarError
from symbackprop.witnesses import bumps

NETWORK = sb.Network(
    inputs=5,
    layers=[sb.Dense(4, "tanh"), sb.Dense(3, "logistic"), sb.Dense(2, "softmax")],
    loss="cross_entropy",
    penalty=sb.Frobenius(0.01),
    name="apart",
)
ALIKE = sb.Network(
    inputs=3,
    layers=[sb.Dense(3, "tanh"), sb.Dense(3, "tanh"), sb.Dense(3)],
    loss="squared_error",
    name="alike",
)


def kind(program: Any, claim: str, **options: str) -> str:
    return sb.verify(program, claim, **options).kind


# --- text -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("a = b", ("=",)),
        ("a == b", ("=",)),
        ("a = b = c", ("=", "=")),
        ("0 < a <= 1", ("<", "<=")),
        ("w <- w - r", ("<-",)),
        ("w := w - r", ("<-",)),
        ("x -> z -> a", ("->", "->")),
        ("a = where(x == 1, 2, 3)", ("=",)),
        ("a = b if x < 1", ("=",)),
    ],
)
def test_relations(text: str, relations: tuple[str, ...]) -> None:
    assert parse(text).relations == relations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "found no `=`"),
        ("", "found no `=`"),
        ("= a", "nothing stands on one side"),
        ("a =", "nothing stands on"),
        ("a = b < c", "one kind of relation"),
        ("w <- v <- u", "one kind of relation"),
        ("a < b > c", "one kind of relation"),
        ("a = b if", "nothing stands behind `if`"),
        ("a = (b", "nowhere closed"),
        ("a = x.real", "Attributes are not part"),
        ("a = x.T.T.real", "Attributes are not part"),
        ("a = b % c", "cannot be read"),
        ("a = __import__('os')", "cannot be"),
        ("a = 'b'", "There are no strings"),
        ("a = lambda: 1", "cannot"),
        ("a = b; c", "one equation a line"),
        ("a = " + "(" * 5000 + "b" + ")" * 5000, "nested too deeply|has at most"),
        ("a = " + "b + " * 4000 + "b", "at most"),
    ],
)
def test_refused_text(text: str, message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        parse(text)


@pytest.mark.parametrize("text", [None, 3, b"a = b", ["a = b"]])
def test_a_claim_is_text(text: Any) -> None:
    with pytest.raises(GrammarError, match="a claim is text"):
        parse(text)


def test_a_flaw_is_shown_in_the_text_as_it_came() -> None:
    with pytest.raises(GrammarError) as caught:
        sb.verify(NETWORK, "delta1 = f1'(z1) o (W2.T @ detla2)")
    first, shown, caret = str(caught.value).split("\n")
    assert "Did you mean `delta2`?" in first
    assert shown.index("detla2") == caret.index("^")


def test_products_bind_more_tightly_than_entrywise_ones() -> None:
    tight = "delta1 = f1'(z1) o W2.T @ delta2"
    assert sb.verify(NETWORK, tight)
    assert kind(NETWORK, "delta1 = (f1'(z1) o W2.T) @ delta2") == "does not type"
    assert sb.verify(NETWORK, tight.replace(" o ", " * "))
    assert sb.verify(NETWORK, tight.replace(" o ", " ⊙ "))


def test_the_operator_o_is_also_a_name() -> None:
    assert sb.verify(None, "o*o = o**2")
    assert sb.verify(None, "x + o = o + x")


# --- letters and shapes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("D(L, W2[i, j]) = delta2[i]*a1[j]", "holds"),
        ("D(L, W2[b, q]) = delta2[b]*a1[q]", "holds"),
        ("D(L, W2[i2, i1]) = delta_z2[i2]*a1[i1]", "holds"),
        ("D(L, W2[i1, i2]) = delta_z2[i1]*a1[i2]", "holds"),
        ("D(L, W2[i, j]) = delta2[j]*a1[i]", "does not type"),
        ("D(L, W2[i, j]) = delta2[i]*a2[j]", "does not type"),
        ("D(L, b1[i]) = sum(W2[k, i]*delta2[k], k)*f1'(z1[i])", "holds"),
        # One letter bound twice, over axes of different sizes.
        (
            "sum(b1[k], k)*sum(b2[k], k) = sum(b1[m]*b2[n], m, n)",
            "holds",
        ),
        # Bound inside, free outside.
        ("sum(b1[i], i)*b2[i] = sum(b1[m]*b2[i], m)", "holds"),
        ("D(z1[k], W1[i, j]) = where(k == i, x[j], 0)", "holds"),
        ("D(z1[k], W1[i, j]) = where(k == j, x[i], 0)", "does not type"),
        ("z1[i] = b1[i] + sum(W1[i, j]*x[j], j)", "definition"),
        ("z1[i, j] = b1[i]", "does not type"),
        ("D(L, b2) = delta2[i]", "does not type"),
        ("delta3[k] = a3[k] - y[k]", "holds"),
        ("delta3[0] = a3[0] - y[0]", "holds"),
    ],
)
def test_letters_run_where_they_stand(claim: str, expected: str) -> None:
    assert kind(NETWORK, claim) == expected


def test_a_letter_without_a_place_is_refused() -> None:
    with pytest.raises(GrammarError, match="over which axis `t` runs"):
        sb.verify(NETWORK, "b1[i] = b1[i] + sum(0*b1[i], t)")


@pytest.mark.parametrize(
    ("claim", "denominator", "numerator"),
    [
        ("D(L, W2) = delta2 @ a1.T", "holds", "does not type"),
        ("D(L, W2) = a1 @ delta2.T", "does not type", "holds"),
        ("D(z2, a1) = W2.T", "holds", "does not type"),
        ("D(z2, a1) = W2", "does not type", "holds"),
        ("D(L, b2) = delta2", "holds", "does not type"),
        ("D(L, b2) = delta2.T", "does not type", "holds"),
        ("D(z1, b1) = I", "holds", "holds"),
        ("D(a1, z1) = diag(f1'(z1))", "holds", "holds"),
        ("D(L, a1) = D(z2, a1) @ D(L, z2)", "holds", "does not type"),
        ("D(L, a1) = D(L, z2) @ D(z2, a1)", "does not type", "holds"),
        ("D(W1 @ x, W1) = 0", "does not type", "does not type"),
        ("D(sum(a1), z1) = f1'(z1)", "holds", "does not type"),
        ("D(a1.T @ a1, z1) = 2*a1 o f1'(z1)", "holds", "does not type"),
        ("diag(diag(b1)) = b1", "holds", "holds"),
        ("diag(W1) = b1", "does not type", "does not type"),
        ("sum(W1 @ x) = sum(x.T @ W1.T)", "holds", "holds"),
        ("W1 @ I @ x = W1 @ x", "holds", "holds"),
        ("z1 = I @ z1", "holds", "holds"),
        ("b1 @ b2.T + 1 = 1 + (b2 @ b1.T).T", "holds", "holds"),
        ("D(L, x) = W1.T @ delta1", "holds", "does not type"),
        ("maximum(z1, 0) = where(z1 > 0, z1, 0)", "holds", "holds"),
        ("b1**2 = b1 o b1", "holds", "holds"),
        ("b1 / 2 = 0.5 * b1", "holds", "holds"),
    ],
)
def test_layouts(claim: str, denominator: str, numerator: str) -> None:
    assert kind(NETWORK, claim) == denominator
    assert kind(NETWORK, claim, layout="numerator") == numerator


def test_the_other_layout_is_found() -> None:
    found = sb.verify(NETWORK, "D(L, W1[i, j]) = D(z1, W1[i, j]).T @ D(L, z1)")
    assert found.kind == "does not type"
    assert found.condition == "D(z1, W1[i, j]): numerator"


# --- judges ---------------------------------------------------------------------------


def test_functions_are_exchanged_for_random_ones() -> None:
    assert sb.verify(NETWORK, "delta1 = f1'(z1) o (W2.T @ delta2)").shown != "digits"
    assert sb.verify(NETWORK, "delta1 = (1 - a1**2) o (W2.T @ delta2)").holds


def test_a_difference_far_below_double_precision_is_found() -> None:
    assert sb.verify(None, "tanh(x) = 2*logistic(2*x) - 1")
    assert kind(None, "tanh(x) = 2*logistic(2*x) - 1 + 1e-35") == "fails"
    assert kind(None, "tanh(x) = 2*logistic(2*x) - 1 + 1e-35*x**2") == "fails"


def test_rounding_is_no_difference() -> None:
    assert sb.verify(None, "1 - tanh(5*x)**2 = 4*logistic(10*x)*logistic(-10*x)")


def test_slopes_at_corners_are_conventions() -> None:
    assert sb.verify(None, "D(relu(x), x) = where(x > 0, 1, 0)")
    assert sb.verify(None, "D(relu(x), x) = where(x >= 0, 1, 0)")
    assert sb.verify(None, "D(abs(x), x) = sign(x)")
    assert kind(None, "sign(x) = where(x >= 0, 1, -1)") == "fails"


def test_a_wrong_slope_of_the_witness_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a sign turned in the witness, true claims about slopes fail."""

    def turned(*arguments: Any) -> Any:
        return -bumps.jacobian(*arguments)

    monkeypatch.setattr(values, "jacobian", turned)
    assert not sb.verify(NETWORK, "D(L, W2[i, j]) = D(L, z2[i])*D(z2[i], W2[i, j])")


def test_judges_that_contradict_one_another_give_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fractions on which everything is equal: 50 digits contradict them."""
    monkeypatch.setattr(Judge, "holds_exactly", lambda self: True)
    with pytest.raises(CheckError, match="holds exactly on fractions but fails"):
        sb.verify(NETWORK, "D(L, b2[i]) = 2*delta2[i]")


def test_digits_that_see_nothing_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that finds no difference anywhere lets a false claim pass."""
    monkeypatch.setattr(judge, "_broken", lambda *sides: np.zeros_like(sides[-1]))
    assert sb.verify(NETWORK, "D(L, b2[i]) = 2*delta2[i]")
    monkeypatch.undo()
    assert not sb.verify(NETWORK, "D(L, b2[i]) = 2*delta2[i]")


CAPPED = sb.Program(
    equations="""
        z = sum(w[j]*x[j], j)
        a = minimum(maximum(z, 0), 6)
        L = (a - y)**2/2 + rate*sum(w[j]**2, j)/2
    """,
    axes={"j": 3},
    parameters={"w": "j"},
    data={"x": "j", "y": ""},
    constants={"rate": 1},
    objective="L",
)


def test_a_cap_that_no_draw_reaches_hides_a_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kind(CAPPED, "a = relu(z)") == "fails"
    monkeypatch.setattr(Draws, "choosing", lambda self, system: ([], True))
    assert kind(CAPPED, "a = relu(z)") == "holds"
    monkeypatch.setattr(Draws, "choosing", lambda self, system: ([], False))
    assert kind(CAPPED, "a = relu(z)") == "cannot be decided"


def test_the_number_of_a_constant_hides_a_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = "D(L, w[j]) = delta_z*x[j] + rate**2*w[j]"
    verdict = sb.verify(CAPPED, claim)
    assert not verdict
    assert verdict.condition == "rate == 1"
    assert verdict.counterexample is not None
    assert verdict.counterexample.values["rate"] == Fraction(7, 8)
    assert kind(CAPPED, claim.replace("**2", "")) == "holds"
    monkeypatch.setattr(finding, "_elsewhere", lambda judge, names: None)
    assert kind(CAPPED, claim) == "holds"


def test_more_digits_tell_what_fifty_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = "logistic(x**2 + 200) = 1"
    verdict = sb.verify(None, claim)
    assert verdict.kind == "fails"
    assert verdict.counterexample is not None
    assert verdict.counterexample.right == "1 + 1.38e-87"
    monkeypatch.setattr(order, "FINER", (values.FIFTY,))
    assert kind(None, claim) == "holds"


def test_a_bound_that_is_approached_is_not_met() -> None:
    assert kind(None, "tanh(x**2 + 5) < 1") != "fails"
    assert kind(None, "tanh(x) < 1 - 1e-20") == "fails"
    assert kind(None, "x**2 > 0") == "fails"
    assert kind(None, "relu(x) > 0") == "fails"


def test_the_border_of_a_recurrence_is_a_condition() -> None:
    program = sb.Program(
        equations="""
            h[t] = tanh(w*h[t - 1] + x[t])
            L = sum((h[t] - y[t])**2, t)
        """,
        axes={"t": 6},
        parameters={"w": ""},
        data={"x": "t", "y": "t"},
        zero_outside=("h",),
        objective="L",
    )
    claim = "D(h[t], h[t - 1]) = (1 - h[t]**2)*w"
    assert sb.verify(program, claim).condition == "t > 0"
    assert sb.verify(program, claim + " if t > 0")
    assert kind(program, claim.replace("h[t]**2", "h[t]")) == "fails"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("D(D(tanh(x), x), x) = -2*tanh(x)*(1 - tanh(x)**2)", "holds"),
        ("D(D(tanh(x), x), x) = 2*tanh(x)*(1 - tanh(x)**2)", "fails"),
        ("tanh''(x) = -2*tanh(x)*tanh'(x)", "holds"),
        ("D(D(x**2*y**3, x), y) = D(D(x**2*y**3, y), x)", "holds"),
        ("D(D(D(logistic(x), x), x), x) = D(logistic''(x), x)", "holds"),
        ("softplus''(2*x) = logistic'(2*x)", "holds"),
        ("D(softplus(2*x), x) = 2*logistic(2*x)", "holds"),
        ("D(D(relu(x), x), x) = 0", "holds"),
    ],
)
def test_slopes_of_slopes(claim: str, expected: str) -> None:
    assert kind(None, claim) == expected


def test_a_slope_that_is_written_out_wrongly_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sides, "reveal", lambda expression: 2 * expression)
    with pytest.raises(CheckError, match="was written out wrongly"):
        sb.verify(None, "D(D(x**3, x), x) = 6*x")


def test_second_slopes_of_networks_are_not_judged() -> None:
    assert kind(NETWORK, "D(delta1[i], b1[j]) = 0") == "cannot be decided"


def test_targets_are_data_that_weigh_logarithms() -> None:
    assert [t.name for t in targets(workbench(NETWORK.program).base)] == ["y"]
    assert targets(workbench(ALIKE.program).base) == ()


def test_a_fact_is_named_where_it_is_used() -> None:
    assert sb.verify(NETWORK, "delta3 = a3 - y").given == ("sum(y[i3], i3) = 1",)
    assert sb.verify(NETWORK, "delta3 = a3*sum(y) - y").given == ()
    assert kind(ALIKE, "delta3 = a2 - y") == "fails"


def test_a_size_that_a_claim_names_is_that_of_the_program() -> None:
    assert sb.verify(NETWORK, "sum(0*b1[i] + 1, i) = 4")
    assert kind(NETWORK, "sum(0*b1[i] + 1, i) = 3") == "fails"
    assert kind(NETWORK, "sum(0*b1[i] + 1, i) = 2") == "fails"


def test_no_mistake_hides_behind_equal_activations() -> None:
    assert sb.verify(ALIKE, "delta1 = f1'(z1) o (W2.T @ delta2)")
    assert kind(ALIKE, "delta1 = f2'(z1) o (W2.T @ delta2)") == "fails"
    assert sb.verify(ALIKE, "delta1 = tanh'(z1) o (W2.T @ delta2)")
    assert kind(ALIKE, "delta1 = f1'(z1) o (W2 @ delta2)") == "fails"


def test_a_claim_about_any_network() -> None:
    found = sb.verify(None, "delta1 = f1'(z1) o (W2.T @ delta2)")
    assert found.holds
    assert "network" in found.program
    assert kind(None, "delta1 = f2'(z1) o (W2.T @ delta2)") == "fails"
    assert kind(None, "D(L, W2) = delta2 @ a2.T") == "does not type"


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("delta1 = f1'(z1) o (W2.T @ deltta2)", "Did you mean `delta2`"),
        ("delta1 = f1'(z1) o (W2.T @ delta2)*eta", "`eta` is not known"),
        ("D(L, W2) = delta2 @ a1.T/N", "`N` is not known. A program declares it"),
        ("D(L, W1[i, j]) = delta1[i]*a0[j]", "input of layer 1 is `x`"),
        ("D(L, q) = 0*W1", "taken by an entry of a tensor"),
    ],
)
def test_names_that_no_network_has_are_refused(claim: str, message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        sb.verify(None, claim)


def test_variables_may_be_named_like_parts_of_a_network() -> None:
    assert kind(None, "tanh(z1 + b1) = 2*logistic(2*z1 + 2*b1) - 1") == "holds"
    assert kind(None, "D(tanh(z1)*q, z1) = q*tanh'(z1)") == "holds"
    assert kind(None, "D(tanh(z1)*q, z1) = tanh'(z1)") == "fails"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("delta3 = a3 - y", "holds"),
        ("delta3 = y - a3", "fails"),
        ("delta3 = f3'(z3) o (a3 - y)", "holds"),
        ("D(L, W2) = delta2 @ a1.T", "holds"),
        ("D(L, W2) = delta2 @ a2.T", "does not type"),
        ("a3 = W3 @ a2 + b3", "definition"),
    ],
)
def test_layers_without_activation(claim: str, expected: str) -> None:
    layers = [sb.Dense(3), sb.Dense(4, "tanh"), sb.Dense(2)]
    found = sb.verify(sb.Network(5, layers, "squared_error"), claim)
    assert found.kind == expected
    assert found.claim == claim


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("D(h[2], h[1]) = U.T @ diag(1 - h[2]**2)", "holds"),
        ("D(h[2], h[1]) = U.T @ diag(1 - h[1]**2)", "fails"),
        ("D(h[3], h[1]) = D(h[2], h[1]) @ D(h[3], h[2])", "holds"),
        ("D(h[t], h[t-1]) = U.T @ diag(1 - h[t]**2) if t > 0", "holds"),
        ("z[t] = U @ h[t-1] + W @ x[t] + b", "definition"),
        ("z[t] = U @ h[t] + W @ x[t] + b", "fails"),
        ("delta_h[t] = h[t] - y[t] + U.T @ delta_z[t+1]", "holds"),
        ("delta_h[t] = h[t] - y[t] + U.T @ delta_z[t]", "fails"),
        ("D(L, W) = sum(delta_z[t] @ x[t].T, t)", "holds"),
        ("D(L, W) = sum(delta_z[t] @ h[t].T, t)", "does not type"),
        ("delta_h[3] = h[3] - y[3]", "holds"),
        ("delta_h[7] = h[7] - y[7]", "does not type"),
        ("z[t, i, 0] = 1", "does not type"),
    ],
)
def test_steps_in_matrix_form(claim: str, expected: str) -> None:
    assert kind(sb.Program(**TEXTS["elman"]), claim) == expected


ONE = sb.Network(
    4, [sb.Dense(3, "tanh"), sb.Dense(1, "logistic")], "squared_error", name="one"
)


@pytest.mark.parametrize(
    ("network", "claim", "expected"),
    [
        (NETWORK, "a3 = softmax(z3)", "definition"),
        (NETWORK, "a3 = softmax(W3 @ a2 + b3)", "holds"),
        (NETWORK, "a3 = softmax(2*z3)", "fails"),
        (NETWORK, "a3 = softmax(z2)", "does not type"),
        (NETWORK, "a3 = softmax(W3)", "does not type"),
        (NETWORK, "D(softmax(z3), z3) = diag(a3) - a3 @ a3.T", "holds"),
        (ONE, "D(L, W2) = (a2 - y)*a2*(1 - a2)*a1.T", "holds"),
        (ONE, "D(L, W2) = (a2 - y)*a1.T", "fails"),
        (ONE, "D(a2, a1) = a2*(1 - a2)*W2.T", "holds"),
        (ONE, "D(a2, a1) = a2*(1 - a2)*W2", "does not type"),
        (NETWORK, "D(L, W2) = delta2*a1.T", "does not type"),
    ],
)
def test_vectors_and_numbers(network: sb.Network, claim: str, expected: str) -> None:
    assert kind(network, claim) == expected


@pytest.mark.parametrize(
    ("program", "claim"),
    [
        (None, "max(0, x) = relu(x)"),
        (NETWORK, "max(0, q) = relu(q)"),
        (NETWORK, "relu(x[j]) = max(0, x[j])"),
    ],
)
def test_the_greater_of_two_numbers_is_no_reduction(program: Any, claim: str) -> None:
    with pytest.raises(GrammarError, match=r"write `maximum\(a, b\)`"):
        sb.verify(program, claim)


# --- what fails, and when -------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "condition"),
    [
        ("leaky_relu(x, r) = maximum(x, r*x)", "r <= 1"),
        ("leaky_relu(x, r) = minimum(x, r*x)", "r >= 1"),
        ("elu(x, r) = maximum(0, x) + minimum(0, r*(exp(x) - 1))", "r >= 0"),
        ("relu(x) = x", "x >= 0"),
        ("log(x**2) = 2*log(x)", "x > 0"),
        ("hard_tanh(x) = x", "x >= -1 and x <= 1"),
        ("maximum(x, r) = maximum(x, minimum(r, 7/3))", "r <= 7/3"),
        ("where(q < 1.25, x, 0) = x", "q < 5/4"),
        ("maximum(x, r*x) = leaky_relu(x, r) if r > -5", "r <= 1"),
    ],
)
def test_conditions(claim: str, condition: str) -> None:
    found = sb.verify(None, claim)
    assert (found.kind, found.condition) == ("holds only if", condition)
    assert not found
    assert found.counterexample is not None


@pytest.mark.parametrize(
    "claim",
    [
        "prelu(x, r) = maximum(0, x) - r*minimum(0, x)",  # but for x >= 0
        "tanh(x) = 2*logistic(x) - 1",
        "logistic(w*x + b) = 1/(exp(-w*x + b) + 1)",  # but for b = 0
        "D(softplus(x), x) = tanh(x)",
        "x**2 = x",
    ],
)
def test_no_condition_is_made_up(claim: str) -> None:
    assert kind(None, claim) == "fails"


def test_counterexamples_are_small() -> None:
    found = sb.verify(NETWORK, "D(L, b2[i]) = 2*delta2[i]").counterexample
    assert found is not None
    assert set(found.sizes.values()) <= {1, 2}
    assert found.indices["i"] in (0, 1)
    flat = np.concatenate([np.ravel(value) for value in found.values.values()])
    assert np.count_nonzero(flat) <= 6
    assert {Fraction(number) for number in flat.tolist()} <= {0, 1, Fraction(-1)}


def test_a_counterexample_obeys_the_facts() -> None:
    found = sb.verify(NETWORK, "delta3[k] = y[k] - a3[k]").counterexample
    assert found is not None
    assert sum(found.values["y"]) == 1


def test_a_counterexample_refutes_the_claim_elsewhere() -> None:
    """Its values, put into JSON and read again, give the sides that it states."""
    found = sb.verify(None, "tanh(x) = 2*logistic(x) - 1").counterexample
    assert found is not None
    x = float(found.values["x"])
    assert float(found.left) == pytest.approx(np.tanh(x), rel=1e-5)
    assert float(found.right) == pytest.approx(2 / (1 + np.exp(-x)) - 1, rel=1e-5)


def test_sides_that_are_nearly_equal_are_told_apart() -> None:
    found = sb.verify(None, "x = x + 1e-35").counterexample
    assert found is not None
    assert found.left != found.right


def test_without_simple_values_the_failing_point_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counterexamples, "SHORT", ())
    found = sb.verify(NETWORK, "D(L, b2[i]) = 2*delta2[i]").counterexample
    assert found is not None
    assert found.left != found.right


# --- nothing to prove -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "claim", "expected"),
    [
        (NETWORK, "z2 = W2 @ a1 + b2", "definition"),
        (NETWORK, "z2 = b2 + W2 @ a1", "definition"),
        (NETWORK, "z2 = W2 @ tanh(z1) + b2", "holds"),
        (NETWORK, "z2 = W2 @ a1", "fails"),
        (NETWORK, "a1 = tanh(z1)", "definition"),
        (NETWORK, "a1 = 2*logistic(2*z1) - 1", "holds"),
        (NETWORK, "z2 = z2", "holds"),
        (NETWORK, "s[i] = tanh(z1[i])", "definition"),
        (None, "u = w*x + b", "definition"),
        (None, "g(x) = exp(x)", "definition"),
        (None, "sig(x) = 1/(1 + exp(-x))", "definition"),
        (None, "sigma(x) = 1/(1 + exp(-x))", "definition"),
        (None, "x = x", "holds"),
        (NETWORK, "W1 <- W1 - alpha*D(L, W1)", "update rule"),
        (NETWORK, "W1[i, j] <- W1[i, j] - alpha*delta1[i]*x[j]", "update rule"),
        (NETWORK, "W1 <- W1 - alpha*D(L, W2)", "does not type"),
        (NETWORK, "a1 -> z2 -> a2", "holds"),
        (NETWORK, "a2 -> z2 -> a2", "fails"),
    ],
)
def test_nothing_to_prove(program: Any, claim: str, expected: str) -> None:
    assert kind(program, claim) == expected


def test_a_flow_is_mended() -> None:
    assert sb.verify(NETWORK, "a2 -> z2 -> a2").right == ("a1 -> z2 -> a2",)


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("detla1[i] = z1[i]", "Did you mean `delta1`"),
        ("logistc(x) = 1", "Did you mean `logistic`"),
        ("a1 -> zz", "a flow joins names"),
        ("D(L, 3) = 1", "taken by an entry of a tensor"),
        ("D(L) = 1", "`D` takes what is differentiated"),
        ("D(L, alpha) = 1", "taken by an entry of a tensor"),
        ("D(L, b1[i]) = alpha*delta1[i]", "`alpha` is not known"),
        ("D(L, b1[i]) = f3'(z3[0])", "there is no function `f3`"),
        ("D(L, W1) = delta1 @ a0.T", "input of layer 1 is `x`"),
    ],
)
def test_unknown_names(claim: str, message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        sb.verify(NETWORK, claim)


def test_undecided() -> None:
    text = " + ".join(f"D(tanh({k}*x), x)" for k in range(2, 50)) + " = 1"
    assert kind(None, text) == "cannot be decided"
    assert kind(None, "log(-1 - x**2) = log(-1 - x**2) + 1") == "cannot be decided"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, "a = b"), "expected a Program or a Network"),
        ((NETWORK, "a1 = a1", "sideways"), "layout is 'sideways'"),
    ],
)
def test_wrong_arguments(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        sb.verify(*arguments)


def test_a_verdict_is_a_truth_value_and_json() -> None:
    found = sb.verify(NETWORK, "D(L, b2[i]) = 2*delta2[i]")
    assert found.kind in KINDS
    assert not found
    told = found.as_dict()
    assert told["holds"] is False
    assert told["kind"] == "fails"
    assert told["counterexample"]["left"] != ""


def test_every_kind_of_reason_is_told_in_both_languages() -> None:
    from symbackprop.claims.phrases import REASONS

    assert all({"en", "zh"} <= set(words) for words in REASONS.values())
    assert verifying.LAYOUTS == ("denominator", "numerator")
