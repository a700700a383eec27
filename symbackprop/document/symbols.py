r"""How names are written: `W1` is W^{(1)}, `alpha` a Greek letter, `p_sum` p_{sum}.

Every tensor, constant and index of a system gets one symbol. Two names that would look
the same are told apart by writing the later one as it was declared, in typewriter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.equations import System, tensor_of

_LOWER = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
    "sigma tau upsilon phi chi psi omega"
)
_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"

# Letters that are written with a command of LaTeX. `lam` is how Python programs spell
# lambda, which is a keyword there.
GREEK: dict[str, str] = {name: f"\\{name}" for name in f"{_LOWER} {_UPPER}".split()}
GREEK |= {"epsilon": r"\varepsilon", "phi": r"\varphi", "lam": r"\lambda"}

LONGEST = 24  # a longer name is shortened where it stands in a formula

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "…": r"\ldots{}",
    **{character: f"\\{character}" for character in "#$%&_{}"},
}


def escape(text: str) -> str:
    r"""Text as LaTeX prints it, whatever characters it holds.

    >>> escape("100% of a_b")
    '100\\% of a\\_b'
    """
    return "".join(_character(character) for character in text)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character if character.isprintable() else " "
    return f"U+{ord(character):04X}"


def prose(text: str) -> str:
    r"""Words of a phrase as LaTeX prints them: letters of every script stay.

    >>> print(prose("100% of 梯度"))
    100\% of 梯度
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


@dataclass(frozen=True)
class Symbol:
    r"""A letter or word with its scripts: `stem^{(number)}_{label, subscripts}`."""

    stem: str
    number: str = ""
    label: str = ""

    @property
    def scripted(self) -> bool:
        """Whether it carries a superscript, so that a power needs parentheses."""
        return bool(self.number)

    def at(self, subscripts: Sequence[str] = ()) -> str:
        r"""The symbol with subscripts: `W^{(1)}_{i j}`, `p_{\mathrm{sum}, t}`."""
        above = f"^{{({self.number})}}" if self.number else ""
        below = ",".join(filter(None, (self.label, join(subscripts))))
        return f"{self.stem}{above}" + (f"_{{{below}}}" if below else "")


_LETTER = re.compile(r"([a-zA-Z]|\\[a-zA-Z]+)(_\{\d+\})?'*")


def join(subscripts: Sequence[str]) -> str:
    """Subscripts side by side where each is a letter, else with commas."""
    letters = all(_LETTER.fullmatch(subscript) for subscript in subscripts)
    return (" " if letters else ",").join(subscripts)


def spell(name: str) -> Symbol:
    r"""The natural way to write a name.

    >>> spell("W1").at(["i", "j"])
    'W^{(1)}_{i j}'
    >>> spell("p_sum").at(["t"])
    'p_{\\mathrm{sum},t}'
    >>> spell("log_p").at(["k"])
    '\\mathrm{log\\_p}_{k}'
    """
    found = re.fullmatch(r"([A-Za-z]+)(\d*)((?:_[A-Za-z0-9]+)*)", name)
    if found is None or len(name) > LONGEST:
        return verbatim(name)
    head, number, rest = found.groups()
    tail = rest.split("_")[1:]
    stem = _letter(head)
    if tail and not stem:
        whole = re.fullmatch(r"(.*?)(\d*)", head + number + rest)
        assert whole is not None
        return Symbol(f"\\mathrm{{{escape(whole[1])}}}", whole[2])
    if not number and len(tail) == 1 and tail[0].isdigit():
        number, tail = tail[0], []
    label = r"\,".join(f"\\mathrm{{{escape(part)}}}" for part in tail)
    return Symbol(stem or f"\\mathrm{{{escape(head)}}}", number, label)


def logarithm(name: str) -> Symbol:
    r"""The name that a derivation gives to a logarithm, as one.

    >>> logarithm("log_p1").at(["k"]), logarithm("log_1_minus_p").at(["k"])
    ('\\log p^{(1)}_{k}', '\\log (1 - p)_{k}')
    """
    rest = name.removeprefix("log_")
    inner = spell(rest.removeprefix("1_minus_"))
    stem = f"(1 - {inner.stem})" if rest.startswith("1_minus_") else inner.stem
    return Symbol(f"\\log {stem}", inner.number, inner.label)


def _letter(head: str) -> str:
    """A single or Greek letter as LaTeX; "" for a word."""
    if head in GREEK:
        return GREEK[head]
    return head if len(head) == 1 else ""


def verbatim(name: str, number: int = 1) -> Symbol:
    """A name as it was declared; one that is too long is shortened and numbered."""
    if len(name) <= LONGEST:
        return Symbol(f"\\mathtt{{{escape(name)}}}")
    return Symbol(f"\\mathtt{{{escape(name[: LONGEST - 6])}\\ldots {number}}}")


class Symbols:
    """The symbols of a derivation: tensors, constants, indices, and what is left over.

    Args:
        system: everything that is named.
        adjoint_of: the tensor that each adjoint belongs to.
        gradients: those of them that are the slope by a parameter.
        errors: pre-activations. The adjoint of one is *the* error term of its layer,
            written with the layer's number alone, if the layer has no other.
        given: symbols of some tensors that are not spelt from their names.
        logarithms: tensors that the derivation made, and named `log_p`.
    """

    def __init__(
        self,
        system: System,
        adjoint_of: Mapping[str, str] | None = None,
        gradients: Iterable[str] = (),
        errors: Iterable[str] = (),
        given: Mapping[str, Symbol] | None = None,
        logarithms: Iterable[str] = (),
    ) -> None:
        self._adjoint_of = dict(adjoint_of or {})
        self._gradients = frozenset(gradients)
        self._symbols: dict[str, Symbol] = {}
        self._indices: dict[str, str] = {}
        self._taken: set[str] = set()  # whole symbols
        self._stems: set[str] = set()  # and the letters in them
        self._logarithms = frozenset(logarithms)
        for symbol in (given or {}).values():
            self._taken.add(symbol.at())
            self._stems.add(symbol.stem)
        self._taken |= _constants(system)
        letters: dict[str, int] = {}
        for axis in sorted(system.axes.values(), key=lambda a: a.rank):
            origin = axis.of or axis.name
            letters[origin] = letters.get(origin, -1) + 1
            if not axis.of:
                symbol = self._claim(axis.name)
                number = f"_{{{symbol.number}}}" if symbol.number else ""
                base = symbol.stem + (number or symbol.at()[len(symbol.stem) :])
                self._indices[axis.name] = base
            else:
                self._indices[axis.name] = self._indices[origin] + "'" * letters[origin]
        for constant in sorted(system.constants.values(), key=lambda c: c.rank):
            self._symbols[constant.name] = self._claim(constant.name)
        for tensor in sorted(system.tensors.values(), key=lambda t: t.rank):
            if tensor.name not in self._adjoint_of:
                symbol = (given or {}).get(tensor.name) or self._claim(tensor.name)
                self._symbols[tensor.name] = symbol
        layers = Counter(self._symbols[tensor].number for tensor in set(errors))
        for adjoint, origin in self._adjoint_of.items():
            if adjoint not in self._gradients:
                only = layers[self._symbols[origin].number] == 1
                alone = only and origin in errors
                self._symbols[adjoint] = self._claim_adjoint(origin, alone)
        self.samples = self.unused("N", "M", "B", r"\mathcal{N}")
        self.sample = self.unused("n", "m", "s", "b", r"\nu")
        self.batched = system.batched
        objective = self._symbols[system.objective].at()
        self.value = r"\mathcal{R}" if system.batched else objective
        # Without a batch the objective's equation may have a slope of its own by a
        # parameter, which is written with the same two letters.
        direct = {
            tensor_of(read)
            for equation in system.equations
            if equation.tensor == system.objective
            for read in equation.reads()
        }
        reached = {self._adjoint_of[gradient] for gradient in self._gradients}
        total = not system.batched and bool(reached & direct)
        self.slope = r"\mathrm{d}" if total else r"\partial"
        self.objective = objective

    def _claim(self, name: str) -> Symbol:
        symbol = logarithm(name) if name in self._logarithms else spell(name)
        attempt = 1
        while symbol.at() in self._taken:
            symbol = verbatim(name, attempt)
            if attempt > 1 and len(name) <= LONGEST:
                symbol = Symbol(symbol.stem, str(attempt))
            attempt += 1
        self._taken.add(symbol.at())
        self._stems.add(symbol.stem)
        return symbol

    def _claim_adjoint(self, origin: str, alone: bool) -> Symbol:
        r"""`\delta^{(1)}` for a pre-activation `z1`, else `\delta^{(1)}_{a}`."""
        of = self._symbols[origin]
        label = ",".join(filter(None, (of.stem, of.label)))
        symbol = Symbol(r"\delta", of.number, "" if alone else label)
        if symbol.at() in self._taken:
            symbol = Symbol(r"\delta", label=of.at())
        self._taken.add(symbol.at())
        return symbol

    def unused(self, *candidates: str) -> str:
        """The first of the candidates that nothing declared looks like; it is kept."""
        chosen = next(
            (c for c in candidates if self.is_free(c)), f"\\hat{{{candidates[0]}}}"
        )
        self._stems.add(chosen)
        return chosen

    @property
    def mean(self) -> str:
        """What stands before the mean over the batch."""
        return f"\\frac{{1}}{{{self.samples}}} \\sum_{{{self.sample}}}"

    def is_free(self, latex: str) -> bool:
        """Whether no declared name looks like this."""
        return latex not in self._taken | self._stems

    def has_letter(self, latex: str) -> bool:
        """Whether some declared name is written with this letter."""
        return latex in self._stems

    def index(self, name: str) -> str:
        """An index letter: `i1` is `i_{1}`, the spare letter over `j` is `j'`."""
        return self._indices[name]

    def scalar(self, name: str) -> Symbol:
        """The symbol of a constant, or of a tensor that is not a parameter's slope."""
        return self._symbols[name]

    def scripted(self, name: str) -> bool:
        """Whether a power of a read of this tensor needs parentheses."""
        spelt = name in self._gradients or name in self._logarithms
        return spelt or self._symbols[name].scripted

    def read(self, name: str, subscripts: Sequence[str] = ()) -> str:
        r"""A tensor at subscripts; adjoints as `\delta_{z,i}`, slopes as fractions."""
        if name in self._gradients:
            below = self._symbols[self._adjoint_of[name]].at(subscripts)
            return f"\\frac{{{self.slope} {self.value}}}{{{self.slope} {below}}}"
        return self._symbols[name].at(subscripts)


def _constants(system: System) -> set[str]:
    """The signs of e and pi, where a formula holds them as numbers."""
    bodies = [term.body for e in system.equations for term in e.terms]
    found = {"e"} if any(body.has(sympy.E) for body in bodies) else set()
    circles = any(
        part is sympy.pi or part.func.__name__ == "gelu"
        for body in bodies
        for part in sympy.preorder_traversal(body)
    )
    return found | ({r"\pi"} if circles else set())
