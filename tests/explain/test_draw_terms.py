"""Drawings of the terms of a value and of a gradient."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model
from striate.explain import draw_gradient_path, draw_why, gradient_path, trace
from striate.layers import Conv1d, Conv3d, Flatten, Linear, ReLU
from striate.network import Sequential


def test_terms_of_a_convolution_are_tiles_of_its_strongest_channels(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    axes = draw_why(found.why("conv2", channel=3, row=1, column=1))
    names = [text.get_text() for text in axes.texts]
    assert len(names) == 3 * 4
    products = found.why("conv2", channel=3, row=1, column=1).products.reshape(6, -1)
    strongest = sorted(np.argsort(-np.abs(products).sum(axis=1))[:4].tolist())
    assert names[::3] == [f"x, channel {c}" for c in strongest]
    assert names[2::3] == [f"sum {products[c].sum():.3g}" for c in strongest]


def test_terms_of_other_layers_are_bars_as_long_as_they_add(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    why = found.why("linear3", feature=4)
    axes = draw_why(why)
    lengths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(lengths[:20], why.products[why.terms.order[:20]])
    assert lengths[20] == why.bias
    assert len(draw_why(found.why("pool1", channel=0, row=0, column=0)).patches) == 4


def test_a_gradient_is_drawn_where_its_weight_is_used(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    axes = draw_gradient_path(gradient_path(found, "conv2.weight", (5, 0, 2, 2), 3))
    assert [text.get_text() for text in axes.texts] == ["value", "error signal", "product"]
    assert "channel 5" in axes.get_title()
    assert draw_gradient_path(gradient_path(found, "linear2.weight", (5, 0), 3)).get_title()


@pytest.mark.parametrize(("layer", "shape"), [(Conv1d(2, 3), (2, 9)), (Conv3d(2, 2), (1, 3, 4, 5))])
def test_every_dimension_is_drawn(layer, shape):
    network = Sequential([layer, ReLU(), Flatten(), Linear(2)], shape)
    model = Model(network, np.random.default_rng(0).normal(size=network.parameter_count))
    found = trace(model, np.random.default_rng(1).normal(size=shape))
    draw_why(found.why_at("conv1", (1,) + (0,) * (len(shape) - 1)))
    draw_gradient_path(gradient_path(found, "conv1.weight", (0,) * (len(shape) + 1), 0))
