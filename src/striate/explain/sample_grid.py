"""Samples and predictions as a grid of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.mosaic import draw_mosaic
from striate.errors import UsageError
from striate.explain.features.patches import patch_picture
from striate.layers.arguments import integer
from striate.losses import is_labelled
from striate.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIGHT, WRONG = "#1a1a1a", "#c2570c"


def draw_samples(data: Dataset, count: int = 25, *, seed: int | None = None, axes: Axes | None = None) -> Axes:
    """Draw samples of a data set with their classes or numbers.

    Parameters
    ----------
    data : Dataset
        Of pictures or volumes, of which the middle slice is shown.
    count : int
    seed : int, optional
        Draw random samples; by default, samples evenly spread over the data, which are often sorted by class.
    axes : Axes, optional

    Raises
    ------
    UsageError
        If the samples are no pictures, or ``count`` is below 1.
    """
    rows = _rows(data, count, seed)
    names = [_name(data, data.targets[row]) for row in rows]
    title = f"{len(rows)} of {len(data):,} samples"
    return draw_mosaic(_pictures(data, rows), names, axes, title=title, columns=_columns(len(rows)))


def draw_predictions(
    model: Model,
    data: Dataset,
    count: int = 25,
    *,
    seed: int | None = None,
    mistakes: bool = False,
    axes: Axes | None = None,
) -> Axes:
    """Draw samples with the predicted class and its probability; wrong ones in orange, with the true class.

    Parameters
    ----------
    model : Model
        Of classes.
    data : Dataset
    count : int
    seed : int, optional
        Draw random samples; by default, samples evenly spread over the data, which are often sorted by class.
    mistakes : bool
        Show only samples that the model gets wrong, the most confident first.
    axes : Axes, optional

    Raises
    ------
    UsageError
        If the samples are no pictures with classes, or ``count`` is below 1.
    """
    if not is_labelled(data.targets) or not model.classes or len(model.network.output_shape) > 1:
        raise UsageError(
            f"{model.network.name}: needs a model that gives every sample one class, and samples with classes. "
            "Use striate evaluate for others."
        )
    shares = model.predict_proba(data.inputs)
    chosen, sure = shares.argmax(axis=1), shares.max(axis=1)
    wrong = chosen != data.targets
    if mistakes:
        known = np.flatnonzero(wrong)
        rows = known[np.argsort(-sure[known], kind="stable")][: integer(count, "count")]
    else:
        rows = _rows(data, count, seed)
    title = f"{int((~wrong).sum()):,} of {len(data):,} right; orange is wrong, with the true class in brackets"
    if not len(rows):
        raise UsageError(f"{model.network.name}: makes no mistakes on these samples. Draw all of them instead.")
    names = [
        f"{model.classes[chosen[row]]} {100 * sure[row]:.0f} %"
        + (f" ({model.classes[data.targets[row]]})" if wrong[row] else "")
        for row in rows
    ]
    axes = draw_mosaic(_pictures(data, rows), names, axes, title=title, columns=_columns(len(rows)))
    for text, row in zip(axes.texts, rows, strict=False):
        text.set_color(WRONG if wrong[row] else RIGHT)
    return axes


def _rows(data: Dataset, count: int, seed: int | None) -> np.ndarray:
    wanted = min(integer(count, "count"), len(data))
    if seed is None:
        return np.arange(wanted) * len(data) // wanted
    return np.random.default_rng(seed).permutation(len(data))[:wanted]


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count)))


def _name(data: Dataset, target: np.ndarray) -> str:
    if is_labelled(data.targets) and data.classes:
        return str(data.classes[int(target)])
    return ", ".join(f"{number:.4g}" for number in np.ravel(target)[:3])


def _pictures(data: Dataset, rows: np.ndarray) -> list[np.ndarray]:
    inputs = np.asarray(data.inputs[np.sort(rows)], np.float64)[np.argsort(np.argsort(rows))]
    if inputs.ndim < 4:
        shape = " x ".join(map(str, inputs.shape[1:]))
        raise UsageError(f"samples: only pictures are drawn as a grid; got samples of {shape}.")
    low, high = float(inputs.min()), float(inputs.max())
    return [patch_picture((one - low) / ((high - low) or 1.0)) for one in inputs]
