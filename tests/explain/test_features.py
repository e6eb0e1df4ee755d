"""Filters, feature maps, exciting patches, deconvolution and activation maximisation."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from striate import Model, reference
from striate.drawing.mosaic import EDGE, draw_mosaic, mosaic
from striate.errors import ShapeError, UsageError
from striate.explain import (
    deconvolution,
    draw_feature_maps,
    draw_filters,
    draw_patches,
    feature_grid,
    feature_maps,
    layer_filters,
    maximise_activation,
    part_of,
    top_patches,
    trace,
)
from striate.layers import Add, BatchNorm, Conv1d, Conv2d, ConvTranspose2d, Flatten, Input, Linear, ReLU
from striate.network import Network, Sequential


def random_model(network: Network, seed: int = 0) -> Model:
    theta = np.random.default_rng(seed).normal(size=network.parameter_count)
    return Model(network, theta, network.initial_states())


def test_filters_are_what_the_input_is_multiplied_by():
    model = random_model(Sequential([Conv2d(4, 3, groups=2, bias=False)], (4, 5, 5)))
    found = layer_filters(model, "conv1")
    assert found.shape == (4, 2, 3, 3)
    why = trace(model, np.ones((4, 5, 5))).why("conv1", channel=3, row=0, column=0)
    np.testing.assert_array_equal(found[3], why.kernel)


def test_filters_of_connection_tables_have_zeros_where_nothing_is_connected():
    model = random_model(Sequential([Conv2d(2, 3, connections=[[0], [0, 2]])], (3, 5, 5)))
    found = layer_filters(model, "conv1")
    assert found.shape == (2, 3, 3, 3)
    assert found.any(axis=(2, 3)).tolist() == [[True, False, False], [True, False, True]]


def test_filters_of_transposed_and_dense_layers():
    model = random_model(Sequential([ConvTranspose2d(4, 2, groups=2), Flatten(), Linear(3)], (6, 2, 2)))
    weight = model.parameters["conv_transpose1.weight"]
    found = layer_filters(model, "conv_transpose1")
    assert found.shape == (4, 3, 2, 2)
    np.testing.assert_array_equal(found[3, 2], weight[5, 1])
    assert layer_filters(model, "linear1").shape == (3, 4, 3, 3)
    assert layer_filters(random_model(Sequential([Linear(3)], 5)), "linear1").shape == (3, 5)


def test_figures_of_filters_and_maps(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    np.testing.assert_array_equal(feature_maps(found, "conv1"), found["conv1"])
    assert tiles(draw_filters(trained_lenet, "conv1")) == 6
    assert draw_filters(trained_lenet, "conv2").images[0].get_array().count() == 96 * 25
    assert tiles(draw_filters(trained_lenet, "conv2", 3)) == 16
    assert tiles(draw_feature_maps(found, "relu1")) == 6
    assert draw_feature_maps(found, "linear1", "map").images[0].get_array().shape == (1, 120)
    colour = random_model(Sequential([Conv2d(5, 3)], (3, 8, 8)))
    assert tiles(draw_filters(colour, "conv1")) == 5
    signal = random_model(Sequential([Conv1d(2, 3)], (1, 8)))
    assert draw_filters(signal, "conv1").images[0].get_array().shape == (2, 3)


def tiles(axes) -> int:
    """How many tiles with a name there are."""
    return len(axes.texts)


def test_every_tile_has_an_edge_on_all_sides():
    """White tiles, so that only their edges are drawn, those at the end of the picture too."""
    room = io.BytesIO()
    draw_mosaic([np.ones((20, 20, 3))] * 4, columns=2).figure.savefig(room)
    pixels = np.asarray(Image.open(room).convert("RGB")).astype(int)
    darkest = np.array([int(EDGE[at : at + 2], 16) for at in (1, 3, 5)])
    drawn = np.abs(pixels - darkest).max(axis=2) < 20
    rows, columns = drawn.any(axis=1).nonzero()[0], drawn.any(axis=0).nonzero()[0]
    for line in (drawn[rows[0]], drawn[rows[-1]], drawn[:, columns[0]], drawn[:, columns[-1]]):
        assert line.sum() > 0.4 * min(pixels.shape[:2])


def test_a_tile_holds_its_values_where_the_mosaic_says():
    pictures = [np.full((2, 3), 1.0), np.full((1, 3), 2.0), np.full((2, 1), 3.0)]
    found = mosaic(pictures, columns=2, gap=(1, 1))
    assert found.values.shape == (6, 7)
    for picture, (top, left) in zip(pictures, found.corners, strict=True):
        rows, columns = picture.shape
        np.testing.assert_array_equal(found.values[top : top + rows, left : left + columns], picture)
    assert np.isfinite(found.values).sum() == 6 + 3 + 2


def test_figures_go_into_axes_that_are_given(trained_lenet, digits):
    from matplotlib.figure import Figure

    left, right = Figure().subplots(1, 2)
    assert draw_filters(trained_lenet, "conv1", axes=left) is left
    assert draw_feature_maps(trace(trained_lenet, digits.inputs[0]), "conv1", axes=right) is right


def test_a_part_gives_the_values_of_its_layer():
    x = Input((2, 6, 6))
    branch = BatchNorm()(Conv2d(3, 3, padding=1, name="left")(x))
    network = Network(Linear(2)(Flatten()(ReLU()(Add()(branch, Conv2d(3, 3, padding=1, name="right")(x))))))
    model = random_model(network)
    model.states[...] = np.abs(model.states) + 0.3
    sample = np.random.default_rng(1).normal(size=(2, 6, 6))
    found = trace(model, sample)
    for layer in ("right", "norm1", "add1", "relu1"):
        part = part_of(model, layer)
        np.testing.assert_array_equal(trace(part, sample).output, found[layer])
    assert [slot.name for slot in part_of(model, "norm1").network.parameters] == [
        "left.weight",
        "left.bias",
        "norm1.weight",
        "norm1.bias",
    ]


def test_top_patches_are_the_strongest_of_the_data_set(trained_lenet, digits):
    few = digits.take(np.arange(50))
    patches = top_patches(trained_lenet, few, "conv1", 2, count=5)
    run = reference.forward(
        trained_lenet.network, trained_lenet.theta, trained_lenet.normalisation.apply(few.inputs, np.float64)
    )
    largest = run.values["conv1"][:, 2].reshape(50, -1).max(axis=1)
    np.testing.assert_allclose([patch.value for patch in patches], np.sort(largest)[::-1][:5], rtol=1e-5)
    for patch in patches:
        assert run.values["conv1"][(patch.sample, 2, *patch.position)] == pytest.approx(patch.value, rel=1e-5)
        (top, bottom), (left, right) = patch.span
        np.testing.assert_array_equal(patch.pixels, few.inputs[patch.sample][:, top:bottom, left:right])
        assert patch.pixels.shape[1] <= 5
    assert tiles(draw_patches(patches, "conv1")) == 5


def test_top_patches_of_a_dense_layer_are_whole_samples(trained_lenet, digits):
    patches = top_patches(trained_lenet, digits.inputs[:20], "linear2", 0, count=2)
    assert patches[0].pixels.shape == (1, 8, 8)
    assert patches[0].position == ()


def test_deconvolution_without_rectifiers_is_the_gradient():
    model = random_model(Sequential([Conv2d(2, 3), Conv2d(2, 2)], (1, 6, 6)))
    found = trace(model, np.random.default_rng(2).normal(size=(1, 6, 6)))
    pattern = deconvolution(found, "conv2", 1, (1, 2))
    gradient = found.field("conv2", (1, 1, 2)).gradient
    np.testing.assert_allclose(pattern, gradient * found["conv2"][1, 1, 2], rtol=1e-12)


def test_rectifiers_pass_what_is_positive():
    network = Sequential([Conv2d(2, 1, bias=False), ReLU(), Conv2d(1, 1, bias=False)], (1, 1, 1))
    model = Model(network, [1, -1, -2, 3])
    found = trace(model, np.array([[[-1.0]]]))
    assert found.output.item() == 3  # through the second channel alone
    assert deconvolution(found, "conv2", 0).item() == -9  # 3 * max(3, 0) * -1
    back = trace(Model(network, [1, 1, 2, 3]), np.array([[[1.0]]]))
    assert deconvolution(back, "conv2", 0, guided=True).item() == 25
    stopped = trace(Model(network, [1, -1, 2, 3]), np.array([[[1.0]]]))
    assert deconvolution(stopped, "conv2", 0).item() == 2 * (2 - 3)
    assert deconvolution(stopped, "conv2", 0, guided=True).item() == 2 * 2


def test_deconvolution_starts_at_the_largest_value(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    at = np.unravel_index(found["relu2"][3].argmax(), found["relu2"][3].shape)
    whole = deconvolution(found, "relu2", 3)
    np.testing.assert_array_equal(whole, deconvolution(found, "relu2", 3, at))
    assert whole.shape == (1, 8, 8)


def test_maximisation_beats_every_real_picture(trained_lenet, digits):
    found = maximise_activation(trained_lenet, "linear3", 4, steps=30)
    real = trace(trained_lenet, found.picture).scores[4]
    assert found.values[-1] == pytest.approx(real, rel=1e-6)
    part = part_of(trained_lenet, "linear3")
    assert found.values[-1] > part.outputs(digits.inputs)[:, 4].max()
    assert len(found.values) == 31


def test_maximisation_stays_within_limits(trained_lenet):
    found = maximise_activation(trained_lenet, "conv2", 1, steps=5, limits=(0, 255), blur=0)
    assert found.picture.min() >= -1e-9
    assert found.picture.max() <= 255 + 1e-9


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda m, d: layer_filters(m, "relu1"),
            r"relu1: has no filters; it is ReLU\(\). Layers with filters: conv1, conv2",
        ),
        (lambda m, d: layer_filters(m, "conv8"), "layer: unknown name 'conv8'"),
        (lambda m, d: draw_filters(m, "conv2", 6), "conv2: channel must be from 0 to 5; got 6"),
        (lambda m, d: draw_feature_maps(trace(m, d.inputs[0]), "conv1", "all"), "scale: .*layer.*map"),
        (lambda m, d: top_patches(m, d, "conv1", 6), "conv1: channel must be a whole number from 0 to 5; got 6"),
        (
            lambda m, d: deconvolution(trace(m, d.inputs[0]), "conv1", 0, (0,)),
            "conv1: needs .*column is missing",
        ),
        (lambda m, d: maximise_activation(m, "linear3", 10), "linear3: feature must be .* from 0 to 9; got 10"),
        (lambda m, d: maximise_activation(m, "linear3", 1, rate=0), "rate"),
        (lambda m, d: part_of(m, "input"), "at least one layer"),
    ],
)
def test_what_does_not_exist(trained_lenet, digits, ask, message):
    with pytest.raises(UsageError, match=message):
        ask(trained_lenet, digits)


def test_samples_of_another_shape(trained_lenet):
    with pytest.raises(ShapeError, match="samples: lenet5 takes N x 1 x 8 x 8; got 4 x 1 x 9 x 9"):
        top_patches(trained_lenet, np.zeros((4, 1, 9, 9)), "conv1", 0)


def test_the_grid_shows_the_strongest_patches_and_their_projections(trained_lenet, digits):
    grid = feature_grid(trained_lenet, digits, channels=2, count=4)
    assert [[one.layer for one in row] for row in grid] == [["relu1"] * 2, ["relu2"] * 2]
    one = grid[1][0]
    expected = top_patches(trained_lenet, digits, "relu2", one.channel, 4)
    assert [patch.sample for patch in one.patches] == [patch.sample for patch in expected]
    patch, back = one.patches[0], one.projections[0]
    whole = deconvolution(trace(trained_lenet, digits.inputs[patch.sample]), "relu2", one.channel)
    np.testing.assert_array_equal(back, whole[(..., *(slice(*span) for span in patch.span))])
    assert np.abs(back).sum() == pytest.approx(np.abs(whole).sum())  # nothing lies outside what the unit sees
    assert back.shape[1:] == patch.pixels.shape[1:]


def test_the_grid_wants_feature_maps(trained_lenet, digits):
    with pytest.raises(UsageError, match=r"linear1: has no feature maps\. Layers with maps: conv1"):
        feature_grid(trained_lenet, digits, ["linear1"])
    with pytest.raises(UsageError, match="channels"):
        feature_grid(trained_lenet, digits, channels=0)
    dense = Sequential([Flatten(), Linear(2)], (1, 8, 8))
    with pytest.raises(UsageError, match="has no convolution"):
        feature_grid(Model(dense, np.zeros(dense.parameter_count)), digits)
