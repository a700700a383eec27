"""`Kernels`: a program's compiled value and gradient, behind checked arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.equations import tensor_of
from symbackprop.errors import InputError, nearest, short
from symbackprop.kernels.arrays import Array, Arrays
from symbackprop.proof import Check, Derivation
from symbackprop.source import SourceFile


@dataclass(frozen=True, repr=False)
class Kernels:
    """Compiled functions of one flat vector `theta` of all parameters.

    Attributes:
        derivation: what they were emitted from.
        dtype: "float32" or "float64".
        path: the emitted file.
        forward: `forward(theta, *data, workspace) -> value`, compiled; it computes
            every tensor.
        backward: `backward(theta, *data, gradient, workspace) -> value`, compiled; it
            allocates nothing and can be called from other compiled code.
        bound: the same of a table of addresses, see `bind`.
        compile_seconds: how long compilation took, or loading from Numba's cache.
        checks: how well the compiled kernel agreed with the witness.

    Example:
        >>> kernels = sb.compile(program, dtype="float64")  # doctest: +SKIP
        >>> value, gradient = kernels.value_and_grad(theta, X, Y)  # doctest: +SKIP
    """

    derivation: Derivation
    dtype: str
    path: Path
    forward: Callable[..., float]
    backward: Callable[..., float]
    bound: Callable[[int], float]
    source: SourceFile
    compile_seconds: float = 0.0
    checks: tuple[Check, ...] = ()
    arrays: Arrays = field(init=False)

    def __post_init__(self) -> None:
        arrays = Arrays.of(self.derivation.program, self.dtype)
        object.__setattr__(self, "arrays", arrays)

    def __repr__(self) -> str:
        name = self.derivation.program.name
        return f"Kernels(name={name!r}, dtype={self.dtype!r}, size={self.size})"

    # --- parameters ------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many numbers `theta` and the gradient hold."""
        return self.source.layout.theta

    def pack(self, parameters: Mapping[str, Any]) -> Array:
        """One flat vector from an array for each parameter."""
        declared = {t.name: t for t in self.derivation.program.parameters}
        if not isinstance(parameters, Mapping):
            raise InputError(
                f"parameters is {short(parameters)}; give a dictionary with an array "
                f"for each of {', '.join(declared)}."
            )
        for name in parameters:
            if name not in declared:
                told = name[:60] if isinstance(name, str) else short(name)
                raise InputError(
                    f"`{told}` is no parameter; expected {', '.join(declared)}."
                    f"{nearest(name, declared)}"
                )
        missing = [name for name in declared if name not in parameters]
        if missing:
            raise InputError(
                f"parameters: {', '.join(missing)} missing. Give an array for each of "
                f"{', '.join(declared)}."
            )
        theta = np.empty(self.size, self.dtype)
        for name, view in self.unpack(theta).items():
            view[...] = self.arrays.parameter(declared[name], parameters[name])
        return theta

    def unpack(self, theta: Any) -> dict[str, Array]:
        """Each parameter as a view of the vector, by name; of a gradient likewise."""
        vector = self.arrays.numbers("theta", theta)
        if vector.shape != (self.size,):
            raise InputError(
                f"theta: expected {self.size} numbers in one dimension, an array of "
                f"shape {vector.shape} came."
            )
        views = {}
        for tensor in self.derivation.program.parameters:
            place = self.source.layout.places[tensor.name]
            part = vector[place.offset : place.offset + place.size]
            views[tensor.name] = part.reshape(place.shape)
        return views

    def initial(self, seed: int) -> Array:
        """A first `theta`: parameters of two axes or more random, others zero.

        "glorot" is uniform with variance 2 / (fan in + fan out), "he" normal with
        variance 2 / fan in; a number fills. The first axis counts as the outputs.

        Source: Glorot and Bengio, AISTATS 2010; He et al., ICCV 2015.
        """
        if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
            raise InputError(
                f"seed is {short(seed)}; give a whole number of at least 0."
            )
        rng = np.random.default_rng(seed)
        rules = self.derivation.program.initial
        theta = np.empty(self.size, self.dtype)
        for name, view in self.unpack(theta).items():
            rule = rules.get(name, "glorot" if view.ndim >= 2 else "zeros")
            fan_out = view.shape[0] if view.ndim else 1
            fan_in = math.prod(view.shape[1:])
            if rule == "glorot":
                limit = math.sqrt(6 / (fan_in + fan_out))
                view[...] = rng.uniform(-limit, limit, view.shape)
            elif rule == "he":
                view[...] = rng.normal(size=view.shape) * math.sqrt(2 / fan_in)
            else:
                view[...] = 0.0 if rule == "zeros" else float(rule)
        return theta

    # --- calls -----------------------------------------------------------------------

    def workspace(self, batch: int) -> Array:
        """Scratch memory for `forward` and `backward` at a batch of this length."""
        if isinstance(batch, bool) or not isinstance(batch, int | np.integer):
            raise InputError(f"batch: expected a whole number, {short(batch)} came.")
        if batch < 1:
            raise InputError(f"batch: expected 1 or more, {short(batch)} came.")
        layout = self.source.layout
        length = layout.fixed + layout.per_sample * int(batch)
        try:
            return np.zeros(length, self.dtype)
        except (MemoryError, ValueError, OverflowError) as error:
            raise InputError(
                f"batch: a workspace for {short(int(batch))} samples does not fit in "
                "memory. Go through the data in smaller batches."
            ) from error

    def value(self, theta: Any, *data: Any, **named: Any) -> float:
        """The mean of the objective over the batch."""
        vector = self.arrays.theta(theta, self.size)
        arrays = self.arrays.data(data, named)
        return float(self.forward(vector, *arrays, self.workspace(self._batch(arrays))))

    def value_and_grad(
        self, theta: Any, *data: Any, **named: Any
    ) -> tuple[float, Array]:
        """The value and its gradient by `theta`, a fresh array.

        Args:
            theta: all parameters.
            *data: arrays in declared order.
            **named: or by name.

        Raises:
            InputError: arrays that do not fit.
        """
        vector = self.arrays.theta(theta, self.size)
        arrays = self.arrays.data(data, named)
        gradient = np.empty(self.size, self.dtype)
        workspace = self.workspace(self._batch(arrays))
        value = self.backward(vector, *arrays, gradient, workspace)
        return float(value), gradient

    def predict(
        self, theta: Any, *data: Any, tensor: str | None = None, **named: Any
    ) -> Array:
        """A tensor's value; data that it does not depend on may be left out.

        Args:
            theta: all parameters.
            *data: arrays in declared order.
            tensor: its name, such as "a1"; None for the program's output.
            **named: data by name.
        """
        program = self.derivation.program
        wanted = program.output if tensor is None else tensor
        known = [equation.tensor for equation in self.derivation.forward]
        if tensor is not None and not isinstance(tensor, str):
            raise InputError(
                f"tensor is {short(tensor)}; give the name of one, as in "
                f"`tensor={known[-1]!r}`."
            )
        if wanted is None:
            raise InputError(
                "tensor: the program declares no output. Say which tensor to predict, "
                f"as in `tensor={known[-1]!r}`."
            )
        if wanted not in known:
            raise InputError(
                f"tensor: no equation computes `{wanted[:60]}`; expected one of "
                f"{', '.join(known)}.{nearest(wanted, known)}"
            )
        vector = self.arrays.theta(theta, self.size)
        found = self.arrays.some(data, named)
        needed = self._data_of(wanted)
        missing = [t.name for t in program.data if t.name in needed - found.keys()]
        if missing:
            raise InputError(
                f"data: `{wanted}` depends on {', '.join(missing)}, which did not come."
            )
        batched = [found[t.name] for t in program.data if t.batched and t.name in found]
        batch = len(batched[0]) if batched else 1
        arrays = []
        for t in program.data:
            if t.name not in found:
                shape = ((batch,) if t.batched else ()) + program.shape(t.name)
                least = max(0, self.arrays.ranges.get(t.name, (0, 0))[0])
                kind = np.dtype(np.int64) if t.integer else np.dtype(self.dtype)
                found[t.name] = np.full(shape, least, kind)
            arrays.append(found[t.name])
        workspace = self.workspace(batch)
        self.forward(vector, *arrays, workspace)
        return self.tensor(wanted, workspace, batch).copy()

    def bind(
        self, theta: Array, *data: Array, gradient: Array, workspace: Array
    ) -> Callable[[], float]:
        """A call without arguments that computes the gradient and returns the value.

        The arrays are read and written in place, and kept alive; they must be what
        `backward` takes. The call passes one number, the address of a table of their
        addresses: to pass arrays costs as much as the arithmetic of a small network.
        """
        program = self.derivation.program
        arguments = (theta, *data, gradient, workspace)
        for array in arguments:
            if not isinstance(array, np.ndarray) or not array.flags.c_contiguous:
                raise InputError(
                    "bind: expected contiguous NumPy arrays, which it can refer to; "
                    f"{type(array).__name__} came."
                )
        real = np.dtype(self.dtype)
        for name, array in (
            ("theta", theta),
            ("gradient", gradient),
            ("workspace", workspace),
        ):
            if array.dtype != real or array.ndim != 1:
                raise InputError(
                    f"bind: expected `{name}` as one row of {real}, "
                    f"{array.dtype} of shape {array.shape} came."
                )
        self.arrays.theta(theta, self.size)
        self.arrays.theta(gradient, self.size, "gradient")
        checked = self.arrays.data(data, {})
        for tensor, array, known in zip(program.data, data, checked, strict=True):
            if array.dtype != known.dtype:
                raise InputError(
                    f"bind: data `{tensor.name}`: expected {known.dtype}, "
                    f"{array.dtype} came. Convert it first: bind refers to it."
                )
        needed = len(self.workspace(self._batch(list(data))))
        if len(workspace) < needed:
            raise InputError(
                f"bind: expected a workspace of {needed} numbers, {len(workspace)} "
                "came. `kernels.workspace(batch)` makes one."
            )
        others = [theta, *data]
        for name, written in (("gradient", gradient), ("workspace", workspace)):
            shared = any(np.may_share_memory(written, other) for other in others)
            others.append(written)
            if shared or not written.flags.writeable:
                raise InputError(
                    f"bind: `{name}` is written to: expected an array of its own that "
                    "can be written, and shares no memory with another."
                )
        lengths = [self._batch(list(data)), len(workspace)]
        addresses = [array.ctypes.data for array in arguments]
        table = np.array([*addresses, *lengths], np.int64)
        call = partial(self.bound, table.ctypes.data)
        call.keep = (table, *arguments)  # type: ignore[attr-defined]
        with np.errstate(all="ignore"):
            call()  # compiles, where that is still to be done
        return call

    # --- inside ----------------------------------------------------------------------

    def tensor(self, name: str, workspace: Array, batch: int) -> Array:
        """The view of a computed tensor in a workspace."""
        layout = self.source.layout
        return layout.places[name].of(workspace, layout.fixed, batch)

    def _batch(self, arrays: list[Array]) -> int:
        declared = self.derivation.program.data
        lengths = (len(a) for t, a in zip(declared, arrays, strict=True) if t.batched)
        return next(lengths, 1)

    def _data_of(self, tensor: str) -> set[str]:
        """The data that a tensor depends on."""
        equations = {e.tensor: e for e in self.derivation.forward}
        agenda, seen = [tensor], {tensor}
        while agenda:
            equation = equations.get(agenda.pop())
            for read in equation.reads() if equation is not None else ():
                if tensor_of(read) not in seen:
                    seen.add(tensor_of(read))
                    agenda.append(tensor_of(read))
        return seen & {t.name for t in self.derivation.program.data}
