"""A claim's text cut into its sides, and each parsed, before any name is looked up.

    D(L, W2) = delta2 @ a1.T        two sides joined by `=`
    0 < logistic(x) < 1             three, by `<`
    W1 <- W1 - alpha*D(L, W1)       an update rule
    a1 -> z2 -> a2                  a flow
    f(x, r) = ... if r < 1          a condition behind `if`

Four signs are added to the grammar of equations: `@`, `.T`, a prime behind a function's
name, and `o` between two factors. In the trees `tanh'` is a name that ends in `_`, and
`o` the operator `%`; every other check and limit of the grammar holds.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import NoReturn

from symbackprop.errors import DeclarationError, GrammarError, short
from symbackprop.grammar.text import EQUATION_LIMIT, Line, Source, lines_of
from symbackprop.grammar.tree import Tree

RELATIONS = ("<-", ":=", "->", "<=", ">=", "==", "=", "<", ">")
UPDATES = ("<-", ":=")
MOST_RELATIONS = 3
ORDERS = ("<", "<=", ">", ">=")

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult, ast.Mod)
_RELATION = re.compile("|".join(map(re.escape, RELATIONS)))
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|.", re.DOTALL)
_HADAMARD = "⊙∘"


@dataclass(frozen=True)
class Parsed:
    """A claim in trees.

    Attributes:
        text: as it came.
        sides: the tree of each side, from left to right.
        relations: what stands between them; of an update rule always `<-`.
        condition: what stands behind `if`; None where there is none.
        trees: where each side stands in the text.
        where: where the condition stands.
        matrix: whether an operator of matrix form is used.
    """

    text: str
    sides: tuple[ast.expr, ...]
    relations: tuple[str, ...]
    condition: ast.expr | None
    trees: tuple[Tree, ...]
    where: Tree | None
    matrix: bool

    @property
    def subscripted(self) -> bool:
        """Whether any subscript stands in it."""
        return any(
            isinstance(node, ast.Subscript)
            for side in self.sides
            for node in ast.walk(side)
        )


@dataclass(frozen=True)
class _Masked(Source):
    """A text to be checked, whose flaws are shown in the text as it came."""

    shown: str = ""

    def refuse(
        self,
        line: int,
        column: int,
        message: str,
        kind: type[DeclarationError] = GrammarError,
    ) -> NoReturn:
        Source(self.shown).refuse(line, column, message, kind)


def parse(text: object) -> Parsed:
    """Cut a claim into its sides and parse them.

    Raises:
        GrammarError: no text, no relation or mixed ones, or text that cannot be read.

    >>> parse("D(L, W) = delta @ x.T").relations
    ('=',)
    """
    if not isinstance(text, str):
        raise GrammarError(
            f"a claim is text such as `D(L, b[i]) = delta[i]`, not {short(text)}."
        )
    plain = re.sub(r"\s", " ", text.partition("#")[0])
    if len(plain) > EQUATION_LIMIT:
        raise GrammarError(
            f"a claim has at most {EQUATION_LIMIT} characters, this one has "
            f"{len(plain)}. Split it into several."
        )
    source = Source(plain)
    written, checked, matrix = _masked(plain)
    relations, stop = _relations(written)
    if not relations:
        source.refuse(
            1,
            1,
            "expected a claim such as `D(L, b[i]) = delta[i]`, found no `=`, `<`, "
            "`<-` or `->` outside of brackets.",
        )
    _check(plain, checked, relations, stop)
    kinds = tuple(
        "<-" if r in UPDATES else "=" if r == "==" else r for r, _ in relations
    )
    mixed = {_family(kind) for kind in kinds}
    twice = len(kinds) > 1 and kinds[-1] == "<-"
    if len(mixed) > 1 or twice:
        source.refuse(
            1,
            relations[1][1] + 1,
            "a claim joins its sides by one kind of relation; write two claims.",
        )
    if len(relations) > MOST_RELATIONS and kinds[0] != "->":
        source.refuse(
            1,
            relations[MOST_RELATIONS][1] + 1,
            f"a claim joins at most {MOST_RELATIONS + 1} sides; write several claims.",
        )
    ends = [*(place for _, place in relations), len(written) if stop is None else stop]
    starts = [0, *(place + len(sign) for sign, place in relations)]
    trees = []
    for start, end in zip(starts, ends, strict=True):
        if not written[start:end].strip():
            place = min(start, len(plain.rstrip()) - 1) + 1
            source.refuse(1, place, "nothing stands on one side of this relation.")
        trees.append(Tree(source, Line((), written[start:end], 1, start + 1)))
    where = None
    if stop is not None:
        if not written[stop + 2 :].strip():
            source.refuse(1, stop + 1, "nothing stands behind `if`.")
        where = Tree(source, Line((), written[stop + 2 :], 1, stop + 3))
    return Parsed(
        text.strip(),
        tuple(_grouped(tree) for tree in trees),
        kinds,
        None if where is None else where.parse(),
        tuple(trees),
        where,
        matrix,
    )


def _family(relation: str) -> str:
    """Relations that may stand in one chain."""
    return (
        "<"
        if relation in ("<", "<=")
        else ">"
        if relation in (">", ">=")
        else (relation)
    )


def _masked(plain: str) -> tuple[str, str, bool]:
    """The text for Python's parser, the one for the grammar's checks; both as long.

    `f' o (W.T @ delta_z)` => `f_ % (W.T @ delta_z)` and `f_ * (W   * deltaxz)`
    """
    written, checked = list(plain), list(plain)
    matrix = False
    for found in _WORD.finditer(plain):
        sign, start = found.group(), found.start()
        before, after = plain[:start].rstrip(), plain[found.end() :].lstrip()
        if sign == "'" and re.search(r"[A-Za-z0-9_']$", plain[:start]):
            written[start] = checked[start] = "_"
        elif sign == "@":
            checked[start], matrix = "*", True
        elif sign == "T" and re.search(r"[\w\])]\.$", plain[:start]):
            checked[start - 1 : start + 1], matrix = "  ", True
        elif sign in ("o", *_HADAMARD) and (
            re.search(r"[\w\])']$", before) and re.match(r"[\w(\-+.]", after)
        ):
            written[start], checked[start], matrix = "%", "*", True
        elif sign.startswith("delta_"):
            checked[start + len("delta")] = "x"  # a name that programs may not give
        elif sign == "diag":
            matrix = matrix or after.startswith("(")
        elif sign == "%":
            written[start] = checked[start] = "?"
    return "".join(written), "".join(checked), matrix


def _relations(written: str) -> tuple[list[tuple[str, int]], int | None]:
    """The relations outside of brackets with their places, and that of an `if`."""
    found: list[tuple[str, int]] = []
    depth, place = 0, 0
    while place < len(written):
        sign = written[place]
        depth += (sign in "([") - (sign in ")]")
        if depth == 0:
            if re.match(r"if\b", written[place:]) and re.search(
                r"(^|[^\w])$", written[:place]
            ):
                return found, place
            relation = _RELATION.match(written, place)
            if relation and written[place - 1 : place] != "!":
                found.append((relation.group(), place))
                place = relation.end()
                continue
        place += 1
    return found, None


def _check(
    plain: str, checked: str, relations: list[tuple[str, int]], stop: int | None
) -> None:
    """The grammar's own checks of characters, names, numbers, brackets and lengths."""
    masked = list(checked)
    for number, (sign, place) in enumerate(relations):
        one = ("+" if number else "=").ljust(len(sign))
        masked[place : place + len(sign)] = one
    if stop is not None:
        masked[stop : stop + 2] = "+ "
    lines_of(_Masked("".join(masked), plain))


def _grouped(tree: Tree) -> ast.expr:
    """The tree of a side, in which `@` binds more tightly than `o` and `*`.

    `f % W.T @ d`, which Python reads as `(f % W.T) @ d` => `f % (W.T @ d)`
    """
    text = f"({tree.line.right}\n)"

    class Group(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            chain = _chain(node, text)
            if len(chain) < 3 or not any(
                isinstance(op, ast.MatMult) for op, _ in chain
            ):
                self.generic_visit(node)
                return node
            parts = [(op, self.visit(part)) for op, part in chain]
            groups: list[tuple[ast.operator | None, ast.expr]] = []
            for op, part in parts:
                if isinstance(op, ast.MatMult):
                    before, left = groups.pop()
                    groups.append((before, _joined(left, op, part)))
                else:
                    groups.append((op, part))
            whole = groups[0][1]
            for op, part in groups[1:]:
                assert op is not None
                whole = _joined(whole, op, part)
            return whole

    root = tree.parse()
    for node in ast.walk(root):
        if isinstance(node, ast.BinOp) and not isinstance(node.op, _OPERATORS):
            tree.refuse(
                node,
                "this operator is no part of claims; there are `+`, `-`, `*`, `/`, "
                "`**`, `@` and `o`.",
            )
    grouped: ast.expr = Group().visit(root)
    return grouped


def _chain(node: ast.BinOp, text: str) -> list[tuple[ast.operator | None, ast.expr]]:
    """The factors of a product that no brackets part, with the operators before."""
    products = (ast.Mult, ast.Div, ast.MatMult, ast.Mod)
    chain: list[tuple[ast.operator | None, ast.expr]] = []
    part: ast.expr = node
    while isinstance(part, ast.BinOp) and isinstance(part.op, products):
        chain.append((part.op, part.right))
        part = part.left
        if _bracketed(part, text):
            break
    return [(None, part), *reversed(chain)]


def _bracketed(node: ast.expr, text: str) -> bool:
    """Whether a bracket closes right behind a node that is no whole itself."""
    row = text.split("\n")[(node.end_lineno or 1) - 1]
    return row[node.end_col_offset or 0 :].lstrip().startswith(")")


def _joined(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(
        left,
        op,
        right,
        lineno=left.lineno,
        col_offset=left.col_offset,
        end_lineno=right.end_lineno,
        end_col_offset=right.end_col_offset,
    )
