"""A model swept over a picture: the numbers of windows by themselves, their places, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from striate import Model
from striate.data import registry
from striate.data.normalisation import Normalisation
from striate.errors import ShapeError, UsageError
from striate.explain import sweep, tiles
from striate.layers import (
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Softmax,
)
from striate.model.fully_convolutional import fully_convolutional
from striate.models import unet
from striate.network import Sequential


@pytest.fixture(scope="module")
def sheet():
    """Test digits set beside each other, uint8[1, 20, 31], with blank pixels where none fits."""
    digits = registry.load("digits").test.inputs[:6, 0]
    page = np.zeros((1, 20, 31), np.uint8)
    page[0, :16, :24] = digits.reshape(2, 3, 8, 8).swapaxes(1, 2).reshape(16, 24)
    return page


@pytest.fixture(scope="module")
def found(trained_lenet, sheet):
    return sweep(trained_lenet, sheet, stride=3)


def small(kind: str = "classes", shape=(1, 4, 4), outputs: int = 2) -> Model:
    network = Sequential([Flatten(), Linear(outputs), Softmax() if outputs > 1 else Sigmoid()], shape)
    theta = np.random.default_rng(0).normal(size=network.parameter_count)
    return Model(network, theta, metadata={"targets": kind})


def test_windows_are_spread_to_the_edges(found):
    assert found.tops.tolist() == [0, 3, 6, 9, 12]
    assert found.lefts.tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 23]
    assert found.probabilities.shape == (10, 5, 9)


def test_probabilities_are_those_of_the_windows_alone(found, trained_lenet, sheet):
    cuts = [sheet[:, top : top + 8, left : left + 8] for top in found.tops for left in found.lefts]
    expected = trained_lenet.predict_proba(np.stack(cuts))
    np.testing.assert_allclose(found.probabilities.reshape(10, -1).T, expected, atol=1e-5)


def test_more_windows_than_are_computed_together(trained_lenet, sheet):
    found = sweep(trained_lenet, sheet, stride=1)
    assert found.probabilities[0].size == 13 * 24 > 256
    alone = trained_lenet.predict_proba(sheet[None, :, 12:20, 23:31])[0]
    np.testing.assert_allclose(found.probabilities[:, -1, -1], alone, atol=1e-5)


def test_heat_is_the_mean_of_the_windows_over_a_pixel(found):
    heat, total, count = found.heat(4), np.zeros((20, 31)), np.zeros((20, 31))
    for r, top in enumerate(found.tops):
        for s, left in enumerate(found.lefts):
            total[top : top + 8, left : left + 8] += found.probabilities[4, r, s]
            count[top : top + 8, left : left + 8] += 1
    np.testing.assert_allclose(heat, total / count, atol=1e-12)


def test_pixels_between_windows_have_no_heat():
    heat = sweep(small(), np.ones((1, 16, 4)), stride=6).heat(0)
    assert np.isnan(heat[[4, 5, 10, 11]]).all()
    assert np.isfinite(heat[[0, 3, 6, 9, 12, 15]]).all()


def test_the_strongest_windows_do_not_overlap(found):
    places = found.strongest(4, 50)
    assert places[0].probability == found.scores(4).max()
    shares = [place.probability for place in places]
    assert shares == sorted(shares, reverse=True)
    taken = np.zeros((20, 31), int)
    for place in places:
        taken[place.row : place.row + place.rows, place.column : place.column + place.columns] += 1
    assert taken.max() == 1


def test_a_pixel_answers_why(found, trained_lenet, sheet):
    sample = found.sample(4, 20)
    np.testing.assert_array_equal(sample, sheet[:, 0:8, 15:23])  # its middle, 3.5 and 18.5, is nearest
    why = found.why(4, 20, 7)
    scores = trained_lenet.scores(sample[None])[0]
    assert why.value == pytest.approx(float(scores[7]), rel=1e-4, abs=1e-4)


def test_a_single_output_answers_for_both_classes():
    found = sweep(small(outputs=1), np.random.default_rng(1).random((1, 6, 6)), stride=2)
    np.testing.assert_allclose(found.scores(0) + found.scores(1), 1, atol=1e-6)
    assert found.why(0, 0, 1).value == found.why(0, 0, 0).value


def test_windows_of_another_size_are_what_predict_makes_of_them(trained_lenet, sheet, tmp_path):
    found = sweep(trained_lenet, sheet, stride=4, window=(12, 16))
    assert found.window == (12, 16)
    path = tmp_path / "window.png"
    Image.fromarray(sheet[0, 4:16, 8:24]).save(path)
    np.testing.assert_allclose(found.probabilities[:, 1, 2], trained_lenet.predict_proba(path)[0], atol=1e-5)


def test_files_are_read_in_the_colours_of_the_model(trained_lenet, sheet, found, tmp_path):
    path = tmp_path / "sheet.png"
    Image.fromarray(sheet[0]).convert("RGB").save(path)
    np.testing.assert_array_equal(sweep(trained_lenet, path, stride=3).probabilities, found.probabilities)


def test_files_are_inverted(trained_lenet, sheet, found, tmp_path):
    path = tmp_path / "paper.png"
    Image.fromarray(255 - sheet[0]).save(path)
    inverted = sweep(trained_lenet, path, stride=3, invert=True)
    np.testing.assert_array_equal(inverted.probabilities, found.probabilities)
    with pytest.raises(UsageError, match="invert is for files; got an array"):
        sweep(trained_lenet, sheet, invert=True)


def test_progress_is_reported_to_the_end(trained_lenet, sheet):
    told = []
    sweep(trained_lenet, sheet, stride=1, progress=lambda *counts: told.append(counts))
    assert told == [(256, 312), (312, 312)]


def test_the_drawing_covers_the_picture(found):
    axes = found.draw(4, count=3)
    (image,) = axes.images
    drawn = np.asarray(image.get_array())
    assert (drawn.shape, drawn.dtype) == ((20, 31, 4), np.uint8)
    red, _, blue, _ = np.moveaxis(drawn.astype(int), -1, 0)
    warmth, heat = red - blue, found.heat(4)
    assert warmth.flat[heat.argmax()] > warmth.flat[heat.argmin()] + 10
    assert len(axes.patches) == 3
    assert not found.draw(4, count=0).patches


def test_the_heat_is_blended_band_by_band():
    from striate.explain.draw_sweep import BAND, COLOURS, OPAQUE, _blend

    picture = np.zeros((3, 2 * BAND + 5, 4), np.uint8)
    picture[:, -1] = 255
    heat = np.zeros(picture.shape[1:])
    heat[BAND + 1], heat[BAND + 2] = 1.0, np.nan
    blend, brightness = _blend(picture, heat)
    assert brightness == pytest.approx(1 / len(heat), rel=1e-6)
    assert (blend[-1] == 255).all()
    hottest = [round(OPAQUE * int(COLOURS[-1][n : n + 2], 16)) for n in (1, 3, 5)]
    assert np.abs(blend[BAND + 1, :, :3].astype(int) - hottest).max() <= 1
    assert not np.delete(blend, [BAND + 1, len(heat) - 1], axis=0)[..., :3].any()


def test_the_bar_starts_at_the_grey_of_the_picture():
    from striate.explain.draw_sweep import _over

    np.testing.assert_allclose(_over(0.4)(0), [0.4, 0.4, 0.4, 1.0])


def test_labels_of_small_windows_do_not_cover_each_other():
    picture = np.random.default_rng(1).random((1, 60, 80))
    axes = sweep(small(), picture, stride=4).draw(0, count=6)
    axes.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 6
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def segmenting() -> Model:
    network = unet(2, (1, 16, 16))
    return Model(network, np.zeros(network.parameter_count), network.initial_states())


@pytest.mark.parametrize(
    ("model", "arguments", "error", "words"),
    [
        (small(), {"stride": 0}, UsageError, "stride: must be at least 1"),
        (small(), {"window": 9}, ShapeError, "at least as large as a window of 9 x 9; got 8 x 8"),
        (small(), {"window": (2, 2, 2)}, UsageError, "window: must be a number or"),
        (small(), {"window": 6}, UsageError, "only pictures of bytes"),
        (small(shape=(3, 4, 4)), {}, ShapeError, "the picture must be 3 x rows x columns"),
        (small(shape=(14,)), {}, UsageError, "needs a model of pictures, .* which takes 14"),
        (small(shape=(1, 50)), {}, UsageError, "needs a model of pictures"),
        (small("numbers"), {}, UsageError, "which predicts numbers"),
        (segmenting(), {}, UsageError, "gives a class to every position"),
    ],
)
def test_what_cannot_be_swept(model, arguments, error, words):
    with pytest.raises(error, match=words):
        sweep(model, np.ones((1, 8, 8)), **arguments)


def test_labels_are_swept_each_by_itself():
    network = Sequential([Flatten(), Linear(3), Sigmoid()], (1, 4, 4))
    theta = np.random.default_rng(6).normal(size=network.parameter_count)
    model = Model(network, theta, metadata={"targets": "labels", "target_names": ["a", "b", "c"]})
    picture = np.random.default_rng(7).random((1, 5, 6))
    found = sweep(model, picture, stride=1)
    np.testing.assert_allclose(
        found.probabilities[:, 1, 2], model.outputs(picture[None, :, 1:5, 2:6])[0], atol=1e-6
    )
    assert found.why(4, 5, 2).value == pytest.approx(float(found.probabilities[2, 1, 2]), rel=1e-5)


def test_outputs_that_are_no_numbers():
    picture = np.ones((1, 8, 8))
    picture[0, 5, 5] = np.nan
    with pytest.raises(UsageError, match="outputs must be finite; got NaN"):
        sweep(small(), picture)


def test_files_have_one_or_three_channels(tmp_path):
    with pytest.raises(ShapeError, match="1 or 3 channels; got a model that takes 2"):
        sweep(small(shape=(2, 4, 4)), tmp_path / "any.png")


def test_classes_and_pixels_that_do_not_exist(found):
    with pytest.raises(UsageError, match="class: must be at most 9"):
        found.scores(10)
    with pytest.raises(UsageError, match="class: unknown name 'cat'"):
        found.heat("cat")
    with pytest.raises(UsageError, match="row: must be at most 19"):
        found.why(20, 0, 1)


def test_a_network_without_softmax_is_read_as_it_was_trained():
    network = Sequential([Conv2d(2, 3), GlobalAvgPool(), Linear(3)], (1, 4, 4))
    model = Model(network, np.random.default_rng(3).normal(size=network.parameter_count), classes="abc")
    found = sweep(model, np.random.default_rng(4).random((1, 7, 7)), stride=1)
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, atol=1e-6)
    assert found.class_number("b") == 1


@pytest.mark.parametrize(
    "layers",
    [
        [Conv2d(4, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(8), ReLU(), Dropout(), Linear(3), Softmax()],
        [Conv2d(4, 3, stride=2), BatchNorm(), ReLU(), GlobalAvgPool(), Linear(3), Softmax()],
        [Flatten(), Linear(3), Softmax()],
    ],
)
@pytest.mark.parametrize("side", [512, 17, 1])
def test_windows_computed_at_once_are_those_computed_alone(layers, side, monkeypatch):
    monkeypatch.setattr(tiles, "SIDE", side)
    network, random = Sequential(layers, (1, 10, 10)), np.random.default_rng(3)
    model = Model(network, random.normal(0, 0.3, network.parameter_count), classes=("a", "b", "c"))
    model.normalisation = Normalisation((0.5,), (2.0,))
    picture = random.random((1, 31, 40)).astype(np.float32)
    wide, jump = fully_convolutional(model, (31, 40))
    assert wide.network.parameter_count == network.parameter_count
    sides = tuple((n - 10) // step + 1 for n, step in zip((31, 40), jump, strict=True))
    shape = wide.predict_proba(picture[None])[0].shape[1:]
    assert all(0 <= have - want <= 1 for have, want in zip(shape, sides, strict=True))  # one beyond the edge
    told = []
    found = sweep(model, picture, stride=2, progress=lambda *counts: told.append(counts))
    assert told == sorted(set(told))
    assert told[-1] == (found.scores(0).size,) * 2
    windows = [picture[:, top : top + 10, left : left + 10] for top in found.tops for left in found.lefts]
    alone = model.predict_proba(np.stack(windows)).T.reshape(found.probabilities.shape)
    np.testing.assert_allclose(found.probabilities, alone, atol=2e-6)


def test_padding_keeps_windows_apart(trained_lenet):
    with pytest.raises(ShapeError, match="conv1: treats the edge of a window differently from its middle"):
        fully_convolutional(trained_lenet, (20, 20))
    with pytest.raises(ShapeError, match="needs pictures, and one output"):
        fully_convolutional(Model(Sequential([Linear(2)], 3), np.zeros(8)), (20, 20))
