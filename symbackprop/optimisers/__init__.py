"""How a gradient moves the parameters: optimisers, their rates, and clipping."""

from symbackprop.optimisers.clip import Clip
from symbackprop.optimisers.optimiser import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Optimiser,
    RMSProp,
)
from symbackprop.optimisers.options import option_names
from symbackprop.optimisers.rates import (
    ConstantRate,
    CosineRate,
    ExponentialRate,
    Schedule,
    StepRate,
)
from symbackprop.optimisers.rule import Rule

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Clip",
    "ConstantRate",
    "CosineRate",
    "ExponentialRate",
    "Optimiser",
    "RMSProp",
    "Rule",
    "Schedule",
    "StepRate",
    "option_names",
]
