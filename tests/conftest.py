"""Fixtures that every test shares."""

from __future__ import annotations

import jax
import numpy as np
import pytest

jax.config.update("jax_enable_x64", True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="rewrite the committed files in generated/ instead of comparing them",
    )


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether `pytest --update` asked for the committed files to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture
def rng() -> np.random.Generator:
    """The one source of random numbers of a test: the same at every run."""
    return np.random.default_rng(0)
