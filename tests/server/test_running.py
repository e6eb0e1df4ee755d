"""The server as a process: its address, slow clients, its end."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from striate.errors import DataError, UsageError
from striate.server import running


@pytest.fixture(scope="module")
def process(model_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Return a server in a process of its own, its address and its token."""
    with started(model_path) as found:
        yield found


@contextlib.contextmanager
def started(model_path: Path, port: str = "0") -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    command = [sys.executable, "-m", "striate", "serve", str(model_path), "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)", server.stdout.readline())
        try:
            assert found is not None
            yield server, found[1], found[2]
        finally:
            server.kill()


def open_socket(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def test_answers_over_http(process: Any) -> None:
    _, address, token = process
    with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
        assert json.load(answer)["status"] == "ok"
        assert "server" not in answer.headers
    asked = urllib.request.Request(f"{address}/summary", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert json.load(answer)["network"] == "lenet5"


@pytest.mark.parametrize("sent", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                                  b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"])  # fmt: skip
def test_refuses_broken_requests(process: Any, sent: bytes) -> None:
    with open_socket(process[1]) as client:
        client.sendall(sent)
        assert re.match(rb"HTTP/1.1 4(00|03) ", client.recv(1000))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_answers_what_it_began_before_it_ends(model_path: Path, number: signal.Signals) -> None:
    """A request whose body is still coming when the signal arrives gets its answer."""
    with started(model_path) as found:
        _drain(*found, number)


def _drain(server: subprocess.Popen[str], address: str, token: str, number: signal.Signals) -> None:
    body = json.dumps({"samples": [0] * 64}).encode()
    with open_socket(address) as client:
        host = address.removeprefix("http://")
        head = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        client.sendall(head.encode() + body[:10])
        assert client.recv(1000).startswith(b"HTTP/1.1 100")  # it is being answered
        server.send_signal(number)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:  # until it takes no more connections
            try:
                open_socket(address).close()
            except OSError:
                break
            time.sleep(0.01)
        client.sendall(body[10:])
        answer = b"".join(iter(lambda: client.recv(100_000), b""))  # it closes the connection
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"predictions" in answer
    assert server.wait(60) == 0


def test_refuses_a_port_in_use(model_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(DataError, match=rf"--port: {port} is in use\. Choose another"):
            running.serve(model_path, port=port)


@pytest.mark.parametrize(("host", "port", "message"), [("127.0.0.1", 70_000, "--port: must be 0 to 65535"),
                                                       ("no such host", 0, "--host: must be an")])  # fmt: skip
def test_refuses_addresses_that_are_none(model_path: Path, host: str, port: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        running.serve(model_path, host, port)


def test_closes_connections_whose_headers_do_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    class Timer:
        def __init__(self, seconds: float, call: Any) -> None:
            self.seconds, self.call, self.cancelled = seconds, call, False

        def cancel(self) -> None:
            self.cancelled = True

    class Loop:
        def __init__(self) -> None:
            self.timers: list[Timer] = []

        def call_later(self, seconds: float, call: Any) -> Timer:
            self.timers.append(Timer(seconds, call))
            return self.timers[-1]

    class Connection:
        their_state: Any = running.h11.IDLE

    patient = running.Patient.__new__(running.Patient)
    patient.loop, patient.conn, patient.transport = Loop(), Connection(), type("T", (), {"close": "close"})
    monkeypatch.setattr(running.H11Protocol, "connection_made", lambda self, transport: None)
    monkeypatch.setattr(running.H11Protocol, "data_received", lambda self, data: None)
    patient.connection_made(None)
    patient.data_received(b"GET / HT")
    (timer,) = patient.loop.timers
    assert (timer.seconds, timer.call, timer.cancelled) == (running.HEADER_SECONDS, "close", False)
    patient.conn.their_state = running.h11.DONE
    patient.data_received(b"TP/1.1 ...")
    assert timer.cancelled
