"""Drawings of attribution maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.explain.attribution.methods import Attribution
from striate.explain.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def draw_attributions(found: Mapping[str, Attribution], sample: np.ndarray) -> Figure:
    """Draw the picture and all maps of ``attribute_all`` side by side."""
    first = new_axes(None, size=(2.0 * (len(found) + 1), 2.3))
    figure: Any = first.figure
    figure.clear()
    panels = figure.subplots(1, len(found) + 1, squeeze=False)[0]
    picture = np.asarray(sample, np.float64)
    panels[0].imshow(picture.mean(axis=0) if picture.ndim == 3 else np.atleast_2d(picture), cmap="Greys_r")
    panels[0].set_axis_off()
    for panel, attribution in zip(panels[1:], found.values(), strict=True):
        _paint(panel, attribution, None)
        panel.set_title(attribution.method, fontsize=8)
    return figure
