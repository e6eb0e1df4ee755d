"""A picture that shows some images and what an augmentation makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.data.augmentation.pipeline import Augmentation
from striate.data.dataset import Dataset
from striate.data.splits import shuffled
from striate.errors import ShapeError

if TYPE_CHECKING:
    from PIL.Image import Image

GAP = 2  # white pixels between images
SMALLEST_SIDE = 64  # images are enlarged to at least this


def preview(
    dataset: Dataset, augmentation: Augmentation, seed: int = 0, samples: int = 6, variants: int = 8
) -> Image:
    """Return a picture with a row for each sample: the original, then the sample as changed in the first epochs.

    Parameters
    ----------
    dataset : Dataset
        Of grey or colour images.
    augmentation : Augmentation
    seed : int
        Chooses the samples, and draws as a run with this seed does.
    samples : int
        Rows.
    variants : int
        Columns after the first.

    Raises
    ------
    ShapeError
        If the samples are not images.
    """
    from PIL import Image

    if dataset.inputs.ndim != 4 or dataset.sample_shape[0] not in (1, 3):
        raise ShapeError(
            f"{dataset.name}: a preview needs grey or colour images; got samples of shape "
            f"{' x '.join(map(str, dataset.sample_shape))}. Choose another data set."
        )
    chosen = np.sort(shuffled(len(dataset), seed)[:samples])
    source = dataset.inputs[chosen]
    columns = [source] + [augmentation.apply(source, seed, epoch, chosen) for epoch in range(variants)]
    levels = [_to_bytes(column, dataset) for column in columns]
    height, width = dataset.sample_shape[1:]
    zoom = -(-SMALLEST_SIDE // min(height, width))
    tiles = np.stack(levels, axis=1).repeat(zoom, axis=3).repeat(zoom, axis=4)
    tiles = np.pad(tiles, ((0, 0), (0, 0), (0, 0), (GAP, 0), (GAP, 0)), constant_values=255)
    rows, across, channels, tall, wide = tiles.shape
    sheet = tiles.transpose(0, 3, 1, 4, 2).reshape(rows * tall, across * wide, channels)
    return Image.fromarray(sheet if channels == 3 else sheet[..., 0])


def _to_bytes(column: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Return images as bytes; floating point ones between the extremes of the data set's first samples."""
    if dataset.inputs.dtype == np.uint8:
        return np.asarray(np.rint(column).astype(np.uint8))
    some = dataset.inputs[:256]
    low, high = float(some.min()), float(some.max())
    return np.rint(np.clip((column - low) / ((high - low) or 1), 0, 1) * 255).astype(np.uint8)
