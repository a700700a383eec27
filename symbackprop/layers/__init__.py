"""Layers: forward equations only. A file added to this folder is found by itself."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from symbackprop.layers.layer import Forward, Layer, indexed, summed

__all__ = ["Forward", "Layer", "indexed", "summed"]

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")


def __getattr__(name: str) -> type[Layer]:
    """A layer's class by its name: `layers.Dense`."""
    for layer in Layer.registry.values():
        if layer.__name__ == name:
            return layer
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
