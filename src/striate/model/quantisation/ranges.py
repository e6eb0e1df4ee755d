"""Scales and zero points, from the values of layers on samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from striate.layers.base import Quantisation
from striate.layers.quantised_sums import LARGEST

if TYPE_CHECKING:
    from striate.model.core import Model

KEPT = 4096  # values of a layer that are kept of each sample
SHARES = np.linspace(0.4, 1.0, 31)  # of the whole range, which are tried
LEAST_SCALE = 1e-8


def observe(model: Model, samples: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return values of layers on raw samples, float32[values]: up to 4,096 of each sample, with the extremes.

    Parameters
    ----------
    samples : uint8 or float32 [N, *input_shape]
    names : sequence of str
        Layers; the input is what normalisation makes of the samples.
    """
    from striate.engine.channels.session import ChannelSession

    session = ChannelSession(
        model.network, batch_size=1, dtype=samples.dtype, threads=model.threads, winograd=False, observed=names
    )
    model.prepare(session)
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for number in range(len(samples)):
        session.run(samples, np.array([number]))
        for name in names:
            values = session.value(name).ravel()
            step = -(-len(values) // KEPT)
            kept = values[number % step :: step]
            found[name].append(np.concatenate([kept, [values.min(), values.max()]]).astype(np.float32))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def choose(values: np.ndarray) -> Quantisation:
    """Return scale and zero point with the least mean squared error on ``values`` (float32[N]).

    Parts of the range from the least to the largest value are tried; 0 always has a whole number of its own.

    Examples
    --------
    >>> choose(np.linspace(0.0, 255.0, 256, dtype=np.float32))
    Quantisation(scale=1.0, zero_point=0)
    """
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    return min(
        (_over(share * low, share * high) for share in SHARES[::-1]), key=lambda tried: _error(values, tried)
    )


def _over(low: float, high: float) -> Quantisation:
    scale = max((high - low) / LARGEST, LEAST_SCALE)
    return Quantisation(scale, int(np.clip(np.rint(-low / scale), 0, LARGEST)))


def _error(values: np.ndarray, tried: Quantisation) -> float:
    whole = np.clip(np.rint(values / np.float32(tried.scale)) + tried.zero_point, 0, LARGEST)
    return float(np.square(np.float32(tried.scale) * (whole - tried.zero_point) - values).mean(dtype=np.float64))
