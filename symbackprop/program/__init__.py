"""`Program`: a network declared as equation text, checked and in normal form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from symbackprop.equations import Role, System, Tensor, tensor_of
from symbackprop.errors import DeclarationError
from symbackprop.grammar import Reading, read
from symbackprop.grammar.text import Source
from symbackprop.program.arguments import (
    check_namespace,
    check_subset,
    read_axes,
    read_constants,
    read_given,
    read_initial,
    read_name,
    read_names,
    read_objective,
)
from symbackprop.program.wellformed import check
from symbackprop.schedule import Loop, schedule
from symbackprop.shown import Shown

__all__ = ["Program", "check"]


@dataclass(frozen=True, init=False, repr=False)
class Program(System, Shown):
    """A declared network: axes, tensors, equations in normal form, and an objective.

    Its value is the mean of the objective over the batch, if any data is batched.

    Args:
        equations: equation text, one `z[i] = ...` a line.
        axes: index letters and the sizes of their domains 0 .. size-1.
        parameters: names and their index letters, `"i j"`; `""` for a scalar.
        data: names and their index letters, the batch axis never among them.
        objective: the scalar tensor whose slopes are derived.
        constants: named numbers that no gradient flows to.
        integers: data that hold whole numbers, and may stand in subscripts.
        batched: data with a leading batch axis.
        zero_outside: tensors that read 0 where a subscript leaves its axis.
        name: letters, digits, `_` and `-`; names the files made from the program.
        initial: how a parameter is first filled: "glorot", "he", "zeros" or a number.
            Without a word: "glorot" for two axes or more, else "zeros".
        weights: the parameters that a penalty on weights means.
        output: the tensor that `predict` returns by default.

    Attributes:
        text: the equation text as given.
        split: names of the tensors that were split off reductions.

    Raises:
        DeclarationError: names, sizes or arguments that are not well-formed.
        GrammarError: equation text that cannot be read.
        ShapeError: subscripts that do not fit their tensors.

    >>> from symbackprop.program import Program
    >>> Program(
    ...     equations="L = sum((w[i]*x[i] - y)**2, i) / 2",
    ...     axes={"i": 3},
    ...     parameters={"w": "i"},
    ...     data={"x": "i", "y": ""},
    ...     batched=("x", "y"),
    ...     objective="L",
    ...     name="line",
    ... )
    Program(name='line', equations=1, parameters=1, data=2)
    """

    text: str = ""
    split: tuple[str, ...] = ()
    initial: Mapping[str, str | float] = field(
        default_factory=lambda: MappingProxyType({})
    )
    weights: tuple[str, ...] = ()
    output: str | None = None

    def __init__(
        self,
        equations: str,
        axes: Mapping[str, int],
        parameters: Mapping[str, str],
        data: Mapping[str, str],
        objective: str,
        constants: Mapping[str, float] | None = None,
        integers: Sequence[str] = (),
        batched: Sequence[str] = (),
        zero_outside: Sequence[str] = (),
        name: str = "program",
        initial: Mapping[str, str | float] | None = None,
        weights: Sequence[str] = (),
        output: str | None = None,
    ) -> None:
        if not isinstance(equations, str):
            raise DeclarationError(
                f"equations: expected text, {type(equations).__name__} came. Join the "
                "lines by newlines."
            )
        known_axes = read_axes(axes)
        given = read_given(known_axes, parameters, data, batched, integers)
        known_constants = read_constants(constants)
        check_namespace(known_axes, given, known_constants)
        outside = read_names("zero_outside", zero_outside)
        given = {
            n: replace(tensor, zero_outside=n in outside) for n, tensor in given.items()
        }
        source = Source(equations)
        reading = read(source, known_axes, given, known_constants, frozenset(outside))
        tensors = _with_batches(reading)
        check_subset("zero_outside", outside, tensors)
        if output is not None:
            check_subset("output", read_names("output", (output,)), tensors)
        of_parameters = [n for n in given if given[n].role == "parameter"]
        check_subset("weights", read_names("weights", weights), of_parameters)
        values: dict[str, Any] = {
            "name": read_name(name),
            "axes": known_axes,
            "tensors": tensors,
            "equations": reading.equations,
            "objective": read_objective(objective, tensors),
            "constants": known_constants,
            "text": equations,
            "split": reading.split,
            "initial": read_initial(initial, [given[n] for n in of_parameters]),
            "weights": tuple(weights),
            "output": output,
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)
        _check_order(self, source, reading)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its declaration, and read again."""

        def axes(role: Role) -> dict[str, str]:
            return {t.name: " ".join(t.axes) for t in self.with_role(role)}

        def flagged(flag: str) -> tuple[str, ...]:
            return tuple(n for n, t in self.tensors.items() if getattr(t, flag))

        data = {tensor.name for tensor in self.data}
        declared = (
            self.text,
            {name: axis.size for name, axis in self.axes.items()},
            axes("parameter"),
            axes("data"),
            self.objective,
            {name: constant.value for name, constant in self.constants.items()},
            flagged("integer"),
            tuple(name for name in flagged("batched") if name in data),
            flagged("zero_outside"),
            self.name,
            self.initial,
            self.weights,
            self.output,
        )
        return Program, declared

    def __repr__(self) -> str:
        return (
            f"Program(name={self.name!r}, equations={len(self.equations)}, "
            f"parameters={len(self.parameters)}, data={len(self.data)})"
        )


def _with_batches(reading: Reading) -> dict[str, Tensor]:
    """Mark the defined tensors that read batched ones, directly or not."""
    readers: dict[str, list[str]] = {}
    for equation in reading.equations:
        for tensor in {tensor_of(r): None for r in equation.reads()}:
            readers.setdefault(tensor, []).append(equation.tensor)
    batched = {n for n, tensor in reading.tensors.items() if tensor.batched}
    agenda = sorted(batched)
    while agenda:
        for reader in readers.get(agenda.pop(), ()):
            if reader not in batched:
                batched.add(reader)
                agenda.append(reader)
    return {
        n: replace(tensor, batched=n in batched)
        for n, tensor in reading.tensors.items()
    }


def _check_order(program: Program, source: Source, reading: Reading) -> None:
    """A tensor is read before its equation only inside a recurrence."""
    loops: dict[str, int] = {}
    for place, item in enumerate(schedule(program)):
        members = item.equations() if isinstance(item, Loop) else (item,)
        loops.update((equation.tensor, place) for equation in members)
    order = {equation.tensor: n for n, equation in enumerate(program.equations)}
    for (reader, tensor), (line, column) in reading.first_reads.items():
        early = order.get(tensor, -1) >= order[reader]
        if early and loops[tensor] != loops[reader]:
            source.refuse(
                line,
                column,
                f"`{tensor}` is read before the equation that defines it. Put that "
                "equation first.",
            )
