"""Attribution by regions: what a layer's maps add, and what a covered patch takes away."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.explain.attribution.scores import Score
from striate.layers.arguments import integer
from striate.layers.shape import InputLayer
from striate.network import Network

MOST_WINDOWS = 64


def grad_cam(score: Score, *, layer: str | None = None) -> np.ndarray:
    """Return where the maps of a layer speak for the class, float64[*space of the input], at least 0.

    ``relu(sum over c of (mean over p of d score / d A[c, p]) * A[c])``, interpolated to the input's size.

    Parameters
    ----------
    score : Score
    layer : str, optional
        A layer with space; the last one that has some by default.

    Raises
    ------
    UsageError
        If the network, or the layer, has no feature maps.

    References
    ----------
    Selvaraju et al. (2017), "Grad-CAM: visual explanations from deep networks", section 3.
    """
    network = score.model.network
    name = last_map(network) if layer is None else layer
    step = network.step(name)
    if len(step.shape) < 2 or len(step.shape) != len(network.input_shape):
        raise UsageError(
            f"{name}: Grad-CAM needs a layer with feature maps; got {' x '.join(map(str, step.shape))}. "
            f"Choose one of {', '.join(maps(network)) or 'another network'}."
        )
    run = score.run(score.raw[None])
    slopes = score.gradients(run, at=name)[0]
    weights = slopes.mean(axis=tuple(range(1, slopes.ndim)))
    found = np.maximum(np.tensordot(weights, run.values[name][0], axes=1), 0.0)
    return interpolated(found, network.input_shape[1:])


def maps(network: Network) -> list[str]:
    """Return the names of the layers that have feature maps over the input's space."""
    rank = len(network.input_shape)
    return [
        step.name
        for step in network.steps
        if rank > 1 and len(step.shape) == rank and not isinstance(step.layer, InputLayer)
    ]


def last_map(network: Network) -> str:
    """Return the name of the last layer with feature maps of more than one position; raises UsageError."""
    named = [name for name in maps(network) if max(network.step(name).shape[1:]) > 1]
    if not named:
        raise UsageError(
            f"{network.name}: Grad-CAM needs a network with feature maps; this one has none. "
            "Use the gradient, integrated gradients or occlusion."
        )
    return named[-1]


def interpolated(values: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """Return a map of any size interpolated linearly to ``space``, cell centres on cell centres."""
    for axis, (n, m) in enumerate(zip(values.shape, space, strict=True)):
        places = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
        low = np.minimum(places.astype(int), max(n - 2, 0))
        share = (places - low).reshape(-1, *(1,) * (values.ndim - 1 - axis))
        above = np.take(values, np.minimum(low + 1, n - 1), axis=axis)
        values = np.take(values, low, axis=axis) * (1 - share) + above * share
    return values


def occlusion(score: Score, *, size: int | None = None, stride: int | None = None) -> np.ndarray:
    """Return by how much the score falls when a patch is covered, float64[*space of the input].

    The patch slides over the picture and puts the baseline in its place in all channels; every position
    gets the mean over the patches that cover it.

    Parameters
    ----------
    score : Score
    size : int, optional
        Side of the patch; about a fifth of the shortest side by default.
    stride : int, optional
        From one patch to the next; by default so that about 60 patches are tried.

    Raises
    ------
    UsageError
        If the patch is larger than the picture, or the stride larger than the patch.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 4.2.
    """
    features = score.raw[0].size == 1  # of a table: no space to slide over
    space = score.raw.shape[:1] if features else score.raw.shape[1:]
    usual = 1 if features or score.words else max(1, min(space) // 5 + 1)
    size = usual if size is None else integer(size, "size")
    if size > min(space):
        raise UsageError(
            f"size: the patch must fit into {' x '.join(map(str, space))}; got {size}. Use a smaller patch."
        )
    stride = _stride(space, size) if stride is None else integer(stride, "stride")
    if stride > size:
        raise UsageError(f"stride: must be at most the patch's size, {size}, to leave no gap; got {stride}.")
    corners = list(itertools.product(*(_starts(n, size, stride) for n in space)))
    patches = [tuple(slice(at, at + size) for at in corner) for corner in corners]
    covers: list[Any] = [(*patch, ...) if features else (..., *patch) for patch in patches]
    drops, counts = np.zeros(space), np.zeros(space)
    whole = float(score.ends[0, score.target])
    for first in range(0, len(covers), MOST_WINDOWS):
        part, places = covers[first : first + MOST_WINDOWS], patches[first : first + MOST_WINDOWS]
        batch = np.repeat(score.raw[None], len(part), axis=0)
        for covered, cover in zip(batch, part, strict=True):
            covered[cover] = score.baseline[cover]
        for place, value in zip(places, score.scores(batch), strict=True):
            drops[place] += whole - value
            counts[place] += 1
    return drops / counts


def _stride(space: Sequence[int], size: int) -> int:
    return next(
        (s for s in range(1, size) if np.prod([len(_starts(n, size, s)) for n in space]) <= MOST_WINDOWS), size
    )


def _starts(n: int, size: int, stride: int) -> list[int]:
    """Return where patches begin along an axis, the last one at the edge."""
    return sorted({*range(0, n - size + 1, stride), n - size})
