"""Samples of an object with ``__getitem__``, such as a PyTorch Dataset."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.data.streaming.stream import Stream
from striate.errors import DataError

Sample = Callable[[Any, str], np.ndarray]


class ObjectStream(Stream):
    """Samples of an object, requested one at a time because not every object is thread-safe.

    Parameters
    ----------
    source : object
        With ``__len__`` and ``__getitem__``.
    sample : function of (item, where)
        Returns the sample of an item, [C, *space], of the same shape and type for all.
    name : str
        What messages call the set.
    """

    parallel = False

    def __init__(self, source: Any, sample: Sample, name: str) -> None:
        self.source, self.sample, self.name = source, sample, name
        self._lock = threading.Lock()
        where = f"{name}: sample 0"
        first = sample(item_at(source, 0, where), where)
        super().__init__(len(source), first.shape, first.dtype)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the samples at ``rows``; raises DataError if one differs from the first in shape."""
        room = np.empty((len(rows), *self.sample_shape), self.dtype)
        with self._lock:
            for place, row in enumerate(rows.tolist()):
                where = f"{self.name}: sample {row}"
                found = self.sample(item_at(self.source, row, where), where)
                if found.shape != self.sample_shape:
                    raise DataError(
                        f"{self.name}: samples must have one shape; sample {row} is {list(found.shape)}, the first "
                        f"is {list(self.sample_shape)}. Resize or pad them."
                    )
                room[place] = found
        return room

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()


def item_at(source: Any, number: int, where: str) -> Any:
    """Return ``source[number]``; if its own code raises an error, a note says for which sample."""
    try:
        return source[number]
    except Exception as error:
        error.add_note(where)
        raise
