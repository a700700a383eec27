"""What emitted code is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from symbackprop.equations import Equation, System
from symbackprop.schedule import Item


class Derived(Protocol):
    """What a derivation offers to this package."""

    @property
    def program(self) -> System: ...
    @property
    def system(self) -> System: ...
    @property
    def forward(self) -> tuple[Equation, ...]: ...
    @property
    def adjoint(self) -> tuple[Equation, ...]: ...
    @property
    def forward_items(self) -> tuple[Item, ...]: ...
    @property
    def adjoint_items(self) -> tuple[Item, ...]: ...
    @property
    def slopes(self) -> Mapping[str, str]: ...
    @property
    def live(self) -> frozenset[str]: ...
    def number(self, tensor: str) -> int: ...
