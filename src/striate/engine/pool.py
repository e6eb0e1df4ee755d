"""Inference sessions of one network, lent to one Python thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from striate.engine.channels.choice import batch_class, few, pays
from striate.engine.channels.session import ChannelSession
from striate.engine.forks import follow
from striate.engine.inference_session import InferenceSession
from striate.network import Network

MOST = 8  # sessions, in use or kept for later


class SessionPool:
    """Up to eight sessions, kept by what they were made for; the one not used for longest makes room.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._idle: list[tuple[tuple[Any, ...], InferenceSession]] = []  # the last used one last
        self._lent = 0
        self._changed = threading.Condition()
        follow(self)

    def after_fork(self) -> None:
        """Forget the sessions that threads of the parent process had borrowed."""
        self._lent = 0
        self._changed = threading.Condition()

    @contextmanager
    def lend(
        self, dtype: np.dtype, batch_size: int, threads: int | None, winograd: bool
    ) -> Iterator[InferenceSession]:
        """Lend a session for batches of up to ``batch_size``; waits while eight others are lent."""
        key = (np.dtype(dtype), batch_class(batch_size), threads, winograd)
        session = self._take(key)
        try:
            if session is None:
                session = make_session(self.network, key[1], key[0], threads, winograd)
            yield session
        finally:
            with self._changed:
                self._lent -= 1
                if session is not None:
                    self._idle.append((key, session))
                self._changed.notify()

    def _take(self, key: tuple[Any, ...]) -> InferenceSession | None:
        """Reserve a session; returns None where a new one must be made."""
        with self._changed:
            self._changed.wait_for(lambda: self._lent < MOST)
            self._lent += 1
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == key:
                    return self._idle.pop(place)[1]
            if self._lent + len(self._idle) > MOST:
                self._idle.pop(0)
            return None


def make_session(
    network: Network, batch_size: int, dtype: np.dtype, threads: int | None, winograd: bool
) -> InferenceSession:
    """Return a new session of the faster layout; whole numbers have kernels in one alone."""
    options: dict[str, Any] = {"batch_size": batch_size, "dtype": dtype, "threads": threads, "winograd": winograd}
    if network.is_quantised or few(batch_size):
        session = ChannelSession(network, **options)
        if network.is_quantised or pays(network, batch_size, session.products):
            return session
    return InferenceSession(network, **options)
