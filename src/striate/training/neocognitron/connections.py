"""Connections that are not learnt: how they weaken with distance, the contrast filter, pictures of edges."""

from __future__ import annotations

import numpy as np


def disk(kernel_size: int, sigma: float) -> np.ndarray:
    """Return connections that weaken with distance inside a disk, float64[k, k], which add up to 1.

    ``exp(-d^2 / (2 sigma^2))`` within a distance of about half the window, 0 outside.
    """
    squares = _squares(kernel_size)
    weights = np.exp(-squares / (2 * sigma**2))
    weights[squares > kernel_size**2 / 4 + 0.5] = 0.0
    return np.asarray(weights / weights.sum())


def centre_surround(kernel_size: int, centre: float = 0.7, surround: float = 1.4) -> np.ndarray:
    """Return the difference of two Gaussians, float64[k, k], which adds up to 0: an on-centre cell."""
    squares = _squares(kernel_size)
    inner, outer = (np.exp(-squares / (2 * sigma**2)) for sigma in (centre, surround))
    return np.asarray(inner / inner.sum() - outer / outer.sum())


def edge_picture(angle: float, side: int) -> np.ndarray:
    """Return a straight edge, float64[side, side] from 0 to 1, which is bright towards `angle` (radians)."""
    at = np.arange(side) - (side - 1) / 2
    distance = at[None, :] * np.cos(angle) + at[:, None] * np.sin(angle)
    return np.asarray(np.clip(distance + 0.5, 0.0, 1.0))


def _squares(kernel_size: int) -> np.ndarray:
    at = np.arange(kernel_size) - (kernel_size - 1) / 2
    return np.asarray(at[:, None] ** 2 + at[None, :] ** 2)
