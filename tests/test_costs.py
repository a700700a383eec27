"""Operations: counted from the equations, and by numbers that count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from programs import programs
from test_document import deep

import symbackprop as sb
from symbackprop.costs import costs, hold
from symbackprop.costs.hoisting import written
from symbackprop.costs.tallies import Cost, _Counted, cost
from symbackprop.derivation import differentiate
from symbackprop.document.account import Account
from symbackprop.document.chapter import Table
from symbackprop.document.operations import grouped, operations
from symbackprop.program import Program
from symbackprop.proof import Derivation
from symbackprop.witnesses.counting import Counting, count
from symbackprop.witnesses.evaluate import evaluate

AXES = {"i": 3, "j": 4, "k": 5}


def derivation(equations: str, **more: object) -> Derivation:
    arguments: dict[str, object] = {
        "axes": AXES,
        "parameters": {"W": "i j", "b": "i", "s": ""},
        "data": {"x": "j", "y": "i"},
        "constants": {"lam": 0.5, "one": 1},
        "objective": "L",
        "name": "counted",
        **more,
    }
    return differentiate(Program(equations=equations, **arguments))


def counted(right: str, indices: str = "i") -> Cost:
    """What one equation takes."""
    left = f"z[{indices}]" if indices else "z"
    total = f"sum({left}, {indices})" if indices else "z"
    made = derivation(f"{left} = {right}\nL = {total} + s + sum(W[i, j] + b[i], i, j)")
    each = costs(made).each
    return sum((each[name] for name in each if name in ("z", "z_sum")), Cost())


@pytest.mark.parametrize(
    ("right", "cost"),
    [
        ("b[i] - y[i]", Cost(additions=3)),
        ("-b[i] * one", Cost()),
        ("2 * b[i]", Cost(multiplications=3)),
        ("b[i]**2", Cost(multiplications=3)),
        ("b[i]**7", Cost(multiplications=3 * 4)),
        ("b[i] / s", Cost(divisions=3)),
        ("1 / (1 + b[i]**2)", Cost(additions=3, multiplications=3, divisions=3)),
        ("b[i] / (s * y[i])", Cost(multiplications=3, divisions=3)),
        ("s**2 + b[i]", Cost(additions=3, multiplications=1)),
        ("lam / 2 * b[i]", Cost(multiplications=3)),
        ("tanh(b[i])", Cost(functions=3)),
        ("tanh(b[i]) + tanh(b[i])**2", Cost(3, 3, 0, 0, 3)),
        ("sqrt(s) * b[i]", Cost(multiplications=3, functions=1)),
        ("relu(b[i]) + abs(y[i])", Cost(additions=3, choices=3, functions=3)),
        ("maximum(b[i], 0) * 1", Cost(choices=3)),
        ("where(b[i] < y[i], b[i], 2 * y[i])", Cost(multiplications=3, choices=3)),
        ("sum(W[i, j] * x[j], j) + b[i]", Cost(additions=12, multiplications=12)),
        ("s * sum(W[i, j] * x[j], j)", Cost(additions=9, multiplications=15)),
        ("max(W[i, j], j)", Cost(choices=9)),
    ],
)
def test_one_equation(right: str, cost: Cost) -> None:
    assert counted(right) == cost


def test_what_a_sum_does_not_run_over_stands_before_it() -> None:
    found = counted("lam / 2 * sum(W[i, j]**2, i, j)", "")
    assert found == Cost(additions=11, multiplications=13)


def test_written_parts_are_equal_to_the_whole(rng) -> None:
    made = derivation(
        "z[i] = s * b[i] * sum(W[i, j]*x[j], j)\n"
        "L = lam/2 * sum(W[i, j]**2, i, j) + s * sum(z[i], i)",
        batched=("x",),
    )
    parts = written(made.system)
    assert "L" in parts.origin.values()
    values = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=3)}
    values |= {"s": rng.normal(size=()), "x": rng.normal(size=(2, 4))}
    values |= {"y": rng.normal(size=3)}
    whole, split = evaluate(made.system, values), evaluate(parts.system, values)
    for name, expected in whole.items():
        np.testing.assert_allclose(split[name], expected, rtol=1e-12)


def test_a_mean_over_samples() -> None:
    made = derivation("L = sum((s * x[j])**2, j)", batched=("x",))
    (slope,) = [e for e in made.adjoint if e.tensor == "ds"]
    for batch in (1, 2, 7):
        found = cost(slope, made.system, (), batch)
        assert found.additions == batch * 3 + batch - 1
        assert found.divisions == 1


def test_a_recurrence_is_counted_at_each_step() -> None:
    made = derivation(
        "h[t, i] = tanh(sum(U[i, p]*h[t - 1, p], p) + w[i]*v[t])\n"
        "L = sum(h[t, i]**2, t, i)",
        axes={"t": 6, "i": 3, "p": 3},
        parameters={"U": "i p", "w": "i"},
        data={"v": "t"},
        constants={},
        zero_outside=("h",),
    )
    each = costs(made).each
    total = sum((c for name, c in each.items() if name.startswith("h")), Cost())
    assert total == Cost(additions=6 * 9, multiplications=6 * 12, functions=18)


def test_totals_and_memory() -> None:
    made = derivation(
        "z[i] = sum(W[i, j]*x[j], j) + b[i]\nL = s * sum(z[i]**2, i)",
        batched=("x",),
    )
    found = costs(made)
    assert found.parameters == 12 + 3 + 1
    assert found.stored["z"] == 3
    names = {e.tensor for e in (*made.forward, *made.adjoint)}
    rest = names - set(made.slopes.values())
    assert found.workspace == sum(found.stored[name] for name in rest)
    forward = (found.each[e.tensor] for e in made.forward)
    assert found.forward == sum(forward, Cost())
    assert found.ratio == found.backward.total / found.forward.total


# --- the judge -----------------------------------------------------------------------


@settings(max_examples=25, deadline=None, derandomize=True)
@given(programs())
def test_counts_are_what_is_done(arguments: dict) -> None:
    costs(differentiate(Program(**arguments)))


def plant(name: str):
    """A mistake in how one kind of operation is counted."""
    right = getattr(_Counted, name)

    def wrong(self, *arguments):
        found = right(self, *arguments)
        self.tally["additions"] += 1
        return found

    return wrong


@pytest.mark.parametrize("name", ["_added", "_multiplied", "_called", "_power"])
def test_a_planted_mistake_is_refused(name: str, monkeypatch) -> None:
    made = derivation("L = sum(tanh(W[i, j] * x[j] + b[i]**2), i, j) + s")
    hold(made)
    monkeypatch.setattr(_Counted, name, plant(name))
    with pytest.raises(sb.CheckError, match=r"counted, equation \(\d+\).*was said"):
        costs(made)


def test_a_lost_sum_is_refused(monkeypatch) -> None:
    made = derivation("L = sum(W[i, j] * x[j], i, j) + s + sum(b[i], i)")
    monkeypatch.setattr(
        _Counted, "size", lambda self, grid: 1 if not list(grid) else 12
    )
    with pytest.raises(sb.CheckError):
        costs(made)


def test_numbers_count_what_is_done_to_them() -> None:
    numbers = Counting()
    x, one = numbers.array([1.0, 2.0]), numbers.constant(1, 1)
    y = numbers.add(numbers.multiply(one, x), numbers.divide(one, x))
    assert dict(numbers.tally) == {"divisions": 2, "additions": 2}
    assert [entry.value for entry in y] == [2.0, 2.5]
    numbers.tally.clear()
    numbers.where(np.array([True, False]), x, y)
    numbers.apply("softplus", x)
    numbers.best(x, largest=True)
    assert dict(numbers.tally) == {"choices": 3, "functions": 2}


def test_counting_gives_the_values_too(rng) -> None:
    made = derivation("z[i] = sum(W[i, j]*x[j], j) / s\nL = sum(tanh(z[i]), i) + b[0]")
    values = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=3)}
    values |= {"s": 2.0, "x": rng.normal(size=4), "y": rng.normal(size=3)}
    found = count(made.system, values, 1)
    assert found["z"] == {"divisions": 3}
    assert found["z_sum"] == {"additions": 9, "multiplications": 12}


# --- on the page ---------------------------------------------------------------------


def tables(made: Derivation, language: str = "en") -> list[Table]:
    blocks = operations(Account(made, language)).blocks
    return [block for block in blocks if isinstance(block, Table)]


def cells(row: tuple) -> list[str]:
    return ["".join(getattr(p, "latex", str(p)) for p in cell) for cell in row]


def test_equal_layers_share_a_row() -> None:
    few, many = (tables(differentiate(Program(**deep(layers)))) for layers in (5, 30))
    assert [len(t.rows) for t in few] == [len(t.rows) for t in many]
    total = cells(many[0].rows[-1])
    assert total[0] == "Total"
    made = differentiate(Program(**deep(30)))
    assert total[2] == grouped(costs(made).forward.additions)


def test_rows_have_what_was_counted() -> None:
    made = derivation("z[i] = sum(W[i, j]*x[j], j) + b[i]\nL = s * sum(z[i]**2, i)")
    assert cells(tables(made)[0].rows[0])[1:] == [
        "z_{i}",
        *("12", "12", "3"),
    ]
    assert cells(tables(made)[1].rows[-2])[1].startswith(r"\mathrm{d} L / \mathrm{d} ")
    assert tables(made, "zh")[0].head[0] == ("方程",)


@pytest.mark.parametrize(
    ("number", "shown"), [(7, "7"), (1234, r"1\,234"), (7654321, r"7\,654\,321")]
)
def test_thousands(number: int, shown: str) -> None:
    assert grouped(number) == shown
