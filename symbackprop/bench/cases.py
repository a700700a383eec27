"""What is measured: networks, batches and precisions. Nothing else knows this list."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import groupby
from typing import Self

import numpy as np

from symbackprop.errors import InputError, short
from symbackprop.network import Dtype

# Drawn networks stay below these, so that each is measured within seconds.
MOST_PARAMETERS, MOST_PRODUCTS = 700_000, 2e8

EPOCH = 1797  # samples of an epoch: as many as there are in the digits' data

_NUMBER = r"[1-9]\d{0,5}"
_RUN = rf"{_NUMBER}(?:x[1-9]\d{{0,2}})?"
_CASE = re.compile(
    rf"(?P<widths>{_RUN}(?:-{_RUN})+),(?P<batch>{_NUMBER})"
    r"(?P<epoch>,epoch)?(?:,(?P<dtype>float32|float64))?"
)


@dataclass(frozen=True)
class Case:
    """A dense network: tanh, then softmax and cross-entropy, mean over a batch.

    Attributes:
        widths: inputs, hidden units, outputs.
        batch: samples in a batch.
        dtype: the precision.
        samples: 0 to time one loss and gradient, else the samples of an epoch of Adam.

    >>> print(Case((8, 32, 32, 32, 4), 16))
    8-32x3-4, 16
    """

    widths: tuple[int, ...]
    batch: int
    dtype: Dtype = "float32"
    samples: int = 0

    @classmethod
    def of(cls, text: str) -> Self:
        """Read `WIDTHS,BATCH[,epoch][,DTYPE]`; `32x3` stands for three layers of 32.

        >>> Case.of("8-32x3-4, 16") == Case((8, 32, 32, 32, 4), 16)
        True

        Raises:
            InputError: the text says something else.
        """
        found = _CASE.fullmatch(text.replace(" ", ""))
        if not found:
            raise InputError(
                f"case {short(text)}: give widths from inputs to outputs and a batch, "
                "as in `64-32-10,32`, `8-32x3-4,1,float64` or `64-32-10,32,epoch`."
            )
        widths: list[int] = []
        for part in found["widths"].split("-"):
            width, _, count = part.partition("x")
            widths += [int(width)] * int(count or 1)
        samples = EPOCH if found["epoch"] else 0
        dtype: Dtype = "float64" if found["dtype"] == "float64" else "float32"
        return cls(tuple(widths), int(found["batch"]), dtype, samples)

    @property
    def parameters(self) -> int:
        """How many numbers the weights and biases are."""
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return sum((inputs + 1) * outputs for inputs, outputs in pairs)

    @property
    def network(self) -> str:
        """The widths, with runs of equal ones counted."""
        runs = ((width, len(list(run))) for width, run in groupby(self.widths))
        return "-".join(
            f"{width}x{count}" if count > 2 else "-".join([str(width)] * count)
            for width, count in runs
        )

    def __str__(self) -> str:
        kind = ", epoch" if self.samples else ""
        precision = ", float64" if self.dtype == "float64" else ""
        return f"{self.network}, {self.batch}{kind}{precision}"


def drawn(count: int, seed: int) -> tuple[Case, ...]:
    """Networks of random widths and depths at random batches, the same for a seed.

    >>> drawn(2, seed=0) == drawn(3, seed=0)[:2]
    True
    """
    rng = np.random.default_rng(seed)
    cases: list[Case] = []
    while len(cases) < count:
        depth = int(rng.integers(1, 6))
        widest = math.exp(rng.uniform(math.log(8), math.log(800)))
        ends = rng.uniform(math.log(3), math.log(widest), depth + 1)
        outputs = int(rng.integers(3, 33))
        widths = (*(round(math.exp(end)) for end in ends), outputs)
        case = Case(widths, 2 ** int(rng.integers(0, 11)))
        if (
            case.parameters <= MOST_PARAMETERS
            and case.parameters * case.batch <= MOST_PRODUCTS
        ):
            cases.append(case)
    return tuple(cases)


CASES = (
    # control loops
    Case((3, 4, 3), 1),
    Case((4, 8, 3), 1),
    Case((4, 16, 16, 3), 1),
    Case((12, 32, 32, 4), 1),
    # small
    Case((4, 8, 3), 32),
    Case((4, 8, 3), 1024),
    Case((64, 32, 10), 1),
    Case((64, 32, 10), 32),
    Case((64, 32, 10), 128),
    Case((64, 32, 10), 1024),
    # deep and narrow
    Case((32,) * 21 + (10,), 1),
    Case((32,) * 21 + (10,), 32),
    Case((32,) * 21 + (10,), 256),
    # large
    Case((784, 128, 10), 1),
    Case((784, 128, 10), 128),
    Case((784, 512, 512, 10), 32),
    Case((784, 512, 512, 10), 256),
    # beside generated C
    Case((4, 8, 3), 1, "float64"),
    Case((12, 32, 32, 4), 1, "float64"),
    Case((64, 32, 10), 1, "float64"),
    # training
    Case((64, 32, 10), 32, samples=EPOCH),
)
