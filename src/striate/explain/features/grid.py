"""What every layer responds to: its strongest patches beside their projections back to the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.axes import new_axes
from striate.drawing.mosaic import mosaic
from striate.errors import UsageError
from striate.explain.attribution.regions import maps
from striate.explain.diagram.parts import parts_of
from striate.explain.features.deconvolution import deconvolution
from striate.explain.features.patches import Patch, maxima, patch_at, patch_picture
from striate.explain.samples import as_batch
from striate.explain.tracing import Trace, trace
from striate.layers.arguments import integer
from striate.model import Model
from striate.model.part import part_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LAYERS = 5  # of a grid whose layers were left open
GAP = np.array([0.76, 0.84, 0.92])  # between tiles, which may be black or white


@dataclass(frozen=True, eq=False)
class ChannelFeatures:
    """What one channel responds to.

    Parameters
    ----------
    layer : str
    channel : int
    patches : tuple of Patch
        The strongest first.
    projections : tuple of float64[C, *size]
        Each patch as the channel sees it: its value there sent back through the network, cut to the patch.
    """

    layer: str
    channel: int
    patches: tuple[Patch, ...]
    projections: tuple[np.ndarray, ...]


def feature_grid(
    model: Model,
    samples: np.ndarray | Dataset,
    layers: Sequence[str] | None = None,
    *,
    channels: int = 4,
    count: int = 9,
    guided: bool = False,
) -> list[list[ChannelFeatures]]:
    """Return for each layer the channels that respond most strongly, and what they respond to.

    Parameters
    ----------
    model : Model
    samples : array [N, *input_shape] or Dataset
        Raw samples to search.
    layers : sequence of str, optional
        Layers with feature maps; by default up to 5 of those that follow a convolution and its activation.
    channels, count : int
        Channels of a layer, and patches of a channel; no sample gives two patches of the same channel.
    guided : bool
        Use guided back-propagation; see `deconvolution`.

    Raises
    ------
    UsageError
        If a layer has no feature maps, a number is below 1, or the samples do not fit.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", figure 2.
    """
    inputs, known = as_batch(model, samples), maps(model.network)
    chosen = _usual(model, known) if layers is None else list(layers)
    for layer in chosen:
        model.network.step(layer)
        if layer not in known:
            raise UsageError(f"{layer}: has no feature maps. Layers with maps: {', '.join(known)}.")
    traces: dict[int, Trace] = {}
    return [
        _layer(model, inputs, layer, integer(channels, "channels"), integer(count, "count"), guided, traces)
        for layer in chosen
    ]


def _usual(model: Model, known: Sequence[str]) -> list[str]:
    parts = [part for part in parts_of(model.network, 0) if part.kind == "convolution"]
    names = [next((step.name for step in reversed(part.steps) if step.name in known), "") for part in parts]
    names = [name for name in names if name]
    if not names:
        raise UsageError(f"{model.network.name}: has no convolution, so no feature maps to show.")
    wanted = min(len(names), MOST_LAYERS)
    return [names[round(n)] for n in np.linspace(0, len(names) - 1, wanted)]


def _layer(
    model: Model, inputs: np.ndarray, layer: str, channels: int, count: int, guided: bool, traces: dict[int, Trace]
) -> list[ChannelFeatures]:
    part = part_of(model, layer)
    values, places = maxima(part, inputs)
    best = np.argsort(-values.max(axis=0), kind="stable")[:channels]
    found = []
    for channel in sorted(best.tolist()):
        order = np.argsort(-values[:, channel], kind="stable")[:count]
        patches = tuple(
            patch_at(part, inputs, layer, channel, int(n), int(places[n, channel]), float(values[n, channel]))
            for n in order
        )
        projections = []
        for patch in patches:
            traced = traces.setdefault(patch.sample, trace(model, inputs[patch.sample]))
            back = deconvolution(traced, layer, channel, patch.position, guided=guided)
            cut: tuple[Any, ...] = (..., *(slice(first, end) for first, end in patch.span))
            projections.append(back[cut])
        found.append(ChannelFeatures(layer, channel, patches, tuple(projections)))
    return found


def draw_feature_grid(grid: Sequence[Sequence[ChannelFeatures]]) -> Axes:
    """Draw a row for each layer and a pair of blocks for each channel: patches, and beside them projections.

    A projection is grey where it is 0, brighter above, darker below; each has its own scale.
    """
    channels = max(map(len, grid))
    figure: Any = new_axes(None, size=(2.35 * channels + 0.3, 1.5 * len(grid) + 0.25)).figure
    figure.clear()
    figure.suptitle(
        "for each channel: its strongest patches, what it sees in them, and its largest and smallest value there",
        fontsize=8,
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.04, wspace=0.02, hspace=0.03)
    panels = figure.subplots(len(grid), 2 * channels, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for row, layer in zip(panels, grid, strict=True):
        for n, one in enumerate(layer):
            _block(row[2 * n], [_scaled(patch.pixels) for patch in one.patches])
            _block(row[2 * n + 1], [_centred(back) for back in one.projections])
            values = f"{one.patches[0].value:.3g} to {one.patches[-1].value:.3g}"
            row[2 * n].set_title(f"{one.layer}, channel {one.channel}\n{values}", fontsize=7, loc="left", pad=2)
    first: Axes = panels[0, 0]
    return first


def _block(axes: Any, pictures: Sequence[np.ndarray]) -> None:
    shown = [patch_picture(one) for one in pictures]
    columns = 1 if len(shown[0]) == 1 else None  # signals
    tiles = mosaic(shown, columns, gap=(1, 1)).values[1:]
    tiles = np.repeat(tiles[..., None], 3, axis=2) if tiles.ndim == 2 else tiles
    coloured = np.where(np.isnan(tiles), GAP, tiles.clip(0.0, 1.0))
    axes.imshow(coloured, interpolation="nearest", aspect="auto" if columns else "equal")


def _scaled(pixels: np.ndarray) -> np.ndarray:
    values = np.asarray(pixels, np.float64)
    return np.asarray((values - values.min()) / (float(np.ptp(values)) or 1.0))


def _centred(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * values / (float(np.abs(values).max()) or 1.0)
