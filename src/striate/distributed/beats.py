"""Signs of life as the supervisor receives them."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass
class _Rank:
    host: str
    pid: int
    seen: float
    gone: bool = False


class Beats:
    """Listens to the ranks of one start.

    Parameters
    ----------
    local : bool
        Listen to this machine alone.

    Attributes
    ----------
    port : int
    """

    def __init__(self, *, local: bool) -> None:
        self._listener = socket.create_server(("127.0.0.1" if local else "", 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ranks: dict[int, _Rank] = {}
        self._of: dict[Any, int] = {}

    def __enter__(self) -> Beats:
        return self

    def __exit__(self, *error: object) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def read(self, seconds: float) -> None:
        """Read what the ranks have sent, waiting up to some seconds for more."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._listener:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._selector.register(connection, selectors.EVENT_READ)
            else:
                self._take(key.fileobj)

    def _take(self, connection: Any) -> None:
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            connection.close()
            if connection in self._of:
                self._ranks[self._of.pop(connection)].gone = True
            return
        *_, last = data.decode(errors="replace").split("\n")[:-1] or [""]
        words = last.split()
        if len(words) == 3:
            rank, host, pid = int(words[0]), words[1], int(words[2])
            self._of[connection] = rank
            self._ranks[rank] = _Rank(host, pid, time.monotonic())

    def silent(self, patience_seconds: float) -> str | None:
        """Return a message about a running rank that has been silent for too long, if there is one."""
        now = time.monotonic()
        for number, rank in sorted(self._ranks.items()):
            if not rank.gone and now - rank.seen > patience_seconds:
                return f"rank {number} on {rank.host} has not answered for {patience_seconds:g} s"
        return None

    @property
    def lost(self) -> str | None:
        """Which ranks have ended."""
        gone = [number for number, rank in sorted(self._ranks.items()) if rank.gone]
        return f"ranks ended: {', '.join(map(str, gone))}" if gone else None

    @property
    def all_gone(self) -> bool:
        """Whether every rank that was heard of has ended."""
        return all(rank.gone for rank in self._ranks.values())

    def process_of(self, rank: int) -> tuple[str, int] | None:
        """Return the host and process id of a rank that is alive."""
        found = self._ranks.get(rank)
        return None if found is None or found.gone else (found.host, found.pid)

    def processes(self) -> list[tuple[str, int]]:
        """Return the hosts and process ids of all ranks that have not ended."""
        return [(rank.host, rank.pid) for rank in self._ranks.values() if not rank.gone]
