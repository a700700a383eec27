"""What is said where subscripts do not fit their tensor."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.equations import Name, System, Tensor


def counted(number: int, one: str, many: str = "") -> str:
    """`1 axis`, `2 axes`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def wrong_count(tensor: Tensor, came: int) -> str:
    """Of a tensor with more or fewer subscripts than axes."""
    name, axes = tensor.name, tensor.axes
    right = f"{name}[{', '.join(axes)}]" if axes else name
    return (
        f"`{name}` has {counted(len(axes), 'axis', 'axes')}, but here "
        f"{counted(came, 'subscript')}. Write it as in `{right}`."
    )


def outside(
    system: System, tensor: Tensor, axis: str, over: str, used: Iterable[Name]
) -> str:
    """Of a subscript that leaves its axis.

    Args:
        over: the places that it takes, as in `1..5`.
        used: the letters in it.
    """
    sizes = [f"`{i}` has size {system.size(i)}" for i in used]
    runs = f" ({', '.join(sizes)})" if sizes else ""
    return (
        f"`{tensor.name}` is read outside its axis `{axis}` of size "
        f"{system.size(axis)}: the subscript is {over}{runs}. Make the sizes meet, or "
        f"name `{tensor.name}` in zero_outside to read 0 there."
    )
