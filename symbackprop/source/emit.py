"""The whole file of kernels, as text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbackprop.errors import InputError, nearest, short
from symbackprop.schedule import flatten
from symbackprop.source.adjoints import averaged
from symbackprop.source.contractions import Contractions
from symbackprop.source.derived import Derived
from symbackprop.source.expressions import Printer
from symbackprop.source.file import File
from symbackprop.source.functions import Writer
from symbackprop.source.layout import Layout, inputs_of
from symbackprop.source.loops import Loops
from symbackprop.source.names import Names
from symbackprop.source.nests import Nests
from symbackprop.source.storage import lay_out, variables
from symbackprop.source.sweeps import arrange

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
        variables: tensors that `backward` never writes to memory.
        longest_few: the longest batch that is computed in another way than all longer
            ones, 0 where there is none.
    """

    text: str
    layout: Layout
    backward: Layout
    variables: frozenset[str]
    longest_few: int = 0


def plan_file(
    derivation: Derived, dtype: str, *, plain: bool = False, keep: bool = False
) -> SourceFile:
    """Find repeats, group into sweeps, lay out memory, lower, join.

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
    system = derivation.system
    names = Names(system)
    sample, batch = names.internal("n"), names.internal("batch")
    share = names.internal("share")
    loops = Loops(system, Printer(system, names, sample), batch)
    contractions = Contractions(loops)
    nests = Nests(loops, contractions)

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
    unseen = frozenset() if keep else variables(backward, inputs, system)
    loops.printer.variables = unseen
    turned = lay_out(backward, inputs, nests, keep=keep)
    fixed = max(kept.fixed, turned.fixed)
    layout = replace(
        kept, fixed=fixed, per_sample=max(kept.per_sample, turned.per_sample)
    )
    equations = (*derivation.forward, *derivation.adjoint)
    numbers = {e.tensor: derivation.number(e.tensor) for e in equations}
    declared = {e.tensor: e for e in equations}
    layer = names.internal("layer")
    writer = Writer(
        system, names, nests, layout, fixed, numbers, declared, kinds, layer
    )
    printed = File(derivation, dtype, writer, share)
    bodies = []
    for stretches, where, held in (
        (forward, layout, frozenset()),
        (backward, turned, unseen),
    ):
        writer.layout, loops.printer.variables = where, held
        bodies.append(writer.body(stretches))
    text = printed.text(*bodies)
    return SourceFile(text, layout, turned, unseen, contractions.longest_few)


def _kinds(derivation: Derived) -> dict[str, str]:
    """Which buffer a tensor is in; a data tensor is a buffer of its own."""
    system = derivation.system
    kinds = {t.name: f"data {t.name}" for t in system.data}
    kinds |= dict.fromkeys((t.name for t in system.parameters), "theta")
    kinds |= dict.fromkeys(derivation.slopes.values(), "gradient")
    return kinds
