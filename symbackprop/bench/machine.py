"""What a measurement was made on: it means nothing without."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

# One thread for each: BLAS, OpenMP, and XLA's pool; read when a library is loaded.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NPROC": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
}

PACKAGES = (
    *("symbackprop", "numpy", "scipy", "numba", "llvmlite", "sympy"),
    *("torch", "jax", "jaxlib", "casadi", "scikit-learn"),
)
FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd")


def machine() -> dict[str, Any]:
    """Processor, system and versions, as one JSON object."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": _processor(),
        "flags": [flag for flag in FLAGS if flag in _flags()],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "blas": _blas(),
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name in ONE_THREAD or name.startswith("OPENBLAS")
        },
    }


def _cpuinfo(*keys: str) -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in keys:
                return value.strip()
    return ""


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _flags() -> list[str]:
    return _cpuinfo("flags", "Features").split()


def _version(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    return None


def _blas() -> list[str]:
    """The BLAS libraries that are loaded, with the kernels that they chose."""
    with suppress(ImportError):
        from threadpoolctl import threadpool_info

        return sorted(
            f"{Path(found['filepath']).name}: {found['internal_api']} "
            f"{found.get('version')}, {found.get('architecture', 'unknown')}, "
            f"{found['num_threads']} thread"
            for found in threadpool_info()
            if found["user_api"] == "blas"
        )
    built: Any = np.show_config(mode="dicts")
    blas = built["Build Dependencies"]["blas"]
    return [f"{blas['name']} {blas['version']}"]
