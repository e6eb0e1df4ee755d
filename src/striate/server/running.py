"""The server as a process: socket, address and shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from striate.errors import DataError, UsageError
from striate.server.app import application
from striate.server.guard import Access
from striate.server.limits import Limits
from striate.server.source import Source

HEADER_SECONDS = 10.0
CONNECTIONS = 1024
DRAIN_SECONDS = 30


class Patient(H11Protocol):
    """HTTP/1.1 whose headers must arrive within ``HEADER_SECONDS``."""

    _opening: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first headers."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes; start waiting at the beginning of headers, stop when they are complete."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._opening is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._opening = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None


def serve(
    path: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    allowed: Sequence[str] = (),
    limits: Limits | None = None,
    announce: Callable[[str, Access], None] = lambda address, access: None,
) -> None:
    """Serve a model or a run until SIGINT or SIGTERM, then finish the requests in progress.

    Parameters
    ----------
    path : Path
    host : str
        The address to listen at.
    port : int
        0 for a free one.
    allowed : sequence of str
        More names by which browsers may call the server, without the port.
    limits : Limits, optional
    announce : function of (address, access)
        Called before the first request.

    Raises
    ------
    ModelFileError
        If there is nothing to serve.
    DataError
        If the port is in use or not allowed.
    """
    source = Source(path)
    source.check()
    listener = _listen(host, port)
    try:
        port = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        access = Access.of(shown, port, allowed)
        servers: list[uvicorn.Server] = []
        app = application(source, access, limits, lambda: any(server.should_exit for server in servers))
        config = uvicorn.Config(
            app,
            http=Patient,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        servers.append(uvicorn.Server(config))
        shown = "127.0.0.1" if host == "0.0.0.0" else shown
        announce(f"http://{shown}:{port}/?token={access.token}", access)
        with _signals_end_it():
            servers[0].run(sockets=[listener])
    finally:
        listener.close()


@contextlib.contextmanager
def _signals_end_it() -> Iterator[None]:
    """Treat SIGINT and SIGTERM, which uvicorn raises again after the last response, as a clean exit."""
    names = (signal.SIGINT, signal.SIGTERM)
    before = {name: signal.signal(name, lambda number, frame: None) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise UsageError(f"--port: must be 0 to 65535; got {port}. Use 0 for a free one.")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host: must be an address of this machine; got {host!r} ({error}).") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(CONNECTIONS)  # clients may connect as soon as the address is printed
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise DataError(f"--port: {port} is in use. Choose another, or 0 for a free one.") from None
        raise DataError(f"{host}:{port}: cannot listen there ({error.strerror}). Choose another.") from None
    return listener
