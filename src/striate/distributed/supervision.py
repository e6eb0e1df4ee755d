"""Starting ranks, watching them, and starting them again from the last checkpoint when one dies or hangs."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from striate.distributed.beats import Beats
from striate.distributed.heartbeat import ADDRESS
from striate.distributed.hosts import address_for, answering
from striate.distributed.starting import STATUS, check_installed, mpiexec_line, striate_line
from striate.errors import StriateError
from striate.interpreter import environment
from striate.wording import shell_command

LOOK_SECONDS = 0.1
GRACE_SECONDS = 5.0  # that mpiexec gets to end its ranks
STOPS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")


@dataclass
class Supervisor:
    """Runs ``striate train`` or ``striate resume`` on several ranks, whatever happens to them.

    Parameters
    ----------
    ranks : int
    folder : path
        Of the run; ``launch.log`` in it gets what the ranks and MPI print, and what happened to them.
    hosts : sequence of str
        The machines; this one by default.
    restarts : int
        How often to start again at most.
    patience_seconds : float
        How long a rank may give no sign of life.
    elastic : bool
        After a failure go on with the hosts that answer, or with one rank less on this machine.
    """

    ranks: int
    folder: Path
    hosts: Sequence[str] = ()
    restarts: int = 3
    patience_seconds: float = 30.0
    elastic: bool = False
    _stopped: int | None = field(default=None, init=False)

    def run(self, arguments: Sequence[str]) -> int:
        """Run ``striate ARGUMENTS``; return the exit status of rank 0.

        Raises
        ------
        StriateError
            If MPI is missing, a host does not answer, later none of them does, or the ranks failed more often than
            ``restarts``.
        """
        check_installed()
        answering(self.hosts, all_of_them=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "launch.log", "a", encoding="utf-8") as log, self._forwarding():
            for attempt in range(self.restarts + 1):
                again = (self.folder / "config.toml").exists()
                chosen = ["resume", str(self.folder)] if again and attempt else list(arguments)
                count = "1 rank" if self.ranks == 1 else f"{self.ranks} ranks"
                self._note(log, f"starting {count}: striate {' '.join(chosen)}")
                attempted = _Attempt(self, log)
                status, why = attempted.run(chosen)
                if status is not None:
                    return status
                why += self._silent()
                self._note(log, why)
                if self.elastic and attempt < self.restarts:
                    self._shrink()
        raise StriateError(
            f"{self.folder}: the ranks failed {self.restarts + 1} times; see {log.name}. Last: {why}."
        )

    def _silent(self) -> str:
        """Return the hosts that no longer answer, as the end of a sentence."""
        left = answering(self.hosts)
        silent = [host for host in self.hosts if host not in left]
        return f"; no answer from {', '.join(silent)}" if silent else ""

    def _shrink(self) -> None:
        """Keep the hosts that answer and their share of the ranks; without hosts, one rank less."""
        left = answering(self.hosts)
        if self.hosts and not left:
            raise StriateError(
                f"{self.folder}: none of the hosts answers any more ({', '.join(self.hosts)}). "
                f"Start one, then use {shell_command('resume', self.folder)}."
            )
        fewer = self.ranks * len(left) // len(self.hosts) if self.hosts else self.ranks - 1
        self.hosts, self.ranks = left, max(1, fewer)

    def _note(self, log: IO[str], text: str) -> None:
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} launch: {text}"
        print(line, file=log, flush=True)
        print(f"launch: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def _forwarding(self) -> Iterator[None]:
        """Note the signals that ask to stop; they are for rank 0, which saves and ends the others."""

        def note(number: int, frame: Any) -> None:
            self._stopped = number

        known = [getattr(signal, name) for name in STOPS if hasattr(signal, name)]
        before = {number: signal.signal(number, note) for number in known}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def asked_to_stop(self) -> int | None:
        """Return the signal that asked to stop since the last call, if one did."""
        found, self._stopped = self._stopped, None
        return found


class _Attempt:
    """One start of all ranks."""

    def __init__(self, supervisor: Supervisor, log: IO[str]) -> None:
        self.supervisor, self.log = supervisor, log

    def run(self, arguments: Sequence[str]) -> tuple[int | None, str]:
        """Return the status of rank 0, or None and what went wrong."""
        s = self.supervisor
        with tempfile.TemporaryDirectory(dir=s.folder) as folder, Beats(local=not s.hosts) as beats:
            file = Path(folder) / "status"
            env = {**environment(), STATUS: str(file), ADDRESS: f"{address_for(s.hosts)}:{beats.port}"}
            command = [*mpiexec_line(s.ranks, s.hosts), *striate_line(arguments)]
            process = subprocess.Popen(
                command,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
            reader = threading.Thread(target=self._copy, args=(process.stdout,), daemon=True)
            reader.start()
            try:
                why = self._watch(process, beats, file.exists)
            finally:
                self._end(process, beats)
            reader.join(GRACE_SECONDS)
            if file.exists():
                return int(file.read_text()), ""
            return None, why

    def _copy(self, lines: IO[str]) -> None:
        for line in lines:
            self.log.write(line)
            self.log.flush()
            sys.stdout.write(line)
            sys.stdout.flush()

    def _watch(self, process: subprocess.Popen[str], beats: Beats, done: Callable[[], bool]) -> str:
        """Return when all ranks have ended, or one has failed; say how."""
        s, since = self.supervisor, time.monotonic()
        while process.poll() is None:
            beats.read(LOOK_SECONDS)
            number = s.asked_to_stop()
            if number is not None:
                self._stop(process, beats, number)
            silent = beats.silent(s.patience_seconds)
            if silent is not None:
                return silent
            if done():
                since = since if beats.all_gone else time.monotonic()
                if time.monotonic() - since > s.patience_seconds:
                    return "mpiexec does not exit"
        return beats.lost or f"mpiexec ended with status {process.returncode}"

    def _stop(self, process: subprocess.Popen[str], beats: Beats, number: int) -> None:
        """Ask rank 0 to save and to end."""
        leader = beats.process_of(0)
        if leader is not None and leader[0] == platform.node():
            os.kill(leader[1], number)
        else:
            process.send_signal(signal.SIGTERM)

    def _end(self, process: subprocess.Popen[str], beats: Beats) -> None:
        """End the remaining ranks: those of this machine by process id, the others through mpiexec."""
        if process.poll() is None:
            process.terminate()
        if process.returncode != 0:
            for host, pid in beats.processes():
                if host == platform.node():
                    _kill(pid)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
