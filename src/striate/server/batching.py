"""Samples of requests that arrive together are computed together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np


class Batcher:
    """Collects samples while the previous batch is computed; no request waits for more to arrive.

    Parameters
    ----------
    compute : function of [N, *input_shape]
        Returns one row for each sample.
    most : int
        Samples of a batch.
    """

    def __init__(self, compute: Callable[[np.ndarray], np.ndarray], most: int = 64) -> None:
        self._compute, self._most = compute, most
        self._waiting: deque[tuple[np.ndarray, asyncio.Future[np.ndarray]]] = deque()
        self._thread = ThreadPoolExecutor(1, "striate-batches")
        self._task: asyncio.Task[None] | None = None

    async def rows(self, samples: np.ndarray) -> np.ndarray:
        """Return the rows of samples, [n, *input_shape]."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in samples]
        self._waiting.extend(zip(samples, futures, strict=True))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return np.stack(await asyncio.gather(*futures))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            count = min(self._most, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            batch = [(sample, future) for sample, future in batch if not future.done()]
            if not batch:
                continue
            try:
                stacked = np.stack([sample for sample, _ in batch])
                rows = await loop.run_in_executor(self._thread, self._compute, stacked)
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), row in zip(batch, rows, strict=True):
                if not future.done():
                    future.set_result(row)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True)
