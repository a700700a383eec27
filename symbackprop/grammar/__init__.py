"""Equation text -> equations in normal form, with the tensors that they define."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symbackprop.equations import (
    Axis,
    Constant,
    Equation,
    Name,
    System,
    Tensor,
    fresh,
)
from symbackprop.errors import nearest
from symbackprop.grammar.expressions import Reader
from symbackprop.grammar.normal import normal_form
from symbackprop.grammar.text import RESERVED, Line, Source, flaw_of_name, lines_of
from symbackprop.grammar.tree import Tree


@dataclass(frozen=True)
class Reading:
    """What a text says.

    Attributes:
        tensors: the given ones, then those that the text defines, in text order.
        equations: in text order, in normal form.
        split: the tensors that were split off reductions.
        first_reads: (reader, tensor) -> line and column where it is first read.
    """

    tensors: dict[str, Tensor]
    equations: tuple[Equation, ...]
    split: tuple[str, ...]
    first_reads: dict[tuple[str, str], tuple[int, int]]


def read(
    source: Source,
    axes: Mapping[str, Axis],
    given: Mapping[str, Tensor],
    constants: Mapping[str, Constant],
    zero_outside: frozenset[str] = frozenset(),
) -> Reading:
    """Read a text whose parameters, data, axes and constants are given.

    Raises:
        GrammarError: text that cannot be read.
        ShapeError: subscripts that do not fit their tensor.
    """
    lines = lines_of(source)
    tensors = dict(given)
    for line in lines:
        name, letters = _left_side(source, line, axes, tensors, constants)
        outside = name in zero_outside
        rank = len(tensors)
        tensors[name] = Tensor(name, letters, "defined", rank, zero_outside=outside)
    system = System("", axes, tensors, (), "", constants)
    taken = {*axes, *tensors, *constants, *RESERVED}
    split: dict[str, Tensor] = {}

    def new_tensor(stem: str, letters: tuple[str, ...]) -> Tensor:
        name = fresh(stem, taken)
        taken.add(name)
        split[name] = Tensor(name, letters, "defined", len(tensors) + len(split))
        return split[name]

    equations: list[Equation] = []
    first_reads: dict[tuple[str, str], tuple[int, int]] = {}
    for line in lines:
        tensor = tensors[line.left[0].text]
        indices = tuple(axes[axis].index for axis in tensor.axes)
        reader = Reader(Tree(source, line), system)
        rhs = reader.right_side(indices)
        row = line.left[0].line
        equations += normal_form(
            tensor, indices, rhs, reader.placeholders, row, new_tensor
        )
        for name, place in reader.first_reads.items():
            first_reads[tensor.name, name] = place
    if split:
        tensors, equations = _ranked(given, {**tensors, **split}, equations)
    return Reading(tensors, tuple(equations), tuple(split), first_reads)


def _ranked(
    given: Mapping[str, Tensor],
    tensors: dict[str, Tensor],
    equations: list[Equation],
) -> tuple[dict[str, Tensor], list[Equation]]:
    """Rank defined tensors by the order of their equations."""
    ranked = dict(given)
    for equation in equations:
        name = equation.tensor
        ranked[name] = replace(tensors[name], rank=len(ranked))
    rename = {
        Name(name, "tensor", tensors[name].rank): Name(name, "tensor", tensor.rank)
        for name, tensor in ranked.items()
        if tensors[name].rank != tensor.rank
    }
    return ranked, [
        replace(
            equation,
            terms=tuple(
                replace(term, body=term.body.xreplace(rename))
                for term in equation.terms
            ),
        )
        for equation in equations
    ]


def _left_side(
    source: Source,
    line: Line,
    axes: Mapping[str, Axis],
    tensors: Mapping[str, Tensor],
    constants: Mapping[str, Constant],
) -> tuple[str, tuple[str, ...]]:
    """Name and index letters of `z[i, j] =`."""
    tokens = line.left
    shape = "the left side is a name, or a name with index letters: `z`, `z[i, j]`."
    if not tokens:
        source.refuse(
            line.row, max(1, line.column - 1), f"nothing is assigned; {shape}"
        )
    head, rest = tokens[0], tokens[1:]
    if head.kind != "name":
        source.refuse_token(head, f"found `{head.text}`; {shape}")
    flaw = flaw_of_name(head.text)
    if flaw is not None:
        source.refuse_token(head, f"`{head.text}` cannot be a name: {flaw}.")
    for known, what in ((axes, "an axis"), (constants, "a constant")):
        if head.text in known:
            source.refuse_token(
                head, f"`{head.text}` is {what} already; choose another name."
            )
    if head.text in tensors:
        role = tensors[head.text].role
        what = "assigned twice" if role == "defined" else f"declared as {role} already"
        source.refuse_token(
            head, f"`{head.text}` is {what}; give each tensor a name of its own."
        )
    letters: list[str] = []
    for place, token in enumerate(rest):
        last = place == len(rest) - 1
        expected = "[" if place == 0 else "]" if last else "," if place % 2 == 0 else ""
        if expected and token.text != expected:
            source.refuse_token(token, f"found `{token.text}`; {shape}")
        if expected:
            continue
        if token.text not in axes:
            hint = nearest(token.text, axes)
            source.refuse_token(token, f"`{token.text}` is not an axis; {shape}{hint}")
        if token.text in letters:
            source.refuse_token(
                token, f"the index `{token.text}` stands twice on the left."
            )
        letters.append(token.text)
    if len(rest) in (1, 2):
        source.refuse_token(rest[-1], f"no index in the brackets; {shape}")
    return head.text, tuple(letters)
