"""The process whose calls fail: one forked child for each fault, another one that looks at what is left."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from .scenarios import CARELESS, SCENARIOS, Scenario
from .shim import KINDS, arm, calls

PATIENCE = 60  # seconds for one child


class Ended(NamedTuple):
    """How a child ended: its status (negative: a signal), what it returned and what it wrote."""

    status: int
    value: Any
    text: str


class Stage:
    """A scenario that is prepared once, and acted from the beginning as often as wanted."""

    def __init__(self, scenario: Scenario, where: Path) -> None:
        self.scenario, self.where = scenario, where
        self.prepared, self.folder, self.log = where / "prepared", where / "work" / "folder", where / "calls"
        self._load_everything(where / "warm" / "folder")
        self.prepared.mkdir()
        self._must(lambda: scenario.prepare(self.prepared))
        begin = time.monotonic()
        ended = self.act(lambda: None)
        assert ended.status == 0, ended.text
        self.seconds = time.monotonic() - begin
        self.expected = self._must(lambda: scenario.end(self.folder))

    def _load_everything(self, folder: Path) -> None:
        """Import modules and load kernels once, for all children."""
        folder.mkdir(parents=True)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            self.scenario.prepare(folder)
            self.scenario.act(folder)
            self.scenario.end(folder)

    def act(self, before: Callable[[], object], patience: float = PATIENCE) -> Ended:
        """Act on a fresh folder in a child, which calls ``before`` first and is killed after so many seconds."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)
        shutil.copytree(self.prepared, self.folder)
        self.log.unlink(missing_ok=True)

        def act() -> int:
            before()
            os._exit(self.scenario.act(self.folder))

        return _child(act, self.where / "acted", patience)

    def afterwards(self) -> str | None:
        """Do what the user does afterwards; return what must not have happened, if anything."""
        after = _child(lambda: self.scenario.end(self.folder), self.where / "after")
        if after.status != 0:
            return f"afterwards: {after.text[-600:]}"
        return None if after.value == self.expected else "afterwards: another result"

    def _must(self, function: Callable[[], Any]) -> Any:
        ended = _child(function, self.where / "must")
        assert ended.status == 0, ended.text
        return ended.value


class Runner(Stage):
    """Lets the calls of a scenario fail, one after the other."""

    def __init__(self, scenario: Scenario, where: Path) -> None:
        super().__init__(scenario, where)
        self.act(lambda: arm(self.folder, "i/o error", -1, self.log))
        self.calls = calls(self.log)

    def fault(self, kind: str, at: int) -> str | None:
        """Let call number ``at`` go wrong; return what must not have happened, if anything."""
        ended = self.act(lambda: arm(self.folder, kind, at, self.log))
        wrong = _misbehaved(ended, kind, self.folder) or self.afterwards()
        named = calls(self.log)
        return wrong and f"{kind} at call {at}, {named[at] if at < len(named) else '?'}: {wrong}"


def _misbehaved(ended: Ended, kind: str, folder: Path) -> str | None:
    """Return what a command must not do, however its calls fail."""
    if kind == "killed" and (ended.status == -signal.SIGKILL or "signal 9" in ended.text):
        return None
    if ended.status < 0 or "Traceback" in ended.text:
        return f"status {ended.status}: {ended.text[-600:]}"
    reason = os.strerror(max(KINDS[kind], 0)) if KINDS[kind] > 0 else "No space left on device"
    if ended.status != 0 and not (str(folder) in ended.text and reason in ended.text):
        return f"message without file or reason: {ended.text[-400:]}"
    return None


def _child(function: Callable[[], Any], place: Path, patience: float = PATIENCE) -> Ended:
    """Call a function in a child, which is killed after so many seconds."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "text").touch()
    process = os.fork()
    if process == 0:
        _run(function, place)
    end, status = time.monotonic() + patience, None
    while status is None:
        found, code = os.waitpid(process, os.WNOHANG)
        status = os.waitstatus_to_exitcode(code) if found else None
        if status is None and time.monotonic() > end:
            _kill(process)
        time.sleep(0.002)
    value = place / "value"
    return Ended(
        status,
        pickle.loads(value.read_bytes()) if value.exists() else None,
        (place / "text").read_text("utf-8", "replace"),
    )


def _kill(process: int) -> None:
    """Kill a process and all that it has started; return when they have ended."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError), _handle(process) as ended:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        os.kill(process, signal.SIGKILL)
        for child in children:
            _kill(int(child))
        select.select([ended], [], [], PATIENCE)


@contextlib.contextmanager
def _handle(process: int) -> Iterator[int]:
    file = os.pidfd_open(process)
    try:
        yield file
    finally:
        os.close(file)


def _run(function: Callable[[], Any], place: Path) -> None:
    """Be the child: write what the function returns and prints, and end."""
    output = os.open(place / "text", os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = 70
    try:
        value = function()
        (place / "value").write_bytes(pickle.dumps(value))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Let every call fail that ``scenario kinds first stride seconds`` names; print what is found."""
    name, kinds, first, stride, seconds = sys.argv[1:6]
    end, found = time.monotonic() + float(seconds), 0
    with tempfile.TemporaryDirectory() as where:
        runner = Runner({**SCENARIOS, **CARELESS}[name], Path(where))
        every = [(kind, at) for kind in kinds.split(",") for at in range(len(runner.calls))]
        cases = every[int(first) :: int(stride)]
        print(f"{len(runner.calls)} calls, {len(cases)} faults", flush=True)
        for number, (kind, at) in enumerate(cases):
            if time.monotonic() > end:
                print(f"stopped after {number} faults", flush=True)
                break
            if wrong := runner.fault(kind, at):
                found += 1
                print(f"FINDING {wrong}", flush=True)
        else:
            print(f"all {len(cases)} faults", flush=True)
    sys.exit(min(1, found))


if __name__ == "__main__":
    main()
