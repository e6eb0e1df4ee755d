"""How long the pictures of a report may take that need gradients."""

from __future__ import annotations

import time

SECONDS = 4.0  # the rest of a report takes about one


class Budget:
    """Time that runs out.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._asked = time.perf_counter()
        self._end = self._asked + seconds

    def is_over(self) -> bool:
        """Return whether a picture that takes as long as what was done since the last call would come too late."""
        now = time.perf_counter()
        took, self._asked = now - self._asked, now
        return now + took >= self._end

    def note(self, shown: int, wanted: int) -> str:
        """Return what to say about pictures that were left out; nothing if all are there."""
        if shown == wanted:
            return ""
        return f"{shown} of {wanted} shown: the pictures of a report may take {self.seconds:g} seconds."
