"""Equation text cut into lines, before anything is parsed: characters, names, limits.

Every flaw is reported with its line, its column and a caret under the place.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import NoReturn

from symbackprop.errors import DeclarationError, GrammarError
from symbackprop.scalars import TABLE

TEXT_LIMIT = 1_000_000  # characters in all
EQUATION_LIMIT = 10_000  # characters in one equation
EQUATIONS_LIMIT = 10_000
NAME_LIMIT = 64  # characters
DIGITS_LIMIT = 30
DECIMAL_EXPONENT_LIMIT = 300

PI = "pi"  # the number, where nothing of that name is declared
REDUCTIONS = ("sum", "mean", "max", "min")
FUNCTIONS = frozenset({*TABLE, "where", *REDUCTIONS} - {"power"})
RESERVED = frozenset({*FUNCTIONS, "power", "D", "theta", "gradient", "workspace"})

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TOKEN = re.compile(
    r"""(?P<space>[ ]+)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator>\*\*|[<>=!]=|[-+*/<>=(),\[\]])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_HINTS = {
    ".": "Attributes are not part of the grammar; write a name, or a number as `0.5`.",
    ":": "Slices and lambdas are not part of it; write one index for each axis.",
    "^": "Write a power as `x**2`.",
    '"': "There are no strings in equations.",
    "'": "There are no strings in equations.",
    ";": "Write one equation a line.",
    "\\": "A line continues inside open brackets.",
    "{": "Use round brackets.",
    "@": "Write a matrix product as `sum(A[i, j] * x[j], j)`.",
}


def flaw_of_name(name: object) -> str | None:
    """What is wrong with a name, or None.

    >>> from symbackprop.grammar.text import flaw_of_name
    >>> flaw_of_name("W1") is None
    True
    >>> flaw_of_name("2x")
    'a name is an ASCII letter, then letters, digits or `_`'
    """
    if not isinstance(name, str):
        return f"a name is a string, not {type(name).__name__}"
    if len(name) > NAME_LIMIT:
        return f"a name has at most {NAME_LIMIT} characters, this one has {len(name)}"
    if not _NAME.fullmatch(name):
        return "a name is an ASCII letter, then letters, digits or `_`"
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if name in FUNCTIONS:
        return "it is a function of the grammar"
    if name in RESERVED or name.startswith("delta_"):
        return "it is reserved for what is derived"
    return None


@dataclass(frozen=True)
class Token:
    """A name, number or operator at its line and column, both counted from 1."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Line:
    """One equation: its left side in tokens, its right side in text.

    `right` starts just after the `=` in row `row` at column `column` (both from 1);
    further rows of it start at column 1.
    """

    left: tuple[Token, ...]
    right: str
    row: int
    column: int


@dataclass(frozen=True)
class Source:
    """The user's text: reports flaws at their place."""

    text: str

    def refuse(
        self,
        line: int,
        column: int,
        message: str,
        kind: type[DeclarationError] = GrammarError,
    ) -> NoReturn:
        """Raise an error that shows the line with a caret under the column."""
        rows = self.text.split("\n", line)
        row = rows[line - 1] if line <= len(rows) else ""
        shown = "".join(c if c.isprintable() else " " for c in row)
        start = max(0, column - 60)
        shown = shown[start : start + 100].rstrip()
        caret = " " * (column - 1 - start) + "^"
        raise kind(f"line {line}, column {column}: {message}\n    {shown}\n    {caret}")

    def refuse_token(self, token: Token, message: str) -> NoReturn:
        self.refuse(token.line, token.column, message)


def lines_of(source: Source) -> tuple[Line, ...]:
    """The equations of a text; comments and empty lines dropped, brackets matched.

    Raises:
        GrammarError: a limit exceeded, a character that the grammar has not, brackets
            that do not match, no `=` or more than one.
    """
    if len(source.text) > TEXT_LIMIT:
        raise GrammarError(
            f"The equations have {len(source.text)} characters, at most {TEXT_LIMIT} "
            "are read. Shorten the text."
        )
    found: list[Line] = []
    tokens: list[Token] = []
    rows: list[str] = []
    opened: list[Token] = []
    length = 0
    for number, row in enumerate(source.text.split("\n"), 1):
        code = re.sub(r"[\t\r\f]", " ", row.partition("#")[0]).rstrip()
        if not code.strip() and not opened:
            continue
        length = len(code.strip()) + (length if opened else 0)
        if length > EQUATION_LIMIT:
            source.refuse(
                number,
                1,
                f"this equation is longer than {EQUATION_LIMIT} characters. Split it "
                "into several equations.",
            )
        for token in _tokens(source, number, code):
            tokens.append(token)
            _match_brackets(source, opened, token)
        rows.append(code)
        if not opened:
            found.append(_line(source, tokens, rows))
            tokens, rows = [], []
        if len(found) > EQUATIONS_LIMIT:
            source.refuse(number, 1, f"more than {EQUATIONS_LIMIT} equations.")
    if opened:
        source.refuse_token(
            opened[-1], f"`{opened[-1].text}` is opened here and nowhere closed."
        )
    return tuple(found)


def _tokens(source: Source, line: int, code: str) -> list[Token]:
    found: list[Token] = []
    end = -1
    for match in _TOKEN.finditer(code):
        kind, text = str(match.lastgroup), match.group()
        token = Token(kind, text, line, match.start() + 1)
        if kind == "space":
            continue
        if kind == "other":
            hint = _HINTS.get(text, "")
            shown = text if text.isprintable() else f"\\x{ord(text):02x}"
            source.refuse_token(token, f"`{shown}` cannot be read here. {hint}".strip())
        if kind == "name":
            _check_word(source, token)
        if kind == "number":
            _check_number(source, token)
        adjacent = found and end == match.start() and found[-1].kind != "operator"
        if adjacent and kind != "operator":
            before = found[-1].text
            source.refuse_token(
                token,
                f"`{before}{text}` cannot be read. Write a product as `{before}*{text}`"
                ", and digits without `_`, letters or a second point.",
            )
        found.append(token)
        end = match.end()
    return found


def _check_word(source: Source, token: Token) -> None:
    word = token.text
    if word in ("and", "or", "not") or word in RESERVED:
        return
    flaw = flaw_of_name(word)
    if flaw is not None:
        source.refuse_token(token, f"`{word[:80]}` cannot be a name: {flaw}.")


def _check_number(source: Source, token: Token) -> None:
    mantissa, _, exponent = token.text.lower().partition("e")
    digits = sum(c.isdigit() for c in mantissa)
    if digits > DIGITS_LIMIT:
        source.refuse_token(
            token, f"a number has at most {DIGITS_LIMIT} digits, this one has {digits}."
        )
    if len(exponent.lstrip("+-")) > 3 or abs(int(exponent or 0)) > (
        DECIMAL_EXPONENT_LIMIT
    ):
        source.refuse_token(
            token,
            f"a decimal exponent lies in -{DECIMAL_EXPONENT_LIMIT} .. "
            f"{DECIMAL_EXPONENT_LIMIT}, this one is {exponent[:20]}.",
        )


def _match_brackets(source: Source, opened: list[Token], token: Token) -> None:
    if token.text in ("(", "["):
        opened.append(token)
    elif token.text in (")", "]"):
        if not opened:
            source.refuse_token(token, f"`{token.text}` closes nothing.")
        if opened[-1].text + token.text not in ("()", "[]"):
            source.refuse_token(
                token,
                f"`{token.text}` does not close the `{opened[-1].text}` of line "
                f"{opened[-1].line}, column {opened[-1].column}.",
            )
        opened.pop()


def _line(source: Source, tokens: list[Token], rows: list[str]) -> Line:
    """`z[i] = x[i]` => left tokens `z [ i ]`, right text ` x[i]`."""
    depth = 0
    signs: list[int] = []
    for place, token in enumerate(tokens):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "=" and depth == 0:
            signs.append(place)
    if not signs:
        source.refuse_token(
            tokens[0], "expected an equation such as `z[i] = x[i]`, found no `=`."
        )
    if len(signs) > 1:
        source.refuse_token(
            tokens[signs[1]],
            "a second `=`. Write one equation a line, and `==` in a condition.",
        )
    sign = tokens[signs[0]]
    if sign is tokens[-1]:
        source.refuse_token(sign, "nothing stands on the right of `=`.")
    first = sign.line - tokens[0].line
    right = "\n".join([rows[first][sign.column :], *rows[first + 1 :]])
    return Line(tuple(tokens[: signs[0]]), right, sign.line, sign.column + 1)
