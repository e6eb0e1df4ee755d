"""Attribution: the definitions, completeness, and that maps depend on what was learnt."""

from __future__ import annotations

import math

import numpy as np
import pytest

from striate import Model
from striate.data.normalisation import Normalisation
from striate.errors import UsageError
from striate.explain import attribute, attribute_all, draw_attribution, draw_attributions, randomised, sanity_check
from striate.explain.attribution import METHODS, rank_correlation, scores
from striate.explain.attribution.gradients import most_gradients
from striate.explain.attribution.regions import interpolated
from striate.explain.attribution.scores import score_of, usual_baseline
from striate.layers import (
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    Linear,
    ReLU,
    Softmax,
)
from striate.network import Sequential

LINEAR = Model(
    Sequential([Flatten(), Linear(2), Softmax()], (1, 3, 3)),
    [*np.arange(9.0), *np.zeros(9), 0.5, 0],
    normalisation=Normalisation((2.0,), (4.0,)),
)
SAMPLE = np.linspace(-1, 3, 9).reshape(1, 3, 3)


def test_gradient_of_a_linear_model_is_its_weight_per_grey_level():
    np.testing.assert_allclose(attribute(LINEAR, SAMPLE, "gradient", 0).values.ravel(), np.arange(9.0) / 4)
    np.testing.assert_allclose(attribute(LINEAR, SAMPLE, "smoothgrad", 0).values.ravel(), np.arange(9.0) / 4)


@pytest.mark.parametrize("method", ["gradient-x-input", "integrated-gradients"])
def test_a_linear_model_is_attributed_weight_times_input(method):
    found = attribute(LINEAR, SAMPLE, method, 0)
    np.testing.assert_allclose(found.values.ravel(), np.arange(9.0) / 4 * SAMPLE.ravel(), atol=1e-12)
    assert found.values.sum() == pytest.approx(found.score - found.baseline_score)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 4)])
@pytest.mark.parametrize("method", ["gradient-x-input", "integrated-gradients", "occlusion"])
def test_rows_and_series_are_compared_with_the_mean_of_the_training_data(shape, method):
    units = Normalisation((1990.0, 5.0, 0.0), (10.0, 2.0, 1.0))
    size = int(np.prod(shape))
    model = Model(Sequential([Flatten(), Linear(1)], shape), [*np.ones(size), 7.0], normalisation=units)
    mean, step = (np.reshape(values, (-1, *(1,) * (len(shape) - 1))) for values in (units.mean, units.scale))
    sample = mean + step * np.arange(size).reshape(shape)
    options = {"size": 1, "stride": 1} if method == "occlusion" else {}
    found = attribute(model, sample, method, 0, **options)
    expected = np.arange(size, dtype=float).reshape(shape)
    by_place = method == "occlusion" and size > 3
    np.testing.assert_allclose(found.values.ravel(), (expected.sum(0) if by_place else expected).ravel(), atol=1e-9)
    assert found.baseline_score == pytest.approx(7.0)
    assert attribute_all(model, sample, 0, [method])[method].baseline_score == pytest.approx(7.0)


def test_noise_on_a_row_is_a_share_of_the_deviation_of_each_column():
    units = Normalisation((1990.0, 0.0), (10.0, 0.1))
    model = Model(Sequential([ReLU(), Linear(1)], (2,)), [0.0, 1.0, 0.0], normalisation=units)
    found = attribute(
        model, np.array([1990.0, 0.1]), "smoothgrad", 0
    )  # one deviation above the kink: no noise crosses
    np.testing.assert_allclose(found.values, [0.0, 10.0], atol=1e-9)


def test_occlusion_of_a_linear_model_is_what_the_pixel_adds():
    found = attribute(LINEAR, SAMPLE, "occlusion", 0, size=1, stride=1)
    np.testing.assert_allclose(found.values.ravel(), np.arange(9.0) / 4 * SAMPLE.ravel(), atol=1e-12)


def test_grad_cam_is_the_weighted_sum_of_maps():
    network = Sequential([Conv2d(2, 1, bias=False), GlobalAvgPool(), Linear(2, bias=False)], (1, 3, 3))
    model = Model(network, [1, -1, 3, 0, 0, 1])
    found = attribute(model, SAMPLE, "grad-cam", 0)
    np.testing.assert_allclose(found.values, np.maximum(SAMPLE[0] * 3 / 9, 0), atol=1e-12)


@pytest.mark.parametrize("number", range(5))
def test_integrated_gradients_are_complete(trained_lenet, digits, number):
    found = attribute(trained_lenet, digits.inputs[number])
    rise = found.score - found.baseline_score
    assert abs(found.values.sum() - rise) <= 1e-3 * abs(rise)
    assert found.class_name == trained_lenet.classes[found.target]


@pytest.mark.parametrize(("side", "fewest", "most"), [(8, 512, 512), (32, 97, 511), (96, 96, 96)])
def test_larger_networks_take_fewer_gradients(side, fewest, most):
    """Of 1.5, 27 and 254 million multiply-adds."""
    layers = [
        Conv2d(32, 3, padding="same"),
        ReLU(),
        Conv2d(64, 3, padding="same"),
        ReLU(),
        Conv2d(16, 3),
        Flatten(),
    ]
    network = Sequential([*layers, Linear(2)], (1, side, side))
    model = Model(network, np.zeros(network.parameter_count, np.float32))
    assert fewest <= most_gradients(score_of(model, np.ones((1, side, side)), 0)) <= most


def test_integrated_gradients_for_another_baseline(trained_lenet, digits):
    found = attribute(trained_lenet, digits.inputs[0], baseline=digits.inputs[1], target=3)
    rise = found.score - found.baseline_score
    assert abs(found.values.sum() - rise) <= 1e-3 * abs(rise)


@pytest.mark.parametrize("method", METHODS)
def test_randomised_weights_change_the_map(trained_lenet, digits, method):
    quick = {"tolerance": 0.05} if method == "integrated-gradients" else {}
    likeness = [sanity_check(trained_lenet, digits.inputs[n], method, seeds=3, **quick) for n in range(3)]
    assert np.mean(likeness) < 0.5


def test_the_sanity_check_sees_a_map_that_ignores_the_model(trained_lenet, digits, monkeypatch):
    monkeypatch.setitem(METHODS, "edges", lambda score: np.abs(np.diff(score.raw, axis=-1)))
    assert sanity_check(trained_lenet, digits.inputs[0], "edges") > 0.99


def test_randomised_keeps_the_numbers_and_can_stop_at_a_layer(trained_lenet):
    whole, part = randomised(trained_lenet), randomised(trained_lenet, down_to="linear2")
    for name, own in trained_lenet.parameters.items():
        np.testing.assert_array_equal(np.sort(whole.parameters[name], axis=None), np.sort(own, axis=None))
        moved = name.startswith(("linear2", "linear3"))
        assert np.array_equal(part.parameters[name], own) != moved


def test_all_methods_at_once_and_drawn(trained_lenet, digits):
    found = attribute_all(trained_lenet, digits.inputs[0], "3")
    assert list(found) == list(METHODS)
    assert all(a.target == 3 for a in found.values())
    assert all(a.map(2).shape == (8, 8) for a in found.values())
    assert len(draw_attributions(found, digits.inputs[0]).texts) == 7
    assert draw_attribution(found["gradient"], digits.inputs[0]).get_title() == "gradient: 3"


def test_signals_have_maps_too():
    network = Sequential([Conv1d(3, 3, padding=1), ReLU(), Flatten(), Linear(2)], (1, 12))
    model = Model(network, np.random.default_rng(0).normal(size=network.parameter_count))
    sample = np.sin(np.arange(12.0))[None]
    found = attribute_all(model, sample)
    assert {a.map(1).shape for a in found.values()} == {(12,)}
    draw_attributions(found, sample)


def test_a_model_without_maps_leaves_grad_cam_out():
    network = Sequential([Linear(4), ReLU(), Linear(2)], 6)
    model = Model(network, np.random.default_rng(0).normal(size=network.parameter_count))
    found = attribute_all(model, np.ones(6))
    assert "grad-cam" not in found
    assert {a.values.shape for a in found.values()} == {(6,)}
    with pytest.raises(UsageError, match="network: Grad-CAM needs a network with feature maps; this one has none"):
        attribute(model, np.ones(6), "grad-cam")


def test_stretched_keeps_means_and_constants():
    np.testing.assert_allclose(interpolated(np.full((2, 3), 5.0), (7, 8)), 5.0)
    np.testing.assert_allclose(interpolated(np.array([0.0, 1.0]), (4,)), [0, 0.25, 0.75, 1])


def test_rank_correlation_of_constants_is_nothing():
    assert rank_correlation(np.zeros(4), np.zeros(4)) == 0
    assert rank_correlation(np.arange(4.0), -np.arange(4.0)) == pytest.approx(-1)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("saliency", {}, "attribution: unknown name 'saliency'"),
        ("gradient", {"samples": 3}, "gradient: got an unexpected keyword argument 'samples'"),
        ("gradient", {"target": 10}, r"class: must be a number from 0 to 9 or one of 0, 1, .*; got 10"),
        ("gradient", {"target": "ten"}, r"class: must be a number from 0 to 9 or one of 0, 1, .*; got 'ten'"),
        ("gradient", {"baseline": np.inf}, "baseline: must be finite; got inf"),
        (
            "grad-cam",
            {"layer": "linear1"},
            "linear1: Grad-CAM needs a layer with feature maps; got 120",
        ),
        ("grad-cam", {"layer": "conv7"}, "layer: unknown name 'conv7'"),
        ("occlusion", {"size": 9}, "size: the patch must fit into 8 x 8; got 9"),
        ("occlusion", {"size": 2, "stride": 3}, "stride: must be at most the patch's size, 2"),
        ("smoothgrad", {"samples": 0}, "samples"),
        ("integrated-gradients", {"tolerance": 0.0}, "tolerance"),
    ],
)
def test_what_does_not_fit(trained_lenet, digits, method, options, message):
    with pytest.raises(UsageError, match=message):
        attribute(trained_lenet, digits.inputs[0], method, **options)


def test_randomised_needs_a_layer_that_exists(trained_lenet):
    with pytest.raises(UsageError, match="layer: unknown name 'conv3'"):
        randomised(trained_lenet, down_to="conv3")


def test_the_engine_gives_the_gradients_of_the_reference(monkeypatch):
    network = Sequential([Conv2d(4, 3), BatchNorm(), ReLU(), Dropout(), Flatten(), Linear(3), Softmax()], (2, 8, 8))
    rng = np.random.default_rng(1)
    model = Model(
        network,
        rng.normal(size=network.parameter_count),
        np.abs(rng.normal(size=network.state_count)) + 0.5,
        normalisation=Normalisation((0.5, 0.25), (2.0, 4.0)),
    )
    samples, weights = rng.normal(size=(40, 2, 8, 8)), rng.normal(size=40)
    exact = score_of(model, samples[0], 2)
    assert exact.engine is None
    monkeypatch.setattr(scores, "MOST_EXACT", 0)
    fast = score_of(model, samples[0], 2)
    assert fast.engine is not None
    expected = exact.gradient(samples, weights)
    np.testing.assert_allclose(fast.gradient(samples, weights), expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(fast.scores(samples), exact.scores(samples), rtol=1e-4, atol=1e-4)
    found = attribute(model, samples[0], target=2)
    rise = found.score - found.baseline_score
    assert abs(found.values.sum() - rise) <= 2e-3 * np.abs(found.values).sum()


def test_gradients_by_the_engine_follow_parameters_that_changed(monkeypatch):
    monkeypatch.setattr(scores, "MOST_EXACT", 0)
    model = Model(Sequential([Flatten(), Linear(2, bias=False)], (1, 2, 2)), np.arange(8.0))
    assert attribute(model, np.ones((1, 2, 2)), "gradient", 1).values.ravel().tolist() == [4, 5, 6, 7]
    model.theta[:] = np.arange(8.0) + 1
    assert attribute(model, np.ones((1, 2, 2)), "gradient", 1).values.ravel().tolist() == [5, 6, 7, 8]


def test_the_features_of_a_table_are_drawn_by_name():
    network = Sequential([Linear(4), ReLU(), Linear(2), Softmax()], 3)
    model = Model(network, np.random.default_rng(0).normal(size=network.parameter_count))
    found = attribute_all(model, np.ones(3), 0)
    axes = draw_attributions(found, np.ones(3), names=("age", "height", "colour=red"))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["age", "height", "colour=red"]
    assert axes.get_title() == "what speaks for (right) and against (left) 0"
    one = draw_attribution(found["gradient"], np.ones(3))
    assert [bar.get_width() for bar in one.patches] == pytest.approx(found["gradient"].values.tolist())
    assert one.get_yticklabels()[2].get_text() == "feature 2"


def test_the_words_of_a_text_are_drawn_one_by_one():
    network = Sequential([Embedding(5, 2), GlobalAvgPool(), Linear(2), Softmax()], (1, 4))
    model = Model(network, np.random.default_rng(0).normal(size=network.parameter_count))
    sample, words = np.array([[3.0, 2.0, 4.0, 0.0]]), ["sea", "and", "ship", ""]
    found = attribute_all(model, sample, 0)
    axes = draw_attributions(found, sample, words=words)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sea", "and", "ship"]
    assert axes.get_title() == "what speaks for (right) and against (left) 0"
    one = draw_attribution(found["occlusion"], sample, words=words)
    assert [bar.get_width() for bar in one.patches] == pytest.approx(found["occlusion"].values[:3].tolist())
    assert [bar.get_facecolor()[0] > 0.5 for bar in one.patches] == (found["occlusion"].values[:3] >= 0).tolist()


def test_the_number_that_features_raise_is_named():
    network = Sequential([Linear(1)], 3)
    model = Model(network, np.ones(4), metadata={"targets": "numbers", "target_names": ["price"]})
    found = attribute_all(model, np.ones(3))
    assert {one.class_name for one in found.values()} == {"price"}
    title = draw_attributions(found, np.ones(3)).get_title()
    assert title == "what raises (right) and lowers (left) price"


def test_colour_photographs_are_drawn_in_colour():
    network = Sequential([Conv2d(2, 3), Flatten(), Linear(2)], (3, 6, 6))
    model = Model(network, np.random.default_rng(0).normal(size=network.parameter_count))
    sample = np.zeros((3, 6, 6))
    sample[0] = 1.0
    image = draw_attributions(attribute_all(model, sample, 0), sample).images[0].get_array()
    tile = image[image.shape[0] - image.shape[0] + 2, 2]
    assert tile[:3].tolist() == [1.0, 0.0, 0.0]


def test_a_table_is_attributed_feature_by_feature():
    network = Sequential([Flatten(), Linear(2, bias=False)], (3, 1))
    model = Model(network, [1.0, -2.0, 0.5, 0.0, 0.0, 0.0])
    found = attribute_all(model, np.array([[2.0], [1.0], [4.0]]), 0)
    assert found["occlusion"].map(1).tolist() == [2.0, -2.0, 2.0]
    assert found["integrated-gradients"].map(1) == pytest.approx([2.0, -2.0, 2.0])
    axes = draw_attributions(found, np.array([[2.0], [1.0], [4.0]]), names=("a", "b", "c"))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("shape", [(2, 1), (2, 5)])
def test_tables_and_series_are_compared_with_the_mean_of_the_training_data(shape):
    """A column far from zero (a year) that is at its mean decides nothing."""
    network = Sequential([Flatten(), Linear(2), Softmax()], shape)
    weights = np.tile([[1.0], [-1.0]], (1, math.prod(shape)))
    known = Normalisation((1990.0, 3.0), (10.0, 1.0))
    model = Model(network, np.concatenate([weights.ravel(), [0, 0]]), normalisation=known)
    sample = np.broadcast_to(np.reshape([1990, 5], (2, *[1] * (len(shape) - 1))), shape).astype(np.float32)
    found = attribute(model, sample, "integrated-gradients", target=0)
    count = shape[1]
    np.testing.assert_allclose(found.values.reshape(2, -1), [[0] * count, [2] * count], atol=1e-5)
    assert found.baseline_score == pytest.approx(0, abs=1e-6)
    zeros = attribute(model, sample, "integrated-gradients", target=0, baseline=0.0)
    assert zeros.values[0] == pytest.approx(199, rel=1e-4)


def test_pictures_are_compared_with_black(trained_lenet):
    assert not usual_baseline(trained_lenet).any()
