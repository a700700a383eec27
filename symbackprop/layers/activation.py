"""Activations: an elementwise function of the table, or a softmax."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from symbackprop.equations import fresh
from symbackprop.errors import DeclarationError, nearest, short
from symbackprop.layers.layer import Forward, Layer, indexed, spare
from symbackprop.scalars import ACTIVATIONS, TABLE

# Activations that are not elementwise: `other` reads along the last axis, by `k`.
JOINT = {"softmax": "exp({z}) / sum(exp({other}), {k})"}
LEARNED = "rst"  # names of the learnable arguments


@dataclass(frozen=True)
class Activation(Layer):
    """`a = f(x)` for an activation f by its name.

    A function's learnable arguments become parameters, one for each neuron. A softmax
    runs over the last axis.

    >>> Activation("prelu").forward((3,)).equations
    'a[i] = prelu(x[i], r[i])'
    >>> Activation("softmax").forward((3,)).equations
    'a[i] = exp(x[i]) / sum(exp(x[k]), k)'
    """

    name: str

    def __post_init__(self) -> None:
        known = (*ACTIVATIONS, *JOINT)
        if not isinstance(self.name, str) or self.name not in known:
            raise DeclarationError(
                f"activation {short(self.name)} is not known."
                f"{nearest(short(self.name), known)} Known are {', '.join(known)}."
            )

    def forward(self, shape: tuple[int, ...]) -> Forward:
        letters = spare("i", len(shape))
        axes = dict(zip(letters, shape, strict=True))
        return activated(Forward("", letters, axes), self.name)

    @classmethod
    def example(cls) -> tuple[Self, tuple[int, ...]]:
        return cls("prelu"), (3,)


def activated(before: Forward, name: str) -> Forward:
    """The equations, then `a = name(output)`; the identity adds no equation."""
    letters, z = before.outputs, indexed(before.output, before.outputs)
    axes, learned = dict(before.axes), []
    if name == "identity":
        return before
    if name in JOINT:
        if not letters:
            raise DeclarationError(f"{name} needs an input with at least one axis.")
        k = fresh("k", axes)
        axes[k] = axes[letters[-1]]
        other = indexed(before.output, (*letters[:-1], k))
        right = JOINT[name].format(z=z, other=other, k=k)
    else:
        learned = list(zip(LEARNED, TABLE[name].learnable, strict=False))
        reads = [z, *(indexed(r, letters) for r, _ in learned)]
        right = f"{name}({', '.join(reads)})"
    line = f"{indexed('a', letters)} = {right}"
    return replace(
        before,
        equations=f"{before.equations}\n{line}".strip(),
        axes=axes,
        parameters={**before.parameters, **{r: " ".join(letters) for r, _ in learned}},
        initial={**before.initial, **dict(learned)},
    )
