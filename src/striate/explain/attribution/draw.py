"""Drawings of attribution maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes
from striate.drawing.mosaic import draw_mosaic
from striate.drawing.pictures import as_colours
from striate.explain.attribution.methods import Attribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_attribution(attribution: Attribution, sample: np.ndarray | None = None, axes: Axes | None = None) -> Axes:
    """Draw one map: red speaks for the class, blue against; over the picture in grey where it is given.

    Parameters
    ----------
    attribution : Attribution
    sample : array [C, rows, columns] or [C, length], optional
    """
    axes = new_axes(axes)
    _paint(axes, attribution, sample)
    axes.set_title(f"{attribution.method}: {attribution.class_name}", fontsize=9)
    return axes


def _paint(axes: Any, attribution: Attribution, sample: np.ndarray | None) -> None:
    rank = 2 if sample is None else max(np.ndim(sample) - 1, 1)
    values = np.atleast_2d(attribution.map(rank))
    limit = float(np.abs(values).max()) or 1.0
    if sample is not None and np.ndim(sample) == 3:
        axes.imshow(np.asarray(sample, np.float64).mean(axis=0), cmap="Greys")
    aspect = "equal" if len(values) > 1 else "auto"
    overlay = 0.75 if sample is not None and np.ndim(sample) == 3 else 1.0
    axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=overlay, aspect=aspect)
    axes.set_xticks([])
    axes.set_yticks([])


def draw_attributions(found: Mapping[str, Attribution], sample: np.ndarray, axes: Axes | None = None) -> Axes:
    """Draw the sample and all maps of ``attribute_all`` side by side, each map scaled by its largest value.

    Parameters
    ----------
    found : mapping of a method to its Attribution
    sample : array [C, *space]
    axes : Axes, optional
    """
    raw = np.asarray(sample, np.float64)
    rank = max(raw.ndim - 1, 1)
    maps = [np.atleast_2d(_flat(item.map(rank), rank)) for item in found.values()]
    scaled = [one / (float(np.abs(one).max()) or 1.0) for one in maps]
    grey = np.atleast_2d(_flat(raw.mean(axis=0) if raw.ndim > 1 else raw, rank))
    grey = (grey - grey.min()) / (float(np.ptp(grey)) or 1.0)
    pictures = [np.repeat(grey[..., None], 3, axis=2), *(as_colours(one, 1.0) for one in scaled)]
    classes = sorted({item.class_name for item in found.values()})
    return draw_mosaic(
        pictures,
        ["sample", *(item.method for item in found.values())],
        axes,
        title=f"what speaks for (red) and against (blue) {', '.join(classes)}",
        columns=1 if len(grey) == 1 else len(pictures),
    )


def _flat(values: np.ndarray, rank: int) -> np.ndarray:
    """Return the middle slice of a volume, anything else as it is."""
    return values[len(values) // 2] if rank == 3 else values
