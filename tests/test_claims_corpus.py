"""Claims about networks of every kind, true ones and ones spoilt in one place.

What is expected of each is first held against numbers that know nothing of the package.
"""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache

import pytest
from claims_corpus import BEYOND_NUMBERS, CASES, Case
from claims_judge import judge, sides_at
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
    try:
        found = sb.verify(subject(case.program), case.claim, layout=case.layout).kind
    except sb.GrammarError:
        found = "refused"
    if str(case) in OPEN:
        assert found not in case.kinds, "no longer open: take it off the list"
        pytest.xfail("its verdict is not yet the expected one")
    assert found in case.kinds


FALSE = [c for c in CASES if "fails" in c.kinds and "->" not in c.claim]
SAMPLE = random.Random(4).sample([c for c in FALSE if c.program != "any"], 60)


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_counterexamples_are_true(case: Case) -> None:
    """The values that are told give the sides that are told, and these differ."""
    try:
        verdict = sb.verify(subject(case.program), case.claim, layout=case.layout)
    except sb.GrammarError:
        return
    found = verdict.counterexample
    if found is None or "no value" in (found.left, found.right):
        return
    if verdict.reason is not None:  # of the network with other activations
        assert verdict.reason.key == "hides"
        return
    if not found.values:  # the sides differ whatever the values are
        assert found.left != found.right
        return
    where = found.sizes, found.values, found.indices, case.layout
    sides = sides_at(DECLARED.get(case.program), case.claim, *where)
    told = [float(Fraction(found.left)), float(Fraction(found.right))]
    assert told == pytest.approx([float(side) for side in sides[:2]], rel=1e-5)


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_what_is_right_holds(case: Case) -> None:
    """Formulas that are offered instead are true."""
    try:
        verdict = sb.verify(subject(case.program), case.claim, layout=case.layout)
    except sb.GrammarError:
        return
    split = getattr(subject(case.program), "split", ())
    for right in verdict.right:
        if any(name in right for name in split):  # numbers know the text's names alone
            continue
        assert judge(model(case.program), right, case.layout) == "holds", right
