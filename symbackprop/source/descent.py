"""The file of a training loop, as text: one optimiser's rule around one `backward`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from symbackprop.equations import System, Tensor
from symbackprop.optimisers import Rule
from symbackprop.source.file import OPTIONS
from symbackprop.source.names import Names
from symbackprop.source.update import OWN, Update, named_apart, wrapped


def emit_training(system: System, dtype: str, rule: Rule, kernels: str) -> str:
    """The text of a file that trains by a rule with the `backward` beside it.

    Args:
        system: the program; its data say what a minibatch is.
        dtype: the kernels' precision.
        rule: how a component of theta moves.
        kernels: the text of the kernels' file. Numba would go on to use what it
            compiled with another one, so that the file's name for it tells them apart.
    """
    return _Training(system, dtype, rule).text(kernels)


@dataclass(frozen=True)
class _Training:
    system: System
    dtype: str
    rule: Rule

    @property
    def update(self) -> Update:
        return Update(self.rule)

    # --- names -----------------------------------------------------------------------

    @cached_property
    def data(self) -> dict[str, str]:
        """Identifiers of the data."""
        taken = {
            *OWN,
            *self.update.of.values(),
            *(f"{n}_new" for n in self.update.of.values()),
        }
        names = Names(self.system).of
        return {t.name: named_apart(names[t.name], taken) for t in self.system.data}

    @cached_property
    def gathered(self) -> dict[str, str]:
        """Identifiers of a minibatch's rows, by the data that they are taken from."""
        taken = {*OWN, *self.update.of.values(), *self.data.values()}
        return {
            t.name: named_apart(f"{self.data[t.name]}_rows", taken)
            for t in self.batched
        }

    @property
    def batched(self) -> list[Tensor]:
        return [tensor for tensor in self.system.data if tensor.batched]

    # --- the file --------------------------------------------------------------------

    def text(self, kernels: str) -> str:
        functions = [
            self.update.text(),
            self._gather(),
            *_COMMON,
            self._epoch(),
        ]
        body = "\n\n".join(functions)
        imports = (
            "import math\nimport sys\nimport types\n\nimport numpy as np\n"
            f"from numba import njit\n\nfrom kernels_{self.dtype} import backward\n"
        )
        head = self._docstring() + "\n" + imports
        key = hashlib.sha256((kernels + head + body).encode()).hexdigest()[:12]
        name = f"{self.system.name}_training_{self.dtype}_{self.rule.name}_{key}"
        registration = (
            "# Numba caches the functions under this name, which tells kernels apart.\n"
            f"__name__ = {name!r}\n"
            "sys.modules.setdefault(__name__, types.ModuleType(__name__))\n\n"
            f"real = np.{self.dtype}\n"
        )
        return f"{head}\n{registration}\n\n{body}"

    def _docstring(self) -> str:
        batched = [self.data[tensor.name] for tensor in self.batched]
        rows = list(self.gathered.values())
        shapes = [
            f"    {self.data[t.name]}: {self._kind(t)} {self._shape(t, 'samples')}"
            for t in self.system.data
        ]
        shapes += [
            f"    {self.gathered[t.name]}: {self._kind(t)} "
            f"{self._shape(t, 'batch_size')}"
            for t in self.batched
        ]
        carried = self.update.state
        vectors = ", ".join(["theta", "gradient", *carried])
        begin = f"{' and '.join(carried)} begin as zeros; " if carried else ""
        lines = [
            f"Training of {self.system.name} by {self.rule.name}, in minibatches.",
            "",
            "Emitted by symbackprop beside the kernels that it calls. A component of",
            "theta whose slope is g moves at step t = 1, 2, ... by",
            "",
            *(f"    {line}" for line in self.rule.lines),
            "",
            "The pieces, for a loop of your own:",
            "",
            *wrapped("    gather(", [*batched, "rows", *rows], ")"),
            *wrapped("    moved = update(", self.update.arguments, ")"),
            "    clip_value(gradient, limit)",
            "    norm = clip_norm(gradient, limit)",
            "",
            f"{vectors} are vectors of {self.dtype}, of one size;",
            f"{begin}what is in gradient and workspace does not matter.",
            "Arrays are contiguous:",
            "",
            *shapes,
        ]
        return '"""' + "\n".join(lines) + '\n"""\n'

    def _kind(self, tensor: Tensor) -> str:
        return "int64" if tensor.integer else self.dtype

    def _shape(self, tensor: Tensor, length: str) -> str:
        sizes = [str(size) for size in self.system.shape(tensor.name)]
        if tensor.batched:
            sizes.insert(0, length)
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    # --- minibatches -----------------------------------------------------------------

    def _gather(self) -> str:
        """One array after another; nothing outside of them is read or written."""
        sources = [self.data[tensor.name] for tensor in self.batched]
        rows = [self.gathered[tensor.name] for tensor in self.batched]
        lines = [
            f"@njit({OPTIONS})",
            *wrapped("def gather(", [*sources, "rows", *rows], "):"),
            '    """Copy the samples whose numbers are in `rows`, in their order."""',
        ]
        for tensor in self.batched:
            source, target = self.data[tensor.name], self.gathered[tensor.name]
            axes = len(self.system.shape(tensor.name))
            fits = f"{target}.shape[0] != rows.size"
            if axes:
                fits += f" or {target}.shape[1:] != {source}.shape[1:]"
            lines += [
                f"    if {fits}:",
                f'        raise ValueError("{target} must have the shape of {source}, '
                'as long as rows")',
            ]
            if axes > 1:
                for name in (source, target):
                    lines.append(f"    {name} = {name}.reshape({name}.shape[0], -1)")
            lines += [
                "    for n in range(rows.size):",
                "        row = rows[n]",
                f"        if row < 0 or row >= {source}.shape[0]:",
                '            raise ValueError("rows must hold numbers of samples")',
            ]
            if axes:  # a loop of a length that is read is vectorised, not unrolled
                lines += [
                    f"        for k in range({target}.shape[1]):",
                    f"            {target}[n, k] = {source}[row, k]",
                ]
            else:
                lines.append(f"        {target}[n] = {source}[row]")
        return "\n".join(lines) + "\n"

    def _epoch(self) -> str:
        data = [self.data[tensor.name] for tensor in self.system.data]
        rows = list(self.gathered.values())
        arguments = [
            "theta",
            *data,
            *("order", "batch_size", "first", "last", "before", "rates"),
            *("limit_value", "limit_norm"),
            *self.update.options,
            "gradient",
            *self.update.state,
            *rows,
            *("workspace", "total"),
        ]
        sources = [self.data[tensor.name] for tensor in self.batched]
        parts = [f"{name}[:count]" for name in rows]
        batch = [
            f"{self.gathered[t.name]}[:count]" if t.batched else self.data[t.name]
            for t in self.system.data
        ]
        update = ["theta", "gradient", *self.update.state, "before + number + 1"]
        update += ["rates[number]", *self.update.options]
        lines = [
            f"@njit({OPTIONS})",
            *wrapped("def epoch(", arguments, "):"),
            _EPOCH,
            "    if first < 0 or (last - 1) * batch_size >= order.size:",
            '        raise ValueError("order is too short for last")',
            "    if last > rates.size:",
            '        raise ValueError("rates are too short for last")',
            "    for number in range(first, last):",
            "        start = number * batch_size",
            "        count = min(batch_size, order.size - start)",
            "        rows = order[start:start + count]",
            *wrapped("        gather(", [*sources, "rows", *parts], ")"),
            *wrapped(
                "        value = backward(",
                ["theta", *batch, "gradient", "workspace"],
                ")",
            ),
            "        if not (math.isfinite(value) and finite(gradient)):",
            "            return total, number, 1",
            "        total += value * count",
            "        if limit_value < np.inf:",
            "            clip_value(gradient, limit_value)",
            "        if limit_norm < np.inf:",
            "            if not math.isfinite(clip_norm(gradient, limit_norm)):",
            "                return total, number, 1",
            *wrapped("        moved = update(", update, ")"),
            "        if not moved:",
            "            return total, number, 2",
            "    return total, last, 0",
        ]
        return "\n".join(lines) + "\n"


_EPOCH = '''\
    """Minibatches first, ..., last - 1 of an epoch.

    Minibatch b holds the samples order[b * batch_size:(b + 1) * batch_size], the last
    one what is left of them; it is step before + b + 1, at rates[b]. The limits are
    those of clipping, np.inf for none.

    Returns total, to which it added each value times its samples; the number of the
    minibatch that comes next, or at which it stopped; and 0, or what is not finite
    there: 1 value or gradient, 2 theta or what is carried with it.
    """'''

_COMMON = (
    f'''@njit({OPTIONS})
def finite(vector):
    """Whether no entry is infinite or NaN."""
    lost = False
    for k in range(vector.size):
        lost |= vector[k] - vector[k] != real(0)
    return not lost
''',
    f'''@njit({OPTIONS})
def clip_value(gradient, limit):
    """g = min(max(g, -limit), limit)"""
    limit = real(limit)
    for k in range(gradient.size):
        g = gradient[k]
        gradient[k] = limit if g > limit else (-limit if g < -limit else g)
''',
    # a plain sum of squares, which may be added in any order
    f'''@njit({OPTIONS.replace('"contract"', '"contract", "reassoc"')})
def clip_norm(gradient, limit):
    """g = g * limit / |g| where |g| > limit; returns |g| as it was."""
    squares = 0.0
    for k in range(gradient.size):
        g = np.float64(gradient[k])
        squares += g * g
    norm = math.sqrt(squares)
    if norm > limit:
        share = real(limit / norm)
        for k in range(gradient.size):
            gradient[k] *= share
    return norm
''',
)
