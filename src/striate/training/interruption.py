"""Ctrl-C, and signals that end a process, as a request to stop at the end of the step."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self.asked = False
        self.signal: int | None = None

    def handle(self, number: int, frame: Any) -> None:
        """Note the first signal; the second one stops at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked, self.signal = True, number


def is_requeue(number: int | None) -> bool:
    """Return whether a batch system has stopped the run and should start it again.

    That is SIGUSR1, which job scripts ask Slurm to send before the time is over, and SIGTERM inside a job of Slurm.
    """
    if number is None:
        return False
    in_job = "SLURM_JOB_ID" in os.environ
    return signal.Signals(number).name in ("SIGUSR1", *(("SIGTERM",) if in_job else ()))


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn Ctrl-C and signals that end a process into ``Interruption.asked`` while the block runs (main thread)."""
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
    known = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")]
    return [number for number in known if number is not None and signal.getsignal(number) != signal.SIG_IGN]
