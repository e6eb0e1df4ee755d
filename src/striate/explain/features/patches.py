"""The parts of a data set's samples that activate a unit most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.mosaic import draw_mosaic
from striate.explain.positions import axis_names, resolve
from striate.explain.samples import as_batch
from striate.layers.arguments import integer
from striate.model import Model
from striate.model.part import part_of
from striate.receptive_field import receptive_fields, spans_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BATCH_SIZE = 256


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a sample, and the value of a unit for it.

    Parameters
    ----------
    sample : int
        The number of the sample in the data set.
    position : tuple of int
        Where in the feature map; () for a layer of features.
    value : float
        The unit's value there.
    span : tuple of (first, end)
        Which part of the sample the unit sees, cut at the edges.
    pixels : array [C, *size]
        This part, as it stands in the data set.
    """

    sample: int
    position: tuple[int, ...]
    value: float
    span: tuple[tuple[int, int], ...]
    pixels: np.ndarray


def top_patches(
    model: Model, samples: np.ndarray | Dataset, layer: str, channel: int, count: int = 9
) -> list[Patch]:
    """Return the patches that activate a channel (or feature) of a layer most, the strongest first.

    Each sample gives at most one patch, so that one picture does not fill the list.

    Parameters
    ----------
    model : Model
    samples : array [N, *input_shape] or Dataset
        Raw samples.
    layer : str
    channel : int
    count : int

    Raises
    ------
    UsageError
        If there is no such layer or channel, or the samples do not fit.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 3.
    Girshick, Donahue, Darrell and Malik (2014), "Rich feature hierarchies", section 3.1.
    """
    inputs, part = as_batch(model, samples), part_of(model, layer)
    shape = part.network.output_shape
    names = axis_names(shape)
    channel = resolve(layer, shape, {name: channel if name == names[0] else 0 for name in names})[0]
    strongest, places = (found[:, channel] for found in maxima(part, inputs))
    order = np.argsort(-strongest, kind="stable")[: integer(count, "count")]
    return [patch_at(part, inputs, layer, channel, int(n), int(places[n]), float(strongest[n])) for n in order]


def maxima(part: Model, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of each channel for each sample, float64[N, C], and its places, int64[N, C].

    A place is a number in the flattened map.
    """
    values, places = [], []
    for start in range(0, len(inputs), BATCH_SIZE):
        outputs = part.outputs(inputs[start : start + BATCH_SIZE])
        flat = outputs.reshape(*outputs.shape[:2], -1)
        places.append(flat.argmax(axis=2))
        values.append(flat.max(axis=2).astype(np.float64))
    return np.concatenate(values), np.concatenate(places)


def patch_at(
    part: Model, inputs: np.ndarray, layer: str, channel: int, sample: int, place: int, value: float
) -> Patch:
    """Return the patch that the value of a channel at a place of its flattened map sees."""
    space = part.network.output_shape[1:]
    position = tuple(int(i) for i in np.unravel_index(place, space)) if space else ()
    field = receptive_fields(part.network)[layer]
    span = [(first, max(first, last) + 1) for first, last in spans_of(field, (channel, *position))]
    cut = (..., *(slice(first, end) for first, end in span))
    return Patch(sample, position, value, tuple(span), inputs[sample][cut])


def draw_patches(patches: list[Patch], title: str = "", axes: Axes | None = None) -> Axes:
    """Draw patches in a row, each under its value; parts beyond the edge of the picture stay empty."""
    pixels = [np.asarray(patch.pixels, np.float64) for patch in patches]
    low, high = min(float(one.min()) for one in pixels), max(float(one.max()) for one in pixels)
    pictures = [patch_picture((one - low) / ((high - low) or 1.0)) for one in pixels]
    names = [f"{patch.value:.3g}" for patch in patches]
    columns = 1 if len(pictures[0]) == 1 else len(patches)
    return draw_mosaic(pictures, names, axes, title=title, columns=columns, limits=(0.0, 1.0))


def patch_picture(pixels: np.ndarray) -> np.ndarray:
    """Return a patch as [rows, columns] or [rows, columns, 3]: of a volume the middle slice."""
    while pixels.ndim > 3:
        pixels = pixels[:, pixels.shape[1] // 2]
    if pixels.ndim == 3:
        return np.moveaxis(pixels, 0, 2) if len(pixels) == 3 else pixels.mean(axis=0)
    return np.atleast_2d(pixels[0] if pixels.ndim == 2 else pixels)
