"""What a derivation costs, counted from its equations and held against real counts."""

from symbackprop.costs.counts import Costs, costs, hold
from symbackprop.costs.tallies import Cost, cost

__all__ = ["Cost", "Costs", "cost", "costs", "hold"]
