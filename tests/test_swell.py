"""Symbolic expressions: their size, counted in one visit to each part."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from programs import programs

import symbackprop as sb
from symbackprop.contrast import swell
from symbackprop.contrast.swell import Expanded, derivative, nodes, operations
from symbackprop.kernels.replay import Replay
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.graph import record
from symbackprop.witnesses.slopes import gradient_by_duals


def expanded(program: Any, seed: int = 0) -> tuple[Expanded, list[sympy.Symbol], Any]:
    values = draw(program, np.random.default_rng(seed), 1)
    found = Expanded.of(record(program, values))
    symbols = [s for p in program.parameters for s in found.symbols[p.name]]
    return found, symbols, values


def network(*widths: int) -> Any:
    return sb.Network(
        inputs=widths[0],
        layers=[sb.Dense(w, "logistic") for w in widths[1:]],
        loss="squared_error",
    ).program


@pytest.mark.parametrize(
    ("widths", "unshared", "shared"),
    [((4, 4, 2), 9_600, 169), ((8, 8, 4), 181_000, 851)],
)
def test_known_sizes_of_logistic_networks(
    widths: tuple[int, ...], unshared: int, shared: int
) -> None:
    found, symbols, _ = expanded(network(*widths))
    slopes = [derivative(found.value, s) for s in symbols]
    assert operations(*slopes) == pytest.approx(unshared, rel=0.01)
    named, rest = sympy.cse([found.value, *slopes])
    assert operations(*(part for _, part in named), *rest) == shared


def test_derivative_is_that_of_sympy() -> None:
    found, symbols, _ = expanded(network(3, 2, 2))
    for symbol in symbols:
        assert derivative(found.value, symbol) == sympy.diff(found.value, symbol)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(programs())
def test_sizes_are_those_of_the_written_tree(declared: dict[str, Any]) -> None:
    found, symbols, _ = expanded(sb.Program(**declared))
    assume(symbols)
    slope = derivative(found.value, symbols[0])
    for expression in (found.value, slope):
        if nodes(expression) < 20_000:
            walked = sum(1 for _ in sympy.preorder_traversal(expression))
            assert nodes(expression) == walked
            assert operations(expression) == sympy.count_ops(expression)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(programs())
def test_expressions_have_the_slopes_of_dual_numbers(declared: Any) -> None:
    program = sb.Program(**declared)
    found, symbols, values = expanded(program)
    assume(symbols)
    slopes = [derivative(found.value, s) for s in symbols[:3]]
    expected = np.concatenate(
        [np.ravel(v) for v in gradient_by_duals(program, values).values()]
    )
    for expand in (False, True):
        if expand and nodes(*slopes) > 50_000:
            continue
        graph, outputs = swell.straight(slopes, found.symbols, values, expand=expand)
        replay = Replay.of(graph)
        replay.evaluate()
        assert replay.value[outputs] == pytest.approx(expected[:3], rel=1e-9, abs=1e-12)


def test_tree_beyond_every_memory_is_counted() -> None:
    """Each layer multiplies the size of the tree; the shared parts only add up."""
    sizes, shared = [], []
    for depth in (2, 4, 6, 8):
        found, symbols, _ = expanded(network(4, *[4] * depth))
        slope = derivative(found.value, symbols[0])
        sizes.append(operations(slope))
        shared.append(swell.shared_nodes(slope))
    growth = [b / a for a, b in pairwise(sizes)]
    assert min(growth) > 4**2  # two layers more, four units each
    assert sizes[-1] > 1e6
    assert max(np.diff(shared)) < 400


def test_wrong_derivative_is_seen(monkeypatch: Any) -> None:
    found, symbols, _ = expanded(network(2, 2, 1))
    monkeypatch.setattr(sympy.exp, "fdiff", lambda self, place=1: 2 * self)
    wrong = derivative(found.value, symbols[0])
    monkeypatch.undo()
    assert wrong != sympy.diff(found.value, symbols[0])
