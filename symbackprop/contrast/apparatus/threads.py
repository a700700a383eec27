"""How many threads a study's products of matrices may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from symbackprop.bench.machine import ONE_THREAD


@contextmanager
def one_thread() -> Iterator[None]:
    """Let BLAS and JAX work on one thread meanwhile, where that can be asked for.

    The matrices of a study are small. More threads gain nothing on them, and where the
    machine is busy each product waits until all have had their turn. BLAS is asked by
    threadpoolctl, where that is installed; JAX reads its environment when it is first
    called, so that it stays at what an earlier call found.

    >>> with one_thread():
    ...     "XLA_FLAGS" in os.environ
    True
    """
    asked = {n: ONE_THREAD[n] for n in ("XLA_FLAGS", "NPROC") if n not in os.environ}
    with ExitStack() as limits:
        os.environ.update(asked)
        limits.callback(lambda: [os.environ.pop(name, None) for name in asked])
        try:
            from threadpoolctl import threadpool_limits
        except ImportError:  # it is an extra
            pass
        else:
            import scipy.linalg  # noqa: F401  # a limit holds for what is loaded by then

            limits.enter_context(threadpool_limits(limits=1, user_api="blas"))
        yield
