"""Drawings of attribution maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from striate.drawing.axes import new_axes, set_title
from striate.drawing.mosaic import as_tile, draw_mosaic
from striate.drawing.pictures import as_colours
from striate.drawing.series import in_own_ranges
from striate.explain.attribution.methods import Attribution
from striate.losses import CLASSES, LABELS, NUMBERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VERBS = {CLASSES: ("speaks for", "against"), LABELS: ("speaks for", "against"), NUMBERS: ("raises", "lowers")}


def draw_attribution(
    attribution: Attribution,
    sample: np.ndarray | None = None,
    axes: Axes | None = None,
    names: Sequence[str] = (),
    words: Sequence[str] = (),
) -> Axes:
    """Draw one map, red for the class and blue against it, over the picture in grey if there is one.

    Parameters
    ----------
    attribution : Attribution
    sample : array [C, *space] or [features], optional
    axes : Axes, optional
    names : sequence of str
        Of the features of a table.
    words : sequence of str
        Of a text; "" where there is none.
    """
    sample = None if sample is None else _without_space(sample)
    rank = 2 if sample is None else max(sample.ndim - 1, 1)
    values = _flat(attribution.map(rank), rank)
    if values.ndim == 1:
        found = {attribution.method: values}
        drawn = _of_one_axis(found, sample, axes, names, words)
    else:
        drawn = new_axes(axes)
        if sample is not None and sample.ndim == 3:
            drawn.imshow(sample.mean(axis=0), cmap="Greys")
        limit = float(np.abs(values).max()) or 1.0
        drawn.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=1.0 if sample is None else 0.75)
        drawn.set(xticks=[], yticks=[])
    set_title(drawn, f"{attribution.method}: {attribution.class_name}")
    return drawn


def draw_attributions(
    found: Mapping[str, Attribution],
    sample: np.ndarray,
    axes: Axes | None = None,
    names: Sequence[str] = (),
    words: Sequence[str] = (),
) -> Axes:
    """Draw the sample and all maps of ``attribute_all``, each map scaled by its largest value.

    Parameters
    ----------
    found : mapping of a method to its Attribution
    sample : array [C, *space] or [features]
    axes : Axes, optional
    names : sequence of str
        Of the features of a table.
    words : sequence of str
        Of a text; "" where there is none.
    """
    raw = _without_space(sample)
    rank = max(raw.ndim - 1, 1)
    maps = {method: _flat(item.map(rank), rank) for method, item in found.items()}
    maps = {method: one / (float(np.abs(one).max()) or 1.0) for method, one in maps.items()}
    classes = ", ".join(sorted({item.class_name for item in found.values()}))
    sides = ("right", "left") if raw.ndim == 1 or words else ("red", "blue")
    up, down = VERBS[next(iter(found.values())).kind]
    title = f"what {up} ({sides[0]}) and {down} ({sides[1]}) {classes}"
    if raw.ndim < 3:
        drawn = _of_one_axis(maps, raw, axes, names, words)
        set_title(drawn, title)
        return drawn
    image = raw[:, raw.shape[1] // 2] if raw.ndim == 4 else raw
    tile = as_tile((image - image.min()) / (float(np.ptp(image)) or 1.0))
    coloured = tile if tile.ndim == 3 else np.repeat(tile[..., None], 3, axis=2)
    pictures = [coloured, *(as_colours(one, 1.0) for one in maps.values())]
    return draw_mosaic(pictures, ["sample", *maps], axes, title=title, columns=min(4, len(pictures)))


def _of_one_axis(
    maps: Mapping[str, np.ndarray],
    sample: np.ndarray | None,
    axes: Axes | None,
    names: Sequence[str],
    words: Sequence[str],
) -> Axes:
    """Draw the maps of a row of a table, of a text or of a series."""
    if words:
        places = [place for place, word in enumerate(words) if word] or [0]
        return _features({m: values[places] for m, values in maps.items()}, axes, [words[p] for p in places])
    if sample is not None and sample.ndim == 1:
        return _features(maps, axes, names)
    return _series(maps, sample, axes)


def _features(maps: Mapping[str, np.ndarray], axes: Axes | None, names: Sequence[str]) -> Axes:
    """Draw a bar for each feature and method, the features by name; of a single method in red and blue."""
    count = len(next(iter(maps.values())))
    shown = names if len(names) == count else [f"feature {n}" for n in range(count)]
    axes = new_axes(axes, "", "attribution", (6.4, min(40.0, 1.2 + count * (0.14 + 0.08 * len(maps)))))
    height = 0.8 / len(maps)
    for place, (method, values) in enumerate(maps.items()):
        colours = None if len(maps) > 1 else np.where(values < 0, "#2166ac", "#b2182b").tolist()
        at = np.arange(count) + place * height - 0.4 + height / 2
        axes.barh(at, values, height, label=method, color=colours)
    axes.set_yticks(np.arange(count), shown, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    if len(maps) > 1:
        axes.legend(fontsize=7)
    return axes


def _series(maps: Mapping[str, np.ndarray], sample: np.ndarray | None, axes: Axes | None) -> Axes:
    """Draw a row for each method, in red and blue, below the curves of the sample."""
    length, rows = len(next(iter(maps.values()))), len(maps)
    axes = new_axes(axes, "", "position", (7.2, 1.6 + 0.4 * rows))
    for row, values in enumerate(maps.values()):
        limit = float(np.abs(values).max()) or 1.0
        extent = (-0.5, length - 0.5, row + 1.0, float(row))
        axes.imshow(values[None], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", extent=extent)
    ticks, labels = [row + 0.5 for row in range(rows)], list(maps)
    if sample is not None:
        axes.plot(np.arange(length), -0.2 - 1.6 * in_own_ranges(sample).T, linewidth=0.8)
        ticks, labels = [-1.0, *ticks], ["sample", *labels]
    axes.set_ylim(float(rows), -2.0 if sample is not None else 0.0)
    axes.set_yticks(ticks, labels, fontsize=8)
    return axes


def _without_space(sample: np.ndarray) -> np.ndarray:
    """Return a sample; of a table one number for each feature."""
    raw = np.asarray(sample, np.float64)
    return raw.reshape(-1) if raw[0].size == 1 else raw


def _flat(values: np.ndarray, rank: int) -> np.ndarray:
    """Return the middle slice of a volume, anything else as it is."""
    return values[len(values) // 2] if rank == 3 else values
