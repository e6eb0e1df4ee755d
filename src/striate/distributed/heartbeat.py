"""Signs of life of every rank, for the supervisor that started them."""

from __future__ import annotations

import os
import platform
import socket
import sys
import threading
import time

ADDRESS = "STRIATE_SUPERVISOR"
"""The environment variable that holds the supervisor's host and port."""
SECONDS = 0.5


def start(rank: int) -> None:
    """Start sending signs of life, if there is a supervisor."""
    address = os.environ.get(ADDRESS)
    if address:
        host, _, port = address.rpartition(":")
        threading.Thread(target=_send, args=(rank, host, int(port)), daemon=True).start()


def _send(rank: int, host: str, port: int) -> None:
    try:
        connection = socket.create_connection((host, port), timeout=30)
    except OSError as error:
        print(
            f"striate: rank {rank} on {platform.node()} cannot reach striate launch at {host}:{port} "
            f"({error.strerror or error}). If it hangs, nobody will notice. Allow connections to that host.",
            file=sys.stderr,
        )
        return
    try:
        with connection:
            while True:
                connection.sendall(f"{rank} {platform.node()} {os.getpid()}\n".encode())
                time.sleep(SECONDS)
    except OSError:
        return  # the supervisor has gone; mpiexec ends the ranks
