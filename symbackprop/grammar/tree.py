"""Python's syntax tree of one right-hand side, tied to its place in the user's text."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn

from symbackprop.errors import DeclarationError, GrammarError
from symbackprop.grammar.bounds import DEPTH_LIMIT, NODES_LIMIT, first_excess
from symbackprop.grammar.text import Line, Source


@dataclass(frozen=True)
class Tree:
    """Parses a right-hand side; knows line and column of every node."""

    source: Source
    line: Line

    @property
    def _text(self) -> str:
        return f"({self.line.right}\n)"  # brackets, so that lines may continue

    def text(self, node: ast.expr) -> str:
        """The text of a node that stands in one row."""
        row = self._text.split("\n")[node.lineno - 1]
        return row[node.col_offset : node.end_col_offset]

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Line and column of a node in the user's text."""
        return self._place(getattr(node, "lineno", 1), getattr(node, "col_offset", 1))

    def _place(self, line: int, column: int) -> tuple[int, int]:
        rows = self.line.right.split("\n")
        if line > len(rows):
            line, column = len(rows), len(rows[-1]) + (len(rows) == 1)
        shift = self.line.column - 1 if line == 1 else 1
        return self.line.row + line - 1, column + shift

    def refuse(
        self,
        node: ast.AST,
        message: str,
        kind: type[DeclarationError] = GrammarError,
    ) -> NoReturn:
        self.source.refuse(*self.place(node), message, kind)

    def parse(self) -> ast.expr:
        """The tree, not too large and not too deep.

        Raises:
            GrammarError: text that Python cannot parse, or too much of it.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                root = ast.parse(self._text, mode="eval").body
        except SyntaxError as error:
            line, column = self._place(error.lineno or 1, (error.offset or 1) - 1)
            what = error.msg.rstrip("?.")
            self.source.refuse(line, column, f"this cannot be read: {what}.")
        except (RecursionError, MemoryError, ValueError):
            self.source.refuse(
                self.line.row,
                self.line.column,
                "this equation is nested too deeply, or too long. Split it into "
                "several equations.",
            )
        excess = first_excess(root)
        if excess is not None:
            self.refuse(
                excess,
                f"this equation is nested deeper than {DEPTH_LIMIT} levels, or has "
                f"more than {NODES_LIMIT} parts. Split it into several equations.",
            )
        for node in ast.walk(root):
            if isinstance(node, ast.keyword):
                self.refuse(node, "arguments have no names here; write `f(x)`.")
        return self._unchained(root)

    def _unchained(self, root: ast.expr) -> ast.expr:
        """`0 < p < 1` => `0 < p and p < 1`, in which `p` is one node."""
        whole = ast.Expression(root)
        for parent in reversed([*ast.walk(whole)]):  # what stands inside comes first
            for field, value in ast.iter_fields(parent):
                if isinstance(value, list):
                    value[:] = map(self._links, value)
                else:
                    setattr(parent, field, self._links(value))
        return whole.body

    def _links(self, node: Any) -> Any:
        if not isinstance(node, ast.Compare) or len(node.ops) == 1:
            return node
        sides = [node.left, *node.comparators]
        for middle in sides[1:-1]:
            if any(isinstance(inner, ast.Compare) for inner in ast.walk(middle)):
                self.refuse(
                    middle,
                    "a condition in the middle of a chain of comparisons; join two by "
                    "`and`.",
                )
        links: list[ast.expr] = [
            ast.copy_location(ast.Compare(left, [op], [right]), left)
            for left, op, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return ast.copy_location(ast.BoolOp(ast.And(), links), node)
