"""The compiled training loop, held against NumPy, and what it may not do."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core.runtime import _nrt_python, rtsys
from scipy.optimize import minimize

import symbackprop as sb
from symbackprop import descent
from symbackprop.datasets import read
from symbackprop.loops import loop_of
from symbackprop.training import train

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"

# Batched matrices, labels and shared data, under names that the loop has uses for.
EQUATIONS = """
z[k] = sum(W[k, i, j]*order[i, j], i, j) + sum(A[k, i]*m[i], i) + b[k]
p[k] = exp(z[k]) / sum(exp(z[l]), l)
loss = -log(p[epoch])*rows
"""


def mixed() -> sb.Program:
    return sb.Program(
        equations=EQUATIONS,
        axes={"i": 3, "j": 2, "k": 4, "l": 4},
        parameters={"W": "k i j", "A": "k i", "b": "k"},
        data={"order": "i j", "m": "i", "epoch": "", "rows": ""},
        integers=("epoch",),
        batched=("order", "epoch", "rows"),
        objective="loss",
        name="mixed",
    )


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> sb.Kernels:
    folder = tmp_path_factory.mktemp("descent")
    return sb.compile(mixed(), dtype="float64", directory=folder)


@pytest.fixture
def data(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "order": rng.normal(size=(53, 3, 2)),
        "m": rng.normal(size=3),
        "epoch": rng.integers(4, size=53),
        "rows": rng.uniform(0.5, 1.5, size=53),
    }


GIVEN: dict[str, Any] = {"epochs": 4, "batch_size": 8, "seed": 3}


def by_numpy(
    kernels: sb.Kernels,
    data: dict[str, np.ndarray],
    optimiser: sb.Optimiser,
    clip: sb.Clip | None = None,
    schedule: Any = None,
) -> tuple[np.ndarray, list[float]]:
    """The training in plain NumPy: fancy indices, `value_and_grad`, `step`."""
    theta = kernels.initial(3)
    state, losses, count = optimiser.start(theta), [], 0
    for number in range(1, 5):
        drawn = np.random.default_rng((3, number)).permutation(53)
        total = 0.0
        for first in range(0, 53, 8):
            rows = drawn[first : first + 8]
            batch = {n: a if n == "m" else a[rows] for n, a in data.items()}
            value, gradient = kernels.value_and_grad(theta, **batch)
            total += value * len(rows)
            if clip and clip.value:
                gradient = np.clip(gradient, -clip.value, clip.value)
            if clip and clip.norm:
                gradient *= min(1.0, clip.norm / np.linalg.norm(gradient))
            count += 1
            factor = schedule.factors(count, 1, 7)[0] if schedule else 1.0
            rate = type(optimiser)(optimiser.rate * factor)
            rate.step(theta, gradient, state, count)
        losses.append(total / 53)
    return theta, losses


@pytest.mark.parametrize(
    "given",
    [
        {"optimiser": sb.SGD(0.1)},
        {"optimiser": sb.Adam(0.02), "clip": sb.Clip(norm=0.3)},
        {
            "optimiser": sb.RMSProp(0.01),
            "clip": sb.Clip(norm=0.5, value=0.2),
            "schedule": sb.CosineRate(3, least=0.1, warmup=0.5),
        },
    ],
    ids=lambda given: given["optimiser"].rule.name,
)
def test_training_is_what_numpy_says(kernels, data, given) -> None:
    theta, losses = by_numpy(kernels, data, **given)
    history = train(kernels, **GIVEN, **data, **given)
    np.testing.assert_allclose(history.theta, theta, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
    wrong = {**given, "optimiser": type(given["optimiser"])(0.03)}
    theta, _ = by_numpy(kernels, data, **wrong)
    assert not np.allclose(history.theta, theta, rtol=1e-4)


def test_where_python_is_asked_changes_no_bit(kernels, data, monkeypatch) -> None:
    given = {**GIVEN, **data, "validation": data, "clip": sb.Clip(norm=0.5)}
    given["validation"] = {n: a for n, a in data.items() if n != "m"}
    whole = train(kernels, **given)
    moments: list[descent.Moment] = []
    monkeypatch.setattr(descent, "PATIENCE", 0.0)
    single = train(kernels, **given, during=moments.append)
    assert [(m.epoch, m.minibatch) for m in moments] == [
        (epoch, minibatch) for epoch in range(1, 5) for minibatch in range(1, 7)
    ]
    assert {m.minibatches for m in moments} == {7}
    assert single.theta.tobytes() == whole.theta.tobytes()
    assert single.loss == whole.loss
    assert single.validation_loss == whole.validation_loss
    best = min(whole.epochs, key=lambda epoch: epoch.validation_loss)
    assert single.best.number == whole.best.number == best.number
    stopped = train(kernels, **{**given, "epochs": best.number})
    assert stopped.theta.tobytes() == whole.best_theta.tobytes()


def interrupted(
    kernels: sb.Kernels, given: dict[str, Any], file: Path
) -> tuple[sb.History, list[tuple[int, int]]]:
    """A training that is broken off every fifth time that Python is asked."""
    places: list[tuple[int, int]] = []

    def interrupt(moment: descent.Moment) -> None:
        places.append((moment.epoch, moment.minibatch))
        if len(places) % 5 == 0:
            raise KeyboardInterrupt

    while True:
        try:
            history = train(kernels, **given, checkpoint=file, during=interrupt)
            return history, places
        except KeyboardInterrupt:
            continue


def test_interrupted_amid_an_epoch(tmp_path, kernels, data, monkeypatch) -> None:
    given = {**GIVEN, **data, "optimiser": sb.SGD(0.1, 0.9)}
    whole = train(kernels, **given)
    monkeypatch.setattr(descent, "PATIENCE", 0.0)
    history, places = interrupted(kernels, given, tmp_path / "state.npz")
    assert places == [(e, m) for e in range(1, 5) for m in range(1, 7)]
    assert history.theta.tobytes() == whole.theta.tobytes()
    assert history.loss == whole.loss


@pytest.mark.parametrize("part", ["total", "carried"])
def test_what_a_checkpoint_forgets_is_found(
    tmp_path, kernels, data, monkeypatch, part: str
) -> None:
    given = {**GIVEN, **data, "optimiser": sb.SGD(0.1, 0.9)}
    whole = train(kernels, **given)
    monkeypatch.setattr(descent, "PATIENCE", 0.0)
    right = descent.State.read.__func__

    def planted(*arguments: Any) -> Any:
        state = right(*arguments)
        if state is not None and part == "total":
            state.total = 0.0
        elif state is not None:
            state.carried[0][:] = 0.0
        return state

    monkeypatch.setattr(descent.State, "read", classmethod(planted))
    history, _ = interrupted(kernels, given, tmp_path / "state.npz")
    assert history.loss != whole.loss
    same = history.theta.tobytes() == whole.theta.tobytes()
    assert same == (part == "total")


def test_kept_within_a_long_epoch(tmp_path, kernels, data, monkeypatch) -> None:
    monkeypatch.setattr(descent, "PATIENCE", 0.0)
    file, kept = tmp_path / "state.npz", []

    def look(moment: descent.Moment) -> None:
        with np.load(file) as archive:
            kept.append(int(archive["position"][0]))

    for seconds, expected in ((0.0, [1, 2, 3, 4, 5, 6]), (60.0, [0] * 6)):
        monkeypatch.setattr(descent, "KEEPING", seconds)
        file.unlink(missing_ok=True)
        kept.clear()
        train(kernels, **{**GIVEN, "epochs": 1}, **data, checkpoint=file, during=look)
        assert kept == expected


def test_the_first_step_that_is_not_finite_is_the_last(kernels, data) -> None:
    data["rows"][17] = 1e308
    given = {**GIVEN, **data, "optimiser": sb.SGD(1e3)}
    order = np.random.default_rng((3, 1)).permutation(53)
    batch = order.tolist().index(17) // 8 + 1
    with pytest.raises(sb.DivergenceError, match=rf"epoch 1, minibatch {batch}: `"):
        train(kernels, **given)
    data["rows"][17] = 1e200  # its square ends Adam's running mean
    given = {**GIVEN, **data, "optimiser": sb.Adam()}
    with pytest.raises(sb.DivergenceError, match=rf"{batch}: `v` of `adam` is the"):
        train(kernels, **given)
    given["clip"] = sb.Clip(norm=1.0)  # nor has its length a number
    with pytest.raises(sb.DivergenceError, match=rf"{batch}: `gradient` is the"):
        train(kernels, **given)
    given["clip"] = sb.Clip(value=1.0)
    train(kernels, **given)


# --- the emitted file ----------------------------------------------------------------


def test_a_loop_of_ones_own(kernels, data) -> None:
    """Another's compiled code calls the same pieces."""
    loop = loop_of(kernels, sb.Adam(0.02)).module
    gather, update, backward = loop.gather, loop.update, kernels.backward

    @njit
    def own(theta, order, m, epoch, rows, drawn, first, second, g, work, m1, v1):
        for step in range(1, 4):
            picked = drawn[8 * step - 8 : 8 * step]
            gather(order, epoch, rows, picked, first, second, work[-8:])
            backward(theta, first, m, second, work[-8:], g, work[:-8])
            update(theta, g, m1, v1, step, 0.02, 0.9, 0.999, 1e-8)

    theta = kernels.initial(0)
    drawn = np.random.default_rng((0, 1)).permutation(53)
    g, m1, v1 = (np.zeros_like(theta) for _ in range(3))
    first, second = np.empty((8, 3, 2)), np.empty(8, np.int64)
    work = np.concatenate([kernels.workspace(8), np.empty(8)])
    own(theta, *data.values(), drawn, first, second, g, work, m1, v1)
    rows = np.sort(drawn[:24])
    assert len(set(rows)) == 24
    reference, state = kernels.initial(0), None
    state = sb.Adam(0.02).start(reference)
    for step in (1, 2, 3):
        picked = drawn[8 * step - 8 : 8 * step]
        batch = {n: a if n == "m" else a[picked] for n, a in data.items()}
        _, gradient = kernels.value_and_grad(reference, **batch)
        sb.Adam(0.02).step(reference, gradient, state, step)
    np.testing.assert_allclose(theta, reference, rtol=1e-12)


def test_nothing_outside_an_array_is_read(kernels, data) -> None:
    gather = loop_of(kernels, sb.SGD()).module.gather
    arrays = [data[name] for name in ("order", "epoch", "rows")]
    taken = [np.empty((2, *a.shape[1:]), a.dtype) for a in arrays]
    gather(*arrays, np.array([52, 0]), *taken)
    for found, source in zip(taken, arrays, strict=True):
        np.testing.assert_array_equal(found, source[[52, 0]])
    for wrong in (53, -1):
        with pytest.raises(ValueError, match="rows must hold numbers of samples"):
            gather(*arrays, np.array([0, wrong]), *taken)
    with pytest.raises(ValueError, match="as long as rows"):
        gather(*arrays, np.array([0, 1, 2]), *taken)
    with pytest.raises(ValueError, match="must have the shape"):
        gather(*arrays, np.array([0, 1]), np.empty((2, 2, 3)), *taken[1:])


STRANGER = """
import sys
sys.modules["symbackprop"] = None
import numpy as np
import training_float64_adam as t
x, g, m, v = np.zeros(40), np.ones(40), np.zeros(40), np.zeros(40)
rows = np.zeros((8, 3, 2)), np.zeros(8, np.int64), np.ones(8)
found = t.epoch(
    x, *DATA, np.arange(8, dtype=np.int32), 8, 0, 1, 0, np.ones(1), np.inf, np.inf,
    0.9, 0.999, 1e-8, g, m, v, *rows, np.zeros(10000), 0.0)
assert found[1:] == (1, 0), found
assert not t.epoch.stats.cache_misses, t.epoch.stats
assert x.any()
""".replace("*DATA", "rows[0], np.ones(3), rows[1], rows[2]")


def test_file_runs_by_itself_and_from_the_cache(kernels, data) -> None:
    train(kernels, **{**GIVEN, "epochs": 1}, **data)
    folder = kernels.path.parent
    before = set(sys.modules)
    assert f"kernels_{kernels.dtype}" not in before
    assert str(folder) not in sys.path
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", STRANGER.replace("zeros(40)", f"zeros({kernels.size})")
         .replace("ones(40)", f"ones({kernels.size})")],
        cwd=folder, env=environment, check=True,
    )  # fmt: skip


def test_options_do_not_change_the_file(kernels, data) -> None:
    """Another rate, batch or clip is another number, not another program."""
    train(kernels, **{**GIVEN, "epochs": 1}, **data)
    loop = loop_of(kernels, sb.Adam())
    compiled = len(loop.module.epoch.signatures)
    changed = {"optimiser": sb.Adam(0.5, beta1=0.5), "clip": sb.Clip(value=1.0)}
    train(kernels, **{**GIVEN, "epochs": 1, "batch_size": 5}, **data, **changed)
    again = loop_of(kernels, sb.Adam(0.5))
    assert again.module is loop.module
    assert len(again.module.epoch.signatures) == compiled


def test_other_kernels_make_another_name() -> None:
    from symbackprop.source.descent import emit_training

    texts = [
        emit_training(mixed(), "float64", sb.Adam().rule, kernels)
        for kernels in ("one", "one", "other")
    ]
    assert texts[0] == texts[1]
    differing = [
        line
        for line, other in zip(*(t.splitlines() for t in texts[1:]), strict=True)
        if line != other
    ]
    assert [line[:8] for line in differing] == ["__name__"]


# --- memory --------------------------------------------------------------------------


def test_no_step_allocates(kernels, data) -> None:
    """Numba counts the same allocations for one minibatch as for seven."""
    _nrt_python.memsys_enable_stats()
    counts = []
    loop = loop_of(kernels, sb.Adam())
    for last in (1, 1, 7):
        theta = kernels.initial(0)
        made = descent.Descent(
            kernels, loop, sb.Adam(), sb.ConstantRate(), sb.Clip(norm=1.0),
            descent.Samples(kernels, (), data), 8, 0, descent.State(
                theta, sb.Adam().start(theta)),
        )  # fmt: skip
        order, rates = made._order(1), np.ones(7)
        before = rtsys.get_allocation_stats()
        assert made._run(order, rates, last)[1:] == (last, 0)
        after = rtsys.get_allocation_stats()
        counts.append((after.alloc - before.alloc, after.mi_alloc - before.mi_alloc))
    assert counts[0] == counts[1] == counts[2]


def test_peak_of_memory(tmp_path, rng) -> None:
    """Weights, gradient, optimiser state, activations and a gathered batch."""
    program = sb.Program(
        equations="L = sum((sum(W[i, j]*x[j], j) - y[i])**2, i)",
        axes={"i": 400, "j": 300},
        parameters={"W": "i j"},
        data={"x": "j", "y": "i"},
        batched=("x", "y"),
        objective="L",
    )
    kernels = sb.compile(program, directory=tmp_path)
    x = rng.normal(size=(3000, 300)).astype("float32")
    y = rng.normal(size=(3000, 400)).astype("float32")
    theta = kernels.initial(0)
    given = {
        "x": x,
        "y": y,
        "batch_size": 64,
        "theta": theta,
        "optimiser": sb.Adam(1e-4),
    }
    file = tmp_path / "state.npz"
    train(kernels, **given, epochs=1, checkpoint=file)
    held = 4 * theta.nbytes + kernels.workspace(64).nbytes + 64 * 700 * 4
    order = 3000 * 4  # four bytes for each sample
    for more in ({}, {"checkpoint": file}):
        tracemalloc.start()
        history = train(kernels, **given, epochs=3, **more)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(history.epochs) == 3
        assert held < peak < 1.1 * held + order, peak / held


# --- killed --------------------------------------------------------------------------

SCRIPT = """
import sys
import numpy as np
import symbackprop as sb
from symbackprop import descent
descent.PATIENCE, descent.KEEPING = 0.0005, 0.0  # asked, and kept, all the time
network = sb.Network(20, [sb.Dense(30, "tanh"), sb.Dense(2)], "squared_error")
kernels = sb.compile(network, directory=sys.argv[1])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(20000, 20)), rng.normal(size=(20000, 2))
print("ready", flush=True)
history = sb.train(
    kernels, x=x, y=y, epochs=4, batch_size=16, seed=1, clip=sb.Clip(norm=1.0),
    schedule=sb.CosineRate(4), validation=(x[:100], y[:100]), checkpoint=sys.argv[2],
    progress=lambda epoch: print("epoch", epoch.number, flush=True))
np.savez(sys.argv[3], theta=history.theta, best=history.best_theta,
         loss=history.loss, validation_loss=history.validation_loss)
"""


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        child.kill()
        child.communicate()


def test_killed_at_any_moment(tmp_path: Path, children) -> None:
    """SIGKILL and SIGINT at random moments; then the bits of an undisturbed run."""
    draw = random.Random()
    script, state = tmp_path / "script.py", tmp_path / "state.npz"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(checkpoint: Path, result: Path) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path), str(checkpoint), str(result)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        children.append(child)
        return child

    whole = start(tmp_path / "undisturbed.npz", tmp_path / "whole.npz")
    out, err = whole.communicate(timeout=120)
    assert whole.returncode == 0, err
    assert out.count("epoch") == 4
    killed = 0
    for how in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        child = start(state, tmp_path / "result.npz")
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.02, 0.4))
        child.send_signal(how)
        child.communicate(timeout=60)
        killed += child.returncode != 0
    assert killed
    last = start(state, tmp_path / "result.npz")
    _, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
    with (
        np.load(tmp_path / "whole.npz") as one,
        np.load(tmp_path / "result.npz") as two,
    ):
        for name in one.files:
            assert one[name].tobytes() == two[name].tobytes(), name


# --- examples and SciPy --------------------------------------------------------------


def test_scipy_minimises_as_it_is(kernels, data) -> None:
    start = kernels.initial(0)
    found = minimize(kernels.value_and_grad, start, args=tuple(data.values()), jac=True)
    assert found.fun < kernels.value(start, **data)
    _, gradient = kernels.value_and_grad(found.x, **data)
    assert np.abs(gradient).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "least"),
    [("digits", 0.97), ("maxout", 0.95), ("prelu", 0.95), ("equations", 0.95)],
)
def test_examples_learn(tmp_path: Path, name: str, least: float) -> None:
    network = sb.load(EXAMPLES / f"{name}.toml")
    data = read(network)
    kernels = sb.compile(
        sb.derive(network), dtype=network.dtype, directory=str(tmp_path)
    )
    said = network.training
    given = {
        "x": data.x,
        "y": data.y,
        "batch_size": said.batch_size,
        "optimiser": said.optimiser,
        "seed": said.seed,
        "validation": data.validation,
    }
    history = train(kernels, epochs=said.epochs, **given)
    assert history.accuracy[-1] >= least
    assert history.seconds < 20

    file = tmp_path / "training.npz"
    train(kernels, epochs=said.epochs // 2, checkpoint=file, **given)
    resumed = train(kernels, epochs=said.epochs, checkpoint=file, **given)
    assert resumed.theta.tobytes() == history.theta.tobytes()

    wild = {**given, "optimiser": sb.SGD(1e300 if network.dtype == "float64" else 1e30)}
    with pytest.raises(sb.DivergenceError, match="epoch 1, minibatch"):
        train(kernels, epochs=2, **wild)
