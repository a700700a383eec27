"""What every layer is: a frozen value that states its forward equations."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from symbackprop.equations import SIZE_LIMIT
from symbackprop.errors import DeclarationError, short

# `name[i, j] =` at the start of a line, but not `name == `.
_LEFT = re.compile(r"^[ \t]*([A-Za-z]\w*)\s*(?:\[([^\]]*)\])?\s*=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Forward:
    """A layer's forward equations in the grammar of the equations.

    The layer's input is called `x`; its output is the last left-hand side, or `x`
    itself where there is no equation.

    Attributes:
        equations: the text, one equation a line.
        inputs: the letters of the axes of `x`.
        axes: the size of every index letter, those of `x` too.
        parameters: the axes of each parameter, as in `{"W": "i j"}`.
        constants: named numbers.
        weights: the parameters that a penalty counts.
        initial: how a parameter is first filled: "glorot", "he", "zeros" or a number.
        zero_outside: tensors that read 0 outside their axes.
    """

    equations: str
    inputs: tuple[str, ...]
    axes: Mapping[str, int]
    parameters: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    weights: tuple[str, ...] = ()
    initial: Mapping[str, str | float] = field(default_factory=dict)
    zero_outside: tuple[str, ...] = ()

    @property
    def defined(self) -> dict[str, tuple[str, ...]]:
        """The letters of each tensor that stands on a left-hand side, in order.

        >>> Forward("z[i] = 2*x[i]\\nm = sum(z[i], i)", ("i",), {"i": 3}).defined
        {'z': ('i',), 'm': ()}
        """
        return {
            name: tuple(part.strip() for part in letters.split(",")) if letters else ()
            for name, letters in _LEFT.findall(self.equations)
        }

    @property
    def output(self) -> str:
        return list(self.defined)[-1] if self.defined else "x"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The letters of the output's axes."""
        return self.defined.get(self.output, self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the output's axes."""
        return tuple(self.axes[letter] for letter in self.outputs)


class Layer(ABC):
    """A layer is a frozen dataclass that says what it computes, and nothing else.

    A subclass registers itself under its name in snake case, which is its `type` in
    a network's file.

    >>> @dataclass(frozen=True)
    ... class Scale(Layer):
    ...     def forward(self, shape):
    ...         (n,) = shape
    ...         return Forward("y[i] = s[i]*x[i]", ("i",), {"i": n}, {"s": "i"})
    ...
    ...     @classmethod
    ...     def example(cls):
    ...         return cls(), (3,)
    >>> Layer.registry.pop("scale").__name__
    'Scale'
    """

    registry: ClassVar[dict[str, type[Layer]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        other = cls.registry.get(name)
        if other and (other.__module__, other.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise DeclarationError(
                f"layer `{cls.__name__}`: `{other.__module__}` already has a layer of "
                "this name; choose another one."
            )
        cls.registry[name] = cls

    @abstractmethod
    def forward(self, shape: tuple[int, ...]) -> Forward:
        """The equations of this layer for an input of this shape (batch not counted).

        Raises:
            DeclarationError: the layer does not fit such an input.
        """

    @classmethod
    @abstractmethod
    def example(cls) -> tuple[Self, tuple[int, ...]]:
        """A small layer of this kind and the shape of its input, for tests of laws."""

    def _positive(self, *fields: str) -> None:
        """Refuse fields that are not whole numbers of at least 1."""
        for name in fields:
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not (whole and 1 <= value <= SIZE_LIMIT):
                raise DeclarationError(
                    f"{type(self).__name__}: `{name}` is {short(value)}; "
                    "give a whole number of at least 1 and at most 2**31."
                )


def indexed(tensor: str, letters: Sequence[str]) -> str:
    """A read in the grammar.

    >>> indexed("W", ("i", "j")), indexed("s", ())
    ('W[i, j]', 's')
    """
    return f"{tensor}[{', '.join(letters)}]" if letters else tensor


def summed(body: str, letters: Iterable[str]) -> str:
    """A sum in the grammar, over no letter the body itself.

    >>> summed("x[j]", ("j",)), summed("x", ())
    ('sum(x[j], j)', 'x')
    """
    over = "".join(f", {letter}" for letter in letters)
    return f"sum({body}{over})" if over else body


def spare(stem: str, count: int) -> tuple[str, ...]:
    """So many letters for the axes of an input.

    >>> spare("j", 1), spare("j", 3)
    (('j',), ('j_1', 'j_2', 'j_3'))
    """
    if count == 1:
        return (stem,)
    return tuple(f"{stem}_{number + 1}" for number in range(count))
