"""Ctrl-C, and signals that end a process, as a request to stop at the end of the step."""

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
        """Note the first signal; the second one stops at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into ``Interruption.asked`` while the block runs (in the main thread)."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.handle) for number in _signals()}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signals() -> list[signal.Signals]:
    """Return the signals that stop a training; one that is ignored, as SIGHUP under nohup, stays ignored."""
    known = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    return [number for number in known if number is not None and signal.getsignal(number) != signal.SIG_IGN]
