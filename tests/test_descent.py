"""The compiled training loop, held against its declaration and against NumPy."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.datasets import read
from symbackprop.optimisers import SGD
from symbackprop.training import train

EXAMPLES = Path(__file__).parent.parent / "examples"


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

    wild = {**given, "optimiser": SGD(1e300 if network.dtype == "float64" else 1e30)}
    with pytest.raises(sb.DivergenceError, match="epoch 1, minibatch"):
        train(kernels, epochs=2, **wild)
