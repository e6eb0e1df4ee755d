"""The masks of dropout layers: those of training."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model, Sequential, layers, reference
from striate.errors import UsageError
from striate.explain import draw_dropout, dropout_masks, trace


def model_of(dropout: layers.Layer, shape: tuple[int, ...] = (6, 4, 4)) -> Model:
    network = Sequential([layers.ReLU(), dropout, layers.Flatten(), layers.Linear(2)], shape)
    return Model(network, np.full(network.parameter_count, 0.1))


@pytest.mark.parametrize("dropout", [layers.Dropout(0.3), layers.SpatialDropout(0.5)])
def test_masks_are_those_of_training(dropout):
    model, x = model_of(dropout), np.random.default_rng(0).random((6, 4, 4))
    masks = dropout_masks(trace(model, x), steps=3, seed=7)
    for step in range(3):
        run = reference.forward(model.network, model.theta, x[None], training=True, seed=7, step=step)
        np.testing.assert_array_equal(masks.values * masks.factors[step], run.values[masks.layer][0])
    assert "step 3: " in str(masks)
    assert set(np.unique(masks.factors)) <= {0.0, 1 / (1 - dropout.rate)}


def test_a_row_of_features_is_drawn_as_a_square():
    network = Sequential([layers.Dropout(0.5), layers.Linear(2)], 10)
    masks = dropout_masks(trace(Model(network, np.zeros(network.parameter_count)), np.ones(10)), steps=2)
    axes = draw_dropout(masks)
    assert axes.images[0].get_array().shape == (3, 4, 3)
    assert len(axes.figure.axes) == 3


def test_networks_without_dropout():
    found = trace(model_of(layers.Identity()), np.ones((6, 4, 4)))
    with pytest.raises(UsageError, match=r"has no dropout\. Train a network with dropout"):
        dropout_masks(found)
    with pytest.raises(UsageError, match=r"linear1: has no dropout\. Dropout layers: dropout1"):
        dropout_masks(trace(model_of(layers.Dropout()), np.ones((6, 4, 4))), "linear1")
