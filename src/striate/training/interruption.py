"""Ctrl-C as a wish that is granted at the end of the step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def handle(self, number: int, frame: Any) -> None:
        """Note the first Ctrl-C; the second one stops at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn Ctrl-C into ``Interruption.asked`` while the block runs (in the main thread)."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = signal.signal(signal.SIGINT, interruption.handle)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)
