"""Declare a neural network as equations; backpropagation is derived.

>>> import symbackprop as sb
>>> program = sb.Program(
...     equations="L = (w*x - y)**2 / 2",
...     axes={},
...     parameters={"w": ""},
...     data={"x": "", "y": ""},
...     objective="L",
... )
>>> derivation = sb.derive(program)

Every name below is imported when it is first used, so that `import symbackprop`
itself costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names again, for those who read types
    from symbackprop.claims import Verdict as Verdict
    from symbackprop.claims import verify as verify
    from symbackprop.contrast import Report as Report
    from symbackprop.contrast import contrast as contrast
    from symbackprop.derivation import derive as derive
    from symbackprop.documents import Document as Document
    from symbackprop.documents import document as document
    from symbackprop.equations import Axis as Axis
    from symbackprop.equations import Constant as Constant
    from symbackprop.equations import Equation as Equation
    from symbackprop.equations import System as System
    from symbackprop.equations import Tensor as Tensor
    from symbackprop.equations import Term as Term
    from symbackprop.errors import CheckError as CheckError
    from symbackprop.errors import DeclarationError as DeclarationError
    from symbackprop.errors import DivergenceError as DivergenceError
    from symbackprop.errors import GradientError as GradientError
    from symbackprop.errors import GrammarError as GrammarError
    from symbackprop.errors import InputError as InputError
    from symbackprop.errors import ShapeError as ShapeError
    from symbackprop.errors import SymbackpropError as SymbackpropError
    from symbackprop.files import load as load
    from symbackprop.kernels import Kernels as Kernels
    from symbackprop.kernels import compile as compile
    from symbackprop.layers import Activation as Activation
    from symbackprop.layers import Dense as Dense
    from symbackprop.layers import Equations as Equations
    from symbackprop.layers import Layer as Layer
    from symbackprop.layers import Maxout as Maxout
    from symbackprop.network import Frobenius as Frobenius
    from symbackprop.network import Network as Network
    from symbackprop.optimisers import SGD as SGD
    from symbackprop.optimisers import AdaGrad as AdaGrad
    from symbackprop.optimisers import Adam as Adam
    from symbackprop.optimisers import AdamW as AdamW
    from symbackprop.optimisers import Clip as Clip
    from symbackprop.optimisers import ConstantRate as ConstantRate
    from symbackprop.optimisers import CosineRate as CosineRate
    from symbackprop.optimisers import ExponentialRate as ExponentialRate
    from symbackprop.optimisers import Optimiser as Optimiser
    from symbackprop.optimisers import RMSProp as RMSProp
    from symbackprop.optimisers import Rule as Rule
    from symbackprop.optimisers import StepRate as StepRate
    from symbackprop.program import Program as Program
    from symbackprop.proof import Derivation as Derivation
    from symbackprop.training import History as History
    from symbackprop.training import train as train

__version__ = "0.1.0"

# Where each public name lives.
_HOME = {
    "Program": "program",
    "Network": "network",
    "Frobenius": "network",
    "load": "files",
    "Layer": "layers",
    "Dense": "layers",
    "Maxout": "layers",
    "Activation": "layers",
    "Equations": "layers",
    "derive": "derivation",
    "Derivation": "proof",
    "document": "documents",
    "Document": "documents",
    "compile": "kernels",
    "Kernels": "kernels",
    "train": "training",
    "contrast": "contrast",
    "Report": "contrast",
    "History": "training",
    "verify": "claims",
    "Verdict": "claims",
    "Optimiser": "optimisers",
    "Rule": "optimisers",
    "SGD": "optimisers",
    "AdaGrad": "optimisers",
    "RMSProp": "optimisers",
    "Adam": "optimisers",
    "AdamW": "optimisers",
    "ConstantRate": "optimisers",
    "StepRate": "optimisers",
    "ExponentialRate": "optimisers",
    "CosineRate": "optimisers",
    "Clip": "optimisers",
    "Axis": "equations",
    "Constant": "equations",
    "Tensor": "equations",
    "Term": "equations",
    "Equation": "equations",
    "System": "equations",
    "SymbackpropError": "errors",
    "DeclarationError": "errors",
    "GrammarError": "errors",
    "ShapeError": "errors",
    "CheckError": "errors",
    "InputError": "errors",
    "GradientError": "errors",
    "DivergenceError": "errors",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    # A layer needs no entry above: a class that is nowhere else is sought among them.
    home = _HOME.get(name, "layers" if name[:1].isupper() else "")
    value = getattr(import_module(f"symbackprop.{home}"), name, None) if home else None
    if value is None:
        raise AttributeError(f"module `symbackprop` has no attribute `{name}`")
    setattr(sys.modules[__name__], name, value)
    return value


def shown_as(value: object) -> dict[str, str]:
    """What a notebook shows of a value, by media type."""
    bundle: dict[str, str] = import_module("symbackprop.display").bundle(value)
    return bundle


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A package in which the verb `document` is not hidden by its own folder.

    Importing `symbackprop.document` anywhere would set `sb.document` to the folder.
    It is left unset instead, so that the verb is found as any other name is.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
