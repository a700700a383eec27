"""`verify(program, claim) -> Verdict`."""

from __future__ import annotations

import ast
import time
from dataclasses import replace

from symbackprop.claims.claim import Claim, MisfitError, UndecidedError
from symbackprop.claims.judge import Judge, check_agreement, targets
from symbackprop.claims.matrices import LAYOUTS, read_matrices
from symbackprop.claims.reading import (
    Workbench,
    read_sides,
    scalar_workbench,
    variables,
    workbench,
)
from symbackprop.claims.text import Parsed, parse
from symbackprop.claims.verdict import (
    DIGITS,
    EXACT,
    FAILS,
    HOLDS,
    MISFIT,
    UNDECIDED,
    Verdict,
)
from symbackprop.errors import DeclarationError, nearest, short
from symbackprop.program import Program


def verify(
    program: object = None, claim: object = None, layout: str = "denominator"
) -> Verdict:
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
    try:
        found = _judged(parsed, declared, layout)
    except MisfitError as misfit:
        found = Verdict(parsed.text, MISFIT, reason=misfit.reason)
    except UndecidedError as undecided:
        found = Verdict(parsed.text, UNDECIDED, reason=undecided.reason)
    seconds = time.perf_counter() - started
    return replace(found, program=name, seconds=seconds)


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


def read(parsed: Parsed, program: Program | None, layout: str) -> Claim:
    """A claim over a program, in the form that its text has."""
    bench = workbench(program)
    if program is None or _about_functions(parsed, bench):
        return read_sides(parsed, scalar_workbench(parsed))
    if parsed.matrix or _bare(parsed, bench):
        claim, _ = read_matrices(parsed, bench, layout)
        return claim
    return read_sides(parsed, bench)


def _about_functions(parsed: Parsed, bench: Workbench) -> bool:
    """Whether only numbers are meant: no subscript, no matrix, nothing computed."""
    if parsed.subscripted or parsed.matrix:
        return False
    names = variables(parsed)
    computed = {e.tensor for e in bench.base.equations} | {*bench.names}
    return not any(name in computed for name in names)


def _bare(parsed: Parsed, bench: Workbench) -> bool:
    """Whether a tensor with axes stands as a whole."""
    subscripted = {
        id(node.value)
        for side in parsed.sides
        for node in ast.walk(side)
        if isinstance(node, ast.Subscript)
    }
    return any(
        isinstance(node, ast.Name)
        and id(node) not in subscripted
        and bool(bench.axes_of(node.id))
        for side in parsed.sides
        for node in ast.walk(side)
    )


def _judged(parsed: Parsed, program: Program | None, layout: str) -> Verdict:
    claim = read(parsed, program, layout)
    judge = Judge(claim)
    exact = judge.holds_exactly()
    point = judge.failing()
    check_agreement(exact, point, claim)
    if point is None:
        shown = EXACT if exact else DIGITS
        return Verdict(parsed.text, HOLDS, shown)
    for tensor in targets(claim.base):
        judge = Judge(claim, (tensor.name,))
        if judge.failing() is None:
            return Verdict(
                parsed.text, HOLDS, DIGITS, given=(f"sum({tensor.name}) = 1",)
            )
    return Verdict(parsed.text, FAILS)
