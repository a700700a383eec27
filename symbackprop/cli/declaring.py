"""The verbs on one network's file: their options and help."""

from __future__ import annotations

from pathlib import Path

import click

from symbackprop.cli.options import DTYPE, FOLDER, LANGUAGE, SEED, verb


@verb(FOLDER, DTYPE, SEED)
def run() -> None:
    """Derive, emit, compile, check and train.

    \b
    Example:
      symbackprop run examples/digits.toml
    """


@verb(
    click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        help="Write the derivation there, as .tex, .html, .md or .pdf (`-`: LaTeX on "
        "stdout).",
    ),
    LANGUAGE,
    click.option(
        "--notation",
        type=click.Choice(["both", "index", "matrix"]),
        default="both",
        show_default=True,
        help="Equations with indices, in matrix form, or both.",
    ),
    click.option(
        "--contrast",
        is_flag=True,
        help="Add what `symbackprop contrast` measures to an .html page.",
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


@verb(
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


@verb(FOLDER, DTYPE)
def check() -> None:
    """Hold derivation and kernels against witnesses.

    \b
    Example:
      symbackprop check examples/digits.toml --dtype float64
    """


@verb(
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
