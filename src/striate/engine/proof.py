"""Programs are verified before their first run, once per machine.

The proof of a small network takes less time than a step of training, that of ResNet-18 takes seconds; so the cache
folder remembers the fingerprints of the programs that passed.
"""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from pathlib import Path

from striate import machine
from striate.engine import footprint, verify
from striate.engine.program import Program
from striate.kernels import access
from striate.kernels.cache import open_folder

_proven: set[str] = set()


def prove(program: Program) -> None:
    """Verify a program, unless this machine has proven it before or ``STRIATE_VERIFY`` is 0.

    The batch is a full one: with channels in the lanes, dense layers compute all samples of the plan, those that a
    smaller batch lacks from whatever stands there.

    Raises
    ------
    ProgramError
        See ``striate.engine.verify.verify``.
    """
    if not machine.verifies():
        return
    name = f"{fingerprint(program)}.proven"
    folder = open_folder()
    if name in _proven or (folder is not None and (folder / name).exists()):
        return
    verify.verify(program, [program.shards])
    _proven.add(name)
    if folder is not None:
        with contextlib.suppress(OSError):  # it is proven again in the next process
            (folder / name).touch()


def fingerprint(program: Program) -> str:
    """Return a hash of everything that the proof of a program depends on."""
    digest = hashlib.sha256(_sources())
    for segment in program.segments.values():
        digest.update(repr((segment.name, segment.size, segment.external)).encode())
        if segment.contents is not None:
            digest.update(segment.contents.tobytes())
    digest.update(repr((program.lanes, program.shared_arena, program.shapes)).encode())
    for phase in program.phases:
        rows = [(row.request, row.arguments) for row in phase.rows]
        digest.update(repr((rows, phase.tasks, phase.spans, phase.each)).encode())
    return digest.hexdigest()


@cache
def _sources() -> bytes:
    """Return the text of the proof, and of what it knows about kernels."""
    return b"".join(Path(str(module.__file__)).read_bytes() for module in (access, footprint, verify))
