"""What all verbs of the command line share: the group, their options, their call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from symbackprop import __version__
from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import Summary

GOOD, FAILED, REFUSED, UNDECIDED, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130

EXITS = """\b
Exit codes:
  0    good
  1    a check failed, a formula does not hold, or training diverged
  2    the declaration, the data or the command line is not right
  3    whether a formula holds cannot be decided
  130  interrupted
"""


@dataclass
class Session:
    """What the common options of one call said."""

    verb: str | None = None
    json: bool = False
    quiet: bool = False
    debug: bool = False


def _remember(context: click.Context, option: click.Parameter, value: bool) -> bool:
    """Set an option's field of the session at once, so that errors obey it too."""
    if value:
        setattr(context.obj, str(option.name), True)
    return value


def flag(*names: str, help: str) -> Callable[..., Any]:
    return click.option(
        *names,
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_remember,
        help=help,
    )


FILE = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
DTYPE = click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="Precision of the kernels; else what the file says.",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Seed of the split, the first parameters and the shuffling; else the file's.",
)
LANGUAGE = click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Language of what is written.",
)
FOLDER = click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("generated"),
    show_default=True,
    help="Folder for the files; each network has a folder of its own in it.",
)


def outputs(help: str, folders: bool = False) -> Callable[..., Any]:
    """`-o`, which may be given again; the suffix says what is written."""
    return click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=click.Path(dir_okay=folders, path_type=Path),
        help=help,
    )


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of this file, not of the alphabet


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXITS,
)
@click.version_option(__version__, prog_name="symbackprop")
@click.pass_context
def command(context: click.Context) -> None:
    """Declare a neural network as equations; backpropagation is derived.

    FILE declares a network in TOML: its layers, loss, data and training.

    \b
    Examples:
      symbackprop run examples/digits.toml
      symbackprop derive examples/digits.toml -o digits.html
      symbackprop emit examples/digits.toml --dtype float64
      symbackprop train examples/digits.toml --seed 7 --json
    """
    context.obj.verb = context.invoked_subcommand


def verb(
    *options: Callable[..., Any], home: str = "verbs", file: bool = True
) -> Callable[..., Any]:
    """Make a described name a verb with these and the common options.

    `def check(): "Hold ..."` => `symbackprop check FILE`, done by `verbs.check`;
    without `file` it takes no FILE.

    Args:
        options: its arguments and options, in the order of the help.
        home: the module of `symbackprop.cli` whose function of that name does it.
        file: whether it takes a FILE first.
    """
    given = (FILE, *options) if file else options
    common = (
        flag("--json", help="Print one JSON object on stdout."),
        flag("-q", "--quiet", help="Print nothing but errors (and the JSON)."),
        flag("--debug", help="Show the full traceback of an internal error."),
    )

    def decorate(described: Callable[[], None]) -> Callable[..., Any]:
        def call(**said: Any) -> None:
            doing = import_module(f"symbackprop.cli.{home}")  # loads SymPy

            session: Session = click.get_current_context().obj
            done = getattr(doing, described.__name__)
            with Progress(shown=not session.quiet) as progress:
                summary: Summary = done(**said, progress=progress)
            if session.json:
                print(summary.json())
            elif not session.quiet:
                print(summary.text())
            if summary.failed:
                click.get_current_context().exit(FAILED)
            if summary.undecided:
                click.get_current_context().exit(UNDECIDED)

        decorated: Callable[..., Any] = call
        for option in reversed((*given, *common)):
            decorated = option(decorated)
        name, text = described.__name__, described.__doc__
        return command.command(name, help=text, epilog=EXITS)(decorated)

    return decorate
