"""The process that reads hostile files, under limits; it writes one line of JSON before and after every case."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from .kinds import KINDS, Kind, Tree

SECONDS = 30  # of the clock, for one file; every kind has its processor time
BYTES = 1 << 30  # more than the process takes before
FILES = 64
MESSAGE = 2000  # characters


class Hang(BaseException):
    """A file took too long."""


def main() -> None:
    """Read cases ``kind first last seed`` from the command line."""
    kind, first, last, seed = sys.argv[1], *map(int, sys.argv[2:5])
    where = Path(tempfile.mkdtemp())
    try:
        Worker(KINDS[kind], kind, seed, where).run(range(first, last))
    finally:
        shutil.rmtree(where, ignore_errors=True)


class Worker:
    """Reads the cases of a kind, one after the other."""

    def __init__(self, kind: Kind, name: str, seed: int, where: Path) -> None:
        self.kind, self.name, self.seed, self.folder = kind, name, seed, where / "case"
        seeds = where / "seed"
        seeds.mkdir()
        self.entry = kind.make(seeds)
        files = sorted(
            path for path in seeds.rglob("*") if path.is_file() and path.stat().st_size
        )  # locks are empty
        self.good: Tree = {str(path.relative_to(seeds)): path.read_bytes() for path in files}
        os.environ.setdefault("STRIATE_CACHE_DIR", str(where / "cache"))
        self.expected = self._read(self.good)
        _limit()

    def run(self, cases: range) -> None:
        """Read every case; a line before each tells which one ended the process."""
        for case in cases:
            _tell(case=case)
            _tell(case=case, **self.outcome(case))

    def outcome(self, case: int) -> dict[str, str]:
        """Return how a case ended: ``refused``, ``read`` or what is a finding, with its detail."""
        signal.setitimer(signal.ITIMER_PROF, self.kind.seconds)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            name, content = self.spoilt(case)
            changed = content != self.good[name]
            found = self._read({**self.good, name: content})
        except Hang:
            return {"outcome": "hang", "detail": _last_frame()}
        except MemoryError:
            return {"outcome": "memory", "detail": _last_frame()}
        except Exception as error:
            return _judge(error)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self.kind.checksum and changed and found != self.expected:
            return {"outcome": "silent", "detail": "a changed file was accepted"}
        return {"outcome": "read", "detail": ""}

    def spoilt(self, case: int) -> tuple[str, bytes]:
        """Return the name and the content of the file that a case changes."""
        rng = Random(f"{self.seed} {self.name} {case}")
        name = rng.choice(sorted(self.good))
        return name, rng.choice(self.kind.spoil)(name, self.good[name], rng)

    def _read(self, files: Tree) -> object:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self.kind.read(self.folder / self.entry)


def _limit() -> None:
    """Bound time, memory and open files; let striate believe in plenty of memory, so that it must bound itself.

    Kernels that the good files need are loaded; no others are compiled.
    """
    from striate import machine
    from striate.kernels import library

    def alarm(number: int, frame: FrameType | None) -> None:
        raise Hang

    load = library.load

    def load_known(requests: Sequence[library.Request]) -> object:
        if not library._loaded.keys() >= set(requests):
            raise machine.UsageError("planned: nothing is compiled here.")
        return load(requests)

    signal.signal(signal.SIGPROF, alarm)
    signal.signal(signal.SIGALRM, alarm)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limit, value in ((resource.RLIMIT_AS, taken + BYTES), (resource.RLIMIT_NOFILE, FILES)):
        resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))
    machine._free_memory = lambda: 64 << 30
    machine._address_space = lambda: iter(())
    machine._memory_quotas = lambda: iter(())
    library.load = load_known
    warnings.simplefilter("error", RuntimeWarning)


def _judge(error: Exception) -> dict[str, str]:
    from striate.errors import StriateError

    text = str(error)
    if not isinstance(error, StriateError):
        return {"outcome": "traceback", "detail": f"{type(error).__name__} at {_last_frame()}: {text[:200]}"}
    hidden = [mark for mark in text if not mark.isprintable()]
    if hidden or len(text) > MESSAGE:
        return {"outcome": "message", "detail": f"{_last_frame()}: {text[:200]!r}"}
    return {"outcome": "refused", "detail": text}


def _last_frame() -> str:
    """Return the last place in striate of the exception that is handled."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [frame for frame in frames if f"{os.sep}striate{os.sep}" in frame.filename]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno} {frame.name}"


def _tell(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    main()
