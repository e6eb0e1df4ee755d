"""Inference sessions of one network, lent to one Python thread at a time."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from striate.engine.channels.choice import batch_class, few, pays
from striate.engine.channels.session import ChannelSession
from striate.engine.forks import follow
from striate.engine.inference_session import InferenceSession
from striate.network import Network

MOST = 8  # sessions, in use or kept for later


class SessionPool:
    """Up to eight sessions, by what they were made for; the least recently used one makes room.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._idle: list[tuple[tuple[Any, ...], InferenceSession]] = []  # the last used one last
        self.after_fork()
        follow(self)

    def after_fork(self) -> None:
        """Forget the sessions that threads of the parent process had borrowed."""
        self._lent = self._waiting = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def lend(self, dtype: np.dtype, batch_size: int, threads: int | None, winograd: bool) -> Loan:
        """Lend a session for batches of up to ``batch_size``; waits while eight others are lent."""
        return Loan(self, (np.dtype(dtype), batch_class(batch_size), threads, winograd))

    def give_back(self, key: tuple[Any, ...], session: InferenceSession | None) -> None:
        """End a loan; without a session if none could be made."""
        with self._lock:
            self._lent -= 1
            if session is not None:
                self._idle.append((key, session))
            if self._waiting:
                self._changed.notify()

    def take(self, key: tuple[Any, ...]) -> InferenceSession | None:
        """Reserve a session; returns None if a new one must be made."""
        with self._lock:
            while self._lent >= MOST:
                self._wait()
            self._lent += 1
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == key:
                    return self._idle.pop(place)[1]
            if self._lent + len(self._idle) > MOST:
                self._idle.pop(0)
            return None

    def _wait(self) -> None:
        self._waiting += 1
        try:
            self._changed.wait()
        finally:
            self._waiting -= 1


class Loan:
    """A session for the time of a ``with`` block."""

    __slots__ = ("_key", "_pool", "_session")

    def __init__(self, pool: SessionPool, key: tuple[Any, ...]) -> None:
        self._pool, self._key = pool, key

    def __enter__(self) -> InferenceSession:
        """Return a session that is idle, or a new one."""
        session = self._pool.take(self._key)
        if session is None:
            dtype, size, threads, winograd = self._key
            try:
                session = make_session(self._pool.network, size, dtype, threads, winograd)
            except BaseException:
                self._pool.give_back(self._key, None)
                raise
        self._session = session
        return session

    def __exit__(self, *error: object) -> None:
        """Give the session back."""
        self._pool.give_back(self._key, self._session)


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
