"""The block of the emitted file that computes each numbered equation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from symbackprop.source.derived import Derived
from symbackprop.source.emit import emit

_NUMBERS = re.compile(r"(?:, )?\((\d+)\)(?: to \((\d+)\), step (-?\d+))?")
_MORE = "more of "
_MARGIN = " " * 4  # of a function's body


def excerpts(derivation: Derived, dtype: str = "float32") -> Mapping[int, str]:
    """Each equation's number => the block of `emit`'s text that computes it.

    A number stands in `backward`, or, where the gradient does not need it, in `forward`
    alone. Equations that are computed together share a block, and one that is computed
    in parts may have several; a repetition of equal layers has the block of all of
    them, under the loop over layers.

    Raises:
        InputError: another dtype.

    >>> import symbackprop as sb
    >>> square = sb.Program(equations="L = sum(w[i]**2, i)", axes={"i": 3},
    ...                     parameters={"w": "i"}, data={}, objective="L")
    >>> print(excerpts(sb.derive(square))[2])
    # (2)  dw[i] = 2*w[i]
    dw = view(gradient, 0, (3,))
    for i in range(3):
        dw[i] = real(2.0) * w[i]
    """
    text = emit(derivation, dtype)
    found: dict[int, str] = {}
    for name in ("forward", "backward"):
        _, function = text.split(f"\ndef {name}(")
        for block in _blocks(function.split("\n\n\n")[0]):
            for number, first in _numbers(block):
                found[number] = block if first else f"{found[number]}\n\n{block}"
    return MappingProxyType(dict(sorted(found.items())))


def _blocks(function: str) -> Iterator[str]:
    """What stands between blank lines; inside loops, under the lines that open them.

    `for layer in range(6):`, block, blank, block => both begin with that line.
    """
    openings: list[str] = []
    for part in function.split("\n\n"):
        lines = [line.removeprefix(_MARGIN) for line in part.splitlines()]
        around: list[str] = []
        for number, line in enumerate(lines):
            openings = [o for o in openings if _depth(o) < _depth(line)]
            if number == 0:
                around = list(openings)
            if re.match(r" *for .*:$", line):
                openings.append(line)
        yield "\n".join([*around, *lines])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _numbers(block: str) -> Iterator[tuple[int, bool]]:
    """Every number that heads a block, and whether for the first time.

    `# (3) to (9), step 2:` heads for four, `# more of (4), (5)` for two again.
    """
    heads = re.findall(r"^ *# .*(?:\n *#     .*)*", block, re.MULTILINE)
    for head in heads:
        # A long list of numbers goes on in the comment's next line.
        line = " ".join(re.sub(r"^ *# *", "", part) for part in head.split("\n"))
        first, rest = not line.startswith(_MORE), line.removeprefix(_MORE)
        while listed := _NUMBERS.match(rest):
            start, last, step = (int(n or 0) for n in listed.groups())
            numbers = range(start, last + (1 if step > 0 else -1), step or 1)
            yield from ((n, first) for n in (numbers if step else (start,)))
            rest = rest[listed.end() :]
