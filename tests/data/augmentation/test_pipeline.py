from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest

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
from striate.data.augmentation.pipeline import KINDS
from striate.data.augmentation.sampling import sample
from striate.errors import UsageError

GEOMETRY = (Rotation(20), HorizontalFlip(), Zoom(0.8, 1.2), Shear(10), Shift(0.1, 0.2), VerticalFlip(), Crop(2))
VALUES = (Brightness(), Contrast(), Noise(), Cutout(), Scale())
EVERYTHING = Augmentation((*GEOMETRY, ResizedCrop(), *VALUES), border="reflect")
X = np.random.default_rng(0).integers(0, 256, (50, 3, 9, 12), np.uint8)
INDICES = np.random.default_rng(1).permutation(5000)[:50]


def test_no_transform_changes_nothing():
    assert np.array_equal(Augmentation().apply(X, 0, 0, INDICES), X)
    assert not Augmentation().moves


def test_a_sample_changes_the_same_alone_and_in_any_batch():
    whole = EVERYTHING.apply(X, 7, 3, INDICES)
    order = np.random.default_rng(2).permutation(50)
    assert np.array_equal(EVERYTHING.apply(X[order], 7, 3, INDICES[order]), whole[order])
    assert np.array_equal(EVERYTHING.apply(X[5:6], 7, 3, INDICES[5:6]), whole[5:6])


@pytest.mark.parametrize(("seed", "epoch"), [(8, 3), (7, 4)])
def test_seed_and_epoch_change_every_sample(seed, epoch):
    first = EVERYTHING.apply(X, 7, 3, INDICES)
    other = EVERYTHING.apply(X, seed, epoch, INDICES)
    assert (first != other).any(axis=(1, 2, 3)).all()


def test_the_input_is_left_alone():
    before = X.copy()
    EVERYTHING.apply(X, 0, 0, INDICES)
    assert np.array_equal(X, before)


def test_geometry_is_one_interpolation_at_the_stated_places():
    augmentation = Augmentation(GEOMETRY, border="edge")
    affine = augmentation.affine(1, 2, INDICES, (9, 12))
    assert affine.dtype == np.float32
    assert affine.shape == (50, 2, 3)
    assert np.array_equal(augmentation.apply(X, 1, 2, INDICES), sample(X.astype(np.float64), affine, "edge"))


def test_transforms_act_in_their_order():
    x = np.zeros((1, 1, 21, 21))
    x[0, 0, 10, 14] = 1  # 4 right of the middle
    little, double = Shift(0, 0.04), Zoom(2, 2)
    shift = Augmentation((little,)).affine(0, 0, [0], (21, 21))[0, 1, 2]
    first_shifted = Augmentation((little, double)).apply(x, 0, 0, [0])[0, 0, 10]
    first_zoomed = Augmentation((double,)).apply(x, 0, 0, [0])[0, 0, 10]
    middle = (np.arange(21) * first_shifted).sum() / first_shifted.sum()
    assert middle == pytest.approx(10 + 2 * (4 - shift), abs=0.3)
    assert first_zoomed.argmax() == 18


def test_two_of_one_kind_draw_each_for_itself():
    twice = Augmentation((Shift(0, 0.3), Shift(0, 0.3))).affine(0, 0, INDICES, (9, 12))[:, 1, 2]
    once = Augmentation((Shift(0, 0.3),)).affine(0, 0, INDICES, (9, 12))[:, 1, 2]
    assert not np.allclose(twice, 2 * once)


def test_exact_transforms_keep_bytes_exact():
    got = Augmentation((HorizontalFlip(), VerticalFlip(), Crop(3))).apply(X, 0, 0, INDICES)
    assert np.array_equal(got, np.round(got))
    assert set(np.unique(got)) <= set(range(256))


def test_signals_move_along_their_length_only():
    x = np.random.default_rng(0).normal(size=(50, 2, 30)).astype(np.float32)
    got = Augmentation((Shift(0.5, 0.2), HorizontalFlip(), Crop(2), Zoom(0.9, 1.1))).apply(x, 0, 0, INDICES)
    assert got.shape == x.shape
    affine = Augmentation((Shift(0.5, 0.2), Crop(2), Zoom())).affine(0, 0, INDICES, (30,))
    assert (affine[:, 0, 1:] == 0).all()
    assert (affine[:, 1, 0] == 0).all()


def test_volumes_move_slice_by_slice():
    x = np.random.default_rng(0).integers(0, 256, (4, 1, 5, 8, 8), np.uint8)
    augmentation = Augmentation((Rotation(20), Shift()))
    got = augmentation.apply(x, 0, 0, INDICES[:4])
    slices = augmentation.apply(x[:, :, 2], 0, 0, INDICES[:4])
    assert np.array_equal(got[:, :, 2], slices)


def test_descriptions_survive_json_and_come_from_toml():
    everything = Augmentation((*EVERYTHING.transforms, Mixup(0.3)), "edge", 4.5)
    assert {type(transform) for transform in everything.transforms} == set(KINDS.values())
    assert Augmentation.from_dict(json.loads(json.dumps(everything.to_dict()))) == everything
    text = 'border = "edge"\n[[transforms]]\nkind = "rotation"\ndegrees = 10\n[[transforms]]\nkind = "noise"\n'
    assert Augmentation.from_dict(tomllib.loads(text)) == Augmentation((Rotation(10), Noise()), "edge")


def test_equal_descriptions_are_equal_and_can_be_keys():
    assert Augmentation([Rotation(5)]) == Augmentation((Rotation(5),))
    assert len({Augmentation((Rotation(5),)), Augmentation((Rotation(5),)), Augmentation()}) == 2


def test_a_seed_that_is_none():
    with pytest.raises(UsageError, match="seed: must be an integer"):
        EVERYTHING.affine(-1, 0, INDICES, (9, 12))
