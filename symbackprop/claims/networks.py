"""Networks on which no mistake can hide behind an equality.

A claim about "a network" is judged on one whose layers all differ in activation and
whose axes all differ in size. One that speaks of `f1`, whatever that function is, is
judged with another function in each layer, also where the program's are alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from symbackprop import scalars
from symbackprop.claims.reading.bench import (
    Workbench,
    called,
    variables,
    workbench,
)
from symbackprop.claims.reading.text import Parsed, parse
from symbackprop.equations import Equation, defined_by, tensor_of
from symbackprop.layers.dense import Dense
from symbackprop.network import Network
from symbackprop.program import Program

MOST_LAYERS = 8
_LAYERED = re.compile(r"\b(?:W|b|z|a|delta|f|delta_z|delta_a)([1-9]\d*)\b")


def smooth() -> tuple[str, ...]:
    """Activations of one argument without corners, in the order of the table."""
    return tuple(
        name
        for name in scalars.ACTIVATIONS
        if scalars.TABLE[name].arity == 1
        and not scalars.TABLE[name].kinks
        and name != "identity"
    )


def network_for(parsed: Parsed) -> tuple[Program | None, str]:
    """A network for a claim that names layers, such as `W2`, but comes without one.

    It has one layer more than the claim names, dense ones under a squared error.

    Returns:
        Its program and what it is called; None and "" where no layer is named.

    >>> from symbackprop.claims.reading.text import parse
    >>> network_for(parse("D(L, W1) = delta1 @ x.T"))[1]
    'any network: 4-3-2, tanh and logistic, squared error'
    """
    numbers = [int(number) for number in _LAYERED.findall(parsed.text)]
    if not numbers or max(numbers) > MOST_LAYERS:
        return None, ""
    depth, functions = max(numbers) + 1, smooth()
    layers = [Dense(depth + 1 - k, functions[k % len(functions)]) for k in range(depth)]
    network = Network(depth + 2, layers, "squared_error", name="any-network")
    sizes = "-".join(str(size) for size in range(depth + 2, 1, -1))
    used = [str(layer.activation) for layer in layers]
    told = f"{', '.join(used[:-1])} and {used[-1]}"
    return network.program, f"any network: {sizes}, {told}, squared error"


def speaks_of_layers(parsed: Parsed, program: Program) -> bool:
    """Whether a claim needs a network, and not just variables named like parts of one.

    >>> from symbackprop.claims.reading.text import parse
    >>> claims = "delta1 = f1'(z1) o (W2.T @ d)", "tanh(z1) = 1 - z2"
    >>> parsed = [parse(claim) for claim in claims]
    >>> [speaks_of_layers(p, network_for(p)[0]) for p in parsed]
    [True, False]
    """
    bench = workbench(program)
    own = {*bench.names, *bench.functions, program.objective}
    own |= {t.name for t in program.parameters if len(t.axes) > 1}
    named = {*variables(parsed), *called(parsed)}
    return parsed.subscripted or parsed.matrix or bool(own & named)


def without_activation(parsed: Parsed, program: Program) -> Parsed:
    """`a3` => `z3` and `f3` => `identity`, where layer 3 has no activation."""
    known = {*program.axes, *program.tensors, *program.constants}
    known |= workbench(program).functions.keys()
    equations = defined_by(program.plain())
    text = parsed.text
    for name in equations:
        number = name[1:]
        if not (name[0] == "z" and number.isdecimal()):
            continue
        after = equations.get(f"z{int(number) + 1}")
        passed_on = after is not None and name in map(tensor_of, after.reads())
        free = not known & {f"a{number}", f"f{number}"}
        if free and (passed_on or name == program.output):
            text = re.sub(rf"\ba{number}\b", name, text)
            text = re.sub(rf"\bf{number}\b(?='*\()", "identity", text)
    return parsed if text == parsed.text else parse(text)


def differing(bench: Workbench, parsed: Parsed) -> Workbench | None:
    """The same program with a different function in each layer.

    `f1'(z1)` says nothing of what f1 is; only where all of them differ does a claim
    hold for the right reason.

    Returns:
        None where a claim names no activation, or where they do differ.
    """
    rows = [row for row, *_ in bench.functions.values()]
    names = {*called(parsed)}
    if not names & {*bench.functions} or len(set(rows)) == len(rows):
        return None
    if names & {*rows}:  # of what the functions are here, the claim does speak
        return None
    fresh = _others(set(rows))
    equations = defined_by(bench.base)
    used: set[str] = set()
    functions = dict(bench.functions)
    for name, (row, _, tensor) in bench.functions.items():
        if row in used:
            row = next(fresh, row)
            equations[tensor] = _with_function(equations[tensor], row)
            functions[name] = (row, (), tensor)
        used.add(row)
    base = replace(bench.base, equations=tuple(equations.values()))
    return replace(bench, base=base, functions=functions)


def _others(used: set[str]) -> Iterator[str]:
    return (name for name in smooth() if name not in used)


def _with_function(equation: Equation, name: str) -> Equation:
    """`a[i] = tanh(z[i])` => `a[i] = softplus(z[i])`."""
    (term,) = equation.terms
    body = scalars.TABLE[name].call(term.body.args[0])
    return replace(equation, terms=(replace(term, body=body),))
