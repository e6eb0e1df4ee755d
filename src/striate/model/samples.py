"""Raw samples checked and converted for the network of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from striate.data.dataset import readable
from striate.data.streaming import Stream
from striate.errors import ShapeError
from striate.layers.base import format_shape

if TYPE_CHECKING:
    from striate.model.core import Inputs, Model


READABLE = (np.dtype(np.uint8), np.dtype(np.float32))
"""The dtypes of samples that the engine reads as they are."""


def raw_samples(model: Model, x: Inputs | Stream) -> Any:
    """Return contiguous samples, or a stream of them; raises ShapeError if they do not fit the network.

    Parameters
    ----------
    model : Model
    x : uint8 or float [N, *input_shape], path, list of paths or texts, or stream
    """
    if type(x) is np.ndarray and x.dtype in READABLE and x.shape[1:] == model.input_shape and x.flags.c_contiguous:
        return x  # at once: for one small picture the checks take as long as the network
    if isinstance(x, str | Path):
        from striate.model.reading import every_sample

        return every_sample(model, x)
    if _are_names(x):
        from striate.model.reading import read_each

        return read_each(model, list(cast(Sequence[str | Path], x)))
    samples = readable(x, f"{model.network.name}: samples")
    samples = samples if isinstance(samples, Stream) else _channels_first(model, samples)
    if samples.shape[1:] != model.input_shape:
        raise ShapeError(
            f"{model.network.name}: takes samples N x {format_shape(model.input_shape)}; got "
            f"{format_shape(samples.shape)}. {_advice(model, samples.shape)}"
        )
    return samples if isinstance(samples, Stream) else np.ascontiguousarray(samples)


def _are_names(x: Any) -> bool:
    """Return whether ``x`` is a list of paths or texts."""
    flat = isinstance(x, list | tuple) or (isinstance(x, np.ndarray) and x.ndim == 1 and x.dtype.kind in "UO")
    return flat and len(x) > 0 and all(isinstance(item, str | Path) for item in x)


def _advice(model: Model, shape: tuple[int, ...]) -> str:
    """Return what turns an array of such a shape into samples of the model."""
    channels, *space = model.input_shape
    if shape == model.input_shape:
        return "Give one sample as x[None]."
    if space and shape == (*space, channels):
        return "Put the channels first and give one sample as np.moveaxis(x, -1, 0)[None]."
    if space and shape[1:] == (*space, channels):
        return "Put the channels first: np.moveaxis(x, -1, 1)."
    return "Resize or reshape them."


def _channels_first(model: Model, x: np.ndarray) -> np.ndarray:
    """Return samples with channels first, if the model was imported from one with channels last."""
    inputs = (model.metadata.get("origin") or {}).get("inputs") or [{}]
    last = inputs[0].get("layout") == "channels last" and x.ndim == len(model.input_shape) + 1 > 2
    moved = np.moveaxis(x, -1, 1) if last else x
    return moved if x.shape[1:] != model.input_shape == moved.shape[1:] else x
