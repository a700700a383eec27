"""Brackets that slipped: one pair more, one less, or one of a pair moved.

1/(exp(-w*x + b) + 1)     =>   1/(exp(-(w*x + b)) + 1)
diag(f(x)) o (1 - f(x))   =>   diag(f(x) o (1 - f(x)))
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from symbackprop.claims.reading.text import parse
from symbackprop.claims.writing import written
from symbackprop.errors import GrammarError

COST = 0.99  # told before another sign, which is as far
MOST = 60  # tokens; beyond them brackets are left alone

_TOKEN = re.compile(
    r"\d+\.?\d*(?:e[-+]?\d+)?|\w+'*|\.T|\*\*|[<>=!]=|\S"
)  # of text that was written by `written`
_OPERAND = re.compile(r"[\w'\])T]$")


def bracketed(side: ast.expr) -> Iterator[tuple[float, ast.expr]]:
    """Every side that differs in one pair of brackets, with what it costs."""
    tokens = tokens_of(written(side))
    if len(tokens) > MOST:
        return
    seen = {ast.dump(side)}
    for cost, changed in (*_moved(tokens), *_paired(tokens)):
        tree = _parsed(changed)
        if tree is not None and (shape := ast.dump(tree)) not in seen:
            seen.add(shape)
            yield cost, tree


def tokens_of(text: str) -> list[str]:
    """Names with their primes, numbers and signs."""
    return _TOKEN.findall(text)


def _parsed(tokens: list[str]) -> ast.expr | None:
    text = " ".join(tokens).replace(" .T", ".T")
    try:
        return parse(f"0 = {text}").sides[1]
    except GrammarError:
        return None


def _moved(tokens: list[str]) -> Iterator[tuple[float, list[str]]]:
    """Each bracket moved over some tokens, or its pair left out."""
    for first, last in _pairs(tokens):
        inside = tokens[first + 1 : last]
        called = first > 0 and re.fullmatch(r"[A-Za-z]\w*'*", tokens[first - 1])
        if not called:
            yield COST, [*tokens[:first], *inside, *tokens[last + 1 :]]
            rest = [*tokens[:first], *tokens[first + 1 :]]
            for place in _starts(rest):
                if place != first and _balanced(rest[place : last - 1]):
                    yield COST, [*rest[:place], "(", *rest[place:]]
        rest = [*tokens[:last], *tokens[last + 1 :]]
        for place in _ends(rest):
            if place != last and _balanced(rest[first + 1 : place]):
                yield COST, [*rest[:place], ")", *rest[place:]]


def _paired(tokens: list[str]) -> Iterator[tuple[float, list[str]]]:
    """One more pair around each run of at least three tokens."""
    for start in _starts(tokens):
        for end in _ends(tokens):
            if end - start >= 3 and _balanced(tokens[start:end]):
                whole = [*tokens[:start], "(", *tokens[start:end], ")", *tokens[end:]]
                yield COST, whole


def _balanced(tokens: list[str]) -> bool:
    """Whether brackets close one another in some tokens, of which there are any."""
    depth = 0
    for token in tokens:
        depth += (token in "([") - (token in ")]")
        if depth < 0:
            return False
    return bool(tokens) and not depth


def _pairs(tokens: list[str]) -> list[tuple[int, int]]:
    opened: list[int] = []
    found = []
    for place, token in enumerate(tokens):
        if token == "(":
            opened.append(place)
        elif token == ")":
            found.append((opened.pop(), place))
    return found


def _starts(tokens: list[str]) -> list[int]:
    """Where an operand may begin: not behind another one."""
    return [
        place
        for place, token in enumerate(tokens)
        if re.match(r"[\w(-]", token)
        and not (place and _is_operand_end(tokens[place - 1]))
    ]


def _ends(tokens: list[str]) -> list[int]:
    """Where an operand may end: behind a name, a number or a bracket."""
    return [place + 1 for place, token in enumerate(tokens) if _is_operand_end(token)]


def _is_operand_end(token: str) -> bool:
    return token != "o" and _OPERAND.search(token) is not None
