"""For authors of tests: is this gradient the slope of that function?

    from symbackprop.testing import assert_gradient, assert_methods_agree

With pytest both are fixtures too, without any import. Names are imported when they are
first used, so that a test run that needs none of them pays nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.errors import GradientError as GradientError
    from symbackprop.testing.agreement import Agreement as Agreement
    from symbackprop.testing.agreement import (
        assert_methods_agree as assert_methods_agree,
    )
    from symbackprop.testing.gradients import assert_gradient as assert_gradient
    from symbackprop.testing.verdict import Verdict as Verdict

_HOME = {
    "assert_gradient": "testing.gradients",
    "assert_methods_agree": "testing.agreement",
    "Agreement": "testing.agreement",
    "Verdict": "testing.verdict",
    "GradientError": "errors",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `symbackprop.testing` has no attribute `{name}`")
    return getattr(import_module(f"symbackprop.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
