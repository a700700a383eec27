"""The studies, one module each; a file put here is a study, and needs no entry.

A module is called as on the command line, with underscores, and has

    ABOUT: str                                        one line for the list of studies
    run(program, seed, tell) -> Study                 measures

`program` is the user's own (None: the study's example); `tell` is called with what is
being done.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from symbackprop.contrast.apparatus.threads import one_thread
from symbackprop.contrast.study import Study, Tell
from symbackprop.errors import InputError, nearest, short
from symbackprop.program import Program


def names() -> list[str]:
    """The studies as they are called on the command line."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__))


def about(name: str) -> str:
    """One line that says what a study shows."""
    text: str = _module(name).ABOUT
    return text


def study(
    name: str,
    program: Program | None = None,
    seed: int = 0,
    tell: Tell = lambda doing: None,
) -> Study:
    """Measure what one study asks, on one thread.

    Raises:
        InputError: there is no such study, or it takes no program.
    """
    module = _module(name)
    with one_thread():
        found: Study = module.run(program, seed, tell)
    return found


def _module(name: str) -> ModuleType:
    if name not in names():
        raise InputError(
            f"study {short(name)}: there is no such study; there are "
            f"{', '.join(names())}.{nearest(name, names())}"
        )
    return import_module(f"{__name__}.{name.replace('-', '_')}")
