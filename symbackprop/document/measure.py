r"""How wide a formula will be, in em, without running TeX.

The estimate is a little too wide rather than too narrow, so that what is broken by it
fits the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|.", re.DOTALL)

_OPENING = ("{", r"\begin", r"\left")
_CLOSING = ("}", r"\end", r"\right")

RELATION = 1.4  # a sign with the space around it
LETTER = 0.56
SCRIPT = 0.74  # size of subscripts
# The space around a sign, which there is none of in a subscript.
_SPACES = {**dict.fromkeys([*"=<>+-", r"\le", r"\ge", r"\ne"], 0.5), ",": 0.15}

# Commands with a width of their own; any other one is a letter.
WIDTHS: dict[str, float] = {
    **dict.fromkeys((r"\le", r"\ge", r"\ne", r"\leftarrow"), RELATION),
    **dict.fromkeys((r"\land", r"\lor", r"\odot", r"\oslash"), 1.2),
    **dict.fromkeys((r"\left", r"\right", r"\,", r"\!"), 0.2),
    **dict.fromkeys((r"\bigl", r"\bigr"), 0.1),
    **dict.fromkeys((r"\Bigl", r"\Bigr", r"\biggl", r"\biggr"), 0.25),
    **dict.fromkeys((r"\mathrm", r"\mathtt", r"\operatorname", r"\text"), 0.0),
    **dict.fromkeys((r"\mathbf", r"\boldsymbol"), 0.15),
    **dict.fromkeys((r"\lVert", r"\rVert"), 0.5),
    **dict.fromkeys((r"\lvert", r"\rvert", r"\mbox", r"\{", r"\}"), 0.35),
    **dict.fromkeys((r"\operatorname*", r"\substack"), 0.17),
    r"\sum": 1.7,
    r"\infty": 1.1,
    r"\ldots": 1.35,
    r"\cdot": 0.8,
    r"\;": 0.3,
    r"\quad": 1.0,
    r"\sqrt": 0.95,
    **{f"\\{name}": 0.56 * len(name) + 0.3 for name in ("log", "exp", "sin", "cos")},
    **{f"\\{name}": 0.6 * len(name) + 0.3 for name in ("max", "min", "tanh")},
}

# Letters of Computer Modern's mathematical italic, by their width.
_LETTERS = {
    0.32: "l",
    0.38: "ijt",
    0.47: "bceqrsz",
    0.52: "dfgkopvy",
    0.58: "IJahnux",
    0.68: "FPSTVYLUZ",
    0.77: "ABCEORw",
    0.85: "DGHNXQK",
    0.98: "MWm",
}
CHARACTERS: dict[str, float] = {
    **{letter: size for size, letters in _LETTERS.items() for letter in letters},
    **dict.fromkeys("=<>+-", RELATION),
    **dict.fromkeys("()", 0.4),
    **dict.fromkeys("[]", 0.3),
    **dict.fromkeys(",:;", 0.48),
    **dict.fromkeys("'.", 0.32),
    **dict.fromkeys(" {}&\n", 0.0),
}


def tokens(latex: str) -> list[str]:
    """Commands and characters."""
    return _TOKEN.findall(latex)


def width(latex: str) -> float:
    """Width of a formula in em.

    >>> width("W_{i j}") < width(r"W^{(1)}_{i j}") < width(r"W^{(1)}_{i j} + 1")
    True
    """
    return _width(iter(tokens(latex)))


def _group(stream: Iterator[str]) -> str:
    """The next argument: one token, or the inside of braces."""
    first = next(stream, "")
    while first == " ":
        first = next(stream, "")
    if first != "{":
        return first
    depth, inside = 1, []
    for token in stream:
        depth += (token == "{") - (token == "}")
        if not depth:
            break
        inside.append(token)
    return "".join(inside)


def _width(stream: Iterator[str]) -> float:
    total = 0.0
    scripts = {"_": 0.0, "^": 0.0}
    for token in stream:
        if token in scripts:
            # Of a subscript and a superscript, one stands over the other.
            inside = _group(stream)
            spaces = sum(_SPACES.get(part, 0.0) for part in tokens(inside))
            scripts[token] = SCRIPT * (width(inside) - spaces)
            continue
        if token == " ":
            continue
        total += max(scripts.values())
        scripts = dict.fromkeys(scripts, 0.0)
        if token == r"\frac":
            total += 0.3 + max(width(_group(stream)), width(_group(stream)))
        elif token == r"\substack":
            total += max(width(row) for row in _group(stream).split(r"\\"))
        elif token == r"\begin":
            _group(stream)
            total += _cases(stream)
        else:
            total += CHARACTERS.get(token, WIDTHS.get(token, LETTER))
    return total + max(scripts.values())


def _cases(stream: Iterator[str]) -> float:
    """Everything up to the matching end, in columns."""
    depth, inside = 1, []
    for token in stream:
        depth += (token == r"\begin") - (token == r"\end")
        if not depth:
            _group(stream)
            break
        inside.append(token)
    rows = [cells(row, "&") for row in cells("".join(inside), r"\\")]
    columns = [
        max(width(row[k]) for row in rows if k < len(row))
        for k in range(max(map(len, rows)))
    ]
    return 1.5 + sum(columns) + len(columns) - 1


def cells(latex: str, separator: str) -> list[str]:
    """Split at a separator that stands in no braces and no environment."""
    parts, depth = [""], 0
    for token in tokens(latex):
        depth += (token in _OPENING) - (token in _CLOSING)
        if token == separator and not depth:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def breakable(latex: str) -> str:
    r"""Let TeX break a formula between factors too, not only at plus and minus."""
    return (r"\,\allowbreak ").join(cells(latex, r"\,"))


def widest_part(latex: str) -> float:
    """Width of the widest part that TeX cannot break."""
    parts = [latex]
    for separator in ("+", "-", "=", r"\,", ",", r"\land", r"\lor"):
        parts = [piece for part in parts for piece in cells(part, separator)]
    return max(width(part) for part in parts) + RELATION
