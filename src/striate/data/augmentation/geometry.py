"""Transforms that move pixels: each is one affine matrix per sample.

A matrix takes the place of a pixel in the result to the place in the source where its value is read, both
as (row, column) from the middle of the image. A signal is an image of one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.augmentation.checks import check_range
from striate.data.augmentation.counter import Draw


@dataclass(frozen=True)
class Geometric:
    """Base of the transforms that move pixels."""

    needs_plane: ClassVar[bool] = False

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return the matrices (float64[N, 3, 3]) for images of ``space`` (rows, columns)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Rotation(Geometric):
    """Turn by an angle drawn from -degrees to degrees, counter-clockwise where positive."""

    degrees: float
    needs_plane: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("rotation", "degrees", self.degrees, 0, 180)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return ``[[cos a, sin a], [-sin a, cos a]]``."""
        angle = np.deg2rad(_between(draw.uniform(1)[:, 0], -self.degrees, self.degrees))
        cos, sin = np.cos(angle), np.sin(angle)
        return _linear(cos, sin, -sin, cos)


@dataclass(frozen=True)
class HorizontalFlip(Geometric):
    """Swap left and right in a share of the samples; the beginning and end of signals."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_range("horizontal_flip", "probability", self.probability, 0, 1)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return ``diag(1, -1)`` or the identity."""
        sign = np.where(draw.uniform(1)[:, 0] < self.probability, -1.0, 1.0)
        return _linear(1.0, 0.0, 0.0, sign)


@dataclass(frozen=True)
class VerticalFlip(Geometric):
    """Swap top and bottom in a share of the samples."""

    probability: float = 0.5
    needs_plane: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("vertical_flip", "probability", self.probability, 0, 1)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return ``diag(-1, 1)`` or the identity."""
        sign = np.where(draw.uniform(1)[:, 0] < self.probability, -1.0, 1.0)
        return _linear(sign, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Shift(Geometric):
    """Move down and right by fractions of the size, drawn from -rows to rows and from -columns to columns."""

    rows: float = 0.1
    columns: float = 0.1

    def __post_init__(self) -> None:
        check_range("shift", "rows", self.rows, 0, 1)
        check_range("shift", "columns", self.columns, 0, 1)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return the translation by minus the shift: what lands here was up and left."""
        share = _between(draw.uniform(2), -1, 1) * (self.rows if space[0] > 1 else 0, self.columns)
        return _translation(-share * space)


@dataclass(frozen=True)
class Crop(Geometric):
    """Cut a window of the same size out of the image with a margin: a shift by whole pixels up to ``padding``."""

    padding: int = 4

    def __post_init__(self) -> None:
        check_range("crop", "padding", self.padding, 0, 10_000)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return the translation by whole pixels, each from -padding to padding equally likely."""
        pixels = np.floor(draw.uniform(2) * (2 * self.padding + 1)) - self.padding
        return _translation(pixels * (space[0] > 1, 1))


@dataclass(frozen=True)
class Zoom(Geometric):
    """Enlarge about the middle by a factor drawn from low to high; below 1 it shrinks."""

    low: float = 0.9
    high: float = 1.1

    def __post_init__(self) -> None:
        check_range("zoom", "low", self.low, 0.01, 100)
        check_range("zoom", "high", self.high, self.low, 100)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return ``diag(1 / factor, 1 / factor)``."""
        scale = 1 / _between(draw.uniform(1)[:, 0], self.low, self.high)
        return _linear(scale, 0.0, 0.0, scale)


@dataclass(frozen=True)
class ResizedCrop(Geometric):
    """Cut out a random window whose sides are a share drawn from ``smallest`` to 1, and enlarge it to full size."""

    smallest: float = 0.7

    def __post_init__(self) -> None:
        check_range("resized_crop", "smallest", self.smallest, 0.01, 1)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return ``diag(share, share)`` with a translation that keeps the window inside."""
        uniform = draw.uniform(3)
        share = _between(uniform[:, 0], self.smallest, 1)
        room = (1 - share)[:, np.newaxis] * (np.asarray(space) - 1) / 2
        return np.asarray(_translation(_between(uniform[:, 1:], -1, 1) * room) @ _linear(share, 0.0, 0.0, share))


@dataclass(frozen=True)
class Shear(Geometric):
    """Slant sideways by an angle drawn from -degrees to degrees; the middle row stays."""

    degrees: float
    needs_plane: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("shear", "degrees", self.degrees, 0, 80)

    def matrix(self, draw: Draw, space: tuple[int, int]) -> np.ndarray:
        """Return ``[[1, 0], [tan a, 1]]``."""
        angle = np.deg2rad(_between(draw.uniform(1)[:, 0], -self.degrees, self.degrees))
        return _linear(1.0, 0.0, np.tan(angle), 1.0)


def _between(uniform: np.ndarray, low: float, high: float) -> np.ndarray:
    return low + (high - low) * uniform


def _linear(
    row_row: np.ndarray | float,
    row_column: np.ndarray | float,
    column_row: np.ndarray | float,
    column_column: np.ndarray | float,
) -> np.ndarray:
    """Return ``[[row_row, row_column, 0], [column_row, column_column, 0], [0, 0, 1]]`` (float64[N, 3, 3])."""
    entries = np.broadcast_arrays(row_row, row_column, 0.0, column_row, column_column, 0.0, 0.0, 0.0, 1.0)
    return np.stack(entries, axis=-1).reshape(-1, 3, 3)


def _translation(by: np.ndarray) -> np.ndarray:
    """Return the matrices that add ``by`` (float64[N, 2])."""
    matrices = np.tile(np.eye(3), (len(by), 1, 1))
    matrices[:, :2, 2] = by
    return matrices
