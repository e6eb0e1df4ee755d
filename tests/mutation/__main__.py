"""Make small mistakes in the source, one at a time, and count how many the related tests notice.

python -m tests.mutation                                       all files below, about an hour
python -m tests.mutation --file storage/atomic.py --every 5    one mistake in five
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mutation.equivalent import EQUIVALENT
from mutation.mutants import Mutant, mutants

TESTS = Path(__file__).resolve().parents[1]
SOURCE = TESTS.parent / "src" / "striate"
OPTIMIZERS = ("training/test_optimizers.py",)
RUNS = ("training/test_run_folder.py", "training/test_run_records.py", "training/test_run.py")
RELATED: dict[str, tuple[str, ...]] = {
    "storage/atomic.py": ("storage/test_atomic.py",),
    "storage/container.py": ("storage/test_container.py",),
    "storage/header.py": ("storage/test_header.py", "storage/test_container.py"),
    "storage/model_file.py": (
        "model/test_model.py",
        "model/test_target_units.py",
        "model/test_other_size.py",
        "training/test_run_folder.py",
    ),
    "engine/memory.py": ("engine/test_memory.py", "layers/test_limits.py"),
    "training/optimizers/adam_variants.py": OPTIMIZERS,
    "training/optimizers/adaptive.py": OPTIMIZERS,
    "training/optimizers/base.py": OPTIMIZERS,
    "training/optimizers/descent.py": OPTIMIZERS,
    "training/optimizers/registry.py": OPTIMIZERS,
    "training/optimizers/squares.py": OPTIMIZERS,
    "training/checkpoint.py": ("training/test_checkpoint.py", "training/test_callbacks.py", "training/test_run.py"),
    "training/run/folder.py": RUNS,
    "training/run/lock.py": RUNS,
    "training/run/log.py": RUNS,
}
"""The tests that answer for a file."""
PATIENCE = (
    60,
    10,
)  # seconds for the tests of a mutant: at least so many, and so many times what they take without it
OUTPUT = Path(tempfile.gettempdir()) / f"mutation-{os.getpid()}.txt"  # of the tests that ran last


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other source."""

    def __init__(self, name: str, source: str, path: Path) -> None:
        self.name, self.source, self.path = name, source, path

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        return importlib.util.spec_from_loader(name, self, origin=str(self.path)) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.path)
        exec(compile(self.source, str(self.path), "exec"), module.__dict__)


def main() -> None:
    """Print survivors and shares."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--file", choices=RELATED, action="append", help="only this; may be repeated")
    parser.add_argument("--every", type=int, default=1, help="one mistake in so many, picked at random (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default 0)")
    parser.add_argument("--skip", type=int, default=0, help="leave so many out at the beginning")
    parser.add_argument("--minutes", type=float, default=600.0, help="for how long (default 600)")
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    for name in arguments.file or RELATED:
        made = _of_consequence(name)
        Random(arguments.seed).shuffle(made)
        chosen = made[: -(-len(made) // arguments.every)][arguments.skip :]
        _report(name, chosen, end)


def _of_consequence(name: str) -> list[Mutant]:
    """Return the mutants of a file without those that change nothing."""
    source = (SOURCE / name).read_text("utf-8")
    lines, known = source.splitlines(), EQUIVALENT.get(name, {})

    def changes_nothing(mutant: Mutant) -> bool:
        line = lines[mutant.line - 1].strip()
        return any(line.startswith(start) and mutant.change == change for start, change in known)

    return [mutant for mutant in mutants(source) if not changes_nothing(mutant)]


def _report(name: str, chosen: list[Mutant], end: float) -> None:
    noticed = tried = 0
    begin = time.monotonic()
    if not _tests_pass(name, (SOURCE / name).read_text("utf-8"), end):
        sys.exit(f"the tests of {name} fail without a mistake:\n{OUTPUT.read_text('utf-8', 'replace')[-2000:]}")
    patience = max(PATIENCE[0], PATIENCE[1] * (time.monotonic() - begin))
    for mutant in chosen:
        if time.monotonic() > end:
            break
        tried += 1
        if _tests_pass(name, mutant.source, time.monotonic() + patience):
            print(f"  survives: {name}:{mutant.line}: {mutant.change}", flush=True)
        else:
            noticed += 1
    print(f"{name}: {noticed} of {tried} noticed ({noticed / max(1, tried):.0%}); {len(chosen)} chosen", flush=True)


def _tests_pass(name: str, source: str, end: float) -> bool:
    """Return whether the related tests pass, before the clock passes ``end``, in a child with this source."""
    process = os.fork()
    if process == 0:
        _test(name, source)
    while True:
        found, code = os.waitpid(process, os.WNOHANG)
        if found:
            return code == 0
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.02)


def _test(name: str, source: str) -> None:
    """Be the child: run the tests and end."""
    import resource

    import pytest

    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, -1))  # a mistake in a bound must not take the machine
    output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    module = "striate." + name.removesuffix(".py").replace("/", ".")
    sys.meta_path.insert(0, _Finder(module, source, SOURCE / name))
    status = 1
    with contextlib.suppress(BaseException):
        status = int(pytest.main(["-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *_paths(name)]))
    sys.stdout.flush()
    os._exit(status)


def _paths(name: str) -> list[str]:
    return [str(TESTS / path) for path in RELATED[name]]


if __name__ == "__main__":
    for library in ("numpy", "numba", "pytest", "safetensors", "PIL.Image"):
        importlib.import_module(library)
    main()
