"""Other people's formulas put to the test: `verify(program, claim) -> Verdict`."""

from symbackprop.claims.verdict import Counterexample, Line, Reason, Verdict
from symbackprop.claims.verifying import verify

__all__ = ["Counterexample", "Line", "Reason", "Verdict", "verify"]
