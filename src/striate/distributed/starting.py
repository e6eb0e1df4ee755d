"""Starting ranks with ``mpiexec``."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from striate.distributed.mpi import import_mpi, mpiexec
from striate.interpreter import environment, python
from striate.training import ranks

STATUS = "STRIATE_STATUS_FILE"
"""The environment variable that names the file into which rank 0 writes how the command ends."""
FAILED = 1


def mpiexec_line(count: int, hosts: Sequence[str] = ()) -> list[str]:
    """Return the beginning of a command that starts several ranks of the program that follows."""
    program = mpiexec()
    option = "--host" if _is_open_mpi(program) else "-hosts"
    places = [option, ",".join(hosts)] if hosts else []
    if _is_open_mpi(program):
        places.append("--oversubscribe")
    return [str(program), "-n", str(count), *places]


def striate_line(arguments: Sequence[str]) -> list[str]:
    """Return the command that runs ``striate ARGUMENTS`` as this process does."""
    return python("-m", "striate", *arguments)


def _is_open_mpi(program: Path) -> bool:
    found = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return "open mpi" in (found.stdout + found.stderr).lower()


def run_ranks(count: int, arguments: Sequence[str]) -> int:
    """Run ``striate ARGUMENTS`` on several ranks of this machine; return the exit status of rank 0.

    Raises
    ------
    StriateError
        If MPI is not installed.
    """
    check_installed()
    command = [*mpiexec_line(count), *striate_line(arguments)]
    with tempfile.TemporaryDirectory() as folder:
        status = Path(folder) / "status"
        before = signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # the ranks get Ctrl-C too; this process waits for them
        try:
            process = subprocess.Popen(command, env={**environment(), STATUS: str(status)})
            ended = process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
        return read_status(status, ended)


def read_status(file: Path, ended: int) -> int:
    """Return the status that rank 0 has written, or that of ``mpiexec``."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return ended if 0 < ended < 128 else FAILED


def report_status(status: int) -> int:
    """Report how the command ended to whoever started this rank; return the status to exit with.

    A process that ends with another status than 0 makes ``mpiexec`` print a page about it.
    """
    if ranks.current is None or ranks.current.leads:
        Path(os.environ[STATUS]).write_text(str(status))
    return 0


def check_installed() -> None:
    """Raise StriateError unless mpi4py is installed; MPI is not started in this process."""
    import importlib.util

    if importlib.util.find_spec("mpi4py") is None:
        import_mpi()
    mpiexec()
