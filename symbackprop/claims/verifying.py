"""`verify(program, claim) -> Verdict`: read the claim, judge it, say what holds.

The steps: the form of the claim, what it says in indices, whether there is anything to
prove, the judges, and then either a proof, or a counterexample, a condition and the
formula that does hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations

from symbackprop.claims.claim import Claim, MisfitError, UndecidedError
from symbackprop.claims.judging.conditions import border, condition
from symbackprop.claims.judging.counterexamples import counterexample
from symbackprop.claims.judging.finding import Finding, find
from symbackprop.claims.judging.judge import Judge, Point
from symbackprop.claims.judging.targets import targets
from symbackprop.claims.networks import (
    differing,
    network_for,
    speaks_of_layers,
    without_activation,
)
from symbackprop.claims.plain import check_update, defined_name, flow, restates
from symbackprop.claims.proving.prove import prove
from symbackprop.claims.reading.bench import Workbench, form_of, workbench
from symbackprop.claims.reading.forms import read
from symbackprop.claims.reading.matrices import LAYOUTS, read_matrices
from symbackprop.claims.reading.text import Parsed, parse
from symbackprop.claims.repairs import repairs
from symbackprop.claims.verdict import (
    CONDITIONAL,
    DEFINITION,
    DIGITS,
    EXACT,
    FAILS,
    HOLDS,
    MISFIT,
    PROOF,
    UNDECIDED,
    UPDATE,
    Reason,
    Verdict,
)
from symbackprop.derivation import differentiate
from symbackprop.errors import (
    CheckError,
    DeclarationError,
    GrammarError,
    SymbackpropError,
    nearest,
    short,
)
from symbackprop.program import Program
from symbackprop.proof import Derivation

Again = Callable[[Parsed], Verdict]  # a claim about the same

MOST_DERIVATIVES = 4  # of which some are tried in the other layout


def verify(
    program: object = None, claim: object = None, layout: str = "denominator"
) -> Verdict:
    """Put a formula about a network, or about functions, to the test.

    Args:
        program: the `Program` or `Network` that the claim is about. None for a claim
            about functions of numbers, or about any network: it is then judged on one
            whose layers all differ in activation and whose axes all differ in size.
        claim: the formula, in the grammar of equations. `D(L, W[i, j])` is the slope
            of the objective of one sample, `delta1[i]` an error term, `tanh'(x)` the
            slope of a function, `f2` the activation of layer 2. In matrix form there
            are `@`, `.T`, `o`, `diag(...)` and `I`; vectors are columns.
        layout: of derivatives in matrix form, "denominator" (`D(L, W)` has the shape
            of W, `D(z, a)` is `W.T`) or "numerator".

    Returns:
        The verdict; as a truth value, whether the claim holds as it stands.

    Raises:
        GrammarError: text that is no claim about this program.
        DeclarationError: no program came, or a layout that there is not.
        CheckError: the judges contradict one another; no verdict is given.

    Example:
        >>> import symbackprop as sb
        >>> program = sb.Program(
        ...     equations="z[i] = sum(W[i, j]*x[j], j)\\nL = sum(tanh(z[i]), i)",
        ...     axes={"i": 2, "j": 3}, parameters={"W": "i j"}, data={"x": "j"},
        ...     objective="L")
        >>> sb.verify(program, "D(L, W[i, j]) = tanh'(z[i])*x[j]").kind
        'holds'
        >>> sb.verify(program, "D(L, W) = tanh(z) @ x.T").right[0]
        "D(L, W) = tanh'(z) @ x.T"
    """
    started = time.perf_counter()
    if claim is None and isinstance(program, str):
        program, claim = None, program
    declared = _program(program)
    if layout not in LAYOUTS:
        raise DeclarationError(
            f"verify: layout is {short(layout)}; give one of {', '.join(LAYOUTS)}."
            f"{nearest(layout, LAYOUTS)}"
        )
    parsed = parse(claim)
    name = "" if declared is None else declared.name
    if declared is None:
        declared, name = network_for(parsed)
    claimed = parsed.text
    if declared is not None:
        parsed = without_activation(parsed, declared)
    try:
        found = judged(parsed, declared, layout)
    except GrammarError:
        if declared is None or program is not None:
            raise
        if speaks_of_layers(parsed, declared):
            raise
        found = judged(parsed, None, layout)  # names that look like a network's
        declared, name = None, ""
    if found.kind in (FAILS, MISFIT) and not found.right:
        right = repairs(parsed, declared, layout)
        found = replace(found, right=right)
    seconds = time.perf_counter() - started
    return replace(found, claim=claimed, program=name, seconds=seconds)


def _program(program: object) -> Program | None:
    declared = (
        program if isinstance(program, Program) else getattr(program, "program", None)
    )
    if program is not None and not isinstance(declared, Program):
        raise DeclarationError(
            f"verify: expected a Program or a Network, got {short(program)}. Declare "
            "one, or load a network's file; None for a claim about functions alone."
        )
    return declared


def judged(parsed: Parsed, program: Program | None, layout: str) -> Verdict:
    """The verdict, but for its proof and for what holds instead."""
    bench = workbench(program)
    if parsed.relations[0] == "->":
        return flow(parsed, bench)
    new = defined_name(parsed, bench)
    if new:
        misfit = _misfit_within(parsed, bench, layout)
        if misfit is not None:
            return Verdict(parsed.text, MISFIT, reason=misfit)
        reason = Reason("new name", {"name": new})
        return Verdict(parsed.text, DEFINITION, reason=reason)
    if parsed.relations[0] == "<-":
        check_update(parsed)
    try:
        claim = read(parsed, bench, layout)
        if parsed.relations[0] == "<-":
            return Verdict(parsed.text, UPDATE, reason=Reason("update rule"))
        again = partial(judged, program=program, layout=layout)
        found = _decided(claim, bench, again)
        exact = found.shown == EXACT
        apart = differing(workbench(program), parsed) if exact else None
        if apart is not None:
            elsewhere = _decided(read(parsed, apart, layout), apart, again)
            if not elsewhere.holds:
                rows = [f"`{f}` = {row}" for f, (row, *_) in apart.functions.items()]
                told = Reason("hides", {"functions": ", ".join(rows)})
                return replace(elsewhere, reason=told)
        return _proved(found, claim, program, again) if found.kind == HOLDS else found
    except MisfitError as misfit:
        hint = _other_layout(parsed, program, layout)
        return Verdict(parsed.text, MISFIT, reason=misfit.reason, condition=hint)
    except UndecidedError as undecided:
        return Verdict(parsed.text, UNDECIDED, reason=undecided.reason)


def _misfit_within(parsed: Parsed, bench: Workbench, layout: str) -> Reason | None:
    """What does not fit on the right side of a definition."""
    right = parsed.text.partition("#")[0].split("=", 1)[1]
    try:
        read(parse(f"{right} = {right}"), bench, layout)
    except MisfitError as misfit:
        return misfit.reason
    except (UndecidedError, DeclarationError):
        return None  # a definition may rest on further new names
    return None


def _proved(
    found: Verdict, claim: Claim, program: Program | None, again: Again
) -> Verdict:
    """With a proof, where one is found; no judge has refuted the claim before."""
    facts = tuple(t.name for t in targets(claim.base)) if found.given else ()
    scalar = claim.form == "scalar"
    try:
        proof = prove(claim, None if scalar else _numbered(program), facts)
    except CheckError:  # a proof that a witness refutes is none; the verdict stands
        proof = None
    if proof is None:
        if found.reason in (Reason("orders"), Reason("one way")):  # points show no more
            return Verdict(found.claim, UNDECIDED, reason=found.reason)
        judge = Judge(claim)
        closely = judge.failing_closely() if scalar and found.shown == DIGITS else None
        return found if closely is None else _refuted(claim, judge, closely, again)
    about = {"scalar": Reason("proof scalar")}.get(claim.form, Reason("proof"))
    return replace(found, shown=PROOF, reason=about, proof=proof)


def _numbered(program: Program | None) -> Derivation | None:
    """The equations with their numbers; None where there are no slopes to derive."""
    try:
        return None if program is None else differentiate(program)
    except SymbackpropError:
        return None


def _decided(claim: Claim, bench: Workbench, again: Again) -> Verdict:
    """The verdict of the judges."""
    text, found = claim.parsed.text, find(claim)
    if found.failing is not None:
        return _refuted(claim, found.judge, found.failing, again)
    if found.elsewhere is not None:
        return _leaning(claim, found)
    if not found.judge.chooses_all:
        return Verdict(text, HOLDS, DIGITS, Reason("one way"))
    if found.exact:
        if restates(claim, bench):
            return Verdict(text, DEFINITION, EXACT, Reason("restates"))
        return Verdict(text, HOLDS, EXACT, Reason("exact"))
    reason = Reason("orders") if found.judge.traits.orders else Reason("digits")
    given = tuple(_fact(name, claim) for name in found.judge.facts)
    return Verdict(text, HOLDS, DIGITS, reason, given=given)


def _leaning(claim: Claim, found: Finding) -> Verdict:
    """What holds for the numbers alone that constants happen to have."""
    assert found.elsewhere is not None
    against = counterexample(*found.elsewhere)
    constants = found.elsewhere[0].claim.system.constants
    if against is not None:
        shown = {name: constants[name].value for name in found.leans}
        against = replace(against, values={**against.values, **shown})
    when = " and ".join(
        f"{name} == {claim.system.constants[name].value}" for name in found.leans
    )
    text = claim.parsed.text
    return Verdict(text, CONDITIONAL, counterexample=against, condition=when)


def _fact(name: str, claim: Claim) -> str:
    axes = claim.base.tensors[name].axes
    return f"sum({name}[{', '.join(axes)}], {axes[-1]}) = 1"


def _refuted(claim: Claim, judge: Judge, point: Point, again: Again) -> Verdict:
    """What fails, with a condition under which it does not."""
    text = claim.parsed.text
    against = counterexample(judge, point)
    when = ""
    if claim.form == "scalar":
        when = condition(judge, point)
    elif claim.form == "index" and claim.parsed.condition is None:
        when = border(judge)
    if when and again(parse(_with(claim.parsed, when))).holds:
        return Verdict(text, CONDITIONAL, counterexample=against, condition=when)
    return Verdict(text, FAILS, counterexample=against)


def _with(parsed: Parsed, when: str) -> str:
    """A claim under one condition more."""
    claim, _, before = parsed.text.partition(" if ")
    return f"{claim} if {when}" + (f" and ({before})" if before else "")


def _other_layout(parsed: Parsed, program: Program | None, layout: str) -> str:
    """Which derivatives must be laid out the other way for a claim to hold; else ""."""
    if form_of(parsed, workbench(program))[0] != "matrix":
        return ""
    other = next(name for name in LAYOUTS if name != layout)
    for flipped in _choices(parsed.text.count("D(")):
        again = parse(parsed.text)  # letters are renamed in the trees
        _, bench = form_of(again, workbench(program))
        try:
            claim, texts = read_matrices(again, bench, layout, flipped)
            if find(claim).failing is None:
                return f"{', '.join(texts[k] for k in sorted(flipped))}: {other}"
        except (MisfitError, UndecidedError):
            continue
    return ""


def _choices(count: int) -> Iterator[frozenset[int]]:
    """Choices of derivatives, few before many."""
    places = range(min(count, MOST_DERIVATIVES))
    for size in range(1, len(places) + 1):
        yield from map(frozenset, combinations(places, size))
