"""`assert_methods_agree`: all methods of differentiation on one declared program."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.costs import costs
from symbackprop.derivation import HasProgram, derive
from symbackprop.errors import GradientError, InputError, short
from symbackprop.kernels import compile
from symbackprop.program import Program
from symbackprop.proof import Derivation
from symbackprop.testing.causes import Evidence, likely_cause
from symbackprop.testing.entries import Array, Entries
from symbackprop.witnesses.differences import EPS, Estimate, one_sided, richardson
from symbackprop.witnesses.draws import draw
from symbackprop.witnesses.slopes import complex_step, dual_slope, value

ALL = 64  # entries up to which each is looked at; of more, so many are
DIRECTIONS = 4  # along which the whole gradient is, in any case
ULPS = 4  # the promise for a scalar function of compiled code
BESIDE = 2.0**-20  # where the sides of a point are looked at


@dataclass(frozen=True)
class Subject:
    """A program at drawn values, and a folder for its kernels."""

    derivation: Derivation
    values: Mapping[str, Array]
    entries: Entries
    folder: Path

    @property
    def program(self) -> Program:
        """What is declared."""
        return self.derivation.program

    @property
    def theta(self) -> Array:
        """All parameters as one vector."""
        return self.entries.flat({n: self.values[n] for n in self.entries.shapes}, "x")

    def at(self, theta: Array) -> dict[str, Any]:
        """All values, with other parameters."""
        return {**self.values, **self.entries.arrays(theta)}

    def f(self, theta: Array) -> float:
        """The value of the forward equations."""
        return float(value(self.program, self.at(theta)))


# What gives a slope along a direction, and what it adds to the error of rounding.
Method = Callable[[Subject], Callable[[Array], Estimate]]


def _compiled(subject: Subject) -> Callable[[Array], Estimate]:
    kernels = compile(subject.derivation, "float64", subject.folder)
    data = [subject.values[t.name] for t in subject.program.data]
    parameters = {name: subject.values[name] for name in subject.entries.shapes}
    _, gradient = kernels.value_and_grad(kernels.pack(parameters), *data)
    flat = subject.entries.flat(kernels.unpack(gradient), "gradient")
    return lambda along: (float(flat @ along), 0.0)


def _complex(subject: Subject) -> Callable[[Array], Estimate]:
    values, arrays = subject.values, subject.entries.arrays
    return lambda along: (complex_step(subject.program, values, arrays(along)), 0.0)


def _duals(subject: Subject) -> Callable[[Array], Estimate]:
    values, arrays = subject.values, subject.entries.arrays
    return lambda along: (dual_slope(subject.program, values, arrays(along)), 0.0)


def _differences(subject: Subject) -> Callable[[Array], Estimate]:
    return lambda along: richardson(subject.f, subject.theta, along)


METHODS: dict[str, Method] = {
    "the compiled kernel": _compiled,
    "complex step": _complex,
    "dual numbers": _duals,
    "central differences": _differences,
}


@dataclass(frozen=True)
class Agreement:
    """All methods agree on a program.

    Attributes:
        program: its name.
        methods: what was held against each other.
        entry: where two of them are farthest apart, in tolerances.
        apart: how far they are.
        tolerance: how far they may be.
        judged: how many entries were looked at.
        size: how many there are.
        corners: where a corner of the program lies at the drawn values.
    """

    program: str
    methods: tuple[str, ...]
    entry: str
    apart: float
    tolerance: float
    judged: int
    size: int
    corners: tuple[str, ...] = ()


def assert_methods_agree(
    source: Program | HasProgram, *, seed: int = 0, batch: int = 3
) -> Agreement:
    """The compiled kernel, complex step, dual numbers and differences say the same.

    Parameters and data are drawn by the seed. Two methods may be apart by rounding,
    `4 ulp sqrt(m) max(|gradient|, |value|)` with m the number of operations of value
    and gradient, counted from the equations; differences also by their own estimate.
    Up to 64 entries are looked at, all if there are no more, and 4 random directions.
    Where the program has a corner at the drawn values, differences say nothing of the
    convention that the others follow; that is reported, and is no failure.

    Args:
        source: a `Program` or a `Network`.
        seed: of the draws.
        batch: how many samples are drawn.

    Raises:
        GradientError: a method is alone. It names the method, the worst entry, what
            the methods say there, and the likely cause where the pattern is known.
        InputError: another source, seed or batch.
        CheckError: a kernel that its own check refuses.

    Source: Higham and Mary, A new approach to probabilistic rounding error analysis,
        SIAM J. Sci. Comput. 41 (2019): errors grow as the root of their number.

    >>> import symbackprop as sb
    >>> program = sb.Program(
    ...     equations="L = (w*x - y)**2 / 2",
    ...     axes={},
    ...     parameters={"w": ""},
    ...     data={"x": "", "y": ""},
    ...     objective="L",
    ... )
    >>> assert_methods_agree(program).judged
    1
    """
    for what, number, least in (("seed", seed, 0), ("batch", batch, 1)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(
                f"{what} is {short(number)}; give a whole number of at least {least}."
            )
    if not isinstance(source, Program) and not hasattr(source, "program"):
        raise InputError(
            f"source is {short(source)}; give a Program or a Network, or hold a "
            "function of your own against its gradient with assert_gradient."
        )
    derivation = derive(source)
    values = draw(derivation.program, np.random.default_rng(seed), batch)
    parameters = {t.name: values[t.name] for t in derivation.program.parameters}
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(derivation, values, Entries.of(parameters), Path(folder))
        slopes = {name: method(subject) for name, method in METHODS.items()}
        return Comparison(subject, slopes, seed, batch).agreement()


class Comparison:
    """What the methods say along each direction."""

    def __init__(
        self,
        subject: Subject,
        slopes: Mapping[str, Callable[[Array], Estimate]],
        seed: int,
        batch: int,
    ) -> None:
        self.subject, self.batch = subject, batch
        self.names = tuple(slopes)
        size = subject.entries.size
        rng = np.random.default_rng((seed, 1))
        chosen = sorted(rng.choice(size, min(ALL, size), replace=False).tolist())
        self.directions: list[tuple[int | None, Array]] = [
            (entry, np.eye(1, size, entry)[0]) for entry in chosen
        ]
        for _ in range(DIRECTIONS):
            self.directions.append((None, rng.uniform(-1, 1, size)))
        found = [[slopes[n](v) for n in self.names] for _, v in self.directions]
        self.values = np.array([[e[0] for e in row] for row in found])
        own = np.array([[e[1] for e in row] for row in found])
        self.tolerances = own + self._rounding()[:, None]

    def _rounding(self) -> Array:
        """What rounding may do to a slope along each direction."""
        counted = costs(self.subject.derivation)
        operations = self.batch * (counted.forward.total + counted.backward.total)
        entries = [place for place, _ in self.directions]
        agreed = np.nanmedian(self.values, axis=1)
        slopes = [abs(v) for v, e in zip(agreed, entries, strict=True) if e is not None]
        scale = max([abs(self.subject.f(self.subject.theta)), *slopes])
        lengths = np.array([np.linalg.norm(v) for _, v in self.directions])
        return np.asarray(ULPS * EPS * math.sqrt(operations) * scale * lengths)

    def apart(self, row: int) -> Array:
        """How many tolerances each two methods are apart along a direction."""
        values, tolerances = self.values[row], self.tolerances[row]
        apart = np.abs(values[:, None] - values)
        allowed = tolerances[:, None] + tolerances
        with np.errstate(all="ignore"):
            ratio = np.where(apart == 0, 0.0, apart / allowed)  # 0 of 0 is agreement
        return np.where(np.isnan(ratio), np.inf, ratio)

    def agreement(self) -> Agreement:
        """The verdict, or an error."""
        corners, rows = [], []
        for row, (_, along) in enumerate(self.directions):
            tolerance = float(self.tolerances[row].min())
            if self._most(row) > 1 and self._corner(along, tolerance):
                corners.append(
                    f"{self.subject.program.name} has a corner at the drawn values "
                    f"along {self._label(row)}: there is no one slope; not judged."
                )
            else:
                rows.append(row)
        wrong = [row for row in rows if self._most(row) > 1]
        if wrong:
            # An entry tells more than a direction.
            worst = max(wrong, key=lambda r: (self._is_entry(r), self._most(r)))
            raise GradientError("\n".join([self._complaint(worst), *corners]))
        program, entries = self.subject.program, self.subject.entries
        judged = sum(map(self._is_entry, rows))
        if not rows:
            none = ("nothing", 0.0, 0.0, judged, entries.size)
            return Agreement(program.name, self.names, *none, tuple(corners))
        worst = max(rows, key=self._most)
        first, second = divmod(int(self.apart(worst).argmax()), len(self.names))
        values, tolerances = self.values[worst], self.tolerances[worst]
        return Agreement(
            program.name,
            self.names,
            self._label(worst),
            float(abs(values[first] - values[second])),
            float(tolerances[first] + tolerances[second]),
            judged,
            entries.size,
            tuple(corners),
        )

    def _most(self, row: int) -> float:
        return float(self.apart(row).max())

    def _is_entry(self, row: int) -> bool:
        return self.directions[row][0] is not None

    def _label(self, row: int) -> str:
        entry = self.directions[row][0]
        if entry is None:
            return "a random direction"
        return self.subject.entries.label(entry)

    def _corner(self, along: Array, tolerance: float) -> bool:
        """Whether slopes just beside the point do not go into each other.

        Seen by differences from either side, or by complex steps beside the point: the
        bend of a smooth function goes to 0 with the distance, that of a corner stays.
        """
        subject, theta = self.subject, self.subject.theta
        right = one_sided(subject.f, theta, along)
        left = one_sided(subject.f, theta, -along)
        if abs(right[0] + left[0]) > right[1] + left[1] + tolerance:
            return True

        def bend(distance: float) -> float:
            here, plus, minus = (
                complex_step(
                    subject.program,
                    subject.at(theta + t * along),
                    subject.entries.arrays(along),
                )
                for t in (0.0, distance, -distance)
            )
            return max(abs(plus - minus), abs(here - (plus + minus) / 2))

        far, near = bend(BESIDE), bend(BESIDE / 16)
        return near > tolerance and near > far / 2

    def _complaint(self, row: int) -> str:
        said = dict(zip(self.names, self.values[row], strict=True))
        groups = self._groups(row)
        where = f"{self.subject.program.name}, at {self._label(row)}"
        told = "; ".join(f"{_listed(group)}: {said[group[0]]:.12g}" for group in groups)
        lone = [group[0] for group in groups if len(group) == 1]
        if len(groups) != 2 or len(lone) != 1:
            return (
                f"{where}: the methods disagree, and none is alone. {told} (tolerance "
                f"{self.tolerances[row].max():.1e})."
            )
        place = self.names.index(lone[0])
        text = (
            f"{where}: one method is alone, {lone[0]}. {told} (tolerance "
            f"{self.tolerances[row].max():.1e})."
        )
        cause = likely_cause(self._evidence(row, place))
        return f"{text}\nLikely cause: {cause}." if cause else text

    def _groups(self, row: int) -> list[list[str]]:
        """Methods that agree with one another, the largest group first."""
        apart, groups = self.apart(row), list[list[int]]()
        for k in range(len(self.names)):
            for group in groups:
                if all(apart[k, other] <= 1 for other in group):
                    group.append(k)
                    break
            else:
                groups.append([k])
        groups.sort(key=len, reverse=True)
        return [[self.names[k] for k in group] for group in groups]

    def _evidence(self, row: int, lone: int) -> Evidence:
        """One method's gradient of the tensor beside what the others agree on."""
        entries, size = self.subject.entries, self.subject.entries.size
        claimed, slopes, tolerance = (np.full(size, np.nan) for _ in range(3))
        others = [k for k in range(len(self.names)) if k != lone]
        for (entry, _), values, allowed in zip(
            self.directions, self.values, self.tolerances, strict=True
        ):
            if entry is not None:
                claimed[entry] = values[lone]
                slopes[entry] = np.median(values[others])
                tolerance[entry] = 2 * allowed.max()
        first = self.directions[row][0]
        name = entries.place(first if first is not None else 0)[0]
        found = entries.arrays(slopes)
        program = self.subject.program
        axes = {f"the size of axis {a.name}": a.size for a in program.axes.values()}
        return Evidence(
            name,
            entries.arrays(claimed)[name],
            found[name],
            entries.arrays(tolerance)[name],
            entries.arrays(self.subject.theta)[name],
            math.sqrt(EPS),
            {n: a for n, a in found.items() if n != name},
            {"the length of the batch": self.batch, **axes},
        )


def _listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
