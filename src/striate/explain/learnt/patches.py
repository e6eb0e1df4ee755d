"""The parts of a data set's samples that excite a unit most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.explain.figures import new_axes
from striate.explain.learnt.part import part_of
from striate.explain.positions import axis_names, resolve
from striate.explain.samples import as_batch
from striate.layers.arguments import integer
from striate.model import Model
from striate.receptive_field import receptive_fields

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH_SIZE = 256


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a sample, and what a unit makes of it.

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
    """Return the patches that excite a channel (or feature) of a layer most, the strongest first.

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
    strongest, places = _maxima(part, inputs, channel)
    order = np.argsort(-strongest, kind="stable")[: integer(count, "count")]
    return [_patch(part, inputs, layer, int(n), int(places[n]), float(strongest[n])) for n in order]


def _maxima(part: Model, inputs: np.ndarray, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of the channel for each sample, and where it is in the flattened map."""
    values, places = np.empty(len(inputs)), np.empty(len(inputs), np.int64)
    for start in range(0, len(inputs), BATCH_SIZE):
        outputs = part.outputs(inputs[start : start + BATCH_SIZE])[:, channel]
        flat = outputs.reshape(len(outputs), -1)
        places[start : start + len(flat)] = flat.argmax(axis=1)
        values[start : start + len(flat)] = flat.max(axis=1)
    return values, places


def _patch(part: Model, inputs: np.ndarray, layer: str, sample: int, place: int, value: float) -> Patch:
    space = part.network.output_shape[1:]
    position = tuple(int(i) for i in np.unravel_index(place, space)) if space else ()
    axes = receptive_fields(part.network)[layer]
    span = []
    for number, (axis, n) in enumerate(zip(axes, inputs.shape[2:] or inputs.shape[1:], strict=True)):
        at = position[number] if axis.jump and len(position) == len(axes) else 0
        first, last = axis.span(at)
        span.append((max(0, first), min(n, last + 1)))
    cut = (..., *(slice(first, end) for first, end in span))
    return Patch(sample, position, value, tuple(span), inputs[sample][cut])


def draw_patches(patches: list[Patch], title: str = "") -> Figure:
    """Draw patches of pictures in a row, each with its value."""
    first = new_axes(None, size=(1.2 * max(len(patches), 2), 1.6))
    figure: Any = first.figure
    figure.clear()
    for panel, patch in zip(figure.subplots(1, len(patches), squeeze=False)[0], patches, strict=True):
        pixels = np.asarray(patch.pixels, np.float64)
        colour = pixels.ndim == 3 and len(pixels) == 3
        shown = np.moveaxis(pixels, 0, 2) / max(pixels.max(), 1e-300) if colour else np.atleast_2d(pixels[0])
        panel.imshow(shown, cmap="gray")
        panel.set_title(f"{patch.value:.3g}", fontsize=8)
        panel.set_axis_off()
    figure.suptitle(title, fontsize=9)
    return figure
