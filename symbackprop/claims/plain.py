"""Claims of which nothing, or nothing but names, needs proof.

a1 -> z2 -> a2      each is computed from the one before it
s = w*x + b         a new name is defined
z = W @ x + b       the program says so itself
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from itertools import pairwise

from symbackprop.claims.claim import Claim
from symbackprop.claims.reading.bench import IDENTITY, Workbench, variables
from symbackprop.claims.reading.text import Parsed
from symbackprop.claims.verdict import FAILS, HOLDS, Reason, Verdict
from symbackprop.equations import Equation, System, defined_by, tensor_of
from symbackprop.errors import nearest
from symbackprop.grammar.text import FUNCTIONS, PI

LONG_NAME = 5  # letters; shorter names are often alike


def flow(parsed: Parsed, bench: Workbench) -> Verdict:
    """`a1 -> z2`: whether z2 is computed from a1 directly."""
    names = []
    for side, tree in zip(parsed.sides, parsed.trees, strict=True):
        name = side.id if isinstance(side, ast.Name) else ""
        if name not in bench.base.tensors:
            tree.refuse(
                side,
                "a flow joins names of tensors, as in `a1 -> z2`."
                f"{nearest(name, bench.base.tensors)}",
            )
        names.append(name)
    equations = defined_by(bench.base)
    known = {name: sources(name, equations, bench.split) for name in names}
    for before, name in pairwise(names):
        if before not in known[name]:
            told = {"name": name, "sources": ", ".join(known[name]) or "-"}
            right = _flow_that_is(names, known, bench.base)
            return Verdict(
                parsed.text, FAILS, reason=Reason("no flow", told), right=right
            )
    return Verdict(parsed.text, HOLDS, reason=Reason("flow"))


def sources(
    name: str, equations: Mapping[str, Equation], helpers: Collection[str]
) -> list[str]:
    """What a tensor is computed from directly, through parts that were split off."""
    found: dict[str, None] = {}
    agenda = [name]
    while agenda:
        equation = equations.get(agenda.pop())
        for used in () if equation is None else map(tensor_of, equation.reads()):
            if used in helpers:
                agenda.append(used)
            else:
                found[used] = None
    return list(found)


def _flow_that_is(
    names: list[str], known: Mapping[str, list[str]], base: System
) -> tuple[str, ...]:
    """The same flow from its end back, where each step has but one way."""
    right = [names[-1]]
    for name in reversed(names[:-1]):
        choices = known.get(right[0], [])
        moving = [c for c in choices if base.tensors[c].role != "parameter"]
        if name not in choices and len(moving) != 1:
            return ()
        right.insert(0, name if name in choices else moving[0])
    return (" -> ".join(right),)


def defined_name(parsed: Parsed, bench: Workbench) -> str:
    """The name on the left side, if nothing else means it; else "".

    Raises:
        GrammarError: it is rather a known name, misspelt.
    """
    left = parsed.sides[0]
    if parsed.relations != ("=",):
        return ""
    if isinstance(left, ast.Call) and isinstance(left.func, ast.Name):
        name = left.func.id
        known = {*FUNCTIONS, *bench.functions, "D", "diag"}
        if name.rstrip("_") in known or name.endswith("_"):
            return ""
        computed = {*defined_by(bench.base)}
        if any(isinstance(a, ast.Name) and a.id in computed for a in left.args):
            return ""
    else:
        node = left.value if isinstance(left, ast.Subscript) else left
        name = node.id if isinstance(node, ast.Name) else ""
        known = {*bench.base.tensors, *bench.base.constants, *bench.names}
        known |= {"D", IDENTITY, PI, *FUNCTIONS}
        used = variables(parsed, parsed.sides[1:])
        if not name or name in known or name in used:
            return ""
    if any(misspelt(name, other) for other in known):
        parsed.trees[0].refuse(left, f"`{name}` is not known.{nearest(name, known)}")
    return name


def misspelt(name: str, other: str) -> bool:
    """Whether a name is rather another one with one slip.

    >>> misspelt("detla1", "delta1"), misspelt("sigma", "sign")
    (True, False)
    """
    before = _alike(name, other)
    first, second = name[before:], other[before:]
    behind = _alike(first[::-1], second[::-1])
    first, second = first[: len(first) - behind], second[: len(second) - behind]
    exchanged = len(first) == 2 and first == second[::-1]
    slip = exchanged or max(len(first), len(second)) == 1
    return slip and len(name) >= LONG_NAME


def _alike(first: str, second: str) -> int:
    """How many letters at the beginning are the same."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))


def check_update(parsed: Parsed) -> None:
    """An update rule is of a tensor, or of an entry of one.

    Raises:
        GrammarError: something else stands on its left.
    """
    left = parsed.sides[0]
    node = left.value if isinstance(left, ast.Subscript) else left
    if not isinstance(node, ast.Name):
        parsed.trees[0].refuse(
            left, "an update rule is of a tensor, as in `W <- W - rate*D(L, W)`."
        )


def restates(claim: Claim, bench: Workbench) -> bool:
    """Whether a claim that holds exactly is the program's own equation.

    `z[i] = b[i] + sum(W[i, j]*x[j], j)`, where z is so defined; not
    `z[i] = z[i]`, nor what is said of z through another tensor.
    """
    left = claim.parsed.sides[0]
    node = left.value if isinstance(left, ast.Subscript) else left
    equations = defined_by(bench.base)
    if not isinstance(node, ast.Name) or node.id not in equations or claim.slopes:
        return False
    own = set(sources(node.id, equations, bench.split))
    everything = defined_by(claim.system)
    helpers = [n for n in everything if n not in equations]
    said = set(sources(claim.sides[1], everything, (*helpers, *bench.split)))
    return own == said
