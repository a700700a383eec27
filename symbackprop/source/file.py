"""The text of an emitted file: its head, its helpers and its functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from symbackprop.equations import Tensor
from symbackprop.ranges import integer_ranges
from symbackprop.source.derived import Derived
from symbackprop.source.functions import Writer
from symbackprop.source.layout import Layout
from symbackprop.source.loops import indented
from symbackprop.source.support import ADD, OUTSIDE, VIEW

IMPORTS = """\
import math
import sys
import types

import numba
import numpy as np
from numba import carray, njit
from numba.extending import intrinsic, overload
"""

# A function of numbers keeps signed zeros and its own order, wherever it is inlined;
# with no licence of its own it would take over that of its caller.
NUMBERS = 'error_model="numpy", fastmath={"contract"}, forceinline=True'

OPTIONS = 'cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}'


class File:
    """Joins a file from its pieces."""

    def __init__(
        self,
        derivation: Derived,
        dtype: str,
        writer: Writer,
        layout: Layout,
        share: str,
    ) -> None:
        self.derivation = derivation
        self.share = share
        self.dtype = dtype
        self.writer = writer
        self.system = derivation.system
        self.names = writer.names
        self.loops = writer.nests.loops
        self.layout = layout
        self.mean = self.names.internal("mean")
        self.pointer = self.names.internal("pointer")
        self.compiled = self.names.internal(f"compiled_{self.loops.view}")
        self.ranges = integer_ranges(derivation.program)

    def text(self, forward: list[str], backward: list[str]) -> str:
        functions = [
            self._function(
                "forward", forward, "Return the value; compute every tensor."
            ),
            self._function(
                "backward", backward, "Return the value; write its gradient."
            ),
            self._at(),
        ]
        rest = [
            f"real = np.{self.dtype}\n",
            self._constants(),
            *self._helpers("".join(functions)),
            *functions,
        ]
        pieces = [self._docstring(), IMPORTS, self._registration(rest), *rest]
        return _spaced(pieces)

    def _registration(self, pieces: list[str]) -> str:
        """A name that is this text's alone, under which Numba's cache finds it.

        Numba stores with a compiled function the name of its module, and imports that
        when it loads the function again; and it tells two files apart by it alone.
        """
        key = hashlib.sha256("".join(pieces).encode()).hexdigest()[:12]
        name = f"{self.system.name}_kernels_{self.dtype}_{key}"
        return (
            "# Numba caches the functions under this name, however this file is\n"
            "# imported.\n"
            f"__name__ = {name!r}\n"
            "sys.modules.setdefault(__name__, types.ModuleType(__name__))\n"
        )

    # --- the head --------------------------------------------------------------------

    def _docstring(self) -> str:
        name = self.system.name
        data = "".join(f"{self.names.of[t.name]}, " for t in self.system.data)
        batch = "batch" if self.system.batched else "1"
        lines = [
            f"Value and gradient of {name}.",
            "",
            "Derived from its equations by symbackprop; each block of code stands",
            "under the numbers and formulas of the equations that it computes.",
            "",
            f"    value = backward(theta, {data}gradient, workspace)",
            f"    value = forward(theta, {data}workspace)",
            "",
            f"theta and gradient hold {self.layout.theta} numbers of {self.dtype}:",
            "",
            *self._table(),
            "",
            f"workspace holds {self.layout.fixed} + {self.layout.per_sample} * {batch}"
            " numbers; what was in it does not matter.",
        ]
        if self.system.data:
            lines += ["Arrays are contiguous:", ""]
            lines += [f"    {self._shape(tensor)}" for tensor in self.system.data]
        return '"""' + "\n".join(lines) + '\n"""\n'

    def _table(self) -> list[str]:
        rows = [("parameter", "shape", "from", "to")]
        for parameter in self.system.parameters:
            place = self.layout.places[parameter.name]
            shape = ", ".join(str(size) for size in place.shape)
            first, last = place.offset, place.offset + place.size
            rows.append((parameter.name, f"({shape})", str(first), str(last)))
        widths = [max(len(row[n]) for row in rows) for n in range(4)]
        return [
            "    "
            + "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).strip()
            for r in rows
        ]

    def _shape(self, tensor: Tensor) -> str:
        sizes = [str(size) for size in self.system.shape(tensor.name)]
        if tensor.batched:
            sizes.insert(0, "batch")
        kind = "int64" if tensor.integer else self.dtype
        return f"{self.names.of[tensor.name]}: {kind} ({', '.join(sizes)})"

    def _constants(self) -> str:
        lines = [
            f"THETA_SIZE = {self.layout.theta}",
            f"WORKSPACE_FIXED = {self.layout.fixed}",
            f"WORKSPACE_PER_SAMPLE = {self.layout.per_sample}",
        ]
        for constant in self.system.constants.values():
            value = float(constant.value)
            lines.append(f"{self.names.of[constant.name]} = real({value!r})")
        for offsets, table in self.writer.tables.items():
            lines.append(f"{table} = np.array({list(offsets)})")
        return "\n".join(lines) + "\n"

    def _helpers(self, body: str) -> list[str]:
        """Functions of numbers, compiled without licence to rearrange."""
        view, compiled = self.loops.view, self.compiled
        found = [VIEW.format(view=view, compiled=compiled, pointer=self.pointer)]
        if f"{self.loops.add}(" in body:
            found.append(ADD.format(add=self.loops.add))
        numbers = self.loops.printer.helpers.values()
        found += [f"@njit({NUMBERS})\n{text}" for text in numbers]
        return found + ([OUTSIDE] if self.ranges else [])

    # --- functions -------------------------------------------------------------------

    def _function(self, name: str, body: list[str], what: str) -> str:
        data = [self.names.of[tensor.name] for tensor in self.system.data]
        last = ["gradient", "workspace"] if name == "backward" else ["workspace"]
        share = f"{self.share} = real(1.0) / real({self.loops.batch})"
        shares = any(re.search(rf"\b{self.share}\b", line) for line in body)
        lines = [
            f'"""{what}"""',
            *self._checks(name == "backward"),
            *([share] if shares else []),
            "",
            *body,
            *self._value(),
        ]
        head = [
            f"@njit({OPTIONS})",
            f"def {name}({', '.join(['theta', *data, *last])}):",
        ]
        return "\n".join([*head, *indented(lines)]) + "\n"

    def _at(self) -> str:
        """`backward` behind one argument, since each costs as much as a small layer."""
        internal, pointer = self.names.internal, self.pointer
        address, table = internal("address"), internal("table")
        data = [self.names.of[tensor.name] for tensor in self.system.data]
        names = ["theta", *data, "gradient", "workspace"]
        batch, size = len(names), len(names) + 1
        shapes = ["(THETA_SIZE,)"]
        for tensor in self.system.data:
            sizes = [str(size) for size in self.system.shape(tensor.name)]
            sizes = [f"{table}[{batch}]", *sizes] if tensor.batched else sizes
            shapes.append(f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})")
        shapes += ["(THETA_SIZE,)", f"({table}[{size}],)"]
        whole = {self.names.of[t.name] for t in self.system.data if t.integer}
        lines = [
            '"""Do as `backward` does, with arrays whose addresses stand in a table.',
            "",
            "The table is given by its own address. It holds int64: the addresses of",
            "what `backward` takes, in order, then how long batch and workspace are.",
            '"""',
            f"{table} = carray({pointer}({address}), ({size + 1},), np.int64)",
        ]
        for number, (name, shape) in enumerate(zip(names, shapes, strict=True)):
            kind = "np.int64" if name in whole else "real"
            place = f"{pointer}({table}[{number}])"
            lines.append(f"{name} = carray({place}, {shape}, {kind})")
        lines.append(f"return backward({', '.join(names)})")
        head = [f"@njit({OPTIONS})", f"def bound({address}):"]
        return "\n".join([*head, *indented(lines)]) + "\n"

    def _checks(self, gradient: bool) -> list[str]:
        """Nothing is read or written outside an array, whatever is given."""
        batch = self.loops.batch
        lines: list[str] = []

        def refuse(unless: str, message: str) -> None:
            lines.extend([f"if {unless}:", f'    raise ValueError("{message}")'])

        holds = f"must hold {self.layout.theta} numbers"
        refuse("theta.size != THETA_SIZE", f"theta {holds}")
        if gradient:
            refuse("gradient.size != THETA_SIZE", f"gradient {holds}")
        for tensor in self.system.data:
            if tensor.batched:
                lines.append(f"{batch} = {self.names.of[tensor.name]}.shape[0]")
                refuse(f"{batch} < 1", "the batch must not be empty")
                break
        for tensor in self.system.data:
            sizes = [str(size) for size in self.system.shape(tensor.name)]
            if tensor.batched:
                sizes.insert(0, batch)
            if not sizes:
                continue
            shape = ", ".join(sizes) + ("," if len(sizes) == 1 else "")
            name = self.names.of[tensor.name]
            message = f"{name} must have shape ({', '.join(sizes)})"
            refuse(f"{name}.shape != ({shape})", message)
        more = f" + WORKSPACE_PER_SAMPLE * {batch}" if self.system.batched else ""
        refuse(
            f"workspace.size < WORKSPACE_FIXED{more}", "workspace holds too few numbers"
        )
        for tensor_name, (low, high) in self.ranges.items():
            name = self.names.of[tensor_name]
            lines += [f"if outside({name}, {low}, {high}):", "    return math.nan"]
        return lines

    def _value(self) -> list[str]:
        objective = self.system.tensors[self.system.objective]
        name = self.names.of[objective.name]
        if not objective.batched:
            return [f"return float({name}[0])"]
        n, batch, add = self.loops.printer.sample, self.loops.batch, self.loops.add
        return [
            f"{self.mean} = 0.0",
            f"for {n} in range({batch}):",
            f"    {self.mean} = {add}({self.mean}, {name}[{n}])",
            f"return {self.mean} / {batch}",
        ]


def _spaced(pieces: Iterable[str]) -> str:
    """Two blank lines before a function, one elsewhere; no spaces at lines' ends."""
    text = ""
    for piece in pieces:
        if text:
            text += "\n\n" if piece.startswith("@") else "\n"
        text += piece
    return "\n".join(line.rstrip() for line in text.split("\n"))
