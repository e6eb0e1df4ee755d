from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from striate.data.augmentation import (
    Augmentation,
    Brightness,
    Contrast,
    Crop,
    Cutout,
    HorizontalFlip,
    Mixup,
    Noise,
    ResizedCrop,
    Rotation,
    Scale,
    Shear,
    Shift,
    VerticalFlip,
    Zoom,
)
from striate.data.augmentation.counter import Draw
from striate.data.augmentation.pipeline import KINDS
from striate.data.augmentation.words import augmentation
from striate.errors import ShapeError, UsageError

INDICES = np.arange(400)


class Fixed(Draw):
    """Draws the given numbers for a single sample."""

    def __new__(cls, *numbers: float) -> Fixed:
        return object.__new__(cls)

    def __init__(self, *numbers: float) -> None:
        object.__setattr__(self, "numbers", np.array([numbers]))

    def uniform(self, count: int) -> np.ndarray:
        assert count == self.numbers.shape[1]
        return self.numbers


def moved(transform, *numbers: float, image: np.ndarray, border: str = "constant") -> np.ndarray:
    """The image as the transform makes it when it draws these numbers."""
    from striate.data.augmentation.sampling import sample

    matrix = transform.matrix(Fixed(*numbers), image.shape)
    middle = (np.array(image.shape) - 1) / 2
    matrix[:, :2, 2] += middle - matrix[:, :2, :2] @ middle
    return sample(image[np.newaxis, np.newaxis], matrix[:, :2].astype(np.float32), border)[0, 0]


IMAGE = np.arange(1.0, 26).reshape(5, 5)
WIDE = np.arange(1.0, 41).reshape(5, 8)


class TestGeometry:
    def test_positive_angles_turn_counter_clockwise(self):
        assert np.allclose(moved(Rotation(90), 1.0, image=IMAGE), np.rot90(IMAGE), atol=1e-4)
        assert np.allclose(moved(Rotation(90), 0.0, image=IMAGE), np.rot90(IMAGE, -1), atol=1e-4)
        assert np.array_equal(moved(Rotation(90), 0.5, image=IMAGE), IMAGE)

    def test_rotation_agrees_with_scipy(self):
        got = moved(Rotation(30), 1.0, image=WIDE)
        expected = ndimage.rotate(WIDE, 30, reshape=False, order=1, mode="grid-constant")
        assert np.allclose(got, expected, atol=1e-4)

    def test_flips(self):
        assert np.array_equal(moved(HorizontalFlip(0.5), 0.4, image=WIDE), WIDE[:, ::-1])
        assert np.array_equal(moved(HorizontalFlip(0.5), 0.5, image=WIDE), WIDE)
        assert np.array_equal(moved(VerticalFlip(1), 0.99, image=WIDE), WIDE[::-1])
        assert np.array_equal(moved(VerticalFlip(0), 0.0, image=WIDE), WIDE)

    def test_shift_moves_down_and_right(self):
        got = moved(Shift(0.2, 0.25), 1.0, 1.0, image=WIDE)
        assert np.array_equal(got[1:, 2:], WIDE[:-1, :-2])
        assert got[0].max() == got[:, :2].max() == 0

    def test_crop_moves_by_whole_pixels_both_ways(self):
        assert np.array_equal(moved(Crop(1), 0.0, 0.99, image=WIDE)[1:, :-1], WIDE[:-1, 1:])
        pixels = Crop(2).matrix(Draw(0, 0, INDICES, 0), (9, 9))[:, :2, 2]
        assert np.array_equal(np.unique(pixels), [-2, -1, 0, 1, 2])

    def test_zoom_enlarges_about_the_middle(self):
        got = moved(Zoom(2, 2), 0.3, image=IMAGE)
        assert got[2, 2] == IMAGE[2, 2]
        assert got[0, 0] == IMAGE[1, 1]
        assert np.array_equal(moved(Zoom(0.5, 0.5), 0.3, image=IMAGE)[1:4, 1:4], IMAGE[::2, ::2])

    def test_resized_crop_shows_a_window_within_the_image(self):
        corner = moved(ResizedCrop(0.5), 0.0, 0.0, 0.0, image=IMAGE)
        assert np.array_equal(corner[::2, ::2], IMAGE[:3, :3])
        opposite = moved(ResizedCrop(0.5), 0.0, 1.0, 1.0, image=IMAGE)
        assert np.array_equal(opposite[::2, ::2], IMAGE[2:, 2:])
        x = np.full((400, 1, 6, 9), 7.0)
        assert np.allclose(Augmentation((ResizedCrop(0.3),)).apply(x, 0, 0, INDICES), 7)

    def test_shear_slants_rows_about_the_middle_one(self):
        got = moved(Shear(45), 1.0, image=IMAGE)
        assert np.allclose(got[2], IMAGE[2])
        assert np.allclose(got[3, :-1], IMAGE[3, 1:], atol=1e-4)
        assert np.allclose(got[1, 1:], IMAGE[1, :-1], atol=1e-4)

    @pytest.mark.parametrize(
        ("transform", "entry", "low", "high"),
        [
            (Shift(0.2, 0.4), (0, 2), -1.8, 1.8),
            (Shift(0.2, 0.4), (1, 2), -4.8, 4.8),
            (Shear(20), (1, 0), -np.tan(np.pi / 9), np.tan(np.pi / 9)),
            (Rotation(30), (0, 1), -0.5, 0.5),
            (Zoom(0.5, 2), (0, 0), 0.5, 2),
        ],
    )
    def test_numbers_fill_their_range(self, transform, entry, low, high):
        got = transform.matrix(Draw(0, 0, np.arange(3000), 0), (9, 12))[:, entry[0], entry[1]]
        assert low <= got.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < got.max() <= high


class TestValues:
    def test_brightness_adds_a_share_of_the_range(self):
        x = np.full((400, 2, 3, 3), 100, np.uint8)
        got = Augmentation((Brightness(0.2),)).apply(x, 0, 0, INDICES)
        assert (np.ptp(got, axis=(1, 2, 3)) == 0).all()
        assert got.min() >= 49
        assert got.max() <= 151
        assert got.max() - got.min() > 98
        changes = Augmentation((Brightness(0.2),)).apply(np.zeros((400, 1, 3), np.float32), 0, 0, INDICES)
        assert 0.19 < changes.max() <= 0.2

    def test_contrast_keeps_the_mean(self):
        x = np.random.default_rng(0).normal(size=(400, 1, 4, 4))
        got = Augmentation((Contrast(0.5, 1.5),)).apply(x, 0, 0, INDICES)
        assert np.allclose(got.mean(axis=(1, 2, 3)), x.mean(axis=(1, 2, 3)))
        factor = got.std(axis=(1, 2, 3)) / x.std(axis=(1, 2, 3))
        assert 0.5 <= factor.min() < 0.55
        assert 1.45 < factor.max() <= 1.5

    def test_scale_multiplies(self):
        factor = Augmentation((Scale(0.5, 2),)).apply(np.ones((400, 1, 3)), 0, 0, INDICES)[:, 0, 0]
        assert 0.5 <= factor.min() < 0.55
        assert 1.95 < factor.max() <= 2

    def test_noise_is_normal_and_its_own_for_every_value(self):
        got = Augmentation((Noise(0.5),)).apply(np.zeros((400, 1, 5, 5)), 0, 0, INDICES)
        assert stats.kstest(got.ravel() / 0.5, "norm").pvalue > 0.001
        assert len(np.unique(got)) > 9990

    def test_bytes_stay_within_their_range(self):
        x = np.random.default_rng(0).integers(0, 256, (400, 1, 4, 4), np.uint8)
        got = Augmentation((Brightness(1), Noise(1), Contrast(0, 9))).apply(x, 0, 0, INDICES)
        assert got.min() == 0
        assert got.max() == 255

    def test_cutout_fills_squares_anywhere(self):
        x = np.full((400, 2, 10, 12), 5, np.uint8)
        cut = Augmentation((Cutout(0.4, 1),)).apply(x, 0, 0, INDICES)
        assert set(np.unique(cut)) == {1, 5}
        assert np.array_equal(cut[:, 0], cut[:, 1])
        areas = (cut[:, 0] == 1).sum(axis=(1, 2))
        assert areas.max() == 16
        assert areas.min() >= 4
        assert (cut == 1).any(axis=(0, 1)).all()

    def test_cutout_of_signals_is_a_stretch(self):
        cut = Augmentation((Cutout(0.5, -1),)).apply(np.zeros((400, 2, 20)), 0, 0, INDICES)
        lengths = (cut[:, 0] == -1).sum(axis=1)
        assert lengths.max() == 10
        assert lengths.min() >= 5


class TestMixup:
    def test_inputs_and_targets_are_blended_alike(self):
        augmentation = Augmentation((Mixup(0.4),))
        x = np.random.default_rng(0).normal(size=(400, 1, 3))
        weights = augmentation.mix_weights(0, 0, INDICES)
        got = augmentation.apply(x, 0, 0, INDICES)
        own = weights[:, np.newaxis, np.newaxis]
        assert np.array_equal(got, own * x + (1 - own) * np.roll(x, -1, axis=0))
        targets = Mixup.blend(np.eye(4)[INDICES % 4], weights)
        assert np.allclose(targets.sum(axis=1), 1)
        assert np.allclose(targets[399], weights[399] * np.eye(4)[3] + (1 - weights[399]) * np.eye(4)[0])

    def test_weights_follow_the_folded_beta_distribution(self):
        weights = Augmentation((Mixup(0.3),)).mix_weights(0, 0, np.arange(4000))
        folded = stats.kstest(weights, lambda w: 2 * stats.beta.cdf(w, 0.3, 0.3) - 1)
        assert folded.pvalue > 0.001
        assert weights.min() >= 0.5

    def test_none_without_it(self):
        assert Augmentation((Noise(),)).mix_weights(0, 0, INDICES) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rotation(181), "rotation: degrees must lie between 0 and 180; got 181"),
        (lambda: Rotation(float("nan")), "rotation: degrees must lie"),
        (lambda: Rotation("10"), "rotation: degrees must lie"),
        (lambda: HorizontalFlip(1.1), "horizontal_flip: probability"),
        (lambda: VerticalFlip(True), "vertical_flip: probability"),
        (lambda: Shift(2, 0), "shift: rows"),
        (lambda: Shift(0, -1), "shift: columns"),
        (lambda: Crop(-1), "crop: padding"),
        (lambda: Zoom(0, 1), "zoom: low"),
        (lambda: Zoom(1, 0.9), "zoom: high must lie between 1 and 100; got 0.9"),
        (lambda: ResizedCrop(0), "resized_crop: smallest"),
        (lambda: Shear(85), "shear: degrees"),
        (lambda: Brightness(2), "brightness: amount"),
        (lambda: Contrast(-1, 1), "contrast: low"),
        (lambda: Contrast(1, 0), "contrast: high"),
        (lambda: Scale(-1, 1), "scale: low"),
        (lambda: Scale(1, 0), "scale: high"),
        (lambda: Noise(-1), "noise: deviation"),
        (lambda: Cutout(1.5), "cutout: side"),
        (lambda: Cutout(0.5, float("inf")), "cutout: fill"),
        (lambda: Mixup(0), "mixup: alpha"),
        (lambda: Augmentation((3,)), "augmentation: transforms are rotation, .*; got 3"),
        (lambda: Augmentation(border="wrap"), "border must be one of constant, edge, reflect; got 'wrap'"),
        (lambda: Augmentation(fill=float("nan")), "augmentation: fill"),
        (lambda: Augmentation((Mixup(), Mixup())), "mixup can be used only once"),
        (lambda: Augmentation.from_dict({"transforms": [{"kind": "rotate"}]}), "did you mean 'rotation'"),
        (lambda: Augmentation.from_dict({"transforms": [{}]}), "transform: unknown name 'None'"),
        (lambda: Augmentation.from_dict({"boarder": "edge"}), "did you mean 'border'"),
        (
            lambda: Augmentation.from_dict({"transforms": [{"kind": "zoom", "factor": 2}]}),
            "zoom: its settings are low, high; got factor. Use these names",
        ),
        (lambda: augmentation("rotation"), "rotation: its settings are degrees; got none. Write rotation:DEGREES"),
    ],
)
def test_settings_that_cannot_mean_anything(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize("transform", [Rotation(5), VerticalFlip(), Shear(5)])
def test_signals_cannot_be_turned(transform):
    with pytest.raises(ShapeError, match="needs images; the samples are signals of length 9"):
        Augmentation((transform,)).affine(0, 0, INDICES, (9,))


def test_every_kind_has_a_name():
    assert len(KINDS) == 14
