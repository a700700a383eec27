"""Files: declarations in TOML, data, and writing whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.datasets import read
from symbackprop.files import write_atomically
from symbackprop.network import DataFile
from symbackprop.optimisers import SGD, Adam
from symbackprop.settings import Training

EXAMPLES = Path(__file__).parent.parent / "examples"

WHOLE = """
name = "whole"
inputs = [2, 2]
loss = "cross_entropy"
penalty = { frobenius = 1e-4 }
dtype = "float64"

[[layers]]
type = "dense"
units = 5
activation = "tanh"

[[layers]]
type = "equations"
text = "y[i] = c*x[i] * logistic(beta[i] * x[i])"
axes = { i = 5 }
parameters = { beta = "i" }
constants = { c = 2 }
weights = ["beta"]
initial = { beta = 1 }

[[layers]]
type = "dense"
units = 3
activation = "softmax"

[data]
file = "here.npz"
target = "one_hot"
validation = 0.25
scale = "standard"

[training]
optimiser = { sgd = { rate = 0.1, momentum = 0.9 } }
epochs = 3
batch_size = 8
seed = 4
"""


def loaded(tmp_path: Path, text: str) -> sb.Network:
    file = tmp_path / "network.toml"
    file.write_text(text)
    return sb.load(file)


def test_the_whole_schema(tmp_path: Path) -> None:
    network = loaded(tmp_path, WHOLE)
    own = sb.Equations(
        "y[i] = c*x[i] * logistic(beta[i] * x[i])",
        {"i": 5},
        {"beta": "i"},
        {"c": 2},
        ("beta",),
        {"beta": 1},
    )
    assert network == sb.Network(
        inputs=[2, 2],
        layers=[sb.Dense(5, "tanh"), own, sb.Dense(3, "softmax")],
        loss="cross_entropy",
        penalty=sb.Frobenius(1e-4),
        name="whole",
        data=DataFile(tmp_path / "here.npz", "one_hot", 0.25, "standard"),
        training=Training(SGD(0.1, momentum=0.9), 3, 8, 4),
        dtype="float64",
    )


def test_what_may_be_left_out(tmp_path: Path) -> None:
    network = loaded(
        tmp_path,
        'name = "least"\ninputs = 2\nloss = "squared_error"\n'
        '[[layers]]\ntype = "dense"\nunits = 1\n'
        "[training]\noptimiser = { adam = 1e-2 }\n",
    )
    assert network.data is None
    assert network.penalty is None
    assert network.training == Training(Adam(1e-2))


LEAST = """
name = "least"
inputs = 2
loss = "squared_error"
[[layers]]
type = "dense"
units = 1
[training]
"""


@pytest.mark.parametrize(
    ("line", "training"),
    [
        ("optimiser = { adamw = 1e-2 }", Training(sb.AdamW(1e-2))),
        ("optimiser = { adagrad = {} }", Training(sb.AdaGrad())),
        ("optimiser = { rmsprop = { decay = 0.5 } }", Training(sb.RMSProp(decay=0.5))),
        ("schedule = { cosine = 30 }", Training(schedule=sb.CosineRate(30))),
        (
            "schedule = { step = { every = 3, factor = 0.5, warmup = 2 } }",
            Training(schedule=sb.StepRate(3, 0.5, warmup=2)),
        ),
        (
            "schedule = { constant = { warmup = 1.5 } }",
            Training(schedule=sb.ConstantRate(warmup=1.5)),
        ),
        ("schedule = { exponential = 1 }", Training(schedule=sb.ExponentialRate(1))),
        ("clip = { norm = 1, value = 0.5 }", Training(clip=sb.Clip(1, 0.5))),
    ],
)
def test_how_to_train(tmp_path: Path, line: str, training: Training) -> None:
    assert loaded(tmp_path, LEAST + line).training == training


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("schedule = { cosin = 3 }", "training.schedule: 'cosin' is not .*`cosine`"),
        ("schedule = { step = { evry = 3 } }", "schedule.step.evry is not .*`every`"),
        ("schedule = { step = {} }", "training.schedule.step.every is missing"),
        ("schedule = { step = 1, cosine = 2 }", "has 2 keys; name one schedule"),
        ("schedule = { constant = 1 }", "constant is 1; give a table of options"),
        ("schedule = { cosine = 0 }", "schedule.cosine: CosineRate: `epochs` is 0"),
        ("schedule = 3", r"training.schedule is 3 \(whole number\)"),
        ("clip = { nrom = 1 }", "training.clip.nrom is not known.*`norm`"),
        ("clip = {}", "training.clip: Clip: give a `norm`"),
        ("clip = 1", "training.clip is 1"),
        ("shedule = 1", "training.shedule is not known.*`schedule`"),
        ("optimiser = { adam = { decay = 1 } }", "adam.decay is not known here"),
    ],
)
def test_how_not_to_train(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(sb.DeclarationError, match=said):
        loaded(tmp_path, LEAST + line)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "whole"', "", "name is missing"),
        ('name = "whole"', "name = 3", r"name is 3 \(whole number\), where a string"),
        ('name = "whole"', 'name = "a/b"', "name.* cannot name files"),
        ("inputs = [2, 2]", "inputs = true", "inputs is True"),
        ("inputs = [2, 2]", 'inputs = "4"', "a whole number or a list"),
        ("dtype =", "dtpye =", "dtpye is not known here. Did you mean `dtype`"),
        ('"float64"', '"double"', "dtype is 'double'; give one of float32, float64"),
        ('"cross_entropy"', '"entropy"', "loss is 'entropy'"),
        ("{ frobenius = 1e-4 }", "1e-4", "penalty is 0.0001.*a table is expected"),
        ("frobenius =", "frobenios =", "penalty.frobenios is not.*`frobenius`"),
        ("units = 5", "unit = 5", r"layers\[1\].unit is not.*Did you mean `units`"),
        ("units = 5", 'units = "5"', r"layers\[1\].units is '5'.*a whole number"),
        ("units = 5", "units = 5.0", r"layers\[1\].units is 5.0 \(number\)"),
        ("units = 5", "units = -5", r"layers\[1\]: Dense: `units` is -5"),
        ("units = 5", "", r"layers\[1\].units is missing"),
        ('"tanh"', '"tang"', r"layers\[1\]: activation 'tang'.*`tanh`"),
        ('type = "equations"', 'type = "equation"', r"layers\[2\].type.*`equations`"),
        ('type = "equations"', "", r"layers\[2\].type is missing"),
        ("{ i = 5 }", '{ i = "5" }', r"layers\[2\].axes.*each entry a whole number"),
        ("{ i = 5 }", "{ i = 6 }", r"layers\[2\] \(Equations, input of shape \(5,\)\)"),
        ('["beta"]', '"beta"', r"layers\[2\].weights.*a list"),
        ('["beta"]', '["bets"]', r"`bets` is not a parameter.*`beta`"),
        ("{ c = 2 }", "{ c = true }", r"layers\[2\].constants"),
        ("{ beta = 1 }", '{ beta = "glorto" }', r"layers\[2\].*initial"),
        ("logistic(beta", "logistic(bata", r"layers\[2\].*(.|\n)*`beta`"),
        ('"one_hot"', '"onehot"', "data.target is 'onehot'.*\"one_hot\" or"),
        ('"one_hot"', '"label"', "'label', but loss `cross_entropy` takes one_hot"),
        ("validation = 0.25", "validation = 1.0", "data: validation is 1.0"),
        ('"standard"', '"unit"', "data.scale is 'unit'"),
        ('file = "here.npz"', "", "data.file is missing"),
        ("epochs = 3", "epochs = 0", "training: epochs is 0"),
        ("epochs = 3", "epoch = 3", "training.epoch is not known.*`epochs`"),
        ("sgd =", "sdg =", "training.optimiser: 'sdg' is not known.*`sgd`"),
        ("rate = 0.1", "rat = 0.1", "training.optimiser.sgd.rat is not.*`rate`"),
        ("rate = 0.1", "rate = 0", "training.optimiser.sgd: SGD: `rate` is 0"),
        ("sgd = {", "adam = 1, sgd = {", "has 2 keys; name one optimiser"),
        ("[training]", "[[training]]", "training is .* a table is expected"),
        ("inputs = [2, 2]", "inputs = [2, 2", "is not TOML"),
    ],
)
def test_declarations_that_are_refused(tmp_path, old: str, new: str, said: str) -> None:
    assert old in WHOLE
    with pytest.raises(sb.DeclarationError, match=said) as caught:
        loaded(tmp_path, WHOLE.replace(old, new, 1))
    assert str(caught.value).startswith(str(tmp_path / "network.toml"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="cannot be read: No such file"):
        sb.load(tmp_path / "nothing.toml")
    with pytest.raises(sb.InputError, match="cannot be read"):
        sb.load(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(sb.DeclarationError, match="is not TOML"):
        sb.load(tmp_path / "bytes.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(sb.DeclarationError, match="is not TOML"):
        sb.load(tmp_path / "deep.toml")
    (tmp_path / "long.toml").write_text("#" * 2_000_001)
    with pytest.raises(sb.InputError, match="longer than"):
        sb.load(tmp_path / "long.toml")


# --- data ----------------------------------------------------------------------------


def network(data: Path, loss: str = "cross_entropy", **more) -> sb.Network:
    return sb.Network(
        2, [sb.Dense(3, "softmax")], loss, data=DataFile(data, **more), name="n"
    )


def saved(tmp_path: Path, **arrays) -> Path:
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path / "data.npz"


def test_split_is_seeded_and_whole(tmp_path: Path) -> None:
    x = np.arange(40.0).reshape(20, 2)
    file = saved(tmp_path, x=x, y=np.arange(20) % 3)
    data = read(network(file, validation=0.2), seed=1)
    assert data.x.shape == (16, 2)
    assert data.y_validation.shape == (4, 3)
    both = np.concatenate([data.x, data.x_validation])
    assert sorted(both[:, 0]) == sorted(x[:, 0])
    for part, target in ((data.x, data.y), data.validation):
        assert (target.argmax(1) == part[:, 0] // 2 % 3).all()
    again = read(network(file, validation=0.2), seed=1)
    assert (again.x == data.x).all()
    assert (read(network(file, validation=0.2), seed=2).x != data.x).any()


def test_nothing_is_held_out_by_default(tmp_path: Path) -> None:
    data = read(network(saved(tmp_path, x=np.ones((6, 2)), y=np.zeros(6))))
    assert data.validation is None
    assert data.x.shape == (6, 2)


@pytest.mark.parametrize("scale", ["standard", "max"])
def test_scaling_looks_at_the_training_part_alone(tmp_path, rng, scale: str) -> None:
    x = rng.normal(size=(50, 2)) * [1, 1000]
    x[:, 0] = 3.0
    file = saved(tmp_path, x=x, y=np.zeros(50, int))
    data = read(network(file, validation=0.5, scale=scale))
    if scale == "max":
        assert np.abs(data.x).max() == 1
    else:
        np.testing.assert_allclose(data.x.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(data.x.std(0), [0, 1], atol=1e-12)
    assert np.isfinite(data.x_validation).all()


def test_labels_and_values(tmp_path: Path) -> None:
    file = saved(tmp_path, x=np.ones((4, 2)), y=np.array([0, 1, 2, 1], np.uint8))
    labels = read(network(file, "sparse_cross_entropy")).y
    assert labels.dtype == np.int64
    assert sorted(labels) == [0, 1, 1, 2]
    rows = np.full((4, 3), 1 / 3)
    file = saved(tmp_path, x=np.ones((4, 2)), y=rows)
    assert (read(network(file, target="value")).y == rows).all()
    eye = np.eye(4, 3)[[0, 1, 2, 0]]
    file = saved(tmp_path, x=np.ones((4, 2)), y=eye)
    assert read(network(file)).y.sum() == 4


def test_csv_with_and_without_heads(tmp_path: Path) -> None:
    for head in ("", "a,b,class\n", "\ufeffa,b,class\r\n"):
        file = tmp_path / "data.csv"
        file.write_text(f"{head}1,2,0\n\n3,4.5,2\n5,6e1,1\n", encoding="utf-8")
        data = read(network(file, "sparse_cross_entropy"))
        order = data.x[:, 0].argsort()
        assert data.x[order].tolist() == [[1, 2], [3, 4.5], [5, 60]]
        assert data.y[order].tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no samples"),
        ("a,b,c\n", "no samples"),
        ("1\n2\n", "there is one column"),
        ("1,2,0\n1,2\n", "line 2: there are 2 columns, but 3"),
        ("1,2,0\n1,x,0\n", "line 2, column 2: 'x' is not a number"),
        ("1,2,3\n", "label of sample 0 .* is 3.0, but the 3 classes are 0 to 2"),
        ("1,2,0\n1,2,0.5\n", "label of sample 1"),
        ("1,2,-1\n", "is -1.0"),
        ("1,nan,0\n", r"`x` is nan at \(0, 1\)"),
        ("1,2,inf\n", "`y` is inf"),
        ("1,2,3,0\n", r"shape \(3,\), but the network's inputs have \(2,\)"),
    ],
)
def test_csv_files_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "data.csv"
    file.write_text(text)
    with pytest.raises(sb.InputError, match=said):
        read(network(file))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.ones((4, 2))}, "there is no array `y`, only x"),
        ({"x": np.ones((4, 2)), "y": np.zeros(3)}, "4 samples, but `y` has 3"),
        ({"x": np.ones((4, 3)), "y": np.zeros(4)}, r"shape \(3,\)"),
        ({"x": np.ones((4, 2)), "y": np.zeros((4, 2))}, "one class label a sample"),
        ({"x": np.ones((4, 2)), "y": np.ones((4, 3))}, "row 0 of `y` .* not one-hot"),
        ({"x": np.ones((4, 2)), "y": np.array(["a"] * 4)}, "`y` is of type <U1"),
        ({"x": np.ones((4, 2)) * 1j, "y": np.zeros(4)}, "`x` is of type complex"),
        ({"x": np.ones(()), "y": np.zeros(4)}, "no samples in `x`"),
        ({"x": np.array([None, 1]), "y": np.zeros(2)}, "cannot be read as .npz"),
    ],
)
def test_archives_that_are_refused(tmp_path: Path, arrays, said: str) -> None:
    with pytest.raises(sb.InputError, match=said):
        read(network(saved(tmp_path, **arrays)))


def test_data_files_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="is not there; a relative path"):
        read(network(tmp_path / "nothing.npz"))
    (tmp_path / "data.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(sb.InputError, match="cannot be read as"):
        read(network(tmp_path / "data.npz"))
    with open(tmp_path / "data.npz", "wb") as stream:
        np.save(stream, np.ones(3))
    with pytest.raises(sb.InputError, match="cannot be read as"):
        read(network(tmp_path / "data.npz"))
    (tmp_path / "data.txt").write_text("1,2\n")
    with pytest.raises(sb.InputError, match=r"give \.npz or \.csv"):
        read(network(tmp_path / "data.txt"))
    with pytest.raises(sb.InputError, match=r"give its file a \[data\] table"):
        read(sb.Network(2, [sb.Dense(1)], "squared_error"))
    file = saved(tmp_path, x=np.ones((2, 2)), y=np.zeros(2))
    with pytest.raises(sb.InputError, match="holds out 0; both parts need"):
        read(network(file, validation=0.1))


# --- writing -------------------------------------------------------------------------


def test_written_once(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file.py"
    assert write_atomically(file, "α = 1\n")
    assert file.read_bytes() == "α = 1\n".encode()
    before = file.stat()
    assert not write_atomically(file, "α = 1\n")
    assert file.stat() == before
    assert write_atomically(file, b"2")
    assert os.listdir(file.parent) == ["file.py"]


def test_an_interrupted_writing_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    file = tmp_path / "file"
    write_atomically(file, "old")

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    write_atomically(file, "old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="cannot be written: Is a directory"):
        write_atomically(tmp_path, "text")
    (tmp_path / "file").write_text("")
    with pytest.raises(sb.InputError, match="cannot be written"):
        write_atomically(tmp_path / "file" / "below", "text")


# --- the examples --------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda f: f.stem)
def test_examples_load_with_their_data(file: Path) -> None:
    network = sb.load(file)
    data = read(network)
    assert data.validation is not None
    assert network.name == file.stem
    assert data.y.shape[0] == data.x.shape[0]


@pytest.mark.parametrize("path", ["/dev/zero", "a\0b", None, 5, b"x", ""])
def test_what_is_no_file_is_refused(path) -> None:
    with pytest.raises(sb.InputError):
        sb.load(path)
