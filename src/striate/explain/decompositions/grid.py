"""Where the taps of a window lie in the input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.explain.decompositions.terms import OUTSIDE
from striate.layers.base import Shape, Window
from striate.reference.padding import NUMPY_MODES


def padded_positions(n: int, before: int, length: int, mode: str = "zeros") -> np.ndarray:
    """Return which of ``n`` positions stands at each of ``length`` places of a padded axis, int64[length].

    Parameters
    ----------
    n : int
    before : int
        Places before position 0; negative where the axis is cropped.
    length : int
    mode : {"zeros", "replicate", "reflect", "circular"}
        With "zeros", places beyond the edge are -1.

    Examples
    --------
    >>> padded_positions(3, 2, 7, "reflect").tolist()
    [2, 1, 0, 1, 2, 1, 0]
    >>> padded_positions(3, 1, 5).tolist()
    [-1, 0, 1, 2, -1]
    """
    places = np.arange(length) - before
    if mode == "zeros":
        return np.where((places >= 0) & (places < n), places, OUTSIDE)
    after = length - before - n
    return np.pad(np.arange(n), (before, max(after, 0)), mode=NUMPY_MODES[mode])[:length]


def window_positions(
    window: Window, space: Shape, position: Sequence[int], mode: str = "zeros"
) -> list[np.ndarray]:
    """Return, for each axis, the input position of every tap of the window at ``position``; -1 beyond the edge."""
    found = []
    geometry = zip(space, position, window.kernel, window.stride, window.dilation, window.padding, strict=True)
    for n, p, k, s, d, (before, after) in geometry:
        taps = p * s + np.arange(k) * d
        length = max(int(taps[-1]) + 1, before + n + after)
        found.append(padded_positions(n, before, length, mode)[taps])
    return found


def joint_places(axes: Sequence[np.ndarray], space: Shape, channels: np.ndarray | Sequence[int]) -> np.ndarray:
    """Return int64[channels, *taps]: the place of every tap in (C, *space), -1 beyond the edge."""
    channels = np.asarray(channels, np.int64)
    place = channels.reshape(-1, *(1,) * len(axes)).copy()
    outside = np.zeros((1,) * place.ndim, bool)
    for number, (positions, n) in enumerate(zip(axes, space, strict=True)):
        along = positions.reshape(-1, *(1,) * (len(axes) - number - 1))
        place = place * n + along
        outside = outside | (along == OUTSIDE)
    return np.where(outside, OUTSIDE, place)
