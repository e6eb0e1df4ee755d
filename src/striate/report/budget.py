"""How long the pictures of a report may take."""

from __future__ import annotations

import time

SECONDS = 5.0


class Budget:
    """Time that runs out.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._end = time.perf_counter() + seconds

    @property
    def over(self) -> bool:
        """Whether the time is used up."""
        return time.perf_counter() >= self._end

    def note(self, shown: int, wanted: int) -> str:
        """Return what to say about pictures that were left out; nothing if all are there."""
        if shown == wanted:
            return ""
        return f"{shown} of {wanted} shown: the pictures of a report may take {self.seconds:g} seconds."
