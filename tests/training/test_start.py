"""Runs that start from a model of other data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate import Trainer, load, pretrained
from striate.data.options import Options
from striate.errors import DataError, UsageError
from striate.interop.pytorch.weights import save_weights
from striate.layers import Conv2d, GlobalAvgPool, Linear, ReLU, Softmax
from striate.model import Model
from striate.model.reading import data_for_model
from striate.models.registry import build
from striate.network import Sequential
from striate.training.run import RunConfig, resume, train
from tasks import small_network, stripes


def pictures(folder: Path, classes: int = 2, side: int = 12) -> Path:
    """Write a folder of grey pictures for each class."""
    data = stripes(30, seed=1, classes=classes, side=side)
    for number, (picture, target) in enumerate(zip(data.inputs, data.targets, strict=True)):
        place = folder / f"kind-{target}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[0]).save(place / f"{number}.png")
    return folder


def settings(source: Path | str, start: Path | str, **more: dict[str, object]) -> RunConfig:
    tables: dict[str, dict[str, object]] = {
        "data": {"name": str(source)},
        "model": {"start": str(start)},
        "training": {"epochs": 1},
    }
    for key, values in more.items():
        tables[key] |= values
    return RunConfig.from_dict(tables)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three kinds of stripes, 8x8."""
    trainer = Trainer(small_network(), batch_size=30)
    trainer.fit(stripes(90), epochs=2)
    trainer.model.metadata["preparation"] = {"fit": "pad"}
    return trainer.model.save(tmp_path_factory.mktemp("known") / "known.safetensors")


def test_the_head_is_new_and_pictures_are_read_as_the_model_takes_them(known: Path, tmp_path: Path) -> None:
    run = train(settings(pictures(tmp_path / "photos"), known), tmp_path / "run", report=False)
    before = load(known)
    assert run.model.input_shape == (1, 8, 8)
    assert run.model.classes == ("kind-0", "kind-1")
    assert run.model.normalisation == before.normalisation
    assert run.model.metadata["preparation"]["fit"] == "pad"
    moved = np.abs(run.model.parameters["conv1.weight"] - before.parameters["conv1.weight"]).max()
    assert 0 < moved < 0.02
    again = RunConfig.load(run.folder.config)
    assert again.model.start == str(known)
    assert resume(tmp_path / "run", report=False).folder.model.read_bytes() == run.folder.model.read_bytes()


def test_the_head_stays_for_the_same_classes(known: Path, tmp_path: Path) -> None:
    model = load(known)
    np.savez(tmp_path / "more.npz", x_train=stripes(40).inputs, y_train=np.array(list("abc"))[stripes(40).targets])
    frozen = settings(tmp_path / "more.npz", known, training={"freeze": ["*.weight"]})
    run = train(frozen, tmp_path / "run", report=False)
    assert np.array_equal(run.model.parameters["linear2.weight"], model.parameters["linear2.weight"])


def test_a_network_takes_other_sizes_where_its_parameters_allow_it(known: Path, tmp_path: Path) -> None:
    photos = pictures(tmp_path / "photos")
    refused = r"known.safetensors: takes samples of 1 x 8 x 8; got 1 x 12 x 12. linear1.weight"
    with pytest.raises(UsageError, match=refused):
        train(settings(photos, known, data={"options": {"size": [12, 12]}}), tmp_path / "refused")
    layers = [Conv2d(4, 3), ReLU(), GlobalAvgPool(), Linear(3), Softmax()]
    trainer = Trainer(Sequential(layers, (1, 8, 8), "pooled"))
    trainer.model.save(tmp_path / "pooled.safetensors")
    larger = settings(photos, tmp_path / "pooled.safetensors", data={"options": {"size": [12, 12]}})
    assert train(larger, tmp_path / "run", report=False).model.input_shape == (1, 12, 12)


def test_models_of_other_programs_and_folders_of_runs_are_starts_too(known: Path, tmp_path: Path) -> None:
    photos = pictures(tmp_path / "photos")
    load(known).to_onnx(tmp_path / "known.onnx")
    first = train(settings(photos, tmp_path / "known.onnx"), tmp_path / "first", report=False)
    assert first.model.input_shape == (1, 8, 8)
    second = train(settings(photos, first.folder.path), tmp_path / "second", report=False)
    assert second.model.classes == first.model.classes


def test_a_pretrained_network_is_fine_tuned_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build("squeezenet1_1", 1000, (3, 64, 64))
    rng = np.random.default_rng(0)
    theta = rng.normal(0, 0.05, network.parameter_count).astype(np.float32)
    path = save_weights(Model(network, theta), tmp_path / "net.safetensors")
    name = f"net-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.safetensors"
    monkeypatch.setattr(pretrained, "cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "cache" / "pretrained").mkdir(parents=True)
    path.rename(tmp_path / "cache" / "pretrained" / name)
    monkeypatch.setitem(pretrained.REGISTRY, "net-photos", pretrained.Pretrained("squeezenet1_1", name))
    wanted = settings(pictures(tmp_path / "photos"), "net-photos", data={"options": {"size": [33, 33]}})
    run = train(wanted, tmp_path / "run", report=False)
    assert run.model.network.name == "squeezenet1_1"
    assert run.model.input_shape == (3, 33, 33)
    assert run.model.normalisation.mean == pytest.approx((123.675, 116.28, 103.53))
    assert run.model.metadata["preparation"]["fit"] == "crop"


def test_starts_that_cannot_be_are_refused(known: Path, tmp_path: Path) -> None:
    photos = pictures(tmp_path / "photos")
    with pytest.raises(UsageError, match=r"unknown name 'resnet18-imagnet'; did you mean 'resnet18-imagenet'"):
        train(settings(photos, "resnet18-imagnet"), tmp_path / "run")
    with pytest.raises(UsageError, match="--model: unknown name 'xxx"):
        train(settings(photos, known, model={"name": "x" * 3000}), tmp_path / "run")
    (tmp_path / "known").mkdir()
    with pytest.raises(UsageError, match=r"known: says itself which network it is; got 'lenet5' too"):
        pretrained.open_model(str(tmp_path / "known"), "lenet5")
    with pytest.raises(UsageError, match="says itself which network it is; got 'vgg11' too"):
        pretrained.open_model("resnet18-imagenet", "vgg11")
    (tmp_path / "known.json").write_text("{}")
    with pytest.raises(DataError, match=r"known\.json: not a supported kind of file; models are read from \.onnx"):
        pretrained.open_model(str(tmp_path / "known.json"))
    (tmp_path / "known.pth.tar").write_bytes(b"no weights")
    with pytest.raises(UsageError, match=r"weights need the network they belong to\. Name it: --model resnet18"):
        pretrained.open_model(str(tmp_path / "known.pth.tar"))
    with pytest.raises(UsageError, match="--start also sets the network"):
        train(settings(photos, known, model={"start": str(known), "options": {"width": 8}}), tmp_path / "run")
    with pytest.raises(UsageError, match="--start also sets the network"):
        train(settings(photos, known, model={"start": str(known), "name": str(known)}), tmp_path / "run")


def test_a_model_of_rows_learns_and_is_scored_on_a_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 3))
    kinds = np.where(rows[:, 0] > rows[:, 2], "oak", "lime")
    lines = [",".join([*map(str, row), kind]) for row, kind in zip(rows, kinds, strict=True)]
    table = tmp_path / "trees.csv"
    table.write_text("height,girth,age,kind\n" + "\n".join(lines))
    network = Sequential([Linear(5), ReLU(), Linear(2), Softmax()], (3,))
    theta = rng.normal(0, 0.5, network.parameter_count).astype(np.float32)
    start = Model(network, theta, classes=("lime", "oak")).save(tmp_path / "start.safetensors")
    run = train(settings(table, start, data={"options": {"label": "kind"}}), tmp_path / "run", report=False)
    assert run.model.input_shape == (3,)
    splits = data_for_model(run.model, table, None, 0, Options(label="kind"))
    assert np.abs(splits.train.inputs[:5] - rows.astype(np.float32)[:, None]).max(axis=2).min(axis=0).max() == 0
