"""Made-up data under the names that README and the pages use, and the runs and models that their commands expect.

``python docs/made_up.py`` puts them into the current folder, with the Python that striate is installed in.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

RUNS = ("digits-lenet5", "other", "birds")


def photographs(folder: Path, count: int = 30) -> None:
    """Write pictures of two colours, a folder for each."""
    random = np.random.default_rng(0)
    for channel, name in enumerate(("sparrow", "robin")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 120, (60 + number, 80, 3))
            pixels[20:50, 20:60, channel] += 130
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.jpg")


def pictures() -> None:
    """Write single pictures: a digit, and a photograph."""
    digit = np.zeros((28, 28), np.uint8)
    digit[5:8, 6:22] = digit[8:24, 17:20] = 255
    Path("sample.json").write_text(json.dumps({"samples": digit[:8, :8].tolist()}), "utf-8")
    for name in ("picture.png", "seven.png"):
        Image.fromarray(digit).save(name)
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3)).astype(np.uint8)).save("photo.jpg")


def tables() -> None:
    """Write a table of numbers and one of classes."""
    random = np.random.default_rng(2)
    rooms, area = random.integers(1, 8, 200), random.normal(100, 30, 200).round(1)
    prices = (20_000 * rooms + 1_500 * area + random.normal(0, 5_000, 200)).round(0).astype(int)
    _write("houses.csv", ("rooms", "area", "price"), zip(rooms, area, prices, strict=True))
    kinds = random.integers(0, 3, 150)
    leaves = (kinds[:, None] + random.normal(0, 0.4, (150, 2))).round(2)
    names = np.array(["setosa", "versicolor", "virginica"])[kinds]
    _write("iris.csv", ("length", "width", "species"), zip(*leaves.T, names, strict=True))


def models() -> None:
    """Write models of striate, and weights with torchvision's names."""
    from striate import Model
    from striate.interop.writing import write
    from striate.models import lenet5, photo_cnn, resnet18

    grey, coloured, large = (
        Model(network, np.random.default_rng(3).normal(0, 0.05, network.parameter_count).astype(np.float32))
        for network in (lenet5(), photo_cnn(2, (3, 32, 32)), resnet18())
    )
    grey.save("model.safetensors")
    write(coloured, Path("model.onnx"))
    write(large, Path("weights.safetensors"))
    Path("imagenet.txt").write_text("\n".join(f"class {number}" for number in range(1000)), "utf-8")


def network() -> None:
    """Write a network in TOML."""
    layers = ('"Conv2d"\nout_channels = 8\nkernel_size = 3', '"ReLU"', '"Flatten"')
    layers += ('"Linear"\nout_features = "classes"', '"Softmax"')
    Path("net.toml").write_text("".join(f"[[layers]]\ntype = {layer}\n\n" for layer in layers), "utf-8")


def foreign(folder: Path) -> None:
    """Write files of PyTorch, Keras and ONNX, where they are installed."""
    if find_spec("torch"):
        import torch
        from safetensors.torch import load_file

        for name in ("resnet18-f37072fd.pth", "my-resnet.pth"):
            torch.save(load_file(folder / "weights.safetensors"), folder / name)
        layers = (torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 26 * 26, 10))
        torch.save(torch.nn.Sequential(*layers).state_dict(), folder / "weights.pth")
    if find_spec("keras") and find_spec("torch"):
        os.environ.setdefault("KERAS_BACKEND", "torch")
        import keras

        layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(10)]
        keras.Sequential([keras.Input((28, 28, 1)), *layers]).save(folder / "digits.keras")
    if find_spec("onnx"):
        _speech(folder / "speech.onnx")


def _speech(path: Path) -> None:
    """Write a graph whose input has an open side, and that has a setting as an input."""
    from onnx import TensorProto, helper, save

    audio = helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", "samples"])
    rate = helper.make_tensor_value_info("rate", TensorProto.FLOAT, [])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", "samples"])
    graph = helper.make_graph([helper.make_node("Div", ["audio", "rate"], ["out"])], "speech", [audio, rate], [out])
    save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)


def runs() -> None:
    """Train the runs that commands look into."""
    for name in RUNS:
        arguments = ("train", "digits", "--epochs", "1", "--no-report", "--out", f"runs/{name}")
        subprocess.run([sys.executable, "-m", "striate", *arguments], check=True, capture_output=True)


def _write(name: str, heads: tuple[str, ...], rows: object) -> None:
    with open(name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heads, *rows])  # type: ignore[misc]


if __name__ == "__main__":
    photographs(Path("photographs"))
    pictures()
    tables()
    models()
    network()
    runs()
