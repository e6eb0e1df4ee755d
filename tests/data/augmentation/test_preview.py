from __future__ import annotations

import numpy as np
import pytest

from striate.data.augmentation import Augmentation, HorizontalFlip, Rotation
from striate.data.augmentation.preview import preview
from striate.data.dataset import Dataset
from striate.errors import ShapeError


def images(channels: int, dtype=np.uint8) -> Dataset:
    inputs = np.random.default_rng(0).integers(0, 256, (20, channels, 16, 32)).astype(dtype)
    return Dataset(inputs, np.zeros(20, np.int64), ("a",), "pictures")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_row_for_each_sample_as_it_is_and_changed(channels):
    data = images(channels)
    sheet = np.asarray(preview(data, Augmentation((HorizontalFlip(1),)), samples=3, variants=2))
    assert sheet.shape[:2] == (3 * 66, 3 * 130)
    tile = sheet[2:66:4, 2:130:4].reshape(16, 32, channels).transpose(2, 0, 1)
    assert any(np.array_equal(tile, image) for image in data.inputs)
    flipped = sheet[2:66:4, 132:260:4].reshape(16, 32, channels).transpose(2, 0, 1)
    assert np.array_equal(flipped, tile[:, :, ::-1])


def test_floating_point_images_are_stretched_to_bytes():
    assert np.asarray(preview(images(1, np.float32), Augmentation((Rotation(10),)))).dtype == np.uint8


def test_signals_have_no_preview():
    data = Dataset(np.zeros((2, 1, 9), np.float32), np.zeros(2, np.int64), ("a",), "waves")
    with pytest.raises(ShapeError, match=r"waves: a preview needs grey or colour images; got .* shape 1 x 9"):
        preview(data, Augmentation())
