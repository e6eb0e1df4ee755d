"""Transforms that change values in place.

Amounts are shares of the full range: 255 for bytes, 1 for floating point inputs. Results of bytes stay
between 0 and 255.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.data.augmentation.checks import check_range
from striate.data.augmentation.counter import Draw


@dataclass(frozen=True)
class Valued:
    """Base of the transforms that change values."""

    def change(self, x: np.ndarray, draw: Draw, full: float) -> np.ndarray:
        """Return ``x`` (float32 or float64 [N, C, *space]) changed; ``full`` is the full range."""
        raise NotImplementedError


@dataclass(frozen=True)
class Brightness(Valued):
    """Add a share of the full range drawn from -amount to amount."""

    amount: float = 0.2

    def __post_init__(self) -> None:
        check_range("brightness", "amount", self.amount, 0, 1)

    def change(self, x: np.ndarray, draw: Draw, full: float) -> np.ndarray:
        """Return ``x + offset * full``."""
        return np.asarray(x + _each((2 * draw.uniform(1)[:, 0] - 1) * self.amount * full, x))


@dataclass(frozen=True)
class Contrast(Valued):
    """Stretch the distance from the sample's own mean by a factor drawn from low to high."""

    low: float = 0.8
    high: float = 1.2

    def __post_init__(self) -> None:
        check_range("contrast", "low", self.low, 0, 100)
        check_range("contrast", "high", self.high, self.low, 100)

    def change(self, x: np.ndarray, draw: Draw, full: float) -> np.ndarray:
        """Return ``mean + factor * (x - mean)``."""
        mean = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
        return np.asarray(mean + _each(_factor(draw, self.low, self.high), x) * (x - mean))


@dataclass(frozen=True)
class Scale(Valued):
    """Multiply by a factor drawn from low to high: the amplitude of signals."""

    low: float = 0.8
    high: float = 1.2

    def __post_init__(self) -> None:
        check_range("scale", "low", self.low, 0, 100)
        check_range("scale", "high", self.high, self.low, 100)

    def change(self, x: np.ndarray, draw: Draw, full: float) -> np.ndarray:
        """Return ``factor * x``."""
        return np.asarray(_each(_factor(draw, self.low, self.high), x) * x)


@dataclass(frozen=True)
class Noise(Valued):
    """Add normal noise to every value; its standard deviation is a share of the full range."""

    deviation: float = 0.05

    def __post_init__(self) -> None:
        check_range("noise", "deviation", self.deviation, 0, 10)

    def change(self, x: np.ndarray, draw: Draw, full: float) -> np.ndarray:
        """Return ``x + deviation * full * normal``."""
        return x + self.deviation * full * draw.normal(x[0].size).reshape(x.shape)


@dataclass(frozen=True)
class Cutout(Valued):
    """Fill a square (for signals, an interval) at a random position; it may reach beyond the edge.

    ``side`` is a share of the shorter side, ``fill`` a value of the input.

    References
    ----------
    DeVries and Taylor (2017), "Improved regularization of convolutional neural networks with cutout".
    """

    side: float = 0.3
    fill: float = 0.0

    def __post_init__(self) -> None:
        check_range("cutout", "side", self.side, 0, 1)
        check_range("cutout", "fill", self.fill, -1e6, 1e6)

    def boxes(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return the squares as first row, end row, first column, end column (int64[N, 4])."""
        sides = [size for size in space if size > 1] or [1]
        length = round(self.side * min(sides))
        middle = np.floor(draw.uniform(2) * space).astype(np.int64)
        first = middle - length // 2
        first[:, 0] *= space[0] > 1
        end = first + np.array([length if space[0] > 1 else 1, length])
        corners = [np.clip(edge, 0, space) for edge in (first, end)]
        return np.stack([corners[0][:, 0], corners[1][:, 0], corners[0][:, 1], corners[1][:, 1]], axis=1)

    def change(self, x: np.ndarray, draw: Draw, full: float) -> np.ndarray:
        """Return a copy of ``x`` with the squares filled in all channels."""
        cut = x.copy()
        space = (x.shape[-2] if x.ndim > 3 else 1, x.shape[-1])
        planes = cut.reshape(len(x), -1, *space)
        for plane, (top, bottom, left, right) in zip(planes, self.boxes(draw, space).tolist(), strict=True):
            plane[:, top:bottom, left:right] = self.fill
        return cut


def _factor(draw: Draw, low: float, high: float) -> np.ndarray:
    return low + (high - low) * draw.uniform(1)[:, 0]


def _each(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return one value per sample, of the type of ``x``, in a shape that broadcasts over the sample."""
    return values.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
