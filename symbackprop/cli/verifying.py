"""The verb on other people's formulas: its options and help."""

from __future__ import annotations

import click

from symbackprop.cli.options import LANGUAGE, outputs, verb


@verb(
    click.argument("asked", nargs=-1, required=True, metavar="[FILE] [CLAIM]..."),
    click.option(
        "--layout",
        type=click.Choice(["denominator", "numerator"]),
        help="Of derivatives in matrix form; else what the file says, or denominator.",
    ),
    LANGUAGE,
    outputs("Write the report there, as .tex, .html, .md or .pdf; may be given again."),
    home="verdicts",
    file=False,
)
def verify() -> None:
    """Put formulas about a network, or about functions, to the test.

    FILE declares a network, a program, or claims with the programs they are about; a
    CLAIM is a formula in the grammar of equations. Without FILE a claim is about
    functions of numbers, or about any network. A formula that is wrong is answered by a
    counterexample and by the formula that holds.

    `D(L, W1[i, j])` is the slope of the objective of one sample, `delta1[i]` an error
    term, `f1` the activation of layer 1, `tanh'` a slope; matrix form has `@`, `.T`,
    `o`, `diag(...)` and `I`. A claim that begins with a minus stands behind `--`.

    \b
    Examples:
      symbackprop verify examples/digits.toml "D(L, W2[i, j]) = delta2[i]*a1[j]"
      symbackprop verify examples/digits.toml "delta1 = f1'(z1) o (W2.T @ delta2)"
      symbackprop verify "D(softplus(x), x) = logistic(x)"
      symbackprop verify -- "-1 < tanh(x) < 1"
      symbackprop verify examples/chapter4/claims.toml -o verdicts.html
    """
