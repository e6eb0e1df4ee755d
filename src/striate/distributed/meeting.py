"""What ranks compare before they train together."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import striate
from striate.errors import UsageError
from striate.machine import default_lanes


@dataclass(frozen=True)
class Notes:
    """What must be the same on every rank.

    Parameters
    ----------
    host : str
    version, numpy : str
        Of striate and NumPy.
    lanes : int
    data : dict or None
        The checksums of the training data.
    problem : str or None
        Why the data could not be read.
    """

    host: str
    version: str
    numpy: str
    lanes: int
    data: dict[str, Any] | None
    problem: str | None = None

    @classmethod
    def of(cls, data: dict[str, Any] | None, problem: str | None = None) -> Notes:
        """Return the notes of this process."""
        return cls(platform.node(), striate.__version__, np.__version__, default_lanes(), data, problem)


def compare(notes: Sequence[Notes]) -> None:
    """Raise UsageError, on every rank the same, unless all can train together."""
    first = notes[0]
    for rank, other in enumerate(notes):
        for differs, text in _RULES:
            if differs(first, other):
                where = f"rank {rank} on {other.host}"
                raise UsageError(f"{where}: {text(first, other)}")


_RULES: list[tuple[Callable[[Notes, Notes], bool], Callable[[Notes, Notes], str]]] = [
    (
        lambda a, b: a.version != b.version,
        lambda a, b: (
            f"all ranks need the same version of striate; got {b.version}, rank 0 has {a.version}. "
            "Install the same everywhere."
        ),
    ),
    (
        lambda a, b: a.numpy != b.numpy,
        lambda a, b: (
            f"all ranks need the same version of NumPy; got {b.numpy}, rank 0 has {a.numpy}. "
            "Install the same everywhere."
        ),
    ),
    (
        lambda a, b: a.lanes != b.lanes,
        lambda a, b: (
            f"all ranks need vectors of the same width; got {b.lanes} lanes, rank 0 has {a.lanes}. "
            f"Set STRIATE_LANES={min(a.lanes, b.lanes)} for all ranks."
        ),
    ),
    (lambda a, b: b.problem is not None, lambda a, b: str(b.problem)),
    (
        lambda a, b: a.data != b.data,
        lambda a, b: (
            "all ranks must train on the same data; the checksum of its samples or targets differs from "
            "that of rank 0. Give all ranks the same files."
        ),
    ),
]
