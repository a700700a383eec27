"""Compiled kernels: their interface, their check, their cache, their memory."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba import njit
from numba.core.runtime import _nrt_python, rtsys
from scipy.optimize import minimize

import symbackprop as sb
from symbackprop.derivation import differentiate
from symbackprop.kernels import compiling
from symbackprop.proof import Derivation
from symbackprop.source import SourceFile, plan_file

EQUATIONS = """
    z[i] = sum(W[i, j] * x[j], j) + b[i]
    a[i] = tanh(z[i])
    L = sum((a[i] - y[i])**2, i) / 2 + E[label]**2
"""


@pytest.fixture(scope="module")
def derivation() -> Derivation:
    return sb.derive(
        sb.Program(
            EQUATIONS,
            axes={"i": 3, "j": 4, "k": 5},
            parameters={"W": "i j", "b": "i", "E": "k"},
            data={"x": "j", "y": "i", "label": ""},
            integers=("label",),
            batched=("x", "y", "label"),
            objective="L",
            output="a",
            initial={"b": 0.5, "E": "zeros"},
            name="small",
        )
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@pytest.fixture(scope="module")
def kernels(derivation: Derivation, folder: Path) -> sb.Kernels:
    return sb.compile(derivation, dtype="float64", directory=folder)


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, Any]:
    labels = rng.integers(0, 5, 6)
    return {"x": rng.normal(size=(6, 4)), "y": rng.normal(size=(6, 3)), "label": labels}


def test_gradient_is_the_difference_quotient(
    kernels: sb.Kernels, data: dict[str, Any], rng: np.random.Generator
) -> None:
    theta, along = kernels.initial(0), rng.normal(size=kernels.size)
    value, gradient = kernels.value_and_grad(theta, **data)
    ahead = kernels.value(theta + 1e-6 * along, **data)
    behind = kernels.value(theta - 1e-6 * along, **data)
    assert value == pytest.approx(kernels.value(theta, **data), rel=1e-15)
    assert gradient @ along == pytest.approx((ahead - behind) / 2e-6, rel=1e-7)


def test_files_are_written_once(
    kernels: sb.Kernels, derivation: Derivation, folder: Path
) -> None:
    assert kernels.path == folder / "small" / "kernels_float64.py"
    assert kernels.path.with_name("derivation.tex").exists()
    before = kernels.path.stat().st_mtime_ns
    again = sb.compile(derivation, dtype="float64", directory=folder)
    assert again.path.stat().st_mtime_ns == before
    assert max(check.error for check in again.checks) < 1e-11


def test_parameters_pack_and_unpack(kernels: sb.Kernels) -> None:
    parameters = {"W": np.arange(12.0).reshape(3, 4), "b": np.ones(3), "E": [0] * 5}
    theta = kernels.pack(parameters)
    for name, view in kernels.unpack(theta).items():
        np.testing.assert_array_equal(view, parameters[name])
    kernels.unpack(theta)["b"][0] = 7
    assert theta[12] == 7
    with pytest.raises(sb.InputError, match=r"`w` is no parameter; expected W, b, E"):
        kernels.pack({"w": 0})
    with pytest.raises(sb.InputError, match="b, E missing"):
        kernels.pack({"W": parameters["W"]})
    with pytest.raises(sb.InputError, match=r"expected shape \(3,\), \(4,\) came"):
        kernels.pack({**parameters, "b": np.ones(4)})


def test_initial_values_follow_the_rules(kernels: sb.Kernels) -> None:
    first = kernels.unpack(kernels.initial(3))
    assert np.all(np.abs(first["W"]) <= np.sqrt(6 / 7))
    assert np.all(first["b"] == 0.5)
    assert not first["E"].any()
    np.testing.assert_array_equal(kernels.initial(3), kernels.initial(3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"x": None}, "expected real numbers, object came"),
        ({"x": np.zeros((6, 4)) * 1j}, "expected real numbers, complex128 came"),
        ({"x": np.zeros((6, 5))}, r"expected shape \(batch, 4\), \(6, 5\) came"),
        ({"x": np.zeros((5, 4))}, "`x` has 5 samples, `y` has 6"),
        ({"label": np.zeros(6)}, "expected whole numbers, float64 came"),
        ({"label": np.full(6, 5)}, "whole numbers from 0 to 4, 5 came"),
        ({"label": np.full(6, -1)}, "whole numbers from 0 to 4, -1 came"),
        ({"X": np.zeros((6, 4))}, "`X` is not declared; expected `x`, `y`, `label`"),
    ],
)
def test_wrong_data_are_refused(
    kernels: sb.Kernels, data: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(sb.InputError, match=message):
        kernels.value_and_grad(kernels.initial(0), **{**data, **wrong})


def test_missing_data_and_wrong_theta_are_refused(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    theta = kernels.initial(0)
    with pytest.raises(sb.InputError, match="`label` missing"):
        kernels.value(theta, data["x"], data["y"])
    with pytest.raises(sb.InputError, match="came twice"):
        kernels.value(theta, data["x"], **data)
    with pytest.raises(sb.InputError, match="expected 20 numbers"):
        kernels.value(theta[1:], **data)
    empty = {name: array[:0] for name, array in data.items()}
    with pytest.raises(sb.InputError, match="the batch is empty"):
        kernels.value(theta, **empty)


def test_other_real_and_strided_arrays_are_cast(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    theta = kernels.initial(0)
    x = np.asfortranarray(data["x"].astype("float32"))
    x.flags.writeable = False
    given = {**data, "x": x, "label": data["label"].astype("uint8")}
    expected = kernels.value(theta, **{**data, "x": x.astype("float64")})
    assert kernels.value(theta, **given) == expected


def test_raw_functions_refuse_what_does_not_fit(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    theta, gradient = kernels.initial(0), np.full(kernels.size, 8.0)
    arrays, workspace = list(data.values()), kernels.workspace(6)
    with pytest.raises(ValueError, match="workspace holds too few"):
        kernels.backward(theta, *arrays, gradient, workspace[1:])
    with pytest.raises(ValueError, match="theta must hold 20 numbers"):
        kernels.backward(theta[1:], *arrays, gradient, workspace)
    with pytest.raises(ValueError, match="y must have shape"):
        kernels.backward(
            theta, arrays[0], arrays[1][1:], arrays[2], gradient, workspace
        )
    arrays[2] = np.full(6, 99)
    assert np.isnan(kernels.backward(theta, *arrays, gradient, workspace))
    assert np.all(gradient == 8.0)
    assert not workspace.any()


def test_raw_functions_refuse_gaps_and_another_precision(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    """An address and a shape know nothing of gaps: the compiler refuses them."""
    theta, workspace = kernels.initial(0), kernels.workspace(6)
    gradient = np.zeros(kernels.size)
    with pytest.raises(
        numba.TypingError, match="expected contiguous arrays of float64"
    ):
        kernels.backward(np.repeat(theta, 2)[::2], *data.values(), gradient, workspace)
    with pytest.raises(
        numba.TypingError, match="expected contiguous arrays of float64"
    ):
        kernels.backward(theta.astype("float32"), *data.values(), gradient, workspace)


def test_predict_needs_only_what_its_tensor_reads(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    theta = kernels.initial(0)
    views = kernels.unpack(theta)
    expected = data["x"] @ views["W"].T + views["b"]
    np.testing.assert_allclose(
        kernels.predict(theta, x=data["x"], tensor="z"), expected
    )
    np.testing.assert_allclose(kernels.predict(theta, x=data["x"]), np.tanh(expected))
    with pytest.raises(sb.InputError, match="depends on y, label"):
        kernels.predict(theta, x=data["x"], tensor="L")
    with pytest.raises(sb.InputError, match="no equation computes `zz`"):
        kernels.predict(theta, x=data["x"], tensor="zz")


def test_bound_call_and_backward_allocate_nothing(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    theta, gradient = kernels.initial(0), np.empty(kernels.size)
    arguments = (theta, *data.values(), gradient, kernels.workspace(6))
    backward = kernels.backward

    @njit
    def work(theta, x, y, label, gradient, workspace):  # type: ignore[no-untyped-def]
        return backward(theta, x, y, label, gradient, workspace)

    @njit
    def nothing(theta, x, y, label, gradient, workspace):  # type: ignore[no-untyped-def]
        return 0.0

    _nrt_python.memsys_enable_stats()

    def allocations(function: Any) -> int:
        function(*arguments)
        before = rtsys.get_allocation_stats().mi_alloc
        function(*arguments)
        return int(rtsys.get_allocation_stats().mi_alloc - before)

    assert allocations(work) == allocations(nothing)
    call = kernels.bind(
        theta, *data.values(), gradient=gradient, workspace=arguments[-1]
    )
    expected, slope = kernels.value_and_grad(theta, **data)
    assert call() == expected
    np.testing.assert_array_equal(gradient, slope)


def test_scipy_minimises(kernels: sb.Kernels, data: dict[str, Any]) -> None:
    found = minimize(
        kernels.value_and_grad,
        kernels.initial(0),
        args=tuple(data.values()),
        jac=True,
        options={"maxiter": 20},
    )
    assert found.fun < kernels.value(kernels.initial(0), **data)


def test_a_second_process_compiles_nothing(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    script = (
        "import importlib.util, sys, numpy as np\n"
        f"spec = importlib.util.spec_from_file_location('k', {str(kernels.path)!r})\n"
        "k = importlib.util.module_from_spec(spec); spec.loader.exec_module(k)\n"
        "w = np.zeros(k.WORKSPACE_FIXED + k.WORKSPACE_PER_SAMPLE)\n"
        "t, x, y = np.zeros(20), np.zeros((1, 4)), np.zeros((1, 3))\n"
        "k.backward(t, x, y, np.zeros(1, np.int64), np.zeros(20), w)\n"
        "assert not k.backward.stats.cache_misses, k.backward.stats\n"
        "assert 'symbackprop' not in sys.modules and 'sympy' not in sys.modules\n"
    )
    # The package is not on this process's path: the file stands alone.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", script], env=env, check=True, cwd="/")


@pytest.mark.parametrize(
    ("right", "wrong", "number"),
    [
        ("tanh(z_flat[place])", "tanh(-z_flat[place])", 2),
        ("np.dot(delta_z.T, x, dW)", "np.dot(delta_z.T, x * 2, dW)", 6),
        ("share * (", "-share * (", 4),
        ("+= delta_z[n, i]", "+= delta_z[0, i]", 7),
    ],
)
def test_a_wrong_kernel_is_caught(
    derivation: Derivation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    right: str,
    wrong: str,
    number: int,
) -> None:
    def planted(derivation: Derivation, dtype: str, **keep: bool) -> SourceFile:
        file = plan_file(derivation, dtype, **keep)
        assert right in file.text
        return replace(file, text=file.text.replace(right, wrong))

    names = [equation.tensor for equation in derivation.system.equations]
    tensor = {2: "a", 4: "delta_a", 6: "dW", 7: "db"}[number]
    assert tensor in names
    monkeypatch.setattr(compiling, "plan_file", planted)
    expected = rf"equation \({derivation.number(tensor)}\), which computes `{tensor}`"
    with pytest.raises(sb.CheckError, match=expected):
        sb.compile(derivation, dtype="float64", directory=tmp_path)
    assert not list(tmp_path.rglob("kernels_*.py"))


def test_program_without_data(tmp_path: Path) -> None:
    program = sb.Program(
        "L = sum((w[i] - 1)**2, i)",
        axes={"i": 3},
        parameters={"w": "i"},
        data={},
        objective="L",
    )
    kernels = sb.compile(differentiate(program), "float64", tmp_path)
    value, gradient = kernels.value_and_grad(np.zeros(3))
    assert value == 3
    np.testing.assert_array_equal(gradient, [-2, -2, -2])
    assert repr(kernels) == "Kernels(name='program', dtype='float64', size=3)"


def test_bound_arrays_are_checked_as_they_are(
    kernels: sb.Kernels, data: dict[str, Any]
) -> None:
    theta, gradient = kernels.initial(0), np.zeros(kernels.size)
    workspace = kernels.workspace(6)
    good = {**data, "label": data["label"].astype(np.int64)}

    def bind(
        theta=theta, gradient=gradient, workspace=workspace, **changed: Any
    ) -> Any:
        arrays = {**good, **changed}.values()
        return kernels.bind(theta, *arrays, gradient=gradient, workspace=workspace)

    value, slope = kernels.value_and_grad(theta, **data)
    assert bind()() == value
    np.testing.assert_array_equal(gradient, slope)
    for wrong in (
        {"theta": theta.astype(np.float32)},
        {"theta": theta[:-1].copy()},
        {"gradient": theta},
        {"workspace": workspace[:-1].copy()},
        {"label": good["label"] + 5},
        {"label": good["label"].astype(np.int32)},
        {"x": good["x"].astype(np.float32)},
        {"y": good["y"][:5].copy()},
    ):
        with pytest.raises(sb.InputError):
            bind(**wrong)


@pytest.mark.parametrize("seed", [None, -1, 1.5, "a", True, []])
def test_seeds_are_whole_numbers(kernels: sb.Kernels, seed: Any) -> None:
    with pytest.raises(sb.InputError, match="whole number"):
        kernels.initial(seed)


@pytest.mark.parametrize(
    "vector", [[[1], [2, 3]], 1j * np.ones(3), ["a"], np.ma.ones(3), None]
)
def test_what_is_no_vector_is_not_unpacked(kernels: sb.Kernels, vector: Any) -> None:
    with pytest.raises(sb.InputError):
        kernels.unpack(vector)
