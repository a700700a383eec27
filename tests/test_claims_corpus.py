"""Claims about networks of every kind, true ones and ones spoilt in one place.

What is expected of each is first held against numbers that know nothing of the package.
"""

from __future__ import annotations

from functools import cache

import pytest
from claims_corpus import BEYOND_NUMBERS, CASES, Case
from claims_judge import judge
from claims_open import OPEN
from claims_oracle import Model
from claims_programs import DECLARED, NETWORKS, SIMPLEX, TEXTS

import symbackprop as sb

# What numbers can say of a claim for which a verdict is expected.
SEEN = {
    "holds": "holds",
    "definition": "holds",
    "update rule": "holds",
    "fails": "fails",
    "holds only if": "fails",
    "does not type": "does not type",
    "refused": "does not type",
}
each = pytest.mark.parametrize("case", CASES, ids=str)


@cache
def model(program: str) -> Model:
    return Model(DECLARED.get(program), SIMPLEX.get(program, ()))


@cache
def subject(program: str) -> sb.Program | sb.Network | None:
    if program in NETWORKS:
        return NETWORKS[program]
    return sb.Program(**TEXTS[program]) if program in TEXTS else None


@each
def test_numbers_expect_the_same(case: Case) -> None:
    if case.claim in BEYOND_NUMBERS or case.kinds == {"refused"}:
        return
    found = judge(model(case.program), case.claim, case.layout)
    assert found in {SEEN.get(kind) for kind in case.kinds}


@each
def test_verdict(case: Case) -> None:
    if str(case) in OPEN:
        pytest.xfail("its verdict is not yet the expected one")
    try:
        verdict = sb.verify(subject(case.program), case.claim, layout=case.layout)
    except sb.GrammarError:
        assert "refused" in case.kinds
        return
    assert verdict.kind in case.kinds, str(verdict)
