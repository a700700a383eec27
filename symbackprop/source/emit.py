"""The whole file of kernels, as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symbackprop.errors import InputError, nearest, short
from symbackprop.schedule import flatten
from symbackprop.source.adjoints import averaged
from symbackprop.source.contractions import Contractions
from symbackprop.source.derived import Derived
from symbackprop.source.expressions import Printer
from symbackprop.source.file import File
from symbackprop.source.functions import Writer
from symbackprop.source.layout import Layout, Near, inputs_of
from symbackprop.source.loops import Loops
from symbackprop.source.names import Names
from symbackprop.source.nests import Nests
from symbackprop.source.storage import lay_out, near
from symbackprop.source.sweeps import Stretch, arrange

DTYPES = ("float32", "float64")


# NaN must survive, so neither `nnan` nor `ninf`; sums keep their order.
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
    """An emitted file, and where its tensors lie.

    Attributes:
        text: the file.
        layout: places of all tensors after `forward`; sizes for both functions.
        backward: places in `backward`, which holds a tensor no longer than it must.
        longest_few: the longest batch that is computed in another way than all longer
            ones, 0 where there is none.
    """

    text: str
    layout: Layout
    backward: Layout
    longest_few: int = 0


def plan_file(
    derivation: Derived, dtype: str, *, plain: bool = False, keep: bool = False
) -> SourceFile:
    """The file of a derivation, and where its tensors lie.

    Args:
        derivation: forward and adjoint equations, scheduled.
        dtype: "float32" or "float64".
        plain: leave away all that is done for speed: every equation has loops of its
            own, every tensor a place of its own, functions are those of NumPy.
        keep: leave every tensor of `backward` in memory, so that it can be looked at.
    """
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise InputError(
            f"dtype: expected one of {', '.join(DTYPES)}, got {short(dtype)}."
            f"{nearest(dtype, DTYPES)} Choose one of them."
        )
    lowered = lower(derivation, plain=plain, keep=keep)
    system, nests = derivation.system, lowered.nests
    equations = (*derivation.forward, *derivation.adjoint)
    writer = Writer(
        system,
        nests,
        lowered.kept,
        {e.tensor: derivation.number(e.tensor) for e in equations},
        {e.tensor: e for e in equations},
        lowered.kinds,
    )
    bodies = []
    for stretches, layout, held in (
        (lowered.forward, lowered.kept, Near()),
        (lowered.backward, lowered.turned, lowered.near),
    ):
        writer.layout, nests.loops.printer.near = layout, held
        bodies.append(writer.body(stretches))
    file = File(derivation, dtype, writer, lowered.kept, lowered.share)
    return SourceFile(
        file.text(*bodies),
        lowered.kept,
        lowered.turned,
        nests.contractions.longest_few,
    )


@dataclass(frozen=True)
class Lowered:
    """How both functions are computed, before a line of them is written.

    Attributes:
        forward: the sweeps of `forward`.
        backward: those of `backward`.
        kept: places in `forward`, which keeps every tensor; sizes for both functions.
        turned: places in `backward`, which are used in turn.
        near: tensors that `backward` does not keep in memory for every sample.
        nests: writes loops.
        kinds: the buffer that each tensor lies in.
        share: the variable that holds 1/batch.
    """

    forward: tuple[Stretch, ...]
    backward: tuple[Stretch, ...]
    kept: Layout
    turned: Layout
    near: Near
    nests: Nests
    kinds: Mapping[str, str]
    share: str


def lower(derivation: Derived, *, plain: bool = False, keep: bool = False) -> Lowered:
    """Find repeats, group into sweeps, decide what memory holds."""
    system = derivation.system
    names = Names(system)
    sample, batch = names.internal("n"), names.internal("batch")
    share = names.internal("share")
    loops = Loops(system, Printer(system, names, sample), batch)
    nests = Nests(loops, Contractions(loops))

    kinds = _kinds(derivation)
    live = [
        item
        for item in derivation.forward_items
        if any(equation.tensor in derivation.live for equation in flatten([item]))
    ]
    adjoint = averaged(derivation.adjoint_items, system, share)
    forward = arrange(derivation.forward_items, system, kinds, plain=plain)
    backward = arrange([*live, *adjoint], system, kinds, plain=plain)
    inputs = inputs_of(system, derivation.slopes)
    kept = lay_out(forward, inputs, nests, keep=True)
    keep = keep or plain
    held = Near() if keep else near(backward, inputs, system)
    loops.printer.near = held
    turned = lay_out(backward, inputs, nests, keep=keep)
    fixed = max(kept.fixed, turned.fixed)
    per_sample = max(kept.per_sample, turned.per_sample)
    return Lowered(
        tuple(forward),
        tuple(backward),
        replace(kept, fixed=fixed, per_sample=per_sample),
        turned,
        held,
        nests,
        kinds,
        share,
    )


def _kinds(derivation: Derived) -> dict[str, str]:
    """Which buffer a tensor is in; a data tensor is a buffer of its own."""
    system = derivation.system
    kinds = {t.name: f"data {t.name}" for t in system.data}
    kinds |= dict.fromkeys((t.name for t in system.parameters), "theta")
    kinds |= dict.fromkeys(derivation.slopes.values(), "gradient")
    return kinds
