"""Training: descent on kernels, checkpoints, and what is refused.

`Line` stands in for compiled kernels: logistic regression with its gradient by hand,
and the emitted loop runs as plain Python, so that these tests need no compiler.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from interpreted import interpreter

import symbackprop as sb
from symbackprop.kernels.arrays import Arrays
from symbackprop.optimisers import SGD, Adam
from symbackprop.training import train


@dataclass
class Line:
    """`a = logistic(w x + b)`, `L = (a - y)^2 / 2` for two inputs, as kernels."""

    path: Path
    text: str = "a[k] = logistic(sum(w[k, j]*x[j], j) + b[k])"
    dtype: str = "float64"
    size: int = 3
    poison: str = ""

    def __post_init__(self) -> None:
        program = sb.Program(
            equations=f"{self.text}\nL = sum((a[k] - y[k])**2, k) / 2",
            axes={"j": 2, "k": 1},
            parameters={"w": "k j", "b": "k"},
            data={"x": "j", "y": "k"},
            batched=("x", "y"),
            objective="L",
            output="a",
        )
        self.derivation = SimpleNamespace(
            program=program,
            forward=program.equations,
            live=frozenset({"a", "L"} | set(program.split)),
            slopes={"w": "dw", "b": "db"},
        )
        self.arrays = Arrays.of(program, self.dtype)
        self.path.write_text("")

    def workspace(self, batch: int) -> np.ndarray:
        return np.empty(batch, self.dtype)

    def initial(self, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=3).astype(self.dtype)

    def unpack(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        return {"w": theta[:2].reshape(1, 2), "b": theta[2:]}

    def predict(self, theta, x, y=None, *, tensor=None):
        z = x @ theta[:2] + theta[2]
        found = {"a": 1 / (1 + np.exp(-z))}
        if y is not None:
            found["L"] = (found["a"] - y[:, 0]) ** 2 / 2
        name = tensor or "a"
        made = found.get(name, z) * (np.nan if name == self.poison else 1)
        return made if name == "L" else made[:, None]

    def value(self, theta, x, y) -> float:
        return float(self.predict(theta, x=x, y=y, tensor="L").mean())

    def forward(self, theta, x, y, workspace) -> float:
        workspace[: len(x)] = self.predict(theta, x=x)[:, 0]
        return self.value(theta, x, y)

    def tensor(self, name, workspace, batch) -> np.ndarray:
        assert name == "a"
        return workspace[:batch, None]

    def backward(self, theta, x, y, gradient, workspace) -> float:
        a = self.predict(theta, x=x)[:, 0]
        delta = workspace[: len(x)]
        delta[:] = (a - y[:, 0]) * a * (1 - a)
        gradient[:2] = delta @ x / len(x)
        gradient[2] = delta.mean()
        if self.poison == "w":
            gradient[0] = np.inf
        return np.nan if self.poison in ("a", "L") else self.value(theta, x=x, y=y)


@pytest.fixture
def interpreted() -> Iterator[None]:
    with interpreter(), np.errstate(all="ignore"):
        yield


pytestmark = pytest.mark.usefixtures("interpreted")


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "kernels_float64.py")


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, np.ndarray]:
    x = rng.normal(size=(50, 2))
    return {"x": x, "y": (x[:, :1] > x[:, 1:]).astype(float)}


GIVEN = {"epochs": 5, "batch_size": 16, "optimiser": SGD(0.5, momentum=0.9)}


@pytest.mark.parametrize(
    "optimiser", [SGD(1.0), SGD(0.5, 0.9), SGD(0.5, 0.9, True), Adam(0.05), None]
)
def test_every_optimiser_descends(line, data, optimiser) -> None:
    history = train(
        line,
        epochs=40,
        batch_size=16,
        optimiser=optimiser,
        validation=(data["x"], data["y"]),
        **data,
    )
    assert history.loss[-1] < history.loss[0]
    assert len(history.loss) == len(history.epochs) == 40
    if optimiser is not None:
        assert history.accuracy[-1] > 0.9
        assert history.validation_loss[-1] < 0.05


def test_one_step_by_hand(line, data) -> None:
    """A whole batch, one epoch: theta - rate * gradient; the loss is before it."""
    theta = line.initial(3)
    before = theta.copy()
    history = train(
        line, epochs=1, batch_size=50, optimiser=SGD(0.5), theta=theta, **data
    )
    gradient = np.empty(3)
    value = line.backward(theta, data["x"], data["y"], gradient, np.empty(50))
    np.testing.assert_allclose(history.theta, theta - 0.5 * gradient, rtol=1e-14)
    assert history.loss == [pytest.approx(value, rel=1e-14)]
    assert history.validation_loss == [None]
    assert (theta == before).all()


def test_momentum_and_adam_by_hand() -> None:
    theta, gradient = np.array([1.0, -2.0]), np.array([0.5, -0.25])
    plain, nesterov, adam = theta.copy(), theta.copy(), theta.copy()
    for point, rule in ((plain, SGD(0.1, 0.5)), (nesterov, SGD(0.1, 0.5, True))):
        state = rule.start(point)
        for count in (1, 2):
            rule.step(point, gradient, state, count)
    np.testing.assert_allclose(plain, theta - 0.1 * (1 + 1.5) * gradient)
    np.testing.assert_allclose(nesterov, theta - 0.1 * (1.5 + 1.75) * gradient)
    rule = Adam(0.1)
    rule.step(adam, gradient, rule.start(adam), 1)
    np.testing.assert_allclose(adam, theta - 0.1 * np.sign(gradient), rtol=1e-6)


def test_single_precision_stays_single(tmp_path, data) -> None:
    kernels = Line(tmp_path / "kernels_float64.py", dtype="float32")
    for optimiser in (SGD(0.5, 0.9), Adam(0.1)):
        history = train(kernels, epochs=2, batch_size=8, optimiser=optimiser, **data)
        assert history.theta.dtype == np.float32


def test_data_in_declared_order(line, data) -> None:
    named = train(line, **GIVEN, **data)
    placed = train(line, data["x"], data["y"], **GIVEN)
    assert placed.theta.tobytes() == named.theta.tobytes()


def test_same_seed_same_bits(line, data) -> None:
    one, two = train(line, **GIVEN, **data), train(line, **GIVEN, **data)
    assert one.theta.tobytes() == two.theta.tobytes()
    other = train(line, **GIVEN, seed=1, theta=line.initial(0), **data)
    assert other.theta.tobytes() != one.theta.tobytes()


def test_progress_hears_every_epoch(line, data) -> None:
    heard = []
    history = train(line, **GIVEN, **data, progress=heard.append)
    assert tuple(heard) == history.epochs
    assert [epoch.number for epoch in heard] == [1, 2, 3, 4, 5]


# --- divergence ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("poison", "said"), [("a", "`a`"), ("L", "`L`"), ("w", "`dw`")]
)
def test_the_first_tensor_that_is_not_finite(tmp_path, data, poison, said) -> None:
    kernels = Line(tmp_path / "kernels_float64.py", poison=poison)
    with pytest.raises(sb.DivergenceError, match=f"minibatch 1: {said} is the first"):
        train(kernels, **GIVEN, **data)


def test_parameters_that_overflow(line, data) -> None:
    far = {"x": data["x"], "y": data["y"] + 1e6}
    with pytest.raises(
        sb.DivergenceError, match="epoch 1, minibatch 1: `w` is the first"
    ):
        train(line, epochs=1, batch_size=10, optimiser=SGD(1e308), **far)


# --- checkpoints ---------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", [SGD(0.5), SGD(0.5, 0.9), Adam(0.1)])
def test_a_killed_training_ends_in_the_same_bits(tmp_path, line, data, optimiser):
    given = {**GIVEN, **data, "optimiser": optimiser}
    given["validation"] = (data["x"], data["y"])
    whole = train(line, **given)

    def kill(epoch) -> None:
        if epoch.number == 3:
            raise KeyboardInterrupt

    file = tmp_path / "training.npz"
    with pytest.raises(KeyboardInterrupt):
        train(line, **given, checkpoint=file, progress=kill)
    resumed = train(line, **given, checkpoint=file)
    assert resumed.theta.tobytes() == whole.theta.tobytes()
    assert resumed.loss == whole.loss
    assert resumed.validation_loss == whole.validation_loss
    assert resumed.accuracy == whole.accuracy
    again = train(line, **given, checkpoint=str(file))
    assert again.theta.tobytes() == whole.theta.tobytes()
    more = train(line, **{**given, "epochs": 7}, checkpoint=file)
    assert more.theta.tobytes() == train(line, **{**given, "epochs": 7}).theta.tobytes()


def test_a_checkpoint_of_another_training(tmp_path, line, data) -> None:
    file = tmp_path / "training.npz"
    train(line, **GIVEN, **data, checkpoint=file)
    written = file.read_bytes()
    other = {**data, "x": data["x"] + 1e-9}
    text = "a[k] = logistic(b[k] + sum(w[k, j]*x[j], j))"
    for said, kernels, given in (
        ("its data differ", line, {**GIVEN, **other}),
        ("its options differ", line, {**GIVEN, **data, "batch_size": 8}),
        ("its options differ", line, {**GIVEN, **data, "optimiser": SGD(0.4, 0.9)}),
        ("its first parameters differ", line, {**GIVEN, **data, "theta": np.ones(3)}),
        ("its declaration differ", replace(line, text=text), {**GIVEN, **data}),
    ):
        with pytest.raises(sb.InputError, match=said):
            train(kernels, **given, checkpoint=file)
    line.path.write_text("# another kernel")
    with pytest.raises(sb.InputError, match="its kernels, training loop differ"):
        train(line, **GIVEN, **data, checkpoint=file)
    assert file.read_bytes() == written


def test_files_that_are_no_checkpoints(tmp_path, line, data) -> None:
    file = tmp_path / "training.npz"
    for content in (b"", b"nothing", b"PK\x03\x04"):
        file.write_bytes(content)
        with pytest.raises(sb.InputError, match="cannot be read"):
            train(line, **GIVEN, **data, checkpoint=file)
    np.savez(file, theta=np.ones(3))
    with pytest.raises(sb.InputError, match="cannot be read"):
        train(line, **GIVEN, **data, checkpoint=file)


# --- arguments -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs is 0; give a whole number of at least 1"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": True}, "batch_size is True"),
        ({"seed": -1}, "seed is -1"),
        ({"optimiser": 0.1}, "optimiser is 0.1"),
        ({"optimiser": SGD}, "optimiser is "),
        ({"theta": np.ones(4)}, r"theta: expected 3 numbers"),
        ({"theta": np.ones(3) * 1j}, "`theta`: .* complex128 came"),
        ({"theta": np.full(3, np.nan)}, "theta: there are entries that are not finite"),
        ({"x": np.ones((50, 3))}, r"`x`: expected shape \(batch, 2\), \(50, 3\) came"),
        ({"x": np.ones((49, 2))}, "`x` has 49 samples, `y` has 50"),
        ({"x": np.ones((0, 2)), "y": np.ones((0, 1))}, "the batch is empty"),
        ({"x": np.full((50, 2), np.inf)}, "`x`: there are entries that are not finite"),
        ({"x": np.array([["a", "b"]] * 50)}, "`x`: expected real numbers"),
        ({"x": 3.0}, r"`x`: expected shape"),
        ({"xs": np.ones(3)}, "`xs` is not declared.* Did you mean `x`"),
        ({"validation": np.ones((50, 2))}, r"give the held-out \(x, y\)"),
        ({"validation": {"x": np.ones((50, 2))}}, "validation: data: `y` missing"),
    ],
)
def test_arguments_that_are_refused(line, data, change, said: str) -> None:
    with pytest.raises(sb.InputError, match=said):
        train(line, **{**GIVEN, **data, **change})


def test_data_that_are_missing(line, data) -> None:
    with pytest.raises(sb.InputError, match="data: `y` missing"):
        train(line, **GIVEN, x=data["x"])


def test_a_second_interrupt_keeps_no_half_step(tmp_path, line, data) -> None:
    """Amid a step the vectors fit no place in the epoch: the file stays as it was."""
    file = tmp_path / "training.npz"
    right, calls = line.backward, []

    def twice(*arrays) -> float:
        calls.append(len(arrays[1]))
        if len(calls) == 10:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return right(*arrays)

    whole = train(line, **GIVEN, **data)
    line.backward = twice
    with pytest.raises(KeyboardInterrupt):
        train(line, **GIVEN, **data, checkpoint=file)
    with np.load(file) as archive:
        assert len(archive["epochs"]) == 2
        assert archive["position"][0] == 0
    line.backward = right
    resumed = train(line, **GIVEN, **data, checkpoint=file)
    assert resumed.theta.tobytes() == whole.theta.tobytes()


def test_a_diverged_state_is_never_kept(tmp_path, line, data) -> None:
    """Ctrl-C that comes with the step that diverges."""
    file = tmp_path / "training.npz"
    right = line.backward

    def interrupted(*arrays) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        return right(*arrays)

    line.backward = interrupted
    given = {"epochs": 1, "batch_size": 50, "optimiser": SGD(1e308)}
    data["y"] += 1e6
    with pytest.raises(sb.DivergenceError, match="`w` is the first"):
        train(line, **given, **data, checkpoint=file)
    with np.load(file) as archive:
        assert np.isfinite(archive["theta"]).all()
