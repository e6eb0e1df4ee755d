"""Whether samples are loaded into memory or read during training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate.data.streaming.stream import Stream
from striate.machine import available_memory

AUTO, MEMORY, STREAM = "auto", "memory", "stream"
HOW = (AUTO, MEMORY, STREAM)


def is_streamed(how: str, size: int) -> bool:
    """Return whether to stream samples of ``size`` bytes: if they need over half of the free memory, or if told to.

    Parameters
    ----------
    how : {"auto", "memory", "stream"}
    size : int
    """
    return how == STREAM or (how == AUTO and size > available_memory() // 2)


def describe_streams(inputs: Iterable[Any], how: str) -> tuple[str, ...]:
    """Return a line saying that samples are streamed, and why; nothing if they are not."""
    size = sum(part.nbytes for part in inputs if isinstance(part, Stream))
    if not size:
        return ()
    why = "as asked" if how == STREAM else "more than half of the free memory; --read memory loads them all"
    return (f"read while training: {size / 1e6:,.0f} MB of samples ({why})",)
