"""Read parts of a stream ahead of time, on threads, into a bounded buffer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np

from striate.data.streaming.stream import Stream
from striate.machine import available_threads

BUFFER_BYTES = 1 << 28  # of parts that are read and not used yet, unless two parts take more
MOST_AHEAD = 16  # parts


def prefetch(stream: Stream, parts: Iterable[np.ndarray], readers: int | None = None) -> Iterator[np.ndarray]:
    """Yield the samples of each part, in order.

    Parameters
    ----------
    stream : Stream
    parts : iterable of int64[n]
        Which samples.
    readers : int, optional
        Threads that read; changes the speed alone.
    """
    readers = (readers or available_threads()) if stream.parallel else 1
    remaining = iter(parts)
    waiting: deque[Future[np.ndarray]] = deque()
    pool = ThreadPoolExecutor(readers, thread_name_prefix="striate-read")
    try:
        for part in islice(remaining, 1):
            waiting.append(pool.submit(stream.__getitem__, part))
            ahead = _parts_ahead(stream, len(part))
            waiting.extend(pool.submit(stream.__getitem__, more) for more in islice(remaining, ahead))
        while waiting:
            found = waiting.popleft().result()
            waiting.extend(pool.submit(stream.__getitem__, more) for more in islice(remaining, 1))
            yield found
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def blocks(
    inputs: np.ndarray | Stream, parts: Sequence[np.ndarray], readers: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (part, block, places) for each part: its samples are ``block[places]``, in memory.

    The block is the whole array where the samples are in memory, and the part alone where they are streamed.

    Parameters
    ----------
    inputs : array [N, C, *space] or Stream
    parts : sequence of int64[n]
    readers : int, optional
        Threads that read.
    """
    if not isinstance(inputs, Stream):
        yield from ((part, inputs, part) for part in parts)
        return
    for part, block in zip(parts, prefetch(inputs, parts, readers), strict=True):
        yield part, block, np.arange(len(part))


def _parts_ahead(stream: Stream, count: int) -> int:
    size = max(1, count * math.prod(stream.sample_shape) * stream.dtype.itemsize)
    return max(1, min(MOST_AHEAD, BUFFER_BYTES // size))
