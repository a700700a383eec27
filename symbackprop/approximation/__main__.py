"""`python -m symbackprop.approximation`: fit all polynomials and write them down."""

from __future__ import annotations

import math
from pathlib import Path

from symbackprop.approximation.remez import Fit
from symbackprop.approximation.targets import fits

PATH = Path(__file__).with_name("coefficients.py")

HEAD = '''"""Coefficients of the vector functions, lowest power first, and their bounds.

Written by `python -m symbackprop.approximation` from what `targets` states.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.approximation.remez import Fit

COEFFICIENTS: Mapping[tuple[str, str], Fit] = {
'''


def entry(name: str, dtype: str, fit: Fit) -> str:
    """One polynomial as text; every number reads back as it is."""
    lines = [f"            {number!r},\n" for number in fit.coefficients]
    return (
        f'    ("{name}", "{dtype}"): Fit(\n        (\n{"".join(lines)}        ),\n'
        f"        {fit.bound:.4e},  # 2^{math.log2(fit.bound):.1f}\n    ),\n"
    )


def main() -> None:
    body = "".join(entry(*found) for found in fits())
    PATH.write_text(HEAD + body + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
