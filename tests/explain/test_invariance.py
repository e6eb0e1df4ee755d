"""Invariance and equivariance, against networks of which they are known."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model
from striate.errors import UsageError
from striate.explain import draw_invariance, invariance
from striate.layers import AvgPool2d, Conv1d, Conv2d, Flatten, GlobalAvgPool, Linear, MaxPool2d, ReLU, Sigmoid
from striate.network import Network, Sequential


def model_of(network: Network) -> Model:
    return Model(network, np.random.default_rng(0).normal(size=network.parameter_count), network.initial_states())


@pytest.fixture
def blob() -> np.ndarray:
    """A spot in the middle of nothing, float64[1, 24, 24]."""
    rows, columns = np.mgrid[:24, :24] - 11.5
    return np.exp(-(rows**2 + columns**2) / 6)[None]


def test_convolution_is_equivariant_to_shifts_and_global_pooling_invariant():
    network = Sequential([Conv2d(3, 3, bias=False), ReLU(), GlobalAvgPool(), Linear(2)], (1, 20, 20))
    sample = np.zeros((1, 20, 20))
    sample[0, 8:11, 8:12] = np.arange(12.0).reshape(3, 4)
    found = invariance(model_of(network), sample, "shift", (-3, 0, 2))
    np.testing.assert_allclose(found.equivariance["conv1"], 0, atol=1e-12)
    np.testing.assert_allclose(found.changes["global_pool1"], 0, atol=1e-12)
    np.testing.assert_allclose(found.scores, found.scores[[1]].repeat(3, 0), atol=1e-12)
    assert (found.changes["conv1"][[0, 2]] > 0.5).all()


def test_pooling_with_stride_is_equivariant_to_whole_strides_only():
    network = Sequential([MaxPool2d(2), Flatten(), Linear(2)], (1, 16, 16))
    sample = np.zeros((1, 16, 16))
    sample[0, 6:10, 5:11] = np.random.default_rng(1).random((4, 6))
    found = invariance(model_of(network), sample, "shift", (-2, -1, 0, 1, 2)).equivariance["pool1"]
    np.testing.assert_allclose(found[[0, 2, 4]], 0, atol=1e-12)
    assert (found[[1, 3]] > 0.05).all()


def test_maps_are_compared_where_their_windows_stand():
    network = Sequential([AvgPool2d(3, 3, padding=1), Flatten(), Linear(2)], (1, 24, 24))
    rows, columns = np.mgrid[:24, :24]
    ramp = (rows + 2.0 * columns)[None]
    found = invariance(model_of(network), ramp, "scale", (1.0, 1.2), background=0.0)
    assert found.equivariance["pool1"][0] == pytest.approx(0, abs=1e-12)
    assert found.equivariance["pool1"][1] < 0.12  # nothing but what comes in over the edge


def test_a_round_spot_does_not_see_rotations(blob):
    network = Sequential([Conv2d(2, 3), Flatten(), Linear(2)], (1, 24, 24))
    found = invariance(model_of(network), blob, "rotation", (-30, 90))
    assert found.changes["input"][0] < 0.1
    assert found.changes["input"][1] < 1e-9
    assert invariance(model_of(network), blob, "scale", (0.5,)).changes["input"][0] > 0.4


def test_positive_angles_turn_counter_clockwise():
    sample = np.zeros((1, 5, 5))
    sample[0, 2, 4] = 1.0  # to the right of the centre; a quarter turn brings it above
    network = Sequential([Flatten(), Linear(25, bias=False)], (1, 5, 5))
    model = Model(network, np.eye(25).ravel())
    turned = invariance(model, sample, "rotation", (90,)).scores[0].reshape(5, 5)
    np.testing.assert_allclose(turned[0, 2], 1.0)


def test_a_shift_goes_to_the_right():
    sample = np.arange(9.0).reshape(1, 3, 3)
    model = Model(Sequential([Flatten(), Linear(9, bias=False)], (1, 3, 3)), np.eye(9).ravel())
    moved = invariance(model, sample, "shift", (1,), background=-1.0).scores[0].reshape(3, 3)
    np.testing.assert_allclose(moved, [[-1, 0, 1], [-1, 3, 4], [-1, 6, 7]])


def test_a_trained_model_and_its_drawings(trained_lenet, digits):
    found = invariance(trained_lenet, digits.inputs[0])
    still = list(found.amounts).index(0)
    assert found.probabilities.shape == (9, 10)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert all(change[still] < 1e-12 for change in found.changes.values())
    assert set(found.equivariance) == {"input", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2"}
    assert len(draw_invariance(found).lines) == len(found.changes)
    assert len(draw_invariance(found, what="equivariance").lines) == 7
    assert len(draw_invariance(found, what="probabilities").lines) == 5


def test_signals_can_be_shifted_and_scaled():
    network = Sequential([Conv1d(2, 3), Flatten(), Linear(2)], (1, 16))
    found = invariance(model_of(network), np.sin(np.arange(16.0))[None], "scale", (0.8, 1.0))
    assert found.equivariance["conv1"].shape == (2,)


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (Sequential([Linear(2)], 5), {}, "shift: needs a sample with space; network takes 5. Choose another"),
        (
            Sequential([Conv1d(2, 3)], (1, 9)),
            {"kind": "rotation"},
            "rotation: needs a sample with rows and columns",
        ),
        (Sequential([Conv1d(2, 3)], (1, 9)), {"kind": "mirror"}, "kind"),
        (
            Sequential([Conv1d(2, 3)], (1, 9)),
            {"kind": "scale", "amounts": (0,)},
            "amounts: must be finite .* above 0",
        ),
        (Sequential([Conv1d(2, 3)], (1, 9)), {"amounts": ()}, "amounts: must be finite numbers"),
    ],
)
def test_what_does_not_fit(network, arguments, message):
    with pytest.raises(UsageError, match=message):
        invariance(model_of(network), np.ones(network.input_shape), **arguments)


def test_drawing_knows_three_things(trained_lenet, digits):
    with pytest.raises(UsageError, match="what"):
        draw_invariance(invariance(trained_lenet, digits.inputs[0], amounts=(0,)), what="everything")


def test_probabilities_are_those_of_predictions():
    network = Sequential([Flatten(), Linear(1), Sigmoid()], (1, 6, 6))
    metadata = {"loss_function": "binary_cross_entropy", "targets": "classes"}
    theta = np.random.default_rng(0).normal(size=37)
    model = Model(network, theta, classes=("no", "yes"), metadata=metadata)
    sample = np.random.default_rng(1).random((1, 6, 6))
    found = invariance(model, sample, "shift", [0.0])
    np.testing.assert_allclose(found.probabilities, model.predict_proba(sample[None].astype(np.float32)), rtol=1e-5)
