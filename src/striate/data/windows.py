"""Recordings and logs that are longer than a model takes: read from their beginning, or in windows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from striate.data.decoding import Reader
from striate.data.problems import BadFile, FileProblem, printable
from striate.errors import DataError, UsageError

MOST_BYTES = 1 << 32


class Unit(NamedTuple):
    """In what the length of a series is told: ``rows`` or ``s``, and how many values one of them has."""

    name: str
    values: float

    def told(self, count: int) -> str:
        """Return a number of values as text, such as ``2.25 s`` or ``412 rows``."""
        return f"{count / self.values:,.4g} {self.name}" if self.name == "s" else f"{count:,} {self.name}"


class SeriesReader(Reader, Protocol):
    """Brings files to series of one length."""

    @property
    def unit(self) -> Unit:
        """In what lengths are told."""

    def whole(self, path: Path) -> np.ndarray:
        """Return all that a file holds, float[C, any length], or raise FileProblem."""

    def fitted(self, values: np.ndarray) -> np.ndarray:
        """Return the beginning of a series in the length of a sample, float32[C, L], or raise FileProblem."""


@dataclass(frozen=True)
class Beginnings:
    """Reads the beginning of each file, and remembers which files go on after it."""

    reader: SeriesReader
    longer: dict[Path, int] = field(default_factory=dict)
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, L)."""
        return self.reader.shape

    @property
    def preparation(self) -> dict[str, Any]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""
        return self.reader.preparation

    def read(self, path: Path) -> np.ndarray:
        """Return the sample of a file, or raise FileProblem."""
        values = self.reader.whole(path)
        if values.shape[1] > self.shape[1]:
            self.longer[path] = values.shape[1]
        return self.reader.fitted(values)

    def notes(self, count: int) -> tuple[str, ...]:
        """Return what to tell about ``count`` files."""
        if not self.longer:
            return ()
        unit, path = self.reader.unit, min(self.longer)
        which = f"{len(self.longer):,} of {count:,} files go on after them ({path.name} first)" if count > 1 else ""
        which = which or f"it has {unit.told(self.longer[path])}"
        step = _advised(unit, self.shape[1])
        return (
            f"read the first {unit.told(self.shape[1])}, as many as the model takes; {which}. To read all, take "
            f"--step {step} (in Python, read(path, step={step})).",
        )


def in_windows(
    paths: Sequence[Path], reader: SeriesReader, step: float
) -> tuple[np.ndarray, list[str], list[BadFile]]:
    """Return windows of the files, one every ``step`` and one at the end, with their names, and unreadable files.

    Parameters
    ----------
    step : float
        In the unit of the reader: seconds of recordings, rows of logs.

    Raises
    ------
    UsageError
        If the step is not positive.
    DataError
        If the windows do not fit into 4 GB.
    """
    unit, length = reader.unit, reader.shape[1]
    stride = round(step * unit.values) if math.isfinite(step) else 0
    if stride < 1:
        raise UsageError(f"step: must be at least {1 / unit.values:.3g} {unit.name}; got {step:g}.")
    samples: list[np.ndarray] = []
    names: list[str] = []
    bad: list[BadFile] = []
    for path in paths:
        try:
            values = reader.whole(path)
            starts = list(_starts(values.shape[1], length, stride))
            needed = (len(samples) + len(starts)) * 4 * reader.shape[0] * length
            if needed > MOST_BYTES:
                raise DataError(
                    f"{printable(path)}: windows may take 4 GB; got {needed / 1e9:,.1f}. Give a larger --step."
                )
            samples += [reader.fitted(values[:, start : start + length]) for start in starts]
            names += [
                f"{printable(path)}, {_place(start, min(start + length, values.shape[1]), unit)}"
                for start in starts
            ]
        except FileProblem as problem:
            bad.append(BadFile(printable(path), str(problem)))
    return np.array(samples, reader.dtype).reshape(-1, *reader.shape), names, bad


def _starts(count: int, length: int, stride: int) -> Iterator[int]:
    """Yield where windows begin, so that they reach the end."""
    last = max(0, count - length)
    yield from range(0, last, stride)
    yield last


def _place(start: int, end: int, unit: Unit) -> str:
    """Return where a window lies: seconds, or rows from 1."""
    if unit.name == "s":
        return f"{start / unit.values:.2f} to {end / unit.values:.2f} s"
    return f"{unit.name} {start + 1} to {end}"


def _advised(unit: Unit, length: int) -> str:
    """Return a step of half a window, rounded."""
    return f"{length / unit.values / 2:.1g}" if unit.name == "s" else str(max(1, length // 2))
