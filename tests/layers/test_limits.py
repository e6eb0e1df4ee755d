"""Sizes that no machine can hold are refused when a network is built, and nothing takes long before that."""

from __future__ import annotations

from typing import Any

import pytest

from striate.errors import ModelFileError, ShapeError, UsageError
from striate.layers import (
    Add,
    Concatenate,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Embedding,
    Flatten,
    Input,
    Linear,
    MaxPool2d,
    Pad,
    ReLU,
    Upsample,
)
from striate.network import Network, Sequential
from striate.network_description import from_description

HUGE = 2**40


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: MaxPool2d(HUGE, stride=HUGE), id="kernel"),
        pytest.param(lambda: MaxPool2d(2, stride=HUGE), id="stride"),
        pytest.param(lambda: MaxPool2d(2, padding=HUGE), id="padding"),
        pytest.param(lambda: Conv2d(1, 2, dilation=HUGE), id="dilation"),
        pytest.param(lambda: ConvTranspose2d(1, 2, stride=HUGE), id="transposed stride"),
        pytest.param(lambda: Upsample(HUGE), id="factor"),
        pytest.param(lambda: Linear(2**5000), id="features"),
        pytest.param(lambda: Conv2d(2**5000, 2), id="channels"),
        pytest.param(lambda: Embedding(2**64, 2), id="words"),
        pytest.param(lambda: Input((2**5000, 4, 4)), id="input"),
        pytest.param(lambda: Input((-(2**5000), 4, 4)), id="negative input"),
    ],
)
def test_arguments_are_bounded(make: Any) -> None:
    with pytest.raises(UsageError, match=r"must be at (most|least) \d+; got .{1,60}\.") as caught:
        make()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "make", [lambda: Conv2d(1, 513), lambda: MaxPool2d((2**12, 2**12)), lambda: Conv1d(1, 2**19)]
)
def test_kernels_are_bounded(make: Any) -> None:
    with pytest.raises(
        UsageError, match=r"kernel_size: must cover at most 262,144 positions; got .*\. Use a smaller"
    ):
        make()


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([Upsample(2)] * 40, id="doubled again and again"),
        pytest.param([Upsample(2**24)], id="enlarged"),
        pytest.param([Pad(2**24)], id="padded"),
        pytest.param([Flatten(), Linear(2**41)], id="features"),
        pytest.param([Conv2d(2**40, 1)], id="channels"),
    ],
)
def test_values_are_bounded(layers: list) -> None:
    with pytest.raises(ShapeError, match=r"a value has at most 2\^40 numbers, and 2\^24 positions .*; got .* from"):
        Sequential(layers, (1, 4, 4))


def test_values_of_branches_are_bounded() -> None:
    node = Input((4,))
    for _ in range(38):
        node = Concatenate()(node, node)
    with pytest.raises(ShapeError, match="a value has at most"):
        Concatenate()(node, node)


def test_the_shape_of_an_input_is_bounded() -> None:
    with pytest.raises(ShapeError, match=r"a value has at most 2\^40 numbers.*; got 1048576 x 2097152"):
        Input((2**20, 2**21))
    with pytest.raises(ShapeError, match="2\\^24 positions on an axis"):
        Input((1, 2**24 + 1))


def test_parameters_are_bounded() -> None:
    with pytest.raises(ShapeError, match=r"wide: a network has at most 2\^40 parameters"):
        Sequential([Flatten(), Linear(2**21), Linear(2**21)], (1, 4, 4), "wide")


def test_branches_that_meet_again_and_again_take_no_longer_than_layers() -> None:
    """A file of 300 lines describes 2 to the 300 paths."""
    node = Input((4,))
    for _ in range(300):
        node = Add()(node, node)
    network = Network(ReLU()(node))
    assert len(from_description(network.describe()).steps) == 302


def test_the_layers_of_a_file_are_bounded() -> None:
    layers = [{"name": "input", "inputs": [], "type": "InputLayer", "shape": [4]}]
    for number in range(5000):
        layers.append({"name": f"relu{number}", "inputs": [layers[-1]["name"]], "type": "ReLU"})
    with pytest.raises(ModelFileError, match="a network has at most 5,000 layers; got 5,001"):
        from_description({"name": "deep", "layers": layers})
    assert len(from_description({"name": "deep", "layers": layers[:-1]}).steps) == 5000
