"""One command line: what runs it, and what each exit code means."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

# Their verbs, in this order.
from symbackprop.cli import declaring, verifying, measuring  # isort: skip
from symbackprop.cli.options import (
    FAILED,
    GOOD,
    INTERNAL,
    INTERRUPTED,
    REFUSED,
    Session,
    command,
)
from symbackprop.cli.summary import error_object
from symbackprop.errors import CheckError, DivergenceError, SymbackpropError

__all__ = ["command", "declaring", "execute", "main", "measuring", "verifying"]


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
