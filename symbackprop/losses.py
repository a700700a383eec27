"""The table of losses: one row each, in the grammar of the equations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from symbackprop.errors import DeclarationError
from symbackprop.layers import indexed

Target = Literal["one_hot", "label", "value"]
TARGETS: tuple[Target, ...] = ("one_hot", "label", "value")


@dataclass(frozen=True)
class Loss:
    """One loss of a sample.

    Attributes:
        name: its name in a network's file.
        equation: its textbook text: `a[k]` is the network's output, `y` the target.
        targets: the kinds of target it takes, the usual one first: "one_hot" rows made
            of class labels, the "label" itself, or the "value" as it is in the data.
    """

    name: str
    equation: str
    targets: tuple[Target, ...]

    @property
    def takes_labels(self) -> bool:
        """Whether the target is one whole number, else an array like the output."""
        return "label" in self.targets

    def written(self, output: str, letters: Sequence[str]) -> str:
        """The equation for an output with these letters.

        >>> LOSSES["squared_error"].written("z2", ("i", "j"))
        'L = sum((z2[i, j] - y[i, j])**2, i, j) / 2'

        Raises:
            DeclarationError: the output has not as many axes as the loss needs.
        """
        if not letters or (self.takes_labels and len(letters) > 1):
            needed = "exactly one axis" if self.takes_labels else "at least one axis"
            raise DeclarationError(
                f"loss `{self.name}` needs an output with {needed}, but "
                f"`{indexed(output, letters)}` has {len(letters)}; change the last "
                "layer."
            )
        names = {"a": output, "k": ", ".join(letters)}
        return re.sub(r"\b[ak]\b", lambda found: names[found[0]], self.equation)


LOSSES: dict[str, Loss] = {
    row.name: row
    for row in (
        Loss(
            "cross_entropy",
            "L = -sum(y[k]*log(a[k]), k)",
            ("one_hot", "value"),
        ),
        Loss(
            "sparse_cross_entropy",
            "L = -log(a[y])",
            ("label",),
        ),
        Loss(
            "binary_cross_entropy",
            "L = -sum(y[k]*log(a[k]) + (1 - y[k])*log(1 - a[k]), k)",
            ("value", "one_hot"),
        ),
        Loss(
            "squared_error",
            "L = sum((a[k] - y[k])**2, k) / 2",
            ("value", "one_hot"),
        ),
    )
}
