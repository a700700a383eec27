"""The printed index notation read back: it says what the judge holds, to the digit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from programs import programs
from readback import Reader
from varied import VARIED

import symbackprop as sb
from symbackprop.argument import judge
from symbackprop.argument.lines import Line, partial
from symbackprop.derivation import differentiate
from symbackprop.document.account import Account
from symbackprop.document.chapter import NumberedEquation
from symbackprop.document.derivations import _slopes
from symbackprop.document.lines import Lines
from symbackprop.equations import indices_of, tensor_of

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.toml"))
TOLERANCE = 1e-9


def account_of(program: sb.Program) -> Account:
    """An account that prints the sizes at which its judge computes."""
    account = Account(differentiate(program), "en", "index")
    account.lines = Lines(account.judge.system, account.symbols)
    return account


class Readings:
    """Reads every row of an account back."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.points = {"": account.judge.points[0]}
        self.count = 0

    def all(self) -> int:
        """Every row of every equation and proof; how many there were."""
        account = self.account
        derivation = account.derivation
        for equation in (*derivation.forward, *derivation.adjoint):
            if equation.tensor not in derivation.adjoint_of:
                (row,) = account.rows(equation)
                value = self.points[""].value(equation.tensor)
                self.compare([row], [i.name for i in equation.indices], value)
        for proof in self.proofs():
            lines = proof.lines
            for line, row in zip(lines, account.told(proof), strict=True):
                self.line(line, row)
        return self.count

    def proofs(self) -> Iterator[Any]:
        account = self.account
        for equation, tensor in _slopes(account, ()):
            yield account.jacobian(equation, tensor)
        for equation in account.derivation.adjoint:
            if equation.tensor in account.derivation.adjoint_of:
                yield account.proof(equation.tensor)
        found = map(account.recursion, account.kept)
        yield from (proof for proof in found if proof is not None)

    def line(self, line: Line, row: NumberedEquation) -> None:
        if line.fact and line.fact not in self.points:
            self.points[line.fact] = self.points[""].summing_to_one(line.fact)
        point = self.points[line.fact]
        if line.left.func is partial:
            value = point.partial(*map(tensor_of, line.left.args))
        else:
            value = point.value(tensor_of(line.left))
        self.compare([row], [i.name for i in line.free], value, line.fact)

    def compare(self, rows, free: list[str], value: Any, fact: str = "") -> None:
        account = self.account
        reader = Reader(account, self.points[fact])
        for row in rows:
            sides = [side for side in (row.left, *row.addends) if side]
            letters = [account.symbols.index(name) for name in free]
            reader.start([*sides, *letters])
            expected = reader.spread(np.asarray(value, dtype=float), letters)
            told = f"{row.left} = {' '.join(row.addends)}"
            if row.left:
                self.equal(reader.read(row.left), expected, 0.0, told)
            addends = [reader.read(side) for side in row.addends]
            sizes = [float(np.max(np.abs(a), initial=0.0)) for a in addends]
            self.equal(sum(addends), expected, max(sizes), told)
            self.count += 1

    @staticmethod
    def equal(found: Any, expected: Any, size: float, told: str) -> None:
        # Where a sum cancels, its addends say how far rounding reaches.
        size = max(size, float(np.max(np.abs(expected), initial=0.0)))
        shape = np.broadcast_shapes(found.shape, expected.shape)
        assert shape == expected.shape, f"more letters than the left side: {told}"
        off = float(np.max(np.abs(found - expected), initial=0.0))
        assert off <= TOLERANCE * size, f"off by {off:.1e} of {size:.1e}: {told}"


def read_back(program: sb.Program) -> int:
    return Readings(account_of(program)).all()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples(file: Path) -> None:
    assert read_back(sb.load(file).program) > 20


@pytest.mark.parametrize("name", VARIED)
def test_varied_networks(name: str) -> None:
    assert read_back(sb.Program(**VARIED[name])) > 3
