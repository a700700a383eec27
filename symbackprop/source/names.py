"""Python identifiers for a system's names: the user's own, unless Python needs them."""

from __future__ import annotations

import builtins
import keyword
from dataclasses import dataclass, field

from symbackprop.equations import System, fresh

FIXED = frozenset(
    {
        "math",
        "sys",
        "types",
        "np",
        "numba",
        "njit",
        "carray",
        "intrinsic",
        "overload",
        "real",
        "forward",
        "backward",
        "bound",
        "outside",
        "theta",
        "gradient",
        "workspace",
        "THETA_SIZE",
        "WORKSPACE_FIXED",
        "WORKSPACE_PER_SAMPLE",
        *dir(builtins),
        *keyword.kwlist,
    }
)


@dataclass
class Names:
    """Which identifier stands for what; every identifier stands for one thing.

    A user's tensor `np` becomes `np_`; internal names give way to the user's.

    Attributes:
        of: identifiers of tensors, indices and constants, by their names.
    """

    system: System
    of: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        declared = (*self.system.tensors, *self.system.axes, *self.system.constants)
        free = [name for name in declared if name not in FIXED]
        self.taken = {*FIXED, *free}
        self.of = {name: name for name in free}
        for name in declared:
            if name in FIXED:
                self.of[name] = self.internal(name + "_")

    def internal(self, wanted: str) -> str:
        """A new identifier for something of the emitted code itself."""
        name = fresh(wanted, self.taken)
        self.taken.add(name)
        return name
