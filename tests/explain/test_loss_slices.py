"""Lines and planes through the loss of a real network."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model
from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.explain import draw_loss_line, draw_loss_plane, loss_line, loss_plane
from striate.explain.loss_slices import random_direction
from striate.layers import Flatten, Linear, Sigmoid
from striate.network import Sequential


def test_filters_of_a_direction_are_as_long_as_the_models(trained_lenet):
    direction = trained_lenet.network.views(random_direction(trained_lenet, 4))
    for name, own in trained_lenet.parameters.items():
        axes = tuple(range(1, own.ndim))
        if own.ndim > 1:
            found = np.sqrt((direction[name] ** 2).sum(axis=axes))
            np.testing.assert_allclose(found, np.sqrt((own.astype(float) ** 2).sum(axis=axes)), rtol=1e-6)
        else:
            assert not direction[name].any()


def test_the_middle_of_a_slice_is_the_models_loss(trained_lenet, digits):
    few = digits.take(np.arange(60))
    own = trained_lenet.evaluate(few).loss
    before = trained_lenet.theta.copy()
    line = loss_line(trained_lenet, few, points=5)
    plane = loss_plane(trained_lenet, few, points=3)
    assert line.losses[2] == pytest.approx(own, rel=1e-6)
    assert plane.losses[1, 1] == pytest.approx(own, rel=1e-6)
    assert plane.losses.max() > own
    np.testing.assert_array_equal(trained_lenet.theta, before)
    np.testing.assert_allclose(plane.losses[1], loss_line(trained_lenet, few, points=3).losses, rtol=1e-6)


def test_a_line_between_two_models_has_both_at_its_ends(trained_lenet, digits):
    few = digits.take(np.arange(40))
    other = Model(
        trained_lenet.network,
        trained_lenet.theta[::-1].copy(),
        classes=trained_lenet.classes,
        normalisation=trained_lenet.normalisation,
    )
    line = loss_line(trained_lenet, few, points=5, towards=other)
    assert line.steps.tolist() == [-0.5, 0, 0.5, 1, 1.5]
    assert line.losses[1] == pytest.approx(trained_lenet.evaluate(few).loss, rel=1e-5)
    assert line.losses[3] == pytest.approx(other.evaluate(few).loss, rel=1e-4)


def test_the_loss_of_a_regression_is_a_parabola():
    model = Model(Sequential([Linear(1, bias=False)], 1), [2.0])
    data = Dataset(np.ones((3, 1), np.float32), np.full((3, 1), 2.0, np.float32))
    line = loss_line(model, data, points=5)
    np.testing.assert_allclose(line.losses, (line.steps * 2.0) ** 2, rtol=1e-6)


def test_drawings(trained_lenet, digits):
    few = digits.take(np.arange(20))
    line, plane = loss_line(trained_lenet, few, points=3), loss_plane(trained_lenet, few, points=3)
    assert len(draw_loss_line(line).lines) == 2
    assert draw_loss_plane(plane).get_xlabel() == "step along the first direction"


def test_what_makes_no_sense(trained_lenet, random_lenet, digits):
    with pytest.raises(UsageError, match="towards: needs a model of the same network; got 61,706 parameters"):
        loss_line(trained_lenet, digits, towards=random_lenet)
    with pytest.raises(UsageError, match="reach"):
        loss_line(trained_lenet, digits, reach=0)
    with pytest.raises(UsageError, match="points"):
        loss_plane(trained_lenet, digits, points=1)


def sigmoid_model():
    """A network that says 0.9 for every sample, trained with the binary cross-entropy."""
    network = Sequential([Flatten(), Linear(1), Sigmoid()], (1, 4, 4))
    theta = np.zeros(17, np.float32)
    theta[-1] = np.log(9.0)
    metadata = {"loss_function": "binary_cross_entropy", "targets": "classes"}
    return Model(network, theta, classes=("no", "yes"), metadata=metadata)


def test_the_loss_is_that_of_the_model():
    data = Dataset(np.ones((5, 1, 4, 4), np.float32), np.array([1, 1, 1, 1, 0]), ("no", "yes"))
    line = loss_line(sigmoid_model(), data, points=3)
    assert line.losses[1] == pytest.approx(-(4 * np.log(0.9) + np.log(0.1)) / 5, rel=1e-6)


def test_gaussian_models_have_slices():
    network = Sequential([Flatten(), Linear(2)], (1, 2, 2))
    metadata = {"loss_function": "gaussian_negative_log_likelihood", "targets": "numbers"}
    model = Model(network, np.zeros(10), metadata=metadata)
    line = loss_line(model, Dataset(np.ones((3, 1, 2, 2), np.float32), np.ones((3, 1), np.float32)), points=3)
    assert line.losses[1] == pytest.approx((1 + np.log(2 * np.pi)) / 2, rel=1e-6)
