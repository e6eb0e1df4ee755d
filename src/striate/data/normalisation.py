"""Normalisation per channel, learnt from the training split alone and kept with the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DataError, ModelFileError, ShapeError, UsageError

CHUNK_ELEMENTS = 1 << 20
LARGEST, TINY = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Normalisation:
    """``normalised[n, c, ...] = (x[n, c, ...] - mean[c]) / scale[c]``, on raw values (bytes: 0 to 255).

    Parameters
    ----------
    mean, scale : tuple of float
        One number per channel; the kernels hold means and the reciprocals of scales as float32.

    Raises
    ------
    UsageError
        If the lengths differ, or a mean or the reciprocal of a scale is no normal number of float32.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(float(value) for value in self.mean))
        object.__setattr__(self, "scale", tuple(float(value) for value in self.scale))
        if len(self.mean) != len(self.scale) or not self.mean:
            raise UsageError(
                "normalisation: mean and scale need one number per channel; "
                f"got {len(self.mean)} and {len(self.scale)}."
            )
        if not all(abs(mean) <= LARGEST for mean in self.mean):
            raise UsageError(f"normalisation: means must be finite, and below 3.4e38; got {self.mean}.")
        if not all(TINY <= scale <= 1 / TINY for scale in self.scale):
            raise UsageError(f"normalisation: scales must be from 1.2e-38 to 8.5e37; got {self.scale}.")

    @classmethod
    def fit(cls, dataset: Dataset, weights: np.ndarray | None = None) -> Normalisation:
        """Return the mean and the (population) standard deviation of each channel of a data set.

        The set is read in pieces, so a memory-mapped one need not fit into memory. Sums are in
        float64; those of bytes are exact. The mean of other numbers is rounded to float32, in which it will be
        subtracted, so that nothing is lost far from 0. A constant channel gets the scale 1, and so does one
        whose deviation is no normal float32 (below 1.2e-38), because kernels take such numbers for 0.

        Parameters
        ----------
        dataset : Dataset
        weights : float[N], optional
            What each sample counts: 2 as if it were there twice.

        Raises
        ------
        DataError
            If a value is NaN or infinite.
        """
        return cls._fit(dataset.inputs, f"{dataset.name}: inputs", weights)

    @classmethod
    def fit_targets(cls, dataset: Dataset, weights: np.ndarray | None = None) -> Normalisation:
        """Return the mean and the (population) standard deviation of each regression target of a data set.

        Raises
        ------
        DataError
            If a target is NaN or infinite.
        """
        targets = dataset.targets
        values = targets.reshape(len(targets), -1) if targets.ndim == 1 else targets
        return cls._fit(values, f"{dataset.name}: targets", weights)

    @classmethod
    def _fit(cls, values: np.ndarray, what: str, weights: np.ndarray | None) -> Normalisation:
        moments = _byte_moments if values.dtype == np.uint8 else _float_moments
        mean, deviation = moments(values) if weights is None else _weighted_moments(values, weights)
        if not np.isfinite(deviation).all():
            channel = int(np.flatnonzero(~np.isfinite(deviation))[0])
            raise DataError(
                f"{what} must be finite; got NaN or infinity in channel {channel}. "
                "Correct or leave out these samples."
            )
        if moments is _float_moments:
            mean = mean.astype(np.float32)  # subtracting it in float32 is exact for values near it (Sterbenz)
        deviation[deviation < TINY] = 1  # kernels take denormal numbers for 0
        return cls(tuple(mean), tuple(deviation))

    def invert(self, y: np.ndarray) -> np.ndarray:
        """Return the raw values, float32, whose normalised ones are ``y`` ([N, C, *space])."""
        per_channel = (-1,) + (1,) * (y.ndim - 2)
        scale, mean = np.asarray(self.scale).reshape(per_channel), np.asarray(self.mean).reshape(per_channel)
        return np.asarray(y * scale + mean, np.float32)

    def apply(self, x: np.ndarray, dtype: type[np.floating[Any]] = np.float32) -> np.ndarray:
        """Return ``x`` (any type, [N, C, *space]) normalised, in ``dtype``.

        Raises
        ------
        ShapeError
            If the channels are not as many as the means.
        """
        if x.ndim < 2 or x.shape[1] != len(self.mean):
            raise ShapeError(
                f"normalisation: needs inputs of {len(self.mean)} channels, [N, {len(self.mean)}, ...]; "
                f"got shape {list(x.shape)}. Convert the inputs."
            )
        per_channel = (-1,) + (1,) * (x.ndim - 2)
        normalised = x.astype(dtype)
        normalised -= np.asarray(self.mean, dtype).reshape(per_channel)
        normalised /= np.asarray(self.scale, dtype).reshape(per_channel)
        return normalised

    def to_dict(self) -> dict[str, list[float]]:
        """Return the numbers as a dictionary that JSON can hold without loss."""
        return {"mean": list(self.mean), "scale": list(self.scale)}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Normalisation:
        """Return the normalisation that `to_dict` described.

        Raises
        ------
        ModelFileError
            If the description is not one.
        """
        try:
            return cls(tuple(description["mean"]), tuple(description["scale"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"normalisation: needs lists of numbers 'mean' and 'scale'; got {str(description)[:80]!r}. "
                "The file is damaged or not striate's."
            ) from error


def _chunks(inputs: np.ndarray) -> Iterator[np.ndarray]:
    """Yield pieces of about a million elements as [n, C, positions]."""
    per_sample = max(1, math.prod(inputs.shape[1:]))
    step = max(1, CHUNK_ELEMENTS // per_sample)
    for start in range(0, len(inputs), step):
        piece = inputs[start : start + step]
        yield np.asarray(piece).reshape(len(piece), inputs.shape[1], -1)


def _byte_moments(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation per channel (float64[C]) from the counts of the 256 values."""
    counts = np.zeros((inputs.shape[1], 256), np.int64)
    for chunk in _chunks(inputs):
        for channel in range(len(counts)):
            counts[channel] += np.bincount(chunk[:, channel].ravel(), minlength=256)
    values = np.arange(256.0)
    total = counts.sum(axis=1)
    mean = counts @ values / total
    variance = (counts * (values - mean[:, np.newaxis]) ** 2).sum(axis=1) / total
    return mean, np.sqrt(variance)


def _float_moments(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation per channel (float64[C]) in two passes; NaN where a value is not finite."""
    total = len(inputs) * math.prod(inputs.shape[2:])
    with np.errstate(invalid="ignore", over="ignore"):
        mean = sum(chunk.sum(axis=(0, 2), dtype=np.float64) for chunk in _chunks(inputs)) / total
        centre = mean[:, np.newaxis]
        squares = sum(np.square(chunk - centre).sum(axis=(0, 2)) for chunk in _chunks(inputs))
    return np.asarray(mean), np.sqrt(np.asarray(squares) / total)


def _weighted_moments(inputs: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation per channel (float64[C]) of weighted samples."""
    total = weights.sum(dtype=np.float64) * math.prod(inputs.shape[2:])

    def summed(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        sums, start = np.zeros(inputs.shape[1]), 0
        for chunk in _chunks(inputs):
            counts = weights[start : start + len(chunk)].astype(np.float64)
            sums += np.einsum("n,ncp->c", counts, of(chunk.astype(np.float64)))
            start += len(chunk)
        return np.asarray(sums / total)

    with np.errstate(invalid="ignore", over="ignore"):
        mean = summed(lambda chunk: chunk)
        return mean, np.sqrt(summed(lambda chunk: np.square(chunk - mean[:, np.newaxis])))
