"""Whether samples are read into memory or while the training goes on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate.data.streaming.stream import Stream
from striate.machine import available_memory

AUTO, MEMORY, STREAM = "auto", "memory", "stream"
HOW = (AUTO, MEMORY, STREAM)


def is_streamed(how: str, size: int) -> bool:
    """Return whether samples of ``size`` bytes are streamed: if they need half of the free memory, or on demand.

    Parameters
    ----------
    how : {"auto", "memory", "stream"}
    size : int
    """
    return how == STREAM or (how == AUTO and size > available_memory() // 2)


def describe_streams(inputs: Iterable[Any], how: str) -> tuple[str, ...]:
    """Return a line that says that samples are streamed, and why; nothing if none are."""
    size = sum(part.nbytes for part in inputs if isinstance(part, Stream))
    if not size:
        return ()
    why = "as asked" if how == STREAM else "more than half of the free memory; --read memory loads them all"
    return (f"read while training: {size / 1e6:,.0f} MB of samples ({why})",)
