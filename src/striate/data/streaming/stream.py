"""The interface of streams: an array of samples whose rows are read on demand."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np


class Stream(ABC):
    """Samples that are read on demand, for data sets that do not fit into memory.

    It has the shape, type and length of an array, and indexing it returns arrays in memory. What is read does not
    depend on the order, so any number of readers gives the same bits.

    Parameters
    ----------
    count : int
        Samples of the source.
    sample_shape : tuple of int
        (C, *space).
    dtype : dtype
        uint8 or float32.
    """

    parallel = True
    """Whether several threads may read at once."""

    def __init__(self, count: int, sample_shape: tuple[int, ...], dtype: Any) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.sample_shape = tuple(sample_shape)
        self.rows: np.ndarray | range = range(count)

    @abstractmethod
    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the samples at ``rows`` (int64[n]) of the source, [n, *sample_shape] in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of samples, and the shape of one."""
        return (len(self.rows), *self.sample_shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return 1 + len(self.sample_shape)

    @property
    def nbytes(self) -> int:
        """The bytes that all samples would take in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def take(self, index: np.ndarray) -> Self:
        """Return the samples at ``index`` (int64[n]) as a stream; nothing is read."""
        part = copy.copy(self)
        part.rows = np.asarray(self.rows)[np.asarray(index)]
        return part

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        rows = np.atleast_1d(np.asarray(self.rows[key] if isinstance(key, slice) else np.asarray(self.rows)[key]))
        found = self.read(rows)
        return found if isinstance(key, slice) or np.ndim(key) else found[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[number] for number in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self):,} samples of {' x '.join(map(str, self.sample_shape))}>"
