"""The arguments of `Program`, checked one by one; whatever comes may be wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

from symbackprop.equations import SIZE_LIMIT, Axis, Constant, Role, Tensor
from symbackprop.errors import DeclarationError, nearest, short
from symbackprop.grammar.text import flaw_of_name

INITIAL_RULES = ("glorot", "he", "zeros")

_PROGRAM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def read_name(name: Any) -> str:
    """A program's name, which names files."""
    if not isinstance(name, str) or not _PROGRAM_NAME.fullmatch(name):
        raise DeclarationError(
            f"name: {_short(name)} cannot name files. Use a letter, then up to 63 "
            "letters, digits, `_` or `-`."
        )
    return name


def _short(value: object) -> str:
    return f"`{short(value)}`"


def _mapping(what: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise DeclarationError(
            f"{what}: expected a dictionary, {type(value).__name__} came."
        )
    return value


def read_names(what: str, value: Any) -> tuple[str, ...]:
    several = isinstance(value, Sequence | set | frozenset)
    if not several or isinstance(value, str | bytes | bytearray):
        raise DeclarationError(
            f"{what}: expected several names, {_short(value)} came. Write "
            f'{what}=("x",) for one name.'
        )
    for name in value:
        if not isinstance(name, str):
            raise DeclarationError(f"{what}: {_short(name)} is not a name.")
    return tuple(value)


def check_subset(
    what: str, names: Sequence[str], known: Sequence[str] | Mapping[str, Any]
) -> None:
    for name in names:
        if name not in known:
            raise DeclarationError(
                f"{what}: there is no `{name[:80]}` among "
                f"{', '.join(list(known)[:20]) or 'nothing'}.{nearest(name, known)}"
            )


def _check_name(what: str, name: object) -> None:
    flaw = flaw_of_name(name)
    if flaw is not None:
        raise DeclarationError(f"{what}: {_short(name)} cannot be a name: {flaw}.")


def read_axes(axes: Any) -> dict[str, Axis]:
    found: dict[str, Axis] = {}
    for name, size in _mapping("axes", axes).items():
        _check_name("axes", name)
        whole = isinstance(size, Rational) and size.denominator == 1
        if not whole or isinstance(size, bool) or not 1 <= size <= SIZE_LIMIT:
            raise DeclarationError(
                f"axes: the size of `{name}` is a whole number from 1 to 2**31, "
                f"{_short(size)} came."
            )
        found[name] = Axis(name, int(size), len(found))
    return found


def read_given(
    axes: Mapping[str, Axis], parameters: Any, data: Any, batched: Any, integers: Any
) -> dict[str, Tensor]:
    """Parameters, then data, ranked in that order."""
    found: dict[str, Tensor] = {}
    roles: tuple[tuple[Role, str, Any], ...] = (
        ("parameter", "parameters", parameters),
        ("data", "data", data),
    )
    for role, what, tensors in roles:
        for name, letters in _mapping(what, tensors).items():
            _check_name(what, name)
            if not isinstance(letters, str):
                raise DeclarationError(
                    f"{what}: the axes of `{name}` are a string of index letters such "
                    f'as "i j" ("" for a scalar), {_short(letters)} came.'
                )
            for letter in letters.split():
                if letter not in axes:
                    raise DeclarationError(
                        f"{what}: `{name}` has the axis `{letter[:80]}`, which is not "
                        f"in axes. Declare its size there.{nearest(letter, axes)}"
                    )
            if name in found:
                raise DeclarationError(
                    f"`{name}` is both a parameter and data; rename one of them."
                )
            found[name] = Tensor(name, tuple(letters.split()), role, len(found))
    of_data = [name for name, tensor in found.items() if tensor.role == "data"]
    check_subset("batched", read_names("batched", batched), of_data)
    check_subset("integers", read_names("integers", integers), of_data)
    for name in of_data:
        found[name] = replace(
            found[name], batched=name in batched, integer=name in integers
        )
    return found


def read_constants(constants: Any) -> dict[str, Constant]:
    found: dict[str, Constant] = {}
    for name, value in _mapping(
        "constants", {} if constants is None else constants
    ).items():
        _check_name("constants", name)
        exact: Fraction | None = None
        if isinstance(value, Real) and not isinstance(value, bool):
            try:
                if math.isfinite(float(value)):
                    exact = (
                        Fraction(value)
                        if isinstance(value, Rational)
                        else Fraction(str(value))
                    )
            except (OverflowError, ValueError):
                exact = None
        if exact is None:
            raise DeclarationError(
                f"constants: `{name}` is a finite number, {_short(value)} came."
            )
        found[name] = Constant(name, exact, len(found))
    return found


def check_namespace(*kinds: Mapping[str, object]) -> None:
    what = ("an axis", "a tensor", "a constant")
    seen: dict[str, str] = {}
    for kind, names in zip(what, kinds, strict=True):
        for name in names:
            if name in seen:
                raise DeclarationError(
                    f"`{name}` is both {seen[name]} and {kind}; rename one of them."
                )
            seen[name] = kind


def read_objective(objective: Any, tensors: Mapping[str, Tensor]) -> str:
    defined = [n for n, tensor in tensors.items() if tensor.role == "defined"]
    if not isinstance(objective, str):
        raise DeclarationError(f"objective: {_short(objective)} is not a name.")
    chosen: str = str.__str__(objective)  # of a subclass, the plain text
    if not defined:
        raise DeclarationError(
            f"objective: no equation defines `{chosen[:80]}`: the text defines "
            "nothing. Write one equation a line, as in `L = (w*x - y)**2`."
        )
    if chosen not in defined:
        raise DeclarationError(
            f"objective: no equation defines `{chosen[:80]}`.{nearest(chosen, defined)}"
        )
    if tensors[chosen].axes:
        letters = ", ".join(tensors[chosen].axes)
        raise DeclarationError(
            f"objective: `{chosen}[{letters}]` is not a scalar. Define a scalar, as "
            f"in `total = sum({chosen}[{letters}], {letters})`."
        )
    return chosen


def _is_finite(value: Any) -> bool:
    real = isinstance(value, Real) and not isinstance(value, bool)
    try:
        return real and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def read_initial(initial: Any, parameters: Sequence[Tensor]) -> dict[str, str | float]:
    """A rule for every parameter."""
    known = {tensor.name: tensor for tensor in parameters}
    asked = _mapping("initial", {} if initial is None else initial)
    for name in asked:
        _check_name("initial", name)
    check_subset("initial", tuple(asked), known)
    found: dict[str, str | float] = {}
    for name, tensor in known.items():
        rule = asked.get(name, "glorot" if len(tensor.axes) >= 2 else "zeros")
        number = _is_finite(rule)
        if not number and not (isinstance(rule, str) and rule in INITIAL_RULES):
            raise DeclarationError(
                f"initial: `{name}` is filled by {', '.join(INITIAL_RULES)} or a "
                f"finite number, {_short(rule)} came."
            )
        found[name] = float(rule) if number else rule
    return found
