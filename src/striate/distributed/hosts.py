"""The hosts that ranks run on."""

from __future__ import annotations

import platform
import socket
from collections.abc import Sequence
from contextlib import suppress

from striate.errors import UsageError

SSH_PORT, SECONDS = 22, 5.0


def answering(hosts: Sequence[str], *, all_of_them: bool = False) -> list[str]:
    """Return the hosts that answer on the port of ssh, through which ``mpiexec`` starts ranks.

    Raises
    ------
    UsageError
        If ``all_of_them`` should, and one does not.
    """
    found = []
    for host in hosts:
        problem = None if host in ("localhost", platform.node()) else _problem(host)
        if problem is None:
            found.append(host)
        elif all_of_them:
            raise UsageError(
                f"hosts: {host} must answer on port {SSH_PORT} (ssh); got {problem!r}. "
                "Start it, or leave it out of --hosts."
            )
    return found


def address_for(hosts: Sequence[str]) -> str:
    """Return the address at which the hosts reach this machine: its name often stands for the loopback address."""
    for host in hosts:
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, SSH_PORT))  # chooses the way; nothing is sent
            address = str(probe.getsockname()[0])
            if not address.startswith("127."):
                return address
    return "127.0.0.1"


def _problem(host: str) -> str | None:
    try:
        socket.create_connection((host, SSH_PORT), SECONDS).close()
    except OSError as error:
        return str(error.strerror or error)
    return None
