"""A whole model traced: every value, why it is what it is, and the way back to the pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate import Model
from striate.data.normalisation import Normalisation
from striate.errors import DataError, ShapeError, UsageError
from striate.explain import draw_field, draw_sample, trace
from striate.explain.samples import read_sample
from striate.layers import Add, BatchNorm, Conv1d, Conv2d, Conv3d, Flatten, Input, Linear, MaxPool2d, ReLU, Softmax
from striate.models import lenet5
from striate.network import Network, Sequential


def model_of(network: Network, seed: int = 0, **more: Any) -> Model:
    theta = np.random.default_rng(seed).normal(size=network.parameter_count)
    return Model(network, theta, network.initial_states(), **more)


def test_values_are_those_of_the_fast_engine(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    np.testing.assert_allclose(found.output, trained_lenet.outputs(digits.inputs[:1])[0], atol=1e-5)
    assert found["conv1"].shape == (6, 8, 8)
    assert list(found)[:3] == ["input", "conv1", "relu1"]
    np.testing.assert_array_equal(found.scores, found["linear3"])


def test_every_value_of_every_layer_of_a_trained_model(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[1])
    rng = np.random.default_rng(0)
    for step in trained_lenet.network.steps:
        for place in rng.integers(0, int(np.prod(step.shape)), 12):
            index = tuple(int(i) for i in np.unravel_index(place, step.shape))
            why = found.why_at(step.name, index)
            amount = max(abs(why.value), float(np.abs(why.products).sum()))
            assert abs(why.decomposition.result - why.value) <= 1e-12 * amount


@pytest.mark.parametrize(
    ("network", "layer", "place"),
    [
        (Sequential([Conv1d(2, 3)], (1, 9)), "conv1", {"channel": 1, "position": 6}),
        (Sequential([Conv2d(2, 3)], (1, 9, 8)), "conv1", {"channel": 1, "row": 6, "column": 5}),
        (Sequential([Conv3d(2, 3)], (1, 5, 5, 5)), "conv1", {"channel": 1, "depth": 0, "row": 1, "column": 2}),
        (Sequential([Flatten(), Linear(3)], (1, 4, 4)), "linear1", {"feature": 2}),
        (Sequential([Flatten(), Linear(3)], (1, 4, 4)), "linear1", {"channel": 2}),
    ],
)
def test_places_in_one_to_three_dimensions(network, layer, place):
    found = trace(model_of(network), np.random.default_rng(1).normal(size=network.input_shape))
    why = found.why(layer, **place)
    assert why.value == found[layer][tuple(place.values())]
    assert why.sum == pytest.approx(why.value, rel=1e-12, abs=1e-12)


def test_window_kernel_products_bias_sum_activation(random_lenet, picture):
    why = trace(random_lenet, picture).why("conv2", channel=3, row=4, column=7)
    x = trace(random_lenet, picture)["pool1"]
    np.testing.assert_array_equal(why.window, x[:, 4:9, 7:12])
    np.testing.assert_array_equal(why.kernel, random_lenet.parameters["conv2.weight"][3])
    np.testing.assert_array_equal(why.products, (why.window * why.kernel).ravel())
    assert why.bias == random_lenet.parameters["conv2.bias"][3]
    assert why.sum == pytest.approx(why.value, rel=1e-12)
    assert why.activation is not None
    assert why.activation.place == "relu2[channel 3, row 4, column 7]"
    assert why.activation.value == max(why.value, 0)


def test_winner_and_rivals_of_a_pooling(random_lenet, picture):
    found = trace(random_lenet, picture)
    why = found.why("pool1", channel=2, row=3, column=4)
    assert found["relu1"][why.winner] == why.value
    values = [value for _, value in why.rivals]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)
    assert values[0] <= why.value
    assert [link.index for link in why.back()] == [why.winner]
    assert found.why("conv1", channel=0, row=0, column=0).winner is None
    assert found.why("conv1", channel=0, row=0, column=0).rivals == []


def test_dense_terms_largest_first(random_lenet, picture):
    why = trace(random_lenet, picture).why("linear1", feature=7)
    assert len(why.terms) == 400
    ordered = np.abs(why.products[why.terms.order])
    assert (np.diff(ordered) <= 0).all()


def test_normalisation_of_the_model_and_of_layers():
    network = Sequential([BatchNorm(), ReLU()], (2, 3, 3))
    model = Model(network, [2, 2, 1, 1], [3, 4, 0.25, 0.5], normalisation=Normalisation((10, 20), (2, 4)))
    found = trace(model, np.full((2, 3, 3), 30.0))
    pixel = found.why("input", channel=1, row=0, column=0)
    assert (pixel.value, pixel.sum) == (2.5, 2.5)
    assert pixel.statistics == {"raw value": 30, "mean": 20, "scale": 4}
    assert pixel.back() == []
    why = found.why("norm1", channel=0, row=1, column=1)
    assert why.statistics["running mean"] == 3
    assert why.statistics["running variance"] == 0.25
    assert why.value == pytest.approx((10 - 3) / np.sqrt(0.25 + 1e-5) * 2 + 1, rel=1e-12)


def test_chain_leads_to_a_pixel(trained_lenet, digits):
    links = trace(trained_lenet, digits.inputs[0]).why("softmax1", feature=3).chain()
    assert links[-1].step.name == "input"
    names = [step.name for step in trained_lenet.network.steps]
    assert [link.step.name for link in links] == names[::-1]


def test_chain_goes_on_through_sums():
    x = Input((1, 5, 5))
    network = Network(Add()(Conv2d(1, 3, padding=1)(x), x))
    why = trace(model_of(network), np.arange(25.0).reshape(1, 5, 5)).why("add1", channel=0, row=2, column=2)
    assert set(why.sources) == {"conv1", "input"}
    assert len(why.back()) == 2
    assert why.chain()[-1].step.name == "input"


def test_field_in_theory_and_in_effect(random_lenet, picture):
    field = trace(random_lenet, picture).why("conv2", channel=3, row=4, column=7).field()
    assert [axis.size for axis in field.axes] == [14, 14]
    assert [axis.jump for axis in field.axes] == [2, 2]
    assert field.spans == ((6, 19), (12, 25))
    assert field.support is not None
    for (low, high), (first, last) in zip(field.support, field.spans, strict=True):
        assert first <= low <= high <= last
    assert field.weight.sum() == pytest.approx(1)
    assert 0 < field.effective_size() <= 14 * 14
    assert "size 14 x 14, stride 2 x 2, input positions 6..19, 12..25" in str(field)


def test_gradient_of_a_field_is_that_of_finite_differences(random_lenet, picture):
    found = trace(random_lenet, picture)
    gradient = found.field("conv2", (3, 4, 7)).gradient
    moved = picture.copy()
    moved[0, 12, 15] += 1e-5
    change = trace(random_lenet, moved)["conv2"][3, 4, 7] - found["conv2"][3, 4, 7]
    assert change / 1e-5 == pytest.approx(gradient[0, 12, 15], rel=1e-4)


def test_a_dead_value_has_no_effective_field():
    model = Model(Sequential([Conv2d(1, 3, bias=False), ReLU()], (1, 5, 5)), -np.ones(9))
    field = trace(model, np.ones((1, 5, 5))).why("relu1", channel=0, row=0, column=0).field()
    assert field.support is None
    assert field.effective_size() == 0
    assert str(field).endswith("in effect: nothing, because the gradient is 0 at every input position")


def test_text_is_that_of_a_board():
    network = Sequential([Conv2d(1, 2), ReLU(), MaxPool2d(2, 1)], (1, 3, 3))
    model = Model(network, [1, 0, -1, 2, 0.5])
    found = trace(model, np.arange(9).reshape(3, 3))
    assert str(found.why("conv1", channel=0, row=1, column=0)).splitlines() == [
        "conv1[channel 0, row 1, column 0] = 11.5",
        "  Conv2d(1, 2): sum of weight * x + bias",
        "  input: channel 0, row 1..2, column 0..1",
        "     x     |   weight   |   product",
        "    3  4   |    1   0   |    3   0",
        "    6  7   |   -1   2   |   -6  14",
        "  sum of the channel: 11",
        "  sum of 4 terms: 11",
        "  bias: 0.5",
        "  sum: 11.5",
        "  then relu1: max(x, 0) = 11.5",
    ]
    pooled = str(found.why("pool1", channel=0, row=0, column=0))
    assert "winner: [0, 1, 1], ahead of [0, 1, 0] with" in pooled


def test_text_says_how_much_is_left_out(random_lenet, picture):
    found = trace(random_lenet, picture)
    assert "388 smaller terms add " in str(found.why("linear1", feature=0))
    assert "2 more channels add " in str(found.why("conv2", channel=0, row=0, column=0))
    assert "(16 beyond the edge)" in str(found.why("conv1", channel=0, row=0, column=0))


@pytest.mark.parametrize(
    ("layer", "place", "message"),
    [
        ("conv9", {"channel": 0}, r"lenet5: layer: unknown name 'conv9'; did you mean 'conv"),
        (
            "conv1",
            {"channel": 6, "row": 0, "column": 0},
            "conv1: channel must be a whole number from 0 to 5; got 6",
        ),
        ("conv1", {"channel": 0, "row": -1, "column": 0}, "conv1: row must be a whole number from 0 to 27; got -1"),
        ("conv1", {"channel": 0, "row": 0, "column": 28}, "conv1: column must be .* from 0 to 27; got 28"),
        ("conv1", {"channel": 0, "row": 0}, r"conv1: needs .*column is missing. conv1 has 6 x 28 x 28"),
        ("linear1", {"channel": 0, "row": 0}, r"linear1: has no row axis; linear1 has 120 values"),
        ("linear1", {"feature": 1.5}, r"linear1: feature must be a whole number from 0 to 119; got 1.5"),
        ("linear1", {"feature": True}, r"linear1: feature must be a whole number"),
    ],
)
def test_places_that_do_not_exist(random_lenet, picture, layer, place, message):
    with pytest.raises(UsageError, match=message):
        trace(random_lenet, picture).why(layer, **place)


@pytest.mark.parametrize(
    ("sample", "error", "message"),
    [
        (np.zeros((3, 28, 28)), ShapeError, "sample: lenet5 takes 1 x 28 x 28; got 3 x 28 x 28"),
        (np.zeros((2, 1, 28, 28)), ShapeError, "sample: lenet5 takes 1 x 28 x 28; got 2 x 1 x 28 x 28"),
        (np.full((28, 28), np.nan), UsageError, "sample: must be finite numbers; got NaN"),
        (object(), UsageError, "sample: must be numbers or the path of an image; got object"),
        ("nowhere.png", DataError, "nowhere.png"),
    ],
)
def test_samples_that_do_not_fit(random_lenet, sample, error, message):
    with pytest.raises(error, match=message):
        trace(random_lenet, sample)


def test_a_sample_can_be_an_image_file(random_lenet, tmp_path: Path):
    pixels = np.arange(784, dtype=np.uint32).reshape(28, 28) % 256
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "picture.png")
    np.testing.assert_array_equal(trace(random_lenet, tmp_path / "picture.png")["input"][0], pixels)


def test_networks_that_end_in_softmax_and_others():
    network = Sequential([Linear(3), Softmax()], 4)
    assert len(trace(model_of(network), np.ones(4)).scores) == 3
    bare = Sequential([Linear(3)], 4)
    np.testing.assert_array_equal(
        trace(model_of(bare), np.ones(4)).scores, trace(model_of(bare), np.ones(4)).output
    )


def test_repr():
    found = trace(model_of(lenet5(10, (1, 16, 16))), np.zeros((16, 16)))
    assert repr(found) == "<Trace of 'lenet5', 14 layers>"
    assert len(found) == 14
    assert repr(found.why("pool1", channel=0, row=0, column=0)).startswith(
        "<Why pool1[channel 0, row 0, column 0] ="
    )


def test_files_are_prepared_as_in_training(random_lenet, tmp_path):
    from striate.data.unlabelled import read_unlabelled

    path, rng = tmp_path / "wide.png", np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (20, 60), np.uint8)).save(path)
    network = random_lenet.network
    model = Model(network, random_lenet.theta, metadata={"preparation": {"fit": "crop"}})
    for fit, expected in ((None, "crop"), ("pad", "pad")):
        found = read_sample(model, path, fit)
        np.testing.assert_array_equal(found, read_unlabelled(path, model.input_shape, expected).inputs[0])
    with pytest.raises(UsageError, match="fit must be one of stretch, crop, pad; got 'squeeze'"):
        read_sample(model, path, "squeeze")


def test_a_field_is_drawn_where_the_gradient_is_inside_its_frame(trained_lenet, digits):
    found = trace(trained_lenet, digits.inputs[0])
    field = found.field("conv2", (3, 2, 1))
    axes = draw_field(field, found.raw)
    grey, red = (image.get_array() for image in axes.images)
    np.testing.assert_allclose(grey, (found.raw[0] - found.raw.min()) / np.ptp(found.raw))
    np.testing.assert_allclose(red[..., 3] ** 2, field.weight / field.weight.max())
    (frame,) = axes.patches
    (top, bottom), (left, right) = field.spans
    assert (frame.get_y(), frame.get_x()) == (top - 0.5, left - 0.5)
    assert (frame.get_height(), frame.get_width()) == (bottom - top + 1, right - left + 1)


@pytest.mark.parametrize(
    ("layer", "shape"), [(Conv1d(2, 3), (2, 9)), (Conv3d(2, 2), (1, 3, 4, 5)), (Linear(3), (6,))]
)
def test_fields_and_samples_of_every_dimension_are_drawn(layer, shape):
    model = model_of(Sequential([layer], shape))
    found = trace(model, np.random.default_rng(1).normal(size=shape))
    draw_field(found.field(list(found)[1], (0,) * len(model.network.output_shape)), found.raw)
    assert draw_sample(found.raw, "title").get_title() == "title"


def test_samples_are_drawn_from_black_to_white():
    colour = np.random.default_rng(0).normal(size=(3, 4, 5))
    shown = draw_sample(colour).images[0].get_array()[-4:]
    scaled = (colour - colour.min()) / np.ptp(colour)
    np.testing.assert_allclose(shown[..., :3], np.moveaxis(scaled, 0, 2))


def test_scores_and_outputs_are_called_by_their_class():
    network = Sequential([Linear(2), Softmax()], 3)
    model = Model(network, np.arange(8.0), classes=("sound", "cracked"))
    found = trace(model, np.ones(3))
    assert found.why("linear1", feature=0).place == "linear1[feature 0] (sound)"
    assert str(found.why("softmax1", feature=1)).startswith("softmax1[feature 1] (cracked) = ")
    assert found.why("input", feature=1).place == "input[feature 1]"


def test_a_row_of_a_table_or_array_is_found_by_its_number(random_lenet, tmp_path):
    rows = np.random.default_rng(0).random((3, *random_lenet.input_shape)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    for number in (1, 2, 3):
        found = read_sample(random_lenet, tmp_path / "rows.npy", row=number)
        np.testing.assert_array_equal(found, rows[number - 1])
    with pytest.raises(UsageError, match=r"rows\.npy: holds samples 1 to 3; got 4"):
        read_sample(random_lenet, tmp_path / "rows.npy", row=4)
