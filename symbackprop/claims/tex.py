r"""LaTeX that somebody else wrote, read by a whitelist: it draws a formula, no more.

It holds no command that reads files, defines macros or opens a link. What LaTeX would
refuse is refused here, with its column, but for scripts on accents within accents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from symbackprop.document.symbols import GREEK
from symbackprop.errors import GrammarError, nearest

LIMIT = 2_000  # characters
DEPTH = 20

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL)
_CHARACTERS = frozenset("+-*/=<>()[]|,.;:!?'")

_ONE = (
    "sqrt vec hat bar tilde dot ddot overline underline widehat widetilde "
    "mathbf mathrm mathit mathbb mathcal mathsf boldsymbol"
)
_TWO = "frac dfrac tfrac"
# Commands by the number of their arguments.
_ARGUMENTS = {
    **{f"\\{name}": 1 for name in _ONE.split()},
    **{f"\\{name}": 2 for name in _TWO.split()},
}
_WORDS = ("\\text", "\\operatorname")  # their argument is words, not mathematics
_SIGNS = (
    "epsilon phi vartheta partial nabla sum prod int max min log ln exp sin cos tanh "
    "lim infty ell top cdot times odot oslash circ to leftarrow rightarrow mapsto "
    "longrightarrow Rightarrow le leq ge geq ne neq approx equiv in notin land lor "
    "lnot forall exists ldots cdots vdots ddots quad qquad langle rangle lvert rvert "
    "lVert rVert vert Vert"
)
_SPACES = ("\\,", "\\;", "\\!", "\\:", "\\ ")
_BRACES = ("\\{", "\\}", "\\|")
_PLAIN = frozenset(
    {*GREEK.values(), *(f"\\{n}" for n in _SIGNS.split()), *_SPACES, *_BRACES}
)
# Commands that are one letter, and so may be an argument without braces.
_LETTERS = frozenset(
    {*GREEK.values(), "\\partial", "\\infty", "\\top", "\\ell", "\\nabla", "\\phi"}
)
_BARS = "langle rangle lvert rvert lVert rVert"
_DELIMITERS = frozenset({*"()[]|.", *_BRACES, *(f"\\{n}" for n in _BARS.split())})
_SIZES = frozenset(f"\\{b}{e}" for b in ("big", "Big", "bigg", "Bigg") for e in "lr")

# Environments by the most columns that they have.
_COLUMNS = {
    "cases": 2,
    **dict.fromkeys(("matrix", "pmatrix", "bmatrix", "vmatrix"), 10),
}
_KNOWN = (
    *_ARGUMENTS,
    *_WORDS,
    *_PLAIN,
    *_SIZES,
    "\\left",
    "\\right",
    "\\begin",
    "\\end",
)


def read_tex(text: str) -> str:
    r"""The formula on one line, if every part of it is known.

    Raises:
        GrammarError: a command or character that is not known, braces that do not
            match, scripts without a base; it names the column.

    >>> print(read_tex(r"\sigma'(x) = \sigma(x) (1 - \sigma(x))"))
    \sigma'(x) = \sigma(x) (1 - \sigma(x))
    """
    if len(text) > LIMIT:
        raise GrammarError(
            f"a formula in LaTeX has at most {LIMIT} characters, this one has "
            f"{len(text)}."
        )
    line = " ".join(text.split())
    if not line:
        raise GrammarError("there is no formula; leave `tex` out.")
    reader = _Reader([(m.group(), m.start() + 1) for m in _TOKEN.finditer(line)])
    reader.items(0)
    if reader.token:
        reader.refuse(f"`{reader.token}` ends nothing that was begun")
    return line


@dataclass
class _Reader:
    """Reads tokens, each with its column, one after another."""

    tokens: list[tuple[str, int]]
    place: int = 0

    @property
    def token(self) -> str:
        """The next token; "" at the end."""
        return self.tokens[self.place][0] if self.place < len(self.tokens) else ""

    def refuse(self, flaw: str) -> NoReturn:
        column = self.tokens[min(self.place, len(self.tokens) - 1)][1]
        stop = "" if flaw.endswith("?") else "."
        raise GrammarError(f"column {column}: {flaw}{stop}")

    def take(self) -> str:
        token = self.token
        self.place += 1
        return token

    def skip(self) -> None:
        while self.token == " ":
            self.place += 1

    def expect(self, token: str, why: str) -> None:
        self.skip()
        if self.token != token:
            self.refuse(f"expected `{token}` {why}, found `{self.token or 'the end'}`")
        self.place += 1

    # --- what there is ----------------------------------------------------------------

    def items(self, depth: int, columns: int = 0) -> None:
        """Parts with their scripts, up to what ends them; cells in an environment."""
        if depth > DEPTH:
            self.refuse(f"this is nested deeper than {DEPTH} levels")
        column = 1
        while self.token and self.token not in ("}", r"\right", r"\end"):
            if self.token == " ":
                self.take()
            elif columns and self.token == "&":
                column += 1
                if column > columns:
                    self.refuse(f"a row has at most {columns} columns here")
                self.take()
            elif columns and self.token == r"\\":
                self.take()
                self.skip()
                if self.token in ("[", "*"):
                    self.refuse(r"nothing may stand beside `\\`; put it in braces")
                column = 1
            else:
                self.part(depth)
                self.scripts(depth)

    def part(self, depth: int) -> None:
        """One letter, sign, group or command with its arguments."""
        token = self.token
        if token == "{":
            self.group(depth)
        elif token in _ARGUMENTS:
            self.take()
            for _ in range(_ARGUMENTS[token]):
                self.argument(depth, token)
        elif token in _WORDS:
            self.take()
            self.words(token)
        elif token == r"\left":
            self.take()
            self.delimiter(token)
            self.items(depth + 1)
            self.expect(r"\right", r"for `\left`")
            self.delimiter(r"\right")
        elif token in _SIZES:
            self.take()
            self.delimiter(token)
        elif token == r"\begin":
            self.environment(depth)
        elif token in _PLAIN or token in _CHARACTERS or self.is_letter(token):
            self.take()
        else:
            known = nearest(token, _KNOWN) if token.startswith("\\") else ""
            self.refuse(f"`{token}` is not read in a formula{known and '.' + known}")

    def is_letter(self, token: str) -> bool:
        return token.isascii() and token.isalnum()

    def scripts(self, depth: int) -> None:
        """Primes, then at most one superscript and one subscript."""
        seen = ""
        while True:
            self.skip()
            token = self.token
            if token == "'":
                if "^" in seen:
                    self.refuse("a prime stands before the other superscript")
                while self.token == "'":
                    self.take()
                seen += "^"
            elif token in ("^", "_") and token:
                if token in seen:
                    self.refuse(f"a second `{token}` on one letter; use braces")
                seen += token
                self.take()
                self.argument(depth, token)
            else:
                return

    def argument(self, depth: int, of: str) -> None:
        """A group, a letter or a digit."""
        self.skip()
        token = self.token
        if token == "{":
            self.group(depth)
        elif token in _LETTERS or self.is_letter(token):
            self.take()
        else:
            self.refuse(f"`{of}` needs an argument in braces here")

    def group(self, depth: int) -> None:
        self.take()
        self.items(depth + 1)
        self.expect("}", "for the `{` before")

    def words(self, of: str) -> None:
        """`{plain words}`"""
        self.expect("{", f"behind `{of}`")
        while self.token and (self.is_letter(self.token) or self.token in " ,.-"):
            self.take()
        self.expect("}", f"behind the words of `{of}`")

    def delimiter(self, of: str) -> None:
        self.skip()
        if self.token not in _DELIMITERS:
            self.refuse(f"`{of}` needs a bracket, or `.` for none")
        self.take()

    def environment(self, depth: int) -> None:
        r"""`\begin{cases} ... & ... \\ ... \end{cases}`"""
        self.take()
        name = self.name()
        if name not in _COLUMNS:
            self.refuse(f"the environment `{name}` is not read")
        self.items(depth + 1, _COLUMNS[name])
        self.expect(r"\end", rf"for `\begin{{{name}}}`")
        if self.name() != name:
            self.refuse(rf"`\begin{{{name}}}` is ended by another `\end`")

    def name(self) -> str:
        self.expect("{", "before the name of an environment")
        found = ""
        while self.token.isalpha() and len(found) < LIMIT:
            found += self.take()
        self.expect("}", "behind the name of an environment")
        return found
