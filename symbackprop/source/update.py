"""The function `update`, as text: one step of all components by a rule."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from symbackprop.equations import fresh
from symbackprop.optimisers import Rule
from symbackprop.optimisers.rule import names_in
from symbackprop.source.file import OPTIONS
from symbackprop.source.names import FIXED

WIDTH = 88

# The names that stand in the emitted file, beside those of data and rule.
OWN = FIXED.union(
    ("update", "gather", "finite", "clip_value", "clip_norm", "epoch"),
    ("k", "n", "g", "t", "row", "rows", "step", "rate", "rates", "lost", "moved"),
    ("norm", "limit", "limit_value", "limit_norm", "share", "squares", "order"),
    ("samples", "batch_size", "first", "last", "before", "number", "start", "count"),
    ("value", "total"),
)

_CALLS = {
    "sqrt": "math.sqrt",
    "abs": "abs",
    "sign": "np.sign",
    "maximum": "np.maximum",
    "minimum": "np.minimum",
}


@dataclass(frozen=True)
class Update:
    """A rule as the loop that moves theta."""

    rule: Rule

    @cached_property
    def of(self) -> dict[str, str]:
        """Identifiers of the rule's names; `g`, `t` and theta are the file's own."""
        taken = {*OWN, *(f"{name}_new" for name in (*self.rule.state, "theta"))}
        found = {"g": "g", "t": "t", "theta": "theta", "rate": "rate"}
        assigned = (name for name, _ in self.rule.equations)
        for name in (*self.rule.options, *assigned):
            if name not in found:
                found[name] = named_apart(name, taken)
        return found

    @property
    def state(self) -> list[str]:
        return [self.of[name] for name in self.rule.state]

    @property
    def options(self) -> list[str]:
        return [self.of[name] for name in self.rule.options if name != "rate"]

    @property
    def arguments(self) -> list[str]:
        """What `update` is called with."""
        return ["theta", "gradient", *self.state, "step", "rate", *self.options]

    def text(self) -> str:
        """One step of all components, from the rule's equations alone."""
        carried = [*self.rule.state, "theta"]
        sizes = [f"{name}.size != theta.size" for name in ("gradient", *self.state)]
        lines = [
            f"@njit({OPTIONS})",
            *wrapped("def update(", self.arguments, "):"),
            '    """One step, counted from 1; whether all that it wrote is finite."""',
            f"    if {' or '.join(sizes)}:",
            '        raise ValueError("theta, gradient and state must be of one size")',
        ]
        equations = self.rule.equations
        if any("t" in names_in(right) for _, right in equations):
            lines.append("    t = float(step)")
        lines += [
            "    lost = False",
            "    for k in range(theta.size):",
            "        g = gradient[k]",
        ]
        varying = {name: f"{self.of[name]}[k]" for name in carried} | {"g": "g"}
        for (name, right), line in zip(equations, self.rule.lines, strict=True):
            lines.append(f"        # {line}")
            new = f"{self.of[name]}_new" if name in carried else self.of[name]
            if not set(names_in(right)) & set(varying):
                lines.append(f"        {new} = real({ast.unparse(self._named(right))})")
            else:
                lines.append(f"        {new} = {self._code(right, varying)}")
            varying[name] = new
        lines += [f"        {self.of[n]}[k] = {self.of[n]}_new" for n in carried]
        lines += [
            f"        lost |= {self.of[n]}_new - {self.of[n]}_new != real(0)"
            for n in carried
        ]
        return "\n".join([*lines, "    return not lost"]) + "\n"

    def _code(self, node: ast.expr, varying: dict[str, str]) -> str:
        return ast.unparse(self._lowered(node, varying))

    def _lowered(self, node: ast.expr, varying: dict[str, str]) -> ast.expr:
        """What is the same for all components is computed once, in double precision.

        `(1 - beta1)*g` => `real(1 - beta1) * g`, `g**2` => `g * g`
        """
        if not set(names_in(node)) & set(varying):
            return _call("real", self._named(node))
        match node:
            case ast.Name(id=name):
                return ast.Name(varying[name])
            case ast.BinOp(left=ast.Name() as base, op=ast.Pow(), right=power) if (
                isinstance(power, ast.Constant) and power.value == 2
            ):
                read = self._lowered(base, varying)
                return ast.BinOp(read, ast.Mult(), read)
            case ast.BinOp(left=left, op=operator, right=right):
                return ast.BinOp(
                    self._lowered(left, varying),
                    operator,
                    self._lowered(right, varying),
                )
            case ast.UnaryOp(op=operator, operand=operand):
                return ast.UnaryOp(operator, self._lowered(operand, varying))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return _call(
                    _CALLS[name], *(self._lowered(a, varying) for a in arguments)
                )
        raise AssertionError(ast.dump(node))

    def _named(self, node: ast.expr) -> ast.expr:
        """The same expression in the file's identifiers."""
        if isinstance(node, ast.Name):
            return ast.Name(self.of[node.id])
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            return _call(_CALLS[node.func.id], *map(self._named, node.args))
        if isinstance(node, ast.BinOp):
            return ast.BinOp(self._named(node.left), node.op, self._named(node.right))
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self._named(node.operand))
        return node


def named_apart(name: str, taken: set[str]) -> str:
    """A name, or one made of it where it is taken; from now on it is."""
    found = name if name not in taken else fresh(f"{name}_", taken)
    taken.add(found)
    return found


def wrapped(head: str, parts: Sequence[str], tail: str) -> list[str]:
    """`head(a, b, c)tail`, in several lines where one is too long."""
    lines, indent = [head], " " * (len(head) - len(head.lstrip()) + 4)
    if len(head) + len(", ".join(parts)) + len(tail) <= WIDTH:
        return [head + ", ".join(parts) + tail]
    for number, part in enumerate(parts):
        piece = part + ("," if number < len(parts) - 1 else tail)
        fits = len(lines) > 1 and len(lines[-1]) + 1 + len(piece) <= WIDTH
        if fits:
            lines[-1] += f" {piece}"
        else:
            lines.append(indent + piece)
    return lines


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name), list(arguments), [])
