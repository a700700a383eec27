"""Other libraries: they differentiate the same forward equations, where installed."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from symbackprop.contrast.method import Method, Prepared, UnavailableError
from symbackprop.contrast.point import Point, Whole

# What a peer is called, and its module, which has `prepare(point, coordinates)`.
PEERS = {"JAX": "xla", "PyTorch": "pytorch", "CasADi": "casadi"}


def peers() -> tuple[Method, ...]:
    """A method for each library that is known, installed or not."""
    return tuple(
        Method(name, "peer", partial(_prepare, home)) for name, home in PEERS.items()
    )


def _prepare(home: str, point: Point, coordinates: Whole) -> Prepared:
    """Load the library, and let it prepare; what goes wrong in it is its own.

    Raises:
        UnavailableError: it is not installed, or failed.
    """
    try:
        module = import_module(f"symbackprop.contrast.peers.{home}")
        prepared: Prepared = module.prepare(point, coordinates)
        if prepared.gradient is not None:
            prepared.gradient()  # what compiles, compiles now
    except ModuleNotFoundError as error:
        raise UnavailableError(f"{error.name} is not installed") from error
    except UnavailableError:
        raise
    except Exception as error:  # of a library that is not ours
        told = f"{type(error).__name__}: {str(error)[:200]}"
        raise UnavailableError(f"it failed: {told}") from error
    return prepared
