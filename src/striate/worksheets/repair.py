"""Lost pixels of a picture, replaced by normalised convolution: a weighted mean of the known pixels around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.checks import integer
from striate.drawing.notebook import Readable
from striate.errors import ShapeError, UsageError
from striate.numbers import format_number

ALPHA, BETA = 3.0, 2.0  # how fast weights fall near the middle, and towards the rim
TERMS = 8  # of a pixel's mean that are written out


@dataclass(frozen=True, eq=False)
class RepairedPixel:
    """The mean that replaced a lost pixel; ``print`` it to see its largest terms.

    Parameters
    ----------
    row, column : int
    values : float64[C]
        Of the pixel, for each channel.
    places : int64[n, 2]
        Row and column of the known pixels around it, that of the largest weight first.
    weights : float64[n]
        Their weights, which sum to 1.
    known : float64[n, C]
        Their values.
    """

    row: int
    column: int
    values: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    known: np.ndarray

    def __str__(self) -> str:
        count = len(self.weights)
        lines = [
            f"pixel {self.row}, {self.column} is the weighted mean of {count} known pixels: {_numbers(self.values)}"
        ]
        for (row, column), weight, value in list(zip(self.places, self.weights, self.known, strict=True))[:TERMS]:
            lines.append(f"  {weight:.4f} * {_numbers(value)}  (pixel {row}, {column})")
        if count > TERMS:
            lines.append(f"  and {count - TERMS} more with a weight of {self.weights[TERMS:].sum():.4f} in total")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Repaired(Readable):
    """A picture without lost pixels.

    Parameters
    ----------
    values : float64[rows, columns] or [C, rows, columns]
        The picture; known pixels are as they were.
    lost : bool[rows, columns]
        Which pixels were replaced.
    weights : float64[2 radius + 1, 2 radius + 1]
        What a pixel counts by its place around a lost one; the middle counts nothing.
    """

    values: np.ndarray
    lost: np.ndarray
    weights: np.ndarray

    def why(self, row: int, column: int) -> RepairedPixel:
        """Return the terms of one replaced pixel.

        Raises
        ------
        UsageError
            If there is no such pixel, or it was not lost.
        """
        row, column = (
            integer(at, name, 0, size - 1)
            for at, name, size in zip((row, column), ("row", "column"), self.lost.shape, strict=True)
        )
        if not self.lost[row, column]:
            raise UsageError(f"repair: pixel {row}, {column} was not lost. Choose one that was.")
        radius = len(self.weights) // 2
        places = np.argwhere(self.weights > 0) - radius + (row, column)
        inside = ((places >= 0) & (places < self.lost.shape)).all(axis=1)
        places = places[inside]
        places = places[~self.lost[tuple(places.T)]]
        weights = self.weights[tuple((places - (row, column) + radius).T)]
        order = np.argsort(-weights, kind="stable")
        places, weights = places[order], weights[order] / weights.sum()
        picture = self.values if self.values.ndim == 3 else self.values[None]
        known = picture[:, places[:, 0], places[:, 1]].T
        return RepairedPixel(row, column, picture[:, row, column], places, weights, known)

    def __str__(self) -> str:
        count, radius = int(self.lost.sum()), len(self.weights) // 2
        size = " x ".join(map(str, self.lost.shape))
        return (
            f"{count:,} of {self.lost.size:,} pixels of {size} replaced by the mean of those known within {radius} "
            f"pixel{'s' * (radius > 1)}"
        )


def repair(picture: Any, lost: Any = None, radius: int | None = None) -> Repaired:
    """Replace lost pixels of a picture by normalised convolution.

    ``out[y, x] = sum over i, j of a[i, j] c[y+i, x+j] in[y+i, x+j] / sum over i, j of a[i, j] c[y+i, x+j]``, where
    c is 1 for a known pixel and 0 for a lost one, and ``a = r^-3 cos^2(pi r / (2 (1.414 radius + 1)))`` falls with
    the distance r. Both sums are convolutions; where nothing is lost, the second is a constant.

    Parameters
    ----------
    picture : array [rows, columns] or [C, rows, columns]
    lost : bool[rows, columns], optional
        Which pixels are lost; by default those that are NaN in some channel.
    radius : int, optional
        How far known pixels count. By default twice the distance that a lost pixel has at most to the nearest known
        one, and at least 3.

    Raises
    ------
    ShapeError
        If the picture has another shape, or the lost pixels have another size than the picture.
    UsageError
        If no pixel is lost, all are, or one has no known pixel within the radius.

    References
    ----------
    Knutsson and Westin (1993), "Normalized and differential convolution", sections 2 and 4.

    Examples
    --------
    >>> found = repair([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0], [1.0, 2.0, 3.0]], radius=1)
    >>> round(float(found.values[1, 1]), 6)
    2.0
    """
    values = np.array(picture, np.float64)
    if values.ndim not in (2, 3) or not values.size:
        raise ShapeError(
            f"repair: the picture must be rows x columns, or channels x rows x columns; got {values.ndim} axes. "
            "Reshape it."
        )
    channels = values if values.ndim == 3 else values[None]
    gone = _lost(channels, lost)
    distance = _largest_distance(gone)
    reach = max(3, 2 * distance) if radius is None else integer(radius, "radius")
    if reach < distance:
        raise UsageError(
            f"repair: every lost pixel needs a known one within the radius; got {reach}, and one at {distance} "
            f"pixels. Use a radius of at least {distance}."
        )
    weights = applicability(reach)
    rows, columns = np.nonzero(gone)
    room = np.pad(np.where(gone, 0.0, channels), ((0, 0), (reach, reach), (reach, reach)))
    certain = np.pad((~gone).astype(np.float64), reach)
    channels[:, rows, columns] = _means(room, certain, weights, rows, columns)
    return Repaired(values, gone, weights)


def applicability(radius: int) -> np.ndarray:
    """Return the weights of pixels around a lost one, float64[2 radius + 1, 2 radius + 1]; the middle has none.

    Examples
    --------
    >>> applicability(1).round(3)
    array([[0.13 , 0.633, 0.13 ],
           [0.633, 0.   , 0.633],
           [0.13 , 0.633, 0.13 ]])
    """
    steps = np.arange(-radius, radius + 1)
    r = np.hypot(steps[:, None], steps)
    r[radius, radius] = 1.0
    weights = r**-ALPHA * np.cos(np.pi * r / (2 * (np.sqrt(2) * radius + 1))) ** BETA
    weights[radius, radius] = 0.0
    return np.asarray(weights)


def _lost(channels: np.ndarray, lost: Any) -> np.ndarray:
    """Return which pixels are lost, bool[rows, columns]."""
    size = channels.shape[1:]
    gone = np.asarray(np.isnan(channels).any(axis=0) if lost is None else lost, bool)
    if gone.shape != size:
        raise ShapeError(
            f"repair: lost must be {size[0]} x {size[1]} as the picture; got {' x '.join(map(str, gone.shape))}. "
            "Give one value for each pixel."
        )
    if gone.all() or not gone.any():
        count = "all" if gone.all() else "none"
        raise UsageError(
            f"repair: some pixels must be lost, and some known; got {count} lost. Check what marks them."
        )
    if not np.isfinite(channels[:, ~gone]).all():
        raise UsageError("repair: known pixels must be finite; got NaN or infinity. Mark those as lost too.")
    return gone


def _largest_distance(gone: np.ndarray) -> int:
    """Return how far the innermost lost pixel is from a known one, in rows or columns, whichever is more."""
    distance, left = 0, gone
    while left.any():
        padded = np.pad(left, 1, constant_values=True)
        rows = padded[:-2] & padded[1:-1] & padded[2:]
        left = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
        distance += 1
    return distance


def _means(
    room: np.ndarray, certain: np.ndarray, weights: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return the weighted means around some pixels, float64[C, n]; ``room`` is 0 where ``certain`` is."""
    sums, total = np.zeros((len(room), len(rows))), np.zeros(len(rows))
    for (i, j), weight in np.ndenumerate(weights):
        sums += weight * room[:, rows + i, columns + j]
        total += weight * certain[rows + i, columns + j]
    return np.asarray(sums / total)


def _numbers(values: np.ndarray) -> str:
    text = ", ".join(map(format_number, values))
    return text if len(values) == 1 else f"({text})"
