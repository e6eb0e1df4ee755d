"""Many files to one array: decoded on threads, in memory where they fit, else in a file of the cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from striate.data.problems import FileProblem
from striate.machine import available_threads

CHUNK_FILES = 1024  # moved or waiting at a time
FILES_AT_ONCE = 16  # divides CHUNK_FILES
Header = TypeVar("Header")
Progress = Callable[[int, int], None]


class Reader(Protocol):
    """Brings files to arrays of one shape and type."""

    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, *space)."""

    @property
    def preparation(self) -> dict[str, Any]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""

    def read(self, path: Path) -> np.ndarray:
        """Return the sample of a file, or raise FileProblem."""


class Decoded(NamedTuple):
    """The rows of the files that could be read, in order, and the problems of the others by number."""

    rows: Any
    problems: dict[int, FileProblem]


def scan_files(paths: Sequence[Path], scan: Callable[[Path], Header]) -> list[Header]:
    """Return the headers of the files that have one."""

    def attempt(path: Path) -> Header | None:
        try:
            return scan(path)
        except FileProblem:
            return None  # found again, and reported, when the file is decoded

    return [header for header in _map(attempt, paths, None) if header is not None]


def decode_files(
    paths: Sequence[Path], reader: Reader, rows: np.ndarray, progress: Progress | None = None
) -> Decoded:
    """Decode files into ``rows`` ([N, *reader.shape]), those that can be read moved together at its front."""

    def attempt(numbered: tuple[int, Path]) -> FileProblem | None:
        number, path = numbered
        try:
            rows[number] = reader.read(path)
        except FileProblem as problem:
            return problem
        return None

    outcomes = _map(attempt, list(enumerate(paths)), progress)
    problems = {number: problem for number, problem in enumerate(outcomes) if problem is not None}
    kept = np.flatnonzero([problem is None for problem in outcomes])
    if problems:
        for start in range(0, len(kept), CHUNK_FILES):
            source = kept[start : start + CHUNK_FILES]
            rows[start : start + len(source)] = rows[source]
    return Decoded(rows[: len(kept)], problems)


def bytes_needed(count: int, reader: Reader) -> int:
    """Return the bytes that ``count`` samples take."""
    return count * math.prod(reader.shape) * reader.dtype.itemsize


def _map(function: Callable[[Any], Any], items: Sequence[Any], progress: Progress | None) -> list[Any]:
    """Return the results in order; only a bounded number of calls is pending at any time.

    Threads take several files at once: small images decode in less time than a thread takes to be woken. So
    few that one thread would take them all are read here.
    """

    def some(start: int) -> list[Any]:
        return [function(item) for item in items[start : start + FILES_AT_ONCE]]

    if len(items) <= FILES_AT_ONCE and progress is None:
        return some(0)
    results: list[Any] = []
    with ThreadPoolExecutor(available_threads(), thread_name_prefix="striate-decode") as pool:
        for start in range(0, len(items), CHUNK_FILES):
            stop = min(start + CHUNK_FILES, len(items))
            for outcomes in pool.map(some, range(start, stop, FILES_AT_ONCE)):
                results += outcomes
            if progress is not None:
                progress(len(results), len(items))
    return results
