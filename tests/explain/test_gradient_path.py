"""The gradient of one parameter of a model as a sum of values times error signals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import Model
from striate.data.normalisation import Normalisation
from striate.errors import UsageError
from striate.explain import gradient_path, trace
from striate.layers import (
    BatchNorm,
    ChannelScale,
    Conv2d,
    ConvTranspose2d,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    PReLU,
    RadialBasis,
    Sigmoid,
    Softmax,
    Subsample2d,
    Tanh,
)
from striate.network import Network, Sequential
from striate.training.initialisation import initialise


def finite_difference(
    model: Model, sample: np.ndarray, parameter: str, index: tuple[int, ...], target: Any
) -> float:
    """Return the slope of the loss from two models that differ in one number."""
    step, losses = 2.0**-7, []
    for sign in (1, -1):
        moved = Model(model.network, model.theta.copy(), model.states)
        moved.parameters[parameter][index] += sign * step
        losses.append(gradient_path(trace(moved, sample), parameter, index, target).loss)
    return (losses[0] - losses[1]) / (2 * step)


NETWORKS: dict[str, Network] = {
    "convolution": Sequential([Conv2d(2, 3, padding=1), Tanh(), Flatten(), Linear(3), Softmax()], (1, 5, 5)),
    "transposed": Sequential([ConvTranspose2d(2, 3, stride=2), Tanh(), Flatten(), Linear(3)], (1, 3, 3)),
    "normalised": Sequential([Conv2d(2, 3), BatchNorm(), PReLU(), Flatten(), LayerNorm(), Linear(3)], (1, 5, 5)),
    "subsampled": Sequential([Subsample2d(2), Tanh(), ChannelScale(), Flatten(), RadialBasis(3)], (1, 4, 4)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_products_add_up_to_the_gradient_of_every_parameter(name):
    network = NETWORKS[name]
    rng = np.random.default_rng(1)
    model = Model(network, rng.normal(0, 0.5, network.parameter_count), network.initial_states())
    sample = rng.normal(size=network.input_shape)
    for slot in network.parameters:
        index = tuple(int(rng.integers(n)) for n in slot.spec.shape)
        found = gradient_path(trace(model, sample), slot.name, index, 1)
        assert found.sum == pytest.approx(found.gradient, rel=1e-12, abs=1e-14)
        slope = finite_difference(model, sample, slot.name, index, 1)
        assert found.gradient == pytest.approx(slope, rel=2e-3, abs=1e-5)


def test_values_are_the_inputs_that_the_weight_meets(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    path = gradient_path(found, "conv1.weight", (2, 0, 2, 2), int(digits.targets[0]))
    np.testing.assert_allclose(path.values[2], found["input"][0], rtol=1e-12, atol=1e-12)
    assert not path.values[[0, 1, 3, 4, 5]].any()
    assert next(iter(path.signals)) == "linear3"
    assert list(path.signals)[-1] == "conv1"
    dense = gradient_path(found, "linear3.weight", (4, 7), 4)
    assert dense.products[4] == found["relu4"][7] * (found["softmax1"][4] - 1)


def test_mean_squared_error_of_a_regression():
    network = Sequential([Linear(2)], 3)
    model = Model(network, [1, 2, 3, 0, 0, 0, 0.5, 0])
    path = gradient_path(trace(model, np.array([1.0, 1.0, 2.0])), "linear1.weight", (0, 2), [0.0, 0.0])
    assert path.gradient == 2 * 9.5 / 2 * 2
    assert path.rule == "mean squared error"


def test_embeddings_count_how_often_a_symbol_stands():
    network = Sequential([Embedding(4, 2), Flatten(), Linear(2)], 3)
    model = Model(network, initialise(network, "he", 0)[0])
    path = gradient_path(trace(model, np.array([1, 3, 1])), "embedding1.weight", (1, 0), 0)
    assert path.values[0].tolist() == [1, 0, 1]
    assert path.sum == pytest.approx(path.gradient, rel=1e-12)


def test_text_shows_the_way_and_the_sum(trained_lenet, digits):
    text = str(gradient_path(trace(trained_lenet, digits.inputs[0]), "linear3.bias", 7, "7"))
    assert text.startswith("d loss / d linear3.bias[7] = ")
    assert "cross-entropy with class 7" in text
    assert "linear3[feature 7]: 1 * -0.9" in text
    assert "linear3 (10): norm " in text


@pytest.mark.parametrize(
    ("parameter", "index", "target", "message"),
    [
        ("conv9.weight", (0, 0, 0, 0), 0, r"parameter: unknown name 'conv9.weight'; did you mean"),
        ("conv1.weight", (0, 0, 5, 0), 0, r"conv1.weight: the index must lie in 6 x 1 x 5 x 5.*got \[0, 0, 5, 0\]"),
        ("conv1.weight", (0, 0), 0, r"conv1.weight: the index must lie in 6 x 1 x 5 x 5"),
        ("conv1.bias", 0.5, 0, r"conv1.bias: the index must lie in 6"),
        ("conv1.bias", 0, 10, r"class: must be a number from 0 to 9"),
        ("conv1.bias", 0, [1.0, 2.0], r"target: must be a class or 10 numbers"),
    ],
)
def test_what_does_not_exist(random_lenet, picture, parameter, index, target, message):
    with pytest.raises(UsageError, match=message):
        gradient_path(trace(random_lenet, picture), parameter, index, target)


def test_text_says_how_many_terms_are_left_out(random_lenet, picture):
    text = str(gradient_path(trace(random_lenet, picture), "conv1.bias", 0, 0))
    assert " smaller terms add " in text
    assert text.splitlines()[-1].startswith("  sum: ")


def test_the_loss_is_that_of_the_model():
    network = Sequential([Linear(1), Sigmoid()], 3)
    metadata = {"loss_function": "binary_cross_entropy", "targets": "classes"}
    model = Model(network, np.array([0.5, -1.0, 2.0, 0.25]), classes=("no", "yes"), metadata=metadata)
    x = np.array([1.0, 0.5, 0.25])
    path = gradient_path(trace(model, x), "linear1.weight", (0, 2), "yes")
    share = 1.0 / (1.0 + np.exp(-0.75))
    assert path.rule == "binary cross-entropy with class yes"
    assert path.loss == pytest.approx(-np.log(share))
    assert path.gradient == pytest.approx((share - 1.0) * 0.25)


def test_targets_are_in_the_users_units():
    metadata = {"loss_function": "mean_squared_error", "targets": "numbers"}
    units = Normalisation((100.0,), (10.0,))
    model = Model(Sequential([Linear(1)], 2), np.ones(3), metadata=metadata, target_normalisation=units)
    path = gradient_path(trace(model, np.ones(2)), "linear1.bias", 0, [110.0])
    assert (path.loss, path.gradient) == (pytest.approx(4.0), pytest.approx(4.0))
