"""A time limit for the pictures of a report that need gradients."""

from __future__ import annotations

import time

SECONDS = 4.0  # the rest of a report takes about one


class Budget:
    """A time limit.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._asked = time.perf_counter()
        self._end = self._asked + seconds

    def is_over(self) -> bool:
        """Return whether another step as long as the one since the last call would exceed the limit."""
        now = time.perf_counter()
        took, self._asked = now - self._asked, now
        return now + took >= self._end

    def note(self, shown: int, wanted: int) -> str:
        """Return a note about pictures that were left out; empty if all are there."""
        if shown == wanted:
            return ""
        return f"{shown} of {wanted} shown: the pictures of a report may take {self.seconds:g} seconds."
