"""The verbs on the command line: options, help, and what each exit code means."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from symbackprop import __version__
from symbackprop.cli.progress import Progress
from symbackprop.cli.summary import Summary, error_object
from symbackprop.errors import CheckError, DivergenceError, SymbackpropError

GOOD, FAILED, REFUSED, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130

EXITS = """\b
Exit codes:
  0    good
  1    a check failed, or training diverged
  2    the declaration, the data or the command line is not right
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


def _flag(*names: str, help: str) -> Callable[..., Any]:
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
FOLDER = click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("generated"),
    show_default=True,
    help="Folder for the files; each network has a folder of its own in it.",
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


def _verb(*options: Callable[..., Any], file: bool = True) -> Callable[..., Any]:
    """Make a described name a verb with these and the common options.

    `def check(): "Hold ..."` => `symbackprop check FILE`, done by `verbs.check`;
    without `file` it takes no FILE.
    """
    given = (FILE, *options) if file else options
    common = (
        _flag("--json", help="Print one JSON object on stdout."),
        _flag("-q", "--quiet", help="Print nothing but errors (and the JSON)."),
        _flag("--debug", help="Show the full traceback of an internal error."),
    )

    def decorate(described: Callable[[], None]) -> Callable[..., Any]:
        def call(**said: Any) -> None:
            from symbackprop.cli import verbs  # loads SymPy

            session: Session = click.get_current_context().obj
            verb = getattr(verbs, described.__name__)
            with Progress(shown=not session.quiet) as progress:
                summary: Summary = verb(**said, progress=progress)
            if session.json:
                print(summary.json())
            elif not session.quiet:
                print(summary.text())
            if summary.failed:
                click.get_current_context().exit(FAILED)

        decorated: Callable[..., Any] = call
        for option in reversed((*given, *common)):
            decorated = option(decorated)
        name, text = described.__name__, described.__doc__
        return command.command(name, help=text, epilog=EXITS)(decorated)

    return decorate


@_verb(FOLDER, DTYPE, SEED)
def run() -> None:
    """Derive, emit, compile, check and train.

    \b
    Example:
      symbackprop run examples/digits.toml
    """


@_verb(
    click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        help="Write the derivation there, as .tex, .html, .md or .pdf (`-`: LaTeX on "
        "stdout).",
    ),
    click.option(
        "--language",
        type=click.Choice(["en", "zh"]),
        default="en",
        show_default=True,
        help="Language of the document.",
    ),
    click.option(
        "--notation",
        type=click.Choice(["both", "index", "matrix"]),
        default="both",
        show_default=True,
        help="Equations with indices, in matrix form, or both.",
    ),
)
def derive() -> None:
    """Derive the gradient and print its equations.

    \b
    Examples:
      symbackprop derive examples/digits.toml
      symbackprop derive examples/digits.toml -o digits.html
      symbackprop derive examples/digits.toml -o digits.tex
      symbackprop derive examples/digits.toml -o digits.md --language zh
      symbackprop derive examples/digits.toml -o digits.tex --notation matrix
      symbackprop derive examples/digits.toml -o digits.pdf
    """


@_verb(
    FOLDER,
    DTYPE,
    click.option(
        "--explain",
        is_flag=True,
        help="Print which products, loops and places in memory the kernels consist of.",
    ),
)
def emit() -> None:
    """Write the kernels as a Python file, and the training loop as another.

    \b
    Examples:
      symbackprop emit examples/digits.toml --explain
      symbackprop emit examples/digits.toml
      symbackprop emit examples/digits.toml -o build --dtype float64
    """


@_verb(FOLDER, DTYPE)
def check() -> None:
    """Hold derivation and kernels against witnesses.

    \b
    Example:
      symbackprop check examples/digits.toml --dtype float64
    """


@_verb(
    FOLDER,
    DTYPE,
    SEED,
    click.option(
        "--save",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the trained parameters there, as .npz arrays by name.",
    ),
    click.option(
        "--checkpoint",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Keep the state there after each epoch, every few seconds and at Ctrl-C; "
        "go on from it, to the same bits, if it is there.",
    ),
)
def train() -> None:
    """Train on the file's data and print every epoch.

    \b
    Examples:
      symbackprop train examples/digits.toml
      symbackprop train examples/digits.toml --seed 7 --save digits_trained.npz
    """


@_verb(
    click.option(
        "--case",
        "named",
        multiple=True,
        metavar="WIDTHS,BATCH[,epoch][,DTYPE]",
        help="Measure this network instead of the list; may be given again.",
    ),
    click.option(
        "--random",
        "count",
        type=click.IntRange(min=1),
        help="Measure so many random networks instead of the list.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Seed of the random networks.",
    ),
    click.option(
        "--text", is_flag=True, help="Declare the networks as equations, not as layers."
    ),
    click.option(
        "--seconds",
        type=click.FloatRange(min=0, min_open=True),
        default=3.0,
        show_default=True,
        help="Time for each case, shared by all that take part.",
    ),
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the result there, as .json, .svg, .png or .md; may be given again.",
    ),
    file=False,
)
def bench() -> None:
    """Time our kernels beside other libraries.

    PyTorch, JAX, CasADi and scikit-learn take part where they are installed, each held
    against our value and gradient first; so do the bare matrix products, the limit.

    \b
    Examples:
      symbackprop bench -o bench.json -o bench.svg
      symbackprop bench --case 64-32-10,32 --case 8-32x3-4,1,float64
      symbackprop bench --random 8 --seed 1 --text
    """


@_verb(
    click.option(
        "--function",
        "functions",
        multiple=True,
        help="A function to measure, several times for several; else all of them.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["float32", "float64"]),
        help="Precision to measure; else both.",
    ),
    click.option(
        "--samples",
        type=click.IntRange(min=1),
        default=20_000,
        show_default=True,
        help="How many arguments to draw for each function.",
    ),
    click.option(
        "--all", "every", is_flag=True, help="Try all 2^32 numbers of float32."
    ),
    file=False,
)
def accuracy() -> None:
    """Measure scalar functions against other libraries, and print the worst error.

    \b
    Examples:
      symbackprop accuracy
      symbackprop accuracy --function tanh --dtype float64 --samples 100000
      symbackprop accuracy --all --json
    """


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; no exception leaves it."""
    session = Session()
    session.json = "--json" in arguments  # also where the rest cannot be parsed
    try:
        with command.make_context("symbackprop", list(arguments), obj=session) as made:
            command.invoke(made)
        sys.stdout.flush()
    except click.exceptions.Exit as exit:  # --help and --version end so
        return exit.exit_code
    except BrokenPipeError:  # the reader of a pipe went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        if session.json:
            stopped = KeyboardInterrupt("interrupted")
            print(error_object(session.verb, stopped, INTERRUPTED))
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return _report(session, error, REFUSED)
    except (CheckError, DivergenceError) as error:
        return _report(session, error, FAILED)
    except (SymbackpropError, OSError) as error:
        return _report(session, error, REFUSED)
    except Exception as error:
        return _report(session, error, INTERNAL)
    return GOOD


def _report(session: Session, error: Exception, code: int) -> int:
    """Say on stderr what went wrong, and with --json on stdout too."""
    if code == INTERNAL:
        kind = type(error).__name__
        print(f"symbackprop: internal error: {kind}: {error}", file=sys.stderr)
        if session.debug:
            traceback.print_exception(error)
        else:
            print(
                "This is a mistake of symbackprop, not yours. Please report it with "
                "the file and what --debug prints.",
                file=sys.stderr,
            )
    elif not isinstance(error, click.ClickException):
        print(f"symbackprop: {error}", file=sys.stderr)
    if session.json:
        print(error_object(session.verb, error, code))
    return code


def main() -> None:
    """The entry point of the command `symbackprop`."""
    sys.exit(execute(sys.argv[1:]))
