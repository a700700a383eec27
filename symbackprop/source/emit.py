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
from symbackprop.source.orders import ordered
from symbackprop.source.parts import Parts
from symbackprop.source.spread import spread
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
    nests = lowered.nests
    nests.loops.printer.vectorised = "" if plain else dtype
    equations = (*derivation.forward, *derivation.adjoint)
    writer = Writer(
        nests.loops.system,
        nests,
        lowered.kept,
        {e.tensor: derivation.number(e.tensor) for e in equations},
        {e.tensor: e for e in equations},
        lowered.origins,
        lowered.kinds,
    )
    bodies = []
    for stretches, layout, held in (
        (lowered.forward, lowered.kept, lowered.near_forward),
        (lowered.backward, lowered.turned, lowered.near_backward),
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
        near_forward: what `forward` does not keep in memory for every sample.
        near_backward: what `backward` does not.
        nests: writes loops.
        kinds: the buffer that each tensor lies in.
        origins: for each tensor of the lowering's own, whose equation it is part of.
        share: the variable that holds 1/batch.
    """

    forward: tuple[Stretch, ...]
    backward: tuple[Stretch, ...]
    kept: Layout
    turned: Layout
    near_forward: Near
    near_backward: Near
    nests: Nests
    kinds: Mapping[str, str]
    origins: Mapping[str, str]
    share: str


def lower(derivation: Derived, *, plain: bool = False, keep: bool = False) -> Lowered:
    """Find repeats, group into sweeps, decide what memory holds."""
    names = Names(derivation.system)
    share = names.internal("share")
    adjoint = averaged(derivation.adjoint_items, derivation.system, share)
    ours = _in_parts(Parts(derivation.forward_items, derivation.system), plain)
    theirs = _in_parts(replace(ours, items=adjoint), plain)
    system, flat, origins = theirs.system, theirs.flat, theirs.origins
    for name in origins:
        names.of[name] = names.internal(name)
    printer = Printer(system, names, names.internal("n"))
    loops = Loops(system, printer, names.internal("batch"))
    nests = Nests(loops, Contractions(loops))

    live = [
        item
        for item in ours.items
        if any(
            origins.get(equation.tensor, equation.tensor) in derivation.live
            for equation in flatten([item])
        )
    ]
    kinds = _kinds(derivation)
    forward, backward = (
        tuple(arrange(items, system, kinds, plain=plain, flat=flat, origins=origins))
        for items in (ours.items, [*live, *theirs.items])
    )
    inputs = inputs_of(system, derivation.slopes)
    declared = set(system.tensors) - set(origins)
    left = near(forward, declared, system)
    held = near(backward, declared if keep or plain else inputs, system)
    printer.near = left
    kept = lay_out(forward, inputs, nests, keep=True)
    printer.near = held
    turned = lay_out(backward, inputs, nests, keep=keep or plain)
    fixed = max(kept.fixed, turned.fixed)
    per_sample = max(kept.per_sample, turned.per_sample)
    return Lowered(
        forward,
        backward,
        replace(kept, fixed=fixed, per_sample=per_sample),
        turned,
        left,
        held,
        nests,
        kinds,
        origins,
        share,
    )


def _in_parts(parts: Parts, plain: bool) -> Parts:
    return parts if plain else spread(ordered(parts))


def _kinds(derivation: Derived) -> dict[str, str]:
    """Which buffer a tensor is in; data tensors and the objective are of their own."""
    system = derivation.system
    kinds = {t.name: f"data {t.name}" for t in system.data}
    kinds |= dict.fromkeys((t.name for t in system.parameters), "theta")
    kinds |= dict.fromkeys(derivation.slopes.values(), "gradient")
    kinds[system.objective] = "objective"
    return kinds
