"""A time limit for a report; pictures that need gradients are drawn in what is left of it."""

from __future__ import annotations

import time

SECONDS = 4.5  # the last picture and the page itself take up to half a second more


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

    def begin(self) -> None:
        """Take what follows for the first step."""
        self._asked = time.perf_counter()

    def is_over(self) -> bool:
        """Return whether another step as long as the one since the last call would exceed the limit."""
        now = time.perf_counter()
        took, self._asked = now - self._asked, now
        return now + took >= self._end

    def note(self, shown: int, wanted: int) -> str:
        """Return a note about pictures that were left out; empty if all are there."""
        if shown == wanted:
            return ""
        return f"{shown} of {wanted} shown: a report may take {self.seconds:g} seconds."
