"""The whole file of kernels, as text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from symbackprop.equations import Equation, System, Tensor
from symbackprop.errors import InputError, nearest, short
from symbackprop.ranges import integer_ranges
from symbackprop.schedule import Item, flatten
from symbackprop.source.expressions import Printer
from symbackprop.source.functions import Stretch, Writer, arrange, parts_of
from symbackprop.source.layout import Layout, lay_out
from symbackprop.source.names import Names
from symbackprop.source.nests import Nests, indented

DTYPES = ("float32", "float64")

# NaN must survive, so neither `nnan` nor `ninf`; sums keep their order.
OPTIONS = 'cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"}'


class Derived(Protocol):
    """What a derivation offers to this package."""

    @property
    def program(self) -> System: ...
    @property
    def system(self) -> System: ...
    @property
    def forward(self) -> tuple[Equation, ...]: ...
    @property
    def adjoint(self) -> tuple[Equation, ...]: ...
    @property
    def forward_items(self) -> tuple[Item, ...]: ...
    @property
    def adjoint_items(self) -> tuple[Item, ...]: ...
    @property
    def slopes(self) -> Mapping[str, str]: ...
    @property
    def live(self) -> frozenset[str]: ...
    def number(self, tensor: str) -> int: ...


def emit(derivation: Derived, dtype: str = "float32") -> str:
    """The text of a derivation's file of kernels.

    Args:
        derivation: forward and adjoint equations, scheduled.
        dtype: "float32" or "float64".

    Raises:
        InputError: another dtype.
    """
    return plan_file(derivation, dtype).text


@dataclass(frozen=True)
class SourceFile:
    """An emitted file and where its tensors lie."""

    text: str
    layout: Layout


def plan_file(derivation: Derived, dtype: str) -> SourceFile:
    """Find repeats, group into blocks, lay out memory, lower, join."""
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise InputError(
            f"dtype: expected one of {', '.join(DTYPES)}, got {short(dtype)}."
            f"{nearest(dtype, DTYPES)} Choose one of them."
        )
    system = derivation.system
    names = Names(system)
    sample, batch = names.internal("n"), names.internal("batch")
    nests = Nests(
        system, Printer(system, names, sample), batch, names.internal("share")
    )

    kinds = _kinds(derivation)
    live = [
        item
        for item in derivation.forward_items
        if any(equation.tensor in derivation.live for equation in flatten([item]))
    ]
    forward = arrange(derivation.forward_items, system, kinds)
    backward = [
        *arrange(live, system, kinds),
        *arrange(derivation.adjoint_items, system, kinds),
    ]
    layout = lay_out(
        system,
        (*derivation.forward, *derivation.adjoint),
        derivation.slopes,
        parts_of([*forward, *backward], nests),
    )
    equations = (*derivation.forward, *derivation.adjoint)
    numbers = {e.tensor: derivation.number(e.tensor) for e in equations}
    layer = names.internal("layer")
    writer = Writer(system, names, nests, layout, numbers, kinds, layer)
    printed = _File(derivation, dtype, writer)
    return SourceFile(printed.text(forward, backward), layout)


def _kinds(derivation: Derived) -> dict[str, str]:
    """Which buffer a tensor is in; a data tensor is a buffer of its own."""
    system = derivation.system
    kinds = {t.name: f"data {t.name}" for t in system.data}
    kinds |= dict.fromkeys((t.name for t in system.parameters), "theta")
    kinds |= dict.fromkeys(derivation.slopes.values(), "gradient")
    return kinds


class _File:
    """Joins a file from its pieces."""

    def __init__(self, derivation: Derived, dtype: str, writer: Writer) -> None:
        self.derivation = derivation
        self.dtype = dtype
        self.writer = writer
        self.system = derivation.system
        self.names = writer.names
        self.nests = writer.nests
        self.layout = writer.layout
        self.mean = self.names.internal("mean")
        self.ranges = integer_ranges(derivation.program)

    def text(self, forward: list[Stretch], backward: list[Stretch]) -> str:
        functions = [
            self._function(
                "forward", forward, "Return the value; compute every tensor."
            ),
            self._function(
                "backward", backward, "Return the value; write its gradient."
            ),
        ]
        rest = [
            f"real = np.{self.dtype}\n",
            self._constants(),
            *self._helpers(),
            *functions,
        ]
        math_used = any("math." in piece for piece in rest)
        imports = ["import math\n"] if math_used else []
        imports += ["import sys\nimport types\n\nimport numpy as np\n"]
        imports += ["from numba import njit\n"]
        pieces = [self._docstring(), "".join(imports), self._registration(rest), *rest]
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
        for table, offsets in self.writer.tables.items():
            lines.append(f"{table} = np.array({list(offsets)})")
        return "\n".join(lines) + "\n"

    def _helpers(self) -> list[str]:
        """Functions of numbers, compiled without licence to rearrange."""
        found = list(self.nests.printer.helpers.values())
        if self.ranges:
            found.append(
                "def outside(values, low, high):\n"
                "    for value in values.flat:\n"
                "        if value < low or value > high:\n"
                "            return True\n"
                "    return False\n"
            )
        return ['@njit(error_model="numpy")\n' + text for text in found]

    # --- functions -------------------------------------------------------------------

    def _function(self, name: str, stretches: list[Stretch], what: str) -> str:
        data = [self.names.of[tensor.name] for tensor in self.system.data]
        last = ["gradient", "workspace"] if name == "backward" else ["workspace"]
        body = self.writer.body(stretches)
        share = f"{self.nests.share} = real(1.0) / real({self.nests.batch})"
        lines = [
            f'"""{what}"""',
            *self._checks(name == "backward"),
            *([share] if any(self.nests.share in line for line in body) else []),
            "",
            *body,
            *self._value(),
        ]
        head = [
            f"@njit({OPTIONS})",
            f"def {name}({', '.join(['theta', *data, *last])}):",
        ]
        return "\n".join([*head, *indented(lines)]) + "\n"

    def _checks(self, gradient: bool) -> list[str]:
        """Nothing is read or written outside an array, whatever is given."""
        batch = self.nests.batch
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
        n, batch = self.nests.printer.sample, self.nests.batch
        return [
            f"{self.mean} = 0.0",
            f"for {n} in range({batch}):",
            f"    {self.mean} += {name}[{n}]",
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
