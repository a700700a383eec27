"""The limit: the bare matrix products of one forward and backward pass, no more.

Each is one call of BLAS without a copy: from NumPy, and, where a C compiler is there,
from C on SciPy's BLAS, which leaves out what the calls themselves cost.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symbackprop.bench.problem import (
    Array,
    Contestant,
    Outcome,
    Problem,
    UnavailableError,
)

SOURCE = r"""
typedef void gemm(char *, char *, int *, int *, int *, void *, void *, int *,
                  void *, int *, void *, void *, int *);
struct product { void *b, *a, *c; int n, m, k, ldb, lda, ldc; char tb, ta; };

static gemm *blas;
static struct product *products;
static int count;
static void *one, *zero;

void prepare(gemm *g, struct product *p, int length, void *unit, void *nil) {
    blas = g; products = p; count = length; one = unit; zero = nil;
}

void run(void) {
    for (int i = 0; i < count; i++) {
        struct product *p = products + i;
        blas(&p->tb, &p->ta, &p->n, &p->m, &p->k, one, p->b, &p->ldb,
             p->a, &p->lda, zero, p->c, &p->ldc);
    }
}
"""


@dataclass(frozen=True)
class Product:
    """`out = left @ right`, each a whole array in rows, or the transpose of one."""

    left: Array
    right: Array
    out: Array


def products(problem: Problem) -> list[Product]:
    """`Z = A W.T` forward; `dW = delta.T A` and `delta_A = delta W` backward.

    Nobody asks for the slope by the network's input. The errors are random: what they
    are changes no cost.
    """
    rng = np.random.default_rng(0)
    case, weights = problem.case, problem.weights

    def block(*shape: int) -> Array:
        return rng.normal(size=shape).astype(case.dtype)

    a = [problem.x, *(block(case.batch, width) for width in case.widths[1:-1])]
    delta = [block(case.batch, width) for width in case.widths[1:]]
    forward = [
        Product(a[k], weights[k].T, np.empty_like(delta[k]))
        for k in range(len(weights))
    ]
    backward = []
    for k in reversed(range(len(weights))):
        backward.append(Product(delta[k].T, a[k], np.empty_like(weights[k])))
        if k:
            backward.append(Product(delta[k], weights[k], np.empty_like(a[k])))
    return forward + backward


def gradient(problem: Problem) -> Iterator[tuple[str, Contestant]]:
    needed = products(problem)
    rows = [(p.left, p.right, p.out) for p in needed]

    def call() -> None:
        for left, right, out in rows:
            np.dot(left, right, out)

    yield "products", _judged(call, needed)
    again = products(problem)
    yield "products in C", _judged(_in_c(again), again)


def _judged(call: Callable[[], None], needed: list[Product]) -> Contestant:
    """With no loss to be judged by, each product is held against plain sums."""

    def outcome() -> Outcome:
        call()
        for p in needed:
            plain = np.einsum("ik,kj->ij", p.left, p.right, dtype=np.float64)
            error = np.linalg.norm(p.out - plain) / np.linalg.norm(plain)
            if not error < 1e-4:
                raise UnavailableError(
                    f"a product of {p.out.shape} is wrong: {error:.1e}"
                )
        return Outcome(None, ())

    return Contestant(call, outcome)


class _Row(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("b", "a", "c")),
        *((name, ctypes.c_int) for name in ("n", "m", "k", "ldb", "lda", "ldc")),
        *((name, ctypes.c_char) for name in ("tb", "ta")),
    )


def _in_c(needed: list[Product]) -> Callable[[], None]:
    """All products in one call.

    BLAS counts by columns, so that C.T = right.T left.T is what it is asked for.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise UnavailableError("no C compiler on the PATH")
    from scipy.linalg import cython_blas

    kind = needed[0].out.dtype
    capsule = cython_blas.__pyx_capi__["sgemm" if kind == np.float32 else "dgemm"]
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype = ctypes.c_char_p
    python.PyCapsule_GetName.argtypes = (ctypes.py_object,)
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
    blas = python.PyCapsule_GetPointer(capsule, python.PyCapsule_GetName(capsule))
    table = (_Row * len(needed))(*map(_row, needed))
    one, zero = np.ones(1, kind), np.zeros(1, kind)
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "products.c"), Path(folder, "products.so")
        source.write_text(SOURCE)
        command = [compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise UnavailableError(f"{compiler} failed: {done.stderr.strip()[-200:]}")
        library = ctypes.CDLL(str(made))
    pointer = ctypes.c_void_p
    library.prepare.argtypes = (pointer, pointer, ctypes.c_int, pointer, pointer)
    library.prepare.restype = library.run.restype = None
    library.prepare(
        blas, ctypes.addressof(table), len(table), one.ctypes.data, zero.ctypes.data
    )
    library.run.argtypes = ()
    run, kept = library.run, (table, one, zero)  # as long as the call

    def call(kept: object = kept) -> None:
        run()

    return call


def _row(product: Product) -> _Row:
    def transposed(matrix: Array) -> bool:
        return not matrix.flags.c_contiguous

    def leading(matrix: Array) -> int:
        return int(matrix.shape[0 if transposed(matrix) else 1])

    left, right, out = product.left, product.right, product.out
    return _Row(
        right.ctypes.data,
        left.ctypes.data,
        out.ctypes.data,
        out.shape[1],
        out.shape[0],
        left.shape[1],
        leading(right),
        leading(left),
        out.shape[1],
        b"T" if transposed(right) else b"N",
        b"T" if transposed(left) else b"N",
    )
