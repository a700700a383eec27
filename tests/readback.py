r"""A reader of the printed index notation: LaTeX -> numbers at one point of the judge.

It knows how a reader of the chapter reads, and nothing of how it was printed: a sum
runs to the end of its product, a bracket is 1 or 0, a tensor that is declared zero
outside its axes is. Every index letter is one dimension of a NumPy array, the batch the
first. What is read outside a tensor's axes is not a number, so that a condition that
was lost does not go unnoticed.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy import special

from symbackprop.argument.judge import BATCH
from symbackprop.document.account import Account
from symbackprop.equations import tensor_of

Array = np.ndarray[Any, Any]


class UnreadableError(Exception):
    """LaTeX that the reader does not know."""


def _choice(test: Callable[[Array], Array], yes: Any, no: Any) -> Callable[..., Array]:
    return lambda x, *more: np.where(test(np.real(x)), yes(x, *more), no(x, *more))


def _clip(x: Array) -> Array:
    return np.where(np.real(x) <= 0, 0, np.where(np.real(x) >= 1, 1, x))


# By what a reader knows them as; they take complex numbers, for the sake of slopes.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    r"\exp": np.exp,
    r"\log": np.log,
    r"\sin": np.sin,
    r"\cos": np.cos,
    r"\tanh": np.tanh,
    r"\sigma": lambda x: 1 / (1 + np.exp(-x)),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "hard_logistic": lambda x: _clip(0.5 + x / 4),
    "hard_tanh": lambda x: 2 * _clip((x + 1) / 2) - 1,
    "relu": _choice(lambda x: x > 0, lambda x: x, lambda x: 0 * x),
    "leaky_relu": _choice(lambda x: x > 0, lambda x, r: x, lambda x, r: r * x),
    "prelu": _choice(lambda x: x > 0, lambda x, r: x, lambda x, r: r * x),
    "elu": _choice(lambda x: x > 0, lambda x, r: x, lambda x, r: r * (np.exp(x) - 1)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + special.erf(x / math.sqrt(2))) / 2,
    "erf": special.erf,
    "erfc": special.erfc,
    "sgn": np.sign,
    r"\max": np.maximum,
    r"\min": np.minimum,
}
SIZES = re.compile(r"\\(?:[bB]igg?[lr]?|left|right)(?![A-Za-z])")
SPACE = re.compile(r"(?:\s|\\[,;!])*")
NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?:\\ldots)?")
CALL = re.compile(
    r"(?:\\operatorname\{((?:[^{}]|\\mbox\{-\})*)\}|(\\[a-z]+))('(?:_\{(\d+)\})?)?\("
)
REDUCTION = re.compile(r"\\(sum|max|min|operatorname\*\{arg\\,(?:max|min)\})_(?=\{)")
STOP = re.compile(r"$|[-+)\]}&,<>=/]|\\(?:\\|(?:le|ge|ne|land|lor|end|rvert|text)\b)")
RELATION = re.compile(r"<|>|=|\\(?:le|ge|ne)\b")
COMPARE = {"<": operator.lt, ">": operator.gt, "=": operator.eq}
COMPARE |= {r"\le": operator.le, r"\ge": operator.ge, r"\ne": operator.ne}
STEP = 1e-30  # along the imaginary axis: no difference is taken, so none cancels


class Reader:
    """Reads formulas of one account at one point of its judge."""

    def __init__(self, account: Account, point: Any) -> None:
        self.point = point
        system, symbols = account.judge.system, account.symbols
        self.system, self.symbols = system, symbols
        self.constants = {n: float(c.value) for n, c in system.constants.items()}
        origins = account.derivation.adjoint_of
        self.gradients = {origins[name]: name for name in account.gradients}
        forward = {e.tensor: e for e in account.derivation.forward}
        self.own = {tensor_of(read) for read in forward[system.objective].reads()}
        # Each beginning of a symbol, with what may stand first below it.
        self.heads: dict[str, list[tuple[str, str]]] = {}
        for name in [*system.tensors, *system.constants]:
            if name not in account.gradients:
                symbol = symbols.scalar(name)
                above = f"^{{({symbol.number})}}" if symbol.number else ""
                labels = self.heads.setdefault(symbol.stem + above, [])
                labels.append((symbol.label, name))
        self.indices = {symbols.index(a): system.size(a) for a in system.axes}

    def start(self, texts: Iterable[str]) -> None:
        """Lay out the letters that some texts may hold: one dimension for each."""
        whole = " ".join(texts)
        letters = [letter for letter in self.indices if letter in whole]
        self.rank = 1 + len(letters)
        self.places = {letter: 1 + n for n, letter in enumerate(letters)}
        self.places[self.symbols.sample] = 0

    def read(self, text: str) -> Array:
        """A formula's values, one dimension for every letter."""
        with np.errstate(all="ignore"):
            return self.part(SIZES.sub("", text), "sum")

    def part(self, text: str, rule: str) -> Any:
        found = _Text(self, text)
        value = getattr(found, rule)()
        found.expect("")
        return value

    def spread(self, array: Array, letters: Iterable[str]) -> Array:
        """An array with these letters' axes (behind the batch, if any), laid out."""
        places = [self.places[letter] for letter in letters]
        places = [0, *places] if array.ndim > len(places) else places
        order = sorted(range(len(places)), key=lambda n: places[n])
        shape = [1] * self.rank
        for place, size in zip(places, array.shape, strict=True):
            shape[place] = size
        return array.transpose(order).reshape(shape)

    def size(self, letter: str) -> int:
        return BATCH if letter == self.symbols.sample else self.indices[letter]

    def at(self, array: Array, subscripts: list[Array], outside: float) -> Array:
        """Entries at subscripts; `outside` where they leave an axis."""
        shape = array.shape[array.ndim - len(subscripts) :]
        whole = [np.rint(s).astype(int).reshape(s.shape) for s in subscripts]
        inside: Any = np.ones((1,) * self.rank, dtype=bool)
        for subscript, size in zip(whole, shape, strict=True):
            inside = inside & (subscript >= 0) & (subscript < size)
        picked = [np.clip(s, 0, n - 1) for s, n in zip(whole, shape, strict=True)]
        if array.ndim > len(subscripts):
            batch = np.arange(len(array)).reshape(-1, *(1,) * (self.rank - 1))
            picked = [batch, *picked]
        values = array[tuple(picked)] if picked else array.reshape((1,) * self.rank)
        return np.where(inside, values, outside)


class _Text:
    """One text and how far it is read."""

    def __init__(self, reader: Reader, text: str) -> None:
        self.reader, self.text, self.place = reader, text, 0

    # --- signs ------------------------------------------------------------------------

    def take(self, sign: str | re.Pattern[str]) -> re.Match[str] | None:
        """Step over spaces and a sign, if it is next; a command is taken whole."""
        start = SPACE.match(self.text, self.place)
        assert start is not None
        if isinstance(sign, str):
            whole = r"(?![A-Za-z])" if re.fullmatch(r"\\[A-Za-z]+", sign) else ""
            sign = re.compile(re.escape(sign) + whole)
        found = sign.match(self.text, start.end())
        self.place = found.end() if found else self.place
        return found

    def next(self, sign: re.Pattern[str]) -> bool:
        place = self.place
        found = self.take(sign) is not None
        self.place = place
        return found

    def expect(self, sign: str) -> None:
        """A sign that must be next; "" is the end."""
        if self.take(sign or re.compile("$")) is None:
            rest = self.text[self.place :]
            raise UnreadableError(f"not {sign or 'the end'!r}: {rest!r} {self.text!r}")

    def group(self) -> str:
        """What the next braces hold."""
        self.expect("{")
        start, depth = self.place, 1
        while depth:
            if self.place == len(self.text):
                raise UnreadableError(self.text)
            depth += {"{": 1, "}": -1}.get(self.text[self.place], 0)
            self.place += 1
        return self.text[start : self.place - 1]

    # --- arithmetic -------------------------------------------------------------------

    def sum(self) -> Array:
        minus = self.take("-") or (self.take("+") and None)
        total = -self.product() if minus else self.product()
        while sign := self.take(re.compile("[-+/]")):
            other = self.power() if sign[0] == "/" else self.product()
            apply = {"+": operator.add, "-": operator.sub, "/": operator.truediv}
            total = apply[sign[0]](total, other)
        return total

    def product(self) -> Array:
        """Factors side by side; 0 where a bracket is, whatever is undefined there."""
        if self.next(STOP):
            raise UnreadableError(f"no factor at {self.text[self.place :]!r}")
        value, holds = np.ones((1,) * self.reader.rank), np.array(True)
        while not self.next(STOP):
            if self.take(r"\cdot"):
                continue
            if found := self.take(REDUCTION):
                value = value * self.reduction(found[1])
            elif self.take("["):
                holds = holds & self.condition()
                self.expect("]")
            else:
                value = value * self.power()
        return np.where(holds, value, 0)

    def power(self) -> Array:
        base = self.atom()
        return base ** self.reader.part(self.group(), "sum") if self.take("^") else base

    def reduction(self, kind: str) -> Array:
        """A sum or an extremum, to the end of the product that it stands in."""
        reader, below = self.reader, self.group()
        stacked = below.startswith(r"\substack{")
        letters, *conditions = (below[10:-1] if stacked else below).split(r"\\")
        names = [letter.strip() for letter in letters.split(",")]
        places = [reader.places[name] for name in names]
        holds = np.array(True)
        for condition in conditions:
            holds = holds & reader.part(condition.strip(), "condition")
        body = self.product()
        shape = list(np.broadcast_shapes(body.shape, holds.shape))
        for name, place in zip(names, places, strict=True):
            shape[place] = reader.size(name)
        body, holds = np.broadcast_to(body, shape), np.broadcast_to(holds, shape)
        axes = tuple(places)
        if kind == "sum":
            return np.where(holds, body, 0).sum(axes, keepdims=True)
        sign = -1 if "min" in kind else 1
        body = np.where(holds, sign * body, -np.inf)
        if kind in ("max", "min"):
            return sign * body.max(axes, keepdims=True)
        last = np.moveaxis(body, axes, range(-len(axes), 0))
        flat = last.reshape(*last.shape[: -len(axes)], -1).argmax(-1)
        return np.expand_dims(flat, sorted(axes))

    # --- atoms ------------------------------------------------------------------------

    def atom(self) -> Array:
        reader = self.reader
        if found := self.take(NUMBER):
            return np.full((1,) * reader.rank, float(found[1]))
        for opening, closing in (("(", ")"), (r"\lvert", r"\rvert")):
            if self.take(opening):
                value = self.sum()
                self.expect(closing)
                return value if closing == ")" else np.abs(value)
        if self.take(r"\frac"):
            above, below = self.group(), self.group()
            for d in (r"\partial ", r"\mathrm{d} "):
                if above.startswith(d) and below.startswith(d):
                    return self.slope(d, above[len(d) :], below[len(d) :])
            return reader.part(above, "sum") / reader.part(below, "sum")
        if self.take(r"\sqrt"):
            return np.sqrt(reader.part(self.group(), "sum"))
        if self.take(r"\begin{cases}"):
            return self.cases()
        if (symbol := self.symbol()) is not None:
            return self.entry(*symbol)
        if found := self.take(CALL):
            return self.call(found)
        for letter in sorted(reader.places, key=len, reverse=True):
            if letter != reader.symbols.sample and self.take(letter):
                size = reader.indices[letter]
                return reader.spread(np.arange(float(size)), [letter])
        known = {reader.symbols.samples: BATCH, "e": math.e, r"\pi": math.pi}
        for text, number in known.items():
            if self.take(text):
                return np.full((1,) * reader.rank, float(number))
        raise UnreadableError(f"{self.text[self.place :]!r} in {self.text!r}")

    def symbol(self) -> tuple[str, list[Array]] | None:
        """A name with its subscripts, if one is next."""
        start = self.place
        for head in sorted(self.reader.heads, key=len, reverse=True):
            if self.take(head):
                below = self.group() if self.take("_") else ""
                labels = sorted(self.reader.heads[head], key=lambda h: -len(h[0]))
                for label, name in labels:
                    subscripts = self.subscripts(label, name, below)
                    if subscripts is not None:
                        return name, subscripts
            self.place = start
        return None

    def subscripts(self, label: str, name: str, below: str) -> list[Array] | None:
        """Subscripts behind a label; None where they do not fit the name."""
        system = self.reader.system
        count = len(system.tensors[name].axes) if name in system.tensors else 0
        if label and not f"{below},".startswith(f"{label},"):
            return None
        rest = below[len(label) :].removeprefix(",") if label else below
        parts, depth = [""] if rest else [], 0
        for character in rest:
            depth += {"{": 1, "}": -1}.get(character, 0)
            if character == "," and not depth and not parts[-1].endswith("\\"):
                parts.append("")
            else:
                parts[-1] += character
        if len(parts) == 1 and count > 1:
            parts = rest.split(" ")  # letters side by side
        if len(parts) != count:
            return None
        return [self.reader.part(part, "sum") for part in parts]

    def entry(self, name: str, subscripts: list[Array]) -> Array:
        reader = self.reader
        if name in reader.constants:
            return np.full((1,) * reader.rank, reader.constants[name])
        array = np.asarray(reader.point.value(name))
        zero = reader.system.tensors[name].zero_outside
        return reader.at(array, subscripts, 0.0 if zero else math.nan)

    def slope(self, d: str, above: str, below: str) -> Array:
        """A gradient, or the slope of one equation by a tensor that it reads."""
        reader = self.reader
        name, subscripts = reader.part(below, "symbol")
        # Of L itself, a partial derivative is that of its equation, if it has one.
        direct = d == r"\partial " and above == reader.symbols.objective
        total = above == reader.symbols.value and not (direct and name in reader.own)
        if total and name in reader.gradients:
            return self.entry(reader.gradients[name], subscripts)
        tensor, first = reader.part(above, "symbol")
        array = np.asarray(reader.point.partial(tensor, name))
        return reader.at(array, [*first, *subscripts], math.nan)

    def call(self, found: re.Match[str]) -> Array:
        name = found[2] or found[1].replace(r"\mbox{-}", "_")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.expect(")")
        function = FUNCTIONS.get(name)
        if function is None:
            raise UnreadableError(f"the function {name}")
        if not found[3]:
            return np.asarray(function(*arguments))
        place = int(found[4] or 1) - 1
        arguments[place] = arguments[place] + STEP * 1j
        return np.imag(function(*arguments)) / STEP

    # --- conditions -------------------------------------------------------------------

    def cases(self) -> Array:
        """The first row whose condition holds."""
        rows: list[tuple[Array, Array]] = []
        while not rows or self.take(r"\\"):
            value = self.sum()
            self.expect("&")
            otherwise = self.take(r"\text{otherwise}")
            rows.append((value, np.array(True) if otherwise else self.condition()))
        self.expect(r"\end{cases}")
        found: Any = np.array(math.nan)
        for value, holds in reversed(rows):
            found = np.where(holds, value, found)
        return found

    def condition(self) -> Array:
        holds = self.comparison()
        while joint := self.take(re.compile(r"\\(land|lor)\b")):
            other = self.comparison()
            holds = holds & other if joint[1] == "land" else holds | other
        return holds

    def comparison(self) -> Array:
        if self.take(r"\lnot"):
            return ~self.comparison()
        start = self.place
        if self.take("("):
            try:
                holds = self.condition()
                self.expect(")")
            except UnreadableError:
                self.place = start  # a number in parentheses
            else:
                return holds
        sides, holds = self.sum(), np.array(True)
        if not self.next(RELATION):
            raise UnreadableError(f"no relation: {self.text[self.place :]!r}")
        while sign := self.take(RELATION):
            other = self.sum()
            holds, sides = holds & COMPARE[sign[0]](sides, other), other
        return holds
