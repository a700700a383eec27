"""The pytest plugin: both assertions as fixtures, in every test run without an import.

What the fixtures need is imported by the first test that asks for one.
"""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def assert_gradient() -> Any:
    """Fail where a gradient is not the slope of a function, and say why."""
    from symbackprop.testing.gradients import assert_gradient

    return assert_gradient


@pytest.fixture
def assert_methods_agree() -> Any:
    """Fail where one method of differentiation is alone on a declared program."""
    from symbackprop.testing.agreement import assert_methods_agree

    return assert_methods_agree
