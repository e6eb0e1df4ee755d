"""Models for inputs of another size than they were trained on."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model, Sequential
from striate.data.normalisation import Normalisation
from striate.errors import ShapeError, UsageError
from striate.layers import (
    BatchNorm,
    Conv1d,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    Linear,
    MaxPool2d,
    ReLU,
    Reshape,
    Softmax,
)
from striate.models import lenet5, resnet18, unet
from striate.reference.executor import forward


def model_of(network, **facts) -> Model:
    rng = np.random.default_rng(0)
    states = network.initial_states() + rng.random(network.state_count)
    return Model(network, rng.normal(0, 0.3, network.parameter_count), states, **facts)


def convolutional() -> Model:
    layers = [Conv2d(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), GlobalAvgPool(), Linear(3), Softmax()]
    return model_of(Sequential(layers, (1, 8, 8)), classes="abc", normalisation=Normalisation((3.0,), (2.0,)))


def test_the_same_layers_with_the_same_numbers_see_a_larger_picture():
    model, x = convolutional(), np.random.default_rng(1).normal(size=(3, 1, 14, 10))
    larger = model.for_size(14, 10)
    expected = forward(larger.network, model.theta, (x - 3) / 2, states=model.states.astype(float)).output
    np.testing.assert_allclose(larger.predict_proba(x), expected, atol=1e-6)
    assert larger.classes == model.classes
    assert model.input_shape == (1, 8, 8)


def test_a_period_of_a_picture_is_answered_like_its_repetition():
    network = Sequential([Conv2d(4, 1), ReLU(), GlobalAvgPool(), Linear(2)], (1, 6, 6))
    model, x = model_of(network), np.random.default_rng(2).normal(size=(2, 1, 6, 6))
    np.testing.assert_allclose(model.for_size(12, 18).outputs(np.tile(x, (2, 3))), model.outputs(x), atol=1e-5)


def test_the_parameters_are_copies():
    model = convolutional()
    other = model.for_size(9, 9)
    other.parameters["conv1.weight"][:] = 0
    assert model.parameters["conv1.weight"].any()


def test_maps_grow_with_the_picture():
    model = model_of(unet(2, (1, 16, 16)))
    assert model.for_size(32, 48).network.output_shape == (2, 32, 48)


def test_graphs_and_files_keep_everything(tmp_path):
    model = model_of(resnet18(3, (3, 32, 32)), classes="abc")
    path = model.for_size(48, 40).save(tmp_path / "model.safetensors")
    from striate import load

    again = load(path)
    assert again.input_shape == (3, 48, 40)
    assert again.network.parameters == model.network.parameters


def test_series():
    model = model_of(Sequential([Conv1d(2, 3), GlobalAvgPool(), Linear(2)], (1, 20)))
    assert model.for_size(50).outputs(np.zeros((1, 1, 50))).shape == (1, 2)


@pytest.mark.parametrize(
    ("network", "size", "words"),
    [
        (lenet5(), (40, 40), "linear1.weight is 120 x 400 for inputs of 1 x 28 x 28, and would be .* sweep"),
        (lenet5(), (4, 4), "pool"),
        (Sequential([Conv2d(2, 3), Flatten()], (1, 6, 6)), (7, 7), "gives 32 numbers .* would give 50"),
        (Sequential([Flatten(), Linear(2)], 14), (20,), "with 0 axes of space; got a size of 1"),
        (lenet5(), (40,), "with 2 axes of space; got a size of 1"),
        (Sequential([Conv1d(2, 3)], (1, 14)), (40, 40), "with 1 axis of space; got a size of 2"),
        (Sequential([Conv2d(2, 3), Reshape((2, 16)), GlobalAvgPool()], (1, 6, 6)), (7, 7), "reshape"),
    ],
)
def test_networks_that_depend_on_the_size(network, size, words):
    with pytest.raises(ShapeError, match=words):
        Model(network, np.zeros(network.parameter_count)).for_size(*size)


def test_sizes_are_whole_numbers():
    with pytest.raises(UsageError, match="size: must be at least 1; got 0"):
        convolutional().for_size(0, 8)
