"""Keras files that h5py writes here, layer by layer, against PyTorch in Keras' order of axes."""

# ruff: noqa: E501  (configurations are clearer on one line)

from __future__ import annotations

import io
import json
import signal
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.errors import ModelFileError, StriateError
from striate.interop import keras
from striate.model import load

h5py: Any = pytest.importorskip("h5py")
Layers = list[tuple[str, dict[str, Any], list[np.ndarray]]]


def described(layers: Layers, shape: tuple[int, ...]) -> dict[str, Any]:
    items = [{"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [None, *shape]}}]
    for number, (kind, config, _) in enumerate(layers):
        items.append({"class_name": kind, "config": {"name": f"layer_{number}", **config}})
    return {"class_name": "Sequential", "config": {"name": "net", "layers": items}}


def legacy(path: Path, layers: Layers, shape: tuple[int, ...]) -> Path:
    """Write the format of Keras 2."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(described(layers, shape))
        root = file.create_group("model_weights")
        for number, (_, _, arrays) in enumerate(layers):
            group = root.create_group(f"layer_{number}")
            names = [f"layer_{number}/array{i}:0" for i in range(len(arrays))]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, arrays, strict=True):
                group[name] = array
    return path


def modern(path: Path, layers: Layers, shape: tuple[int, ...]) -> Path:
    """Write the format of Keras 3, with weights filed under classes."""
    buffer, counts = io.BytesIO(), dict[str, int]()
    stems = {
        "Conv2D": "conv2d",
        "Dense": "dense",
        "Flatten": "flatten",
        "BatchNormalization": "batch_normalization",
    }
    with h5py.File(buffer, "w") as file:
        for kind, _, arrays in layers:
            stem = stems[kind]
            number = counts.get(stem, 0)
            counts[stem] = number + 1
            group = file.create_group(f"layers/{stem if not number else f'{stem}_{number}'}/vars")
            for i, array in enumerate(arrays):
                group[str(i)] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(described(layers, shape)))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path


def network(rng: np.random.Generator) -> Layers:
    def normal(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    conv = {"kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "activation": "relu"}
    return [
        ("Conv2D", conv, [normal(3, 3, 3, 5), normal(5)]),
        ("BatchNormalization", {"epsilon": 1e-3}, [normal(5), normal(5), normal(5), np.abs(normal(5)) + 0.5]),
        ("Flatten", {}, []),
        ("Dense", {"activation": "softmax"}, [normal(5 * 4 * 5, 3), normal(3)]),
    ]


def in_torch(layers: Layers, x: np.ndarray) -> np.ndarray:
    torch = pytest.importorskip("torch")
    (_, _, (kernel, bias)), (_, _, (gamma, beta, mean, variance)), _, (_, _, (dense, offset)) = layers
    y = torch.nn.functional.pad(torch.tensor(x), (0, 1, 1, 1) if x.shape[3] % 2 == 0 else (1, 1, 1, 1))
    y = torch.relu(
        torch.nn.functional.conv2d(y, torch.tensor(kernel).permute(3, 2, 0, 1), torch.tensor(bias), stride=2)
    )
    arrays = [torch.tensor(a) for a in (mean, variance, gamma, beta)]
    y = torch.nn.functional.batch_norm(y, *arrays, eps=1e-3)
    row = y.permute(0, 2, 3, 1).flatten(1)
    found: np.ndarray = torch.softmax(row @ torch.tensor(dense) + torch.tensor(offset), 1).numpy()
    return found


@pytest.mark.parametrize("form", [legacy, modern])
def test_both_formats_give_what_keras_means(form: Any, tmp_path: Path) -> None:
    layers = network(np.random.default_rng(0))
    model = keras.load(form(tmp_path / "model.keras", layers, (7, 9, 3)))
    assert model.input_shape == (3, 7, 9)
    x = np.random.default_rng(1).normal(size=(4, 3, 7, 9)).astype(np.float32)
    np.testing.assert_allclose(model.outputs(x), in_torch(layers, x), atol=1e-5)


def test_functional_models_with_branches(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    depth, point = (
        rng.normal(size=(3, 3, 2, 1)).astype(np.float32),
        rng.normal(size=(1, 1, 2, 4)).astype(np.float32),
    )
    history = {"class_name": "__keras_tensor__", "config": {"keras_history": ["input", 0, 0]}}
    items = [
        {"class_name": "InputLayer", "name": "input", "config": {"batch_input_shape": [None, 6, 6, 2]}, "inbound_nodes": []},
        {"class_name": "SeparableConv2D", "name": "sep", "config": {"kernel_size": [3, 3], "strides": [1, 1],
         "padding": "same", "use_bias": False}, "inbound_nodes": [[["input", 0, 0, {}]]]},
        {"class_name": "Conv2D", "name": "side", "config": {"kernel_size": [1, 1], "strides": [1, 1], "use_bias": False},
         "inbound_nodes": [{"args": [history], "kwargs": {}}]},
        {"class_name": "Add", "name": "add", "config": {}, "inbound_nodes": [[["sep", 0, 0, {}], ["side", 0, 0, {}]]]},
        {"class_name": "GlobalAveragePooling2D", "name": "gap", "config": {}, "inbound_nodes": [[["add", 0, 0, {}]]]},
    ]  # fmt: skip
    config = {"class_name": "Functional", "config": {"layers": items, "output_layers": [["gap", 0, 0]]}}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for name, arrays in {"sep": [depth, point], "side": [point]}.items():
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"a{i}" for i in range(len(arrays))]
            for i, array in enumerate(arrays):
                group[f"a{i}"] = array
    model = keras.load(tmp_path / "m.h5")
    x = rng.normal(size=(1, 2, 6, 6)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    separable = np.einsum("ncyxij,ijc,co->noyx", windows, depth[..., 0], point[0, 0])
    wanted = (separable + np.einsum("ncyx,co->noyx", x, point[0, 0])).mean(axis=(2, 3))
    np.testing.assert_allclose(model.outputs(x), wanted, rtol=1e-4, atol=1e-5)


def test_the_digit_recogniser_of_the_lecture_has_its_parameters(tmp_path: Path) -> None:
    def conv(size: int, inputs: int, filters: int) -> tuple[str, dict[str, Any], list[np.ndarray]]:
        config = {"kernel_size": [size, size], "strides": [1, 1], "padding": "same", "activation": "relu"}
        return "Conv2D", config, [np.zeros((size, size, inputs, filters)), np.zeros(filters)]

    def dense(inputs: int, outputs: int, activation: str) -> tuple[str, dict[str, Any], list[np.ndarray]]:
        return "Dense", {"activation": activation}, [np.zeros((inputs, outputs)), np.zeros(outputs)]

    pool = ("MaxPooling2D", {"pool_size": [2, 2], "strides": None}, list[np.ndarray]())
    drop = ("Dropout", {"rate": 0.25}, list[np.ndarray]())
    layers: Layers = [conv(5, 1, 8), pool, drop, conv(3, 8, 16), pool, drop, ("Flatten", {}, []),
                      dense(784, 256, "relu"), drop, dense(256, 100, "softmax")]  # fmt: skip
    model = keras.load(legacy(tmp_path / "m.h5", layers, (28, 28, 1)))
    assert model.input_shape == (1, 28, 28)
    assert [sum(slot.spec.size for slot in step.parameters) for step in model.network.steps if step.parameters] == [
        208, 1_168, 200_960, 25_700]  # fmt: skip
    assert len(model.theta) == 228_036


def test_samples_may_have_their_channels_where_keras_had_them(tmp_path: Path) -> None:
    model = keras.load(legacy(tmp_path / "m.h5", network(np.random.default_rng(0)), (7, 9, 3)))
    x = np.random.default_rng(1).integers(0, 256, (4, 7, 9, 3), np.uint8)
    wanted = model.outputs(np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(model.outputs(x), wanted)
    model = load(model.save(tmp_path / "m.safetensors"))
    np.save(tmp_path / "x.npy", x)
    Image.fromarray(x[0]).save(tmp_path / "x.png")
    np.testing.assert_array_equal(model.outputs(x), wanted)
    np.testing.assert_array_equal(model.outputs(tmp_path / "x.npy"), wanted)
    np.testing.assert_array_equal(model.outputs(tmp_path / "x.png"), wanted[:1])


def test_hard_sigmoid_means_what_it_meant_in_its_version(tmp_path: Path) -> None:
    layers: Layers = [("Activation", {"activation": "hard_sigmoid"}, [])]
    path = legacy(tmp_path / "m.h5", layers, (3,))
    x = np.array([[-1.0, 0.5, 2.0]], np.float32)
    np.testing.assert_allclose(keras.load(path).outputs(x), 0.2 * x + 0.5, rtol=1e-6)
    with h5py.File(path, "a") as file:
        file.attrs["keras_version"] = "3.5.0"
    np.testing.assert_allclose(keras.load(path).outputs(x), x / 6 + 0.5, rtol=1e-6)


def test_open_sides_are_asked_for(tmp_path: Path) -> None:
    conv = {"kernel_size": [3, 3], "strides": [1, 1], "use_bias": False}
    path = legacy(tmp_path / "m.h5", [("Conv2D", conv, [np.ones((3, 3, 1, 2))])], (None, None, 1))  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match=r"the input has open sides \(1x\?x\?\); give the shape of a sample"):
        keras.load(path)
    assert keras.load(path, input_shape=(1, 8, 9)).network.output_shape == (2, 6, 7)


def test_layers_that_are_not_known_are_said_at_once(tmp_path: Path) -> None:
    path = legacy(tmp_path / "m.h5", [("ConvLSTM1D", {}, []), ("Attention", {}, []), ("Lambda", {}, [])], (4, 4, 1))
    with pytest.raises(ModelFileError, match="the layers Attention, ConvLSTM1D, Lambda are not supported"):
        keras.load(path)


def test_numbers_beyond_64_bits_are_refused(tmp_path: Path) -> None:
    layers: Layers = [
        (
            "Conv2D",
            {"filters": 2, "kernel_size": [1, 1], "strides": [2**70, 1]},
            [np.zeros((1, 1, 3, 2)), np.zeros(2)],
        )
    ]
    with pytest.raises(ModelFileError, match=r"must be a model of Keras|nodes are not supported"):
        keras.load(legacy(tmp_path / "m.h5", layers, (4, 4, 3)))


def test_sides_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = legacy(tmp_path / "m.h5", network(np.random.default_rng(0)), (7, 9, 3))
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace("[null, 7", "[null, Infinity")
    with pytest.raises(ModelFileError, match=r"m\.h5: must be a model of Keras"):
        keras.load(path)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers of processor time")
def test_a_file_on_which_hdf5_loops_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loop(command: list[str], **options: Any) -> Any:
        code = (
            "from striate.interop import hdf5\ndef read(path):\n    while True: pass\nhdf5.read = read\nhdf5.main()"
        )
        return run([command[0], "-c", code, command[-1]], **options)

    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", loop)
    path = legacy(tmp_path / "m.h5", network(np.random.default_rng(0)), (7, 9, 3))
    with pytest.raises(ModelFileError, match=r"m\.h5: must be a model of Keras; reading it took more than 0\.2 s"):
        keras.load(path)


def test_links_to_other_files_are_refused(tmp_path: Path) -> None:
    layers = network(np.random.default_rng(0))
    path = legacy(tmp_path / "m.h5", layers, (7, 9, 3))
    with h5py.File(path, "a") as file:
        group = file["model_weights/layer_0/layer_0"]
        del group["array0:0"]
        group["array0:0"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(ModelFileError, match=r"'array0:0' is a link, which may lead to another file"):
        keras.load(path)
    with h5py.File(path, "a") as file:
        group = file["model_weights/layer_0/layer_0"]
        del group["array0:0"]
        layout = h5py.VirtualLayout((3, 3, 3, 5), np.float32)
        layout[:] = h5py.VirtualSource("other.h5", "x", shape=(3, 3, 3, 5))
        group.create_virtual_dataset("array0:0", layout)
    with pytest.raises(ModelFileError, match=r"the numbers of .* are in another file"):
        keras.load(path)


def test_what_an_array_claims_is_not_allocated(tmp_path: Path) -> None:
    layers = network(np.random.default_rng(0))
    path = legacy(tmp_path / "m.h5", layers, (7, 9, 3))
    with h5py.File(path, "a") as file:
        group = file["model_weights/layer_0/layer_0"]
        del group["array0:0"]
        group.create_dataset("array0:0", (10**6, 10**6), np.float32, chunks=(100, 100))
    with pytest.raises(ModelFileError, match=r"claims 4,000,000,000,000 bytes"):
        keras.load(path)
    with h5py.File(path, "a") as file:
        group = file["model_weights/layer_0/layer_0"]
        del group["array0:0"]
        group.create_dataset("array0:0", (3, 3), "f4", maxshape=(None, None), chunks=(20_000, 20_000))
    with pytest.raises(ModelFileError, match=r"'layer_0/array0:0' has chunks of 1,600,000,000 bytes"):
        keras.load(path)


def test_files_that_are_not_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    for content, reason in ((b"", "it is empty"), (b"no model at all", "must be a model of Keras"),
                            (b"PK\x03\x04 nothing", "must be a model of Keras")):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=reason):
            keras.load(path)
    with h5py.File(path, "w") as file:
        file.create_group("x")
    with pytest.raises(ModelFileError, match=r"it has no model_config; save the whole model"):
        keras.load(path)


def test_mutated_files_are_models_or_refused_in_one_line(tmp_path: Path) -> None:
    whole = np.frombuffer(
        legacy(tmp_path / "m.h5", network(np.random.default_rng(0)), (7, 9, 3)).read_bytes(), np.uint8
    )
    rng, path, messages = np.random.default_rng(0), tmp_path / "b.h5", []
    for number in range(10):
        data = whole.copy()
        places = rng.integers(0, len(data), rng.integers(1, 6))
        data[places] = rng.integers(0, 256, len(places))
        path.write_bytes(data[: rng.integers(1, len(data))].tobytes() if number % 4 == 0 else data.tobytes())
        try:
            keras.load(path)
        except StriateError as error:
            messages.append(str(error))
    assert len(messages) > 3
    assert all("\n" not in text and len(text) < 800 for text in messages)
