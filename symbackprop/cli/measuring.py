"""The verbs that measure: their options and help."""

from __future__ import annotations

from pathlib import Path

import click

from symbackprop.cli.options import outputs, verb

SEED_OF_DRAWS = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of what is drawn.",
)


@verb(
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
    outputs("Write the result there, as .json, .svg, .png or .md; may be given again."),
    home="measures",
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


@verb(
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
    home="measures",
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


@verb(
    SEED_OF_DRAWS,
    click.option(
        "--batch",
        type=click.IntRange(min=1),
        default=8,
        show_default=True,
        help="Samples in the batch.",
    ),
    click.option(
        "--seconds",
        type=click.FloatRange(min=0, min_open=True),
        default=5.0,
        show_default=True,
        help="Time for each method; a slower one is measured on some of the slopes.",
    ),
    click.option(
        "--no-peers",
        "alone",
        is_flag=True,
        help="Leave JAX, PyTorch and CasADi out, even where they are installed.",
    ),
    outputs(
        "Write the report there, as .json, .png, .svg, .html or .md; may be given "
        "again."
    ),
    home="measures",
)
def contrast() -> None:
    """Differentiate a network by every method, side by side.

    Numeric, symbolic and automatic differentiation are each held against the slopes to
    50 digits, and measured: error, time, operations, memory. The exit code is 1 where a
    method disagrees beyond its own theory.

    \b
    Examples:
      symbackprop contrast examples/digits.toml
      symbackprop contrast examples/digits.toml --batch 1 -o contrast.html
      symbackprop contrast examples/digits.toml --json --no-peers
    """


@verb(
    click.argument("name", required=False),
    click.option(
        "--file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Measure this network, where the study takes one; else its own example.",
    ),
    SEED_OF_DRAWS,
    outputs(
        "Write the study there, as .png, .svg, .json, .html, .md or, of formulas, "
        ".tex; may be given again. With --all: the folder.",
        folders=True,
    ),
    click.option(
        "--all", "every", is_flag=True, help="Run every study, and write one page."
    ),
    home="measures",
    file=False,
)
def study() -> None:
    """Run a study of differentiation: a figure, and what it shows.

    Without NAME, list the studies.

    \b
    Examples:
      symbackprop study
      symbackprop study symbolic-costs -o symbolic_costs.svg
      symbackprop study loss-surface --file examples/digits.toml --seed 3
      symbackprop study --all -o studies
    """
