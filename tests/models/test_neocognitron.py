"""The Neocognitron as a network computes what Fukushima's formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from striate.errors import ShapeError, UsageError
from striate.layers import Input
from striate.model import Model
from striate.models.neocognitron import figures, neocognitron_1980, neocognitron_2003
from striate.models.neocognitron.cells import c_layer, c_layer_1980, s_layer
from striate.network import Network


def random_model(network):
    theta = np.random.default_rng(0).uniform(0.1, 1.0, network.parameter_count)
    return Model(network, theta.astype(np.float32))


def windows(maps, size):
    return np.lib.stride_tricks.sliding_window_view(maps, (size, size), axis=(1, 2))


def test_s_cells_divide_excitation_by_inhibition():
    r = 1.5
    model = random_model(Network(s_layer(Input((2, 6, 6)), 3, 3, r, "s1")))
    model.parameters["s1/excitation.bias"][...] = 1
    model.parameters["s1/inhibition.bias"][...] = 1
    x = np.random.default_rng(1).uniform(0, 1, (2, 6, 6)).astype(np.float32)
    a, spread = model.parameters["s1/excitation.weight"], model.parameters["s1/energy.weight"][0]
    b = model.parameters["s1/inhibition.weight"][:, 0]  # holds r/(1 + r) * b
    seen = windows(x.astype(np.float64), 3)
    e = np.einsum("crxij,kcij->krx", seen, a)
    v = np.sqrt(np.einsum("crxij,cij->rx", seen**2, spread))
    expected = r * np.maximum(0, (1 + e) / (1 + b * v) - 1)
    np.testing.assert_allclose(model.outputs(x[None])[0], expected, rtol=1e-5)


@pytest.mark.parametrize("half", [0.5, 1.0, 2.0])
def test_c_cells_gather_and_saturate(half):
    x = np.random.default_rng(1).uniform(0, 1, (2, 6, 6)).astype(np.float32)
    for layer, lateral in ((c_layer, False), (c_layer_1980, True)):
        model = random_model(Network(layer(Input((2, 6, 6)), 3, "c1", half=half)))
        d = model.parameters["c1/gathered.weight"][:, 0]
        gathered = np.einsum("crxij,cij->crx", windows(x.astype(np.float64), 3), d)
        if lateral:
            mean = np.tensordot(model.parameters["c1/mean.weight"][0, :, 0, 0], gathered, 1)
            gathered = np.maximum(0, (1 + gathered) / (1 + mean) - 1)
        np.testing.assert_allclose(model.outputs(x[None])[0], gathered / (half + gathered), rtol=2e-5, atol=1e-6)


def test_sizes_of_1980():
    network = neocognitron_1980()
    sizes = [network.step(name).shape for name in ("s1", "c1", "s2", "c2", "s3", "c3")]
    assert sizes == [(24, side, side) for side in (16, 10, 8, 6, 2, 1)]
    assert network.output_shape == (24,)


def test_the_top_of_2003_takes_the_strongest_cell_of_each_class():
    network = neocognitron_2003(3, (1, 16, 16), planes=(4, 5), top=(2, 1, 3))
    model = random_model(network)
    from striate.model.part import part_of

    x = np.random.default_rng(1).uniform(0, 1, (2, 1, 16, 16)).astype(np.float32)
    s4, c4 = part_of(model, "s4").outputs(x), part_of(model, "c4").outputs(x)
    flat = s4.reshape(2, 6, -1).max(2)
    expected = np.stack([flat[:, :2].max(1), flat[:, 2], flat[:, 3:].max(1)], axis=1)
    np.testing.assert_array_equal(c4, expected)


def test_figures_are_five_pictures():
    assert figures().shape == (5, 1, 16, 16)
    assert set(np.unique(figures())) == {0, 1}


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"top": (1, 2)}, UsageError, "a number for each of the 10 classes; got 2"),
        ({"thresholds": (0.5, 0.5, 1.0, 0.5)}, UsageError, "must be below 1"),
        ({"input_shape": (1, 8, 8)}, ShapeError, "at least 16"),
        ({"planes": (0, 5)}, UsageError, "planes"),
    ],
)
def test_what_2003_refuses(options, error, match):
    with pytest.raises(error, match=match):
        neocognitron_2003(**options)
