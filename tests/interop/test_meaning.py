"""What the outputs of foreign models mean, and the pixels that they take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.errors import UsageError
from striate.interop.meaning import assumed_targets, with_targets
from striate.interop.protobuf import encode
from striate.interop.reading import Wish, read
from striate.layers import Conv2d, Flatten, GlobalAvgPool, Identity, Layer, Linear, ReLU, Sigmoid, Softmax, Tanh
from striate.model import Model
from striate.network import Network, Sequential
from support.onnx_graphs import message, node


def network(*layers: Layer, shape: tuple[int, ...] = (3, 8, 8)) -> Network:
    return Sequential(list(layers), shape)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (network(Flatten(), Linear(5)), "classes"),
        (network(Conv2d(5, 3), GlobalAvgPool()), "classes"),
        (network(Conv2d(5, 8), Flatten(), Identity()), "classes"),
        (network(Flatten(), Linear(5), Sigmoid()), "labels"),
        (network(Flatten(), Linear(1)), "numbers"),
        (network(Flatten(), Linear(5), Tanh()), "numbers"),
        (network(Flatten(), Linear(5), ReLU()), "numbers"),
        (network(Conv2d(5, 3)), "numbers"),
        (network(Linear(5), shape=(8,)), "numbers"),
    ],
)
def test_several_scores_of_a_picture_are_of_classes(found: Network, wanted: str) -> None:
    assert assumed_targets(found) == wanted


def foreign(path: Path) -> Path:
    """Write a classifier of pictures that ends in scores."""
    weight = np.random.default_rng(0).normal(size=(3 * 4 * 4, 5)).astype(np.float32)
    content = message([node("Flatten", "x", "f"), node("Gemm", "f w", "out")], "n", 3, 4, 4, w=weight)
    path.write_bytes(encode(content))
    return path


def test_scores_are_read_as_classes_and_the_report_says_so(tmp_path: Path) -> None:
    path = foreign(tmp_path / "m.onnx")
    found = read(path)
    assert found.report[-1] == (
        "outputs: read as scores of 5 classes; name them with --classes, or keep numbers with --targets numbers"
    )
    x = np.random.default_rng(1).integers(0, 256, (4, 3, 4, 4)).astype(np.uint8)
    np.testing.assert_array_equal(found.model.predict(x), found.model.outputs(x).argmax(axis=1))
    assert found.model.output_names == ("0", "1", "2", "3", "4")
    assert read(path, Wish(targets="numbers")).model.kind == "numbers"
    with pytest.raises(UsageError, match="--targets: unknown name 'klasses'"):
        read(path, Wish(targets="klasses"))


def test_what_is_known_is_not_assumed() -> None:
    known = Model(network(Flatten(), Linear(2)), np.zeros(386, np.float32), metadata={"origin": {"format": "onnx"}})
    own = Model(known.network, known.theta)
    written = Model(known.network, known.theta, metadata={"origin": {"producer": "striate 0.2.0"}})
    probable = Model(network(Flatten(), Linear(2), Softmax()), known.theta, metadata=known.metadata)
    assert [with_targets(model, None) for model in (own, written, probable)] == [None, None, None]
    assert with_targets(known, "labels") is None
    assert known.kind == "labels"


def test_samples_that_are_no_pixels_are_warned_of(tmp_path: Path) -> None:
    model = read(foreign(tmp_path / "m.onnx"), Wish(pixels="0..1")).model
    x = np.random.default_rng(1).random((2, 3, 4, 4)).astype(np.float32)
    with pytest.warns(UserWarning, match="m: takes pixels from 0 to 255; the samples are at most 1. Multiply them"):
        model.outputs(x)
    model.outputs(255 * x)
    model.outputs(np.zeros((2, 3, 4, 4), np.float32))
    model.outputs(np.ones((2, 3, 4, 4), np.uint8))
