"""What a notebook shows of a value, though its printer stands far below its class."""

from __future__ import annotations

from collections.abc import Collection


class Shown:
    """A value that a notebook shows as more than its `repr`.

    The printers know equations, and equations know no printers: the root of the
    package, which knows where everything lives, finds them when they are asked for.
    """

    __slots__ = ()

    def _repr_mimebundle_(
        self,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
    ) -> dict[str, str]:
        """The value by media type; those excluded, or not included, are left out."""
        import symbackprop

        bundle = symbackprop.shown_as(self)
        kept = set(bundle if include is None else include) - set(exclude or ())
        return {kind: text for kind, text in bundle.items() if kind in kept}
